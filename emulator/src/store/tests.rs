//! The store as a whole: laws against a model, races, restarts, damage.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use proptest::prelude::*;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::model::bucket::Bucket;
use crate::model::bucket_name::BucketName;
use crate::model::encryption::{BlockedEncryption, BucketEncryption};
use crate::model::etag::ETag;
use crate::model::object::{ObjectVersion, VersionContent};
use crate::model::object_key::ObjectKey;
use crate::model::sealing::{Sealing, WrappedKey};
use crate::model::timestamp::Timestamp;
use crate::store::error::{FailedCondition, StoreError};
use crate::store::folder::Place;
use crate::store::handle::Store;
use crate::store::listing::ListQuery;
use crate::store::versions::{DeleteCondition, NewVersion, WriteCondition};

fn name() -> BucketName {
    BucketName::parse("photos").unwrap()
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).unwrap()
}

fn bucket() -> Bucket {
    Bucket {
        name: name(),
        created: Timestamp::from_unix_millis(0),
        location: None,
        account: "000000000000".to_owned(),
        owner_id: "o".repeat(64),
        tags: Vec::new(),
        encryption: BucketEncryption::fresh(BlockedEncryption::Absent),
    }
}

fn content(body: &[u8]) -> VersionContent {
    VersionContent {
        size_bytes: u64::try_from(body.len()).unwrap(),
        etag: ETag::of_bytes(tag(body)),
        checksum: None,
        headers: Vec::new(),
        metadata: Vec::new(),
        tags: Vec::new(),
        storage_class: "STANDARD".to_owned(),
        owner_id: "o".repeat(64),
        sealing: Sealing::SseS3 {
            wrapped_key: WrappedKey(vec![1; 80]),
        },
    }
}

/// Sixteen bytes that tell bodies apart.
fn tag(body: &[u8]) -> [u8; 16] {
    let mut tag = [0; 16];
    for (index, byte) in body.iter().enumerate() {
        tag[index % 16] ^= byte;
    }
    tag
}

async fn open(place: &Place) -> Result<Store, StoreError> {
    Store::open(place, Clock::system(), Entropy::system()).await
}

async fn with_bucket() -> Store {
    let store = open(&Place::Ephemeral).await.unwrap();
    store.create_bucket(bucket()).await.unwrap();
    store
}

async fn put_if(
    store: &Store,
    text: &str,
    body: &[u8],
    condition: &WriteCondition,
) -> Result<ObjectVersion, StoreError> {
    let mut writer = store.blob_writer();
    writer.write(body)?;
    let new = NewVersion {
        key: key(text),
        content: content(body),
        blob: writer.finish()?,
        condition: condition.clone(),
    };
    store.put_version(&name(), new).await
}

async fn put(store: &Store, text: &str, body: &[u8]) -> ObjectVersion {
    put_if(store, text, body, &WriteCondition::None)
        .await
        .unwrap()
}

fn read(store: &Store, text: &str) -> Result<Vec<u8>, StoreError> {
    let (version, reader) = store.open_version(&name(), &key(text))?;
    let mut body = vec![0; usize::try_from(version.blob.sealed_bytes).unwrap()];
    reader.read_at(0, &mut body)?;
    Ok(body)
}

fn files_below(folder: &std::path::Path) -> usize {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { files_below(&path) } else { 1 })
        .sum()
}

#[tokio::test]
async fn small_and_large_bodies_read_back() {
    let store = with_bucket().await;

    put(&store, "small", &[1; 4_096]).await;
    put(&store, "large", &[2; 4_097]).await;

    assert_eq!(read(&store, "small").unwrap(), [1; 4_096]);
    assert_eq!(read(&store, "large").unwrap(), [2; 4_097]);
    assert_eq!(files_below(&store.path().join("blobs")), 1);
}

