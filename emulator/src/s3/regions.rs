//! Regions: which there are, and where a new bucket may live.
//!
//! Source: <https://docs.aws.amazon.com/general/latest/gr/s3.html>; the refusals were recorded from AWS.

use crate::s3::code::Code;
use crate::s3::error::S3Error;

/// The regions of the partition `aws`, November 2026.
const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The `LocationConstraint` that a bucket keeps, made through the endpoint of `region`: `None` in us-east-1.
///
/// # Errors
///
/// `InvalidLocationConstraint`, `IllegalLocationConstraintException`.
pub(crate) fn place_bucket(
    constraint: Option<&str>,
    region: &str,
) -> Result<Option<String>, S3Error> {
    let constraint = constraint.filter(|constraint| !constraint.is_empty());
    if region != "us-east-1" {
        let here = |constraint: &str| {
            constraint == region || (constraint == "EU" && region == "eu-west-1")
        };
        return match constraint {
            Some(constraint) if here(constraint) => Ok(Some(constraint.to_owned())),
            other => Err(illegal(other.unwrap_or("unspecified"))),
        };
    }
    match constraint {
        None => Ok(None),
        Some("EU") => Err(illegal("EU")),
        Some(other) if other != "us-east-1" && REGIONS.contains(&other) => {
            Ok(Some(other.to_owned()))
        }
        Some(other) => Err(Code::InvalidLocationConstraint.with("LocationConstraint", other)),
    }
}

/// The region that `ListBuckets` is asked for: it has to be the one that is asked.
///
/// # Errors
///
/// `InvalidArgument`.
pub(crate) fn parse(text: &str, region: &str) -> Result<String, S3Error> {
    let wanted = text.to_ascii_lowercase();
    if wanted == region {
        return Ok(wanted);
    }
    let message = if REGIONS.contains(&wanted.as_str()) {
        "Requests with bucket-region specified must be made to the corresponding regional endpoint"
            .to_owned()
    } else {
        format!("Argument value {text} is not a valid AWS Region")
    };
    Err(S3Error::argument("bucket-region", message))
}

fn illegal(constraint: &str) -> S3Error {
    Code::IllegalLocationConstraintException.says(format!(
        "The {constraint} location constraint is incompatible for the region specific endpoint this request was sent to."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(constraint: &str, region: &str) -> Code {
        place_bucket(Some(constraint), region).unwrap_err().code
    }

    #[test]
    fn the_first_region_has_no_constraint() {
        assert_eq!(place_bucket(None, "us-east-1").unwrap(), None);
        assert_eq!(place_bucket(Some(""), "us-east-1").unwrap(), None);
        assert_eq!(
            code("us-east-1", "us-east-1"),
            Code::InvalidLocationConstraint
        );
        assert_eq!(code("foo", "us-east-1"), Code::InvalidLocationConstraint);
    }

    #[test]
    fn every_other_region_demands_its_own() {
        assert_eq!(
            place_bucket(Some("us-west-2"), "us-west-2")
                .unwrap()
                .as_deref(),
            Some("us-west-2")
        );
        assert_eq!(
            place_bucket(Some("EU"), "eu-west-1").unwrap().as_deref(),
            Some("EU")
        );
        assert_eq!(
            code("us-west-1", "us-west-2"),
            Code::IllegalLocationConstraintException
        );
        assert_eq!(
            place_bucket(None, "us-west-2").unwrap_err().code,
            Code::IllegalLocationConstraintException
        );
    }
}
