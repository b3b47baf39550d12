//! No plaintext and no key leaves but to who may have it: not in the journal, not in what the test kit shows, not in a refusal.
//!
//! The keys that only the server knows are unwrapped here with the root key and with KMS, and then looked for like all else.

use std::fs;

use aws_sdk_kms::primitives::Blob;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE};
use strongroom_testkit::{Authentication, Layer, Stored, Strongroom, WrappedUnder};
use strongroom_tests::{Answer, send, send_body};
use tempfile::TempDir;

use crate::forms::{self, Form};
use crate::keyed::{Keyed, object_arn};
use crate::sdk::{CUSTOMER_KEY, client_of, noise, upload_in};
use crate::tink;
use crate::ways::{Parts, WAYS, Way, copy, put, read, succeeded};

const MARKER: &[u8] = b"a marker that nobody is to read";

/// A secret as somebody might have written it.
fn written(secret: &[u8]) -> [String; 7] {
    let hex = secret
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    [
        latin(secret),
        hex.to_uppercase(),
        hex,
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE.encode(secret),
        format!("{secret:?}").trim_matches(['[', ']']).to_owned(),
    ]
}

/// A sign a byte: text is searched faster.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// What must not be found.
struct Secrets(Vec<String>);

impl Secrets {
    /// The marker and the customers' keys.
    fn known() -> Self {
        let keys = [Way::SseC, Way::OtherSseC].map(|way| way.brings()[1].1);
        let keys = keys.map(|key| BASE64_STANDARD.decode(key).unwrap());
        let mut secrets = Self(Vec::new());
        secrets.add(MARKER);
        for key in keys {
            secrets.add(&key);
        }
        secrets
    }

    fn add(&mut self, secret: &[u8]) {
        self.0.extend(written(secret));
    }

    fn assert_absent(&self, place: &str, content: &[u8]) {
        let content = latin(content);
        let found = self.0.iter().find(|secret| content.contains(&**secret));
        assert_eq!(found, None, "in {place}");
    }
}

#[test]
fn what_lies_in_the_clear_is_found() {
    for form in written(MARKER) {
        let content: Vec<u8> = format!("x{form}y").into_bytes();
        let secrets = Secrets::known();
        let search = std::panic::catch_unwind(|| secrets.assert_absent("this test", &content));
        assert!(search.is_err(), "{form}");
    }
}

/// A server that keeps its root key in a folder, where the test finds it.
struct Kept {
    keyed: Keyed,
    folder: TempDir,
}

impl Kept {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let believe = |config: &mut strongroom_testkit::Config| {
            config.authentication = Authentication::Off;
        };
        let builder = Strongroom::builder().data(folder.path()).config(believe);
        let keyed = Keyed::of(builder).await;
        Self { keyed, folder }
    }

    fn root(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("root.key")).unwrap()
    }

    /// Every key under which an object lies.
    async fn keys(&self, key: &str, stored: &Stored) -> Vec<Vec<u8>> {
        let own = [("aws:s3:arn".to_owned(), object_arn(key))].into();
        let mut keys = Vec::new();
        for Layer {
            under, wrapped_key, ..
        } in &stored.layers
        {
            let wrapped = wrapped_key.as_deref().unwrap_or_default();
            let opened = match under {
                WrappedUnder::RootKey => tink::open_key(&self.root(), &own, wrapped).unwrap(),
                WrappedUnder::KmsKey => self.unwrap(wrapped, stored).await,
                WrappedUnder::BucketKey => {
                    let bucket_key = stored.bucket_key.as_deref().unwrap();
                    keys.push(self.unwrap(bucket_key, stored).await);
                    tink::open_key(&keys[keys.len() - 1], &own, wrapped).unwrap()
                }
                _ => continue,
            };
            keys.push(opened);
        }
        keys
    }

    async fn unwrap(&self, wrapped: &[u8], stored: &Stored) -> Vec<u8> {
        let pairs = stored.context.iter();
        let pairs: Vec<_> = pairs.map(|(name, value)| (&**name, &**value)).collect();
        self.keyed.decrypt(wrapped, &pairs).await.unwrap()
    }
}

/// Writes the marker once whole, once in parts and once as a copy, and gives the names of the objects.
async fn fill(keyed: &Keyed, way: Way) -> [String; 3] {
    let [whole, parts, copied] =
        ["whole", "parts", "copied"].map(|name| format!("{way:?}-{name}").to_lowercase());
    put(keyed, way, &whole, MARKER).await;
    let mut upload = Parts::begin(keyed, way, &parts).await;
    upload.put(1, &[&noise(70_000), MARKER].concat()).await;
    upload.complete().await;
    copy(keyed, (way, &whole), (way, &copied)).await;
    for key in [&whole, &parts, &copied] {
        let got = succeeded(read(keyed, way, key, None).await);
        assert!(got.body.ends_with(MARKER));
    }
    [whole, parts, copied]
}

