//! S3 obeys KMS: every row of what may be wrong with a key, on every path to an object, in each mode under KMS.
//!
//! Source: answers recorded and quoted from AWS, and KMS's guide on policies.

use serde_json::{Value, json};
use strongroom_tests::{Answer, send, send_body};

use crate::forms::{Form, then, told};
use crate::keyed::Keyed;
use crate::sdk::says;
use crate::ways::{Parts, Way, put, succeeded};

/// Who everybody is whose signature is not asked for.
const ROOT: &str = "arn:aws:iam::000000000000:root";
/// The modes whose objects need the KMS key.
const SEALED: [Way; 3] = [Way::SseKms, Way::BucketKey, Way::DsseKms];
const GONE: &str = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";

/// A refusal: code, status, message.
type Said = (String, u16, String);

/// What lies in `photos` before something happens to its key: an object under it, one under none, and an upload of each.
struct House<'k> {
    keyed: &'k Keyed,
    way: Way,
    sealed: Parts<'k>,
    open: Parts<'k>,
}

impl<'k> House<'k> {
    async fn build(keyed: &'k Keyed, way: Way) -> Self {
        put(keyed, way, "sealed", b"under the key").await;
        put(keyed, Way::SseS3, "open", b"under none").await;
        let mut sealed = Parts::begin(keyed, way, "parts").await;
        sealed.put(1, b"of a part").await;
        let open = Parts::begin(keyed, Way::SseS3, "open-parts").await;
        Self {
            keyed,
            way,
            sealed,
            open,
        }
    }

    async fn ask(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        send(self.keyed.server.address(), target, headers).await
    }

    /// Each path that has KMS make a data key, by its name.
    async fn writes(&self) -> Vec<(&'static str, Answer)> {
        let asks = self.way.asks();
        let address = self.keyed.server.address();
        let form = asks.iter().fold(Form::new("new", "x"), |form, pair| {
            form.field(pair.0, pair.1)
        });
        let copied = [&[("x-amz-copy-source", "/photos/open")], &asks[..]].concat();
        vec![
            (
                "PutObject",
                send_body(address, "PUT /photos/new", &asks, b"x").await,
            ),
            ("POST", form.signed().post(&self.keyed.server).await),
            (
                "CopyObject onto",
                self.ask("PUT /photos/new", &copied).await,
            ),
            (
                "CreateMultipartUpload",
                self.ask("POST /photos/new?uploads", &asks).await,
            ),
        ]
    }

    /// Each path that has KMS open one.
    async fn reads(&self) -> Vec<(&'static str, Answer)> {
        let address = self.keyed.server.address();
        let from_sealed = [("x-amz-copy-source", "/photos/sealed")];
        let from_open = [("x-amz-copy-source", "/photos/open")];
        let part = self.sealed.target(2);
        vec![
            ("GetObject", self.ask("GET /photos/sealed", &[]).await),
            (
                "GetObject of a range",
                self.ask("GET /photos/sealed", &[("range", "bytes=0-0")])
                    .await,
            ),
            (
                "CopyObject from",
                self.ask("PUT /photos/copy", &from_sealed).await,
            ),
            (
                "UploadPart",
                send_body(address, &part, &[], b"of another part").await,
            ),
            ("UploadPartCopy onto", self.ask(&part, &from_open).await),
            (
                "UploadPartCopy from",
                self.ask(&self.open.target(1), &from_sealed).await,
            ),
            ("CompleteMultipartUpload", self.complete().await),
        ]
    }

    async fn complete(&self) -> Answer {
        let (target, manifest) = self.sealed.completion();
        send_body(
            self.keyed.server.address(),
            &target,
            &[],
            manifest.as_bytes(),
        )
        .await
    }

    /// HEAD, which asks KMS only where it is to tell the checksum.
    async fn assert_heads(&self, refused: u16) {
        let plain = self.ask("HEAD /photos/sealed", &[]).await;
        let mode = [("x-amz-checksum-mode", "ENABLED")];
        let checked = self.ask("HEAD /photos/sealed", &mode).await;

        assert_eq!((plain.status, checked.status), (200, refused));
        assert_eq!(checked.body, b"");
    }

    /// Nothing came of what was refused.
    async fn assert_untouched(&self) {
        for key in ["new", "copy", "parts"] {
            let target = format!("HEAD /photos/{key}");
            assert_eq!(self.ask(&target, &[]).await.status, 404, "{key}");
        }
    }
}

