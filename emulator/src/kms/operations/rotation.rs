//! Rotation: `EnableKeyRotation`, `DisableKeyRotation`, `GetKeyRotationStatus`, `RotateKeyOnDemand`,
//! `ListKeyRotations`.
//!
//! A rotation gives a key new material and leaves its id alone; every old ciphertext still opens.

use serde_json::{Value, json};

use crate::keyring::refusal::Refusal;
use crate::keyring::states::Need;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::metadata::epoch;
use crate::kms::operation::{Entry, KeyOperation, Operation};
use crate::kms::pages::{PageRequest, foreign_marker, page};
use crate::model::imported::expiration_model;
use crate::model::kms_key::{AutomaticRotation, Import, KeyMaterial, KeySpec, KeyState, KmsKey};

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<EnableKeyRotation>(),
    Entry::of_key::<DisableKeyRotation>(),
    Entry::of_key::<GetKeyRotationStatus>(),
    Entry::of_key::<RotateKeyOnDemand>(),
    Entry::of::<ListKeyRotations>(),
];

const PERIOD_DAYS: std::ops::RangeInclusive<u32> = 90..=2_560;
const USUAL_PERIOD_DAYS: u32 = 365;

/// Lets a key turn by itself.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html>
#[derive(Debug)]
struct EnableKeyRotation {
    key_id: String,
    period_days: Option<u32>,
}

impl Operation for EnableKeyRotation {
    const NAME: &'static str = "EnableKeyRotation";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            period_days: members.number("RotationPeriodInDays", PERIOD_DAYS),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let period_days = self.period_days.unwrap_or(USUAL_PERIOD_DAYS);
        // AWS: unverified. That the usual period is told where none is asked for.
        cx.tell("kms:RotationPeriodInDays", period_days.to_string());
        let key = cx.key_by_id(&self.key_id).await?;
        let now = cx.clock.now();
        let change = |key: &mut KmsKey| {
            let before = key.rotation.map(|rotation| rotation.period_days);
            // The day that is known already stays where nothing changes.
            if before != Some(period_days) {
                let next = now.plus_days(period_days);
                key.rotation = Some(AutomaticRotation { period_days, next });
            }
            Ok(())
        };
        cx.keyring.change_key(&key, Need::Rotation, change).await?;
        Ok(Value::Null)
    }
}

/// Lets a key stay as it is.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html>
#[derive(Debug)]
struct DisableKeyRotation;

impl KeyOperation for DisableKeyRotation {
    const NAME: &'static str = "DisableKeyRotation";

    async fn run(key: KmsKey, cx: &mut Context) -> Result<Value, KmsError> {
        let change = |key: &mut KmsKey| {
            key.rotation = None;
            Ok(())
        };
        cx.keyring.change_key(&key, Need::Rotation, change).await?;
        Ok(Value::Null)
    }
}

/// Tells whether and when a key turns by itself.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html>
#[derive(Debug)]
struct GetKeyRotationStatus;

impl KeyOperation for GetKeyRotationStatus {
    const NAME: &'static str = "GetKeyRotationStatus";

    async fn run(key: KmsKey, _: &mut Context) -> Result<Value, KmsError> {
        Need::RotationStatus.check(&key)?;
        // While a key waits for its deletion its rotation rests, and is as it was when it is called off.
        let is_ending = matches!(
            key.state,
            KeyState::PendingDeletion { .. } | KeyState::PendingReplicaDeletion { .. }
        );
        let rotation = key.rotation.filter(|_| !is_ending);
        let mut status = json!({
            "KeyId": key.arn(),
            "KeyRotationEnabled": rotation.is_some(),
        });
        if let Some(rotation) = rotation {
            status["RotationPeriodInDays"] = json!(rotation.period_days);
            status["NextRotationDate"] = epoch(rotation.next);
        }
        Ok(status)
    }
}

/// Turns a key now. AWS takes a while for it; here it is done with the answer.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html>
#[derive(Debug)]
struct RotateKeyOnDemand;

