//! Versions of objects: what writes and deletions leave, what reads and listings show.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html>, and answers recorded from AWS.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use strongroom_tests::{send, send_body};

use crate::sdk::{body_of, get, is, photos, read, refusal, refused, says, upload};
use crate::versioned::{
    ask, delete, delete_version, enable, listed, put, suspend, text_of, versioned,
};

const NO_VERSION: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn each_write_makes_a_version_that_reads_back_by_its_id() {
    let (_server, client) = versioned().await;

    let first = put(&client, "key", "one").await;
    let second = put(&client, "key", "two").await;

    assert_ne!(first, second);
    assert_eq!(get(&client, "key").await, b"two");
    assert_eq!(text_of(&client, "key", &first).await, "one");
    assert_eq!(text_of(&client, "key", &second).await, "two");
    let newest = read(&client, "key").send().await.unwrap();
    assert_eq!(newest.version_id, Some(second));
}

#[tokio::test]
async fn what_was_there_before_versioning_is_the_version_null() {
    let (_server, client) = photos().await;
    upload(&client, "key", "before").send().await.unwrap();
    enable(&client).await;
    let after = put(&client, "key", "after").await;

    assert_eq!(text_of(&client, "key", "null").await, "before");
    assert_eq!(
        listed(&client).await,
        [format!("key {after}*"), "key null".to_owned()]
    );
}

#[tokio::test]
async fn a_deletion_hides_a_key_behind_a_marker() {
    let (server, client) = versioned().await;
    let version = put(&client, "key", "x").await;

    let marker = delete(&client, "key").await;

    for method in ["GET", "HEAD"] {
        let gone = ask(&server, method, "key").await;
        assert_eq!(gone.status, 404, "{method}");
        assert_eq!(gone.header("x-amz-delete-marker"), Some("true"));
        assert_eq!(gone.header("x-amz-version-id"), Some(marker.as_str()));
    }
    assert_eq!(
        refusal(read(&client, "key").send().await),
        is("NoSuchKey", 404)
    );
    assert_eq!(text_of(&client, "key", &version).await, "x");
}

#[tokio::test]
async fn a_marker_that_is_named_cannot_be_read() {
    let (server, client) = versioned().await;
    let marker = delete(&client, "key").await;
    let by_id = format!("key?versionId={marker}");

    let get = ask(&server, "GET", &by_id).await;
    let head = ask(&server, "HEAD", &by_id).await;

    assert_eq!(get.element("Code").as_deref(), Some("MethodNotAllowed"));
    assert_eq!(get.element("Method").as_deref(), Some("GET"));
    assert_eq!(get.element("ResourceType").as_deref(), Some("DeleteMarker"));
    for answer in [get, head] {
        assert_eq!(answer.status, 405);
        assert_eq!(answer.header("allow"), Some("DELETE"));
        assert_eq!(answer.header("x-amz-delete-marker"), Some("true"));
        assert_eq!(answer.header("x-amz-version-id"), Some(marker.as_str()));
    }
}

#[tokio::test]
async fn without_its_marker_a_key_is_back() {
    let (_server, client) = versioned().await;
    put(&client, "key", "x").await;
    let marker = delete(&client, "key").await;

    let undone = client.delete_object().bucket("photos").key("key");
    let undone = undone.version_id(&marker).send().await.unwrap();

    assert_eq!(undone.delete_marker, Some(true));
    assert_eq!(undone.version_id, Some(marker));
    assert_eq!(get(&client, "key").await, b"x");
}

#[tokio::test]
async fn without_the_newest_version_the_one_before_it_is_current() {
    let (_server, client) = versioned().await;
    let first = put(&client, "key", "one").await;
    let second = put(&client, "key", "two").await;

    delete_version(&client, "key", &second).await;

    assert_eq!(get(&client, "key").await, b"one");
    assert_eq!(listed(&client).await, [format!("key {first}*")]);
}

#[tokio::test]
async fn a_suspended_bucket_writes_null_and_keeps_the_rest() {
    let (server, client) = versioned().await;
    let kept = put(&client, "key", "kept").await;
    suspend(&client).await;

    let first = upload(&client, "key", "one").send().await.unwrap();
    upload(&client, "key", "two").send().await.unwrap();

    assert_eq!(first.version_id, None, "AWS says nothing of `null`");
    assert_eq!(text_of(&client, "key", "null").await, "two");
    assert_eq!(text_of(&client, "key", &kept).await, "kept");
    let head = ask(&server, "HEAD", "key").await;
    assert_eq!(head.header("x-amz-version-id"), Some("null"));
}

