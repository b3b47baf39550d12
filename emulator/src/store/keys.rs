//! The keys of rows: a letter for the kind, then names, so that byte order is the order that listings need.
//!
//! Names are followed by `00 00`, and a NUL inside of a name is written `00 ff`: no name is the beginning of another, and
//! order is kept.

use crate::model::bucket_name::BucketName;

/// Rows about the catalogue itself.
pub(super) fn meta(name: &str) -> Vec<u8> {
    let mut key = b"m".to_vec();
    push_name(&mut key, name);
    key
}

/// All buckets.
pub(super) const BUCKETS: &[u8] = b"b";

/// The row of a bucket.
pub(super) fn bucket(name: &BucketName) -> Vec<u8> {
    buckets_from(name.as_str())
}

/// The bucket rows from a name on.
pub(super) fn buckets_from(name: &str) -> Vec<u8> {
    let mut key = BUCKETS.to_vec();
    key.extend_from_slice(name.as_bytes());
    key
}

/// All current objects.
pub(super) const OBJECTS: &[u8] = b"o";

/// All current objects of a bucket.
pub(super) fn objects(bucket: &BucketName) -> Vec<u8> {
    let mut key = OBJECTS.to_vec();
    push_name(&mut key, bucket.as_str());
    key
}

/// The current version of a key.
pub(super) fn object(bucket: &BucketName, object_key: &str) -> Vec<u8> {
    let mut key = objects(bucket);
    push_escaped(&mut key, object_key);
    key
}

fn push_name(key: &mut Vec<u8>, name: &str) {
    push_escaped(key, name);
    key.extend_from_slice(&[0, 0]);
}

fn push_escaped(key: &mut Vec<u8>, name: &str) {
    for byte in name.bytes() {
        key.push(byte);
        if byte == 0 {
            key.push(0xff);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_are_in_the_order_of_their_keys(one in "[\0\u{1}a-c/]{0,6}", other in "[\0\u{1}a-c/]{0,6}") {
            let bucket = BucketName::parse("photos").unwrap();
            let order = object(&bucket, &one).cmp(&object(&bucket, &other));
            prop_assert_eq!(order, one.cmp(&other));
        }

        #[test]
        fn a_bucket_never_holds_another_ones_rows(name in "[a-c]{3,5}", other in "[a-c]{3,5}", key in "\\PC{0,5}") {
            prop_assume!(name != other);
            let (name, other) = (BucketName::parse(&name).unwrap(), BucketName::parse(&other).unwrap());
            prop_assert!(!object(&other, &key).starts_with(&objects(&name)));
        }
    }
}
