//! Temporary credentials: what S3 and KMS make of them, and how they end.
//!
//! Source: refusals recorded from AWS or quoted from it; who may, from IAM's guide.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use serde_json::{Value, json};
use strongroom_testkit::Strongroom;
use strongroom_tests::send;

use crate::sdk::{get, put, read, refused, says};
use crate::sts::{
    ACCOUNT, Keys, ROOT, SESSION, encrypt, is, knowing, policy, refusal, role, role_arn, simple,
    today, user,
};

const INVALID: &str = "The security token included in the request is invalid.";

/// Signed at the server's time.
fn lasting(server: &Strongroom, time: Duration) -> PresigningConfig {
    let config = PresigningConfig::builder().start_time(server.clock().now());
    config.expires_in(time).build().unwrap()
}

#[tokio::test]
async fn a_session_in_a_role_is_known_to_all_services() {
    let (server, ann) = simple().await;
    let arn = role_arn("reader");
    let members = [("RoleArn", arn.as_str()), ("RoleSessionName", "job")];

    let begun = ann.ask(&server, "AssumeRole", &members).await;

    assert_eq!(begun.element("Arn").as_deref(), Some(SESSION));
    assert_eq!(
        begun.element("Expiration").as_deref(),
        Some("2027-01-15T01:00:00Z")
    );
    let id = begun.element("AssumedRoleId").unwrap();
    assert!(id.starts_with("AROA") && id.ends_with(":job"), "{id}");
    assert!(begun.text().starts_with("<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <AssumeRoleResult>\n    <AssumedRoleUser>\n"));
    let session = ann.assume(&server, "reader", &[]).await;
    assert!(session.access_key.starts_with("ASIA"));
    let told = session.ask(&server, "GetCallerIdentity", &[]).await;
    assert_eq!(told.element("Arn").as_deref(), Some(SESSION));
    assert_eq!(told.element("UserId"), Some(id));
    assert_eq!(told.element("Account").as_deref(), Some(ACCOUNT));
    let s3 = session.s3(&server);
    put(&s3, "key", "body").await;
    assert_eq!(get(&s3, "key").await, b"body");
    assert_eq!(encrypt(&server, &session).await, Ok(()));
    assert_eq!(server.kms_calls().last().unwrap().caller, SESSION);
}

#[tokio::test]
async fn buckets_of_a_session_are_its_accounts() {
    let (server, ann) = simple().await;
    let session = ann.assume(&server, "reader", &[]).await;

    let made = session
        .s3(&server)
        .create_bucket()
        .bucket("films")
        .send()
        .await;
    made.unwrap();

    let owned = |buckets: aws_sdk_s3::operation::list_buckets::ListBucketsOutput| {
        let owner = buckets.owner().unwrap().id().unwrap().to_owned();
        let names = buckets.buckets().iter();
        let names: Vec<_> = names.map(|it| it.name().unwrap().to_owned()).collect();
        (owner, names)
    };
    let anns = ann.s3(&server).list_buckets().send().await.unwrap();
    let its = session.s3(&server).list_buckets().send().await.unwrap();
    let (anns, its) = (owned(anns), owned(its));
    assert_eq!(anns, its);
    assert_eq!(anns.1, ["films", "photos"]);
}

#[tokio::test]
async fn credentials_expire_on_the_clock() {
    let (server, ann) = simple().await;
    let session = ann
        .assume(&server, "reader", &[("DurationSeconds", "900")])
        .await;
    put(&ann.s3(&server), "key", "x").await;

    server.clock().advance(Duration::from_secs(899));
    assert_eq!(get(&session.s3(&server), "key").await, b"x");
    server.clock().advance(Duration::from_secs(1));

    let got = refused(read(&session.s3(&server), "key").send().await);
    assert_eq!(
        got,
        says("ExpiredToken", 400, "The provided token has expired.")
    );
    let expired = "The security token included in the request is expired";
    let encrypted = encrypt(&server, &session).await;
    assert_eq!(encrypted, is("ExpiredTokenException", expired));
    let told = session.ask(&server, "GetCallerIdentity", &[]).await;
    assert_eq!(refusal(&told), says("ExpiredToken", 403, expired));
    assert_eq!(get(&ann.s3(&server), "key").await, b"x");
}

