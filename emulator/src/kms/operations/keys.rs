//! Keys: `CreateKey`, `DescribeKey`, `ListKeys`, `UpdateKeyDescription`, `EnableKey`, `DisableKey`,
//! `ScheduleKeyDeletion`, `CancelKeyDeletion`.
//!
//! Of the specs all but SM2 are built, which AWS has in China alone. Keys whose material their owner brings can be made and
//! wait for it.

use serde_json::{Value, json};

use crate::keyring::lifecycle::NewKey;
use crate::keyring::states::Need;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::key_policy::{self, NewPolicy};
use crate::kms::members::Members;
use crate::kms::metadata::{epoch, metadata};
use crate::kms::operation::{Entry, KeyOperation, Operation};
use crate::kms::pages::{PageRequest, page};
use crate::kms::tags;
use crate::model::kms_key::{KeyOrigin, KeySpec, KeyState, KeyUsage, KmsKey};
use crate::model::kms_name::KeyId;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<CreateKey>(),
    Entry::of::<DescribeKey>(),
    Entry::of::<ListKeys>(),
    Entry::of::<UpdateKeyDescription>(),
    Entry::of_key::<EnableKey>(),
    Entry::of_key::<DisableKey>(),
    Entry::of::<ScheduleKeyDeletion>(),
    Entry::of_key::<CancelKeyDeletion>(),
];

