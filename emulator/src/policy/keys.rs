//! What is known of a request: the keys that conditions and variables look at.

use std::collections::BTreeMap;

/// Behind this the case of a key counts: it is the name of a pair of the encryption context.
const ENCRYPTION_CONTEXT: &str = "kms:encryptioncontext:";

/// Keys with their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContextKeys(BTreeMap<String, Values>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Values {
    One(String),
    Many(Vec<String>),
}

impl ContextKeys {
    /// With a key that has one value.
    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.insert(normal(key), Values::One(value.into()));
        self
    }

    /// With a key that has any number of values.
    #[must_use]
    pub(crate) fn with_set<V: Into<String>>(
        mut self,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.0.insert(normal(key), Values::Many(values));
        self
    }

    /// With all of other keys; where both know one, theirs counts.
    #[must_use]
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The values of a key in its normal form; none where it is absent.
    pub(super) fn values(&self, normal: &str) -> &[String] {
        match self.0.get(normal) {
            None => &[],
            Some(Values::One(value)) => std::slice::from_ref(value),
            Some(Values::Many(values)) => values,
        }
    }

    /// The value of a key in its normal form that has one value and never more.
    pub(super) fn single(&self, normal: &str) -> Option<&str> {
        match self.0.get(normal)? {
            Values::One(value) => Some(value),
            Values::Many(_) => None,
        }
    }
}

/// A key without regard to case.
pub(super) fn normal(key: &str) -> String {
    let mut lower = key.to_ascii_lowercase();
    if lower.starts_with(ENCRYPTION_CONTEXT) {
        lower.replace_range(ENCRYPTION_CONTEXT.len().., &key[ENCRYPTION_CONTEXT.len()..]);
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_a_key_counts_in_encryption_contexts_alone() {
        let cases = [
            ("AWS:UserName", "aws:username"),
            ("s3:ExistingObjectTag/Team", "s3:existingobjecttag/team"),
            (
                "KMS:EncryptionContext:AppName",
                "kms:encryptioncontext:AppName",
            ),
            ("kms:EncryptionContextKeys", "kms:encryptioncontextkeys"),
        ];
        for (key, expected) in cases {
            assert_eq!(normal(key), expected);
        }
    }
}
