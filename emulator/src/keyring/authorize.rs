//! Who may do what with a key: asked at every use, for callers of KMS and for S3 acting for its caller alike.
//!
//! The key's policy decides. Where it lets the account in, each identity of the account may do what it likes with the key;
//! where it does not, neither may the root. A key that AWS manages serves S3 alone, and its owner can look at it: so its
//! policy has it.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html>

use crate::keyring::asker::Asker;
use crate::keyring::condition_keys;
use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::model::kms_key::KmsKey;
use crate::policy::caller::Caller;
use crate::policy::decision::{Denial, Layer, decide};
use crate::policy::question::{About, Question};

/// What the policies of identities alone decide, whichever key it is about.
const OF_IDENTITIES: &[&str] = &["ListAliases"];

impl Keyring {
    /// Refuses whoever may not do this with the key.
    ///
    /// # Errors
    ///
    /// [`Refusal::ForeignAccount`], [`Refusal::NotAllowed`].
    pub(super) fn authorize(&self, asker: &Asker, key: &KmsKey) -> Result<(), Refusal> {
        if asker.account != key.account {
            return Err(foreign(asker));
        }
        if OF_IDENTITIES.contains(&asker.action) {
            return Ok(());
        }
        let action = format!("kms:{}", asker.action);
        let denial = match self.decide(asker, key, &action) {
            Ok(()) => return Ok(()),
            Err(denial) => denial,
        };
        let reason = denial.reason(&action).ok_or_else(|| foreign(asker))?;
        Err(Refusal::NotAllowed {
            caller: asker.caller.clone(),
            action: asker.action,
            key_arn: key.arn(),
            reason,
        })
    }

    fn decide(&self, asker: &Asker, key: &KmsKey, action: &str) -> Result<(), Denial> {
        let policy = self.policies.of(key);
        let policy = policy.ok_or(Denial::Silent(Layer::Resource))?;
        let caller = Caller::parse(&asker.caller).ok_or(Denial::Foreign)?;
        let keys = condition_keys::of(asker, &caller, key, self.clock.now());
        let keys = self.with_last_use(asker, key, keys);
        let question = Question {
            caller: &caller,
            action,
            about: About::Request {
                resource: &key.arn(),
                keys: &keys,
            },
            owner: &key.account,
        };
        decide(&question, &asker.permissions.with_key(&policy)).map(|_| ())
    }
}

/// What somebody is told who asks for a key of another account: whether there is one is not his business.
pub(super) fn foreign(asker: &Asker) -> Refusal {
    Refusal::ForeignAccount {
        caller: asker.caller.clone(),
        action: asker.action,
    }
}
