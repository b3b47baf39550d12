//! The names of the metadata, and which format they spell.
//!
//! Names are written without the `x-amz-meta-` that each has as a header; the SDK leaves it out too.
//!
//! Source: <https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/data-format/content-metadata.md>,
//! and `metadata.py` of `amazon-s3-encryption-client-python` 4.0.0.

use std::collections::HashMap;

use strongroom::ClientSideFormat;

use crate::client_side::error::ClientSideError;

/// User metadata of an object, as the AWS SDK gives it.
pub(crate) type Metadata = HashMap<String, String>;

/// V1: the wrapped data key, base64.
pub(crate) const KEY_V1: &str = "x-amz-key";
/// V2: the wrapped data key, base64.
pub(crate) const KEY_V2: &str = "x-amz-key-v2";
/// V1 and V2: the IV of the body, base64.
pub(crate) const IV: &str = "x-amz-iv";
/// V1 and V2: a JSON object of strings, the encryption context where KMS wraps.
pub(crate) const DESCRIPTION: &str = "x-amz-matdesc";
/// V2: how the body is encrypted.
pub(crate) const CONTENT_ALGORITHM: &str = "x-amz-cek-alg";
/// V2: how the data key is wrapped.
pub(crate) const WRAPPING: &str = "x-amz-wrap-alg";
/// V2: the length of the GCM tag in bits.
pub(crate) const TAG_BITS: &str = "x-amz-tag-len";
/// V1, and V2 if its writer likes: the length of the plaintext in bytes.
const PLAINTEXT_BYTES: &str = "x-amz-unencrypted-content-length";
/// V3: how the body is encrypted.
pub(crate) const CONTENT_ALGORITHM_V3: &str = "x-amz-c";
/// V3: the wrapped data key, base64.
pub(crate) const KEY_V3: &str = "x-amz-3";
/// V3: how the data key is wrapped.
pub(crate) const WRAPPING_V3: &str = "x-amz-w";
/// V3: the commitment to the data key, base64.
pub(crate) const COMMITMENT: &str = "x-amz-d";
/// V3: the message id, base64.
pub(crate) const MESSAGE_ID: &str = "x-amz-i";
/// V3 under KMS: the encryption context, JSON.
pub(crate) const CONTEXT_V3: &str = "x-amz-t";
/// V3 under another wrapping: the description of the wrapping key, JSON.
pub(crate) const DESCRIPTION_V3: &str = "x-amz-m";
/// Marks an instruction file; its value is empty.
pub(crate) const INSTRUCTION_FILE: &str = "x-amz-crypto-instr-file";

/// What V3 keeps on the object, even where the rest lies in an instruction file.
pub(crate) const KEPT_BY_V3: [&str; 3] = [CONTENT_ALGORITHM_V3, COMMITMENT, MESSAGE_ID];
/// Every name of any format.
pub(crate) const KNOWN: [&str; 16] = [
    KEY_V1,
    KEY_V2,
    IV,
    DESCRIPTION,
    CONTENT_ALGORITHM,
    WRAPPING,
    TAG_BITS,
    PLAINTEXT_BYTES,
    CONTENT_ALGORITHM_V3,
    KEY_V3,
    WRAPPING_V3,
    COMMITMENT,
    MESSAGE_ID,
    CONTEXT_V3,
    DESCRIPTION_V3,
    INSTRUCTION_FILE,
];

/// How an object is encrypted by its client, as its metadata tell.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use strongroom_testkit::{ClientSide, Format, format_of};
///
/// let older = ClientSide::aes([7; 32]).v2().write(b"meow").await?;
/// assert_eq!(format_of(&older.metadata), Ok(Format::V2));
/// # Ok::<(), strongroom_testkit::ClientSideError>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The first: AES-CBC without a tag. Only read nowadays.
    V1,
    /// AES-GCM under the data key; or AES-CBC, only read nowadays.
    V2,
    /// AES-GCM under a key derived from the data key, which the object is committed to. Its wrapped key may lie in an
    /// instruction file.
    V3,
    /// The object is the instruction file of another, and holds that one's metadata.
    InstructionFile,
    /// Nothing tells of encryption: the object is plaintext, or all its keys lie in an instruction file (V1 and V2).
    None,
}

