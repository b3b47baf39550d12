//! What comes of policies of several layers.

use serde_json::{Value, json};

use super::{
    ANN, AWAY, HOME, ROLE, ROOT, SESSION, THING, anonymous, ask, in_role, keys, known, read,
    with_statements,
};
use crate::policy::caller::Caller;
use crate::policy::decision::{By, Denial, IdentityPolicies, Layer, Policies, Rule, decide};
use crate::policy::document::{Document, Kind};
use crate::policy::permissions::Permissions;
use crate::policy::question::{About, Question};

const STRANGER: &str = "arn:aws:iam::444455556666:user/v";

/// Policies of one statement: `+` allows, `-` denies, a blank speaks of something else; an empty text is no policy. What
/// stands behind the sign is the principal of the resource's policy.
#[derive(Clone, Copy)]
struct Layers<'l> {
    identity: &'l str,
    boundary: &'l str,
    session: &'l str,
    resource: &'l str,
}

fn layers<'l>(
    identity: &'l str,
    boundary: &'l str,
    session: &'l str,
    resource: &'l str,
) -> Layers<'l> {
    Layers {
        identity,
        boundary,
        session,
        resource,
    }
}

fn layer(spelled: &str, kind: Kind) -> Option<Document> {
    let (sign, principal) = spelled.split_at_checked(1)?;
    let (effect, action) = match sign {
        "+" => ("Allow", "s3:Get*"),
        "-" => ("Deny", "s3:Get*"),
        _ => ("Allow", "s3:Put*"),
    };
    let mut statement = json!({ "Effect": effect, "Action": action, "Resource": "*" });
    if !principal.is_empty() {
        statement["Principal"] = json!({ "AWS": principal });
    }
    Some(read(&with_statements(&statement), kind))
}

fn decided(
    rule: Rule,
    caller: &Caller,
    layers: Layers<'_>,
    is_granted: bool,
) -> Result<By, Denial> {
    let identity: Vec<_> = layer(layers.identity, Kind::Identity).into_iter().collect();
    let session: Vec<_> = layer(layers.session, Kind::Identity).into_iter().collect();
    let boundary = layer(layers.boundary, Kind::Identity);
    let resource = layer(layers.resource, Kind::Bucket);
    let policies = Policies {
        identity: IdentityPolicies::Documents(&identity),
        boundary: boundary.as_ref(),
        session: &session,
        resource: resource.as_ref(),
        rule,
        is_granted,
    };
    ask(caller, &keys(), &policies)
}

type Row<'r> = (&'r Caller, Layers<'r>, Result<By, Denial>);

