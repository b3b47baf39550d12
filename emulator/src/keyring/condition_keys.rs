//! What conditions may look at when a key is asked for: of the request, of its caller, and of the key.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>

use crate::journal::kms_calls::Through;
use crate::keyring::asker::Asker;
use crate::model::kms_key::{KeySpec, KmsKey};
use crate::model::timestamp::Timestamp;
use crate::policy::caller::Caller;
use crate::policy::keys::ContextKeys;

/// All of them, at a moment.
pub(super) fn of(asker: &Asker, caller: &Caller, key: &KmsKey, now: Timestamp) -> ContextKeys {
    of_key(key, asker, of_caller(caller, of_request(asker, now)))
}

/// What conditions may look at of a request.
fn of_request(asker: &Asker, now: Timestamp) -> ContextKeys {
    let is_through_s3 = asker.through == Through::S3;
    let mut keys = asker
        .facts
        .clone()
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
    if key.id.is_of_many_regions() {
        let is_replica = key.multi_region.is_replica();
        let kind = if is_replica { "REPLICA" } else { "PRIMARY" };
        keys = keys.with("kms:MultiRegionKeyType", kind);
    }
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
