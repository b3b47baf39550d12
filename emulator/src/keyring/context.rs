//! The encryption context: what a wrapped key is bound to.

use std::collections::BTreeMap;

/// Names and values, sorted; canonical JSON of them is the associated data of a wrapped key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EncryptionContext(BTreeMap<String, String>);

impl EncryptionContext {
    /// S3's own: `aws:s3:arn`, the object's ARN.
    pub(crate) fn of_s3(arn: &str) -> Self {
        Self(BTreeMap::from([("aws:s3:arn".to_owned(), arn.to_owned())]))
    }

    /// JSON without white space, names sorted by their bytes.
    pub(crate) fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).expect("a map of strings is JSON")
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
}
