//! Who may do what with a key: asked at every use, for callers of KMS and for S3 acting for its caller alike.
//!
//! The key's policy decides. Where it lets the account in, the policies of each identity of the account say what it may do
//! with the key; where it does not, they allow nothing, and neither may the root. A caller of another account needs both
//! sides, and may use a key and look at it, but not change it. A key that AWS manages serves S3 alone, and its owner can
//! look at it: so its policy has it. What is about no key is decided by the caller's own policies.
//! Beside the policies a grant may allow it, and none that a policy denies.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html>

use crate::keyring::asker::Asker;
use crate::keyring::condition_keys::{self, RESOURCE_ALIASES};
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::model::kms_key::KmsKey;
use crate::policy::decision::{By, Denial, Layer, Policies, decide};
use crate::policy::keys::ContextKeys;
use crate::policy::question::{About, Question};

/// What the policies of identities alone decide, whichever key it is about.
const OF_IDENTITIES: &[&str] = &["ListAliases"];

/// What can be done with a key of another account.
///
/// Source: `Cross-account use` of each operation in <https://docs.aws.amazon.com/kms/latest/APIReference/>
const ABROAD: &[&str] = &[
    "CreateGrant",
    "Decapsulate",
    "Decrypt",
    "DeriveSharedSecret",
    "DescribeKey",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetKeyRotationStatus",
    "GetPublicKey",
    "ListGrants",
    "ReEncryptFrom",
    "ReEncryptTo",
    "RetireGrant",
    "RevokeGrant",
    "Sign",
    "Verify",
    "VerifyMac",
];

/// What the root may still do with a key whose policy cannot be read: look at that, put a better one, and end the key.
const RESCUES: &[&str] = &["GetKeyPolicy", "PutKeyPolicy", "ScheduleKeyDeletion"];

impl Keyring {
    /// Refuses whoever may not do this with the key.
    ///
    /// # Errors
    ///
    /// [`Refusal::ForeignAccount`], [`Refusal::NotAllowed`]; [`KeyringError::Store`].
    pub(super) fn authorize(&self, asker: &Asker, key: &KmsKey) -> Result<(), KeyringError> {
        if self.is_unguarded {
            return Ok(());
        }
        // AWS: unverified. How an operation is refused that nobody can use with a key of another account.
        if key.account != asker.account && !ABROAD.contains(&asker.action) {
            return Err(foreign(asker).into());
        }
        if OF_IDENTITIES.contains(&asker.action) {
            return Ok(());
        }
        let action = format!("kms:{}", asker.action);
        let mut decided = self.decide(asker, key, &action, false)?;
        // Grants are looked up where policies are silent alone: who asks in vain may wait, all others do not.
        if matches!(decided, Err(Denial::Silent(_) | Denial::Foreign))
            && self.is_granted(asker, key)?
        {
            decided = self.decide(asker, key, &action, true)?;
        }
        match decided {
            Ok(_) => Ok(()),
            Err(denial) => Err(refused(asker, key, denial).into()),
        }
    }

    /// Whether policies alone let him do this with the key.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(super) fn do_policies_allow(
        &self,
        asker: &Asker,
        key: &KmsKey,
    ) -> Result<bool, KeyringError> {
        let action = format!("kms:{}", asker.action);
        Ok(self.is_unguarded || self.decide(asker, key, &action, false)?.is_ok())
    }

    /// Refuses whoever's own policies do not let him do what is about no key, or about an alias: `resource` is `*`, or the
    /// alias's ARN.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotAllowed`].
    pub(crate) fn authorize_without_key(
        &self,
        asker: &Asker,
        resource: &str,
    ) -> Result<(), Refusal> {
        if self.is_unguarded {
            return Ok(());
        }
        let action = format!("kms:{}", asker.action);
        let keys = condition_keys::of_no_key(asker, self.clock.now());
        let question = asked(asker, &action, (resource, &keys), &asker.account);
        let Err(denial) = decide(&question, &asker.permissions.alone()) else {
            return Ok(());
        };
        Err(Refusal::NotAllowed {
            caller: asker.caller.clone(),
            action: asker.action,
            key_arn: resource.to_owned(),
            reason: denial.reason(&action).unwrap_or_default(),
        })
    }

    /// Refuses whoever's own policies do not let him do this with a key that is yet to be made, and so has no name.
    ///
    /// Source: a refusal quoted in LeanerCloud/CUDly#1670.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotAllowed`].
    pub(crate) fn authorize_new_key(&self, asker: &Asker) -> Result<(), Refusal> {
        let any = format!("arn:aws:kms:{}:{}:key/*", asker.region, asker.account);
        let refused = self.authorize_without_key(asker, &any);
        refused.map_err(|refusal| match refusal {
            Refusal::NotAllowed {
                caller,
                action,
                reason,
                ..
            } => Refusal::NotAllowed {
                caller,
                action,
                key_arn: String::new(),
                reason,
            },
            other => other,
        })
    }

    fn decide(
        &self,
        asker: &Asker,
        key: &KmsKey,
        action: &str,
        is_granted: bool,
    ) -> Result<Result<By, Denial>, KeyringError> {
        let Some(policy) = self.policies.of(key) else {
            return Ok(rescue(asker, key));
        };
        let policies = Policies {
            is_granted,
            ..asker.permissions.with_key(&policy)
        };
        let keys = self.keys_of(asker, key, &policies)?;
        let arn = key.arn();
        let question = asked(asker, action, (&arn, &keys), &key.account);
        Ok(decide(&question, &policies))
    }

    fn keys_of(
        &self,
        asker: &Asker,
        key: &KmsKey,
        policies: &Policies<'_>,
    ) -> Result<ContextKeys, KeyringError> {
        let keys = condition_keys::of_key(key, asker, self.clock.now());
        let keys = self.with_last_use(asker, key, keys);
        if !policies.look_at(RESOURCE_ALIASES) {
            return Ok(keys);
        }
        let place = (key.region.as_str(), key.account.as_str());
        let aliases = self
            .store
            .list_kms_aliases(place, Some(&key.id), None, usize::MAX)?;
        let names = aliases.rows.into_iter().map(|alias| alias.name);
        Ok(keys.with_set(RESOURCE_ALIASES, names))
    }
}

