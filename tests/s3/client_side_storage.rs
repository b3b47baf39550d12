//! What the server owes to clients that encrypt for themselves: it keeps bytes and metadata as they are, under its own layer, and
//! knows nothing of theirs.

use std::collections::HashMap;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier, ServerSideEncryption};
use strongroom_testkit::{ClientSide, ClientSideError, Format, Mode, Through, Written, format_of};
use strongroom_tests::send_body;

use crate::client_side::{clients, put_written};
use crate::keyed::{Keyed, contains, object_arn};
use crate::proof::holding;
use crate::sdk::{copy, get, get_range, head, is, noise, put_default, read, refusal};

/// What a plain GET returns.
async fn plain_get(keyed: &Keyed, key: &str) -> Written {
    let got = read(&keyed.s3, key).send().await.unwrap();
    Written {
        metadata: got.metadata.clone().unwrap_or_default(),
        body: got.body.collect().await.unwrap().to_vec(),
    }
}

async fn delete(keyed: &Keyed, key: &str) {
    let delete = keyed.s3.delete_object().bucket("photos").key(key);
    delete.send().await.unwrap();
}

#[tokio::test]
async fn a_plain_get_returns_the_clients_ciphertext_and_metadata() {
    let keyed = Keyed::start().await;

    for client in clients(&keyed) {
        for size in [0, 1, 16, 100_000] {
            let written = client.write(&noise(size)).await.unwrap();
            put_written(&keyed, "key", written.clone()).await;

            let got = plain_get(&keyed, "key").await;
            assert_eq!(got.body.len(), size + 16);
            assert_eq!(got, written);
        }
    }
}