#[tokio::test]
async fn a_deletion_in_a_suspended_bucket_replaces_null_by_a_marker() {
    let (_server, client) = versioned().await;
    let kept = put(&client, "key", "kept").await;
    suspend(&client).await;
    put(&client, "key", "lost").await;

    let marker = delete(&client, "key").await;

    assert_eq!(marker, "null");
    assert_eq!(
        listed(&client).await,
        [format!("key {kept}"), "-key null*".to_owned()]
    );
}

#[tokio::test]
async fn a_missing_version_is_told_by_reads_and_not_by_a_deletion() {
    let (server, client) = versioned().await;
    put(&client, "key", "x").await;

    let missing = ask(&server, "GET", &format!("key?versionId={NO_VERSION}")).await;
    let null = ask(&server, "GET", "key?versionId=null").await;
    let deleted = ask(&server, "DELETE", &format!("key?versionId={NO_VERSION}")).await;

    assert_eq!((missing.status, null.status), (404, 404));
    assert_eq!(missing.element("Code").as_deref(), Some("NoSuchVersion"));
    assert_eq!(missing.element("Key").as_deref(), Some("key"));
    assert_eq!(missing.element("VersionId").as_deref(), Some(NO_VERSION));
    assert_eq!(deleted.status, 204);
    assert_eq!(deleted.header("x-amz-version-id"), Some(NO_VERSION));
}

#[tokio::test]
async fn ids_that_no_version_can_have_are_refused() {
    let (server, _client) = versioned().await;
    let refusals = [
        ("", "Version id cannot be the empty string"),
        ("nothing", "Invalid version id specified"),
        (
            &NO_VERSION.to_uppercase()[..],
            "Invalid version id specified",
        ),
    ];

    for (id, message) in refusals {
        for method in ["GET", "DELETE"] {
            let refused = ask(&server, method, &format!("key?versionId={id}")).await;

            assert_eq!(refused.status, 400, "{id}");
            assert_eq!(refused.element("Code").as_deref(), Some("InvalidArgument"));
            assert_eq!(refused.element("Message").as_deref(), Some(message));
            assert_eq!(
                refused.element("ArgumentName").as_deref(),
                Some("versionId")
            );
        }
    }
}

#[tokio::test]
async fn many_versions_and_keys_are_deleted_at_once() {
    let (_server, client) = versioned().await;
    let version = put(&client, "a", "x").await;
    put(&client, "b", "x").await;
    let object = |key: &str, id: Option<&str>| {
        let object = ObjectIdentifier::builder().key(key);
        object
            .set_version_id(id.map(str::to_owned))
            .build()
            .unwrap()
    };
    let wanted = Delete::builder()
        .objects(object("a", Some(&version)))
        .objects(object("b", None))
        .objects(object("never", Some("null")))
        .objects(object("never", Some(NO_VERSION)));

    let delete = client.delete_objects().bucket("photos");
    let answer = delete.delete(wanted.build().unwrap()).send().await.unwrap();

    let deleted: Vec<_> = answer
        .deleted()
        .iter()
        .map(|one| (one.key().unwrap(), one.version_id(), one.delete_marker()))
        .collect();
    let expected = [
        ("a", Some(version.as_str()), None),
        ("b", None, Some(true)),
        ("never", Some("null"), None),
    ];
    assert_eq!(deleted, expected);
    assert!(answer.deleted()[1].delete_marker_version_id().is_some());
    let errors: Vec<_> = answer.errors().iter().map(|one| one.code()).collect();
    assert_eq!(errors, [Some("NoSuchVersion")]);
}

/// Source: answers recorded from AWS in February 2026.
#[tokio::test]
async fn markers_of_one_request_have_ids_of_their_own() {
    let (_server, client) = versioned().await;
    let keys = ["a", "b", "c"];
    let object = |key| ObjectIdentifier::builder().key(key).build().unwrap();
    let wanted = Delete::builder().set_objects(Some(keys.map(object).into()));

    let delete = client.delete_objects().bucket("photos");
    let answer = delete.delete(wanted.build().unwrap()).send().await.unwrap();

    let deleted = answer.deleted().iter();
    let ids: BTreeSet<_> = deleted
        .map(|one| one.delete_marker_version_id().unwrap())
        .collect();
    assert_eq!(ids.len(), keys.len());
}

