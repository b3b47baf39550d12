//! A browser's form as tests send it; its policy is signed here by hand, since no SDK for Rust fills it in.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use strongroom_testkit::{Builder, Strongroom};
use strongroom_tests::{Answer, send_body};

use crate::sdk::CUSTOMER_KEY;

const DATE: &str = "20130524T000000Z";
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";
/// An hour after [`DATE`].
const EXPIRATION: &str = "2013-05-24T01:00:00Z";
pub(crate) const SSE: &str = "x-amz-server-side-encryption";

/// A form, and what its policy says beyond the conditions that hold for its own fields.
pub(crate) struct Form {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) conditions: Vec<Value>,
    pub(crate) file: Vec<u8>,
    /// The parameters of the file part behind its name.
    pub(crate) file_name: &'static str,
    /// What follows the file.
    pub(crate) end: String,
}

impl Form {
    pub(crate) fn new(key: &str, file: impl Into<Vec<u8>>) -> Self {
        Self {
            fields: vec![("key".to_owned(), key.to_owned())],
            conditions: Vec::new(),
            file: file.into(),
            file_name: "; filename=\"cat.png\"",
            end: "--edge--\r\n".to_owned(),
        }
    }

    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn condition(mut self, condition: Value) -> Self {
        self.conditions.push(condition);
        self
    }

    pub(crate) fn customers(self) -> Self {
        let name = |end: &str| format!("{SSE}-customer-{end}");
        self.field(&name("algorithm"), "AES256")
            .field(&name("key"), CUSTOMER_KEY.0)
            .field(&name("key-MD5"), CUSTOMER_KEY.1)
    }

    /// Signs a policy that lets in what stands in the form so far.
    pub(crate) fn signed(self) -> Self {
        let credential = format!("test/{SCOPE}");
        let form = self
            .field("x-amz-algorithm", "AWS4-HMAC-SHA256")
            .field("x-amz-credential", &credential)
            .field("x-amz-date", DATE);
        let mut conditions = vec![json!({"bucket": "photos"})];
        for (name, value) in &form.fields {
            let key = value.replace("${filename}", "");
            conditions.push(json!(["starts-with", format!("${name}"), key]));
        }
        conditions.extend(form.conditions.iter().cloned());
        let policy = json!({"expiration": EXPIRATION, "conditions": conditions});
        let policy = STANDARD.encode(policy.to_string());
        let signature = sign(&policy);
        form.field("policy", &policy)
            .field("x-amz-signature", &signature)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            let head = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(format!("{value}\r\n").as_bytes());
        }
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"file\"{}\r\nContent-Type: text/plain\r\n\r\n",
            self.file_name
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&self.file);
        body.extend_from_slice(format!("\r\n{}", self.end).as_bytes());
        body
    }

    pub(crate) async fn post(&self, server: &Strongroom) -> Answer {
        self.post_to(server, "POST /photos", &[]).await
    }

    pub(crate) async fn post_to(
        &self,
        server: &Strongroom,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let form = ("content-type", "multipart/form-data; boundary=edge");
        let headers = [&[form], headers].concat();
        send_body(server.address(), target, &headers, &self.body()).await
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sign(text: &str) -> String {
    let key = SCOPE
        .split('/')
        .fold(b"AWS4test".to_vec(), |key, part| hmac(&key, part));
    hmac(&key, text)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Settings of a server at the moment of [`DATE`].
pub(crate) fn then() -> Builder {
    let moment = SystemTime::UNIX_EPOCH + Duration::from_hours(380_376);
    Strongroom::builder().clock(moment)
}

pub(crate) async fn photos() -> (Strongroom, Client) {
    let server = then().bucket("photos").start().await;
    let client = server.s3_client();
    (server, client)
}

/// Code, status and message.
pub(crate) fn told(answer: &Answer) -> (String, u16, String) {
    let element = |name| answer.element(name).unwrap_or_default();
    let element = |name| element(name).replace("&quot;", "\"");
    (element("Code"), answer.status, element("Message"))
}

pub(crate) async fn is_empty(client: &Client) -> bool {
    let listing = client.list_objects_v2().bucket("photos").send().await;
    listing.unwrap().contents().is_empty()
}
