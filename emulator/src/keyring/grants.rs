//! What grants let somebody do: they allow, beside the policies, and deny nothing.
//!
//! A grant is its grantee's: an account's root, a user, a session, or everybody in a role. Whoever else is of an account
//! that has a grant needs policies of his own as well. It works at once, and until it is retired or revoked.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>

use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::model::kms_grant::{GrantOperation, GrantPrincipal, GrantTerms, KmsGrant};
use crate::model::kms_key::KmsKey;
use crate::policy::caller::Caller;
use crate::policy::decision::{By, Denial, Policies, decide};
use crate::policy::keys::ContextKeys;
use crate::policy::question::{About, Question};

/// What a caller's own policies are asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home<'h> {
    /// The account in which they count.
    pub(super) account: &'h str,
    /// The ARN of what he wants to do it with.
    pub(super) resource: &'h str,
    /// What conditions look at.
    pub(super) keys: &'h ContextKeys,
    /// Whether a grant allows it.
    pub(super) is_granted: bool,
}

impl Keyring {
    /// Whether a grant lets the asker do this with the key, if no policy denies it. What he may give by a grant is another
    /// question.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(super) fn is_granted(&self, asker: &Asker, key: &KmsKey) -> Result<bool, KeyringError> {
        let Some(operation) = GrantOperation::parse(asker.action) else {
            return Ok(false);
        };
        let grants = self.grants_to(asker, key)?;
        let allows = |grant: &KmsGrant| allows(&grant.terms, operation, asker);
        Ok(grants.iter().any(allows))
    }

    /// The grants on a key that the asker has.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(super) fn grants_to(
        &self,
        asker: &Asker,
        key: &KmsKey,
    ) -> Result<Vec<KmsGrant>, KeyringError> {
        let caller = &asker.who;
        let place = (key.region.as_str(), &key.id);
        let mut found = Vec::new();
        for name in own_names(caller) {
            found.extend(self.store.kms_grants_of(place, &name)?);
        }
        if let Some(account) = account_name(caller).filter(|_| !caller.is_root()) {
            let of_account = self.store.kms_grants_of(place, &account)?;
            if !of_account.is_empty() && is_allowed_at_home(asker, key) {
                found.extend(of_account);
            }
        }
        Ok(found)
    }
}

// AWS: unverified. That a grant to an account is for those whom their own policies let, like a key policy.
fn is_allowed_at_home(asker: &Asker, key: &KmsKey) -> bool {
    let home = Home {
        account: &asker.account,
        resource: &key.arn(),
        keys: &asker.facts,
        is_granted: false,
    };
    decide_at_home(asker, home).is_ok()
}

/// What the caller's own policies say, and not the key's.
///
/// # Errors
///
/// [`Denial`].
pub(super) fn decide_at_home(asker: &Asker, home: Home<'_>) -> Result<By, Denial> {
    let question = Question {
        caller: &asker.who,
        action: &format!("kms:{}", asker.action),
        about: About::Request {
            resource: home.resource,
            keys: home.keys,
        },
        owner: home.account,
    };
    let policies = Policies {
        is_granted: home.is_granted,
        ..asker.permissions.alone()
    };
    decide(&question, &policies)
}

/// Whether a grant names somebody, as himself or by his role. The root of an account is the account.
pub(super) fn names(principal: &GrantPrincipal, caller: &Caller) -> bool {
    matches!(principal, GrantPrincipal::Arn(_)) && own_names(caller).contains(&principal.filed())
}

/// Whether a grant gives its grantee this, by the context under which he asks.
pub(super) fn allows(terms: &GrantTerms, operation: GrantOperation, asker: &Asker) -> bool {
    if !terms.operations.contains(&operation) {
        return false;
    }
    // No service calls for a resource of its own here.
    let is_for_resource = terms.constraints.source_arn.is_none();
    let is_met = operation.is_of_management() || terms.constraints.meet(asker.context.pairs());
    is_for_resource && is_met
}

/// The names under which grants to a caller himself are filed.
fn own_names(caller: &Caller) -> Vec<String> {
    let role = caller.role_arn().map(GrantPrincipal::Arn);
    let role = role.map(|role| role.filed());
    caller.arn().into_iter().chain(role).collect()
}

