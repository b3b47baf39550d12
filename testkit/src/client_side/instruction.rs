//! Metadata that lie in an object of their own, `KEY.instruction`, as JSON.
//!
//! V1 and V2 leave nothing on the object. V3 leaves there what belongs to the body, so that the file cannot bend it.
//!
//! Source: <https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/data-format/metadata-strategy.md>,
//! `instruction_file.py` and `pipelines.py` of `amazon-s3-encryption-client-python` 4.0.0.

use std::collections::BTreeMap;

use crate::client_side::error::ClientSideError;
use crate::client_side::format::{KEPT_BY_V3, KNOWN, Metadata};

/// What AWS's clients append to an object's key.
pub(crate) const SUFFIX: &str = ".instruction";

/// Parts the metadata of a format into what stays on the object, and the body of its instruction file.
pub(crate) fn part(metadata: Metadata) -> (Metadata, String) {
    let (kept, moved): (Metadata, Metadata) = metadata
        .into_iter()
        .partition(|(name, _)| KEPT_BY_V3.contains(&name.as_str()));
    let moved: BTreeMap<String, String> = moved.into_iter().collect();
    let body = serde_json::to_string(&moved).expect("strings are JSON");
    (kept, body)
}

/// Joins what stands on the object with the body of its instruction file, `key`.
///
/// # Errors
///
/// [`ClientSideError::BadInstructionFile`].
pub(crate) fn join(
    mut object: Metadata,
    file: &[u8],
    key: &str,
) -> Result<Metadata, ClientSideError> {
    let bad = || ClientSideError::BadInstructionFile(key.to_owned());
    let moved: Metadata = serde_json::from_slice(file).map_err(|_| bad())?;
    let is_kept = |name: &str| KEPT_BY_V3.contains(&name);
    let is_known = |name: &str| KNOWN.contains(&name);
    let may_move = |name: &String| is_known(name) && !is_kept(name);
    let may_stay = |name: &String| is_kept(name) || !is_known(name);
    if !moved.keys().all(may_move) || !object.keys().all(may_stay) {
        return Err(bad());
    }
    object.extend(moved);
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_side::format::{CONTENT_ALGORITHM_V3, IV, KEY_V2, KEY_V3};

    fn of(pairs: &[(&str, &str)]) -> Metadata {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn v2_leaves_nothing_on_the_object() {
        let (object, file) = part(of(&[(KEY_V2, "a"), (IV, "b")]));

        assert_eq!(object, Metadata::new());
        assert_eq!(file, r#"{"x-amz-iv":"b","x-amz-key-v2":"a"}"#);
    }

    #[test]
    fn v3_leaves_what_belongs_to_the_body() {
        let whole = of(&[(KEY_V3, "a"), (CONTENT_ALGORITHM_V3, "115")]);

        let (object, file) = part(whole.clone());

        assert_eq!(object, of(&[(CONTENT_ALGORITHM_V3, "115")]));
        assert_eq!(join(object, file.as_bytes(), "k"), Ok(whole));
    }

    #[test]
    fn a_file_that_holds_what_must_not_move_was_changed() {
        let bad = Err(ClientSideError::BadInstructionFile("k".to_owned()));
        let files = [
            r#"{"x-amz-c":"115","x-amz-3":"a"}"#,
            r#"{"colour":"red"}"#,
            r#"{"x-amz-3":1}"#,
            r#"["x-amz-3"]"#,
            "",
        ];

        for file in files {
            assert_eq!(join(Metadata::new(), file.as_bytes(), "k"), bad, "{file}");
        }
        assert_eq!(join(of(&[(IV, "b")]), b"{}", "k"), bad);
    }
}
