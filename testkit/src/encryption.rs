//! How a test wants an object to be encrypted, and in what words it is told that it is not.

use std::collections::BTreeMap;

use strongroom::{Mode, Stored, Surroundings};

/// What a test wants of an object's encryption: a mode, and with it as much as it cares for.
///
/// ```
/// use strongroom_testkit::{Encryption, Mode};
///
/// let any_key = Encryption::from(Mode::SseKms);
/// let this_key = Encryption::sse_kms("alias/app").bucket_key(true).context("team", "red");
/// assert_ne!(any_key, this_key);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    mode: Mode,
    kms_key: Option<String>,
    bucket_key: Option<bool>,
    context: BTreeMap<String, String>,
}

/// An object that does not lie as it should, and what is said of it.
struct Complaint<'c> {
    /// `BUCKET/KEY`.
    object: &'c str,
    /// How it lies.
    stored: &'c Stored,
    /// And what stands around it.
    around: &'c Surroundings,
    /// How it should.
    wanted: &'c Encryption,
}

impl Encryption {
    /// SSE-S3.
    ///
    /// ```
    /// # use strongroom_testkit::{Encryption, Strongroom};
    /// # fn check(s3: &Strongroom) {
    /// s3.assert_encrypted_with("photos", "cat", Encryption::sse_s3());
    /// # }
    /// ```
    pub fn sse_s3() -> Self {
        Mode::SseS3.into()
    }

    /// SSE-KMS under a key: its id, its ARN, an alias that it has now, or that alias's ARN.
    ///
    /// ```
    /// # use strongroom_testkit::{Encryption, Strongroom};
    /// # fn check(s3: &Strongroom) {
    /// s3.assert_encrypted_with("photos", "cat", Encryption::sse_kms("alias/app"));
    /// # }
    /// ```
    pub fn sse_kms(key: &str) -> Self {
        Self {
            kms_key: Some(key.to_owned()),
            ..Mode::SseKms.into()
        }
    }

    /// DSSE-KMS under a key, named in the same ways.
    ///
    /// ```
    /// # use strongroom_testkit::{Encryption, Strongroom};
    /// # fn check(s3: &Strongroom) {
    /// s3.assert_encrypted_with("photos", "cat", Encryption::dsse_kms("alias/app"));
    /// # }
    /// ```
    pub fn dsse_kms(key: &str) -> Self {
        Self {
            kms_key: Some(key.to_owned()),
            ..Mode::DsseKms.into()
        }
    }

    /// SSE-C.
    ///
    /// ```
    /// # use strongroom_testkit::{Encryption, Strongroom};
    /// # fn check(s3: &Strongroom) {
    /// s3.assert_encrypted_with("photos", "cat", Encryption::sse_c());
    /// # }
    /// ```
    pub fn sse_c() -> Self {
        Mode::SseC.into()
    }

    /// With a bucket key, or without one.
    ///
    /// ```
    /// # use strongroom_testkit::{Encryption, Strongroom};
    /// # fn check(s3: &Strongroom) {
    /// s3.assert_encrypted_with("photos", "cat", Encryption::sse_kms("alias/app").bucket_key(false));
    /// # }
    /// ```
    #[must_use]
    pub fn bucket_key(mut self, is_used: bool) -> Self {
        self.bucket_key = Some(is_used);
        self
    }

    /// Bound to this pair of an encryption context, among others.
    ///
    /// ```
    /// # use strongroom_testkit::{Encryption, Strongroom};
    /// # fn check(s3: &Strongroom) {
    /// s3.assert_encrypted_with("photos", "cat", Encryption::sse_kms("alias/app").context("team", "red"));
    /// # }
    /// ```
    #[must_use]
    pub fn context(mut self, name: &str, value: &str) -> Self {
        self.context.insert(name.to_owned(), value.to_owned());
        self
    }

    /// What is wrong with an object, and what to change; `None` where it lies as it should.
    pub(crate) fn complaint(
        &self,
        object: &str,
        (stored, around): &(Stored, Surroundings),
    ) -> Option<String> {
        let complaint = Complaint {
            object,
            stored,
            around,
            wanted: self,
        };
        complaint
            .of_mode()
            .or_else(|| complaint.of_key())
            .or_else(|| complaint.of_bucket_key())
            .or_else(|| complaint.of_context())
    }

    /// `SSE-KMS with alias/app`.
    fn name(&self) -> String {
        match &self.kms_key {
            Some(key) => format!("{} with {key}", self.mode),
            None => self.mode.to_string(),
        }
    }

    /// What a request has to say to get it.
    fn request(&self) -> String {
        let Some(algorithm) = self.mode.algorithm() else {
            return "send the three headers x-amz-server-side-encryption-customer-algorithm, -key and -key-MD5: no default of a bucket brings a customer's key".to_owned();
        };
        let key = self
            .kms_key
            .as_ref()
            .map(|key| format!(" and x-amz-server-side-encryption-aws-kms-key-id: {key}"));
        let key = key.unwrap_or_default();
        format!(
            "send x-amz-server-side-encryption: {algorithm}{key}, or make that the bucket's default"
        )
    }
}