/// Uses KMS directly; what it gave out.
async fn use_kms(keyed: &Keyed) -> Vec<Vec<u8>> {
    let data_key = keyed.kms.generate_data_key().key_id("alias/app");
    let data_key = data_key.number_of_bytes(48).send().await.unwrap();
    let encrypt = keyed.kms.encrypt().key_id("alias/app");
    let sealed = encrypt.plaintext(Blob::new(MARKER)).send().await.unwrap();
    let sealed = sealed.ciphertext_blob.unwrap();
    assert_eq!(keyed.decrypt(sealed.as_ref(), &[]).await.unwrap(), MARKER);
    let random = keyed.kms.generate_random().number_of_bytes(32);
    let random = random.send().await.unwrap();
    let given = [data_key.plaintext, random.plaintext].into_iter();
    given.map(|blob| blob.unwrap().as_ref().to_vec()).collect()
}

#[tokio::test]
async fn the_journal_and_the_test_kit_show_no_secret() {
    let kept = Kept::start().await;
    let mut secrets = Secrets::known();
    secrets.add(&kept.root());
    let mut shown = Vec::new();
    let mut keys = Vec::new();
    for way in WAYS {
        for key in fill(&kept.keyed, way).await {
            let stored = kept.keyed.stored(&key);
            keys.extend(kept.keys(&key, &stored).await);
            shown.push((key, format!("{stored:?}")));
        }
    }
    // Three objects a way: two keys each with a bucket key and under two layers, none of the server's under SSE-C.
    assert_eq!(keys.len(), 3 * (1 + 1 + 2 + 2));
    keys.extend(use_kms(&kept.keyed).await);
    for key in &keys {
        secrets.add(key);
    }

    let calls = kept.keyed.server.kms_calls();

    assert!(calls.len() > 30, "{} calls", calls.len());
    shown.push(("the journal".to_owned(), format!("{calls:?} {calls:#?}")));
    shown.push((
        "the requests".to_owned(),
        requests_of(&kept.keyed.server).await,
    ));
    shown.push(("the server".to_owned(), format!("{:?}", kept.keyed.server)));
    for (place, content) in shown {
        secrets.assert_absent(&place, content.as_bytes());
    }
}

/// Refusals of requests that bring a key, or are about an object that lies under one.
async fn refusals(keyed: &Keyed, way: Way, key: &str) -> Vec<Answer> {
    let address = keyed.server.address();
    let (get, write) = (format!("GET /photos/{key}"), format!("PUT /photos/{key}"));
    let with = |name, value| {
        let mut headers = way.asks();
        headers.retain(|(known, _)| *known != name);
        headers.push((name, value));
        headers
    };
    let other = if way == Way::SseC {
        Way::OtherSseC
    } else {
        Way::SseC
    };
    let mut stranger = way.asks();
    stranger.push(("x-amz-copy-source", "/photos/nothing"));
    let md5 = "x-amz-server-side-encryption-customer-key-md5";
    vec![
        send(address, &get, &other.brings()).await,
        send(address, &write, &with(md5, "AAAAAAAAAAAAAAAAAAAAAA==")).await,
        send(address, &write, &with("x-amz-server-side-encryption", "x")).await,
        send_body(
            address,
            &write,
            &with("content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="),
            MARKER,
        )
        .await,
        send_body(
            address,
            &write,
            &with("x-amz-checksum-crc32", "AAAAAA=="),
            MARKER,
        )
        .await,
        send(address, &write, &stranger).await,
        send(
            address,
            &get,
            &[&way.brings()[..], &[("range", "bytes=999999-")]].concat(),
        )
        .await,
    ]
}

#[tokio::test]
async fn no_refusal_shows_a_secret() {
    let kept = Kept::start().await;
    let keyed = &kept.keyed;
    let mut secrets = Secrets::known();
    let mut answers = Vec::new();
    for way in WAYS {
        let [key, ..] = fill(keyed, way).await;
        for opened in kept.keys(&key, &keyed.stored(&key)).await {
            secrets.add(&opened);
        }
        answers.extend(refusals(keyed, way, &key).await);
        let large = [&noise(70_000), MARKER].concat();
        put(keyed, way, "damaged", &large).await;
        let id = keyed.stored("damaged").blob_id;
        let file = kept.folder.path().join("blobs").join(&id[..2]).join(&id);
        let mut sealed = fs::read(&file).unwrap();
        sealed[66_000] ^= 1;
        fs::write(&file, sealed).unwrap();
        answers.push(read(keyed, way, "damaged", None).await);
    }
    keyed.disable().await;
    for way in [Way::SseKms, Way::BucketKey, Way::DsseKms] {
        let key = format!("{way:?}-whole").to_lowercase();
        answers.push(read(keyed, way, &key, None).await);
    }

    for answer in answers {
        assert!(answer.status >= 400, "{}", answer.status);
        secrets.assert_absent("a refusal", &answer.body);
    }
}

