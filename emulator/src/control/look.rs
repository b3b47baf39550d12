//! Looks an object up, and tells how it lies in the store.

use std::fmt;

use crate::control::client_side::ClientSideFormat;
use crate::control::layout::layers_of;
use crate::control::sealing::KeyFacts;
use crate::control::stored::{BucketDefault, KmsMaterial, Stored, StoredBlob, Surroundings};
use crate::keyring::reveal::used_material;
use crate::model::bucket_name::{BucketName, InvalidBucketName};
use crate::model::context::EncryptionContext;
use crate::model::kms_name::KeyName;
use crate::model::object::{Blob, BlobPlace, ObjectVersion, VersionId};
use crate::model::object_key::{InvalidObjectKey, ObjectKey};
use crate::model::sealing::KmsWrapping;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::open_body::OpenBody;
use crate::store::reader::BlobReader;

/// How every body is sealed.
const ALGORITHM: &str =
    "Tink AES-CTR-HMAC streaming AEAD: AES-256, HKDF-SHA256, HMAC-SHA256, segments of 64 KiB";
/// What the key of an instruction file ends with.
const INSTRUCTION_SUFFIX: &str = ".instruction";

/// An object that somebody asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'w> {
    /// Its bucket.
    pub(crate) bucket: &'w str,
    /// Its key.
    pub(crate) key: &'w str,
    /// Which version of it; `None` for the current one.
    pub(crate) version: Option<&'w str>,
}

/// An object that was found.
#[derive(Debug)]
pub(crate) struct Found {
    bucket: BucketName,
    version: ObjectVersion,
    body: OpenBody,
}

/// Why an object cannot be told of.
#[derive(Debug)]
pub(crate) enum LookError {
    /// No bucket can have this name.
    BadBucket(InvalidBucketName),
    /// No object can have this key.
    BadKey(InvalidObjectKey),
    /// No version is called so.
    BadVersion {
        /// The key.
        key: ObjectKey,
        /// The version.
        version: String,
    },
    /// There is none, or the store failed.
    Store(StoreError),
}

/// Looks an object up.
///
/// # Errors
///
/// [`LookError`] where there is none.
pub(crate) fn find(store: &Store, wanted: &Wanted<'_>) -> Result<Found, LookError> {
    let bucket = BucketName::parse(wanted.bucket).map_err(LookError::BadBucket)?;
    let key = ObjectKey::parse(wanted.key).map_err(LookError::BadKey)?;
    let no_such = |version: &str| LookError::BadVersion {
        key: key.clone(),
        version: version.to_owned(),
    };
    let parse = |id: &str| VersionId::parse(id).ok_or_else(|| no_such(id));
    let id = wanted.version.map(parse).transpose()?;
    let (version, body) = store.open_version(&bucket, &key, id)?;
    Ok(Found {
        bucket,
        version,
        body,
    })
}

impl Found {
    /// What the key of the object is bound to.
    pub(crate) fn context(&self) -> EncryptionContext {
        let arn = format!("{}/{}", self.bucket.arn(), self.version.key);
        EncryptionContext::of_s3(&arn)
    }

    /// The object itself.
    pub(crate) fn version(&self) -> &ObjectVersion {
        &self.version
    }

