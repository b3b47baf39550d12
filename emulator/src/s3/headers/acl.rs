//! The ACL headers of a write, where ACLs are off: `BucketOwnerEnforced`, as buckets are born since April 2023.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>

use crate::config::NewBuckets;
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::wire::request::Request;

const GRANTS: [&str; 5] = [
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
];

/// What a request says about access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AclRequest {
    canned: Option<String>,
    grants: Vec<(&'static str, String)>,
}

impl AclRequest {
    /// Reads the headers.
    pub(crate) fn parse(request: &Request) -> Self {
        let grant = |name: &'static str| request.header(name).map(|value| (name, value.to_owned()));
        Self {
            canned: request.header("x-amz-acl").map(str::to_owned),
            grants: GRANTS.into_iter().filter_map(grant).collect(),
        }
    }

    /// Whether it says anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.canned.is_none() && self.grants.is_empty()
    }

    /// Refuses what a bucket without ACLs does not take: all but full control of the owner.
    ///
    /// # Errors
    ///
    /// `AccessControlListNotSupported`.
    pub(crate) fn check(&self, cx: &Context) -> Result<(), S3Error> {
        let owner = format!("id={}", cx.bucket()?.owner_id);
        let full_control =
            |(name, value): &(&str, String)| *name == GRANTS[0] && value.replace('"', "") == owner;
        let harmless = self
            .canned
            .as_deref()
            .is_none_or(|canned| canned == "bucket-owner-full-control")
            && self.grants.iter().all(full_control);
        if harmless || cx.settings.new_buckets == NewBuckets::Legacy {
            Ok(())
        } else {
            Err(Code::AccessControlListNotSupported.error())
        }
    }
}