/// The name under which grants to his account are filed.
fn account_name(caller: &Caller) -> Option<String> {
    let account = caller.account()?;
    Some(format!("arn:aws:iam::{account}:root"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};
    use serde_json::json;

    use super::*;
    use crate::keyring::fixtures::{asker, key, keyring};
    use crate::keyring::refusal::Refusal;
    use crate::keyring::states::Need;
    use crate::model::context::EncryptionContext;
    use crate::model::kms_grant::GrantConstraints;

    const ANN: &str = "arn:aws:iam::000000000000:user/ann";
    const ROLE: &str = "arn:aws:iam::000000000000:role/team/admin";
    const SESSION: &str = "arn:aws:sts::000000000000:assumed-role/admin/monday";
    const ACCOUNT: &str = "arn:aws:iam::000000000000:root";

    fn terms(grantee: &str, operations: &[GrantOperation]) -> GrantTerms {
        GrantTerms {
            name: None,
            grantee: GrantPrincipal::Arn(grantee.to_owned()),
            retiring: None,
            operations: operations.to_vec(),
            constraints: GrantConstraints::default(),
        }
    }

    async fn grant(keyring: &Keyring, key: &KmsKey, terms: &GrantTerms) {
        let root = asker("CreateGrant");
        keyring.create_grant((&root, key), terms).await.unwrap();
    }

    fn asking(caller: &str, action: &'static str) -> Asker {
        Asker {
            who: Caller::parse(caller).unwrap(),
            caller: caller.to_owned(),
            ..asker(action)
        }
    }

    /// Gives the key a policy that lets in nobody, and denies these actions.
    async fn shut(keyring: &Keyring, key: &KmsKey, denied: &[&str]) -> KmsKey {
        let nobody = json!({ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::999999999999:root" },
            "Action": "kms:*", "Resource": "*" });
        let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": denied, "Resource": "*" });
        let statements = if denied.is_empty() {
            json!([nobody])
        } else {
            json!([nobody, deny])
        };
        let policy = json!({ "Statement": statements }).to_string();
        let put = |key: &mut KmsKey| {
            key.policy = Some(policy.clone());
            Ok(())
        };
        keyring.change_key(key, Need::Anything, put).await.unwrap()
    }

    async fn is_let_in(keyring: &Keyring, asker: &Asker, key: &KmsKey) -> bool {
        match keyring.find_key(asker, key.id.as_str()).await {
            Ok(_) => true,
            Err(KeyringError::Refused(Refusal::NotAllowed { .. })) => false,
            Err(other) => panic!("{other}"),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn an_explicit_deny_beats_every_grant(
            granted in prop::collection::vec((select(vec![ANN, ROLE, SESSION, ACCOUNT]), subsequence(GrantOperation::ALL[..6].to_vec(), 1..6)), 1..4),
            denied in subsequence(GrantOperation::ALL[..6].to_vec(), 0..6),
            asked in select(GrantOperation::ALL[..6].to_vec()), caller in select(vec![ANN, SESSION, ACCOUNT]),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let keyring = keyring(1);
                let key = key(&keyring).await;
                for (grantee, operations) in &granted {
                    grant(&keyring, &key, &terms(grantee, operations)).await;
                }
                let actions: Vec<_> = denied.iter().map(|operation| format!("kms:{}", operation.name())).collect();
                let actions: Vec<_> = actions.iter().map(String::as_str).collect();
                let key = shut(&keyring, &key, &actions).await;

                let is_in = is_let_in(&keyring, &asking(caller, asked.name()), &key).await;

                // Nobody's policies are limited here, so that a grant to the account is each one's of it.
                let his = granted.iter().any(|(grantee, operations)| operations.contains(&asked) && match *grantee {
                    ROLE => caller == SESSION,
                    ACCOUNT => true,
                    other => other == caller,
                });
                prop_assert_eq!(is_in, his && !denied.contains(&asked));
                Ok(())
            })?;
        }
    }

    #[tokio::test]
    async fn a_grant_under_constraints_asks_for_the_context_of_what_encrypts_alone() {
        let keyring = keyring(1);
        let key = key(&keyring).await;
        let red = EncryptionContext::of_s3("arn:aws:s3:::photos/cat");
        let both = [GrantOperation::Decrypt, GrantOperation::DescribeKey];
        let mut terms = terms(ANN, &both);
        terms.constraints.subset = Some(red.pairs().clone());
        grant(&keyring, &key, &terms).await;
        let key = shut(&keyring, &key, &[]).await;

        let asks = async |action, context: &EncryptionContext| {
            is_let_in(&keyring, &asking(ANN, action).under(context), &key).await
        };

        assert!(asks("Decrypt", &red).await);
        assert!(!asks("Decrypt", &EncryptionContext::default()).await);
        assert!(asks("DescribeKey", &EncryptionContext::default()).await);
        assert!(!asks("Encrypt", &red).await);
    }

    #[tokio::test]
    async fn a_grant_to_an_account_is_for_those_whom_their_own_policies_let() {
        let keyring = keyring(1);
        let key = key(&keyring).await;
        let terms = terms(ACCOUNT, &[GrantOperation::Decrypt]);
        grant(&keyring, &key, &terms).await;
        let key = shut(&keyring, &key, &[]).await;
        let mut ann = asking(ANN, "Decrypt");

        assert!(is_let_in(&keyring, &ann, &key).await);
        ann.permissions = Arc::new(crate::policy::permissions::Permissions {
            identity: Some(Vec::new()),
            ..Default::default()
        });
        assert!(!is_let_in(&keyring, &ann, &key).await);
    }
}