fn check(rule: Rule, rows: &[Row<'_>]) {
    for (index, (caller, layers, expected)) in rows.iter().enumerate() {
        let found = decided(rule, caller, *layers, false);
        assert_eq!(found, *expected, "row {index}, {caller:?}");
    }
}

fn explicit(layer: Layer) -> Result<By, Denial> {
    Err(Denial::Explicit(layer))
}

fn silent(layer: Layer) -> Result<By, Denial> {
    Err(Denial::Silent(layer))
}

#[test]
fn where_the_account_decides_its_policies_or_the_resources_are_enough() {
    let (ann, root) = (known(ANN), known(ROOT));
    let (named, account, nobody) = (format!("+{ANN}"), format!("+{HOME}"), format!("-{HOME}"));
    let rows = [
        (&root, layers("", "", "", ""), Ok(By::Root)),
        (
            &root,
            layers("", "", "", &nobody),
            explicit(Layer::Resource),
        ),
        (&ann, layers("", "", "", ""), silent(Layer::Identity)),
        (&ann, layers("+", "", "", ""), Ok(By::Identity)),
        (&ann, layers("", "", "", &named), Ok(By::Resource)),
        (&ann, layers("", "", "", "+*"), Ok(By::Resource)),
        (&ann, layers("", "", "", &account), silent(Layer::Identity)),
        (&ann, layers("+", "", "", &account), Ok(By::Identity)),
        (&ann, layers("-", "", "", &named), explicit(Layer::Identity)),
        (
            &ann,
            layers("+", "", "", &nobody),
            explicit(Layer::Resource),
        ),
        (&ann, layers("+", " ", "", ""), silent(Layer::Boundary)),
        (&ann, layers("+", "-", "", ""), explicit(Layer::Boundary)),
        (&ann, layers("+", "+", "", ""), Ok(By::Identity)),
        (&ann, layers("", " ", "", &named), Ok(By::Resource)),
    ];
    check(Rule::AccountDecides, &rows);
}

#[test]
fn a_session_is_capped_where_it_is_not_named_itself() {
    let session = in_role();
    let (role, itself) = (format!("+{ROLE}"), format!("+{SESSION}"));
    let rows = [
        (&session, layers("+", "", " ", ""), silent(Layer::Session)),
        (&session, layers("+", "", "-", ""), explicit(Layer::Session)),
        (&session, layers("+", "", "+", ""), Ok(By::Identity)),
        (&session, layers("", "", " ", &itself), Ok(By::Resource)),
        (&session, layers("", "", " ", &role), silent(Layer::Session)),
        (
            &session,
            layers("", " ", "+", &role),
            silent(Layer::Boundary),
        ),
        (&session, layers("", "", "+", &role), Ok(By::Resource)),
    ];
    check(Rule::AccountDecides, &rows);
}

#[test]
fn callers_of_other_accounts_need_both_sides() {
    let (stranger, nobody) = (known(STRANGER), anonymous());
    let root = known("arn:aws:iam::444455556666:root");
    let (named, theirs, ours) = (
        format!("+{STRANGER}"),
        format!("+{AWAY}"),
        format!("+{HOME}"),
    );
    let barred = format!("-{STRANGER}");
    let foreign = Err(Denial::Foreign);
    let rows = [
        (&stranger, layers("+", "", "", ""), foreign),
        (&stranger, layers("", "", "", &named), foreign),
        (&stranger, layers("+", "", "", &named), Ok(By::Resource)),
        (&stranger, layers("+", "", "", &theirs), Ok(By::Resource)),
        (&stranger, layers("+", " ", "", &theirs), foreign),
        (&stranger, layers("+", "", "", &barred), foreign),
        (
            &stranger,
            layers("-", "", "", &named),
            explicit(Layer::Identity),
        ),
        (&nobody, layers("", "", "", "-*"), foreign),
        (&root, layers("", "", "", &theirs), Ok(By::Resource)),
        (&nobody, layers("", "", "", "+*"), Ok(By::Resource)),
        (&nobody, layers("", "", "", &ours), foreign),
    ];
    check(Rule::AccountDecides, &rows);
}

#[test]
fn where_the_resource_decides_the_account_counts_as_far_as_it_is_let_in() {
    let (ann, root, session, stranger) = (known(ANN), known(ROOT), in_role(), known(STRANGER));
    let (named, role) = (format!("+{ANN}"), format!("+{ROLE}"));
    let (account, nobody, theirs) = (format!("+{HOME}"), format!("-{HOME}"), format!("+{AWAY}"));
    let rows = [
        (&root, layers("", "", "", &account), Ok(By::Resource)),
        (&root, layers("", "", "", &named), silent(Layer::Resource)),
        (
            &root,
            layers("", "", "", &nobody),
            explicit(Layer::Resource),
        ),
        (&ann, layers("+", "", "", &role), silent(Layer::Resource)),
        (&ann, layers("-", "", "", &named), explicit(Layer::Identity)),
        (&ann, layers("", "", "", &named), Ok(By::Resource)),
        (&ann, layers("", "", "", &account), silent(Layer::Identity)),
        (&ann, layers("+", "", "", &account), Ok(By::Identity)),
        (
            &ann,
            layers("+", " ", "", &account),
            silent(Layer::Boundary),
        ),
        (&session, layers("", "", "", &role), Ok(By::Resource)),
        (&session, layers("", "", " ", &role), silent(Layer::Session)),
        (&session, layers("", "", "", "+*"), Ok(By::Resource)),
        (
            &stranger,
            layers("+", "", "", &account),
            Err(Denial::Foreign),
        ),
        (&stranger, layers("+", "", "", &theirs), Ok(By::Resource)),
        (&stranger, layers("", "", "", &theirs), Err(Denial::Foreign)),
    ];
    check(Rule::ResourceDecides, &rows);
}

#[test]
fn a_grant_allows_what_nothing_denies() {
    let ann = known(ANN);
    let granted = |resource: &str| {
        let layers = layers("", "", "", resource);
        decided(Rule::ResourceDecides, &ann, layers, true)
    };

    assert_eq!(granted(&format!("+{ROLE}")), Ok(By::Grant));
    assert_eq!(granted(&format!("-{HOME}")), explicit(Layer::Resource));
}

#[test]
fn a_refusal_tells_whose_policy_it_was() {
    let rows = [
        (
            Denial::Explicit(Layer::Identity),
            "with an explicit deny in an identity-based policy",
        ),
        (
            Denial::Explicit(Layer::Resource),
            "with an explicit deny in a resource-based policy",
        ),
        (
            Denial::Explicit(Layer::Boundary),
            "with an explicit deny in a permissions boundary",
        ),
        (
            Denial::Explicit(Layer::Session),
            "with an explicit deny in a session policy",
        ),
        (
            Denial::Silent(Layer::Session),
            "because no session policy allows the a:B action",
        ),
        (
            Denial::Silent(Layer::Boundary),
            "because no permissions boundary allows the a:B action",
        ),
        (
            Denial::Silent(Layer::Identity),
            "because no identity-based policy allows the a:B action",
        ),
        (
            Denial::Silent(Layer::Resource),
            "because no resource-based policy allows the a:B action",
        ),
    ];
    for (denial, expected) in rows {
        assert_eq!(denial.reason("a:B").as_deref(), Some(expected));
    }
    assert_eq!(Denial::Foreign.reason("a:B"), None);
}

#[test]
fn doubt_speaks_for_the_caller() {
    let condition = json!({ "StringEquals": { "aws:username": "bob" } });
    let statement = |effect: &str, resource: &str, condition: &Value| {
        json!({ "Effect": effect, "Principal": "*", "Action": "s3:*", "Resource": resource,
            "Condition": condition })
    };
    let allow = statement("Allow", THING, &condition);
    let rows = [
        (json!([allow]), true),
        (json!([allow, statement("Deny", "*", &condition)]), true),
        (json!([allow, statement("Deny", THING, &json!({}))]), true),
        (json!([allow, statement("Deny", "*", &json!({}))]), false),
    ];
    for (statements, expected) in rows {
        let resource = read(&with_statements(&statements), Kind::Bucket);
        let question = Question {
            caller: &known(ANN),
            action: "s3:GetObject",
            about: About::Anything { resource: None },
            owner: HOME,
        };
        let decided = decide(&question, &Permissions::default().with_key(&resource));
        assert_eq!(decided.is_ok(), expected, "{statements}");
    }
}
