//! How an object is stored: proof that it is encrypted.

use std::collections::BTreeMap;
use std::fmt;

use crate::control::client_side::ClientSideFormat;
use crate::control::layout::LayerLayout;

/// An object as it lies in the store. No key in the clear is among it.
///
/// ```
/// # fn check(server: &strongroom::Running) -> Result<(), String> {
/// let stored = server.stored("photos", "cat")?;
/// assert_eq!(stored.size_bytes, 4);
/// assert!(!stored.raw.windows(4).any(|bytes| bytes == b"meow"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Which version of the key it is; `null` for one that was written while the bucket was not versioned.
    pub version_id: String,
    /// The mode it is encrypted in.
    pub mode: Mode,
    /// The algorithm of every layer.
    pub algorithm: &'static str,
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
    /// What its client says of an encryption of its own; `None` where it says nothing.
    pub client_side: Option<ClientSideFormat>,
    /// User metadata: names without `x-amz-meta-`. On AWS too, they are not encrypted.
    pub metadata: Vec<(String, String)>,
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
///
/// ```
/// # fn check(server: &strongroom::Running) -> Result<(), String> {
/// let film = server.stored("photos", "film")?;
/// let parts: Vec<_> = film.blobs.iter().map(|blob| blob.part_number).collect();
/// assert_eq!(parts, [Some(1), Some(2)]);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its name: 32 hex digits.
    pub id: String,
    /// The number of its part; `None` for an object that was not uploaded in parts.
    pub part_number: Option<u32>,
    /// Size of its plaintext in bytes.
    pub size_bytes: u64,
    /// Its own size in bytes.
    pub sealed_bytes: u64,
    /// How each layer of it is cut, the outermost first.
    pub layout: Vec<LayerLayout>,
    /// Whether it is a file; small ones lie in the catalogue.
    pub is_file: bool,
    /// Its bytes.
    pub raw: Vec<u8>,
}

/// A mode of server-side encryption.
///
/// ```
/// # use strongroom::Mode;
/// assert_eq!(Mode::DsseKms.to_string(), "DSSE-KMS");
/// ```
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
///
/// ```
/// # fn check(server: &strongroom::Running) -> Result<(), String> {
/// # use strongroom::WrappedUnder;
/// let stored = server.stored("photos", "cat")?;
/// let under: Vec<_> = stored.layers.iter().map(|layer| layer.under).collect();
/// assert_eq!(under, [WrappedUnder::RootKey, WrappedUnder::KmsKey], "DSSE-KMS has two");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What its data key is wrapped under.
    pub under: WrappedUnder,
    /// The data key, wrapped; `None` under SSE-C, where no key is kept.
    pub wrapped_key: Option<Vec<u8>>,
    /// What the wrapped key is bound to: with any other context it does not open.
    pub context: BTreeMap<String, String>,
}

/// What wraps a data key.
///
/// ```
/// # fn check(server: &strongroom::Running) -> Result<(), String> {
/// # use strongroom::WrappedUnder;
/// let layer = &server.stored("photos", "cat")?.layers[0];
/// assert_eq!(layer.under, WrappedUnder::Nothing, "the customer brings the key");
/// assert_eq!(layer.wrapped_key, None);
/// # Ok(()) }
/// ```
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

/// The bytes of a KMS key, as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsMaterial {
    /// `KeyMaterialId`: 64 hex digits.
    pub id: String,
    /// The bytes, wrapped under the root key.
    pub wrapped: Vec<u8>,
    /// What they are bound to.
    pub context: BTreeMap<String, String>,
}

/// What stands around an object and may change while it stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// The aliases that its KMS key has now: `alias/app`.
    pub kms_key_aliases: Vec<String>,
    /// The material of the KMS key by which KMS encrypted, as it is stored; `None` in the modes that have none, and where
    /// the key is gone.
    pub kms_material: Option<KmsMaterial>,
    /// The default encryption that its bucket has now.
    pub bucket_default: BucketDefault,
}

/// What an upload gets that asks for no encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketDefault {
    /// `SSEAlgorithm`: `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: &'static str,
    /// `KMSMasterKeyID`, as it was put.
    pub kms_key_id: Option<String>,
    /// `BucketKeyEnabled`.
    pub bucket_key_enabled: bool,
}

impl Mode {
    /// `x-amz-server-side-encryption`; `None` for SSE-C, which has headers of its own.
    ///
    /// ```
    /// # use strongroom::Mode;
    /// assert_eq!(Mode::SseKms.algorithm(), Some("aws:kms"));
    /// assert_eq!(Mode::SseC.algorithm(), None);
    /// ```
    pub fn algorithm(self) -> Option<&'static str> {
        match self {
            Self::SseS3 => Some("AES256"),
            Self::SseKms => Some("aws:kms"),
            Self::DsseKms => Some("aws:kms:dsse"),
            Self::SseC => None,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SseS3 => "SSE-S3",
            Self::SseKms => "SSE-KMS",
            Self::DsseKms => "DSSE-KMS",
            Self::SseC => "SSE-C",
        })
    }
}

impl fmt::Display for WrappedUnder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RootKey => "root key",
            Self::KmsKey => "KMS key",
            Self::BucketKey => "bucket key",
            Self::Nothing => "nothing",
        })
    }
}
