//! The terms of a grant, as requests bring them and as they may be.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>,
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html>

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::keyring::refusal::Refusal;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::model::kms_grant::{GrantConstraints, GrantOperation, GrantPrincipal, GrantTerms};
use crate::model::kms_key::{KeySpec, KmsKey};
use crate::policy::caller::Caller;

const MOST_PRINCIPAL: usize = 256;
const MOST_NAME: usize = 256;
const PRINCIPAL: &str = r"^[\w+=,.@:/-]+$";
const NAME: &str = r"^[a-zA-Z0-9:/_-]+$";
/// The most pairs of a constraint, and the most characters of all of them.
const MOST_PAIRS: usize = 8;
const MOST_CHARACTERS: usize = 384;

/// The terms as they were sent.
#[derive(Debug)]
pub(crate) struct Wanted {
    grantee: Option<GrantPrincipal>,
    retiring: Option<GrantPrincipal>,
    has_two_of_one: bool,
    operations: Vec<GrantOperation>,
    constraints: GrantConstraints,
    name: Option<String>,
}

/// `Constraints`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Constraints {
    encryption_context_equals: Option<BTreeMap<String, String>>,
    encryption_context_subset: Option<BTreeMap<String, String>>,
    source_arn: Option<String>,
}

/// Reads the terms of a grant.
pub(crate) fn parse(members: &mut Members) -> Wanted {
    let mut has_two_of_one = false;
    let mut named = |role: &str| {
        let arn = parse_principal(members, &format!("{role}Principal"));
        let service = parse_principal(members, &format!("{role}ServicePrincipal"));
        has_two_of_one |= arn.is_some() && service.is_some();
        let service = service.map(GrantPrincipal::Service);
        arn.map(GrantPrincipal::Arn).or(service)
    };
    let (grantee, retiring) = (named("Grantee"), named("Retiring"));
    let known = GrantOperation::ALL.map(GrantOperation::name);
    let chosen = members.choices_of("Operations", &known);
    let mut operations = Vec::new();
    for operation in chosen.into_iter().filter_map(GrantOperation::parse) {
        if !operations.contains(&operation) {
            operations.push(operation);
        }
    }
    let constraints: Constraints = members.read("Constraints").unwrap_or_default();
    Wanted {
        grantee,
        retiring,
        has_two_of_one,
        operations,
        constraints: GrantConstraints {
            equals: constraints.encryption_context_equals,
            subset: constraints.encryption_context_subset,
            source_arn: constraints.source_arn,
        },
        name: parse_name(members),
    }
}

/// Reads somebody's name, where it is there.
pub(crate) fn parse_principal(members: &mut Members, member: &str) -> Option<String> {
    let name = members.maybe_text(member, 1..=MOST_PRINCIPAL)?;
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@:/-".contains(letter);
    if !name.chars().all(fits) {
        members.mismatch(member, &name, PRINCIPAL);
    }
    Some(name)
}

fn parse_name(members: &mut Members) -> Option<String> {
    let name = members.maybe_text("Name", 1..=MOST_NAME)?;
    let fits = |letter: char| letter.is_ascii_alphanumeric() || ":/_-".contains(letter);
    if !name.chars().all(fits) {
        members.mismatch("Name", &name, NAME);
    }
    Some(name)
}

