//! How an object is stored: proof that it is encrypted.

use std::collections::BTreeMap;

use crate::model::bucket_name::BucketName;
use crate::model::object::{Blob, BlobPlace};
use crate::model::object_key::ObjectKey;
use crate::model::sealing::{KmsWrapping, Sealing, WrappedKey};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::open_body::OpenBody;
use crate::store::reader::BlobReader;

/// An object as it lies in the store. No key in the clear is among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The mode it is encrypted in.
    pub mode: Mode,
    /// The layers that its bytes lie under, the outermost first: two under DSSE-KMS, one in every other mode.
    pub layers: Vec<Layer>,
    /// The ARN of the KMS key; `None` in the modes that have none.
    pub kms_key_arn: Option<String>,
    /// The encryption context that KMS bound its ciphertext to; empty in the modes that have none.
    pub context: BTreeMap<String, String>,
    /// The bucket key as KMS encrypted it; `None` where none was used.
    pub bucket_key: Option<Vec<u8>>,
    /// MD5 of the customer's key; `None` in every other mode.
    pub customer_key_md5: Option<[u8; 16]>,
    /// Size of the plaintext in bytes.
    pub size_bytes: u64,
    /// The name of its first blob: 32 hex digits.
    pub blob_id: String,
    /// Whether any of its blobs is a file; small ones lie in the catalogue.
    pub is_file: bool,
    /// The bytes of its blobs, one behind the other.
    pub raw: Vec<u8>,
    /// Its blobs: one, or one a part of a multipart upload, in their order.
    pub blobs: Vec<StoredBlob>,
}

/// A blob of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its name: 32 hex digits.
    pub id: String,
    /// Whether it is a file; small ones lie in the catalogue.
    pub is_file: bool,
    /// Its bytes.
    pub raw: Vec<u8>,
}

/// A mode of server-side encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// SSE-S3: a data key for each object, wrapped under the root key.
    SseS3,
    /// SSE-KMS: a data key from KMS.
    SseKms,
    /// DSSE-KMS: a layer under a data key from KMS, and one under S3's own over it.
    DsseKms,
    /// SSE-C: the customer's key.
    SseC,
}

/// One layer of an object's encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What its data key is wrapped under.
    pub under: WrappedUnder,
    /// The data key, wrapped; `None` under SSE-C, where no key is kept.
    pub wrapped_key: Option<Vec<u8>>,
}

/// What wraps a data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WrappedUnder {
    /// The server's root key.
    RootKey,
    /// A KMS key.
    KmsKey,
    /// A bucket key, which a KMS key wraps.
    BucketKey,
    /// Nothing: the customer brings the key.
    Nothing,
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
    let (version, body) = store.open_version(bucket, key, None)?;
    let blobs = match body {
        OpenBody::Blob(blob, reader) => vec![raw(blob, &reader)?],
        OpenBody::Parts(parts) => {
            let last = version.content.size_bytes.saturating_sub(1);
            let wanted = parts.within((0, last))?.into_iter();
            let opened = wanted.map(|wanted| {
                let (part, reader) = wanted.open()?;
                raw(part.blob, &reader)
            });
            opened.collect::<Result<_, StoreError>>()?
        }
    };
    let key = KeyFacts::of(&version.content.sealing);
    Ok(Stored {
        mode: key.mode,
        layers: key.layers,
        kms_key_arn: key.kms.map(|kms| kms.key_arn.clone()),
        context: key
            .kms
            .map(|kms| kms.context.pairs().clone())
            .unwrap_or_default(),
        bucket_key: key.kms.and_then(bucket_key),
        customer_key_md5: key.customer_key_md5,
        size_bytes: version.content.size_bytes,
        is_file: blobs.iter().any(|blob| blob.is_file),
        raw: blobs.iter().flat_map(|blob| blob.raw.clone()).collect(),
        blob_id: blobs
            .first()
            .map(|blob| blob.id.clone())
            .unwrap_or_default(),
        blobs,
    })
}

fn raw(blob: Blob, reader: &BlobReader) -> Result<StoredBlob, StoreError> {
    let mut raw = Vec::new();
    if let Ok(length) = usize::try_from(reader.sealed_bytes()) {
        raw.resize(length, 0);
    }
    reader.read_at(0, &mut raw)?;
    Ok(StoredBlob {
        id: blob.id.to_string(),
        is_file: blob.place == BlobPlace::File,
        raw,
    })
}

/// What a sealing says of keys.
struct KeyFacts<'s> {
    mode: Mode,
    layers: Vec<Layer>,
    kms: Option<&'s KmsWrapping>,
    customer_key_md5: Option<[u8; 16]>,
}

impl<'s> KeyFacts<'s> {
    fn of(sealing: &'s Sealing) -> Self {
        let (mode, layers, kms, customer_key_md5) = match sealing {
            Sealing::SseS3 { wrapped_key } => (Mode::SseS3, vec![own(wrapped_key)], None, None),
            Sealing::SseKms(kms) => (Mode::SseKms, vec![of_kms(kms)], Some(kms), None),
            Sealing::DsseKms { kms, wrapped_key } => {
                let layers = vec![own(wrapped_key), of_kms(kms)];
                (Mode::DsseKms, layers, Some(kms), None)
            }
            Sealing::SseC { key_md5 } => (Mode::SseC, vec![customers()], None, Some(*key_md5)),
        };
        Self {
            mode,
            layers,
            kms,
            customer_key_md5,
        }
    }
}

fn own(wrapped_key: &WrappedKey) -> Layer {
    Layer {
        under: WrappedUnder::RootKey,
        wrapped_key: Some(wrapped_key.0.clone()),
    }
}

fn of_kms(kms: &KmsWrapping) -> Layer {
    let (under, key) = match &kms.under_bucket_key {
        None => (WrappedUnder::KmsKey, &kms.ciphertext),
        Some(key) => (WrappedUnder::BucketKey, key),
    };
    Layer {
        under,
        wrapped_key: Some(key.0.clone()),
    }
}

fn customers() -> Layer {
    Layer {
        under: WrappedUnder::Nothing,
        wrapped_key: None,
    }
}

fn bucket_key(kms: &KmsWrapping) -> Option<Vec<u8>> {
    kms.under_bucket_key
        .as_ref()
        .map(|_| kms.ciphertext.0.clone())
}
