//! What a test is told whose assertion does not hold: what is wrong with the object, and what to change in the request.
//!
//! What is wrong with its encryption at rest stands in `encryption.rs`.

use std::collections::BTreeSet;

use strongroom::{ClientSideFormat, Finding, KmsCall, Stored, Through};

/// So many places are named; there may be more.
const MOST_PLACES: usize = 5;

/// What is said of a plaintext of this length that lies in these places.
pub(crate) fn in_the_clear(length: usize, found: &BTreeSet<Finding>) -> String {
    let more = found.len().saturating_sub(MOST_PLACES);
    let named = found.iter().take(MOST_PLACES).map(ToString::to_string);
    let mut places = named.collect::<Vec<_>>().join("; ");
    if more > 0 {
        places = format!("{places}; and {more} more");
    }
    format!(
        "the plaintext of {length} bytes, or a piece of it, lies in the clear: {places}. Bodies never do; keys, metadata and tags of objects are not encrypted, here as on AWS: keep secrets out of them."
    )
}

/// What is said of these calls of an operation, of which there should have been so many.
pub(crate) fn of_calls(operation: &str, expected: usize, calls: &[KmsCall]) -> String {
    let last = &calls[calls.len().saturating_sub(MOST_PLACES)..];
    let last: String = last.iter().map(of_call).collect();
    format!(
        "KMS answered {} calls of {operation}, not {expected}. The last of them:{last}",
        calls.len()
    )
}

fn of_call(call: &KmsCall) -> String {
    let through = match call.through {
        Through::Direct => "",
        Through::S3 => " through S3",
    };
    let key = call.key_arn.as_deref().unwrap_or("no key");
    let answer = call.error.as_deref().unwrap_or("answered");
    format!(
        "\n  {}{through} with {key} under {:?}: {answer}",
        call.caller, call.context
    )
}

/// What is wrong with an object that its client should have encrypted; `None` where it did.
pub(crate) fn of_client_side(object: &str, stored: &Stored) -> Option<String> {
    let at_rest = format!(
        "S3 sealed it at rest under {}, but saw what its client sent",
        stored.mode
    );
    let change = "put it with an S3 encryption client";
    match stored.client_side {
        Some(
            ClientSideFormat::V1
            | ClientSideFormat::V2
            | ClientSideFormat::V3
            | ClientSideFormat::KeysApart,
        ) => None,
        Some(ClientSideFormat::InstructionFile) => Some(format!(
            "{object} is the instruction file of another object: it holds that one's wrapped key and is not encrypted by the client itself. Name the other object."
        )),
        Some(ClientSideFormat::Mixed) => Some(format!(
            "{object} has metadata of two formats of client-side encryption, which AWS's clients refuse to read: {change}, and copy no metadata from another object."
        )),
        Some(ClientSideFormat::Incomplete(missing)) => Some(format!(
            "{object} lacks the metadata x-amz-meta-{missing}, without which AWS's clients cannot read it: {change}, and keep all metadata in copies."
        )),
        _ => Some(format!(
            "{object} was not encrypted by its client: {}, and there is no {object}.instruction. {at_rest}; {change}.",
            metadata(stored)
        )),
    }
}

fn metadata(stored: &Stored) -> String {
    let names: Vec<_> = stored
        .metadata
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    if names.is_empty() {
        return "it has no metadata".to_owned();
    }
    format!(
        "its metadata ({}) are of no S3 encryption client",
        names.join(", ")
    )
}