    /// The size of its blobs in bytes.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn sealed_bytes(&self) -> Result<u64, StoreError> {
        match &self.body {
            OpenBody::Blob(blob, _) => Ok(blob.sealed_bytes),
            OpenBody::Parts(parts) => {
                let parts = parts.all()?.into_iter();
                Ok(parts.map(|placed| placed.part.blob.sealed_bytes).sum())
            }
        }
    }

    /// How it lies in the store: with the bytes of its blobs, or without them. Blocks.
    ///
    /// # Errors
    ///
    /// [`LookError::Store`] for a blob that cannot be read.
    pub(crate) fn describe(&self, store: &Store, with_raw: bool) -> Result<Stored, LookError> {
        let keys = KeyFacts::of(&self.version.content.sealing, &self.context());
        let blobs = self.blobs(keys.layers.len(), with_raw)?;
        let content = &self.version.content;
        Ok(Stored {
            version_id: self.version.version_id.to_string(),
            mode: keys.mode,
            algorithm: ALGORITHM,
            kms_key_arn: keys.kms.map(|kms| kms.key_arn.clone()),
            context: keys
                .kms
                .map(|kms| kms.context.pairs().clone())
                .unwrap_or_default(),
            bucket_key: keys.bucket_key(),
            customer_key_md5: keys.customer_key_md5,
            layers: keys.layers,
            client_side: self.client_side(store)?,
            metadata: content.metadata.clone(),
            size_bytes: content.size_bytes,
            blob_id: blobs
                .first()
                .map(|blob| blob.id.clone())
                .unwrap_or_default(),
            is_file: blobs.iter().any(|blob| blob.is_file),
            raw: blobs.iter().flat_map(|blob| blob.raw.clone()).collect(),
            blobs,
        })
    }

    /// What stands around it.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `Io`, `Corrupted`.
    pub(crate) fn surroundings(&self, store: &Store) -> Result<Surroundings, StoreError> {
        let (kms_key_aliases, kms_material) = match self.version.content.sealing.kms() {
            Some(kms) => (aliases(store, kms)?, material(store, kms)?),
            None => (Vec::new(), None),
        };
        Ok(Surroundings {
            kms_key_aliases,
            kms_material,
            bucket_default: bucket_default(store, &self.bucket)?,
        })
    }

    fn blobs(&self, layers: usize, with_raw: bool) -> Result<Vec<StoredBlob>, StoreError> {
        let size_bytes = self.version.content.size_bytes;
        let parts = match &self.body {
            OpenBody::Blob(blob, reader) => {
                let mut stored = described(*blob, size_bytes, layers)?;
                if with_raw {
                    stored.raw = raw(reader)?;
                }
                return Ok(vec![stored]);
            }
            OpenBody::Parts(parts) => parts,
        };
        let described = parts.all()?.into_iter().map(|placed| {
            let part = placed.part;
            let mut stored = described(part.blob, part.size_bytes, layers)?;
            stored.part_number = Some(part.number);
            if with_raw {
                stored.raw = raw(&parts.open(&part)?)?;
            }
            Ok(stored)
        });
        described.collect()
    }

    /// An object without a client's keys may have them in a file of its own.
    fn client_side(&self, store: &Store) -> Result<Option<ClientSideFormat>, StoreError> {
        let format = format_of(&self.version);
        if format.is_some() {
            return Ok(format);
        }
        let file = format!("{}{INSTRUCTION_SUFFIX}", self.version.key);
        let Ok(file) = ObjectKey::parse(&file) else {
            return Ok(None);
        };
        match store.version(&self.bucket, &file, None) {
            Ok(file) if format_of(&file) == Some(ClientSideFormat::InstructionFile) => {
                Ok(Some(ClientSideFormat::KeysApart))
            }
            Ok(_) | Err(StoreError::NoSuchKey(_) | StoreError::Deleted(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn format_of(version: &ObjectVersion) -> Option<ClientSideFormat> {
    let names = version.content.metadata.iter();
    ClientSideFormat::find(names.map(|(name, _)| name.as_str()))
}

fn described(blob: Blob, size_bytes: u64, layers: usize) -> Result<StoredBlob, StoreError> {
    let damaged = || StoreError::BrokenBlob {
        blob: blob.id,
        finding: format!("no sealed body has {} bytes", blob.sealed_bytes),
    };
    Ok(StoredBlob {
        id: blob.id.to_string(),
        part_number: None,
        size_bytes,
        sealed_bytes: blob.sealed_bytes,
        layout: layers_of(blob.sealed_bytes, layers).ok_or_else(damaged)?,
        is_file: blob.place == BlobPlace::File,
        raw: Vec::new(),
    })
}

fn raw(reader: &BlobReader) -> Result<Vec<u8>, StoreError> {
    let mut raw = Vec::new();
    if let Ok(length) = usize::try_from(reader.sealed_bytes()) {
        raw.resize(length, 0);
    }
    reader.read_at(0, &mut raw)?;
    Ok(raw)
}

fn aliases(store: &Store, kms: &KmsWrapping) -> Result<Vec<String>, StoreError> {
    let KeyName::Arn {
        region,
        account,
        id,
    } = KeyName::parse(&kms.key_arn)
    else {
        return Ok(Vec::new());
    };
    let place = (region.as_str(), account.as_str());
    let page = store.list_kms_aliases(place, Some(&id), None, usize::MAX)?;
    Ok(page.rows.into_iter().map(|alias| alias.name).collect())
}

fn material(store: &Store, kms: &KmsWrapping) -> Result<Option<KmsMaterial>, StoreError> {
    let used = used_material(store, kms)?;
    Ok(used.map(|used| KmsMaterial {
        id: used.id,
        wrapped: used.wrapped.0,
        context: used.context.pairs().clone(),
    }))
}

fn bucket_default(store: &Store, bucket: &BucketName) -> Result<BucketDefault, StoreError> {
    let rule = store.bucket(bucket)?.encryption;
    Ok(BucketDefault {
        algorithm: rule.algorithm.name(),
        kms_key_id: rule.kms_key_id,
        bucket_key_enabled: rule.bucket_key_enabled,
    })
}

impl From<StoreError> for LookError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for LookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadBucket(error) => error.fmt(f),
            Self::BadKey(error) => error.fmt(f),
            Self::BadVersion { key, version } => {
                write!(f, "the key `{key}` has no version `{version}`")
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}
