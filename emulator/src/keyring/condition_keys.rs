//! What conditions may look at when a key is asked for, beside what the asker tells: of the moment, of who calls for whom,
//! and of the key.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>

use crate::journal::kms_calls::Through;
use crate::keyring::asker::Asker;
use crate::model::kms_key::KmsKey;
use crate::model::timestamp::Timestamp;
use crate::policy::keys::ContextKeys;

/// The names of a key, which are only looked for where a policy looks at them.
pub(super) const RESOURCE_ALIASES: &str = "kms:ResourceAliases";

/// All of them for a key, at a moment.
pub(super) fn of_key(key: &KmsKey, asker: &Asker, now: Timestamp) -> ContextKeys {
    let is_of_many_regions = key.id.is_of_many_regions();
    let mut keys = of_request(asker, now)
        .with("aws:ResourceAccount", &*key.account)
        .with("kms:KeySpec", key.spec.name())
        .with("kms:KeyUsage", key.usage().name())
        .with("kms:KeyOrigin", key.origin.name())
        .with("kms:MultiRegion", is_of_many_regions.to_string());
    if is_of_many_regions {
        let is_replica = key.multi_region.is_replica();
        let kind = if is_replica { "REPLICA" } else { "PRIMARY" };
        keys = keys.with("kms:MultiRegionKeyType", kind);
    }
    for (name, value) in &key.tags {
        keys = keys.with(&format!("aws:ResourceTag/{name}"), value);
    }
    keys
}

/// All of them for what is about no key.
pub(super) fn of_no_key(asker: &Asker, now: Timestamp) -> ContextKeys {
    of_request(asker, now).with("aws:ResourceAccount", &*asker.account)
}

fn of_request(asker: &Asker, now: Timestamp) -> ContextKeys {
    let is_through_s3 = asker.through == Through::S3;
    let mut keys = asker
        .facts
        .clone()
        .with("aws:CurrentTime", now.iso8601())
        .with("aws:EpochTime", now.unix_seconds().to_string())
        .with("aws:RequestedRegion", &*asker.region)
        .with("aws:PrincipalIsAWSService", "false")
        .with("aws:ViaAWSService", is_through_s3.to_string())
        .with("kms:CallerAccount", &*asker.account);
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
