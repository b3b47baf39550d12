//! Listings of what is under way: uploads of a bucket, parts of an upload.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

use crate::sdk::{photos, refused, says};

async fn begin(client: &Client, key: &str) -> String {
    let create = client.create_multipart_upload().bucket("photos").key(key);
    create.send().await.unwrap().upload_id.unwrap()
}

#[tokio::test]
async fn pages_of_uploads_join_to_all_of_them() {
    let (_server, client) = photos().await;
    let mut begun = Vec::new();
    for key in ["a", "a", "b", "c/1", "c/2"] {
        begun.push(begin(&client, key).await);
    }

    let pages = client.list_multipart_uploads().bucket("photos");
    let (mut seen, mut next) = (Vec::new(), (None, None));
    loop {
        let page = pages.clone().max_uploads(2).set_key_marker(next.0);
        let page = page.set_upload_id_marker(next.1).send().await.unwrap();
        let ids = page.uploads().iter().map(|one| one.upload_id().unwrap());
        seen.extend(ids.map(str::to_owned));
        if page.is_truncated != Some(true) {
            break;
        }
        next = (page.next_key_marker, page.next_upload_id_marker);
    }

    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(seen.len(), 5);
    assert_eq!(sorted(seen), sorted(begun));
}

#[tokio::test]
async fn a_delimiter_rolls_uploads_up() {
    let (_server, client) = photos().await;
    for key in ["a", "c/1", "c/2", "d"] {
        begin(&client, key).await;
    }

    let page = client.list_multipart_uploads().bucket("photos");
    let page = page.delimiter("/").send().await.unwrap();

    let keys: Vec<_> = page
        .uploads()
        .iter()
        .map(|one| one.key().unwrap())
        .collect();
    let prefixes = page.common_prefixes().iter();
    let prefixes: Vec<_> = prefixes.map(|one| one.prefix().unwrap()).collect();
    assert_eq!((keys, prefixes), (vec!["a", "d"], vec!["c/"]));
}

#[tokio::test]
async fn the_marker_of_an_ended_upload_goes_on_behind_it() {
    let (_server, client) = photos().await;
    let (first, second) = (begin(&client, "a").await, begin(&client, "a").await);
    let abort = client.abort_multipart_upload().bucket("photos").key("a");
    let (gone, left) = (first.clone().min(second.clone()), first.max(second));
    abort.upload_id(&gone).send().await.unwrap();

    let page = client.list_multipart_uploads().bucket("photos");
    let page = page.key_marker("a").upload_id_marker(&gone);
    let page = page.send().await.unwrap();

    let ids: Vec<_> = page.uploads().iter().map(|one| one.upload_id()).collect();
    assert_eq!(ids, [Some(left.as_str())]);
}

#[tokio::test]
async fn a_marker_that_is_no_id_is_refused() {
    let (_server, client) = photos().await;
    begin(&client, "a").await;

    let page = client.list_multipart_uploads().bucket("photos");
    let page = page.key_marker("a").upload_id_marker("nothing");

    let message = "Invalid uploadId marker";
    assert_eq!(
        refused(page.send().await),
        says("InvalidArgument", 400, message)
    );
}

/// Source: answers recorded from AWS in February 2026.
#[tokio::test]
async fn a_marker_of_another_keys_upload_is_refused() {
    let (_server, client) = photos().await;
    let ids = [begin(&client, "b").await, begin(&client, "c").await];
    let page = |key, id: &str| {
        let page = client.list_multipart_uploads().bucket("photos");
        page.key_marker(key).upload_id_marker(id)
    };

    let own = page("b", &ids[0]).send().await.unwrap();
    let other = page("c", &ids[0]).send().await;

    assert_eq!(own.uploads()[0].upload_id(), Some(ids[1].as_str()));
    let message = "Invalid uploadId marker";
    assert_eq!(refused(other), says("InvalidArgument", 400, message));
}

#[tokio::test]
async fn pages_of_parts_join_to_all_of_them() {
    let (_server, client) = photos().await;
    let id = begin(&client, "key").await;
    for number in [7, 1, 10_000, 3, 2] {
        let part = client.upload_part().bucket("photos").key("key");
        let part = part.upload_id(&id).part_number(number);
        let part = part.body(ByteStream::from_static(b"x"));
        part.send().await.unwrap();
    }

    let pages = client.list_parts().bucket("photos").key("key");
    let pages = pages.upload_id(&id).max_parts(2);
    let (mut seen, mut next) = (Vec::new(), None);
    loop {
        let page = pages.clone().set_part_number_marker(next);
        let page = page.send().await.unwrap();
        seen.extend(page.parts().iter().map(|part| part.part_number.unwrap()));
        if page.is_truncated != Some(true) {
            break;
        }
        next = page.next_part_number_marker;
    }

    assert_eq!(seen, [1, 2, 3, 7, 10_000]);
}
