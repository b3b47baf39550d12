//! The `seed.json` of an export: buckets, and KMS keys without their material, which never leaves the folder.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::keyring::managed::S3_ALIAS;
use crate::model::bucket::{Bucket, Versioning};
use crate::model::encryption::{BlockedEncryption, BucketEncryption};
use crate::model::kms_grant::GrantPrincipal;
use crate::model::kms_key::{KeyManager, KeyState, KmsKey};
use crate::store::holdings::Holdings;

/// The settings under which a folder is opened: what a server would load at its start has no part in it.
pub(super) fn without_seeds(config: &Config) -> Config {
    Config {
        init: None,
        seeds: Vec::new(),
        ..config.clone()
    }
}

/// As a seed reads it. The keys that AWS manages, which `managed` names by their ARNs, are left out: they are made when they
/// are needed.
pub(super) fn render(holdings: &Holdings, managed: &BTreeSet<String>) -> Value {
    let own = |key: &&KmsKey| key.manager == KeyManager::Customer;
    let keys = holdings.kms_keys.iter().filter(own);
    json!({
        "kms_keys": keys.map(|key| render_key(key, holdings)).collect::<Vec<_>>(),
        "buckets": holdings.buckets.iter().map(|bucket| render_bucket(bucket, managed)).collect::<Vec<_>>(),
    })
}

fn render_key(key: &KmsKey, holdings: &Holdings) -> Value {
    let aliases = holdings.kms_aliases.iter().filter(|alias| {
        (&alias.region, &alias.account, &alias.target) == (&key.region, &key.account, &key.id)
    });
    let mut item = json!({
        "id": key.id.as_str(),
        "account": key.account,
        "region": key.region,
        "aliases": aliases.map(|alias| alias.name.as_str()).collect::<Vec<_>>(),
        "description": key.description,
        "spec": key.spec.name(),
        "usage": key.usage().name(),
        "enabled": key.state == KeyState::Enabled,
        "tags": render_tags(&key.tags),
        "grants": render_grants(key, holdings),
    });
    if let Some(policy) = &key.policy {
        item["policy"] = json!(policy);
    }
    if let Some(rotation) = &key.rotation {
        item["rotation_period_days"] = json!(rotation.period_days);
    }
    item
}

/// One without a name, or with that of another, is called by its id: by its name a seed finds it again.
fn render_grants(key: &KmsKey, holdings: &Holdings) -> Vec<Value> {
    let mut names = BTreeSet::new();
    let own = holdings
        .kms_grants
        .iter()
        .filter(|grant| (&grant.region, &grant.key) == (&key.region, &key.id));
    own.map(|grant| {
        let terms = &grant.terms;
        let name = terms.name.clone().filter(|name| names.insert(name.clone()));
        let operations = terms.operations.iter().map(|operation| operation.name());
        let constraints = [
            ("encryption_context_equals", json!(terms.constraints.equals)),
            ("encryption_context_subset", json!(terms.constraints.subset)),
            ("source_arn", json!(terms.constraints.source_arn)),
        ];
        let constraints = constraints.map(|(name, value)| (name.to_owned(), value));
        json!({
            "name": name.unwrap_or_else(|| grant.id.to_string()),
            "grantee": terms.grantee.name(),
            "retiring": terms.retiring.as_ref().map(GrantPrincipal::name),
            "operations": operations.collect::<Vec<_>>(),
            "constraints": Value::Object(constraints.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        })
    })
    .collect()
}

fn render_bucket(bucket: &Bucket, managed: &BTreeSet<String>) -> Value {
    let mut item = json!({
        "name": bucket.name.as_str(),
        "account": bucket.account,
        "region": bucket.region(),
        "tags": render_tags(&bucket.tags),
    });
    match bucket.versioning {
        Versioning::Unversioned => {}
        Versioning::Enabled => item["versioning"] = json!("Enabled"),
        Versioning::Suspended => item["versioning"] = json!("Suspended"),
    }
    let encryption = &bucket.encryption;
    if encryption.explicit || encryption.blocked == BlockedEncryption::SseC {
        item["encryption"] = render_encryption(encryption, managed);
    }
    item
}

fn render_encryption(encryption: &BucketEncryption, managed: &BTreeSet<String>) -> Value {
    let mut item = json!({
        "algorithm": encryption.algorithm.name(),
        "bucket_key": encryption.bucket_key_enabled,
    });
    if let Some(key) = &encryption.kms_key_id {
        // AWS's own key is another one in another folder.
        let is_managed = managed.contains(key);
        item["kms_key"] = json!(if is_managed { S3_ALIAS } else { key });
    }
    match encryption.blocked {
        BlockedEncryption::Absent => {}
        BlockedEncryption::Nothing => item["blocked"] = json!([]),
        BlockedEncryption::SseC => item["blocked"] = json!(["SSE-C"]),
    }
    item
}

fn render_tags(tags: &[(String, String)]) -> Value {
    let pairs = tags.iter().map(|(key, value)| (key.clone(), json!(value)));
    Value::Object(pairs.collect::<Map<_, _>>())
}
