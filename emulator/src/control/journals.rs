//! What happened, in JSON: the requests that were answered, and the calls of KMS.

use serde_json::{Map, Value, json};

use crate::journal::kms_calls::{KmsCall, Through};
use crate::journal::received::ReceivedRequest;
use crate::journal::requests::{Requests, Wanted};
use crate::model::timestamp::Timestamp;
use crate::wire::query::Query;

/// `?operation=…&bucket=…&limit=…`: the last requests that fit, the oldest of them first, and how many each operation has
/// answered, those that are forgotten too.
///
/// # Errors
///
/// One line, for a limit that is no number.
pub(super) fn of_requests(requests: &Requests, query: &Query) -> Result<Value, String> {
    let named = |name: &str| query.find(name).filter(|value| !value.is_empty());
    let limit = named("limit").map(str::parse).transpose();
    let wanted = Wanted {
        operation: named("operation"),
        bucket: named("bucket"),
        limit: limit.map_err(|_| "`limit` is no number of requests".to_owned())?,
    };
    let found = requests.find(&wanted);
    Ok(json!({
        "requests": found.iter().map(of_request).collect::<Vec<_>>(),
        "counts": requests.counts(),
    }))
}

/// The calls of KMS, the oldest first.
pub(super) fn of_kms_calls(calls: &[KmsCall]) -> Value {
    json!({ "calls": calls.iter().map(of_kms_call).collect::<Vec<_>>() })
}

fn of_request(request: &ReceivedRequest) -> Value {
    json!({
        "time": Timestamp::from_system(request.time).iso8601(),
        "method": request.method,
        "path": request.path,
        "query": object(&request.query),
        "headers": object(&request.headers),
        "tls": request.tls,
        "operation": request.operation,
        "bucket": request.bucket,
        "key": request.key,
        "access_key": request.access_key,
        "account": request.account,
        "status": request.status,
        "error": request.error,
        "received_bytes": request.received_bytes,
        "sent_bytes": request.sent_bytes,
        "request_id": request.request_id,
    })
}

/// Of a repeated name the first counts.
fn object(pairs: &[(String, String)]) -> Value {
    let mut object = Map::new();
    for (name, value) in pairs {
        object.entry(name).or_insert_with(|| value.as_str().into());
    }
    object.into()
}

fn of_kms_call(call: &KmsCall) -> Value {
    let through = match call.through {
        Through::Direct => "direct",
        Through::S3 => "s3",
    };
    json!({
        "time": Timestamp::from_system(call.time).iso8601(),
        "operation": call.operation,
        "caller": call.caller,
        "key_arn": call.key_arn,
        "context": call.context,
        "source_key_arn": call.source_key_arn,
        "source_context": call.source_context,
        "through": through,
        "bucket_key_hit": call.bucket_key_hit,
        "error": call.error,
    })
}