impl Wanted {
    /// The terms, where each member goes with the others.
    ///
    /// # Errors
    ///
    /// `ValidationException`.
    // AWS: unverified. The words here, but for those about `CreateGrant` alone (ansible/ansible#31960); that all of this is
    // refused is documented.
    pub(crate) fn terms(self) -> Result<GrantTerms, KmsError> {
        let refuse = |message: &'static str| Err(KmsError::validation(message));
        if self.has_two_of_one {
            return refuse(
                "You can specify either a principal or a service principal, but not both.",
            );
        }
        let Some(grantee) = self.grantee else {
            return refuse("You must specify either GranteePrincipal or GranteeServicePrincipal.");
        };
        if matches!(grantee, GrantPrincipal::Service(_)) {
            if self.constraints.source_arn.is_none() {
                return refuse("A grant to a service principal must have a SourceArn constraint.");
            }
            if self.retiring.is_none() {
                return refuse("A grant to a service principal must have a retiring principal.");
            }
        }
        match self.operations[..] {
            [] => return refuse("Grants must contain at least one operation."),
            [GrantOperation::CreateGrant] => {
                return refuse("Grants must not contain only the CreateGrant operation.");
            }
            _ => {}
        }
        let contexts = [&self.constraints.equals, &self.constraints.subset];
        for pairs in contexts.into_iter().flatten() {
            let characters =
                |(name, value): (&String, &String)| name.chars().count() + value.chars().count();
            if pairs.len() > MOST_PAIRS {
                return refuse("A grant constraint can have at most 8 encryption context pairs.");
            }
            if pairs.iter().map(characters).sum::<usize>() > MOST_CHARACTERS {
                return refuse("A grant constraint can have at most 384 characters.");
            }
        }
        Ok(GrantTerms {
            name: self.name,
            grantee,
            retiring: self.retiring,
            operations: self.operations,
            constraints: self.constraints,
        })
    }
}

/// Refuses terms that the key cannot keep, and principals that are none.
///
/// # Errors
///
/// `ValidationException`, `InvalidArnException`.
// AWS: unverified. The words about operations and constraints; that such are refused is documented.
pub(crate) fn check(terms: &GrantTerms, key: &KmsKey) -> Result<(), KmsError> {
    let mut operations = terms.operations.iter();
    if let Some(strange) = operations.find(|operation| !operation.suits(key)) {
        let (name, arn) = (strange.name(), key.arn());
        let message = format!("The operation {name} is not supported by the KMS key {arn}.");
        return Err(KmsError::validation(message));
    }
    let constraints = &terms.constraints;
    let has_context = constraints.equals.is_some() || constraints.subset.is_some();
    if has_context && key.spec != KeySpec::SymmetricDefault {
        let message = "Encryption context grant constraints are supported for symmetric encryption keys alone.";
        return Err(KmsError::validation(message));
    }
    for principal in [Some(&terms.grantee), terms.retiring.as_ref()]
        .into_iter()
        .flatten()
    {
        check_principal(principal)?;
    }
    Ok(())
}

/// Refuses the ARN of what is nobody. Whether there is such a user or role is not asked.
///
/// # Errors
///
/// `InvalidArnException`.
pub(crate) fn check_principal(principal: &GrantPrincipal) -> Result<(), Refusal> {
    match principal {
        GrantPrincipal::Arn(arn) if !is_somebody(arn) => {
            Err(Refusal::InvalidPrincipal(arn.clone()))
        }
        _ => Ok(()),
    }
}

fn is_somebody(arn: &str) -> bool {
    let name = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let is_whole = name.split('/').all(|part| !part.is_empty());
    // A role calls by its sessions: it has the ARN of a user but for one word.
    let as_user = arn.replacen(":role/", ":user/", 1);
    is_whole && (name == "root" || name.contains('/')) && Caller::parse(&as_user).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_users_roles_sessions_and_federated_users_are_somebody() {
        for name in [
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/ann",
            "arn:aws:iam::111122223333:user/team/ann",
            "arn:aws:iam::111122223333:role/team/admin",
            "arn:aws:sts::111122223333:assumed-role/admin/monday",
            "arn:aws:sts::111122223333:federated-user/ann",
        ] {
            assert!(is_somebody(name), "{name}");
        }
    }

    #[test]
    fn groups_services_and_broken_names_are_nobody() {
        for name in [
            "111122223333",
            "ann",
            "sns.amazonaws.com",
            "arn:aws:iam::111122223333:group/admins",
            "arn:aws:iam::111122223333:user",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:role//admin",
            "arn:aws:iam::1111:user/ann",
            "arn:aws:sts::111122223333:assumed-role/admin",
            "arn:aws:s3:::photos/cat",
        ] {
            assert!(!is_somebody(name), "{name}");
        }
    }
}
