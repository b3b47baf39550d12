//! What can go wrong in the store, in the domain's words.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::bucket::Bucket;
use crate::model::bucket_name::BucketName;
use crate::model::object_key::ObjectKey;

/// Why the store did not do it.
#[derive(Debug)]
pub(crate) enum StoreError {
    /// There is no such bucket.
    NoSuchBucket(BucketName),
    /// There is one already.
    BucketExists(Box<Bucket>),
    /// A bucket that is to be deleted holds objects.
    BucketNotEmpty(BucketName),
    /// There is no such key.
    NoSuchKey(ObjectKey),
    /// The condition of a write or a delete does not hold.
    ConditionFailed(FailedCondition),
    /// Another process works on the folder.
    FolderInUse(PathBuf),
    /// The folder was written by a later version of this program.
    NewerFormat {
        /// Its format.
        found: u32,
        /// The latest that this program knows.
        known: u32,
    },
    /// A file does not hold what was written to it.
    Corrupted {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The file system refused.
    Io {
        /// What was tried.
        tried: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The catalogue refused.
    Catalogue(Box<dyn Error + Send + Sync>),
}

/// Which condition failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailedCondition {
    /// The key was to be absent.
    Absent,
    /// The entity tag was to match.
    Match,
}

impl StoreError {
    /// For `map_err` on a file operation.
    pub(super) fn io(tried: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            tried,
            path,
            source,
        }
    }

    /// For `map_err` on a catalogue operation.
    pub(crate) fn catalogue(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Catalogue(source.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchBucket(name) => write!(f, "there is no bucket `{name}`"),
            Self::BucketExists(bucket) => write!(f, "there is a bucket `{}` already", bucket.name),
            Self::BucketNotEmpty(name) => write!(f, "bucket `{name}` is not empty"),
            Self::NoSuchKey(key) => write!(f, "there is no key `{key}`"),
            Self::ConditionFailed(FailedCondition::Absent) => {
                f.write_str("the key is there already")
            }
            Self::ConditionFailed(FailedCondition::Match) => {
                f.write_str("the entity tag does not match")
            }
            Self::FolderInUse(path) => {
                write!(
                    f,
                    "the folder `{}` is in use by another process",
                    path.display()
                )
            }
            Self::NewerFormat { found, known } => write!(
                f,
                "the folder has format {found}, which is newer than this program's {known}: use a newer Strongroom"
            ),
            Self::Corrupted { path, detail } => {
                write!(f, "`{}` is damaged: {detail}", path.display())
            }
            Self::Io {
                tried,
                path,
                source,
            } => write!(f, "cannot {tried} `{}`: {source}", path.display()),
            Self::Catalogue(source) => write!(f, "the catalogue failed: {source}"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Catalogue(source) => Some(source.as_ref()),
            _ => None,
        }
    }
}
