//! Short forms for tests of versions.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use strongroom_testkit::{Authentication, Config, Strongroom};
use strongroom_tests::{Answer, send};

use crate::sdk::{body_of, read, upload};

/// A server that believes everybody, with the versioned bucket `photos`, and a client.
pub(crate) async fn versioned() -> (Strongroom, Client) {
    let believe = |config: &mut Config| config.authentication = Authentication::Off;
    let builder = Strongroom::builder().bucket("photos").config(believe);
    let server = builder.start().await;
    let client = server.s3_client();
    enable(&client).await;
    (server, client)
}

pub(crate) async fn enable(client: &Client) {
    set(client, BucketVersioningStatus::Enabled).await;
}

pub(crate) async fn suspend(client: &Client) {
    set(client, BucketVersioningStatus::Suspended).await;
}

async fn set(client: &Client, status: BucketVersioningStatus) {
    let wanted = VersioningConfiguration::builder().status(status).build();
    let put = client.put_bucket_versioning().bucket("photos");
    put.versioning_configuration(wanted).send().await.unwrap();
}

/// Puts a body; the version's id.
pub(crate) async fn put(client: &Client, key: &str, body: &str) -> String {
    let written = upload(client, key, body).send().await.unwrap();
    written.version_id.unwrap_or_else(|| "null".to_owned())
}

/// Deletes a key; the delete marker's id.
pub(crate) async fn delete(client: &Client, key: &str) -> String {
    let deleted = client.delete_object().bucket("photos").key(key);
    let deleted = deleted.send().await.unwrap();
    assert_eq!(deleted.delete_marker, Some(true));
    deleted.version_id.unwrap()
}

/// Deletes a version for good.
pub(crate) async fn delete_version(client: &Client, key: &str, id: &str) {
    let delete = client.delete_object().bucket("photos").key(key);
    let deleted = delete.version_id(id).send().await.unwrap();
    assert_eq!(deleted.version_id.as_deref(), Some(id));
}

/// The text of a version.
pub(crate) async fn text_of(client: &Client, key: &str, id: &str) -> String {
    let body = body_of(read(client, key).version_id(id)).await;
    String::from_utf8(body).unwrap()
}

/// Asks for `photos/KEY` in plain words: `METHOD KEY?query`.
pub(crate) async fn ask(server: &Strongroom, method: &str, key: &str) -> Answer {
    send(server.address(), &format!("{method} /photos/{key}"), &[]).await
}

/// The listing of all versions, one line each: key, text before the id, `*` for the newest, `-` for a delete marker.
pub(crate) async fn listed(client: &Client) -> Vec<String> {
    let page = client.list_object_versions().bucket("photos");
    let page = page.send().await.unwrap();
    let star = |is_latest: Option<bool>| if is_latest == Some(true) { "*" } else { "" };
    let versions = page.versions().iter().map(|version| {
        let (key, id) = (version.key().unwrap(), version.version_id().unwrap());
        format!("{key} {id}{}", star(version.is_latest))
    });
    let markers = page.delete_markers().iter().map(|marker| {
        let (key, id) = (marker.key().unwrap(), marker.version_id().unwrap());
        format!("-{key} {id}{}", star(marker.is_latest))
    });
    versions.chain(markers).collect()
}