#[tokio::test]
async fn a_replaced_or_deleted_body_leaves_no_file() {
    let store = with_bucket().await;
    put(&store, "key", &[1; 10_000]).await;
    put(&store, "key", &[2; 10_000]).await;
    assert_eq!(files_below(&store.path().join("blobs")), 1);

    store
        .delete(&name(), &key("key"), &DeleteCondition::None)
        .await
        .unwrap();

    assert_eq!(files_below(&store.path().join("blobs")), 0);
    assert!(matches!(read(&store, "key"), Err(StoreError::NoSuchKey(_))));
}

#[tokio::test]
async fn a_dropped_upload_leaves_no_file() {
    let store = with_bucket().await;
    let mut writer = store.blob_writer();
    writer.write(&[1; 10_000]).unwrap();

    drop(writer.finish().unwrap());

    assert_eq!(files_below(&store.path().join("staging")), 0);
}

#[tokio::test]
async fn a_refused_write_leaves_no_file() {
    let store = with_bucket().await;
    put(&store, "key", b"first").await;

    let refused = put_if(&store, "key", &[2; 10_000], &WriteCondition::IfAbsent).await;

    assert!(matches!(
        refused,
        Err(StoreError::ConditionFailed(FailedCondition::Absent))
    ));
    assert_eq!(files_below(store.path()), 1, "nothing but the catalogue");
    assert_eq!(read(&store, "key").unwrap(), b"first");
}

#[tokio::test]
async fn a_reader_survives_the_deletion_of_its_body() {
    let store = with_bucket().await;
    put(&store, "key", &[1; 10_000]).await;
    let (_, reader) = store.open_version(&name(), &key("key")).unwrap();

    store
        .delete(&name(), &key("key"), &DeleteCondition::None)
        .await
        .unwrap();

    let mut body = [0; 10_000];
    reader.read_at(0, &mut body).unwrap();
    assert_eq!(body, [1; 10_000]);
}