/// Names the format of an object by its metadata.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use std::collections::HashMap;
/// use strongroom_testkit::{ClientSide, Format, format_of};
///
/// let written = ClientSide::aes([7; 32]).write(b"meow").await?;
/// assert_eq!(format_of(&written.metadata), Ok(Format::V3));
/// assert_eq!(format_of(&HashMap::new()), Ok(Format::None));
/// # Ok::<(), strongroom_testkit::ClientSideError>(()) }).unwrap();
/// ```
///
/// # Errors
///
/// [`ClientSideError::TwoFormats`], and [`ClientSideError::Missing`] where a format's key lacks another that it needs.
#[expect(
    clippy::implicit_hasher,
    reason = "metadata come from the SDK, as maps of the usual kind"
)]
pub fn format_of(metadata: &HashMap<String, String>) -> Result<Format, ClientSideError> {
    match ClientSideFormat::find(metadata.keys().map(String::as_str)) {
        Some(ClientSideFormat::V1) => Ok(Format::V1),
        Some(ClientSideFormat::V2) => Ok(Format::V2),
        Some(ClientSideFormat::V3) => Ok(Format::V3),
        Some(ClientSideFormat::InstructionFile) => Ok(Format::InstructionFile),
        Some(ClientSideFormat::Mixed) => Err(ClientSideError::TwoFormats),
        Some(ClientSideFormat::Incomplete(missing)) => Err(ClientSideError::Missing(missing)),
        // Of an instruction file beside it, metadata tell nothing.
        _ => Ok(Format::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(names: &[&str]) -> Metadata {
        let pairs = names.iter().map(|name| ((*name).to_owned(), String::new()));
        pairs.collect()
    }

    #[test]
    fn each_format_is_told_by_its_keys() {
        let cases: [(&[&str], Format); 6] = [
            (&[KEY_V1, IV, DESCRIPTION], Format::V1),
            (&[KEY_V2, IV, CONTENT_ALGORITHM, WRAPPING], Format::V2),
            (
                &[
                    CONTENT_ALGORITHM_V3,
                    KEY_V3,
                    WRAPPING_V3,
                    COMMITMENT,
                    MESSAGE_ID,
                ],
                Format::V3,
            ),
            (&KEPT_BY_V3, Format::V3),
            (&[INSTRUCTION_FILE], Format::InstructionFile),
            (&["colour", IV], Format::None),
        ];

        for (names, format) in cases {
            assert_eq!(format_of(&with(names)), Ok(format), "{names:?}");
        }
    }

    #[test]
    fn keys_of_two_formats_are_an_error() {
        let both = [
            with(&[KEY_V1, KEY_V2, IV, DESCRIPTION]),
            with(&[KEY_V1, KEY_V3, IV, DESCRIPTION]),
            with(&[KEY_V2, KEY_V3, IV, CONTENT_ALGORITHM, WRAPPING]),
            with(&[KEY_V2, IV, CONTENT_ALGORITHM, WRAPPING, COMMITMENT]),
            with(&[KEY_V1, IV, DESCRIPTION, MESSAGE_ID]),
        ];

        for metadata in both {
            let format = format_of(&metadata);
            assert_eq!(format, Err(ClientSideError::TwoFormats), "{metadata:?}");
        }
    }

    #[test]
    fn a_format_without_one_of_its_keys_is_an_error() {
        let cases: [(&[&str], &str); 4] = [
            (&[KEY_V1, IV], DESCRIPTION),
            (&[KEY_V2, CONTENT_ALGORITHM, WRAPPING], IV),
            (&[KEY_V2, CONTENT_ALGORITHM, IV], WRAPPING),
            (&[KEY_V3, CONTENT_ALGORITHM_V3, MESSAGE_ID], COMMITMENT),
        ];

        for (names, missing) in cases {
            let format = format_of(&with(names));
            assert_eq!(format, Err(ClientSideError::Missing(missing)));
        }
    }
}
