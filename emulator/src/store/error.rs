//! What can go wrong in the store, in the domain's words. The store knows neither AWS's codes nor HTTP's statuses.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use crate::model::bucket::Bucket;
use crate::model::bucket_name::BucketName;
use crate::model::kms_key::KmsAlias;
use crate::model::kms_name::KeyId;
use crate::model::object::{BlobId, DeleteMarker, VersionId};
use crate::model::object_key::ObjectKey;
use crate::model::upload_id::UploadId;

/// Why the store did not do what it was asked.
#[derive(Debug)]
pub(crate) enum StoreError {
    /// No bucket has this name.
    NoSuchBucket(BucketName),
    /// The name is taken; holds the bucket that has it.
    BucketExists(Box<Bucket>),
    /// The name of the KMS alias is taken; holds the alias that has it.
    AliasExists(Box<KmsAlias>),
    /// The id of the KMS key is taken.
    KeyExists(KeyId),
    /// The bucket still holds versions.
    BucketNotEmpty(Box<Bucket>),
    /// There is no such upload under way.
    NoSuchUpload(UploadId),
    /// The object was replaced while the upload was under way.
    ConditionConflict(ObjectKey, FailedCondition),
    /// The bucket holds no object under this key.
    NoSuchKey(ObjectKey),
    /// The key has no such version.
    NoSuchVersion(ObjectKey, VersionId),
    /// The key's newest version is a delete marker.
    Deleted(Box<DeleteMarker>),
    /// The version that was named is a delete marker.
    IsMarker(Box<DeleteMarker>),
    /// The object is not in the state that the caller asked for.
    ConditionFailed(FailedCondition),
    /// Everything was replaced since the caller began.
    Replaced,
    /// What was taken is to be put back into another store.
    OtherStore,
    /// Another process holds the data folder.
    FolderInUse(PathBuf),
    /// The folder has no catalogue, and is to be looked at.
    NotOurs(PathBuf),
    /// The catalogue was written by a newer program.
    NewerFormat {
        /// The catalogue.
        file: PathBuf,
        /// The format that it has.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// The catalogue is not what was written.
    Corrupted {
        /// The catalogue.
        file: PathBuf,
        /// What was found.
        finding: String,
    },
    /// A sealed body is missing, or shorter or longer than it was.
    BrokenBlob {
        /// The blob.
        blob: BlobId,
        /// What was found.
        finding: String,
    },
    /// The system refused to read or write.
    Io {
        /// What was tried: `create`, `write` …
        tried: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Which state was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailedCondition {
    /// That there is no such object.
    Absent,
    /// That it has a certain entity tag.
    Match,
}

impl StoreError {
    /// Names what was tried and on what: for `map_err`.
    pub(super) fn io(tried: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            tried,
            path,
            source,
        }
    }

    /// The same failure once more: a batch that fails, fails for each of its members.
    pub(super) fn of_batch(&self) -> Self {
        match self {
            Self::Io {
                tried,
                path,
                source,
            } => Self::Io {
                tried,
                path: path.clone(),
                source: source.raw_os_error().map_or_else(
                    || io::Error::new(source.kind(), source.to_string()),
                    io::Error::from_raw_os_error,
                ),
            },
            Self::Corrupted { file, finding } => Self::Corrupted {
                file: file.clone(),
                finding: finding.clone(),
            },
            other => Self::Io {
                tried: "commit a batch to",
                path: PathBuf::new(),
                source: io::Error::other(other.to_string()),
            },
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchBucket(name) => write!(f, "no bucket is called `{name}`"),
            Self::BucketExists(bucket) => write!(f, "the bucket `{}` exists", bucket.name),
            Self::AliasExists(alias) => write!(f, "the alias `{}` exists", alias.name),
            Self::KeyExists(id) => write!(f, "the KMS key `{id}` exists"),
            Self::BucketNotEmpty(bucket) => write!(f, "the bucket `{}` is not empty", bucket.name),
            Self::NoSuchKey(key) => write!(f, "no object has the key `{key}`"),
            Self::NoSuchVersion(key, id) => write!(f, "the key `{key}` has no version `{id}`"),
            Self::Deleted(marker) => write!(f, "the object `{}` is deleted", marker.key),
            Self::IsMarker(marker) => write!(
                f,
                "the version `{}` of `{}` is a delete marker",
                marker.version_id, marker.key
            ),
            Self::NoSuchUpload(id) => write!(f, "no upload is called `{id}`"),
            Self::ConditionConflict(key, _) => {
                write!(f, "the object `{key}` was replaced meanwhile")
            }
            Self::ConditionFailed(_) => f.write_str("the object's state is not the one asked for"),
            Self::Replaced => f.write_str("everything was replaced meanwhile"),
            Self::OtherStore => f.write_str("the snapshot is of another server"),
            Self::FolderInUse(path) => write!(
                f,
                "the data folder `{}` is in use by another process",
                path.display()
            ),
            Self::NotOurs(path) => write!(
                f,
                "`{}` is no data folder: it has no catalogue",
                path.display()
            ),
            Self::NewerFormat { file, found, known } => write!(
                f,
                "the catalogue `{}` has format {found}; this program reads up to {known}: use the one that wrote it, or a newer one",
                file.display()
            ),
            Self::Corrupted { file, finding } => {
                write!(
                    f,
                    "the catalogue `{}` is damaged: {finding}",
                    file.display()
                )
            }
            Self::BrokenBlob { blob, finding } => {
                write!(f, "the blob `{blob}` is damaged: {finding}")
            }
            Self::Io {
                tried,
                path,
                source,
            } => write!(f, "cannot {tried} `{}`: {source}", path.display()),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
