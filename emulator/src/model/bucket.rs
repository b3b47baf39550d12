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
