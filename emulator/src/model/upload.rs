//! A multipart upload and its parts, as they are stored.

use serde::{Deserialize, Serialize};

use crate::model::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::model::etag::ETag;
use crate::model::object::Blob;
use crate::model::object_key::ObjectKey;
use crate::model::sealing::Sealing;
use crate::model::timestamp::Timestamp;
use crate::model::upload_id::UploadId;

/// An upload under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upload {
    /// The key under which its object will lie.
    pub(crate) key: ObjectKey,
    /// Its name.
    pub(crate) id: UploadId,
    /// When it began.
    pub(crate) initiated: Timestamp,
    /// The canonical id of who began it, the owner of its object.
    pub(crate) owner_id: String,
    /// System headers of the object, by lower-case name.
    pub(crate) headers: Vec<(String, String)>,
    /// User metadata of the object.
    pub(crate) metadata: Vec<(String, String)>,
    /// Tags of the object.
    pub(crate) tags: Vec<(String, String)>,
    /// Storage class of the object.
    pub(crate) storage_class: String,
    /// How every part is encrypted: under one data key, each on its own.
    pub(crate) sealing: Sealing,
    /// Which checksum was chosen for it; `None` where none was.
    pub(crate) checksum: Option<UploadChecksum>,
    /// The body of the key's version when it began, by which a conditional completion tells whether that was replaced.
    pub(crate) base: Option<String>,
}

/// The checksum that an upload was begun with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UploadChecksum {
    /// The algorithm.
    pub(crate) algorithm: ChecksumAlgorithm,
    /// Of the whole object, or of its parts' checksums.
    pub(crate) kind: ChecksumType,
}

/// A part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Its number: 1 to 10,000.
    pub(crate) number: u32,
    /// The plaintext's size in bytes.
    pub(crate) size_bytes: u64,
    /// Its entity tag.
    pub(crate) etag: ETag,
    /// Its checksum by the upload's algorithm, or CRC64NVME where none was chosen.
    pub(crate) checksum: Option<Checksum>,
    /// When it was written, to the second.
    pub(crate) last_modified: Timestamp,
    /// Its sealed body.
    pub(crate) blob: Blob,
}

/// A part of an object: where its plaintext lies in the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlacedPart {
    /// The offset of its first byte.
    pub(crate) start: u64,
    /// The part.
    pub(crate) part: Part,
}

impl PlacedPart {
    /// The offset behind its last byte.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.part.size_bytes
    }
}