fn asked<'q>(
    asker: &'q Asker,
    action: &'q str,
    (resource, keys): (&'q str, &'q ContextKeys),
    owner: &'q str,
) -> Question<'q> {
    Question {
        caller: &asker.who,
        action,
        about: About::Request { resource, keys },
        owner,
    }
}

/// Nobody can put a policy that cannot be read; one that an earlier version took must not bury its key.
fn rescue(asker: &Asker, key: &KmsKey) -> Result<By, Denial> {
    let is_owner = asker.who.is_root() && asker.account == key.account;
    if is_owner && RESCUES.contains(&asker.action) {
        Ok(By::Root)
    } else {
        Err(Denial::Silent(Layer::Resource))
    }
}

/// What somebody is told who may not. Of another account's policies he hears nothing.
// AWS: unverified. That a denial by his own policies is told with the key's ARN, and their silence is not.
pub(super) fn refused(asker: &Asker, key: &KmsKey, denial: Denial) -> Refusal {
    let is_abroad = key.account != asker.account;
    let is_theirs = matches!(
        denial,
        Denial::Explicit(Layer::Resource) | Denial::Silent(Layer::Resource)
    );
    match denial.reason(&format!("kms:{}", asker.action)) {
        Some(reason) if !(is_abroad && is_theirs) => Refusal::NotAllowed {
            caller: asker.caller.clone(),
            action: asker.action,
            key_arn: key.arn(),
            reason,
        },
        _ => foreign(asker),
    }
}

/// What somebody is told who asks for a key of another account: whether there is one is not his business.
pub(super) fn foreign(asker: &Asker) -> Refusal {
    Refusal::ForeignAccount {
        caller: asker.caller.clone(),
        action: asker.action,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::fixtures::{asker, keyring};
    use crate::keyring::lifecycle::NewKey;
    use crate::policy::caller::Caller;

    /// A key whose policy an earlier version took and this one does not.
    async fn with_unreadable_policy(keyring: &Keyring) -> KmsKey {
        let new = NewKey {
            policy: Some(r#"{"Statement":[{"Effect":"Perhaps"}]}"#.to_owned()),
            ..NewKey::default()
        };
        keyring.create_key(&asker("CreateKey"), new).await.unwrap()
    }

    #[tokio::test]
    async fn a_policy_that_cannot_be_read_leaves_the_root_what_mends_it() {
        let keyring = keyring(1);
        let key = with_unreadable_policy(&keyring).await;
        let may = |asker: &Asker| keyring.authorize(asker, &key);

        for operation in RESCUES {
            assert!(may(&asker(operation)).is_ok(), "{operation}");
        }
        for operation in ["Decrypt", "DescribeKey", "DisableKey"] {
            let told = may(&asker(operation)).unwrap_err().to_string();
            let reason =
                format!("because no resource-based policy allows the kms:{operation} action");
            assert!(told.ends_with(&reason), "{told}");
        }
    }

    #[tokio::test]
    async fn nobody_else_mends_it() {
        let keyring = keyring(1);
        let key = with_unreadable_policy(&keyring).await;
        let user = Asker {
            who: Caller::parse("arn:aws:iam::000000000000:user/ann").unwrap(),
            ..asker("PutKeyPolicy")
        };
        let stranger = Asker {
            who: Caller::parse("arn:aws:iam::111122223333:root").unwrap(),
            account: "111122223333".to_owned(),
            ..asker("PutKeyPolicy")
        };

        assert!(keyring.authorize(&user, &key).is_err());
        assert!(keyring.authorize(&stranger, &key).is_err());
    }
}
