//! How an object is stored: proof that it is encrypted.

use crate::model::bucket_name::BucketName;
use crate::model::object::BlobPlace;
use crate::model::object_key::ObjectKey;
use crate::model::sealing::Sealing;
use crate::store::error::StoreError;
use crate::store::handle::Store;

/// An object as it lies in the store. No key in the clear is among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The mode it is encrypted in.
    pub mode: Mode,
    /// The object's data key, encrypted under the root key; `None` under SSE-C, where no key is kept.
    pub wrapped_key: Option<Vec<u8>>,
    /// MD5 of the customer's key; `None` in every other mode.
    pub customer_key_md5: Option<[u8; 16]>,
    /// Size of the plaintext in bytes.
    pub size_bytes: u64,
    /// The name of its blob: 32 hex digits.
    pub blob_id: String,
    /// Whether the blob is a file; small ones lie in the catalogue.
    pub is_file: bool,
    /// The bytes of the blob.
    pub raw: Vec<u8>,
}

/// A mode of server-side encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// SSE-S3: a data key for each object, wrapped under the root key.
    SseS3,
    /// SSE-C: the customer's key.
    SseC,
}

/// Looks an object up.
///
/// # Errors
///
/// [`StoreError`] where there is no such object, or its blob cannot be read.
pub(crate) fn stored(
    store: &Store,
    bucket: &BucketName,
    key: &ObjectKey,
) -> Result<Stored, StoreError> {
    let (version, reader) = store.open_version(bucket, key)?;
    let length = usize::try_from(reader.sealed_bytes()).unwrap_or(usize::MAX);
    let mut raw = vec![0; length];
    reader.read_at(0, &mut raw)?;
    let (mode, wrapped_key, customer_key_md5) = match version.content.sealing {
        Sealing::SseS3 { wrapped_key } => (Mode::SseS3, Some(wrapped_key.0), None),
        Sealing::SseC { key_md5 } => (Mode::SseC, None, Some(key_md5)),
    };
    Ok(Stored {
        mode,
        wrapped_key,
        customer_key_md5,
        size_bytes: version.content.size_bytes,
        blob_id: version.blob.id.to_string(),
        is_file: version.blob.place == BlobPlace::File,
        raw,
    })
}