#[tokio::test]
async fn if_match_names_the_current_tag() {
    let store = with_bucket().await;
    let etag = put(&store, "key", b"first").await.content.etag.quoted();
    let matching = WriteCondition::IfMatch(etag);

    assert!(put_if(&store, "key", b"second", &matching).await.is_ok());
    let stale = put_if(&store, "key", b"third", &matching).await;
    assert!(matches!(
        stale,
        Err(StoreError::ConditionFailed(FailedCondition::Match))
    ));
    let absent = put_if(&store, "other", b"third", &matching).await;
    assert!(matches!(absent, Err(StoreError::NoSuchKey(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_writers_that_demand_absence_one_wins() {
    let store = with_bucket().await;

    let tasks: Vec<_> = (0..64_u8)
        .map(|index| {
            let store = store.clone();
            tokio::spawn(async move {
                put_if(&store, "key", &[index], &WriteCondition::IfAbsent)
                    .await
                    .is_ok()
            })
        })
        .collect();

    let mut wins = 0;
    for task in tasks {
        wins += u32::from(task.await.unwrap());
    }
    assert_eq!(wins, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_object_outlives_its_bucket() {
    let store = open(&Place::Ephemeral).await.unwrap();
    for round in 0..200_u32 {
        store.create_bucket(bucket()).await.unwrap();
        let writer = tokio::spawn({
            let store = store.clone();
            async move {
                put_if(&store, "key", &round.to_be_bytes(), &WriteCondition::None)
                    .await
                    .is_ok()
            }
        });
        let deleted = store.delete_bucket(&name()).await.is_ok();
        let written = writer.await.unwrap();

        assert!(
            written != deleted,
            "round {round}: written {written}, deleted {deleted}"
        );
        if written {
            assert_eq!(read(&store, "key").unwrap(), round.to_be_bytes());
            store
                .delete(&name(), &key("key"), &DeleteCondition::None)
                .await
                .unwrap();
            store.delete_bucket(&name()).await.unwrap();
        }
        assert!(
            store
                .list(&name(), &everything())
                .unwrap()
                .versions
                .is_empty()
        );
    }
}

#[tokio::test]
async fn deleting_many_tells_each_outcome() {
    let store = with_bucket().await;
    put(&store, "a", b"1").await;
    put(&store, "b", b"2").await;
    let wanted = vec![
        (key("a"), DeleteCondition::None),
        (key("b"), DeleteCondition::IfMatch("\"x\"".to_owned())),
        (key("c"), DeleteCondition::None),
    ];

    let outcomes = store.delete_many(&name(), wanted).await.unwrap();

    assert!(matches!(
        outcomes[..],
        [Ok(()), Err(StoreError::ConditionFailed(_)), Ok(())]
    ));
    assert!(read(&store, "a").is_err());
    assert_eq!(read(&store, "b").unwrap(), b"2");
}

#[tokio::test]
async fn a_durable_store_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Durable(folder.path().join("data"));
    {
        let store = open(&place).await.unwrap();
        store.create_bucket(bucket()).await.unwrap();
        put(&store, "small", b"1").await;
        put(&store, "large", &vec![2; 100_000]).await;
    }

    let store = open(&place).await.unwrap();

    assert_eq!(read(&store, "small").unwrap(), b"1");
    assert_eq!(read(&store, "large").unwrap(), vec![2; 100_000]);
}

#[tokio::test]
async fn a_start_sweeps_what_no_row_names_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Durable(folder.path().to_owned());
    {
        let store = open(&place).await.unwrap();
        store.create_bucket(bucket()).await.unwrap();
        put(&store, "large", &vec![2; 100_000]).await;
    }
    fs::write(folder.path().join("staging/half"), b"half").unwrap();
    fs::create_dir_all(folder.path().join("blobs/ff")).unwrap();
    fs::write(folder.path().join("blobs/ff").join("f".repeat(32)), b"lost").unwrap();

    let store = open(&place).await.unwrap();

    assert_eq!(files_below(&folder.path().join("staging")), 0);
    assert_eq!(files_below(&folder.path().join("blobs")), 1);
    assert_eq!(read(&store, "large").unwrap(), vec![2; 100_000]);
}

#[tokio::test]
async fn a_folder_has_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Durable(folder.path().to_owned());
    let _first = open(&place).await.unwrap();

    let error = open(&place).await.unwrap_err();

    assert!(matches!(error, StoreError::FolderInUse(_)), "{error}");
}

#[tokio::test]
async fn what_is_no_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();

    for path in [file.clone(), file.join("below")] {
        let error = open(&Place::Durable(path)).await.unwrap_err().to_string();
        assert!(error.contains("file"), "{error}");
    }
}

#[tokio::test]
async fn a_damaged_catalogue_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Durable(folder.path().to_owned());
    drop(open(&place).await.unwrap());
    fs::write(folder.path().join("strongroom.redb"), vec![7; 20_000]).unwrap();

    let error = open(&place).await.unwrap_err();

    assert!(
        matches!(&error, StoreError::Corrupted { path, .. } if path.ends_with("strongroom.redb")),
        "{error}"
    );
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Durable(folder.path().to_owned());
    open(&place)
        .await
        .unwrap()
        .set_meta("format", &99_u32)
        .await
        .unwrap();

    let error = open(&place).await.unwrap_err();

    assert!(
        matches!(error, StoreError::NewerFormat { found: 99, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_lost_or_cut_body_is_named_and_the_rest_is_served() {
    let store = with_bucket().await;
    let lost = put(&store, "lost", &[1; 10_000]).await.blob.id.to_string();
    let cut = put(&store, "cut", &[2; 10_000]).await.blob.id.to_string();
    put(&store, "good", &[3; 10_000]).await;
    let path = |id: &str| store.path().join("blobs").join(&id[..2]).join(id);
    fs::remove_file(path(&lost)).unwrap();
    fs::write(path(&cut), [2; 5_000]).unwrap();

    assert!(
        read(&store, "lost")
            .unwrap_err()
            .to_string()
            .contains(&lost)
    );
    assert!(read(&store, "cut").unwrap_err().to_string().contains(&cut));
    assert_eq!(read(&store, "good").unwrap(), [3; 10_000]);
}

fn everything() -> ListQuery {
    ListQuery {
        limit: 1_000,
        ..ListQuery::default()
    }
}

/// What a listing should say, told the slow way.
fn model_listing(
    model: &BTreeMap<String, Vec<u8>>,
    query: &ListQuery,
) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut prefixes) = (Vec::new(), BTreeSet::new());
    for key in model
        .keys()
        .filter(|key| key.starts_with(&query.prefix) && **key > query.start_after)
    {
        let rest = &key[query.prefix.len()..];
        match query
            .delimiter
            .as_ref()
            .and_then(|delimiter| Some(rest.find(delimiter.as_str())? + delimiter.len()))
        {
            Some(end) => drop(prefixes.insert(key[..query.prefix.len() + end].to_owned())),
            None => keys.push(key.clone()),
        }
    }
    prefixes.remove(&query.start_after);
    (keys, prefixes.into_iter().collect())
}

#[derive(Clone, Debug)]
enum Call {
    Put(String, Vec<u8>),
    Delete(String),
}

fn keys_of_few() -> impl Strategy<Value = String> {
    "[ab/\0]{1,4}"
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        Just(vec![7; 5_000])
    ];
    let call = prop_oneof![
        4 => (keys_of_few(), body).prop_map(|(key, body)| Call::Put(key, body)),
        1 => keys_of_few().prop_map(Call::Delete),
    ];
    prop::collection::vec(call, 0..40)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

async fn replay(calls: &[Call]) -> (Store, BTreeMap<String, Vec<u8>>) {
    let store = with_bucket().await;
    let mut model = BTreeMap::new();
    for call in calls {
        match call {
            Call::Put(text, body) => {
                put(&store, text, body).await;
                model.insert(text.clone(), body.clone());
            }
            Call::Delete(text) => {
                store
                    .delete(&name(), &key(text), &DeleteCondition::None)
                    .await
                    .unwrap();
                model.remove(text);
            }
        }
    }
    (store, model)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_store_agrees_with_a_map(calls in calls()) {
        let (store, model) = run(replay(&calls));

        for (text, body) in &model {
            prop_assert_eq!(&read(&store, text).unwrap(), body);
        }
        let listed = store.list(&name(), &everything()).unwrap();
        let keys: Vec<_> = listed.versions.iter().map(|version| version.key.as_str()).collect();
        prop_assert_eq!(keys, model.keys().collect::<Vec<_>>());
        let large = model.values().filter(|body| body.len() > 4_096).count();
        prop_assert_eq!(files_below(&store.path().join("blobs")), large);
    }

    #[test]
    fn the_pages_joined_are_the_listing(
        calls in calls(),
        prefix in "[ab/]{0,2}",
        delimiter in prop::option::of("[ab/]{1,2}"),
        start_after in "[ab/]{0,3}",
        limit in 1_usize..5,
    ) {
        let (store, model) = run(replay(&calls));
        let whole = ListQuery { prefix, delimiter, start_after, limit: 1_000 };
        let (keys, prefixes) = model_listing(&model, &whole);

        let mut query = ListQuery { limit, ..whole };
        let (mut listed_keys, mut listed_prefixes) = (Vec::new(), Vec::new());
        loop {
            let page = store.list(&name(), &query).unwrap();
            prop_assert!(page.versions.len() + page.common_prefixes.len() <= limit);
            listed_keys.extend(page.versions.iter().map(|version| version.key.as_str().to_owned()));
            listed_prefixes.extend(page.common_prefixes);
            match page.next {
                Some(next) => query.start_after = next,
                None => break,
            }
        }

        prop_assert_eq!(listed_keys, keys);
        prop_assert_eq!(listed_prefixes, prefixes);
    }
}

#[tokio::test]
async fn an_ephemeral_store_leaves_nothing() {
    let store = with_bucket().await;
    put(&store, "large", &[1; 10_000]).await;
    let path = store.path().to_owned();

    drop(store);

    assert!(!path.exists());
}