/// AWS repeats what was signed, and a customer's key with it.
#[tokio::test]
async fn a_wrong_signature_does_not_repeat_the_key() {
    let keyed = Keyed::start().await;
    let secrets = Secrets::known();
    let client = client_of(&keyed.server, "test", "wrong");
    let upload = upload_in(
        strongroom_testkit::Mode::SseC,
        &client,
        "",
        ("key", MARKER.to_vec()),
    );

    let refused = upload.send().await.unwrap_err();

    let body = refused.raw_response().unwrap().body().bytes().unwrap();
    let text = String::from_utf8_lossy(body);
    let spaced = |key: &str| {
        let digits = key.bytes().map(|byte| format!("{byte:02x}"));
        digits.collect::<Vec<_>>().join(" ")
    };
    assert!(
        text.contains("<Code>SignatureDoesNotMatch</Code>"),
        "{text}"
    );
    assert!(
        text.contains("x-amz-server-side-encryption-customer-key:***"),
        "{text}"
    );
    assert!(!text.contains(&spaced(CUSTOMER_KEY.0)), "{text}");
    secrets.assert_absent("the refusal", body);
}

#[tokio::test]
async fn a_condition_that_does_not_hold_does_not_tell_the_key() {
    let (server, _client) = forms::photos().await;
    let mut form = Form::new("key", MARKER).customers().signed();
    let field = form
        .fields
        .iter_mut()
        .find(|(name, _)| name.ends_with("customer-key"));
    field.unwrap().1 = "AAAA".to_owned();

    let answer = form.post(&server).await;

    assert_eq!(answer.status, 403);
    assert!(
        answer.text().contains("Policy Condition failed"),
        "{}",
        answer.text()
    );
    Secrets::known().assert_absent("the refusal", &answer.body);
}

/// Everything that the journal tells of the requests, in each of its forms.
async fn requests_of(server: &Strongroom) -> String {
    let requests = server.received_requests();
    let lines: Vec<_> = requests.iter().map(ToString::to_string).collect();
    let answer = send(server.address(), "GET /_emulator/requests", &[]).await;
    assert_eq!(answer.status, 200);
    format!("{requests:?} {requests:#?} {lines:?} {}", answer.text())
}

/// Parameters of a presigned request count as headers, and each of them may be spelled in any case.
#[tokio::test]
async fn the_journal_masks_what_a_query_carries() {
    let server = Keyed::believing().await.server;
    let [key, signature, token] = [
        "K0%2B%2FyQHJcx5CgotqScZJqhfJ8hpfw4leiB3Bzyo8HSo%3D",
        "5ec2e7",
        "70cec",
    ];
    let target = format!(
        "PUT /photos/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=5ec2e7%2F20240101%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Signature={signature}&X-Amz-Security-Token={token}&x-amz-server-side-encryption-customer-key={key}\
         &X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key={key}&x-amz-security-token={token}\
         &AWSAccessKeyId={signature}&Signature={signature}&prefix=seen"
    );
    let authorization = format!("AWS {signature}:{signature}");
    let headers = [
        ("authorization", &*authorization),
        ("x-amz-security-token", token),
        ("x-amz-server-side-encryption-customer-key", CUSTOMER_KEY.0),
        ("cookie", signature),
        ("referer", signature),
    ];

    send(server.address(), &target, &headers).await;

    let told = requests_of(&server).await;
    for secret in [signature, token, "customer-key=K0", CUSTOMER_KEY.0, key] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    assert!(told.contains("X-Amz-Signature=***"), "{told}");
    assert!(told.contains("prefix=seen"), "{told}");
    Secrets::known().assert_absent("the journal", told.as_bytes());
}

#[tokio::test]
async fn the_journal_keeps_no_field_of_a_form() {
    let (server, _client) = forms::photos().await;
    let form = Form::new("key", MARKER).customers();
    let form = form
        .field("x-amz-security-token", "a session token")
        .signed();

    let answer = form.post(&server).await;

    let told = requests_of(&server).await;
    assert!(told.contains("PostObject"), "{}", answer.text());
    for (name, value) in form.fields.iter().filter(|(name, _)| name != "key") {
        let is_told = told.contains(&**value) && value != "AES256";
        assert!(!is_told, "{name} in {told}");
    }
    Secrets::known().assert_absent("the journal", told.as_bytes());
}
