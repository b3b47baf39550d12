//! The encryption context: what a wrapped key is bound to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The pair that S3 adds: the ARN of the object, or of its bucket where a bucket key is used.
const S3_ARN: &str = "aws:s3:arn";

/// Names and values, sorted; canonical JSON of them is the associated data of a wrapped key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct EncryptionContext(BTreeMap<String, String>);

impl EncryptionContext {
    /// As a caller of KMS sends it.
    pub(crate) fn new(pairs: BTreeMap<String, String>) -> Self {
        Self(pairs)
    }

    /// S3's own: `aws:s3:arn`, the ARN of the object or of its bucket.
    pub(crate) fn of_s3(arn: &str) -> Self {
        Self(BTreeMap::from([(S3_ARN.to_owned(), arn.to_owned())]))
    }

    /// S3's own beside the customer's pairs. One of the same name gives way: nothing may be bound to another object.
    // AWS: unverified. Whether S3 refuses pairs that begin with `aws:`.
    pub(crate) fn of_s3_with(arn: &str, pairs: &[(String, String)]) -> Self {
        let mut context = Self::new(pairs.iter().cloned().collect());
        context.0.extend(Self::of_s3(arn).0);
        context
    }

    /// JSON without white space, names sorted by their bytes.
    pub(crate) fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).expect("a map of strings is JSON")
    }

    /// Names and values.
    pub(crate) fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_is_sorted_json() {
        let context = EncryptionContext(BTreeMap::from([
            ("b".to_owned(), "\"2\"".to_owned()),
            ("a".to_owned(), "1".to_owned()),
        ]));

        assert_eq!(context.canonical(), br#"{"a":"1","b":"\"2\""}"#);
    }

    #[test]
    fn the_customers_pairs_stand_beside_s3s_own() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let pairs = [pair("team", "red"), pair("aws:s3:arn", "another")];

        let context = EncryptionContext::of_s3_with("arn:aws:s3:::photos/cat", &pairs);

        assert_eq!(
            context.canonical(),
            br#"{"aws:s3:arn":"arn:aws:s3:::photos/cat","team":"red"}"#
        );
    }
}
