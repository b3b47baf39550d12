//! `KeyMetadata`: what KMS tells of a key.
//!
//! Source: answers recorded from AWS, and <https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html>

use serde_json::{Value, json};

use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::model::imported::expiration_model;
use crate::model::kms_key::{KeyOrigin, KeySpec, KeyState, KeyUsage, KmsKey};
use crate::model::kms_name::key_arn;
use crate::model::timestamp::Timestamp;

/// The metadata of a key, and where the keys are that share its id.
///
/// # Errors
///
/// [`KeyringError::Store`].
pub(crate) async fn metadata(keyring: &Keyring, key: &KmsKey) -> Result<Value, KeyringError> {
    let mut metadata = of_key(key);
    if !key.id.is_of_many_regions() {
        return Ok(metadata);
    }
    let relatives = keyring.relatives(key).await?;
    let place = |region: &String| json!({ "Arn": key_arn(region, &key.account, &key.id), "Region": region });
    let is_replica = key.multi_region.is_replica();
    metadata["MultiRegionConfiguration"] = json!({
        "MultiRegionKeyType": if is_replica { "REPLICA" } else { "PRIMARY" },
        "PrimaryKey": place(&relatives.primary),
        "ReplicaKeys": relatives.replicas.iter().map(place).collect::<Vec<_>>(),
    });
    Ok(metadata)
}

fn of_key(key: &KmsKey) -> Value {
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
    // AWS: unverified. What is told of the expiration while one of several materials is missing; of none it is nothing.
    let mut present = key.materials.iter().filter(|one| one.is_present());
    if key.origin == KeyOrigin::External && present.next().is_some() {
        let valid_to = key.valid_to();
        metadata["ExpirationModel"] = json!(expiration_model(valid_to));
        if let Some(valid_to) = valid_to {
            metadata["ValidTo"] = epoch(valid_to);
        }
    }
    if let KeyState::PendingDeletion { deletion } = key.state {
        metadata["DeletionDate"] = epoch(deletion);
    }
    if let KeyState::PendingReplicaDeletion { window_days, .. } = key.state {
        metadata["PendingDeletionWindowInDays"] = json!(window_days);
    }
    metadata
}

/// The member that lists the algorithms of a key.
pub(crate) fn algorithms_of(key: &KmsKey) -> &'static str {
    match key.usage() {
        KeyUsage::EncryptDecrypt => "EncryptionAlgorithms",
        KeyUsage::SignVerify => "SigningAlgorithms",
        KeyUsage::GenerateVerifyMac => "MacAlgorithms",
        KeyUsage::KeyAgreement => "KeyAgreementAlgorithms",
        KeyUsage::EncapsulateDecapsulate => "EncapsulationAlgorithms",
    }
}

/// A time as KMS writes it: seconds since the epoch, with milliseconds behind the point.
pub(crate) fn epoch(time: Timestamp) -> Value {
    let seconds = std::time::Duration::from_millis(time.unix_millis()).as_secs_f64();
    json!(seconds)
}
