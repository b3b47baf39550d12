//! Buckets themselves: `CreateBucket`, `HeadBucket`, `DeleteBucket`, `ListBuckets`, `GetBucketLocation`.
//!
//! One server holds all regions: a bucket lives where its `LocationConstraint` says, and a request is sent to the region
//! of its credential scope.

use crate::model::bucket::{Bucket, Versioning};
use crate::model::bucket_name::BucketName;
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::headers::acl::AclRequest;
use crate::s3::headers::metadata::check_tag;
use crate::s3::operation::{Entry, Incoming, Operation, Payload, Route, Scope};
use crate::s3::regions;
use crate::s3::respond;
use crate::s3::shapes::Token;
use crate::store::buckets::{BucketPage, BucketQuery};
use crate::store::error::StoreError;
use crate::wire::query::Query;
use crate::wire::response::Response;
use crate::wire::xml::{self, Element, XmlWriter};

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<CreateBucket>(),
    Entry::of::<HeadBucket>(),
    Entry::of::<DeleteBucket>(),
    Entry::of::<ListBuckets>(),
    Entry::of::<GetBucketLocation>(),
];

/// The most buckets of one page.
const MAX_BUCKETS: usize = 10_000;

/// `PUT /{bucket}`: makes a bucket.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
#[derive(Debug)]
struct CreateBucket {
    name: BucketName,
    location: Option<String>,
    tags: Vec<(String, String)>,
}

impl Operation for CreateBucket {
    const NAME: &'static str = "CreateBucket";
    const ROUTE: Route = Route::put(Scope::Bucket);
    const PAYLOAD: Payload = Payload::Document;
    const NEEDS_BUCKET: bool = false;

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        check_ownership(incoming)?;
        let document = &incoming.request.document;
        let wanted = if document.is_empty() {
            Configuration::default()
        } else {
            parse_configuration(document)?
        };
        Ok(Self {
            name: incoming.bucket_name()?,
            location: regions::place_bucket(wanted.location.as_deref(), &incoming.region)?,
            tags: wanted.tags,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let bucket = self.bucket(cx)?;
        let made = cx.store.create_bucket(bucket.clone()).await;
        if let Err(StoreError::BucketExists(existing)) = made {
            again(&existing, &bucket)?;
        } else {
            made?;
        }
        let elsewhere = format!("http://{}.s3.amazonaws.com/", bucket.name);
        let location = if bucket.region() == "us-east-1" {
            format!("/{}", bucket.name)
        } else {
            elsewhere
        };
        Ok(Response::ok()
            .header("location", location)
            .header("x-amz-bucket-arn", bucket.name.arn()))
    }
}

impl CreateBucket {
    fn bucket(self, cx: &Context) -> Result<Bucket, S3Error> {
        Ok(Bucket {
            name: self.name,
            created: cx.clock.now().to_seconds(),
            location: self.location,
            account: cx.caller_account()?.to_owned(),
            owner_id: cx.caller_id()?.to_owned(),
            tags: self.tags,
            encryption: cx.settings.first_encryption(),
            versioning: Versioning::Unversioned,
        })
    }
}

/// What becomes of a second creation: only us-east-1 forgives its owner, and only if no tags are sent.
fn again(existing: &Bucket, wanted: &Bucket) -> Result<(), S3Error> {
    if existing.account != wanted.account {
        return Err(Code::BucketAlreadyExists.with("BucketName", &existing.name));
    }
    let forgiven = existing.region() == "us-east-1"
        && wanted.region() == "us-east-1"
        && wanted.tags.is_empty();
    if forgiven {
        Ok(())
    } else {
        Err(Code::BucketAlreadyOwnedByYou.with("BucketName", &existing.name))
    }
}

/// Ownership and ACL headers, as far as they are built: `BucketOwnerEnforced` without ACLs.
fn check_ownership(incoming: &Incoming) -> Result<(), S3Error> {
    let request = &incoming.request;
    match request.header("x-amz-object-ownership") {
        None | Some("BucketOwnerEnforced") => {}
        Some("BucketOwnerPreferred" | "ObjectWriter") => {
            return Err(Code::NotImplemented.with("Header", "x-amz-object-ownership"));
        }
        Some(value) => {
            let message = format!("Invalid x-amz-object-ownership header: {value}");
            return Err(S3Error::argument("x-amz-object-ownership", message));
        }
    }
    if request
        .header("x-amz-bucket-object-lock-enabled")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        return Err(Code::NotImplemented.with("Header", "x-amz-bucket-object-lock-enabled"));
    }
    if AclRequest::parse(request).is_empty() {
        Ok(())
    } else {
        Err(Code::InvalidBucketAclWithObjectOwnership.error())
    }
}

/// `HEAD /{bucket}`: whether a bucket is there, and where.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
#[derive(Debug)]
struct HeadBucket;

impl Operation for HeadBucket {
    const NAME: &'static str = "HeadBucket";
    const ROUTE: Route = Route::head(Scope::Bucket);

    fn parse(_: &mut Incoming) -> Result<Self, S3Error> {
        Ok(Self)
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let bucket = cx.bucket()?;
        Ok(Response::ok()
            .header("content-type", "application/xml")
            .header("x-amz-bucket-region", bucket.region())
            .header("x-amz-bucket-arn", bucket.name.arn())
            .header("x-amz-access-point-alias", "false"))
    }
}

/// `DELETE /{bucket}`: removes an empty bucket and its configurations.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html>
#[derive(Debug)]
struct DeleteBucket;

impl Operation for DeleteBucket {
    const NAME: &'static str = "DeleteBucket";
    const ROUTE: Route = Route::delete(Scope::Bucket);

