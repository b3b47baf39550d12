//! Snapshots: what they bring back, what they keep on the disk, and that no row ever names a body that is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use serde_json::json;
use strongroom_testkit::{Authentication, Config, Strongroom, blocking};
use strongroom_tests::{send, send_body};
use tempfile::TempDir;

use crate::keyed::Keyed;
use crate::reset::{asked, files};
use crate::sdk::{get, is, noise, photos, put, read, refusal, upload_under};
use crate::ways::{Parts, WAYS, put as put_in, read as read_in};

async fn delete(client: &Client, key: &str) {
    let delete = client.delete_object().bucket("photos").key(key);
    delete.send().await.unwrap();
}

#[tokio::test]
async fn objects_are_as_they_were_as_often_as_wanted() {
    let (server, client) = photos().await;
    put(&client, "small", "one").await;
    put(&client, "large", noise(100_000)).await;
    let snapshot = server.snapshot().await;

    for _ in 0..3 {
        put(&client, "small", "two").await;
        delete(&client, "large").await;
        put(&client, "new", noise(100_000)).await;
        server.restore(&snapshot).await;

        assert_eq!(get(&client, "small").await, b"one");
        assert_eq!(get(&client, "large").await, noise(100_000));
        let new = read(&client, "new").send().await;
        assert_eq!(refusal(new), is("NoSuchKey", 404));
        assert_eq!(files(&server).len(), 1);
    }
}

#[tokio::test]
async fn objects_of_every_mode_open_again() {
    let keyed = Keyed::believing().await;
    for way in WAYS {
        put_in(&keyed, way, &format!("{way:?}"), &noise(70_000)).await;
        let mut upload = Parts::begin(&keyed, way, &format!("{way:?}-parts")).await;
        upload.put(1, &noise(80_000)).await;
        upload.complete().await;
    }
    let snapshot = keyed.server.snapshot().await;
    let rotation = keyed.kms.rotate_key_on_demand().key_id(&keyed.arn);
    rotation.send().await.unwrap();
    for way in WAYS {
        put_in(&keyed, way, &format!("{way:?}"), b"another").await;
    }
    keyed.server.reset().await;

    keyed.server.restore(&snapshot).await;

    for way in WAYS {
        let whole = read_in(&keyed, way, &format!("{way:?}"), None).await;
        let parts = read_in(&keyed, way, &format!("{way:?}-parts"), None).await;
        assert_eq!((whole.status, parts.status), (200, 200), "{way:?}");
        assert!(whole.body == noise(70_000) && parts.body == noise(80_000));
    }
}

#[tokio::test]
async fn an_upload_under_way_goes_on() {
    let (server, client) = photos().await;
    let begun = client.create_multipart_upload().bucket("photos").key("key");
    let id = begun.send().await.unwrap().upload_id.unwrap();
    let part = client.upload_part().bucket("photos").key("key");
    let part = part.upload_id(&id).part_number(1);
    let sent = part.body(noise(100_000).into()).send().await.unwrap();
    let snapshot = server.snapshot().await;
    let abort = client.abort_multipart_upload().bucket("photos").key("key");
    abort.upload_id(&id).send().await.unwrap();

    for _ in 0..2 {
        server.restore(&snapshot).await;

        let part = CompletedPart::builder().part_number(1);
        let part = part.e_tag(sent.e_tag().unwrap()).build();
        let parts = CompletedMultipartUpload::builder().parts(part).build();
        let complete = client.complete_multipart_upload().bucket("photos");
        let complete = complete.key("key").upload_id(&id).multipart_upload(parts);
        complete.send().await.unwrap();
        assert_eq!(get(&client, "key").await, noise(100_000));
    }
}

#[tokio::test]
async fn kms_keys_are_as_they_were() {
    let keyed = Keyed::start().await;
    let upload = upload_under(&keyed.s3, "alias/app", "key", "x");
    upload.send().await.unwrap();
    let snapshot = keyed.server.snapshot().await;
    let other = keyed.another_key().await;
    keyed.disable().await;
    assert!(read(&keyed.s3, "key").send().await.is_err());

    keyed.server.restore(&snapshot).await;

    assert_eq!(get(&keyed.s3, "key").await, b"x");
    let gone = keyed.kms.describe_key().key_id(other).send().await;
    assert!(
        gone.unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
}

#[tokio::test]
async fn clock_and_journals_go_on() {
    let (server, client) = photos().await;
    let snapshot = server.snapshot().await;
    put(&client, "key", "x").await;
    let before = server.clock().now();
    server.clock().advance(Duration::from_hours(1));

    server.restore(&snapshot).await;

    assert_eq!(server.request_count("PutObject"), 1);
    assert!(server.clock().now() >= before + Duration::from_hours(1));
}

#[tokio::test]
async fn the_files_of_a_snapshot_go_with_it() {
    let (server, client) = photos().await;
    put(&client, "deleted", noise(100_000)).await;
    put(&client, "kept", noise(100_000)).await;
    let all = files(&server);
    let (first, second) = (server.snapshot().await, server.snapshot().await);
    delete(&client, "deleted").await;
    assert_eq!(files(&server), all);

    drop(first);
    let with_one_left = files(&server);
    drop(second);

    assert_eq!(with_one_left, all);
    assert_eq!(files(&server).len(), 1);
    assert_eq!(get(&client, "kept").await, noise(100_000));
}

#[tokio::test]
async fn what_was_restored_stays_when_its_snapshot_goes() {
    let (server, client) = photos().await;
    put(&client, "key", noise(100_000)).await;
    let snapshot = server.snapshot().await;
    delete(&client, "key").await;
    server.restore(&snapshot).await;

    drop(snapshot);

    assert_eq!(get(&client, "key").await, noise(100_000));
    delete(&client, "key").await;
    assert_eq!(files(&server), Vec::<String>::new());
}

#[tokio::test]
async fn a_data_folder_keeps_what_was_restored() {
    let folder = TempDir::new().unwrap();
    let start = async || {
        let builder = Strongroom::builder().data(folder.path());
        builder.bucket("photos").start().await
    };
    let server = start().await;
    put(&server.s3_client(), "key", noise(100_000)).await;
    let snapshot = server.snapshot().await;
    delete(&server.s3_client(), "key").await;
    put(&server.s3_client(), "other", noise(100_000)).await;
    server.restore(&snapshot).await;
    drop(server);
    drop(snapshot);

    let server = start().await;

    assert_eq!(get(&server.s3_client(), "key").await, noise(100_000));
    assert_eq!(files(&server).len(), 1);
}

#[tokio::test]
#[should_panic = "the snapshot is of another server"]
async fn a_snapshot_is_of_its_server_alone() {
    let (one, _client) = photos().await;
    let (other, _client) = photos().await;
    let snapshot = one.snapshot().await;

    other.restore(&snapshot).await;
}

#[test]
fn a_plain_test_takes_and_restores_them_too() {
    let server = blocking::Strongroom::builder()
        .bucket("photos")
        .start_blocking();
    let snapshot = server.snapshot();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { put(&server.s3_client(), "key", "x").await });

    server.restore(&snapshot);

    let gone = runtime.block_on(async { read(&server.s3_client(), "key").send().await });
    assert_eq!(refusal(gone), is("NoSuchKey", 404));
}

