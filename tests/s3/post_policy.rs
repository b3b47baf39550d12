//! Browsers' forms that are refused: for who sends them, for what their policy says, for how they are written.
//!
//! Source: answers recorded from AWS, and <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>.

use std::time::Duration;

use serde_json::json;
use strongroom_testkit::{Authentication, Config};
use strongroom_tests::send_body;

use crate::forms::{Form, is_empty, photos, then, told};
use crate::sdk::{noise, says};

#[tokio::test]
async fn forms_without_a_policy_are_anonymous() {
    let (server, client) = photos().await;

    let answer = Form::new("key", "x").post(&server).await;

    assert_eq!(told(&answer), says("AccessDenied", 403, "Access Denied"));
    assert!(is_empty(&client).await);
}

#[tokio::test]
async fn any_signature_is_believed_where_signatures_are_off() {
    let off = |config: &mut Config| config.authentication = Authentication::Off;
    let server = then().bucket("photos").config(off).start().await;
    let mut wrong = Form::new("key", "x").signed();
    wrong.fields.last_mut().unwrap().1 = "0".to_owned();

    assert_eq!(wrong.post(&server).await.status, 204);
    assert_eq!(Form::new("key", "x").post(&server).await.status, 204);
}

#[tokio::test]
async fn a_wrong_signature_is_refused_with_what_should_be_signed() {
    let (server, _client) = photos().await;
    let mut form = Form::new("key", "x").signed();
    form.fields.last_mut().unwrap().1 = "0".to_owned();

    let answer = form.post(&server).await;

    let policy = &form.fields[form.fields.len() - 2].1;
    assert_eq!(
        (told(&answer).0.as_str(), answer.status),
        ("SignatureDoesNotMatch", 403)
    );
    assert_eq!(answer.element("StringToSign").as_ref(), Some(policy));
    assert_eq!(answer.element("SignatureProvided").as_deref(), Some("0"));
    assert_eq!(answer.element("AWSAccessKeyId").as_deref(), Some("test"));
    assert_eq!(answer.element("CanonicalRequest"), None);
}

#[tokio::test]
async fn a_policy_expires_by_the_clock() {
    let (server, _client) = photos().await;
    let form = Form::new("key", "x").signed();

    server.clock().advance(Duration::from_secs(3_599));
    let before = form.post(&server).await;
    server.clock().advance(Duration::from_secs(1));
    let after = form.post(&server).await;

    assert_eq!(before.status, 204);
    let message = "Invalid according to Policy: Policy expired.";
    assert_eq!(told(&after), says("AccessDenied", 403, message));
}

#[tokio::test]
async fn what_the_policy_does_not_say_is_refused() {
    let (server, client) = photos().await;
    let form = Form::new("key", "x").condition(json!({"acl": "private"}));

    let failed = form.signed().post(&server).await;
    let extra = Form::new("key", "x").signed().field("acl", "private");
    let extra = extra.post(&server).await;

    let message =
        "Invalid according to Policy: Policy Condition failed: [\"eq\", \"$acl\", \"private\"]";
    assert_eq!(told(&failed), says("AccessDenied", 403, message));
    let message = "Invalid according to Policy: Extra input fields: acl";
    assert_eq!(told(&extra), says("AccessDenied", 403, message));
    assert!(is_empty(&client).await);
}

#[tokio::test]
async fn a_policy_that_is_none_is_told() {
    let (server, _client) = photos().await;
    let form = Form::new("key", "x").condition(json!({}));

    let answer = form.signed().post(&server).await;

    let message = "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.";
    assert_eq!(told(&answer), says("InvalidPolicyDocument", 400, message));
}