fn assert_refused(answers: Vec<(&'static str, Answer)>, expected: &Said) {
    for (path, answer) in answers {
        assert_eq!(&told(&answer), expected, "{path}");
    }
}

/// A server for each mode, with all that is needed in place; then something happens to the key.
async fn assert_obeyed(happen: impl AsyncFn(&Keyed), expected: impl Fn(&Keyed) -> [Said; 2]) {
    for way in SEALED {
        let keyed = believing().await;
        let house = House::build(&keyed, way).await;

        happen(&keyed).await;

        let [of_writes, of_reads] = expected(&keyed);
        assert_refused(house.writes().await, &of_writes);
        let status = of_reads.1;
        assert_refused(house.reads().await, &of_reads);
        house.assert_heads(status).await;
        house.assert_untouched().await;
    }
}

async fn believing() -> Keyed {
    let believe = |config: &mut strongroom_testkit::Config| {
        config.authentication = strongroom_testkit::Authentication::Off;
    };
    Keyed::of(then().config(believe)).await
}

/// Lets the key have this policy, which may shut its owner out.
async fn set_policy(keyed: &Keyed, statements: &Value) {
    let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let put = keyed.kms.put_key_policy().key_id(&keyed.arn).policy(policy);
    let put = put.bypass_policy_lockout_safety_check(true);
    put.send().await.unwrap();
}

fn allowing(who: &str, condition: &Value) -> Value {
    json!({
        "Effect": "Allow", "Principal": { "AWS": who }, "Action": "kms:*", "Resource": "*",
        "Condition": condition,
    })
}

/// What S3 says where KMS denies the root of the account.
fn denied(keyed: &Keyed, action: &str, reason: &str) -> Said {
    let arn = &keyed.arn;
    let message =
        format!("User: {ROOT} is not authorized to perform: {action} on resource: {arn} {reason}");
    says("AccessDenied", 403, &message)
}

fn nobody_allows(keyed: &Keyed) -> [Said; 2] {
    ["kms:GenerateDataKey", "kms:Decrypt"].map(|action| {
        let reason = format!("because no resource-based policy allows the {action} action");
        denied(keyed, action, &reason)
    })
}

#[tokio::test]
async fn what_is_not_refused_is_done() {
    for way in SEALED {
        let keyed = believing().await;
        let house = House::build(&keyed, way).await;

        for (path, answer) in [house.writes().await, house.reads().await].concat() {
            let text = answer.text();
            assert!(matches!(answer.status, 200 | 204 | 206), "{path}: {text}");
        }
        house.assert_heads(200).await;
    }
}

#[tokio::test]
async fn a_disabled_key() {
    let refused = |keyed: &Keyed| {
        let message = format!("{} is disabled.", keyed.arn);
        let said = says("KMS.DisabledException", 400, &message);
        [said.clone(), said]
    };
    assert_obeyed(Keyed::disable, refused).await;
}

#[tokio::test]
async fn a_key_that_waits_for_its_deletion() {
    let refused = |keyed: &Keyed| {
        let message = format!("{} is pending deletion.", keyed.arn);
        let said = says("KMS.KMSInvalidStateException", 400, &message);
        [said.clone(), said]
    };
    assert_obeyed(Keyed::schedule_deletion, refused).await;
}

#[tokio::test]
async fn a_key_that_was_deleted_after_its_window() {
    // The writes name the key by its alias, which went with it.
    let refused = |_: &Keyed| {
        let message = "Alias arn:aws:kms:us-east-1:000000000000:alias/app is not found.";
        [
            says("KMS.NotFoundException", 400, message),
            says("AccessDenied", 403, GONE),
        ]
    };
    assert_obeyed(Keyed::delete, refused).await;
}

#[tokio::test]
async fn a_policy_that_denies() {
    let deny = async |keyed: &Keyed| {
        let denies = json!({
            "Effect": "Deny", "Principal": "*", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*",
        });
        set_policy(keyed, &json!([allowing(ROOT, &json!({})), denies])).await;
    };
    let refused = |keyed: &Keyed| {
        let reason = "with an explicit deny in a resource-based policy";
        ["kms:GenerateDataKey", "kms:Decrypt"].map(|action| denied(keyed, action, reason))
    };
    assert_obeyed(deny, refused).await;
}

#[tokio::test]
async fn a_policy_that_names_somebody_else() {
    let ann = "arn:aws:iam::000000000000:user/ann";
    let hand_over = async |keyed: &Keyed| {
        set_policy(keyed, &json!([allowing(ann, &json!({}))])).await;
    };
    assert_obeyed(hand_over, nobody_allows).await;
}

#[tokio::test]
async fn a_policy_for_callers_of_kms_alone() {
    let keep_s3_out = async |keyed: &Keyed| {
        let direct = json!({ "Null": { "kms:ViaService": "true" } });
        set_policy(keyed, &json!([allowing(ROOT, &direct)])).await;
    };
    assert_obeyed(keep_s3_out, nobody_allows).await;
}

#[tokio::test]
async fn a_policy_for_another_context() {
    let narrow = async |keyed: &Keyed| {
        let other =
            json!({ "StringLike": { "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::films*" } });
        set_policy(keyed, &json!([allowing(ROOT, &other)])).await;
    };
    assert_obeyed(narrow, nobody_allows).await;
}

#[tokio::test]
async fn what_a_policy_takes_it_can_give_back() {
    let keyed = believing().await;
    let house = House::build(&keyed, Way::BucketKey).await;
    let allow = allowing(ROOT, &json!({}));
    let deny =
        json!({ "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*" });
    set_policy(&keyed, &json!([allow, deny])).await;
    assert_eq!(house.complete().await.status, 403);

    set_policy(&keyed, &json!([allow])).await;

    succeeded(house.complete().await);
    let read = house.ask("GET /photos/parts", &[]).await;
    assert_eq!(succeeded(read).body, b"of a part");
}