impl From<Mode> for Encryption {
    /// The mode, with any key.
    fn from(mode: Mode) -> Self {
        Self {
            mode,
            kms_key: None,
            bucket_key: None,
            context: BTreeMap::new(),
        }
    }
}

impl Complaint<'_> {
    fn of_mode(&self) -> Option<String> {
        let Self {
            object,
            stored,
            around,
            wanted,
        } = self;
        if stored.mode == wanted.mode {
            return None;
        }
        let default = around.bucket_default.algorithm;
        let cause = match stored.mode.algorithm() {
            None => "the request brought a customer's key".to_owned(),
            Some(asked) if asked == default => format!(
                "the request named no encryption and the bucket's default is {default}, or it asked for {default} itself"
            ),
            Some(asked) => {
                format!("the request asked for {asked}, while the bucket's default is {default}")
            }
        };
        Some(format!(
            "{object} is stored under {}, not under {}: {cause}. To change it, {}.",
            stored.mode,
            wanted.name(),
            wanted.request()
        ))
    }

    fn of_key(&self) -> Option<String> {
        let wanted = self.wanted.kms_key.as_deref()?;
        let arn = self.stored.kms_key_arn.as_deref()?;
        let aliases = &self.around.kms_key_aliases;
        if is_named(arn, aliases, wanted) {
            return None;
        }
        let cause = if aliases.iter().any(|alias| alias == "alias/aws/s3") {
            "that is the key that AWS manages, which an object gets when neither its request nor the bucket's default names one".to_owned()
        } else {
            match &self.around.bucket_default.kms_key_id {
                Some(key) => format!("the bucket's default names {key}"),
                None => "the bucket's default names no key, so the request did".to_owned(),
            }
        };
        Some(format!(
            "{} is stored under {} with {}, not with {wanted}: {cause}. To change it, {}. {wanted} has to name that very key now: an alias that was moved since does not.",
            self.object,
            self.stored.mode,
            key_and_aliases(arn, aliases),
            self.wanted.request()
        ))
    }

    fn of_bucket_key(&self) -> Option<String> {
        let wanted = self.wanted.bucket_key?;
        if wanted == self.stored.bucket_key.is_some() {
            return None;
        }
        let object = self.object;
        if self.stored.mode != Mode::SseKms {
            return Some(format!(
                "{object} is stored without a bucket key: {} has none, SSE-KMS alone has.",
                self.stored.mode
            ));
        }
        let (has, lacks) = if wanted {
            ("without", "with")
        } else {
            ("with", "without")
        };
        Some(format!(
            "{object} is stored {has} a bucket key, not {lacks} one. To change it, send x-amz-server-side-encryption-bucket-key-enabled: {wanted}, or set BucketKeyEnabled in the bucket's default."
        ))
    }

    fn of_context(&self) -> Option<String> {
        let has = &self.stored.context;
        let missing = self.wanted.context.iter();
        let (name, value) = missing
            .into_iter()
            .find(|(name, value)| has.get(*name) != Some(*value))?;
        let pairs: Vec<_> = has
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let bound_to = if pairs.is_empty() {
            "no encryption context".to_owned()
        } else {
            pairs.join(", ")
        };
        Some(format!(
            "{} is bound to {bound_to}, not to {name}={value}. To change it, send x-amz-server-side-encryption-context: the base64 of a JSON object with that pair, under SSE-KMS or DSSE-KMS.",
            self.object
        ))
    }
}

/// Whether a name is one of a key's: its ARN, its id, an alias, an alias's ARN.
fn is_named(arn: &str, aliases: &[String], name: &str) -> bool {
    let Some((place, id)) = arn.rsplit_once("key/") else {
        return arn == name;
    };
    let is_alias = |alias: &String| {
        alias == name || name.strip_prefix(place).is_some_and(|rest| rest == alias)
    };
    name == arn || name == id || aliases.iter().any(is_alias)
}

fn key_and_aliases(arn: &str, aliases: &[String]) -> String {
    if aliases.is_empty() {
        return arn.to_owned();
    }
    format!("{arn} ({})", aliases.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_four_kinds_of_names() {
        let arn = "arn:aws:kms:us-east-1:000000000000:key/6fb9";
        let aliases = ["alias/app".to_owned()];
        let named = |name: &str| is_named(arn, &aliases, name);

        for name in [
            arn,
            "6fb9",
            "alias/app",
            "arn:aws:kms:us-east-1:000000000000:alias/app",
        ] {
            assert!(named(name), "{name}");
        }
        for name in [
            "alias/other",
            "arn:aws:kms:eu-west-1:000000000000:alias/app",
            "6fb",
            "app",
            "",
        ] {
            assert!(!named(name), "{name}");
        }
    }
}
