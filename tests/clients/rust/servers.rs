//! The test kit itself: how many servers there may be, where, and what they leave.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::PresigningConfig;
use strongroom_rust_clients::{CUSTOMER_KEY, CUSTOMER_KEY_MD5, LETTER, plain_client};
use strongroom_testkit::{Authentication, Mode, NewBuckets, Strongroom, blocking};

async fn put(server: &Strongroom, body: &[u8]) {
    let put = server.s3_client().put_object();
    let put = put.bucket("photos").key("cat").body(body.to_vec().into());
    put.send().await.unwrap();
}

async fn get(server: &Strongroom) -> Vec<u8> {
    let got = server.s3_client().get_object();
    let got = got.bucket("photos").key("cat").send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

fn is_open(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

#[tokio::test]
async fn servers_of_one_process_share_nothing() {
    let build = || Strongroom::builder().bucket("photos").start();
    let (one, other) = (build().await, build().await);

    put(&one, b"the first letter").await;
    put(&other, b"the second letter").await;

    assert_eq!(get(&one).await, b"the first letter");
    assert_eq!(get(&other).await, b"the second letter");
    assert_ne!(one.address().port(), other.address().port());
    assert_ne!(one.data_folder(), other.data_folder());
}

#[tokio::test]
async fn sixteen_servers_start_at_once() {
    let builds = (0..16).map(|_| Strongroom::builder().bucket("photos").start());
    let servers = futures_util::future::join_all(builds).await;

    for server in &servers {
        put(server, LETTER).await;
    }
    for server in &servers {
        assert_eq!(get(server).await, LETTER);
    }
}

#[test]
fn a_server_goes_with_its_scope_and_leaves_nothing() {
    let (address, folder, ca) = {
        let server = blocking::Strongroom::builder().tls().start_blocking();
        let ca = server.ca_file().to_owned();
        assert!(is_open(server.address()) && server.data_folder().exists() && ca.exists());
        (server.address(), server.data_folder().to_owned(), ca)
    };

    assert!(!is_open(address), "it still listens");
    assert!(!folder.exists(), "{} is left", folder.display());
    assert!(!ca.exists(), "{} is left", ca.display());
}

#[test]
fn a_test_that_panics_leaves_nothing() {
    let test = std::thread::spawn(|| {
        let server = blocking::Strongroom::start();
        std::panic::panic_any((server.address(), server.data_folder().to_owned()));
    });

    let told = test.join().unwrap_err();

    let told = told.downcast::<(SocketAddr, std::path::PathBuf)>().unwrap();
    assert!(!is_open(told.0), "it still listens");
    assert!(!told.1.exists(), "{} is left", told.1.display());
}

#[test]
fn a_test_without_async_has_the_same_surface() {
    let server = blocking::Strongroom::builder()
        .bucket("photos")
        .start_blocking();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();

    runtime.block_on(put(&server, LETTER));

    server.assert_encrypted_with("photos", "cat", Mode::SseS3);
    server.assert_not_stored(LETTER);
    assert_eq!(server.stored("photos", "cat").mode, Mode::SseS3);
}

#[tokio::test(flavor = "current_thread")]
async fn a_test_may_block_its_own_runtime() {
    let server = Strongroom::builder().bucket("photos").start().await;
    let address = server.address();

    // The server has threads of its own: it answers while this one waits for it.
    let answer = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(
                b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            )
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });

    assert!(answer.join().unwrap().starts_with("HTTP/1.1 200"));
}

#[test]
fn a_server_that_cannot_start_fails_its_test() {
    let start = || {
        blocking::Strongroom::builder()
            .account("twelve")
            .start_blocking()
    };

    let failure = std::panic::catch_unwind(start).unwrap_err();

    let message = failure.downcast::<String>().unwrap();
    assert!(
        message.contains("`twelve` is not twelve digits"),
        "{message}"
    );
}

#[tokio::test]
async fn a_presigned_url_expires_when_the_test_says_so() {
    let server = Strongroom::builder().bucket("photos").start().await;
    put(&server, LETTER).await;
    let day = PresigningConfig::expires_in(Duration::from_secs(86_400)).unwrap();
    let get = server.s3_client().get_object().bucket("photos").key("cat");
    let url = get.presigned(day).await.unwrap().uri().to_owned();

    let client = plain_client();
    let fresh = client.get(&url).send().await.unwrap().status();
    server.clock().advance(Duration::from_secs(86_401));
    let stale = client.get(&url).send().await.unwrap().status();

    assert_eq!((fresh.as_u16(), stale.as_u16()), (200, 403));
}

#[tokio::test]
async fn a_held_clock_is_the_clients_too() {
    let millennium = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800);
    let server = Strongroom::builder()
        .clock(millennium)
        .bucket("photos")
        .start()
        .await;

    put(&server, LETTER).await;

    let head = server.s3_client().head_object();
    let head = head.bucket("photos").key("cat").send().await.unwrap();
    assert_eq!(head.last_modified().unwrap().secs(), 946_684_800);
}

#[tokio::test]
async fn region_account_and_credentials_are_the_builders() {
    let server = Strongroom::builder()
        .region("eu-central-1")
        .account("123456789012")
        .credentials("anne", "her secret")
        .kms_key("alias/app")
        .start()
        .await;

    let key = server.kms_client().describe_key().key_id("alias/app");
    let key = key.send().await.unwrap().key_metadata.unwrap();

    let arn = key.arn().unwrap();
    assert!(
        arn.starts_with("arn:aws:kms:eu-central-1:123456789012:key/"),
        "{arn}"
    );
    let stranger = aws_sdk_s3::config::Credentials::new("anne", "a guess", None, None, "test");
    let config = aws_sdk_s3::config::Builder::from(&server.sdk_config());
    let stranger = aws_sdk_s3::Client::from_conf(config.credentials_provider(stranger).build());
    let refused = stranger.list_buckets().send().await.unwrap_err();
    assert_eq!(refused.code(), Some("SignatureDoesNotMatch"));
}

#[tokio::test]
async fn signatures_are_believed_where_the_builder_says_so() {
    let server = Strongroom::builder()
        .authentication(Authentication::Off)
        .start()
        .await;
    let wrong = aws_sdk_s3::config::Credentials::new("test", "a guess", None, None, "test");
    let config = aws_sdk_s3::config::Builder::from(&server.sdk_config());
    let client = aws_sdk_s3::Client::from_conf(config.credentials_provider(wrong).build());

    assert!(client.list_buckets().send().await.is_ok());
}

#[tokio::test]
async fn buckets_of_2026_block_customers_keys() {
    let server = Strongroom::builder()
        .new_buckets(NewBuckets::Y2026)
        .bucket("photos")
        .start()
        .await;

    let put = server.s3_client().put_object().bucket("photos").key("cat");
    let put = put
        .sse_customer_algorithm("AES256")
        .sse_customer_key(CUSTOMER_KEY)
        .sse_customer_key_md5(CUSTOMER_KEY_MD5);
    let refused = put.send().await.unwrap_err();

    assert_eq!(refused.code(), Some("AccessDenied"));
}
