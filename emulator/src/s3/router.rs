//! The table, and the one entry of it that a request meets.
//!
//! First the sub-resource (two at once are refused), then the method, then what tells neighbours apart. All of it comes
//! before credentials, as on AWS.

use http::Method;

use crate::s3::code::Code;
use crate::s3::error::S3Error;
use crate::s3::operation::{Entry, Scope};
use crate::s3::operations::FAMILIES;
use crate::s3::selectors::{AtKey, SELECTORS, Selector};
use crate::s3::target::Target;
use crate::wire::request::Request;

/// The entry that answers a request.
///
/// # Errors
///
/// `InvalidArgument` for two sub-resources or a version at a bucket, `InvalidRequest`, `MethodNotAllowed`,
/// `PreconditionFailed` for a POST that is no form, `BadRequest` for a method that HTTP does not know.
pub(crate) fn find(request: &Request, target: &Target) -> Result<&'static Entry, S3Error> {
    check_method(&request.method)?;
    let (scope, selector) = place(request, target)?;
    let query = selector.map(|selector| selector.query);
    let here = || entries().filter(move |entry| entry.route.is_at(scope, query));
    here()
        .filter(|entry| entry.route.takes(request))
        .max_by_key(|entry| entry.route.demands())
        .ok_or_else(|| refuse_method(request, scope, selector, here()))
}

/// All rows of the table.
pub(crate) fn entries() -> impl Iterator<Item = &'static Entry> {
    FAMILIES.iter().copied().flatten()
}

fn check_method(method: &Method) -> Result<(), S3Error> {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::PUT
        | Method::POST
        | Method::DELETE
        | Method::OPTIONS => Ok(()),
        _ => Err(Code::BadRequest.error()),
    }
}

/// Scope and sub-resource of a request.
fn place(
    request: &Request,
    target: &Target,
) -> Result<(Scope, Option<&'static Selector>), S3Error> {
    let selected: Vec<_> = SELECTORS
        .iter()
        .filter(|selector| request.query.has(selector.query))
        .collect();
    if let [first, _, ..] = selected[..] {
        let names = selected
            .iter()
            .map(|selector| selector.query)
            .collect::<Vec<_>>()
            .join(", ");
        let message = format!("Conflicting query string parameters: {names}");
        return Err(S3Error::argument_value(
            "ResourceType",
            first.query,
            message,
        ));
    }
    let selector = selected.first().copied();
    if request
        .query
        .find("website")
        .is_some_and(|value| !value.is_empty())
    {
        return Err(S3Error::argument(
            "website",
            "The website parameter must not have a value",
        ));
    }
    match target {
        Target::Service => Ok((Scope::Service, None)),
        Target::Bucket(_) => {
            check_bucket_query(request)?;
            Ok((
                Scope::Bucket,
                selector.filter(|selector| selector.of_bucket.is_some()),
            ))
        }
        Target::Object(_) => at_key(selector),
    }
}

fn check_bucket_query(request: &Request) -> Result<(), S3Error> {
    if let Some(version) = request.query.find("versionId") {
        let message = "This operation does not accept a version-id.";
        return Err(S3Error::argument_value("versionId", version, message));
    }
    if request.query.has("partNumber") {
        return Err(Code::InvalidRequest.says("Object must have a valid key name."));
    }
    Ok(())
}

fn at_key(
    selector: Option<&'static Selector>,
) -> Result<(Scope, Option<&'static Selector>), S3Error> {
    match selector {
        None => Ok((Scope::Object, None)),
        Some(selector) if selector.of_object.is_some() => Ok((Scope::Object, Some(selector))),
        Some(selector) => match selector.at_key {
            AtKey::Ignored => Ok((Scope::Object, None)),
            AtKey::Bucket => Ok((Scope::Bucket, Some(selector))),
            AtKey::Refused(message) => Err(Code::InvalidRequest.says(message)),
        },
    }
}

fn refuse_method<'e>(
    request: &Request,
    scope: Scope,
    selector: Option<&Selector>,
    here: impl Iterator<Item = &'e Entry>,
) -> S3Error {
    if scope == Scope::Bucket && selector.is_none() && request.method == Method::POST {
        let condition = "Bucket POST must be of the enclosure-type multipart/form-data";
        return Code::PreconditionFailed.with("Condition", condition);
    }
    let mut allowed: Vec<_> = here.map(|entry| entry.route.method()).collect();
    allowed.sort_unstable();
    allowed.dedup();
    Code::MethodNotAllowed
        .with("Method", &request.method)
        .with("ResourceType", resource_type(scope, selector))
        .with_header("allow", allowed.join(", "))
}

fn resource_type(scope: Scope, selector: Option<&Selector>) -> &'static str {
    let (selected, plain) = match scope {
        Scope::Service => (None, "SERVICE"),
        Scope::Bucket => (selector.and_then(|selector| selector.of_bucket), "BUCKET"),
        Scope::Object => (selector.and_then(|selector| selector.of_object), "OBJECT"),
    };
    selected.unwrap_or(plain)
}