#[tokio::test]
async fn credentials_are_refused_without_their_token() {
    let (server, ann) = simple().await;
    let session = ann.assume(&server, "reader", &[]).await;
    let other = ann.assume(&server, "reader", &[]).await;
    let unknown = says(
        "InvalidAccessKeyId",
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
    );
    let malformed = says(
        "InvalidToken",
        400,
        "The provided token is malformed or otherwise invalid.",
    );
    let rows = [
        (session.with_token(None), &unknown),
        (session.with_token(other.token.as_deref()), &unknown),
        (session.with_token(Some("malformed")), &malformed),
        (ann.with_token(session.token.as_deref()), &malformed),
    ];
    for (keys, expected) in rows {
        let got = refused(read(&keys.s3(&server), "key").send().await);
        let encrypted = encrypt(&server, &keys).await;
        let told = keys.ask(&server, "GetCallerIdentity", &[]).await;

        assert_eq!(&got, expected, "{keys:?}");
        assert_eq!(encrypted, is("UnrecognizedClientException", INVALID));
        assert_eq!(refusal(&told), says("InvalidClientTokenId", 403, INVALID));
    }
}

#[tokio::test]
async fn s3_repeats_a_bad_token_and_nothing_else_does() {
    let (server, ann) = simple().await;
    let session = ann.assume(&server, "reader", &[]).await;
    let token = session.token.clone().unwrap();
    let wrong = Keys {
        secret: "wrong".to_owned(),
        ..session.clone()
    };
    let presigned = |keys: &Keys| {
        let request = read(&keys.s3(&server), "key");
        let config = lasting(&server, Duration::from_mins(5));
        async move {
            let signed = request.presigned(config).await.unwrap();
            let uri = signed.uri().splitn(4, '/').nth(3).unwrap().to_owned();
            format!("GET /{uri}")
        }
    };

    session.ask(&server, "GetCallerIdentity", &[]).await;
    let permanent = presigned(&ann.with_token(Some(&token))).await;
    let mismatch = presigned(&wrong).await;
    let refused = send(server.address(), &permanent, &[]).await;
    let mismatch = send(server.address(), &mismatch, &[]).await;

    assert_eq!(refused.element("Token-0"), Some(token.clone()));
    assert_eq!(
        mismatch.element("Code").as_deref(),
        Some("SignatureDoesNotMatch")
    );
    let encoded = token
        .replace('/', "%2F")
        .replace('+', "%2B")
        .replace('=', "%3D");
    let journal = format!("{:?} {:?}", server.received_requests(), server.kms_calls());
    for hidden in [&token, &encoded, &session.secret] {
        assert!(!mismatch.text().contains(hidden), "{}", mismatch.text());
        assert!(!journal.contains(hidden));
    }
    assert!(journal.contains(&session.access_key));
}

#[tokio::test]
async fn a_presigned_url_carries_its_token() {
    let (server, ann) = simple().await;
    let session = ann.assume(&server, "reader", &[]).await;
    put(&ann.s3(&server), "key", "body").await;
    let config = lasting(&server, Duration::from_hours(2));
    let url = read(&session.s3(&server), "key");
    let url = url.presigned(config).await.unwrap().uri().to_owned();
    let target = format!("GET /{}", url.splitn(4, '/').nth(3).unwrap());

    let got = send(server.address(), &target, &[]).await;
    server.clock().advance(Duration::from_hours(1));
    let late = send(server.address(), &target, &[]).await;

    assert!(target.contains("X-Amz-Security-Token="));
    assert_eq!(got.body, b"body");
    assert_eq!(
        (late.status, late.element("Code").unwrap()),
        (400, "ExpiredToken".to_owned())
    );
}

#[tokio::test]
async fn credentials_outlive_a_restart_and_a_reset() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || {
        let builder = knowing(&[user("ann", &json!({}))], &[role("reader", &json!({}))]);
        let builder = builder.bucket("photos").clock(today());
        builder.data(folder.path())
    };
    let server = builder().start().await;
    let session = Keys::of("ann").assume(&server, "reader", &[]).await;

    server.reset().await;
    put(&session.s3(&server), "key", "x").await;
    drop(server);
    let again = builder().start().await;

    assert_eq!(get(&session.s3(&again), "key").await, b"x");
    let other = simple().await.0;
    let told = session.ask(&other, "GetCallerIdentity", &[]).await;
    assert_eq!(refusal(&told), says("InvalidClientTokenId", 403, INVALID));
}