#[tokio::test]
async fn conditions_see_the_current_version_and_no_marker() {
    let (_server, client) = versioned().await;
    put(&client, "key", "x").await;
    let absent = || upload(&client, "key", "y").if_none_match("*");

    let while_there = absent().send().await;
    delete(&client, "key").await;
    let behind_a_marker = absent().send().await;

    assert_eq!(refusal(while_there), is("PreconditionFailed", 412));
    assert!(behind_a_marker.is_ok());
}

#[tokio::test]
async fn a_bucket_that_looks_empty_keeps_its_versions() {
    let (_server, client) = versioned().await;
    put(&client, "key", "x").await;
    delete(&client, "key").await;

    let kept = client.delete_bucket().bucket("photos").send().await;

    let message =
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket.";
    assert_eq!(refused(kept), says("BucketNotEmpty", 409, message));
}

#[tokio::test]
async fn pages_of_versions_join_to_all_of_them() {
    let (_server, client) = versioned().await;
    for key in ["a", "a", "b", "c"] {
        put(&client, key, "x").await;
    }
    delete(&client, "b").await;

    let pages = client.list_object_versions().bucket("photos").max_keys(2);
    let (mut rows, mut next) = (Vec::new(), (None, None));
    loop {
        let page = pages.clone().set_key_marker(next.0);
        let page = page.set_version_id_marker(next.1).send().await.unwrap();
        let versions = page.versions().iter().map(|one| one.version_id().unwrap());
        let markers = page.delete_markers().iter();
        let markers = markers.map(|one| one.version_id().unwrap());
        rows.extend(versions.chain(markers).map(str::to_owned));
        if page.is_truncated != Some(true) {
            break;
        }
        next = (page.next_key_marker, page.next_version_id_marker);
    }

    rows.sort();
    let mut all: Vec<_> = listed(&client).await;
    for row in &mut all {
        *row = row.trim_end_matches('*').rsplit(' ').next().unwrap().into();
    }
    all.sort();
    assert_eq!((rows.len(), &rows), (5, &all));
}

#[tokio::test]
async fn a_version_marker_needs_its_key() {
    let (server, _client) = versioned().await;

    let refused = send(
        server.address(),
        &format!("GET /photos?versions&version-id-marker={NO_VERSION}"),
        &[],
    )
    .await;

    assert_eq!(refused.status, 400);
    let message = "A version-id marker cannot be specified without a key marker.";
    assert_eq!(refused.element("Message").as_deref(), Some(message));
}

#[tokio::test]
async fn an_unversioned_bucket_lists_null() {
    let (_server, client) = photos().await;
    upload(&client, "key", "x").send().await.unwrap();

    assert_eq!(listed(&client).await, ["key null*"]);
    assert_eq!(body_of(read(&client, "key").version_id("null")).await, b"x");
}

#[tokio::test]
async fn the_setting_reads_back_and_takes_nothing_else() {
    let (server, _client) = versioned().await;
    let set = async |document: &str| {
        let target = "PUT /photos?versioning";
        send_body(server.address(), target, &[], document.as_bytes()).await
    };
    let read = async || {
        send(server.address(), "GET /photos?versioning", &[])
            .await
            .text()
    };
    assert!(
        read()
            .await
            .ends_with("<Status>Enabled</Status></VersioningConfiguration>")
    );

    let suspended = set("<Any><Status>Suspended</Status></Any>").await;
    let refusals = [
        ("<V><Status>Disabled</Status></V>", "MalformedXML"),
        ("<V><Status> Enabled </Status></V>", "MalformedXML"),
        (
            "<V><Status>Enabled</Status><Status>Enabled</Status></V>",
            "MalformedXML",
        ),
        ("<V><Other/></V>", "MalformedXML"),
        ("<V></V>", "IllegalVersioningConfigurationException"),
        ("", "MissingRequestBodyError"),
        (&"x".repeat(1_025), "MaxMessageLengthExceeded"),
    ];
    for (document, code) in refusals {
        let refused = set(document).await;
        assert_eq!(refused.element("Code").as_deref(), Some(code), "{document}");
    }

    assert_eq!(suspended.status, 200);
    assert!(read().await.contains("<Status>Suspended</Status>"));
}