    fn parse(_: &mut Incoming) -> Result<Self, S3Error> {
        Ok(Self)
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        cx.store.delete_bucket(&cx.bucket()?.name).await?;
        Ok(Response::no_content())
    }
}

/// `GET /{bucket}?location`: the region, by its old name.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>
#[derive(Debug)]
struct GetBucketLocation;

impl Operation for GetBucketLocation {
    const NAME: &'static str = "GetBucketLocation";
    const ROUTE: Route = Route::get(Scope::Bucket).query("location");

    fn parse(_: &mut Incoming) -> Result<Self, S3Error> {
        Ok(Self)
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let mut xml = XmlWriter::document("LocationConstraint");
        xml.text(cx.bucket()?.location.as_deref().unwrap_or_default());
        Ok(respond::xml(xml))
    }
}

/// `GET /`: the caller's buckets.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>
#[derive(Debug)]
struct ListBuckets {
    limit: usize,
    region: Option<String>,
    after: Option<String>,
    prefix: Option<String>,
    paged: bool,
}

impl Operation for ListBuckets {
    const NAME: &'static str = "ListBuckets";
    const ROUTE: Route = Route::get(Scope::Service);

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let query = &incoming.request.query;
        let limit = parse_max_buckets(query)?;
        let region = query
            .find("bucket-region")
            .map(|region| regions::parse(region, &incoming.region))
            .transpose()?;
        let paged = [
            "max-buckets",
            "prefix",
            "continuation-token",
            "bucket-region",
        ]
        .into_iter()
        .any(|name| query.has(name));
        Ok(Self {
            limit,
            region,
            after: query
                .find("continuation-token")
                .map(Token::parse)
                .transpose()?,
            prefix: query.find("prefix").map(str::to_owned),
            paged,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let query = BucketQuery {
            account: cx.caller_account()?.to_owned(),
            prefix: self.prefix.clone().unwrap_or_default(),
            region: self.region.clone(),
            after: self.after.clone(),
            limit: self.limit,
        };
        let page = cx.store.list_buckets(&query)?;
        Ok(respond::xml(self.render(cx.caller_id()?, &page)))
    }
}

impl ListBuckets {
    fn render(&self, owner: &str, page: &BucketPage) -> XmlWriter {
        let mut xml = XmlWriter::document("ListAllMyBucketsResult");
        xml.nest("Owner", |xml| {
            xml.element("ID", owner);
        });
        xml.nest("Buckets", |xml| {
            for bucket in &page.buckets {
                xml.nest("Bucket", |xml| {
                    xml.element("Name", &bucket.name)
                        .element("CreationDate", bucket.created.iso8601());
                    xml.maybe("BucketRegion", self.paged.then(|| bucket.region()));
                    xml.element("BucketArn", bucket.name.arn());
                });
            }
        });
        xml.maybe("Prefix", self.prefix.as_deref());
        let last = page.buckets.last().filter(|_| page.is_truncated);
        xml.maybe(
            "ContinuationToken",
            last.map(|bucket| Token::render(bucket.name.as_str())),
        );
        xml
    }
}

fn parse_max_buckets(query: &Query) -> Result<usize, S3Error> {
    let Some(text) = query.find("max-buckets") else {
        return Ok(MAX_BUCKETS);
    };
    let Ok(number) = text.parse::<i32>() else {
        return Err(S3Error::argument_value(
            "max-buckets",
            text,
            "Provided max-buckets not an integer or within integer range",
        ));
    };
    let number = usize::try_from(number)
        .ok()
        .filter(|number| (1..=MAX_BUCKETS).contains(number));
    number.ok_or_else(|| {
        S3Error::argument_value(
            "max-buckets",
            text,
            "Argument max-buckets must be an integer between 1 and 10000",
        )
    })
}

/// `CreateBucketConfiguration`.
#[derive(Debug, Default)]
struct Configuration {
    location: Option<String>,
    tags: Vec<(String, String)>,
}

fn parse_configuration(document: &[u8]) -> Result<Configuration, S3Error> {
    let root = xml::parse(document).map_err(|_| Code::MalformedXML.error())?;
    let known = |child: &Element| {
        matches!(
            child.name.as_str(),
            "LocationConstraint" | "Location" | "Bucket" | "Tags"
        )
    };
    if root.name != "CreateBucketConfiguration" || !root.children.iter().all(known) {
        return Err(Code::MalformedXML.error());
    }
    if root.child("Location").is_some() || root.child("Bucket").is_some() {
        return Err(Code::NotImplemented.error()); // directory buckets
    }
    let tags = root
        .child("Tags")
        .map(parse_tags)
        .transpose()?
        .unwrap_or_default();
    Ok(Configuration {
        location: root
            .child("LocationConstraint")
            .map(|element| element.text.clone()),
        tags,
    })
}

/// Tags at creation: `aws:` keys are refused in other words than by `PutBucketTagging`.
fn parse_tags(tags: &Element) -> Result<Vec<(String, String)>, S3Error> {
    let mut parsed: Vec<(String, String)> = Vec::new();
    for tag in tags.children_named("Tag") {
        let (Some(key), Some(value)) = (tag.text_of("Key"), tag.text_of("Value")) else {
            return Err(Code::MalformedXML.error());
        };
        if key.starts_with("aws:") {
            return Err(Code::InvalidTag.says(
                "User-defined tag keys can't start with \"aws:\". This prefix is reserved for system tags. Remove \"aws:\" from your tag keys and try again.",
            ));
        }
        check_tag(key, value)?;
        if parsed.iter().any(|(known, _)| known == key) {
            // AWS answers 500 here, by an error of its own; we name what is wrong.
            return Err(Code::InvalidTag
                .says("Cannot provide multiple Tags with the same key")
                .with("TagKey", key));
        }
        parsed.push((key.to_owned(), value.to_owned()));
    }
    Ok(parsed)
}