impl KeyOperation for RotateKeyOnDemand {
    const NAME: &'static str = "RotateKeyOnDemand";

    async fn run(key: KmsKey, cx: &mut Context) -> Result<Value, KmsError> {
        let key = cx.keyring.rotate_on_demand(&key).await?;
        Ok(json!({ "KeyId": key.arn() }))
    }
}

/// Lists the rotations of a key; where that is asked for its first material too, and the one that waits for its rotation.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html>
#[derive(Debug)]
struct ListKeyRotations {
    key_id: String,
    included: Option<&'static str>,
    page: PageRequest,
}

/// What `IncludeKeyMaterial` can be.
const ALL: &str = "ALL_KEY_MATERIAL";
const ROTATIONS_ONLY: &str = "ROTATIONS_ONLY";

impl Operation for ListKeyRotations {
    const NAME: &'static str = "ListKeyRotations";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            included: members.choice("IncludeKeyMaterial", &[ALL, ROTATIONS_ONLY]),
            page: PageRequest::parse(members, 100),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let after = self.page.after(Some)?;
        let key = cx.key_by_id(&self.key_id).await?;
        if self.included.is_some() && key.spec != KeySpec::SymmetricDefault {
            return Err(Refusal::NeverTurns.into());
        }
        let is_all = self.included == Some(ALL);
        let listed = |material: &&KeyMaterial| is_all || material.rotation.is_some();
        // What waits for its rotation comes behind those that had theirs.
        let all = key.materials.iter().chain(&key.pending_rotation);
        let materials: Vec<_> = all.filter(listed).collect();
        let rest = behind(&materials, after.as_deref())?;
        let shown = &rest[..rest.len().min(self.page.limit)];
        let rotations = shown.iter().map(|material| render(&key, material));
        let last = shown.last().filter(|_| shown.len() < rest.len());
        let last = last.map(|material| material.id.to_string());
        Ok(page(
            "Rotations",
            &rotations.collect::<Vec<_>>(),
            last.as_deref(),
        ))
    }
}

/// The materials behind the one of a marker.
fn behind<'m, 'k>(
    materials: &'m [&'k KeyMaterial],
    after: Option<&str>,
) -> Result<&'m [&'k KeyMaterial], KmsError> {
    let Some(after) = after else {
        return Ok(materials);
    };
    let last = materials
        .iter()
        .position(|material| material.id.to_string() == after);
    let last = last.ok_or_else(foreign_marker)?;
    Ok(&materials[last + 1..])
}

fn render(key: &KmsKey, material: &KeyMaterial) -> Value {
    let mut entry = json!({
        "KeyId": key.id.as_str(),
        "KeyMaterialId": material.id.to_string(),
        "KeyMaterialState": state_of(key, material),
    });
    if let Some(rotation) = material.rotation {
        entry["RotationDate"] = epoch(material.since);
        entry["RotationType"] = json!(rotation.name());
    }
    if let Some(import) = material.import.as_ref().filter(|_| !key.spec.is_pair()) {
        render_import(&mut entry, material, import);
    }
    entry
}

fn state_of(key: &KmsKey, material: &KeyMaterial) -> &'static str {
    let is_it = |other: Option<&KeyMaterial>| other.is_some_and(|other| other.id == material.id);
    if is_it(key.pending_rotation.as_ref()) {
        "PENDING_ROTATION"
    } else if is_it(key.current()) {
        "CURRENT"
    } else {
        "NON_CURRENT"
    }
}

// AWS: unverified. That nothing is told of the expiration while the bytes are not here.
fn render_import(entry: &mut Value, material: &KeyMaterial, import: &Import) {
    if let Some(description) = &import.description {
        entry["KeyMaterialDescription"] = json!(description);
    }
    if !material.is_present() {
        entry["ImportState"] = json!("PENDING_IMPORT");
        return;
    }
    entry["ImportState"] = json!("IMPORTED");
    entry["ExpirationModel"] = json!(expiration_model(import.valid_to));
    if let Some(valid_to) = import.valid_to {
        entry["ValidTo"] = epoch(valid_to);
    }
}
