//! Grants: `CreateGrant`, `ListGrants`, `ListRetirableGrants`, `RetireGrant`, `RevokeGrant`.
//!
//! A grant is the grantee's own key to a KMS key; it works with the answer, whether its token is shown or not.

use serde_json::{Map, Value, json};

use crate::keyring::granting::{GrantFilter, GrantName, context_of, facts_of};
use crate::keyring::refusal::Refusal;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::grant_terms::{self, Wanted};
use crate::kms::members::Members;
use crate::kms::metadata::epoch;
use crate::kms::operation::{Entry, Operation};
use crate::kms::pages::{PageRequest, page};
use crate::model::kms_grant::{GrantId, GrantPrincipal, KmsGrant};
use crate::model::kms_name::key_arn;
use crate::wire::encoding::{base64, parse_base64};

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<CreateGrant>(),
    Entry::of::<ListGrants>(),
    Entry::of::<ListRetirableGrants>(),
    Entry::of::<RetireGrant>(),
    Entry::of::<RevokeGrant>(),
];

/// By which conditions tell calls that a service makes for somebody: here none does.
const FOR_SERVICE: &str = "kms:GrantIsForAWSResource";

/// The most characters of a grant's id, and of its token.
const MOST_ID: usize = 128;
const MOST_TOKEN: usize = 8_192;
/// How many grants a page has.
const USUAL_PAGE: usize = 50;

/// Lets somebody use a key.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>
#[derive(Debug)]
struct CreateGrant {
    key_id: String,
    wanted: Wanted,
    is_dry_run: bool,
}

impl Operation for CreateGrant {
    const NAME: &'static str = "CreateGrant";

    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            key_id: members.key_id("KeyId"),
            wanted: grant_terms::parse(members),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let terms = self.wanted.terms()?;
        let facts = std::mem::take(&mut cx.asker.facts);
        cx.asker.facts = facts_of(&terms, facts);
        cx.tell(FOR_SERVICE, "false");
        cx.asker.context = context_of(&terms.constraints);
        let key = cx.key_by_id(&self.key_id).await?;
        grant_terms::check(&terms, &key)?;
        if self.is_dry_run {
            cx.keyring.check_new_grant((&cx.asker, &key), &terms)?;
            return Err(KmsError::dry_run());
        }
        let grant = cx.keyring.create_grant((&cx.asker, &key), &terms).await?;
        let token = cx.keyring.grant_token(&grant);
        Ok(json!({ "GrantId": grant.id.to_string(), "GrantToken": base64(&token) }))
    }
}

/// Lists the grants on a key.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html>
#[derive(Debug)]
struct ListGrants {
    key_id: String,
    id: Option<String>,
    grantee: Option<String>,
    service: Option<String>,
    page: PageRequest,
}

impl Operation for ListGrants {
    const NAME: &'static str = "ListGrants";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            id: members.maybe_text("GrantId", 1..=MOST_ID),
            grantee: grant_terms::parse_principal(members, "GranteePrincipal"),
            service: grant_terms::parse_principal(members, "GranteeServicePrincipal"),
            page: PageRequest::parse(members, USUAL_PAGE),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let filter = GrantFilter {
            id: self.id.as_deref().map(parse_id).transpose()?,
            grantee: one_of("Grantee", self.grantee, self.service)?,
        };
        let after = self.page.after(Some)?;
        cx.tell(FOR_SERVICE, "false");
        let key = cx.key_by_id(&self.key_id).await?;
        let (after, limit) = (after.as_deref(), self.page.limit);
        let found = cx.keyring.list_grants(&key, &filter, after, limit)?;
        let account = &key.account;
        let grants = found.rows.iter().map(|grant| render(grant, account));
        let grants: Vec<_> = grants.collect();
        Ok(page("Grants", &grants, found.next.as_deref()))
    }
}

/// Lists the grants that somebody may retire, whichever key they are on.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListRetirableGrants.html>
#[derive(Debug)]
struct ListRetirableGrants {
    retiring: Option<String>,
    service: Option<String>,
    page: PageRequest,
}

impl Operation for ListRetirableGrants {
    const NAME: &'static str = "ListRetirableGrants";

    fn parse(members: &mut Members) -> Self {
        Self {
            retiring: grant_terms::parse_principal(members, "RetiringPrincipal"),
            service: grant_terms::parse_principal(members, "RetiringServicePrincipal"),
            page: PageRequest::parse(members, USUAL_PAGE),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let after = self.page.after(Some)?;
        let retiring = one_of("Retiring", self.retiring, self.service)?;
        // AWS: unverified. The words for neither.
        let message = "You must specify either RetiringPrincipal or RetiringServicePrincipal.";
        let retiring = retiring.ok_or_else(|| KmsError::validation(message))?;
        grant_terms::check_principal(&retiring)?;
        cx.authorize("*")?;
        let found = cx
            .keyring
            .list_retirable_grants(&cx.asker, &retiring, after.as_deref(), self.page.limit)
            .await?;
        let grants = found.rows.iter();
        let grants: Vec<_> = grants
            .map(|(account, grant)| render(grant, account))
            .collect();
        Ok(page("Grants", &grants, found.next.as_deref()))
    }
}

/// Ends a grant that is not needed any more.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_RetireGrant.html>
#[derive(Debug)]
struct RetireGrant {
    token: Option<String>,
    key_id: Option<String>,
    id: Option<String>,
    is_dry_run: bool,
}

impl Operation for RetireGrant {
    const NAME: &'static str = "RetireGrant";

