//! The `seed.json` of an export: buckets, and KMS keys without their material, which never leaves the folder.

use serde_json::{Map, Value, json};

use crate::model::bucket::{Bucket, Versioning};
use crate::model::encryption::{BlockedEncryption, BucketEncryption};
use crate::model::kms_key::{KeyManager, KeyState, KmsKey};
use crate::store::inventory::Inventory;

/// As a seed reads it. The keys that AWS manages are left out: they are made when they are needed.
pub(super) fn render(inventory: &Inventory) -> Value {
    let own = |key: &&KmsKey| key.manager == KeyManager::Customer;
    let keys = inventory.kms_keys.iter().filter(own);
    json!({
        "kms_keys": keys.map(|key| render_key(key, inventory)).collect::<Vec<_>>(),
        "buckets": inventory.buckets.iter().map(render_bucket).collect::<Vec<_>>(),
    })
}

fn render_key(key: &KmsKey, inventory: &Inventory) -> Value {
    let aliases = inventory.kms_aliases.iter().filter(|alias| {
        (&alias.region, &alias.account, &alias.target) == (&key.region, &key.account, &key.id)
    });
    json!({
        "id": key.id.as_str(),
        "account": key.account,
        "region": key.region,
        "aliases": aliases.map(|alias| alias.name.as_str()).collect::<Vec<_>>(),
        "description": key.description,
        "spec": key.spec.name(),
        "enabled": key.state == KeyState::Enabled,
        "tags": render_tags(&key.tags),
    })
}

fn render_bucket(bucket: &Bucket) -> Value {
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
        item["encryption"] = render_encryption(encryption);
    }
    item
}

fn render_encryption(encryption: &BucketEncryption) -> Value {
    let mut item = json!({
        "algorithm": encryption.algorithm.name(),
        "bucket_key": encryption.bucket_key_enabled,
    });
    if let Some(key) = &encryption.kms_key_id {
        item["kms_key"] = json!(key);
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
