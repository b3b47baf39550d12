//! What a row is, by its key alone: for one whose value says nothing.

use std::fmt;

use crate::model::object::Place;
use crate::store::keys;

/// What a row is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowName {
    /// Its kind: `a version`.
    pub(crate) kind: &'static str,
    /// The bucket in which it lies.
    pub(crate) bucket: Option<String>,
    /// The key of the object whose row it is.
    pub(crate) key: Option<String>,
    /// What else tells it from its like.
    pub(crate) name: Option<String>,
}

impl RowName {
    /// Reads a row's key. What cannot be read of it is shown as well as it can be.
    pub(super) fn of(row: &[u8]) -> Self {
        let Some((letter, rest)) = row.split_first() else {
            return Self::plain("a row without a key", b"");
        };
        match std::slice::from_ref(letter) {
            keys::BUCKETS => Self {
                bucket: Some(text(rest)),
                ..Self::plain("a bucket", b"")
            },
            keys::VERSIONS => Self::in_bucket("a version", rest, |key| (text(key), None)),
            keys::HISTORY => Self::in_bucket("a version", rest, |key| {
                let (key, place) = escaped(key);
                (key, place_name(place))
            }),
            keys::NULLS => Self::in_bucket("the place of a version", rest, |key| {
                (escaped(key).0, Some("null".to_owned()))
            }),
            keys::UPLOADS => Self::in_bucket("an upload", rest, |key| {
                let (key, upload) = escaped(key);
                (key, Some(hex::encode(upload)))
            }),
            keys::PARTS => Self::of_part("a part of the upload", rest, 16),
            keys::PLACED => Self::of_part("a part of an object, of the upload", rest, 24),
            keys::KMS_KEYS => Self::plain("a KMS key", rest),
            keys::KMS_ALIASES => Self::plain("an alias of a KMS key", rest),
            keys::KMS_GRANTS => Self::plain("a grant on a KMS key", rest),
            keys::SETTINGS => Self::plain("a setting", rest),
            keys::FORMAT => Self::plain("the format", b""),
            _ => Self::plain("a row of no known kind", row),
        }
    }

    /// Where nothing but a name follows, its parts one behind the other.
    fn plain(kind: &'static str, name: &[u8]) -> Self {
        Self {
            kind,
            name: Some(text(name).replace('\0', " ")).filter(|name| !name.is_empty()),
            ..Self::default()
        }
    }

    fn in_bucket(
        kind: &'static str,
        rest: &[u8],
        read: impl FnOnce(&[u8]) -> (String, Option<String>),
    ) -> Self {
        let Some(end) = rest.iter().position(|byte| *byte == 0) else {
            return Self::plain(kind, rest);
        };
        let (key, name) = read(&rest[end + 1..]);
        Self {
            kind,
            bucket: Some(text(&rest[..end])),
            key: Some(key),
            name,
        }
    }

    fn of_part(kind: &'static str, rest: &[u8], number_at: usize) -> Self {
        let upload = hex::encode(&rest[..rest.len().min(16)]);
        let number = rest.get(number_at..).and_then(|rest| rest.try_into().ok());
        let number = number.map(u32::from_be_bytes);
        Self {
            kind,
            name: Some(number.map_or_else(
                || upload.clone(),
                |number| format!("{upload}, number {number}"),
            )),
            ..Self::default()
        }
    }
}

impl fmt::Display for RowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        match &self.name {
            Some(name) => write!(f, " `{name}`"),
            None => Ok(()),
        }
    }
}

/// The place is written newest first.
fn place_name(bytes: &[u8]) -> Option<String> {
    let place = bytes.try_into().ok().map(u64::from_be_bytes);
    place.map(|newest_first| format!("at {}", Place(!newest_first).0))
}

/// A key that was escaped, and what stands behind its end.
fn escaped(bytes: &[u8]) -> (String, &[u8]) {
    let mut key = Vec::new();
    let mut rest = bytes;
    loop {
        match rest {
            [0, 1, behind @ ..] => return (text(&key), behind),
            [0, u8::MAX, behind @ ..] => {
                key.push(0);
                rest = behind;
            }
            [byte, behind @ ..] => {
                key.push(*byte);
                rest = behind;
            }
            [] => return (text(&key), rest),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bucket_name::BucketName;
    use crate::model::object_key::ObjectKey;
    use crate::model::timestamp::Timestamp;
    use crate::model::upload_id::UploadId;

    #[test]
    fn a_row_of_an_object_tells_bucket_and_key() {
        let bucket = BucketName::parse("photos").unwrap();
        let key = ObjectKey::parse("a/\0b").unwrap();
        let upload = UploadId::new(Timestamp::from_unix_millis(1), [2; 8]);
        for (row, shown) in [
            (keys::version(&bucket, &key), "a version"),
            (keys::history(&bucket, &key, Place(7)), "a version `at 7`"),
            (
                keys::null_place(&bucket, &key),
                "the place of a version `null`",
            ),
            (
                keys::upload(&bucket, &key, upload),
                "an upload `00000000000000010202020202020202`",
            ),
        ] {
            let name = RowName::of(&row);

            assert_eq!(name.to_string(), shown);
            assert_eq!(name.bucket.as_deref(), Some("photos"), "{shown}");
            assert_eq!(name.key.as_deref(), Some("a/\0b"), "{shown}");
        }
    }

    #[test]
    fn any_other_row_tells_what_it_is() {
        let upload = UploadId::new(Timestamp::from_unix_millis(1), [2; 8]);
        for (row, shown) in [
            (keys::FORMAT.to_vec(), "the format"),
            (keys::setting("check"), "a setting `check`"),
            (
                keys::kms_alias("eu-west-1", "0123", "alias/app"),
                "an alias of a KMS key `eu-west-1 0123 alias/app`",
            ),
            (
                keys::part(upload, 3),
                "a part of the upload `00000000000000010202020202020202, number 3`",
            ),
            (
                keys::placed(upload, 9, 4),
                "a part of an object, of the upload `00000000000000010202020202020202, number 4`",
            ),
            (b"p\x01".to_vec(), "a part of the upload `01`"),
            (b"k".to_vec(), "a version"),
            (b"?x".to_vec(), "a row of no known kind `?x`"),
        ] {
            assert_eq!(RowName::of(&row).to_string(), shown);
        }
    }
}