#[tokio::test]
async fn a_policy_of_the_session_caps_what_the_role_may_do_with_a_key() {
    let (server, ann) = simple().await;
    let capped = policy(&json!({ "Action": "kms:Decrypt", "Resource": "*" })).to_string();
    let denying = json!({ "Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*" });
    let denying = policy(&denying).to_string();

    let begun = ann
        .try_assume(&server, "reader", &[("Policy", &capped)])
        .await;
    let capped = ann.assume(&server, "reader", &[("Policy", &capped)]).await;
    let denied = ann.assume(&server, "reader", &[("Policy", &denying)]).await;

    assert_eq!(begun.element("PackedPolicySize").as_deref(), Some("3"));
    let arn = ann
        .kms(&server)
        .describe_key()
        .key_id("alias/app")
        .send()
        .await;
    let arn = arn.unwrap().key_metadata.unwrap().arn.unwrap();
    for (session, reason) in [
        (
            capped,
            "because no session policy allows the kms:Encrypt action",
        ),
        (denied, "with an explicit deny in a session policy"),
    ] {
        let message = format!(
            "User: {SESSION} is not authorized to perform: kms:Encrypt on resource: {arn} {reason}"
        );
        let told = encrypt(&server, &session).await;
        assert_eq!(told, is("AccessDeniedException", &message));
    }
}

#[tokio::test]
async fn policies_of_a_role_bind_its_sessions_and_are_those_of_today() {
    let folder = tempfile::tempdir().unwrap();
    let start = |action: &'static str| {
        let policies =
            json!({ "policies": [policy(&json!({ "Action": action, "Resource": "*" }))] });
        let builder = knowing(&[user("ann", &json!({}))], &[role("reader", &policies)]);
        let builder = builder.kms_key("alias/app").data(folder.path());
        builder.clock(today()).start()
    };
    let server = start("kms:Encrypt").await;
    let session = Keys::of("ann").assume(&server, "reader", &[]).await;
    assert_eq!(encrypt(&server, &session).await, Ok(()));
    drop(server);

    let server = start("kms:Decrypt").await;

    let (exception, message) = encrypt(&server, &session).await.unwrap_err();
    assert_eq!(exception, "AccessDeniedException");
    let reason = "because no identity-based policy allows the kms:Encrypt action";
    assert!(
        message.starts_with(&format!("User: {SESSION} ")) && message.ends_with(reason),
        "{message}"
    );
}

#[tokio::test]
async fn a_key_can_name_a_role_or_one_of_its_sessions() {
    let (server, ann) = simple().await;
    let job = ann.assume(&server, "reader", &[]).await;
    let arn = role_arn("reader");
    let other = [("RoleArn", arn.as_str()), ("RoleSessionName", "other")];
    let other = ann.begin(&server, "AssumeRole", &other).await;
    let key = server.kms_client().describe_key().key_id("alias/app");
    let key = key.send().await.unwrap().key_metadata.unwrap().key_id;
    for (principal, others) in [(arn.as_str(), true), (SESSION, false)] {
        let root = json!({ "Effect": "Allow", "Principal": { "AWS": ROOT }, "Action": "kms:PutKeyPolicy", "Resource": "*" });
        let named = json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "kms:Encrypt", "Resource": "*" });
        let policy = json!({ "Version": "2012-10-17", "Statement": [root, named] });
        key_policy(&server, &key, &policy).await;

        assert_eq!(encrypt(&server, &job).await, Ok(()), "{principal}");
        assert_eq!(
            encrypt(&server, &other).await.is_ok(),
            others,
            "{principal}"
        );
        assert!(encrypt(&server, &ann).await.is_err());
    }
}

async fn key_policy(server: &Strongroom, key: &str, policy: &Value) {
    let put = server.kms_client().put_key_policy();
    let put = put.key_id(key).policy(policy.to_string());
    put.send().await.unwrap();
}
