//! Laws of versions: under any calls and any versioning the store agrees with a list of versions for each key, and the
//! pages of their listing join to all of it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::model::bucket::{Bucket, Versioning};
use crate::model::object::{AnyVersion, VersionId};
use crate::store::error::StoreError;
use crate::store::fixtures::{
    blob_files, deletion, key, new_version, photos, put, read_version, with_photos,
};
use crate::store::handle::Store;
use crate::store::version_listing::VersionQuery;
use crate::store::versions::{Deleted, Deletion, WriteCondition};

#[derive(Clone, Debug)]
enum Call {
    Put(&'static str, Vec<u8>),
    Delete(&'static str),
    /// The version at this place of the model, from the newest on.
    DeleteVersion(&'static str, usize),
    DeleteNull(&'static str),
    Set(Versioning),
}

/// Of one key, the newest first; `None` is a delete marker.
type History = Vec<(VersionId, Option<Vec<u8>>)>;

/// What S3's rules say.
#[derive(Default)]
struct Model {
    versioning: Versioning,
    keys: BTreeMap<&'static str, History>,
}

/// Some that are the beginnings of others, and one with a NUL, which is escaped in rows.
fn keys() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("a"), Just("a\0"), Just("a/1"), Just("b")]
}

fn calls() -> impl Strategy<Value = Call> {
    let bodies = prop_oneof![Just(vec![]), Just(vec![1; 100]), Just(vec![2; 6_000])];
    let versionings = prop_oneof![
        3 => Just(Versioning::Enabled),
        2 => Just(Versioning::Suspended)
    ];
    prop_oneof![
        6 => (keys(), bodies).prop_map(|(at, body)| Call::Put(at, body)),
        3 => keys().prop_map(Call::Delete),
        4 => (keys(), 0..4_usize).prop_map(|(at, index)| Call::DeleteVersion(at, index)),
        1 => keys().prop_map(Call::DeleteNull),
        2 => versionings.prop_map(Call::Set),
    ]
}

impl Model {
    fn push(&mut self, at: &'static str, id: VersionId, body: Option<Vec<u8>>) {
        let history = self.keys.entry(at).or_default();
        if self.versioning != Versioning::Enabled {
            history.retain(|(id, _)| *id != VersionId::Null);
        }
        history.insert(0, (id, body));
    }

    fn history(&self, at: &str) -> &[(VersionId, Option<Vec<u8>>)] {
        self.keys.get(at).map_or(&[], Vec::as_slice)
    }

    fn remove(&mut self, at: &'static str, id: VersionId) -> Deleted {
        let history = self.keys.entry(at).or_default();
        let found = history.iter().position(|(found, _)| *found == id);
        match found.map(|found| history.remove(found)) {
            None => Deleted::Nothing(id),
            Some((id, Some(_))) => Deleted::Version(id),
            Some((id, None)) => Deleted::Marker(id),
        }
    }

    /// All of it in the order of the listing: key, id, whether it is the newest.
    fn listed(&self) -> Vec<(String, VersionId, bool)> {
        let of_key = |(at, history): (&&str, &History)| {
            let at = (*at).to_owned();
            let rows = history.iter().enumerate();
            rows.map(|(index, (id, _))| (at.clone(), *id, index == 0))
                .collect::<Vec<_>>()
        };
        self.keys.iter().flat_map(of_key).collect()
    }
}

async fn call(store: &Store, model: &mut Model, call: Call) {
    match call {
        Call::Put(at, body) => {
            let new = new_version(store, &body, WriteCondition::None);
            let version = store.put_version(&photos(), key(at), new).await.unwrap();
            let is_named = model.versioning == Versioning::Enabled;
            assert_eq!(version.version_id != VersionId::Null, is_named);
            model.push(at, version.version_id, Some(body));
        }
        Call::Delete(at) => {
            let deleted = store.delete(&photos(), &deletion(at)).await.unwrap();
            match deleted {
                Deleted::Key => drop(model.keys.remove(at)),
                Deleted::Marked(id) => model.push(at, id, None),
                other => panic!("{other:?}"),
            }
        }
        Call::DeleteVersion(at, index) => {
            if let Some((id, _)) = model.history(at).get(index).cloned() {
                delete_version(store, model, at, id).await;
            }
        }
        Call::DeleteNull(at) => delete_version(store, model, at, VersionId::Null).await,
        Call::Set(versioning) => {
            let set = |bucket: &mut Bucket| bucket.versioning = versioning;
            store.update_bucket(&photos(), set).await.unwrap();
            model.versioning = versioning;
        }
    }
}

async fn delete_version(store: &Store, model: &mut Model, at: &'static str, id: VersionId) {
    let named = Deletion {
        version_id: Some(id),
        ..deletion(at)
    };
    let answer = store.delete(&photos(), &named).await.unwrap();
    assert_eq!(answer, model.remove(at, id));
}

/// Every version reads back, by its id and, where it is the newest, without.
fn compare_reads(store: &Store, model: &Model) {
    for (at, history) in &model.keys {
        for (id, body) in history {
            match (read_version(store, at, Some(*id)), body) {
                (Ok(read), Some(body)) => assert_eq!(&read, body),
                (Err(StoreError::IsMarker(marker)), None) => assert_eq!(marker.version_id, *id),
                other => panic!("{at} {id}: {other:?}"),
            }
        }
        match (read_version(store, at, None), history.first()) {
            (Ok(read), Some((_, Some(body)))) => assert_eq!(&read, body),
            (Err(StoreError::Deleted(marker)), Some((id, None))) => {
                assert_eq!(marker.version_id, *id);
            }
            (Err(StoreError::NoSuchKey(_)), None) => {}
            other => panic!("{at}: {other:?}"),
        }
    }
}

fn pages(store: &Store, mut query: VersionQuery) -> Vec<(String, VersionId, bool)> {
    let mut rows = Vec::new();
    loop {
        let page = store.list_versions(&photos(), &query).unwrap();
        assert!(page.versions.len() <= query.limit);
        assert!(page.next.is_none() || page.versions.len() == query.limit);
        let shown = page.versions.iter().map(|(version, is_latest)| {
            let id = match version {
                AnyVersion::Object(version) => version.version_id,
                AnyVersion::Marker(marker) => marker.version_id,
            };
            (version.key().to_string(), id, *is_latest)
        });
        rows.extend(shown);
        let Some(next) = page.next else { return rows };
        query.start_after = Some(next);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_agrees_with_lists_of_versions(
        all in prop::collection::vec(calls(), 1..40),
        limit in 1..5_usize,
    ) {
        Runtime::new().unwrap().block_on(async {
            let store = with_photos().await;
            let mut model = Model::default();
            for one in all {
                call(&store, &mut model, one).await;
            }

            compare_reads(&store, &model);
            let query = VersionQuery { limit, ..VersionQuery::default() };
            assert_eq!(pages(&store, query), model.listed());
            let bodies = model.keys.values().flatten().filter_map(|(_, body)| body.as_ref());
            let large = bodies.filter(|body| body.len() > 4_096).count();
            assert_eq!(blob_files(store.path()).len(), large, "nothing is left over");
            let is_empty = model.keys.values().all(Vec::is_empty);
            assert_eq!(store.delete_bucket(&photos()).await.is_ok(), is_empty);
        });
    }
}

#[tokio::test]
async fn a_delimiter_rolls_versions_and_markers_up() {
    let store = with_photos().await;
    let enable = |bucket: &mut Bucket| bucket.versioning = Versioning::Enabled;
    store.update_bucket(&photos(), enable).await.unwrap();
    for at in ["a/1", "a/1", "a/2", "b", "c/3"] {
        put(&store, at, b"").await.unwrap();
    }
    store.delete(&photos(), &deletion("c/3")).await.unwrap();
    store.delete(&photos(), &deletion("b")).await.unwrap();
    let mut query = VersionQuery {
        delimiter: Some("/".to_owned()),
        limit: 2,
        ..VersionQuery::default()
    };

    let first = store.list_versions(&photos(), &query).unwrap();
    query.start_after.clone_from(&first.next);
    let second = store.list_versions(&photos(), &query).unwrap();

    assert_eq!(first.common_prefixes, ["a/"]);
    assert!(matches!(
        first.versions[..],
        [(AnyVersion::Marker(_), true)]
    ));
    assert!(matches!(
        second.versions[..],
        [(AnyVersion::Object(_), false)]
    ));
    assert_eq!(second.common_prefixes, ["c/"]);
    assert_eq!(second.next, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_writers_that_race_each_gets_a_version_of_its_own() {
    let store = with_photos().await;
    let enable = |bucket: &mut Bucket| bucket.versioning = Versioning::Enabled;
    store.update_bucket(&photos(), enable).await.unwrap();
    let write = |number: u8| {
        let store = store.clone();
        tokio::spawn(async move {
            if number.is_multiple_of(4) {
                store.delete(&photos(), &deletion("a")).await.unwrap();
            } else {
                put(&store, "a", &[number]).await.unwrap();
            }
        })
    };

    for writer in (0..64).map(write).collect::<Vec<_>>() {
        writer.await.unwrap();
    }

    let everything = VersionQuery {
        limit: 1_000,
        ..VersionQuery::default()
    };
    let rows = pages(&store, everything);
    let newest = rows.iter().filter(|(_, _, is_latest)| *is_latest).count();
    assert_eq!((rows.len(), newest), (64, 1));
}