const SYMMETRIC_DEFAULT: &str = "SYMMETRIC_DEFAULT";
const SPECS: &[&str] = &[
    SYMMETRIC_DEFAULT,
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_NIST_EDWARDS25519",
    "ECC_SECG_P256K1",
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
];
const USAGES: &[&str] = &[
    "ENCRYPT_DECRYPT",
    "SIGN_VERIFY",
    "GENERATE_VERIFY_MAC",
    "KEY_AGREEMENT",
    "ENCAPSULATE_DECAPSULATE",
];
const ORIGINS: &[&str] = &["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];
const TWO_SPECS: &str = "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.";
const NO_USAGE: &str =
    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
/// The most characters of a description.
const MOST_DESCRIPTION: usize = 8_192;
/// Days that a key waits for its deletion.
const WINDOW_DAYS: std::ops::RangeInclusive<u32> = 7..=30;

/// Makes a key.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html>
#[derive(Debug)]
struct CreateKey {
    spec: Option<&'static str>,
    old_spec: Option<&'static str>,
    usage: Option<&'static str>,
    origin: Option<&'static str>,
    description: Option<String>,
    is_of_many_regions: bool,
    is_in_key_store: bool,
    tags: Option<Vec<(String, String)>>,
    may_lock_out: bool,
    policy: Option<NewPolicy>,
}

impl Operation for CreateKey {
    const NAME: &'static str = "CreateKey";

    fn parse(members: &mut Members) -> Self {
        Self {
            spec: members.choice("KeySpec", SPECS),
            old_spec: members.choice("CustomerMasterKeySpec", SPECS),
            usage: members.choice("KeyUsage", USAGES),
            origin: members.choice("Origin", ORIGINS),
            description: members.maybe_text("Description", 0..=MOST_DESCRIPTION),
            is_of_many_regions: members.flag("MultiRegion"),
            is_in_key_store: {
                members.maybe_text("XksKeyId", 1..=128);
                members.maybe_text("CustomKeyStoreId", 1..=64).is_some()
            },
            tags: tags::parse(members, "Tags"),
            may_lock_out: members.has_flag(key_policy::FLAG),
            policy: key_policy::parse(members),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        self.authorize(cx)?;
        let (spec, usage) = self.parse_kind()?;
        let origin = self.parse_origin()?;
        let tags = self.tags.unwrap_or_default();
        tags::check(&tags)?;
        if let Some(policy) = &self.policy {
            key_policy::check(policy, &cx.asker, None)?;
        }
        let new = NewKey {
            description: self.description.unwrap_or_default(),
            spec,
            usage: Some(usage),
            origin,
            is_of_many_regions: self.is_of_many_regions,
            tags: tags::sorted(tags),
            policy: self.policy.map(|policy| policy.text),
            planted: std::mem::take(&mut cx.planted),
            ..NewKey::default()
        };
        let key = cx.keyring.create_key(&cx.asker, new).await?;
        cx.note(&key);
        let metadata = metadata(&cx.keyring, &key).await?;
        Ok(json!({ "KeyMetadata": metadata }))
    }
}

impl CreateKey {
    /// To make a key is one action, and to tag it another.
    // AWS: unverified. That what is usual is told where nothing is asked for.
    fn authorize(&self, cx: &mut Context) -> Result<(), KmsError> {
        let spec = self.spec.or(self.old_spec).unwrap_or(SYMMETRIC_DEFAULT);
        cx.tell("kms:KeySpec", spec);
        cx.tell("kms:KeyUsage", self.usage.unwrap_or(usages(spec)[0]));
        cx.tell("kms:KeyOrigin", self.origin.unwrap_or(ORIGINS[0]));
        cx.tell("kms:MultiRegion", self.is_of_many_regions.to_string());
        if self.is_of_many_regions {
            cx.tell("kms:MultiRegionKeyType", "PRIMARY");
        }
        cx.tell(key_policy::BYPASS, self.may_lock_out.to_string());
        let tags = self.tags.as_deref().filter(|tags| !tags.is_empty());
        if let Some(tags) = tags {
            cx.tell_tags(tags);
        }
        cx.authorize("*")?;
        if tags.is_some() {
            cx.asker.action = "TagResource";
            cx.keyring.authorize_new_key(&cx.asker)?;
            cx.asker.action = Self::NAME;
        }
        Ok(())
    }

    fn parse_kind(&self) -> Result<(KeySpec, KeyUsage), KmsError> {
        if self.spec.is_some() && self.old_spec.is_some() {
            return Err(KmsError::validation(TWO_SPECS));
        }
        let name = self.spec.or(self.old_spec).unwrap_or(SYMMETRIC_DEFAULT);
        if self.usage.is_none() && name != SYMMETRIC_DEFAULT {
            return Err(KmsError::validation(NO_USAGE));
        }
        let usage = self.usage.unwrap_or(usages(name)[0]);
        if !usages(name).contains(&usage) {
            return Err(KmsError::validation(format!(
                "KeyUsage {usage} is not compatible with KeySpec {name}"
            )));
        }
        let spec = KeySpec::parse(name).ok_or_else(|| {
            // AWS has SM2 in its regions of China alone.
            KmsError::unsupported(format!("KeySpec {name} is not supported in this region."))
        })?;
        let built = spec.usages().iter().find(|built| built.name() == usage);
        let built = built
            .ok_or_else(|| KmsError::unsupported(format!("KeyUsage {usage} is not supported.")))?;
        Ok((spec, *built))
    }

    /// There are no custom key stores.
    fn parse_origin(&self) -> Result<KeyOrigin, KmsError> {
        if self.is_in_key_store {
            return Err(KmsError::no_such_key_store());
        }
        match self.origin {
            None | Some("AWS_KMS") => Ok(KeyOrigin::AwsKms),
            Some("EXTERNAL") => Ok(KeyOrigin::External),
            // AWS: unverified. Exception and words; that they go together is documented.
            Some(origin) => Err(KmsError::validation(format!(
                "You must specify a CustomKeyStoreId for the Origin {origin}."
            ))),
        }
    }
}

/// What keys of a spec can be used for.
fn usages(spec: &str) -> &'static [&'static str] {
    match spec {
        SYMMETRIC_DEFAULT => &["ENCRYPT_DECRYPT"],
        "RSA_2048" | "RSA_3072" | "RSA_4096" => &["ENCRYPT_DECRYPT", "SIGN_VERIFY"],
        "ECC_NIST_P256" | "ECC_NIST_P384" | "ECC_NIST_P521" => &["SIGN_VERIFY", "KEY_AGREEMENT"],
        "SM2" => &["ENCRYPT_DECRYPT", "SIGN_VERIFY", "KEY_AGREEMENT"],
        "HMAC_224" | "HMAC_256" | "HMAC_384" | "HMAC_512" => &["GENERATE_VERIFY_MAC"],
        "ML_KEM_512" | "ML_KEM_768" | "ML_KEM_1024" => &["ENCAPSULATE_DECAPSULATE"],
        _ => &["SIGN_VERIFY"],
    }
}

/// Tells of a key. AWS's own is made when it is first asked for.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>
#[derive(Debug)]
struct DescribeKey {
    key_id: String,
}

impl Operation for DescribeKey {
    const NAME: &'static str = "DescribeKey";

    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            key_id: members.key_id("KeyId"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let key = cx.key(&self.key_id).await?;
        let metadata = metadata(&cx.keyring, &key).await?;
        Ok(json!({ "KeyMetadata": metadata }))
    }
}

/// Lists the keys of the account in the region.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html>
#[derive(Debug)]
struct ListKeys(PageRequest);

impl Operation for ListKeys {
    const NAME: &'static str = "ListKeys";

    fn parse(members: &mut Members) -> Self {
        Self(PageRequest::parse(members, 100))
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.authorize("*")?;
        let after = self.0.after(|id| KeyId::parse(&id))?;
        let found = cx
            .keyring
            .list_keys(&cx.asker, after.as_ref(), self.0.limit)
            .await?;
        let keys = found.rows.iter();
        let keys = keys.map(|key| json!({ "KeyId": key.id.as_str(), "KeyArn": key.arn() }));
        Ok(page(
            "Keys",
            &keys.collect::<Vec<_>>(),
            found.next.as_deref(),
        ))
    }
}

/// Says something else of a key.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html>
#[derive(Debug)]
struct UpdateKeyDescription {
    key_id: String,
    description: String,
}

impl Operation for UpdateKeyDescription {
    const NAME: &'static str = "UpdateKeyDescription";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            description: members.text("Description", 0..=MOST_DESCRIPTION),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let key = cx.key_by_id(&self.key_id).await?;
        let change = |key: &mut KmsKey| {
            key.description.clone_from(&self.description);
            Ok(())
        };
        cx.keyring.change_key(&key, Need::Change, change).await?;
        Ok(Value::Null)
    }
}

