//! Who may do what with a key: asked at every use, for callers of KMS and for S3 acting for its caller alike.
//!
//! The key's policy decides. Where it lets the account in, each identity of the account may do what it likes with the key;
//! where it does not, neither may the root. A key that AWS manages serves S3 alone, and its owner can look at it: so its
//! policy has it.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html>

use crate::journal::kms_calls::Through;
use crate::keyring::asker::Asker;
use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::model::kms_key::{KeySpec, KmsKey};
use crate::model::timestamp::Timestamp;
use crate::policy::caller::Caller;
use crate::policy::decision::{Denial, Layer, Policies, decide};
use crate::policy::keys::ContextKeys;
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
        let keys = of_key(
            key,
            asker,
            of_caller(&caller, of_request(asker, self.clock.now())),
        );
        let question = Question {
            caller: &caller,
            action,
            about: About::Request {
                resource: &key.arn(),
                keys: &keys,
            },
            owner: &key.account,
        };
        decide(&question, &Policies::of_key(&policy)).map(|_| ())
    }
}

/// What somebody is told who asks for a key of another account: whether there is one is not his business.
pub(super) fn foreign(asker: &Asker) -> Refusal {
    Refusal::ForeignAccount {
        caller: asker.caller.clone(),
        action: asker.action,
    }
}

/// What conditions may look at of a request.
fn of_request(asker: &Asker, now: Timestamp) -> ContextKeys {
    let is_through_s3 = asker.through == Through::S3;
    let mut keys = ContextKeys::default()
        .with("aws:CurrentTime", now.iso8601())
        .with("aws:EpochTime", now.unix_seconds().to_string())
        .with("aws:RequestedRegion", &*asker.region)
        .with("aws:PrincipalIsAWSService", "false")
        .with("aws:ViaAWSService", is_through_s3.to_string());
    if is_through_s3 {
        let service = format!("s3.{}.amazonaws.com", asker.region);
        keys = keys.with("kms:ViaService", service);
    }
    let pairs = asker.context.pairs();
    if !pairs.is_empty() {
        keys = keys.with_set("kms:EncryptionContextKeys", pairs.keys());
    }
    for (name, value) in pairs {
        keys = keys.with(&format!("kms:EncryptionContext:{name}"), value);
    }
    keys
}

fn of_caller(caller: &Caller, mut keys: ContextKeys) -> ContextKeys {
    if let Some(account) = caller.account() {
        keys = keys
            .with("kms:CallerAccount", account)
            .with("aws:PrincipalAccount", account);
    }
    if let Some(arn) = caller.arn() {
        keys = keys.with("aws:PrincipalArn", arn);
    }
    if let Some(name) = caller.user_name() {
        keys = keys.with("aws:username", name);
    }
    let kind = if caller.is_root() { "Account" } else { "User" };
    keys.with("aws:PrincipalType", kind)
}

fn of_key(key: &KmsKey, asker: &Asker, keys: ContextKeys) -> ContextKeys {
    let mut keys = keys
        .with("aws:ResourceAccount", &*key.account)
        .with("kms:KeySpec", key.spec.name())
        .with("kms:KeyUsage", key.usage().name())
        .with("kms:KeyOrigin", key.origin.name())
        .with("kms:MultiRegion", key.id.is_of_many_regions().to_string());
    for (name, value) in &key.tags {
        keys = keys.with(&format!("aws:ResourceTag/{name}"), value);
    }
    let encrypts = ["Encrypt", "Decrypt", "GenerateDataKey", "ReEncrypt"];
    let is_about_ciphertexts = encrypts.iter().any(|verb| asker.action.starts_with(verb));
    if is_about_ciphertexts && key.spec == KeySpec::SymmetricDefault {
        keys = keys.with("kms:EncryptionAlgorithm", key.spec.name());
    }
    keys
}
