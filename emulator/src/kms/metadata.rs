//! `KeyMetadata`: what KMS tells of a key.
//!
//! Source: answers recorded from AWS, and <https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html>

use serde_json::{Value, json};

use crate::model::kms_key::{KeySpec, KeyState, KeyUsage, KmsKey};
use crate::model::timestamp::Timestamp;

/// The metadata of a key.
pub(crate) fn metadata(key: &KmsKey) -> Value {
    let mut metadata = json!({
        "AWSAccountId": key.account,
        "Arn": key.arn(),
        "CreationDate": epoch(key.created),
        "CustomerMasterKeySpec": key.spec.name(),
        "Description": key.description,
        "Enabled": key.state == KeyState::Enabled,
        "KeyId": key.id.as_str(),
        "KeyManager": key.manager.name(),
        "KeySpec": key.spec.name(),
        "KeyState": key.state.name(),
        "KeyUsage": key.usage().name(),
        "MultiRegion": key.id.is_of_many_regions(),
        "Origin": key.origin.name(),
    });
    metadata[algorithms_of(key)] = json!(key.algorithms());
    if let Some(material) = key
        .current()
        .filter(|_| key.spec == KeySpec::SymmetricDefault)
    {
        metadata["CurrentKeyMaterialId"] = json!(material.id.to_string());
    }
    if let KeyState::PendingDeletion { deletion } = key.state {
        metadata["DeletionDate"] = epoch(deletion);
    }
    if key.id.is_of_many_regions() {
        metadata["MultiRegionConfiguration"] = json!({
            "MultiRegionKeyType": "PRIMARY",
            "PrimaryKey": { "Arn": key.arn(), "Region": key.region },
            "ReplicaKeys": [],
        });
    }
    metadata
}

/// The member that lists the algorithms of a key.
pub(crate) fn algorithms_of(key: &KmsKey) -> &'static str {
    match key.usage() {
        KeyUsage::EncryptDecrypt => "EncryptionAlgorithms",
        KeyUsage::SignVerify => "SigningAlgorithms",
        KeyUsage::GenerateVerifyMac => "MacAlgorithms",
    }
}

/// A time as KMS writes it: seconds since the epoch, with milliseconds behind the point.
pub(crate) fn epoch(time: Timestamp) -> Value {
    let seconds = std::time::Duration::from_millis(time.unix_millis()).as_secs_f64();
    json!(seconds)
}
