//! The `object_store` crate under a customer's key, over HTTPS: each of its calls with the key, without it, and with another.

use futures_util::TryStreamExt;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};
use strongroom_rust_clients::{CUSTOMER_KEY, LETTER, OTHER_KEY, PART_BYTES, long_body};
use strongroom_testkit::{Mode, Strongroom};

use crate::store::{get, put, put_parts, store};

async fn photos() -> Strongroom {
    let builder = Strongroom::builder().bucket("photos").tls().strict_tls();
    builder.start().await
}

/// The bucket as a store of somebody with this key, with more options.
fn with_key(server: &Strongroom, key: &str, more: &[(&str, &str)]) -> AmazonS3 {
    let keyed = [
        ("aws_server_side_encryption", "sse-c"),
        ("aws_sse_customer_key_base64", key),
    ];
    store(server, &[&keyed[..], more].concat())
}

async fn list(store: &AmazonS3) -> Vec<ObjectMeta> {
    store.list(None).try_collect().await.unwrap()
}

#[tokio::test]
async fn a_range_is_a_slice_of_the_whole() {
    let server = photos().await;
    let (store, film) = (with_key(&server, CUSTOMER_KEY, &[]), long_body());
    put_parts(&store, "film", &film).await;
    let border = PART_BYTES as u64;

    let ranges = [0..10, 65_530..65_550, border - 10..border + 10];
    let slices = store.get_ranges(&"film".into(), &ranges).await.unwrap();
    let mut ends = Vec::new();
    for range in [GetRange::Suffix(100), GetRange::Offset(border)] {
        let wanted = GetOptions::new().with_range(Some(range));
        let got = store.get_opts(&"film".into(), wanted).await.unwrap();
        ends.push(got.bytes().await.unwrap());
    }

    assert_eq!(slices[0], film[..10]);
    assert_eq!(slices[1], film[65_530..65_550]);
    assert_eq!(slices[2], film[PART_BYTES - 10..PART_BYTES + 10]);
    assert_eq!(ends[0], film[film.len() - 100..]);
    assert!(ends[1] == film[PART_BYTES..]);
}

#[tokio::test]
async fn a_head_and_a_list_tell_the_same() {
    let server = photos().await;
    let store = with_key(&server, CUSTOMER_KEY, &[]);
    put(&store, "deep/letter").await;
    put_parts(&store, "film", &long_body()).await;

    let letter = store.head(&"deep/letter".into()).await.unwrap();
    let film = store.head(&"film".into()).await.unwrap();
    let level = store.list_with_delimiter(None).await.unwrap();

    assert_eq!(letter.size, LETTER.len() as u64);
    assert_eq!(film.size, long_body().len() as u64);
    let etags: Vec<_> = list(&store)
        .await
        .into_iter()
        .map(|meta| meta.e_tag)
        .collect();
    assert_eq!(etags, [letter.e_tag, film.e_tag.clone()]);
    assert_eq!(level.common_prefixes, [Path::from("deep")]);
    assert_eq!(level.objects[0].e_tag, film.e_tag);
}

/// The crate sends the key for the source of a copy too.
#[tokio::test]
async fn copies_and_renames_stay_under_the_key() {
    let server = photos().await;
    let (store, film) = (with_key(&server, CUSTOMER_KEY, &[]), long_body());
    put(&store, "letter").await;
    put_parts(&store, "film", &film).await;

    for (from, to) in [("letter", "a copy"), ("film", "another")] {
        store.copy(&from.into(), &to.into()).await.unwrap();
    }
    store
        .rename(&"film".into(), &"renamed".into())
        .await
        .unwrap();

    let gone = store.head(&"film".into()).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound { .. }), "{gone}");
    for (key, body) in [
        ("letter", LETTER),
        ("a copy", LETTER),
        ("another", film.as_slice()),
        ("renamed", film.as_slice()),
    ] {
        assert!(get(&store, key).await == body, "{key}");
        server.assert_encrypted_with("photos", key, Mode::SseC);
        server.assert_not_stored(body);
    }
}

/// A copy that must find nothing in its place goes by `UploadPartCopy`, and there `object_store` 0.14 sends the key of the target
/// alone (`put_part` in its `aws/client.rs`). AWS does not open the source then, nor do we.
#[tokio::test]
async fn a_copy_by_parts_comes_without_the_key_of_its_source() {
    let server = photos().await;
    let by_parts = [("aws_copy_if_not_exists", "multipart")];
    let store = with_key(&server, CUSTOMER_KEY, &by_parts);
    put(&store, "letter").await;

    let (letter, copy) = (Path::from("letter"), Path::from("copy"));
    let copied = store.copy_if_not_exists(&letter, &copy).await;
    let refused = copied.unwrap_err().to_string();

    assert!(refused.contains("400 Bad Request"), "{refused}");
    assert!(refused.contains("InvalidRequest"), "{refused}");
    assert_eq!(list(&store).await.len(), 1);
    let uploads = server.s3_client().list_multipart_uploads();
    let uploads = uploads.bucket("photos").send().await.unwrap();
    assert!(uploads.uploads().is_empty(), "the crate takes it back");
}

#[tokio::test]
async fn without_the_key_it_is_listed_and_deleted_and_not_read() {
    let server = photos().await;
    put(&with_key(&server, CUSTOMER_KEY, &[]), "letter").await;
    let (store, letter) = (store(&server, &[]), Path::from("letter"));

    let listed = list(&store).await;
    let refused = [
        store.head(&letter).await.unwrap_err(),
        store.get_range(&letter, 0..4).await.unwrap_err(),
        store.copy(&letter, &"copy".into()).await.unwrap_err(),
    ];
    store.delete(&letter).await.unwrap();

    assert_eq!(listed[0].location, letter);
    for refused in refused {
        assert!(refused.to_string().contains("400 Bad Request"), "{refused}");
    }
    assert!(list(&store).await.is_empty());
}

/// AWS answers 403 to who reads and 400 to who copies.
#[tokio::test]
async fn another_key_opens_nothing() {
    let server = photos().await;
    put(&with_key(&server, CUSTOMER_KEY, &[]), "letter").await;
    let (store, letter) = (with_key(&server, OTHER_KEY, &[]), Path::from("letter"));

    let read = [
        store.head(&letter).await.unwrap_err(),
        store.get(&letter).await.unwrap_err(),
        store.get_range(&letter, 0..4).await.unwrap_err(),
    ];
    let copied = store.copy(&letter, &"copy".into()).await.unwrap_err();

    for refused in read {
        assert!(
            matches!(refused, Error::PermissionDenied { .. }),
            "{refused}"
        );
    }
    assert!(copied.to_string().contains("InvalidRequest"), "{copied}");
    assert_eq!(list(&store).await.len(), 1);
}
