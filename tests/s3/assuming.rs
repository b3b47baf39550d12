//! Who gets temporary credentials, for how long, and what he brings along.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use.html>; refusals recorded from AWS.

use serde_json::{Value, json};

use crate::sdk::says;
use crate::sts::{
    ACCOUNT, Keys, ROOT, encrypt, knowing, policy, refusal, role, role_arn, simple, today, user,
};

const ANN: &str = "arn:aws:iam::111122223333:user/ann";
const FOREIGN: &str = "arn:aws:iam::444455556666:user/eve";
const ASSUME: &str = "sts:AssumeRole";

/// The number of a role, what it is asked with, and whether it lets `ann` in.
type Asked<'a> = (usize, &'a [(&'a str, &'a str)], bool);

/// Who asks for which role, and whether it lets him in.
const ROWS: [(&str, &str, bool); 21] = [
    // Trust by name is enough, and nobody else is let in.
    ("ann", "anns", true),
    ("bob", "anns", false),
    ("free", "anns", false),
    // Trust of the account needs the caller's own policies.
    ("ann", "all", false),
    ("bob", "all", true),
    ("carl", "all", false),
    ("dora", "all", false),
    ("emil", "all", false),
    ("free", "all", true),
    ("eve", "all", false),
    // So it is with a role that says nothing.
    ("ann", "silent", false),
    ("bob", "silent", true),
    ("free", "silent", true),
    ("eve", "silent", false),
    // Across accounts it takes both.
    ("eve", "abroad", true),
    ("frey", "abroad", false),
    ("free", "abroad", false),
    // A path is part of the name.
    ("ann", "team/pathed", true),
    ("ann", "pathed", false),
    ("free", "nobodys", false),
    // This one is a root.
    (ACCOUNT, "all", true),
];

fn trust(principal: &str) -> Value {
    policy(
        &json!({ "Principal": { "AWS": principal }, "Action": ["sts:AssumeRole", "sts:TagSession"] }),
    )
}

fn trusting(principal: &str) -> Value {
    json!({ "trust": trust(principal) })
}

fn assuming(resource: &str) -> Value {
    policy(&json!({ "Action": ASSUME, "Resource": resource }))
}

/// Callers of this account and of another one, and what their own policies say.
fn callers() -> Vec<Value> {
    let denying = json!({ "Effect": "Deny", "Action": ASSUME, "Resource": "*" });
    vec![
        user("ann", &json!({ "policies": [] })),
        user("bob", &json!({ "policies": [assuming("*")] })),
        user(
            "carl",
            &json!({ "policies": [assuming(&role_arn("other"))] }),
        ),
        user(
            "dora",
            &json!({ "policies": [assuming("*"), policy(&denying)] }),
        ),
        user(
            "emil",
            &json!({ "policies": [assuming("*")], "boundary": assuming(&role_arn("other")) }),
        ),
        user("free", &json!({})),
        user(
            "eve",
            &json!({ "account": "444455556666", "policies": [assuming("*")] }),
        ),
        user(
            "frey",
            &json!({ "account": "444455556666", "policies": [] }),
        ),
    ]
}

/// Roles, and whom they trust.
fn trusted() -> Vec<Value> {
    let both = policy(
        &json!({ "Principal": { "AWS": [FOREIGN, "arn:aws:iam::444455556666:user/frey"] }, "Action": ASSUME }),
    );
    vec![
        role("anns", &trusting(ANN)),
        role("all", &trusting(ROOT)),
        role("silent", &json!({})),
        role("abroad", &json!({ "trust": both })),
        role("pathed", &json!({ "path": "/team/", "trust": trust(ANN) })),
    ]
}

/// Roles that trust `ann` under a condition.
fn conditioned() -> Vec<Value> {
    let conditions = [
        json!({ "StringEquals": { "sts:ExternalId": "4711" } }),
        json!({ "StringEquals": { "sts:RoleSessionName": "${aws:username}" } }),
        json!({ "StringEquals": { "aws:PrincipalTag/team": "red" } }),
        json!({ "StringEquals": { "aws:RequestTag/stage": "test" }, "ForAllValues:StringEquals": { "aws:TagKeys": ["stage"] } }),
        json!({ "StringEquals": { "aws:PrincipalType": "User", "aws:PrincipalArn": ANN } }),
        json!({ "Bool": { "aws:SecureTransport": "true" } }),
        json!({ "IpAddress": { "aws:SourceIp": "127.0.0.0/8" } }),
        json!({ "DateLessThan": { "aws:CurrentTime": "2000-01-01T00:00:00Z" } }),
        json!({ "StringEquals": { "aws:ResourceTag/team": "${aws:PrincipalTag/team}" } }),
    ];
    conditions
        .iter()
        .zip(0..)
        .map(|(condition, number)| {
            let trust = policy(&json!({ "Principal": { "AWS": ANN },
                "Action": ["sts:AssumeRole", "sts:TagSession"], "Condition": condition }));
            let tags = json!({ "team": "red" });
            role(
                &format!("role{number}"),
                &json!({ "trust": trust, "tags": tags }),
            )
        })
        .collect()
}

