//! Bodies: the documents, forms, policies and calls that a service reads whole.

use http::Method;
use serde_json::json;

use crate::fuzzing::house::{BUCKET, KEY, request, with_header, within};
use crate::policy::document::{Document, Kind};
use crate::wire::encoding::base64;

/// Operations with a document: method, path in the bucket, query. The corpus numbers them from `0`, so that a new one goes
/// to the end.
const DOCUMENTS: [(&str, &str, &str); 8] = [
    ("PUT", "", "versioning"),
    ("PUT", "", "encryption"),
    ("POST", "", "delete"),
    ("POST", "/key", "uploadId="),
    ("PUT", "/key", "encryption"),
    ("PUT", "", "tagging"),
    ("PUT", "-made", ""),
    ("PUT", "", "lifecycle"),
];

/// A byte picks the operation; the rest is its document.
pub(super) fn xml(bytes: &[u8]) {
    let Some((&first, document)) = bytes.split_first() else {
        return;
    };
    let index = usize::from(first.wrapping_sub(b'0')) % DOCUMENTS.len();
    let (method, path, query) = DOCUMENTS[index];
    within(|house| {
        let method = Method::from_bytes(method.as_bytes()).expect("a method of the table");
        let path = format!("/{BUCKET}{path}");
        let upload = if query.ends_with('=') {
            &house.upload
        } else {
            ""
        };
        let query = format!("{query}{upload}");
        house.ask(
            &house.open,
            request(method, &path, &query, document.to_vec()),
        );
    });
}

/// The content type stands in the first line; the rest is the form.
pub(super) fn post_form(bytes: &[u8]) {
    let (kind, form) = first_line(bytes);
    within(|house| {
        let post = request(Method::POST, &format!("/{BUCKET}"), "", form.to_vec());
        house.ask(&house.open, with_header(post, "content-type", &kind));
    });
}

/// The policy of a form, then the policy of a key; and what is a policy at all reads back as it was written.
pub(super) fn policy(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for kind in [Kind::Identity, Kind::Bucket, Kind::Key, Kind::Trust] {
        if let Ok(document) = Document::parse(&text, kind) {
            let written = document.to_string();
            let again = Document::parse(&written, kind).expect("what was written can be read");
            assert_eq!(again.to_string(), written);
        }
    }
    let field = |name: &str, value: &str| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let fields = [
        field("key", "user/eric/a"),
        field("x-amz-meta-a", "1"),
        field("policy", &base64(bytes)),
        field("file", "content"),
        "--edge--\r\n".to_owned(),
    ];
    let kind = "multipart/form-data; boundary=edge";
    let call = json!({ "KeyId": KEY, "PolicyName": "default", "Policy": text });
    within(|house| {
        let post = request(Method::POST, &format!("/{BUCKET}"), "", fields.concat());
        house.ask(&house.open, with_header(post, "content-type", kind));
        house.call("PutKeyPolicy", call.to_string());
    });
}

/// The name stands in the first line; the rest is its JSON.
pub(super) fn kms_call(bytes: &[u8]) {
    let (operation, body) = first_line(bytes);
    within(|house| house.call(&operation, body.to_vec()));
}

/// A line without its end, and what follows it.
pub(super) fn first_line(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (line, rest) = match end {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[][..]),
    };
    (String::from_utf8_lossy(line).into_owned(), rest)
}
