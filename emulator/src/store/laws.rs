//! Laws: the store agrees with a `BTreeMap` under any calls, and a listing with what its rules say of any keys.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::store::error::StoreError;
use crate::store::fixtures::{
    blob_files, bucket, deletion, etag, key, new_version, photos, put, read, with_photos,
};
use crate::store::handle::Store;
use crate::store::listing::ListQuery;
use crate::store::versions::{DeleteCondition, Deleted, Deletion, WriteCondition};

#[derive(Clone, Debug)]
enum Call {
    Put(String, Vec<u8>, Condition),
    Delete(String, Condition),
    DeleteMany(Vec<(String, Condition)>),
    DeleteBucket,
}

/// A condition whose entity tag is that of a body.
#[derive(Clone, Debug)]
enum Condition {
    None,
    Absent,
    Match(Vec<u8>),
}

type Model = BTreeMap<String, Vec<u8>>;

fn keys() -> impl Strategy<Value = String> {
    "[ab]{1,2}"
}

/// Few bodies, so that conditions hold now and then; one of them too large for the catalogue.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(vec![]), Just(vec![1; 100]), Just(vec![2; 6_000])]
}

fn conditions() -> impl Strategy<Value = Condition> {
    prop_oneof![
        3 => Just(Condition::None),
        1 => Just(Condition::Absent),
        2 => bodies().prop_map(Condition::Match),
    ]
}

fn calls() -> impl Strategy<Value = Call> {
    let targets = prop::collection::vec((keys(), conditions()), 1..4);
    prop_oneof![
        6 => (keys(), bodies(), conditions()).prop_map(|(at, body, condition)| Call::Put(at, body, condition)),
        3 => (keys(), conditions()).prop_map(|(at, condition)| Call::Delete(at, condition)),
        1 => targets.prop_map(Call::DeleteMany),
        1 => Just(Call::DeleteBucket),
    ]
}

impl Condition {
    fn of_write(&self) -> WriteCondition {
        match self {
            Self::None => WriteCondition::None,
            Self::Absent => WriteCondition::IfAbsent,
            Self::Match(body) => WriteCondition::IfMatch(etag(body).quoted()),
        }
    }

    fn deletion(&self, at: &str) -> Deletion {
        let condition = match self {
            Self::None | Self::Absent => DeleteCondition::None,
            Self::Match(body) => DeleteCondition::IfMatch(etag(body).quoted()),
        };
        Deletion {
            condition,
            ..deletion(at)
        }
    }

    fn allows_write(&self, current: Option<&Vec<u8>>) -> bool {
        match self {
            Self::None => true,
            Self::Absent => current.is_none(),
            Self::Match(body) => current == Some(body),
        }
    }

    fn allows_delete(&self, current: Option<&Vec<u8>>) -> bool {
        match self {
            Self::None | Self::Absent => true,
            Self::Match(body) => current == Some(body),
        }
    }
}

/// Makes one call of both, and compares what they answer.
async fn call(store: &Store, model: &mut Model, call: Call) {
    match call {
        Call::Put(at, body, condition) => {
            let new = new_version(store, &body, condition.of_write());
            let answer = store.put_version(&photos(), key(&at), new).await;
            let allowed = condition.allows_write(model.get(&at));
            assert_eq!(answer.is_ok(), allowed, "{answer:?}");
            if allowed {
                model.insert(at, body);
            }
        }
        Call::Delete(at, condition) => {
            let answer = store.delete(&photos(), &condition.deletion(&at)).await;
            compare_delete(model, &at, &condition, answer);
        }
        Call::DeleteMany(targets) => {
            let named: Vec<_> = targets
                .iter()
                .map(|(at, condition)| condition.deletion(at))
                .collect();
            let answers = store.delete_many(&photos(), &named).await.unwrap();
            assert_eq!(answers.len(), targets.len());
            for ((at, condition), answer) in targets.iter().zip(answers) {
                compare_delete(model, at, condition, answer);
            }
        }
        Call::DeleteBucket => {
            let answer = store.delete_bucket(&photos()).await;
            assert_eq!(answer.is_ok(), model.is_empty(), "{answer:?}");
            if answer.is_ok() {
                store.create_bucket(bucket("photos")).await.unwrap();
            }
        }
    }
}

