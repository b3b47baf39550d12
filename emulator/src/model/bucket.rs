//! A bucket, as it is stored.

use serde::{Deserialize, Serialize};

use crate::model::bucket_name::BucketName;
use crate::model::encryption::BucketEncryption;
use crate::model::timestamp::Timestamp;

/// Everything that is known of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bucket {
    /// Its name, unique on the server.
    pub(crate) name: BucketName,
    /// When it was made, to the second.
    pub(crate) created: Timestamp,
    /// `LocationConstraint` as it was sent; `None` in us-east-1. `EU` stays `EU`.
    pub(crate) location: Option<String>,
    /// The account that owns it: twelve digits.
    pub(crate) account: String,
    /// The canonical id of its owner: 64 hex digits.
    pub(crate) owner_id: String,
    /// Tags given at its creation.
    pub(crate) tags: Vec<(String, String)>,
    /// Its default encryption.
    pub(crate) encryption: BucketEncryption,
    /// Whether it keeps the versions of its objects.
    #[serde(default)]
    pub(crate) versioning: Versioning,
}

/// Whether a bucket keeps the versions of its objects. Once enabled, it can be suspended, but never made unversioned again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Versioning {
    /// It never did: each key has one version, `null`.
    #[default]
    Unversioned,
    /// Each write makes a version of its own, and a deletion a marker.
    Enabled,
    /// Each write makes the version `null` and a deletion the marker `null`; all others stay.
    Suspended,
}

impl Bucket {
    /// The region in which the bucket lives, as `x-amz-bucket-region` tells it.
    pub(crate) fn region(&self) -> &str {
        match self.location.as_deref() {
            None => "us-east-1",
            Some("EU") => "eu-west-1",
            Some(region) => region,
        }
    }
}
