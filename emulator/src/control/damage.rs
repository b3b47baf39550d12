//! What a verification finds: damage, and what is only worth a note.

use std::fmt;

/// What is damaged, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// The bucket; `None` where it is no bucket's.
    pub bucket: Option<String>,
    /// The key of the object.
    pub key: Option<String>,
    /// Which version of it.
    pub version_id: Option<String>,
    /// Which multipart upload under way.
    pub upload_id: Option<String>,
    /// Which part of version or upload.
    pub part_number: Option<u32>,
    /// The KMS key; `None` where it is none.
    pub kms_key_arn: Option<String>,
    /// The name of the blob: 32 hex digits; `None` where it is no blob.
    pub blob_id: Option<String>,
    /// Where it lies: a file, as seen from the data folder, or `catalogue`.
    pub place: String,
    /// How it is damaged.
    pub cause: DamageCause,
}

/// How something is damaged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageCause {
    /// The blob is not there.
    #[default]
    Missing,
    /// The blob is shorter than it was.
    Cut {
        /// Its size in bytes.
        found_bytes: u64,
        /// What it was.
        expected_bytes: u64,
    },
    /// The blob is longer than it was.
    Longer {
        /// Its size in bytes.
        found_bytes: u64,
        /// What it was.
        expected_bytes: u64,
    },
    /// A segment is not what was sealed, or not for this blob.
    Tag {
        /// The layer, from the outermost, which is 1.
        layer: usize,
        /// The segment, from the first, which is 0.
        segment: u32,
    },
    /// A layer does not begin with the header of a sealed body.
    Header {
        /// The layer, from the outermost, which is 1.
        layer: usize,
    },
    /// The blob's length is none that its row's size gives.
    Length {
        /// The blob's size in bytes.
        sealed_bytes: u64,
        /// The plaintext's, as its row has it.
        size_bytes: u64,
    },
    /// The blob cannot be read: why.
    Unreadable(String),
    /// The key does not unwrap: why.
    Key(String),
    /// A row of the catalogue is not as it should be.
    Row {
        /// What it is a row of.
        name: String,
        /// What is wrong.
        finding: String,
    },
    /// The file of the catalogue is not what was written: why.
    Catalogue(String),
}

/// Something that is as it may be, and yet worth saying.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyNote {
    /// No row names a blob: a crash has left it.
    Unnamed {
        /// A file, as seen from the data folder, or `catalogue`.
        place: String,
        /// The name of the blob: 32 hex digits.
        blob_id: String,
        /// Whether the next start removes it.
        goes: bool,
    },
    /// The KMS key of an object was deleted: nothing opens the object any more.
    KeyGone {
        /// The bucket.
        bucket: String,
        /// The key of the object.
        key: String,
        /// The KMS key.
        kms_key_arn: String,
    },
    /// The material of an object's KMS key is not here, since its owner took it away or it expired: nothing opens the
    /// object until it is imported again.
    MaterialGone {
        /// The bucket.
        bucket: String,
        /// The key of the object.
        key: String,
        /// The KMS key.
        kms_key_arn: String,
    },
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Buckets.
    pub buckets: u64,
    /// Versions of objects, the current ones too.
    pub versions: u64,
    /// Delete markers.
    pub delete_markers: u64,
    /// Multipart uploads under way.
    pub uploads: u64,
    /// KMS keys.
    pub kms_keys: u64,
    /// Sealed bodies.
    pub blobs: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Those of them whose key is not at hand: of SSE-C, or under a KMS key that was deleted. Only their length was
    /// checked.
    pub unopened: u64,
    /// What is damaged.
    pub damaged: u64,
}

impl DamageCause {
    /// One word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Cut { .. } => "cut",
            Self::Longer { .. } => "longer",
            Self::Tag { .. } => "tag",
            Self::Header { .. } => "header",
            Self::Length { .. } => "length",
            Self::Unreadable(_) => "unreadable",
            Self::Key(_) => "key",
            Self::Row { .. } => "row",
            Self::Catalogue(_) => "catalogue",
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let DamageCause::Catalogue(finding) = &self.cause {
            return f.write_str(finding);
        }
        match (&self.bucket, &self.key, &self.kms_key_arn) {
            (Some(bucket), Some(key), _) => write!(f, "{bucket}/{key}")?,
            (Some(bucket), None, _) => write!(f, "the bucket {bucket}")?,
            (None, _, Some(arn)) => write!(f, "the KMS key {arn}")?,
            (None, _, None) => f.write_str("the catalogue")?,
        }
        if let Some(version) = &self.version_id {
            write!(f, ", version {version}")?;
        }
        if let Some(upload) = &self.upload_id {
            write!(f, ", upload {upload}")?;
        }
        if let Some(part) = self.part_number {
            write!(f, ", part {part}")?;
        }
        if let Some(blob) = &self.blob_id {
            write!(f, ": blob {blob} in `{}`", self.place)?;
        }
        write!(f, ": {}", self.cause)
    }
}

impl fmt::Display for DamageCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it is missing"),
            Self::Cut {
                found_bytes,
                expected_bytes,
            } => write!(
                f,
                "it was cut: it has {found_bytes} of {expected_bytes} bytes"
            ),
            Self::Longer {
                found_bytes,
                expected_bytes,
            } => write!(
                f,
                "it is longer than it was: {found_bytes} bytes instead of {expected_bytes}"
            ),
            Self::Tag { layer, segment } => write!(
                f,
                "it was altered: the tag of segment {segment} in layer {layer} does not match"
            ),
            Self::Header { layer } => {
                write!(f, "it was altered: the header of layer {layer} is none")
            }
            Self::Length {
                sealed_bytes,
                size_bytes,
            } => write!(
                f,
                "its {sealed_bytes} bytes cannot hold the {size_bytes} that its row tells of"
            ),
            Self::Unreadable(finding) | Self::Key(finding) | Self::Catalogue(finding) => {
                f.write_str(finding)
            }
            Self::Row { name, finding } => write!(f, "the row of {name} is damaged: {finding}"),
        }
    }
}

impl fmt::Display for VerifyNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed {
                place,
                blob_id,
                goes,
            } => {
                write!(f, "no row names the blob {blob_id} in `{place}`")?;
                f.write_str(if *goes {
                    ": the next start removes it"
                } else {
                    ""
                })
            }
            Self::KeyGone {
                bucket,
                key,
                kms_key_arn,
            } => write!(
                f,
                "{bucket}/{key}: nothing opens it any more, as its KMS key {kms_key_arn} was deleted"
            ),
            Self::MaterialGone {
                bucket,
                key,
                kms_key_arn,
            } => write!(
                f,
                "{bucket}/{key}: nothing opens it until the material of its KMS key {kms_key_arn} is imported again"
            ),
        }
    }
}
