//! Deletes, one and many.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use strongroom_testkit::{Authentication, Strongroom};
use strongroom_tests::send_body;

use crate::sdk::{is, photos, put, refusal};

#[tokio::test]
async fn deleting_what_is_not_there_succeeds() {
    let (_server, client) = photos().await;

    assert!(
        client
            .delete_object()
            .bucket("photos")
            .key("nothing")
            .send()
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_delete_may_demand_a_tag() {
    let (_server, client) = photos().await;
    put(&client, "key", "x").await;

    let refused = client
        .delete_object()
        .bucket("photos")
        .key("key")
        .if_match("\"other\"")
        .send()
        .await;
    let any = client
        .delete_object()
        .bucket("photos")
        .key("key")
        .if_match("*")
        .send()
        .await;

    assert_eq!(refusal(refused), is("PreconditionFailed", 412));
    assert!(any.is_ok());
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let (_server, client) = photos().await;
    for key in ["a", "b", "c"] {
        put(&client, key, "x").await;
    }
    let object = |key| ObjectIdentifier::builder().key(key).build().unwrap();
    let wanted = Delete::builder()
        .objects(object("a"))
        .objects(object("nothing"))
        .objects(object("c"))
        .build()
        .unwrap();

    let answer = client
        .delete_objects()
        .bucket("photos")
        .delete(wanted)
        .send()
        .await
        .unwrap();

    let deleted: Vec<_> = answer
        .deleted()
        .iter()
        .filter_map(|object| object.key())
        .collect();
    assert_eq!(deleted, ["a", "nothing", "c"]);
    let left = client
        .list_objects_v2()
        .bucket("photos")
        .send()
        .await
        .unwrap();
    assert_eq!(
        left.contents()
            .iter()
            .filter_map(|object| object.key())
            .collect::<Vec<_>>(),
        ["b"]
    );
}

#[tokio::test]
async fn many_without_a_digest_are_refused() {
    let off = |config: &mut strongroom_testkit::Config| config.authentication = Authentication::Off;
    let server = Strongroom::builder()
        .bucket("photos")
        .config(off)
        .start()
        .await;

    let answer = send_body(server.address(), "POST /photos?delete", &[], b"<Delete/>").await;

    assert_eq!(answer.status, 400);
    let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
    assert_eq!(answer.element("Message").as_deref(), Some(message));
}
