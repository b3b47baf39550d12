//! `aws-sdk-s3` under a customer's key, over HTTPS: each of its calls with the key, without it, and with another.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use strongroom_rust_clients::{
    CUSTOMER_KEY, CUSTOMER_KEY_BYTES, CUSTOMER_KEY_MD5, LETTER, OTHER_KEY, OTHER_KEY_MD5,
    PART_BYTES, http_client, long_body,
};
use strongroom_testkit::{Mode, Strongroom};

/// A customer's key and its MD5, base64.
type Key = (&'static str, &'static str);

const MINE: Key = (CUSTOMER_KEY, CUSTOMER_KEY_MD5);
const OTHER: Key = (OTHER_KEY, OTHER_KEY_MD5);

/// A request with a key.
macro_rules! keyed {
    ($request:expr, $key:expr) => {
        $request
            .sse_customer_algorithm("AES256")
            .sse_customer_key($key.0)
            .sse_customer_key_md5($key.1)
    };
}

/// A copy with the key of its source.
macro_rules! opening {
    ($copy:expr, $key:expr) => {
        $copy
            .copy_source_sse_customer_algorithm("AES256")
            .copy_source_sse_customer_key($key.0)
            .copy_source_sse_customer_key_md5($key.1)
    };
}

/// A request about an object of the bucket `photos`.
macro_rules! about {
    ($request:expr, $key:expr) => {
        $request.bucket("photos").key($key)
    };
}

async fn photos() -> (Strongroom, Client) {
    let builder = Strongroom::builder().bucket("photos").tls().strict_tls();
    let server = builder.start().await;
    let client = server.s3_client();
    (server, client)
}

async fn put(client: &Client, key: &str) {
    let put = about!(client.put_object(), key).body(LETTER.to_vec().into());
    keyed!(put, MINE).send().await.unwrap();
}

async fn get(client: &Client, key: &str, with: Key) -> Vec<u8> {
    let got = keyed!(about!(client.get_object(), key), with).send().await;
    got.unwrap().body.collect().await.unwrap().to_vec()
}

async fn range(client: &Client, key: &str, range: &str) -> (Option<String>, Vec<u8>) {
    let get = about!(client.get_object(), key).range(range);
    let got = keyed!(get, MINE).send().await.unwrap();
    let told = got.content_range().map(str::to_owned);
    (told, got.body.collect().await.unwrap().to_vec())
}

async fn head(client: &Client, key: &str) -> HeadObjectOutput {
    let head = keyed!(about!(client.head_object(), key), MINE);
    head.send().await.unwrap()
}

/// Puts a film in two parts; what it is.
async fn put_film(client: &Client) -> Vec<u8> {
    let film = long_body();
    let create = keyed!(about!(client.create_multipart_upload(), "film"), MINE);
    let id = create.send().await.unwrap().upload_id.unwrap();
    let mut parts = Vec::new();
    for (number, part) in (1..).zip(film.chunks(PART_BYTES)) {
        let upload = about!(client.upload_part(), "film").upload_id(&id);
        let upload = upload.part_number(number).body(part.to_vec().into());
        let sent = keyed!(upload, MINE).send().await.unwrap();
        assert_eq!(sent.sse_customer_key_md5(), Some(CUSTOMER_KEY_MD5));
        let part = CompletedPart::builder().part_number(number);
        parts.push(part.set_e_tag(sent.e_tag).build());
    }
    assert_eq!(parts.len(), 2);
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
    let complete = about!(client.complete_multipart_upload(), "film").upload_id(id);
    let complete = complete.multipart_upload(parts.build());
    keyed!(complete, MINE).send().await.unwrap();
    film
}

fn status<E>(refused: &SdkError<E, HttpResponse>) -> u16 {
    refused.raw_response().unwrap().status().as_u16()
}

/// Status and code.
fn told<E>(refused: &SdkError<E, HttpResponse>) -> (u16, Option<&str>)
where
    SdkError<E, HttpResponse>: ProvideErrorMetadata,
{
    (status(refused), refused.code())
}

#[tokio::test]
async fn a_head_tells_whose_key_it_is() {
    let (server, client) = photos().await;
    put(&client, "letter").await;

    let head = head(&client, "letter").await;

    assert_eq!(head.content_length(), i64::try_from(LETTER.len()).ok());
    assert_eq!(head.sse_customer_algorithm(), Some("AES256"));
    assert_eq!(head.sse_customer_key_md5(), Some(CUSTOMER_KEY_MD5));
    assert_eq!(head.server_side_encryption(), None);
    server.assert_encrypted_with("photos", "letter", Mode::SseC);
}

#[tokio::test]
async fn two_parts_are_one_object_and_a_range_crosses_their_border() {
    let (server, client) = photos().await;

    let film = put_film(&client).await;

    let border = format!("bytes={}-{}", PART_BYTES - 10, PART_BYTES + 9);
    let (told, slice) = range(&client, "film", &border).await;
    let size = film.len();
    assert_eq!(slice, film[PART_BYTES - 10..PART_BYTES + 10]);
    let expected = format!("bytes {}-{}/{size}", PART_BYTES - 10, PART_BYTES + 9);
    assert_eq!(told, Some(expected));
    assert_eq!(range(&client, "film", "bytes=-5").await.1, film[size - 5..]);
    assert!(get(&client, "film", MINE).await == film);
    let etag = head(&client, "film").await.e_tag.unwrap();
    assert!(etag.ends_with("-2\""), "{etag}");
    assert_eq!(server.stored("photos", "film").blobs.len(), 2);
    server.assert_encrypted_with("photos", "film", Mode::SseC);
    server.assert_not_stored(film);
}