    fn parse(members: &mut Members) -> Self {
        Self {
            token: members.maybe_text("GrantToken", 1..=MOST_TOKEN),
            key_id: members.maybe_key_id("KeyId"),
            id: members.maybe_text("GrantId", 1..=MOST_ID),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let token = match &self.token {
            Some(token) => Some(parse_base64(token).ok_or(Refusal::InvalidGrantToken)?),
            None => None,
        };
        let name = match (&token, &self.key_id, &self.id) {
            (Some(token), None, None) => GrantName::Token(token),
            (None, Some(key), Some(id)) => GrantName::Id(key, parse_id(id)?),
            // AWS: unverified. The words.
            _ => {
                let message =
                    "You must specify either a grant token, or both a key ID and a grant ID.";
                return Err(KmsError::validation(message));
            }
        };
        let (key, grant) = cx.keyring.find_retirable_grant(&cx.asker, name).await?;
        cx.note(&key);
        end(&grant, self.is_dry_run, cx).await
    }
}

/// Ends a grant, whoever made it and for whom.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_RevokeGrant.html>
#[derive(Debug)]
struct RevokeGrant {
    key_id: String,
    id: String,
    is_dry_run: bool,
}

impl Operation for RevokeGrant {
    const NAME: &'static str = "RevokeGrant";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            id: members.text("GrantId", 1..=MOST_ID),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let id = parse_id(&self.id)?;
        cx.tell(FOR_SERVICE, "false");
        let key = cx.key_by_id(&self.key_id).await?;
        let grant = cx.keyring.grant_on(&key, id)?;
        end(&grant, self.is_dry_run, cx).await
    }
}

async fn end(grant: &KmsGrant, is_dry_run: bool, cx: &Context) -> Result<Value, KmsError> {
    if is_dry_run {
        return Err(KmsError::dry_run());
    }
    cx.keyring.end_grant(grant).await?;
    Ok(Value::Null)
}

// AWS: unverified. That an id of another form is another exception than an unknown one.
fn parse_id(text: &str) -> Result<GrantId, Refusal> {
    GrantId::parse(text).ok_or(Refusal::InvalidGrantId)
}

/// Somebody who is named by one of two members.
// AWS: unverified. The words.
fn one_of(
    role: &str,
    arn: Option<String>,
    service: Option<String>,
) -> Result<Option<GrantPrincipal>, KmsError> {
    if arn.is_some() && service.is_some() {
        return Err(KmsError::validation(format!(
            "You can specify either {role}Principal or {role}ServicePrincipal, but not both."
        )));
    }
    let service = service.map(GrantPrincipal::Service);
    Ok(arn.map(GrantPrincipal::Arn).or(service))
}

// AWS: unverified. That a grant without a name has an empty one in lists.
fn render(grant: &KmsGrant, account: &str) -> Value {
    let terms = &grant.terms;
    let operations = terms.operations.iter().map(|operation| operation.name());
    let mut entry = json!({
        "CreationDate": epoch(grant.created),
        "GrantId": grant.id.to_string(),
        "IssuingAccount": format!("arn:aws:iam::{}:root", grant.issuer),
        "KeyId": key_arn(&grant.region, account, &grant.key),
        "Name": terms.name.as_deref().unwrap_or_default(),
        "Operations": operations.collect::<Vec<_>>(),
    });
    let named = [
        (Some(&terms.grantee), "Grantee"),
        (terms.retiring.as_ref(), "Retiring"),
    ];
    for (principal, role) in named {
        match principal {
            Some(GrantPrincipal::Arn(arn)) => entry[format!("{role}Principal")] = json!(arn),
            Some(GrantPrincipal::Service(name)) => {
                entry[format!("{role}ServicePrincipal")] = json!(name);
            }
            None => {}
        }
    }
    let constraints = &terms.constraints;
    let members = [
        ("EncryptionContextEquals", json!(constraints.equals)),
        ("EncryptionContextSubset", json!(constraints.subset)),
        ("SourceArn", json!(constraints.source_arn)),
    ];
    let members: Map<_, _> = members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    if !members.is_empty() {
        entry["Constraints"] = Value::Object(members);
    }
    entry
}