#[tokio::test]
async fn the_size_of_the_file_has_bounds() {
    let range = json!(["content-length-range", 5, 100_000]);
    let cases = [
        (4, 400, Some(("EntityTooSmall", "MinSizeAllowed", "5"))),
        (5, 204, None),
        (100_000, 204, None),
        (
            100_001,
            400,
            Some(("EntityTooLarge", "MaxSizeAllowed", "100000")),
        ),
        (
            2_000_000,
            400,
            Some(("EntityTooLarge", "MaxSizeAllowed", "100000")),
        ),
    ];
    for (length, status, refused) in cases {
        let (server, client) = photos().await;
        let form = Form::new("key", noise(length)).condition(range.clone());

        let answer = form.signed().post(&server).await;

        assert_eq!(answer.status, status, "{length} bytes");
        assert_eq!(is_empty(&client).await, refused.is_some());
        if let Some((code, name, bound)) = refused {
            let proposed = answer.element("ProposedSize").unwrap();
            assert_eq!(told(&answer).0, code);
            assert_eq!(proposed, length.to_string());
            assert_eq!(answer.element(name).as_deref(), Some(bound));
        }
    }
}

#[tokio::test]
async fn a_form_needs_a_key_and_a_file() {
    let (server, _client) = photos().await;
    let mut keyless = Form::new("key", "x");
    keyless.fields.clear();
    let mut late = Form::new("key", "x");
    let field = "--edge\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nlate\r\n";
    late.fields.clear();
    late.end = format!("{field}--edge--\r\n");
    let fileless = format!("{field}--edge--\r\n");
    let kind = [("content-type", "multipart/form-data; boundary=edge")];

    let fileless = send_body(server.address(), "POST /photos", &kind, fileless.as_bytes()).await;

    let message = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.";
    for form in [keyless, late] {
        let answer = form.post(&server).await;
        assert_eq!(told(&answer), says("InvalidArgument", 400, message));
        assert_eq!(answer.element("ArgumentName").as_deref(), Some("key"));
    }
    let empty = Form::new("", "x").post(&server).await;
    let message = "User key must have a length greater than 0.";
    assert_eq!(told(&empty), says("InvalidArgument", 400, message));
    let message = "POST requires exactly one file upload per request.";
    assert_eq!(told(&fileless), says("InvalidArgument", 400, message));
    assert_eq!(fileless.element("ArgumentValue").as_deref(), Some("0"));
}

#[tokio::test]
async fn a_form_that_is_cut_leaves_nothing() {
    for length in [10, 1_000_000] {
        let (server, client) = photos().await;
        let mut form = Form::new("key", noise(length)).signed();
        form.end = "--ed".to_owned();

        let answer = form.post(&server).await;

        let message = "The body of your POST request is not well-formed multipart/form-data.";
        assert_eq!(told(&answer), says("MalformedPOSTRequest", 400, message));
        assert!(is_empty(&client).await);
    }
}

#[tokio::test]
async fn fields_before_the_file_are_bounded() {
    let (server, _client) = photos().await;

    let form = Form::new("key", "x").field("x-ignore-a", &"a".repeat(20_480));
    let answer = form.post(&server).await;

    assert_eq!(told(&answer).0, "MaxPostPreDataLengthExceeded");
    let most = answer.element("MaxPostPreDataLengthBytes");
    assert_eq!(most.as_deref(), Some("20480"));
}

#[tokio::test]
async fn only_forms_are_posted_to_a_bucket() {
    let (server, _client) = photos().await;
    for kind in ["text/html", "multipart/mixed; boundary=edge", ""] {
        let headers = [("content-type", kind)];

        let answer = send_body(server.address(), "POST /photos", &headers, b"x").await;

        assert_eq!(told(&answer).0, "PreconditionFailed", "{kind}");
        let condition = "Bucket POST must be of the enclosure-type multipart/form-data";
        assert_eq!(answer.element("Condition").as_deref(), Some(condition));
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_has_no_forms() {
    let (server, _client) = photos().await;
    let kind = [("content-type", "multipart/form-data; boundary=edge")];

    let body = Form::new("key", "x").body();
    let answer = send_body(server.address(), "POST /nowhere", &kind, &body).await;

    assert_eq!(told(&answer).0, "NoSuchBucket");
}