#[tokio::test]
async fn trust_and_the_callers_own_policies_decide() {
    let server = knowing(&callers(), &trusted()).start().await;
    for (caller, role, is_let_in) in ROWS {
        let answer = Keys::of(caller).try_assume(&server, role, &[]).await;

        assert_eq!(
            answer.status == 200,
            is_let_in,
            "{caller} {role} {}",
            answer.text()
        );
        if !is_let_in {
            let account = if ["eve", "frey"].contains(&caller) {
                "444455556666"
            } else {
                ACCOUNT
            };
            let message = format!(
                "User: arn:aws:iam::{account}:user/{caller} is not authorized to perform: sts:AssumeRole on resource: {}",
                role_arn(role)
            );
            assert_eq!(refusal(&answer), says("AccessDenied", 403, &message));
        }
    }
}

#[tokio::test]
async fn conditions_of_a_trust_see_what_is_asked_and_who_asks() {
    let roles = conditioned();
    let ann = user("ann", &json!({ "policies": [], "tags": { "team": "red" } }));
    let server = knowing(&[ann], &roles).start().await;
    let tag = [
        ("Tags.member.1.Key", "stage"),
        ("Tags.member.1.Value", "test"),
    ];
    let other = [
        ("Tags.member.1.Key", "stage"),
        ("Tags.member.1.Value", "live"),
    ];
    let rows: [Asked<'_>; 14] = [
        (0, &[("ExternalId", "4711")], true),
        (0, &[("ExternalId", "4712")], false),
        (0, &[], false),
        (1, &[], false),
        (2, &[], true),
        (3, &tag, true),
        (3, &other, false),
        (3, &[], false),
        (4, &[], true),
        (5, &[], false),
        (6, &[], true),
        (7, &[], false),
        (8, &[], true),
        (8, &tag, true),
    ];
    for (number, members, is_let_in) in rows {
        let role = format!("role{number}");
        let answer = Keys::of("ann").try_assume(&server, &role, members).await;

        assert_eq!(
            answer.status == 200,
            is_let_in,
            "{role} {members:?} {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn tags_need_an_action_of_their_own() {
    let trust = policy(&json!({ "Principal": { "AWS": ANN }, "Action": ASSUME }));
    let roles = [role("reader", &json!({ "trust": trust }))];
    let server = knowing(&[user("ann", &json!({}))], &roles).start().await;
    let ann = Keys::of("ann");
    let rows: [(&[(&str, &str)], &str); 2] = [
        (
            &[("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")],
            "sts:TagSession",
        ),
        (&[("SourceIdentity", "ann")], "sts:SetSourceIdentity"),
    ];
    for (members, action) in rows {
        let answer = ann.try_assume(&server, "reader", members).await;

        let message = format!(
            "User: {ANN} is not authorized to perform: {action} on resource: {}",
            role_arn("reader")
        );
        assert_eq!(refusal(&answer), says("AccessDenied", 403, &message));
    }
}

#[tokio::test]
async fn tags_are_passed_on_from_session_to_session() {
    let red = policy(
        &json!({ "Principal": { "AWS": ROOT }, "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": { "StringEquals": { "aws:PrincipalTag/team": "red", "aws:SourceIdentity": "ann" } } }),
    );
    let roles = [
        role("first", &json!({})),
        role("second", &json!({ "trust": red })),
        role("third", &json!({ "trust": red })),
    ];
    let server = knowing(&[user("ann", &json!({}))], &roles).start().await;
    let ann = Keys::of("ann");
    let tagged = [
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "red"),
        ("SourceIdentity", "ann"),
    ];
    let transitive = [&tagged[..], &[("TransitiveTagKeys.member.1", "team")]].concat();

    let once = ann.assume(&server, "first", &tagged).await;
    let lasting = ann.assume(&server, "first", &transitive).await;

    let second = lasting.assume(&server, "second", &[]).await;
    assert_eq!(second.try_assume(&server, "third", &[]).await.status, 200);
    let second = once.assume(&server, "second", &[]).await;
    assert_eq!(second.try_assume(&server, "third", &[]).await.status, 403);
    let changed = [
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "blue"),
    ];
    let changed = lasting.try_assume(&server, "second", &changed).await;
    assert_eq!(refusal(&changed).0, "InvalidParameterValue");
}

