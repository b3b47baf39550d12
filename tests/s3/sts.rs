//! STS as tests ask it: forms, signed here by hand, since the SDK's client of it would be a package for few tests.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use aws_sdk_kms::error::ProvideErrorMetadata;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use strongroom_testkit::{Builder, Strongroom};
use strongroom_tests::{Answer, send_body};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const ROOT: &str = "arn:aws:iam::111122223333:root";
/// Of whoever assumes the role `reader`.
pub(crate) const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/reader/job";

/// Midnight of 2027-01-15.
pub(crate) fn today() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 20_833)
}

/// A server with the user `ann`, whom nothing binds, and the role `reader`, which trusts its account.
pub(crate) async fn simple() -> (Strongroom, Keys) {
    let builder = knowing(&[user("ann", &json!({}))], &[role("reader", &json!({}))]);
    let builder = builder.bucket("photos").kms_key("alias/app").clock(today());
    (builder.start().await, Keys::of("ann"))
}

/// Exception and message of KMS's refusal to encrypt.
pub(crate) async fn encrypt(server: &Strongroom, keys: &Keys) -> Result<(), (String, String)> {
    let client = keys.kms(server);
    let call = client
        .encrypt()
        .key_id("alias/app")
        .plaintext(Blob::new("x"));
    let answer = call.send().await;
    answer.map(|_| ()).map_err(|error| {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (text(error.code()), text(error.message()))
    })
}

pub(crate) fn is(exception: &str, message: &str) -> Result<(), (String, String)> {
    Err((exception.to_owned(), message.to_owned()))
}

/// Credentials, for good or of a session.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) access_key: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

impl Keys {
    /// For good: the secret is the access key.
    pub(crate) fn of(access_key: &str) -> Self {
        Self {
            access_key: access_key.to_owned(),
            secret: access_key.to_owned(),
            token: None,
        }
    }

    /// The same with another token, or none.
    pub(crate) fn with_token(&self, token: Option<&str>) -> Self {
        Self {
            token: token.map(str::to_owned),
            ..self.clone()
        }
    }

    fn told_by(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let element = |name| answer.element(name).unwrap();
        Self {
            access_key: element("AccessKeyId"),
            secret: element("SecretAccessKey"),
            token: Some(element("SessionToken")),
        }
    }

    fn config(&self, server: &Strongroom) -> aws_sdk_s3::config::Builder {
        let Self {
            access_key,
            secret,
            token,
        } = self.clone();
        let credentials = Credentials::new(access_key, secret, token, None, "test");
        let provider = SharedCredentialsProvider::new(credentials);
        let config = aws_sdk_s3::config::Builder::from(&server.sdk_config());
        config.credentials_provider(provider)
    }

    /// A client of S3.
    pub(crate) fn s3(&self, server: &Strongroom) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::from_conf(self.config(server).build())
    }

    /// A client of KMS.
    pub(crate) fn kms(&self, server: &Strongroom) -> aws_sdk_kms::Client {
        let Self {
            access_key,
            secret,
            token,
        } = self.clone();
        let credentials = Credentials::new(access_key, secret, token, None, "test");
        let config = server.sdk_config().into_builder();
        let provider = SharedCredentialsProvider::new(credentials);
        aws_sdk_kms::Client::new(&config.credentials_provider(provider).build())
    }

    /// Asks STS.
    pub(crate) async fn ask(
        &self,
        server: &Strongroom,
        action: &str,
        members: &[(&str, &str)],
    ) -> Answer {
        let mut form = format!("Action={action}&Version=2011-06-15");
        for (name, value) in members {
            let _ = write!(form, "&{name}={}", encode(value));
        }
        self.send(server, &form).await
    }

    /// Sends a form, signed.
    pub(crate) async fn send(&self, server: &Strongroom, form: &str) -> Answer {
        let address = server.address();
        let date = DateTime::from(server.clock().now());
        let date = date.fmt(DateTimeFormat::DateTime).unwrap();
        let date = date.split('.').next().unwrap().replace(['-', ':', 'Z'], "") + "Z";
        let host = address.to_string();
        let mut headers = vec![("host", host.as_str()), ("x-amz-date", &date)];
        headers.extend(
            self.token
                .as_deref()
                .map(|token| ("x-amz-security-token", token)),
        );
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let line = |lines: String, (name, value): &(&str, &str)| lines + name + ":" + value + "\n";
        let lines = headers.iter().fold(String::new(), line);
        let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", digest(form));
        let scope = format!("{}/us-east-1/sts/aws4_request", &date[..8]);
        let string = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", digest(&canonical));
        let key = format!("AWS4{}", self.secret).into_bytes();
        let key = scope.split('/').fold(key, |key, part| code(&key, part));
        let signature = hex(&code(&key, &string));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key
        );
        headers.push(("authorization", &authorization));
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        send_body(address, "POST /", &headers, form.as_bytes()).await
    }

    /// A session in a role of the account, with further members.
    pub(crate) async fn assume(
        &self,
        server: &Strongroom,
        role: &str,
        members: &[(&str, &str)],
    ) -> Self {
        Self::told_by(&self.try_assume(server, role, members).await)
    }

    /// The same, as it is answered.
    pub(crate) async fn try_assume(
        &self,
        server: &Strongroom,
        role: &str,
        members: &[(&str, &str)],
    ) -> Answer {
        let arn = role_arn(role);
        let usual = [("RoleArn", arn.as_str()), ("RoleSessionName", "job")];
        let all = [&usual, members].concat();
        self.ask(server, "AssumeRole", &all).await
    }

    /// Credentials that another operation gives out.
    pub(crate) async fn begin(
        &self,
        server: &Strongroom,
        action: &str,
        members: &[(&str, &str)],
    ) -> Self {
        Self::told_by(&self.ask(server, action, members).await)
    }
}

/// The ARN of a role of the account.
pub(crate) fn role_arn(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}

/// Code, status and message of a refusal.
pub(crate) fn refusal(answer: &Answer) -> (String, u16, String) {
    let element = |name| answer.element(name).unwrap_or_default();
    let message = element("Message").replace("&quot;", "\"");
    (element("Code"), answer.status, message)
}

/// A user of the account, whose access key and secret are its name.
pub(crate) fn user(name: &str, members: &Value) -> Value {
    let user = json!({ "name": name, "account": ACCOUNT, "access_key": name, "secret_key": name });
    joined(user, members)
}

/// A role of the account.
pub(crate) fn role(name: &str, members: &Value) -> Value {
    joined(json!({ "name": name, "account": ACCOUNT }), members)
}

/// A policy of one statement, which allows what it does not say otherwise.
pub(crate) fn policy(members: &Value) -> Value {
    let statement = joined(json!({ "Effect": "Allow" }), members);
    json!({ "Version": "2012-10-17", "Statement": statement })
}

/// Settings of a server that knows these, and whose account is theirs.
pub(crate) fn knowing(users: &[Value], roles: &[Value]) -> Builder {
    let seed = json!({ "identities": { "users": users, "roles": roles } });
    let builder = Strongroom::builder().account(ACCOUNT);
    builder.seed_json(seed.to_string())
}

fn joined(mut whole: Value, members: &Value) -> Value {
    let members = members.as_object().unwrap().clone();
    whole.as_object_mut().unwrap().extend(members);
    whole
}

fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn code(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