#[tokio::test]
async fn a_copy_goes_from_one_key_to_another() {
    let (server, client) = photos().await;
    put(&client, "letter").await;

    let copy = about!(client.copy_object(), "copy").copy_source("photos/letter");
    let copied = keyed!(opening!(copy, MINE), OTHER).send().await.unwrap();

    assert_eq!(copied.sse_customer_key_md5(), Some(OTHER_KEY_MD5));
    assert_eq!(get(&client, "copy", OTHER).await, LETTER);
    let read = keyed!(about!(client.get_object(), "copy"), MINE);
    let refused = read.send().await.unwrap_err();
    assert_eq!(told(&refused), (403, Some("AccessDenied")));
    server.assert_encrypted_with("photos", "copy", Mode::SseC);
    server.assert_not_stored(LETTER);
    server.assert_not_stored(CUSTOMER_KEY_BYTES);
}

#[tokio::test]
async fn a_copy_wants_the_key_of_its_source() {
    let (_server, client) = photos().await;
    put(&client, "letter").await;
    let copy = about!(client.copy_object(), "copy").copy_source("photos/letter");
    let copy = keyed!(copy, MINE);

    let without = copy.clone().send().await.unwrap_err();
    let wrong = opening!(copy, OTHER).send().await.unwrap_err();

    assert_eq!(told(&without), (400, Some("InvalidRequest")));
    assert_eq!(told(&wrong), (400, Some("InvalidRequest")));
}

/// Sends what was signed, with its headers or without.
async fn send(server: &Strongroom, signed: &PresignedRequest, with_key: bool) -> reqwest::Response {
    let method = signed.method().parse().unwrap();
    let client = http_client(&server.ca_pem());
    let mut send = client.request(method, signed.uri());
    if signed.method() == "PUT" {
        send = send.body(LETTER);
    }
    let headers = signed.headers().filter(|_| with_key);
    let send = headers.fold(send, |send, (name, value)| send.header(name, value));
    send.send().await.unwrap()
}

/// The key never stands in the URL, whose signature says that the headers come.
#[tokio::test]
async fn a_presigned_request_comes_with_the_key_in_its_headers() {
    let (server, client) = photos().await;
    let minute = PresigningConfig::expires_in(Duration::from_mins(1)).unwrap();
    let put = keyed!(about!(client.put_object(), "letter"), MINE);
    let put = put.presigned(minute.clone()).await.unwrap();
    let get = keyed!(about!(client.get_object(), "letter"), MINE);
    let get = get.presigned(minute).await.unwrap();

    let refused = send(&server, &put, false).await.status();
    let written = send(&server, &put, true).await.status();
    let read = send(&server, &get, true).await;
    let unread = send(&server, &get, false).await.status();

    assert_eq!((refused.as_u16(), written.as_u16()), (403, 200));
    assert_eq!(read.bytes().await.unwrap(), LETTER);
    assert_eq!(unread, 403);
    for signed in [put, get] {
        assert!(!signed.uri().contains("customer-key="), "{}", signed.uri());
        assert!(signed.uri().contains("customer-key%3B"), "{}", signed.uri());
    }
    server.assert_encrypted_with("photos", "letter", Mode::SseC);
    server.assert_not_stored(LETTER);
}

#[tokio::test]
async fn without_the_key_and_with_another_nothing_is_read() {
    let (_server, client) = photos().await;
    put(&client, "letter").await;
    let (get, head) = (client.get_object(), client.head_object());
    let (get, head) = (about!(get, "letter"), about!(head, "letter"));

    let without = get.clone().send().await.unwrap_err();
    let wrong = keyed!(get, OTHER).send().await.unwrap_err();
    let head_without = head.clone().send().await.unwrap_err();
    let head_wrong = keyed!(head, OTHER).send().await.unwrap_err();

    assert_eq!(told(&without), (400, Some("InvalidRequest")));
    assert_eq!(told(&wrong), (403, Some("AccessDenied")));
    // A HEAD has no body to tell a code in.
    assert_eq!((status(&head_without), status(&head_wrong)), (400, 403));
}

#[tokio::test]
async fn a_part_wants_the_key_of_its_upload() {
    let (_server, client) = photos().await;
    let create = keyed!(about!(client.create_multipart_upload(), "film"), MINE);
    let id = create.send().await.unwrap().upload_id.unwrap();
    let part = || {
        let upload = about!(client.upload_part(), "film").upload_id(&id);
        upload.part_number(1).body(LETTER.to_vec().into())
    };

    let without = part().send().await.unwrap_err();
    let wrong = keyed!(part(), OTHER).send().await.unwrap_err();

    assert_eq!(told(&without), (400, Some("InvalidRequest")));
    assert_eq!(told(&wrong), (400, Some("InvalidRequest")));
}
