//! An object version, as it is stored. There is one kind of stored object: an unversioned bucket holds the version
//! `null`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::checksum::Checksum;
use crate::model::etag::ETag;
use crate::model::object_key::ObjectKey;
use crate::model::sealing::Sealing;
use crate::model::timestamp::Timestamp;
use crate::model::upload_id::UploadId;

/// The id of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum VersionId {
    /// `null`: written while the bucket was not versioned, or while that was suspended.
    Null,
    /// Written while it was: 8 random bytes and the version's [`Place`]; 32 hex digits.
    Id(#[serde(with = "hex::serde")] [u8; 16]),
}

/// Where a version stands among those of its key: the later it was written, the greater. In microseconds of the clock, as
/// long as that goes forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place(pub(crate) u64);

/// The name of a stored body: 8 random bytes and 8 that count up from a random number; 32 hex digits.
///
/// It is the associated data of the body's encryption, so that no blob passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct BlobId(#[serde(with = "hex::serde")] pub(crate) [u8; 16]);

/// Where a sealed body lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum BlobPlace {
    /// In the catalogue, in a table of its own: sealed bodies up to 4 KiB.
    Catalogue,
    /// One file.
    File,
}

/// A sealed body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blob {
    /// Its name.
    pub(crate) id: BlobId,
    /// Where it lies.
    pub(crate) place: BlobPlace,
    /// Its size on disk, in bytes: larger than the plaintext by header and tags.
    pub(crate) sealed_bytes: u64,
}

/// What the writer of a version says of it: headers, metadata, digests, encryption. The store adds id and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VersionContent {
    /// The plaintext's size in bytes.
    pub(crate) size_bytes: u64,
    /// Its entity tag.
    pub(crate) etag: ETag,
    /// Its checksum.
    pub(crate) checksum: Option<Checksum>,
    /// System headers that go out as they came in, by lower-case name: `content-type`, `cache-control` …
    pub(crate) headers: Vec<(String, String)>,
    /// User metadata: names without `x-amz-meta-`, in lower case, in the order in which they came.
    pub(crate) metadata: Vec<(String, String)>,
    /// Tags.
    pub(crate) tags: Vec<(String, String)>,
    /// `x-amz-storage-class`; `STANDARD` is not sent on reads.
    pub(crate) storage_class: String,
    /// The canonical id of its owner.
    pub(crate) owner_id: String,
    /// How the body is encrypted.
    pub(crate) sealing: Sealing,
}

/// A version of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectVersion {
    /// The key under which it lies.
    pub(crate) key: ObjectKey,
    /// Which version of the key it is.
    pub(crate) version_id: VersionId,
    /// Its place among them.
    #[serde(default)]
    pub(crate) place: Place,
    /// When it was written, to the second.
    pub(crate) last_modified: Timestamp,
    /// What its writer said.
    pub(crate) content: VersionContent,
    /// Its sealed body.
    #[serde(flatten)]
    pub(crate) body: StoredBody,
}

/// What a deletion leaves in a versioned bucket: a version without a body, behind which the key seems to be gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteMarker {
    /// The key that was deleted.
    pub(crate) key: ObjectKey,
    /// Which version of the key it is.
    pub(crate) version_id: VersionId,
    /// Its place among them.
    pub(crate) place: Place,
    /// When it was deleted, to the second.
    pub(crate) last_modified: Timestamp,
    /// The canonical id of who deleted it.
    pub(crate) owner_id: String,
}

/// A version of a key, of either kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AnyVersion {
    /// One with a body.
    Object(Box<ObjectVersion>),
    /// A delete marker.
    Marker(DeleteMarker),
}

/// Where the sealed body of a version lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoredBody {
    /// In one blob.
    Blob(Blob),
    /// In the parts of an upload, one blob each, in the order of their numbers.
    Parts {
        /// By which the parts are found.
        upload: UploadId,
        /// How many there are.
        count: u32,
    },
}

impl StoredBody {
    /// The one blob.
    pub(crate) fn blob(&self) -> Option<Blob> {
        match self {
            Self::Blob(blob) => Some(*blob),
            Self::Parts { .. } => None,
        }
    }
}

/// The name of the blob, or of the upload: no two bodies share one.
impl fmt::Display for StoredBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blob(blob) => blob.id.fmt(f),
            Self::Parts { upload, .. } => upload.fmt(f),
        }
    }
}

impl VersionId {
    /// The id of a new version.
    pub(crate) fn new(random: [u8; 8], place: Place) -> Self {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&random);
        id[8..].copy_from_slice(&place.0.to_be_bytes());
        Self::Id(id)
    }

    /// The place that it tells; `null` tells none.
    pub(crate) fn place(&self) -> Option<Place> {
        match self {
            Self::Null => None,
            Self::Id(id) => id
                .last_chunk()
                .map(|bytes| Place(u64::from_be_bytes(*bytes))),
        }
    }

    /// Reads an id: `null`, or 32 lower-case hex digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "null" {
            return Some(Self::Null);
        }
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id).ok()?;
        Some(Self::Id(id)).filter(|id| id.to_string() == text)
    }
}

impl AnyVersion {
    /// The key that it is a version of.
    pub(crate) fn key(&self) -> &ObjectKey {
        match self {
            Self::Object(version) => &version.key,
            Self::Marker(marker) => &marker.key,
        }
    }

    /// Its id.
    pub(crate) fn version_id(&self) -> VersionId {
        match self {
            Self::Object(version) => version.version_id,
            Self::Marker(marker) => marker.version_id,
        }
    }

    /// Its place among the versions of its key.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Object(version) => version.place,
            Self::Marker(marker) => marker.place,
        }
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Id(id) => f.write_str(&hex::encode(id)),
        }
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