#[tokio::test]
async fn the_control_names_them() {
    let believe = |config: &mut Config| config.authentication = Authentication::Off;
    let server = Strongroom::builder()
        .bucket("photos")
        .config(believe)
        .start()
        .await;
    send_body(server.address(), "PUT /photos/key", &[], b"one").await;

    let (status, taken) = asked(&server, "POST /_emulator/snapshot").await;
    let id = taken["id"].as_str().unwrap();
    for _ in 0..2 {
        send_body(server.address(), "PUT /photos/key", &[], b"two").await;
        let restored = asked(&server, &format!("POST /_emulator/restore?id={id}")).await;
        assert_eq!(restored, (200, json!({ "status": "ok" })));
        let body = send(server.address(), "GET /photos/key", &[]).await.body;
        assert_eq!(body, b"one");
    }
    let forget = format!("DELETE /_emulator/snapshot?id={id}");
    let forgotten = asked(&server, &forget).await;
    let (again, _) = asked(&server, &forget).await;
    let (gone, _) = asked(&server, &format!("POST /_emulator/restore?id={id}")).await;
    let (unnamed, _) = asked(&server, "POST /_emulator/restore").await;

    assert_eq!(status, 200);
    assert_eq!(forgotten, (200, json!({ "status": "ok" })));
    assert_eq!((again, gone, unnamed), (404, 404, 400));
}

/// Writes, overwrites and deletes until it is told to stop. Whoever was let in before a reset may find that the bucket is
/// gone, or that it is too late.
async fn write(server: Arc<Strongroom>, number: usize, stop: Arc<AtomicBool>) {
    let sizes = [10, 5_000, 70_000];
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let key = format!("{number}-{}", round % 5);
        let target = if round % 7 == 6 {
            format!("DELETE /photos/{key}")
        } else {
            format!("PUT /photos/{key}")
        };
        let body = vec![b'x'; sizes[round % sizes.len()]];
        let answer = send_body(server.address(), &target, &[], &body).await;
        assert!(
            [200, 204, 404, 503].contains(&answer.status),
            "{}",
            answer.text()
        );
    }
}

/// Reads every object that is listed, while nobody writes.
async fn read_all(server: &Strongroom) -> usize {
    let client = server.s3_client();
    let listed = client
        .list_objects_v2()
        .bucket("photos")
        .send()
        .await
        .unwrap();
    for object in listed.contents() {
        let key = object.key().unwrap();
        let body = get(&client, key).await;
        assert_eq!(
            i64::try_from(body.len()).unwrap(),
            object.size().unwrap(),
            "{key}"
        );
    }
    listed.contents().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_row_ever_names_a_body_that_is_gone() {
    let folder = TempDir::new().unwrap();
    for data in [None, Some(folder.path())] {
        let believe = |config: &mut Config| {
            config.authentication = Authentication::Off;
            config.data = data.map(ToOwned::to_owned);
        };
        let builder = Strongroom::builder().bucket("photos").config(believe);
        let server = Arc::new(builder.start().await);
        let stop = Arc::<AtomicBool>::default();
        let writers = (0..8)
            .map(|number| tokio::spawn(write(Arc::clone(&server), number, Arc::clone(&stop))));
        let writers: Vec<_> = writers.collect();

        let mut snapshots = vec![server.snapshot().await];
        for round in 0..20 {
            match round % 4 {
                0 => snapshots.push(server.snapshot().await),
                1 => server.restore(&snapshots[round % snapshots.len()]).await,
                2 => drop(snapshots.remove(0)),
                _ => server.reset().await,
            }
            let before = server.request_count("PutObject");
            while server.request_count("PutObject") < before + 8 {
                tokio::task::yield_now().await;
            }
        }
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.await.unwrap();
        }

        read_all(&server).await;
        for snapshot in &snapshots {
            server.restore(snapshot).await;
            read_all(&server).await;
        }
        drop(snapshots);
        read_all(&server).await;
        server.reset().await;
        assert_eq!(files(&server), Vec::<String>::new());
    }
}
