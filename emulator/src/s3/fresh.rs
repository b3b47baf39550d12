//! What AWS answers to the GET of a configuration that was never set.
//!
//! Terraform, inventories and scanners read every sub-resource of a bucket, so each has its answer before it can be set.
//! The bodies are AWS's to the byte, element order, declarations and missing content types included.

use crate::model::bucket::Bucket;
use crate::s3::code::Code;
use crate::s3::error::{ErrorForm, S3Error};
use crate::wire::request::Request;
use crate::wire::response::Response;

/// The answer of a configuration that was never set.
#[derive(Debug)]
pub(crate) enum FreshAnswer {
    /// 200 without a content type.
    Untyped(&'static str),
    /// 200 as `application/xml`.
    Typed(&'static str),
    /// 200 as `application/xml`, `{owner}` standing for the owner's canonical id.
    OfOwner(&'static str),
    /// A list of configurations, each of which `id` would name.
    List(&'static str),
    /// An error with the bucket's name.
    Missing(Code),
    /// The same, without an XML declaration.
    BareMissing(Code),
    /// An error without the bucket's name.
    Refused(Code),
}

impl FreshAnswer {
    /// What form its error has.
    pub(crate) const fn error_form(&self) -> ErrorForm {
        match self {
            Self::BareMissing(_) => ErrorForm::Bare,
            _ => ErrorForm::Declared,
        }
    }

    /// The answer for a bucket.
    ///
    /// # Errors
    ///
    /// The `NoSuch…` of the configuration.
    pub(crate) fn of(&self, bucket: &Bucket, request: &Request) -> Result<Response, S3Error> {
        let typed = || Response::ok().header("content-type", "application/xml");
        match self {
            Self::Typed(body) => Ok(typed().body((*body).to_owned())),
            Self::OfOwner(body) => Ok(typed().body(body.replace("{owner}", &bucket.owner_id))),
            Self::List(_) if request.query.has("id") => Err(Code::NoSuchConfiguration.error()),
            Self::Untyped(body) | Self::List(body) => Ok(Response::ok().body((*body).to_owned())),
            Self::Missing(code) | Self::BareMissing(code) => {
                Err(code.with("BucketName", &bucket.name))
            }
            Self::Refused(code) => Err(code.error()),
        }
    }
}
