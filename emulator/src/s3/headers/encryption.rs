//! The encryption headers: what a write asks for, the key a read brings, and AWS's order of refusals.
//!
//! Source: answers recorded from AWS in March 2026, for each check and each message. `ArgumentName` is always
//! `x-amz-server-side-encryption`, also for the headers of a copy source.

use crate::crypto::digest;
use crate::model::encryption::SseAlgorithm;
use crate::model::sealing::{KmsWrapping, Sealing};
use crate::s3::code::Code;
use crate::s3::context::Access;
use crate::s3::error::S3Error;
use crate::s3::operation::Incoming;
use crate::sse::choice::{CustomerContext, KmsRequest, Requested};
use crate::sse::customer_key::CustomerKey;
use crate::wire::encoding::{base64, decode_lenient, parse_base64};
use crate::wire::request::Request;
use crate::wire::response::Response;

const SSE: &str = "x-amz-server-side-encryption";
const KMS_KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";

const INSECURE: &str = "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.";
const INSECURE_KMS: &str = "Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection.";
const NEEDS_VERSION_4: &str = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.";
const INCOMPATIBLE: &str = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
const UNSUPPORTED: &str =
    "x-amz-server-side-encryption header is not supported for this operation.";
const UNKNOWN_METHOD: &str = "The encryption method specified is not supported";
const NO_ALGORITHM: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.";
const NO_KEY: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.";
const NO_MD5: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.";
const TOO_SHORT: &str = "The secret key was invalid - too short.";
const NO_BASE64: &str =
    "The secret key was improperly encoded. The secret key must be Base64 encoded.";
const WRONG_MD5: &str =
    "The calculated MD5 hash of the key did not match the hash that was provided.";
const WRONG_LENGTH: &str = "The secret key was invalid for the specified algorithm.";
const KMS_WITHOUT_METHOD: &str = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
const BAD_CONTEXT: &str = "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map";

/// A key of the right length for AES-256.
const KEY_BYTES: usize = 32;

/// One group of three customer-key headers, and what differs from operation to operation.
struct Group {
    algorithm: &'static str,
    key: &'static str,
    md5: &'static str,
    /// Writes must bring the MD5; reads and copy sources may leave it out.
    needs_md5: bool,
    /// New objects need a key of the right length; elsewhere a wrong length is a wrong key.
    needs_length: bool,
    /// CopyObject and forms alone stumble over padding behind a good key.
    refuses_excess_padding: bool,
}

const OF_PUT: Group = Group {
    algorithm: "x-amz-server-side-encryption-customer-algorithm",
    key: "x-amz-server-side-encryption-customer-key",
    md5: "x-amz-server-side-encryption-customer-key-md5",
    needs_md5: true,
    needs_length: true,
    refuses_excess_padding: false,
};

const OF_READ: Group = Group {
    needs_md5: false,
    needs_length: false,
    ..OF_PUT
};
const OF_COPY: Group = Group {
    refuses_excess_padding: true,
    ..OF_PUT
};
const OF_FORM: Group = OF_COPY;

const OF_PART: Group = Group {
    needs_length: false,
    ..OF_PUT
};

const OF_SOURCE: Group = Group {
    algorithm: "x-amz-copy-source-server-side-encryption-customer-algorithm",
    key: "x-amz-copy-source-server-side-encryption-customer-key",
    md5: "x-amz-copy-source-server-side-encryption-customer-key-md5",
    needs_md5: false,
    needs_length: false,
    refuses_excess_padding: true,
};

/// What a write asks for, by its headers.
///
/// # Errors
///
/// Every refusal of a write, in AWS's order, but for a blocked bucket's.
pub(crate) fn parse_put(incoming: &Incoming) -> Result<Requested, S3Error> {
    parse_write(incoming, &OF_PUT)
}

/// What a copy asks for its destination.
///
/// # Errors
///
/// As [`parse_put`].
pub(crate) fn parse_copy(incoming: &Incoming) -> Result<Requested, S3Error> {
    parse_write(incoming, &OF_COPY)
}

/// What a browser's form asks for.
///
/// # Errors
///
/// As [`parse_put`].
pub(crate) fn parse_form(incoming: &Incoming) -> Result<Requested, S3Error> {
    parse_write(incoming, &OF_FORM)
}

/// The customer key of a read. Headers that ask for an encryption have no business there.
///
/// # Errors
///
/// `InvalidArgument`, `InvalidEncryptionAlgorithmError`.
pub(crate) fn parse_read(incoming: &Incoming) -> Result<Option<CustomerKey>, S3Error> {
    refuse_method(&incoming.request)?;
    refuse_kms_headers(&incoming.request)?;
    parse_group(incoming, &OF_READ)
}

