//! A bucket's default encryption: `PutBucketEncryption`, `GetBucketEncryption`, `DeleteBucketEncryption`.
//!
//! A bucket always has a rule: SSE-S3 since January 2023, and since April 2026 one that blocks SSE-C. Deleting the rule
//! brings the first one back. A KMS key is kept as it was sent and looked up when an object is written, not here.
//!
//! Source: answers recorded from AWS in February and September 2026.

use crate::model::bucket_name::BucketName;
use crate::model::encryption::{BlockedEncryption, BucketEncryption, SseAlgorithm};
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::operation::{Entry, Incoming, Operation, Payload, Route, Scope};
use crate::wire::response::Response;
use crate::wire::xml::{self, Element, XmlWriter};

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<PutBucketEncryption>(),
    Entry::of::<GetBucketEncryption>(),
    Entry::of::<DeleteBucketEncryption>(),
];

/// `PUT /{bucket}?encryption`: sets the rule.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html>
#[derive(Debug)]
struct PutBucketEncryption {
    bucket: BucketName,
    rule: Rule,
}

/// `Rule` as it was sent: what it leaves out stays as it was.
#[derive(Clone, Debug, Default)]
struct Rule {
    default: Option<ByDefault>,
    bucket_key_enabled: bool,
    blocked: Option<BlockedEncryption>,
}

#[derive(Clone, Debug)]
struct ByDefault {
    algorithm: SseAlgorithm,
    kms_key_id: Option<String>,
}

impl Operation for PutBucketEncryption {
    const NAME: &'static str = "PutBucketEncryption";
    const ROUTE: Route = Route::put(Scope::Bucket).query("encryption");
    const PAYLOAD: Payload = Payload::Document;

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let document = &incoming.request.document;
        if document.is_empty() {
            return Err(Code::MissingRequestBodyError.error());
        }
        let rule = parse_configuration(document).ok_or_else(|| Code::MalformedXML.error())?;
        if let Some(ByDefault {
            algorithm: SseAlgorithm::Aes256,
            kms_key_id: Some(_),
        }) = rule.default
        {
            let message = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            return Err(S3Error::argument(
                "ApplyServerSideEncryptionByDefault",
                message,
            ));
        }
        Ok(Self {
            bucket: incoming.bucket_name()?,
            rule,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let rule = self.rule;
        cx.store
            .update_bucket(&self.bucket, |bucket| {
                bucket.encryption = rule.over(&bucket.encryption);
            })
            .await?;
        Ok(Response::ok())
    }
}

impl Rule {
    fn over(&self, before: &BucketEncryption) -> BucketEncryption {
        let default = self.default.clone().unwrap_or(ByDefault {
            algorithm: SseAlgorithm::Aes256,
            kms_key_id: None,
        });
        BucketEncryption {
            explicit: true,
            algorithm: default.algorithm,
            kms_key_id: default.kms_key_id,
            bucket_key_enabled: self.bucket_key_enabled,
            blocked: self.blocked.unwrap_or(before.blocked),
        }
    }
}

/// `GET /{bucket}?encryption`: the rule.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>
#[derive(Debug)]
struct GetBucketEncryption;

impl Operation for GetBucketEncryption {
    const NAME: &'static str = "GetBucketEncryption";
    const ROUTE: Route = Route::get(Scope::Bucket).query("encryption");

    fn parse(_: &mut Incoming) -> Result<Self, S3Error> {
        Ok(Self)
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        Ok(Response::ok().body(render_configuration(&cx.bucket()?.encryption).finish()))
    }
}

/// `DELETE /{bucket}?encryption`: brings the first rule back.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html>
#[derive(Debug)]
struct DeleteBucketEncryption(BucketName);

impl Operation for DeleteBucketEncryption {
    const NAME: &'static str = "DeleteBucketEncryption";
    const ROUTE: Route = Route::delete(Scope::Bucket).query("encryption");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        incoming.bucket_name().map(Self)
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let first = cx.settings.first_encryption();
        cx.store
            .update_bucket(&self.0, |bucket| bucket.encryption = first.clone())
            .await?;
        Ok(Response::no_content())
    }
}

fn parse_configuration(document: &[u8]) -> Option<Rule> {
    let root = xml::parse(document)
        .ok()
        .filter(|root| root.name == "ServerSideEncryptionConfiguration")?;
    let [rule] = &root.children[..] else {
        return None;
    };
    (rule.name == "Rule").then(|| parse_rule(rule))?
}

fn parse_rule(rule: &Element) -> Option<Rule> {
    let known = [
        "ApplyServerSideEncryptionByDefault",
        "BucketKeyEnabled",
        "BlockedEncryptionTypes",
    ];
    if rule.children.is_empty()
        || !rule
            .children
            .iter()
            .all(|child| known.contains(&child.name.as_str()))
    {
        return None;
    }
    let bucket_key_enabled = match rule.text_of("BucketKeyEnabled") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return None,
    };
    let default = match rule.child("ApplyServerSideEncryptionByDefault") {
        Some(default) => Some(ByDefault {
            algorithm: SseAlgorithm::parse(default.text_of("SSEAlgorithm")?)?,
            kms_key_id: default
                .text_of("KMSMasterKeyID")
                .filter(|id| !id.is_empty())
                .map(str::to_owned),
        }),
        None => None,
    };
    let blocked = match rule.child("BlockedEncryptionTypes") {
        Some(blocked) => Some(parse_blocked(blocked)?),
        None => None,
    };
    Some(Rule {
        default,
        bucket_key_enabled,
        blocked,
    })
}

// AWS: unverified. Two values together and unknown ones are taken for a broken schema.
fn parse_blocked(blocked: &Element) -> Option<BlockedEncryption> {
    let mut types = blocked.children_named("EncryptionType");
    match (types.next()?.text.as_str(), types.next()) {
        ("NONE", None) => Some(BlockedEncryption::Nothing),
        ("SSE-C", None) => Some(BlockedEncryption::SseC),
        _ => None,
    }
}

fn render_configuration(encryption: &BucketEncryption) -> XmlWriter {
    let mut xml = XmlWriter::document("ServerSideEncryptionConfiguration");
    xml.nest("Rule", |xml| {
        xml.element("BucketKeyEnabled", encryption.bucket_key_enabled);
        xml.nest("ApplyServerSideEncryptionByDefault", |xml| {
            xml.element("SSEAlgorithm", encryption.algorithm.name());
            xml.maybe("KMSMasterKeyID", encryption.kms_key_id.as_deref());
        });
        let blocked = match encryption.blocked {
            BlockedEncryption::Absent => return,
            BlockedEncryption::Nothing => "NONE",
            BlockedEncryption::SseC => "SSE-C",
        };
        xml.nest("BlockedEncryptionTypes", |xml| {
            xml.element("EncryptionType", blocked);
        });
    });
    xml
}
