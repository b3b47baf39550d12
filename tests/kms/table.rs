//! The rows of `fixtures/kms-operations.txt`, and raw messages made of them.

use serde_json::{Value, json};
use strongroom_testkit::{Authentication, Config, Strongroom};
use strongroom_tests::{Answer, send_body};

use crate::wrapping::Way;

const TABLE: &str = include_str!("../../fixtures/kms-operations.txt");

/// An operation, as the table tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) state: &'static str,
    body: &'static str,
}

/// What the bodies name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) key: String,
    pub(crate) doomed: String,
    pub(crate) ciphertext: String,
    pub(crate) mac_key: String,
    pub(crate) mac: String,
    pub(crate) sign_key: String,
    pub(crate) signature: String,
    pub(crate) agree_key: String,
    pub(crate) public: String,
    pub(crate) kem_key: String,
    pub(crate) encapsulated: String,
    pub(crate) primary: String,
    pub(crate) external: String,
    pub(crate) token: String,
    pub(crate) wrapped: String,
    pub(crate) grant: String,
    pub(crate) grant_token: String,
}

/// All rows.
pub(crate) fn rows() -> Vec<Row> {
    let lines = TABLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let columns: Vec<_> = line.split(" | ").collect();
            let [name, state, body] = columns[..] else {
                panic!("three columns: {line}")
            };
            Row { name, state, body }
        })
        .collect()
}

/// The row of an operation.
pub(crate) fn row(name: &str) -> Row {
    let mut rows = rows().into_iter();
    rows.find(|row| row.name == name).expect(name)
}

impl Row {
    /// Whether its body names a key whose material is brought.
    pub(crate) fn imports(&self) -> bool {
        self.body.contains("$EXTERNAL")
    }

    /// Its body, filled in.
    pub(crate) fn body(&self, given: &Given) -> Value {
        let body = self
            .body
            .replace("$MAC_KEY", &given.mac_key)
            .replace("$MAC", &given.mac)
            .replace("$SIGN_KEY", &given.sign_key)
            .replace("$SIGNATURE", &given.signature)
            .replace("$GRANT_TOKEN", &given.grant_token)
            .replace("$GRANT", &given.grant)
            .replace("$AGREE_KEY", &given.agree_key)
            .replace("$PUBLIC", &given.public)
            .replace("$KEM_KEY", &given.kem_key)
            .replace("$ENCAPSULATED", &given.encapsulated)
            .replace("$PRIMARY", &given.primary)
            .replace("$EXTERNAL", &given.external)
            .replace("$TOKEN", &given.token)
            .replace("$WRAPPED", &given.wrapped)
            .replace("$KEY", &given.key)
            .replace("$DOOMED", &given.doomed)
            .replace("$CIPHERTEXT", &given.ciphertext);
        serde_json::from_str(&body).expect(self.name)
    }
}

/// A server that asks nobody for a signature, with the key `alias/table`.
pub(crate) async fn open_server() -> Strongroom {
    let off = |config: &mut Config| config.authentication = Authentication::Off;
    let builder = Strongroom::builder().kms_key("alias/table").config(off);
    builder.start().await
}