fn compare_delete(
    model: &mut Model,
    at: &str,
    condition: &Condition,
    answer: Result<Deleted, StoreError>,
) {
    if condition.allows_delete(model.get(at)) {
        assert_eq!(answer.unwrap(), Deleted::Key);
        model.remove(at);
    } else {
        assert!(
            matches!(answer, Err(StoreError::ConditionFailed(_))),
            "{answer:?}"
        );
    }
}

/// What the rules of S3 say of a listing, entry by entry.
fn expected(keys: &BTreeSet<String>, query: &ListQuery) -> Vec<String> {
    let roll_up = |key: &str| {
        let delimiter = query.delimiter.as_ref()?;
        let (before, _) = key.strip_prefix(&query.prefix)?.split_once(delimiter)?;
        Some(format!("{}{before}{delimiter}", query.prefix))
    };
    let marker = query.start_after.clone();
    let is_behind = |key: &&String| match &marker {
        Some(marker) if roll_up(marker).as_ref() == Some(marker) => !key.starts_with(marker),
        _ => true,
    };
    let start = marker.clone().map_or(Bound::Unbounded, Bound::Excluded);
    let mut entries: Vec<_> = keys
        .range((start, Bound::Unbounded))
        .filter(is_behind)
        .filter(|key| key.starts_with(&query.prefix))
        .map(|key| roll_up(key).unwrap_or_else(|| key.clone()))
        .collect();
    entries.dedup();
    entries
}

fn queries() -> impl Strategy<Value = ListQuery> {
    let prefix = "[ab/]{0,2}";
    let delimiter = prop::option::of(prop_oneof![Just("/"), Just("b"), Just("/a"), Just("é")]);
    let start_after = prop::option::of("[ab/é]{0,4}");
    (prefix, delimiter, start_after, 1..5_usize).prop_map(
        |(prefix, delimiter, start_after, limit)| ListQuery {
            prefix,
            delimiter: delimiter.map(str::to_owned),
            start_after,
            limit,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_agrees_with_a_map(all in prop::collection::vec(calls(), 1..40)) {
        Runtime::new().unwrap().block_on(async {
            let store = with_photos().await;
            let mut model = Model::new();
            for one in all {
                call(&store, &mut model, one).await;
            }

            let everything = ListQuery { limit: 1_000, ..ListQuery::default() };
            let page = store.list(&photos(), &everything).unwrap();
            let listed: Vec<_> = page.versions.iter().map(|version| version.key.to_string()).collect();
            assert!(listed.iter().eq(model.keys()));
            for (at, body) in &model {
                assert_eq!(&read(&store, at).unwrap(), body);
            }
            let large = model.values().filter(|body| body.len() > 4_096).count();
            assert_eq!(blob_files(store.path()).len(), large, "nothing is left over");
        });
    }

    #[test]
    fn the_pages_joined_are_the_listing(
        all in prop::collection::btree_set("[ab/é]{1,5}", 0..40),
        query in queries(),
    ) {
        Runtime::new().unwrap().block_on(async {
            let store = with_photos().await;
            for at in &all {
                put(&store, at, b"").await.unwrap();
            }

            let mut entries = Vec::new();
            let mut next = query.clone();
            loop {
                let page = store.list(&photos(), &next).unwrap();
                let mut shown: Vec<_> = page.versions.iter().map(|version| version.key.to_string()).collect();
                shown.extend(page.common_prefixes);
                shown.sort();
                assert!(shown.len() <= query.limit);
                assert!(page.next.is_none() || shown.len() == query.limit);
                assert!(page.next.is_none() || page.next.as_ref() == shown.last());
                entries.extend(shown);
                let Some(last) = page.next else { break };
                next.start_after = Some(last);
            }

            assert_eq!(entries, expected(&all, &query));
        });
    }
}