#[tokio::test]
async fn a_session_lasts_as_long_as_it_may() {
    let long = json!({ "max_session_seconds": 7200 });
    let roles = [role("reader", &json!({})), role("long", &long)];
    let builder = knowing(&[user("ann", &json!({}))], &roles);
    let server = builder.clock(today()).start().await;
    let ann = Keys::of("ann");
    let chained = ann.assume(&server, "reader", &[]).await;
    let too_long =
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    let too_long_chained = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
    let out_of = |value: &str, rule: &str| {
        format!(
            "1 validation error detected: Value '{value}' at 'durationSeconds' failed to satisfy constraint: Member must have value {rule}"
        )
    };
    let rows = [
        (&ann, "reader", "3600", Ok("2027-01-15T01:00:00Z")),
        (&ann, "reader", "3601", Err(too_long.to_owned())),
        (&ann, "long", "7200", Ok("2027-01-15T02:00:00Z")),
        (&chained, "long", "3600", Ok("2027-01-15T01:00:00Z")),
        (&chained, "long", "3601", Err(too_long_chained.to_owned())),
        (
            &ann,
            "long",
            "899",
            Err(out_of("899", "greater than or equal to 900")),
        ),
        (
            &ann,
            "long",
            "43201",
            Err(out_of("43201", "less than or equal to 43200")),
        ),
    ];
    for (keys, role, seconds, expected) in rows {
        let answer = keys
            .try_assume(&server, role, &[("DurationSeconds", seconds)])
            .await;
        match expected {
            Ok(end) => assert_eq!(answer.element("Expiration").as_deref(), Some(end)),
            Err(message) => {
                assert_eq!(refusal(&answer), says("ValidationError", 400, &message));
            }
        }
    }
}

#[tokio::test]
async fn users_and_roots_get_sessions_of_their_own() {
    let (server, ann) = simple().await;
    let root = Keys::of(ACCOUNT);

    let begun = ann.ask(&server, "GetSessionToken", &[]).await;
    let roots = root.ask(&server, "GetSessionToken", &[]).await;
    let session = ann.begin(&server, "GetSessionToken", &[]).await;

    // Half a day, and an hour for a root.
    let end = |answer: &strongroom_tests::Answer| answer.element("Expiration").unwrap();
    assert_eq!(end(&begun), "2027-01-15T12:00:00Z");
    assert_eq!(end(&roots), "2027-01-15T01:00:00Z");
    let told = session.ask(&server, "GetCallerIdentity", &[]).await;
    assert_eq!(told.element("Arn").as_deref(), Some(ANN));
    assert_eq!(encrypt(&server, &session).await, Ok(()));
    assert_eq!(session.try_assume(&server, "reader", &[]).await.status, 200);
    let in_role = session.assume(&server, "reader", &[]).await;
    for keys in [&session, &in_role] {
        for (action, members) in [
            ("GetSessionToken", &[][..]),
            ("GetFederationToken", &[("Name", "bob")]),
        ] {
            let again = keys.ask(&server, action, members).await;
            let message = format!("Cannot call {action} with session credentials");
            assert_eq!(refusal(&again), says("AccessDenied", 403, &message));
        }
    }
}

#[tokio::test]
async fn a_federated_user_may_what_the_policy_of_the_session_lets() {
    let users = [
        user("ann", &json!({})),
        user("bound", &json!({ "policies": [] })),
    ];
    let builder = knowing(&users, &[role("reader", &json!({}))]);
    let server = builder.kms_key("alias/app").start().await;
    let ann = Keys::of("ann");
    let may = policy(&json!({ "Action": "kms:Encrypt", "Resource": "*" })).to_string();
    let named = [("Name", "bob")];

    let begun = ann.ask(&server, "GetFederationToken", &named).await;
    let bare = ann.begin(&server, "GetFederationToken", &named).await;
    let bob = [("Name", "bob"), ("Policy", &may)];
    let bob = ann.begin(&server, "GetFederationToken", &bob).await;
    let bound = Keys::of("bound")
        .ask(&server, "GetFederationToken", &named)
        .await;

    let arn = "arn:aws:sts::111122223333:federated-user/bob";
    assert_eq!(begun.element("Arn").as_deref(), Some(arn));
    assert_eq!(
        begun.element("FederatedUserId").as_deref(),
        Some("111122223333:bob")
    );
    let told = bob.ask(&server, "GetCallerIdentity", &[]).await;
    assert_eq!(told.element("UserId").as_deref(), Some("111122223333:bob"));
    assert_eq!(encrypt(&server, &bob).await, Ok(()));
    let (exception, message) = encrypt(&server, &bare).await.unwrap_err();
    assert_eq!(exception, "AccessDeniedException");
    assert!(
        message.ends_with("because no identity-based policy allows the kms:Encrypt action"),
        "{message}"
    );
    assert_eq!(bob.try_assume(&server, "reader", &[]).await.status, 403);
    let message = "User: arn:aws:iam::111122223333:user/bound is not authorized to perform: sts:GetFederationToken on resource: arn:aws:sts::111122223333:federated-user/bob because no identity-based policy allows the sts:GetFederationToken action";
    assert_eq!(refusal(&bound), says("AccessDenied", 403, message));
}