/// Refuses to choose an encryption where nothing is written: reads and listings.
///
/// # Errors
///
/// `InvalidArgument`.
pub(crate) fn refuse_method(request: &Request) -> Result<(), S3Error> {
    match request.header(SSE) {
        Some(method) => Err(S3Error::argument_value(SSE, method, UNSUPPORTED)),
        None => Ok(()),
    }
}

/// The customer key of a copy's source.
///
/// # Errors
///
/// `InvalidArgument`, `InvalidEncryptionAlgorithmError`.
pub(crate) fn parse_source(incoming: &Incoming) -> Result<Option<CustomerKey>, S3Error> {
    parse_group(incoming, &OF_SOURCE)
}

/// The customer key of a part. The upload has chosen its encryption: a part cannot.
///
/// # Errors
///
/// `InvalidArgument`, `InvalidEncryptionAlgorithmError`.
pub(crate) fn parse_part(incoming: &Incoming) -> Result<Option<CustomerKey>, S3Error> {
    refuse_method(&incoming.request)?;
    parse_group(incoming, &OF_PART)
}

/// The customer key of a completion. It need not bring one, and what is no whole group is not looked at.
///
/// # Errors
///
/// `InvalidArgument`, `InvalidEncryptionAlgorithmError`.
pub(crate) fn parse_completion(incoming: &Incoming) -> Result<Option<CustomerKey>, S3Error> {
    let request = &incoming.request;
    refuse_method(request)?;
    let whole = [OF_READ.algorithm, OF_READ.key, OF_READ.md5]
        .iter()
        .all(|name| request.headers.contains_key(*name));
    if whole {
        parse_group(incoming, &OF_READ)
    } else {
        Ok(None)
    }
}

/// Whether a write brings customer-key headers: what a bucket that blocks SSE-C looks at, before any key material.
pub(crate) fn brings_customer_key(request: &Request) -> bool {
    is_sent(request, &OF_PUT)
}

/// Refuses a customer key over plain HTTP under `--strict-tls`: the check before all others.
///
/// # Errors
///
/// `InvalidArgument`.
pub(crate) fn check_secure(incoming: &Incoming) -> Result<(), S3Error> {
    let sent = is_sent(&incoming.request, &OF_PUT) || is_sent(&incoming.request, &OF_SOURCE);
    if incoming.insecure && sent {
        Err(S3Error::argument(SSE, INSECURE))
    } else {
        Ok(())
    }
}

fn parse_write(incoming: &Incoming, group: &Group) -> Result<Requested, S3Error> {
    let request = &incoming.request;
    let method = request.header(SSE);
    if let Some(method) = method.filter(|_| is_sent(request, group)) {
        return Err(S3Error::argument_value(SSE, method, INCOMPATIBLE));
    }
    if let Some(key) = parse_group(incoming, group)? {
        return Ok(Requested::Customer(key));
    }
    let Some(method) = method else {
        refuse_kms_headers(request)?;
        return Ok(Requested::Nothing {
            bucket_key: parse_bucket_key(request)?,
            context: parse_context(request)?,
        });
    };
    match SseAlgorithm::parse(method) {
        None => Err(S3Error::argument_value(SSE, method, UNKNOWN_METHOD)),
        Some(SseAlgorithm::Aes256) => {
            refuse_kms_headers(request)?;
            parse_bucket_key(request)?;
            Ok(Requested::SseS3)
        }
        Some(algorithm) => parse_kms(request, algorithm).map(Requested::Kms),
    }
}

fn parse_kms(request: &Request, algorithm: SseAlgorithm) -> Result<KmsRequest, S3Error> {
    Ok(KmsRequest {
        algorithm,
        key_id: request.header(KMS_KEY_ID).map(str::to_owned),
        bucket_key: parse_bucket_key(request)?,
        context: parse_context(request)?,
    })
}

/// Refuses SSE-KMS for a request that came over plain HTTP under `--strict-tls`, or that version 4 does not prove.
///
/// # Errors
///
/// `InvalidArgument`.
pub(crate) fn check_kms_access(access: Access) -> Result<(), S3Error> {
    if access.insecure {
        return Err(S3Error::argument(SSE, INSECURE_KMS));
    }
    if access.is_version_4 {
        return Ok(());
    }
    Err(S3Error::argument_value(
        "Authorization",
        "null",
        NEEDS_VERSION_4,
    ))
}

fn refuse_kms_headers(request: &Request) -> Result<(), S3Error> {
    match request.header(KMS_KEY_ID) {
        Some(_) => Err(S3Error::argument(SSE, KMS_WITHOUT_METHOD)),
        None => Ok(()),
    }
}