#[tokio::test]
async fn metadata_come_back_byte_for_byte() {
    let keyed = Keyed::start().await;
    let metadata: HashMap<String, String> = [
        ("x-amz-t", r#"{"a": "b  c", "d/e+f=": "\"\\"}"#),
        ("x-amz-3", "+/8=+/8="),
        ("x-amz-crypto-instr-file", ""),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let body = b"body".to_vec();
    let metadata_sent = metadata.clone();

    put_written(&keyed, "key", Written { body, metadata }).await;

    assert_eq!(plain_get(&keyed, "key").await.metadata, metadata_sent);
    let head = head(&keyed.s3, "key").send().await.unwrap();
    assert_eq!(head.metadata(), Some(&metadata_sent));
}

#[tokio::test]
async fn a_context_beyond_ascii_comes_back_encoded() {
    let keyed = Keyed::believing().await;
    let address = keyed.server.address();
    let metadata = [("x-amz-meta-x-amz-t", r#"{"team":"größe"}"#)];
    send_body(address, "PUT /photos/key", &metadata, b"body").await;

    let answer = strongroom_tests::send(address, "GET /photos/key", &[]).await;

    // RFC 2047. AWS's Python client refuses such a context, and so does `ClientSide`.
    let value = answer.header("x-amz-meta-x-amz-t").unwrap();
    assert!(value.starts_with("=?UTF-8?"), "{value}");
}

#[tokio::test]
async fn the_servers_layer_lies_over_the_clients() {
    let keyed = Keyed::start().await;
    let cases = [
        (ServerSideEncryption::Aes256, None, None, Mode::SseS3),
        (
            ServerSideEncryption::AwsKms,
            Some("alias/app"),
            Some(true),
            Mode::SseKms,
        ),
    ];

    for (algorithm, kms_key, bucket_key, mode) in cases {
        put_default(&keyed.s3, algorithm, kms_key, bucket_key).await;
        for client in clients(&keyed) {
            for body in [noise(40), noise(100_000)] {
                client.put(&keyed.s3, "photos", "key", &body).await.unwrap();

                let ciphertext = plain_get(&keyed, "key").await.body;
                let stored = keyed.stored("key");
                assert_eq!(stored.mode, mode);
                assert_eq!(stored.bucket_key.is_some(), bucket_key.is_some());
                for secret in [&body[..32], &ciphertext[..32]] {
                    assert!(!contains(&stored.raw, secret));
                    let folder = keyed.server.data_folder();
                    assert_eq!(holding(folder, &[secret.to_vec()]), Vec::<String>::new());
                }
                let got = client.get(&keyed.s3, "photos", "key").await;
                assert_eq!(got, Ok(body));
            }
        }
    }
}

#[tokio::test]
async fn every_length_is_the_ciphertexts() {
    let keyed = Keyed::start().await;
    let client = ClientSide::kms(&keyed.kms, "alias/app");

    client
        .put(&keyed.s3, "photos", "key", b"eleven long")
        .await
        .unwrap();

    let got = read(&keyed.s3, "key").send().await.unwrap();
    let head = head(&keyed.s3, "key").send().await.unwrap();
    let list = keyed.s3.list_objects_v2().bucket("photos");
    let list = list.send().await.unwrap();
    assert_eq!(
        (got.content_length(), got.content_range()),
        (Some(27), None)
    );
    assert_eq!(head.content_length(), Some(27));
    assert_eq!(list.contents()[0].size(), Some(27));
}

#[tokio::test]
async fn a_range_without_end_is_clamped_to_the_ciphertext() {
    let keyed = Keyed::start().await;
    let written = clients(&keyed)[0].write(&noise(100)).await.unwrap();
    put_written(&keyed, "key", written.clone()).await;

    let whole = read(&keyed.s3, "key").range("bytes=0-9223372036854775807");
    let whole = whole.send().await.unwrap();

    assert_eq!(whole.content_range(), Some("bytes 0-115/116"));
    let block = get_range(&keyed.s3, "key", "16-31").await;
    assert_eq!(block, written.body[16..32]);
    let beyond = read(&keyed.s3, "key").range("bytes=116-");
    assert_eq!(refusal(beyond.send().await), is("InvalidRange", 416));
}

#[tokio::test]
async fn a_context_beyond_two_kilobytes_of_metadata_is_too_large() {
    let keyed = Keyed::start().await;
    let client = ClientSide::kms(&keyed.kms, "alias/app");
    let small = client.clone().context("team", &"x".repeat(1_000));
    let large = client.context("team", &"x".repeat(2_000));

    let taken = small.put(&keyed.s3, "photos", "key", b"secret").await;
    let refused = large.put(&keyed.s3, "photos", "key", b"secret").await;

    assert_eq!(taken, Ok(()));
    let Err(ClientSideError::S3 { code, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(code, "MetadataTooLarge");
}

#[tokio::test]
async fn a_copy_stays_readable() {
    let keyed = Keyed::start().await;

    for client in clients(&keyed) {
        let body = noise(1_000);
        client.put(&keyed.s3, "photos", "a", &body).await.unwrap();
        let copied = copy(&keyed.s3, "a", "b").server_side_encryption(ServerSideEncryption::AwsKms);
        copied.ssekms_key_id("alias/app").send().await.unwrap();

        let (a, b) = (plain_get(&keyed, "a").await, plain_get(&keyed, "b").await);
        assert_eq!(a, b);
        assert_eq!(client.get(&keyed.s3, "photos", "b").await, Ok(body));
    }
}

#[tokio::test]
async fn kms_is_called_by_the_client_itself() {
    let keyed = Keyed::start().await;
    let default = ServerSideEncryption::AwsKms;
    put_default(&keyed.s3, default, Some("alias/app"), None).await;
    let before = keyed.server.kms_calls().len();
    let [client, ..] = clients(&keyed);

    client
        .put(&keyed.s3, "photos", "key", b"secret")
        .await
        .unwrap();
    client.get(&keyed.s3, "photos", "key").await.unwrap();

    let mut calls = keyed.server.kms_calls().split_off(before);
    assert!(
        calls
            .iter()
            .all(|call| call.key_arn == Some(keyed.arn.clone()))
    );
    let of_s3 = calls.extract_if(.., |call| call.through == Through::S3);
    let of_s3: Vec<_> = of_s3.map(|call| (call.operation, call.context)).collect();
    let own = [("aws:s3:arn".to_owned(), object_arn("key"))];
    let expected = ["GenerateDataKey", "Decrypt"].map(|name| (name.to_owned(), own.clone().into()));
    assert_eq!(of_s3, expected);
    let of_client = calls.into_iter();
    let of_client: Vec<_> = of_client
        .map(|call| (call.operation, call.context))
        .collect();
    let context = [("aws:x-amz-cek-alg", "115"), ("team", "red")];
    let context = context.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let expected =
        ["GenerateDataKey", "Decrypt"].map(|name| (name.to_owned(), context.clone().into()));
    assert_eq!(of_client, expected);
}

#[tokio::test]
async fn an_instruction_file_holds_what_the_object_does_not() {
    let keyed = Keyed::start().await;
    let v3_fields: &[&str] = &["x-amz-c", "x-amz-d", "x-amz-i"];
    let cases = clients(&keyed).into_iter().zip([v3_fields, &[]].repeat(2));

    for (client, kept) in cases {
        let body = noise(1_000);
        let put = client.put_with_instruction_file(&keyed.s3, "photos", "key", &body);
        put.await.unwrap();

        let object = plain_get(&keyed, "key").await;
        let mut names: Vec<_> = object.metadata.keys().cloned().collect();
        names.sort();
        assert_eq!(names, kept);
        let file = plain_get(&keyed, "key.instruction").await;
        assert_eq!(format_of(&file.metadata), Ok(Format::InstructionFile));
        assert_eq!(file.metadata["x-amz-crypto-instr-file"], "");
        let fields: HashMap<String, String> = serde_json::from_slice(&file.body).unwrap();
        assert!(!kept.iter().any(|name| fields.contains_key(*name)));
        assert_eq!(client.get(&keyed.s3, "photos", "key").await, Ok(body));
    }
}

#[tokio::test]
async fn an_instruction_file_that_was_changed_is_refused() {
    let keyed = Keyed::start().await;
    let [_, _, v3, v2] = clients(&keyed);
    let put = v3.put_with_instruction_file(&keyed.s3, "photos", "key", b"secret");
    put.await.unwrap();
    let file = plain_get(&keyed, "key.instruction").await;
    let of_v2 = v2.write(b"secret").await.unwrap();
    let cases = [
        (
            br#"{"x-amz-c":"115"}"#.to_vec(),
            ClientSideError::BadInstructionFile("key.instruction".to_owned()),
        ),
        (
            b"no JSON".to_vec(),
            ClientSideError::BadInstructionFile("key.instruction".to_owned()),
        ),
        (
            serde_json::to_vec(&of_v2.metadata).unwrap(),
            ClientSideError::TwoFormats,
        ),
        (b"{}".to_vec(), ClientSideError::Missing("x-amz-3")),
    ];

    for (body, error) in cases {
        let metadata = file.metadata.clone();
        put_written(&keyed, "key.instruction", Written { body, metadata }).await;
        let refused = v3.get(&keyed.s3, "photos", "key").await;
        assert_eq!(refused, Err(error));
    }
}

#[tokio::test]
async fn a_missing_instruction_file_is_no_such_key() {
    let keyed = Keyed::start().await;
    let [client, ..] = clients(&keyed);
    let put = client.put_with_instruction_file(&keyed.s3, "photos", "key", b"secret");
    put.await.unwrap();

    delete(&keyed, "key.instruction").await;

    let gone = read(&keyed.s3, "key.instruction").send().await;
    assert_eq!(refusal(gone), is("NoSuchKey", 404));
    let refused = client.get(&keyed.s3, "photos", "key").await;
    let missing = ClientSideError::NoInstructionFile("key.instruction".to_owned());
    assert_eq!(refused, Err(missing));
    // A client deletes the file of every object, whether it is there or not.
    delete(&keyed, "key.instruction").await;
}

#[tokio::test]
async fn an_object_and_its_instruction_file_go_together() {
    let keyed = Keyed::start().await;
    let [client, ..] = clients(&keyed);
    let put = client.put_with_instruction_file(&keyed.s3, "photos", "key", b"secret");
    put.await.unwrap();

    let named = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let objects = ["key", "key.instruction", "other.instruction"].map(named);
    let both = Delete::builder().set_objects(Some(objects.into()));
    let call = keyed.s3.delete_objects().bucket("photos");
    let deleted = call.delete(both.build().unwrap()).send().await.unwrap();

    assert_eq!((deleted.deleted().len(), deleted.errors().len()), (3, 0));
    let list = keyed.s3.list_objects_v2().bucket("photos");
    assert_eq!(list.send().await.unwrap().key_count(), Some(0));
}

#[tokio::test]
async fn a_file_that_is_written_again_opens_the_same_object() {
    let keyed = Keyed::start().await;
    let [_, _, client, _] = clients(&keyed);
    let put = client.put_with_instruction_file(&keyed.s3, "photos", "key", b"secret");
    put.await.unwrap();
    let before = get(&keyed.s3, "key").await;
    let file = plain_get(&keyed, "key.instruction").await;

    let again = keyed
        .s3
        .put_object()
        .bucket("photos")
        .key("key.instruction");
    let again = again.set_metadata(Some(file.metadata));
    again
        .body(ByteStream::from(file.body))
        .send()
        .await
        .unwrap();

    assert_eq!(get(&keyed.s3, "key").await, before);
    let got = client.get(&keyed.s3, "photos", "key").await;
    assert_eq!(got.as_deref(), Ok(&b"secret"[..]));
}
