//! What all sessions can be asked for with: a policy, tags, and how long they last.

use std::ops::RangeInclusive;
use std::time::Duration;

use http::StatusCode;

use crate::auth::iam_names::{MOST_TAG_KEY, MOST_TAG_VALUE, MOST_TAGS, Tags, is_tag_text};
use crate::auth::identity::Identity;
use crate::policy::document::{Document, Kind};
use crate::sts::error::StsError;
use crate::sts::form::Form;
use crate::sts::members::{Members, Rule};

/// How long a session of a user's own lasts, in seconds.
pub(super) const OWNERS_SECONDS: RangeInclusive<u64> = 900..=129_600;
/// The same where nothing is said.
pub(super) const OWNERS_DEFAULT: u64 = 43_200;
/// The longest session of a root: what asks for more gets that.
const ROOTS: Duration = Duration::from_hours(1);
/// How AWS writes the pattern of names.
pub(super) const NAME_PATTERN: &str = r"[\w+=,.@-]*";

/// What policy and tags of a session take together, in bytes; a token has to fit into a header.
// AWS: unverified. Its own measure is of a packed form that it tells nobody.
const MOST_PACKED: usize = 4_096;
const POLICY: Rule = Rule {
    length: (1, 2_048),
    pattern: None,
};
/// How AWS writes what tags may be.
const TAG_PATTERN: &str = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*";
const TAG_KEY: Rule = Rule {
    length: (1, MOST_TAG_KEY),
    pattern: Some((TAG_PATTERN, is_tag_text)),
};
const TAG_VALUE: Rule = Rule {
    length: (0, MOST_TAG_VALUE),
    pattern: Some((TAG_PATTERN, is_tag_text)),
};

/// Policy and tags as they were sent.
#[derive(Debug)]
pub(super) struct Asked {
    policy: Option<String>,
    tags: Vec<(String, String)>,
    transitive: Vec<String>,
}

/// The same, and they can be.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) policy: Option<Document>,
    pub(super) tags: Tags,
    /// The keys of those that a next session inherits.
    pub(super) transitive: Vec<String>,
    /// How much of their room they take; `None` where there are none.
    pub(super) packed_percent: Option<usize>,
}

impl Asked {
    /// Reads them.
    pub(super) fn read(members: &mut Members<'_>) -> Self {
        let policy = members.optional("Policy", &POLICY);
        let count = members.count("Tags", MOST_TAGS);
        let mut tags = Vec::with_capacity(count);
        for number in 1..=count {
            let item = ("Tags", number);
            let key = members.of_item(item, "Key", &TAG_KEY);
            tags.push((key, members.of_item(item, "Value", &TAG_VALUE)));
        }
        let count = members.count("TransitiveTagKeys", MOST_TAGS);
        let key = |number| members.of_item(("TransitiveTagKeys", number), "", &TAG_KEY);
        let transitive = (1..=count).map(key).collect();
        Self {
            policy,
            tags,
            transitive,
        }
    }

    /// Reads the policy, and holds tags against each other.
    ///
    /// # Errors
    ///
    /// `InvalidParameterValue`, `MalformedPolicyDocument`, `PackedPolicyTooLarge`; `ValidationError` for a policy that is
    /// named by its ARN, as there are none.
    // AWS: unverified. The words for ARNs of policies, for transitive keys without a tag, and for keys of AWS's own.
    pub(super) fn check(self, form: &Form) -> Result<Checked, StsError> {
        if let Some(arn) = form.find("PolicyArns.member.1.arn") {
            let message = format!("Policy {arn} does not exist or is not attachable.");
            return Err(StsError::validation(message));
        }
        let mut known = Vec::with_capacity(self.tags.len());
        for (key, _) in &self.tags {
            let lower = key.to_lowercase();
            if lower.starts_with("aws:") {
                return Err(StsError::parameter(
                    "Tag keys may not begin with the reserved prefix aws:",
                ));
            }
            if known.contains(&lower) {
                return Err(StsError::parameter(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
            known.push(lower);
        }
        let mut transitive = self.transitive.iter();
        if transitive.any(|key| !self.tags.iter().any(|(tag, _)| tag == key)) {
            return Err(StsError::parameter(
                "The specified transitive tag key must be included in the requested tags.",
            ));
        }
        let policy = self.policy.as_deref();
        let policy = policy.map(|text| Document::parse(text, Kind::Identity));
        let mut checked = Checked {
            policy: policy.transpose()?,
            tags: self.tags.into_iter().collect(),
            transitive: self.transitive,
            packed_percent: None,
        };
        checked.pack()?;
        Ok(checked)
    }
}

impl Checked {
    fn pack(&mut self) -> Result<(), StsError> {
        let policy = self.policy.as_ref();
        let policy = policy.map_or(0, |policy| policy.to_string().len());
        let tags = self.tags.iter();
        let tags: usize = tags.map(|(key, value)| key.len() + value.len()).sum();
        let percent = (100 * (policy + tags)).div_ceil(MOST_PACKED);
        if percent > 100 {
            let what = if policy > tags {
                format!(
                    "Packed policy consumes {percent}% of allotted space, please use smaller policy."
                )
            } else {
                format!("Packed size of session tags consumes {percent}% of allotted space.")
            };
            return Err(StsError::new(
                StatusCode::BAD_REQUEST,
                "PackedPolicyTooLarge",
                what,
            ));
        }
        self.packed_percent = (percent > 0).then_some(percent);
        Ok(())
    }
}

/// How long a session of a caller's own lasts.
pub(super) fn lasting(caller: &Identity, asked: Duration) -> Duration {
    if caller.is_root() {
        asked.min(ROOTS)
    } else {
        asked
    }
}

/// Refuses codes of devices, as there are none.
///
/// # Errors
///
/// `AccessDenied`.
pub(super) fn refuse_devices(form: &Form) -> Result<(), StsError> {
    if form.find("SerialNumber").is_none() && form.find("TokenCode").is_none() {
        return Ok(());
    }
    Err(StsError::denied(
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
    ))
}