/// Lets a key work.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html>
#[derive(Debug)]
struct EnableKey;

impl KeyOperation for EnableKey {
    const NAME: &'static str = "EnableKey";

    async fn run(key: KmsKey, cx: &mut Context) -> Result<Value, KmsError> {
        cx.keyring.enable(&key).await?;
        Ok(Value::Null)
    }
}

/// Keeps a key from working; what it encrypted cannot be read until it is enabled again.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html>
#[derive(Debug)]
struct DisableKey;

impl KeyOperation for DisableKey {
    const NAME: &'static str = "DisableKey";

    async fn run(key: KmsKey, cx: &mut Context) -> Result<Value, KmsError> {
        let change = |key: &mut KmsKey| {
            key.state = KeyState::Disabled;
            Ok(())
        };
        cx.keyring.change_key(&key, Need::Switch, change).await?;
        Ok(Value::Null)
    }
}

/// Lets a key end after 7 to 30 days; until then it does not work, and can be had back. The days of a primary begin when
/// its last replica is gone.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html>
#[derive(Debug)]
struct ScheduleKeyDeletion {
    key_id: String,
    window_days: Option<u32>,
}

impl Operation for ScheduleKeyDeletion {
    const NAME: &'static str = "ScheduleKeyDeletion";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            window_days: members.number("PendingWindowInDays", 1..=365),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let window_days = self.window_days.unwrap_or(*WINDOW_DAYS.end());
        if !WINDOW_DAYS.contains(&window_days) {
            let message = "PendingWindowInDays must be between 7 and 30";
            return Err(KmsError::validation(message));
        }
        // AWS: unverified. That the usual window is told where none is asked for.
        let told = "kms:ScheduleKeyDeletionPendingWindowInDays";
        cx.tell(told, window_days.to_string());
        let key = cx.key_by_id(&self.key_id).await?;
        let key = cx.keyring.schedule_deletion(&key, window_days).await?;
        let mut answer = json!({
            "KeyId": key.arn(),
            "KeyState": key.state.name(),
            "PendingWindowInDays": window_days,
        });
        if let KeyState::PendingDeletion { deletion } = key.state {
            answer["DeletionDate"] = epoch(deletion);
        }
        Ok(answer)
    }
}

/// Keeps a key after all, disabled. One whose material is not here waits for it again.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html>
#[derive(Debug)]
struct CancelKeyDeletion;

impl KeyOperation for CancelKeyDeletion {
    const NAME: &'static str = "CancelKeyDeletion";

    async fn run(key: KmsKey, cx: &mut Context) -> Result<Value, KmsError> {
        let change = |key: &mut KmsKey| {
            // AWS: unverified. Enabling a key without material would leave one that says it works, and cannot.
            key.state = KeyState::Disabled;
            key.settle_import();
            Ok(())
        };
        let key = cx
            .keyring
            .change_key(&key, Need::CancelDeletion, change)
            .await?;
        Ok(json!({ "KeyId": key.arn() }))
    }
}