/// Such a server, and what the bodies name.
pub(crate) async fn given() -> (Strongroom, Given) {
    let server = open_server().await;
    let arn = |answer: &Value| answer["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
    let key = arn(&told(&server, "DescribeKey", &json!({"KeyId": "alias/table"})).await);
    let doomed = arn(&told(&server, "CreateKey", &json!({})).await);
    told(&server, "ScheduleKeyDeletion", &json!({"KeyId": doomed})).await;
    let ciphertext = encrypted(&server, &key).await;
    let hmac = json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"});
    let mac_key = arn(&told(&server, "CreateKey", &hmac).await);
    let message = json!({"KeyId": mac_key, "MacAlgorithm": "HMAC_SHA_256", "Message": "aGVsbG8="});
    let mac = told(&server, "GenerateMac", &message).await["Mac"].clone();
    let curve = json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"});
    let sign_key = arn(&told(&server, "CreateKey", &curve).await);
    let message =
        json!({"KeyId": sign_key, "SigningAlgorithm": "ECDSA_SHA_256", "Message": "aGVsbG8="});
    let signature = told(&server, "Sign", &message).await["Signature"].clone();
    let curve = json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"});
    let agree_key = arn(&told(&server, "CreateKey", &curve).await);
    let public = told(&server, "GetPublicKey", &json!({"KeyId": agree_key})).await;
    let lattice = json!({"KeySpec": "ML_KEM_512", "KeyUsage": "ENCAPSULATE_DECAPSULATE"});
    let kem_key = arn(&told(&server, "CreateKey", &lattice).await);
    let body = json!({"KeyId": kem_key, "EncapsulationAlgorithm": "ML_KEM"});
    let encapsulated = told(&server, "Encapsulate", &body).await;
    let primary = arn(&told(&server, "CreateKey", &json!({"MultiRegion": true})).await);
    let body = json!({"KeyId": primary, "ReplicaRegion": "eu-west-1"});
    told(&server, "ReplicateKey", &body).await;
    let ann = "arn:aws:iam::000000000000:user/ann";
    let grant = json!({"KeyId": key, "GranteePrincipal": ann, "Operations": ["Decrypt"]});
    let grant = told(&server, "CreateGrant", &grant).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let given = Given {
        grant: text(&grant["GrantId"]),
        grant_token: text(&grant["GrantToken"]),
        key,
        doomed,
        ciphertext,
        mac_key,
        mac: text(&mac),
        sign_key,
        signature: text(&signature),
        agree_key,
        public: text(&public["PublicKey"]),
        kem_key,
        encapsulated: text(&encapsulated["SharedSecretCiphertextBlob"]),
        primary,
        ..Given::default()
    };
    (server, given)
}

/// What the bodies of imports name beside: made for who asks for it, since it takes a while.
pub(crate) async fn given_for_import(server: &Strongroom, given: Given) -> Given {
    let way = Way::make(server, &json!({})).await;
    Given {
        external: way.key.clone(),
        token: way.token.clone(),
        wrapped: way.wrap(&[7; 32]),
        ..given
    }
}

/// What a key encrypted, in base64.
pub(crate) async fn encrypted(server: &Strongroom, key: &str) -> String {
    let body = json!({"KeyId": key, "Plaintext": "c2VjcmV0"});
    let answer = told(server, "Encrypt", &body).await;
    answer["CiphertextBlob"].as_str().unwrap().to_owned()
}

/// Sends any body to any operation.
pub(crate) async fn ask(server: &Strongroom, operation: &str, body: &[u8]) -> Answer {
    let target = format!("TrentService.{operation}");
    let headers = [
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", &target),
    ];
    send_body(server.address(), "POST /", &headers, body).await
}

/// Asks for what must succeed; `Null` for an answer without a body.
pub(crate) async fn told(server: &Strongroom, operation: &str, body: &Value) -> Value {
    let answer = ask(server, operation, body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
    json_of(&answer)
}

/// How a request ends: `ok`, or `Exception: message`.
pub(crate) async fn outcome(server: &Strongroom, operation: &str, body: &Value) -> String {
    outcome_of(&ask(server, operation, body.to_string().as_bytes()).await)
}

/// How an answer ends: `ok`, or `Exception: message`.
pub(crate) fn outcome_of(answer: &Answer) -> String {
    if answer.status == 200 {
        return "ok".to_owned();
    }
    assert_eq!(answer.status, 400, "{}", answer.text());
    let error = json_of(answer);
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    format!("{}: {}", text("__type"), text("message"))
}

/// The body of an answer; `Null` for none.
pub(crate) fn json_of(answer: &Answer) -> Value {
    if answer.body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(&answer.body).unwrap()
}

/// The names of an object's members, sorted.
pub(crate) fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().unwrap().keys().collect();
    names.sort();
    names.into_iter().map(String::as_str).collect()
}

/// Walks a list to its end, so many items a page.
pub(crate) async fn pages(
    server: &Strongroom,
    operation: &str,
    (items, limit): (&str, usize),
    body: &Value,
) -> Vec<Value> {
    let mut body = body.clone();
    body["Limit"] = json!(limit);
    let mut joined = Vec::new();
    loop {
        let page = told(server, operation, &body).await;
        let shown = page[items].as_array().unwrap();
        assert!(shown.len() <= limit, "{page}");
        joined.extend(shown.iter().cloned());
        assert_eq!(
            page["Truncated"].as_bool(),
            Some(page.get("NextMarker").is_some())
        );
        let Some(marker) = page.get("NextMarker") else {
            return joined;
        };
        assert_ne!(body.get("Marker"), Some(marker), "a marker leads on");
        body["Marker"] = marker.clone();
    }
}