// AWS: unverified. The answer to a value that is no boolean.
fn parse_bucket_key(request: &Request) -> Result<Option<bool>, S3Error> {
    match request.header(BUCKET_KEY) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(value) => Err(S3Error::argument_value(
            BUCKET_KEY,
            value,
            "Invalid value for header x-amz-server-side-encryption-bucket-key-enabled",
        )),
    }
}

// AWS: unverified. The code; the message is AWS's.
fn parse_context(request: &Request) -> Result<CustomerContext, S3Error> {
    let Some(header) = request.header(CONTEXT) else {
        return Ok(CustomerContext::default());
    };
    let pairs = parse_base64(header).and_then(|json| {
        serde_json::from_slice::<std::collections::BTreeMap<String, String>>(&json).ok()
    });
    match pairs {
        Some(pairs) => Ok(CustomerContext {
            pairs: pairs.into_iter().collect(),
            as_sent: Some(header.to_owned()),
        }),
        None => Err(S3Error::argument(CONTEXT, BAD_CONTEXT)),
    }
}

fn is_sent(request: &Request, group: &Group) -> bool {
    [group.algorithm, group.key, group.md5]
        .iter()
        .any(|name| request.headers.contains_key(*name))
}

/// Steps 0 and 3 to 9 of AWS's order.
fn parse_group(incoming: &Incoming, group: &Group) -> Result<Option<CustomerKey>, S3Error> {
    let request = &incoming.request;
    if !is_sent(request, group) {
        return Ok(None);
    }
    if incoming.insecure {
        return Err(S3Error::argument(SSE, INSECURE));
    }
    let algorithm = request
        .header(group.algorithm)
        .ok_or_else(|| S3Error::argument(SSE, NO_ALGORITHM))?;
    let text = request
        .header(group.key)
        .ok_or_else(|| S3Error::argument(SSE, NO_KEY))?;
    let md5 = request.header(group.md5);
    if group.needs_md5 && md5.is_none() {
        return Err(S3Error::argument(SSE, NO_MD5));
    }
    if !text.is_ascii() {
        return Err(S3Error::argument_value(SSE, text, NO_BASE64));
    }
    let bytes = decode_lenient(text);
    if bytes.is_empty() {
        return Err(S3Error::argument_value(SSE, text, TOO_SHORT));
    }
    let garbled = group.refuses_excess_padding && has_excess_padding(text);
    if garbled || md5.is_some_and(|md5| md5 != base64(&digest::md5(&bytes))) {
        return Err(S3Error::argument(SSE, WRONG_MD5));
    }
    if algorithm != SseAlgorithm::Aes256.name() {
        return Err(Code::InvalidEncryptionAlgorithmError
            .with("ArgumentName", SSE)
            .with("ArgumentValue", algorithm));
    }
    if group.needs_length && bytes.len() != KEY_BYTES {
        return Err(S3Error::argument(SSE, WRONG_LENGTH));
    }
    Ok(Some(CustomerKey::new(bytes)))
}

/// More padding than base64 ever needs.
fn has_excess_padding(text: &str) -> bool {
    text.bytes().rev().take_while(|&byte| byte == b'=').count() > 2
}

/// Writes what a read or a write answers about the encryption of an object. A KMS key is always named by its ARN.
pub(crate) fn write(response: Response, sealing: &Sealing) -> Response {
    match sealing {
        Sealing::SseS3 { .. } => response.header(SSE, SseAlgorithm::Aes256.name()),
        Sealing::SseKms(kms) => write_kms(response, SseAlgorithm::Kms, kms),
        Sealing::DsseKms { kms, .. } => write_kms(response, SseAlgorithm::KmsDsse, kms),
        Sealing::SseC { key_md5 } => response
            .header(OF_PUT.algorithm, SseAlgorithm::Aes256.name())
            .header(OF_PUT.md5, base64(key_md5)),
    }
}

fn write_kms(response: Response, algorithm: SseAlgorithm, kms: &KmsWrapping) -> Response {
    let bucket_key = kms.under_bucket_key.as_ref().map(|_| "true");
    response
        .header(SSE, algorithm.name())
        .header(KMS_KEY_ID, &kms.key_arn)
        .maybe_header(BUCKET_KEY, bucket_key)
}

/// The same for a completion: it tells the key's MD5 only to whoever has brought the key.
pub(crate) fn write_completion(response: Response, sealing: &Sealing, brought: bool) -> Response {
    match sealing {
        Sealing::SseC { .. } if !brought => {
            response.header(OF_PUT.algorithm, SseAlgorithm::Aes256.name())
        }
        _ => write(response, sealing),
    }
}

/// Repeats the encryption context to whoever has just sent it; reads never tell it.
pub(crate) fn write_context(response: Response, as_sent: Option<String>) -> Response {
    response.maybe_header(CONTEXT, as_sent)
}
