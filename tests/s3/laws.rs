//! Laws of what comes back: for any size, way to encrypt, split into parts and range.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use tokio::runtime::Runtime;

use crate::keyed::Keyed;
use crate::ways::{
    Parts, STARTS, WAYS, Way, body, cases, copy, part_sizes, put, read, sizes, succeeded, ways,
};

fn ground() -> (Runtime, Keyed) {
    let runtime = Runtime::new().unwrap();
    let keyed = runtime.block_on(Keyed::believing());
    (runtime, keyed)
}

/// A range as a client may write it.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Between(Index, Index),
    /// To a byte that lies behind the end.
    Beyond(Index),
    From(Index),
    Last(Index),
}

fn wanted() -> impl Strategy<Value = Wanted> {
    prop_oneof![
        4 => any::<(Index, Index)>().prop_map(|(one, other)| Wanted::Between(one, other)),
        1 => any::<Index>().prop_map(Wanted::Beyond),
        1 => any::<Index>().prop_map(Wanted::From),
        1 => any::<Index>().prop_map(Wanted::Last),
    ]
}

impl Wanted {
    /// What stands behind `bytes=`, and the first and the last byte that it means in a body that is not empty.
    fn of(self, size: usize) -> (String, usize, usize) {
        match self {
            Self::Between(one, other) => {
                let (one, other) = (one.index(size), other.index(size));
                let (first, last) = (one.min(other), one.max(other));
                (format!("{first}-{last}"), first, last)
            }
            Self::Beyond(first) => {
                let first = first.index(size);
                (format!("{first}-{}", size + 7), first, size - 1)
            }
            Self::From(first) => {
                let first = first.index(size);
                (format!("{first}-"), first, size - 1)
            }
            Self::Last(length) => {
                let length = 1 + length.index(size);
                (format!("-{length}"), size - length, size - 1)
            }
        }
    }
}

/// Asserts that a range gives that slice, and says so.
async fn assert_range(keyed: &Keyed, way: Way, key: &str, whole: &[u8], wanted: Wanted) {
    let (range, first, last) = wanted.of(whole.len());

    let got = read(keyed, way, key, Some(&range)).await;

    let told = format!("bytes {first}-{last}/{}", whole.len());
    assert_eq!(got.status, 206, "{range}: {}", got.text());
    assert_eq!(got.header("content-range"), Some(told.as_str()));
    assert!(got.body == whole[first..=last], "{range} is another slice");
}

async fn assert_whole(keyed: &Keyed, way: Way, key: &str, whole: &[u8]) {
    let got = succeeded(read(keyed, way, key, None).await);
    assert!(got.body == whole, "{key} has other bytes");
    let stored = keyed.stored(key);
    assert_eq!(stored.mode, way.mode());
    assert_eq!(stored.bucket_key.is_some(), way == Way::BucketKey);
}

/// Whether sixteen bytes in a row that begin at a multiple of sixteen in one stand anywhere in the other.
fn share_bytes(one: &[u8], other: &[u8]) -> bool {
    let runs: HashSet<&[u8]> = one.chunks_exact(16).collect();
    other.windows(16).any(|run| runs.contains(run))
}

#[test]
fn what_is_read_is_what_was_written() {
    let (runtime, keyed) = ground();
    proptest!(cases(96), |(way in ways(), size in sizes(), start in STARTS, wanted in vec(wanted(), 4))| {
        let whole = body(size, start);

        runtime.block_on(async {
            put(&keyed, way, "key", whole).await;

            assert_whole(&keyed, way, "key", whole).await;
            for wanted in wanted.into_iter().filter(|_| size > 0) {
                assert_range(&keyed, way, "key", whole, wanted).await;
            }
        });
    });
}

#[test]
fn what_lies_in_the_store_shows_nothing_of_it() {
    let (runtime, keyed) = ground();
    proptest!(cases(24), |(way in ways(), size in sizes(), start in STARTS)| {
        let whole = body(size.min(200_000), start);

        runtime.block_on(put(&keyed, way, "key", whole));

        prop_assert!(!share_bytes(whole, &keyed.stored("key").raw));
    });
}

/// Writes an object in parts of these sizes, the last one first where `backwards`; its parts.
async fn put_parts<'b>(
    keyed: &Keyed,
    (way, key): (Way, &str),
    whole: &'b [u8],
    sizes: &[usize],
    backwards: bool,
) -> Vec<&'b [u8]> {
    let mut rest = whole;
    let cut = sizes.iter().map(|size| {
        let (part, behind) = rest.split_at(*size);
        rest = behind;
        part
    });
    let parts: Vec<_> = cut.collect();
    let mut numbered: Vec<_> = (1..).zip(&parts).collect();
    if backwards {
        numbered.reverse();
    }
    let mut upload = Parts::begin(keyed, way, key).await;
    for (number, part) in numbered {
        upload.put(number, part).await;
    }
    upload.complete().await;
    parts
}

/// Asserts that each part comes back by its number, and what lies around each border between two.
async fn assert_parts(keyed: &Keyed, way: Way, whole: &[u8], parts: &[&[u8]]) {
    let mut border = 0;
    for (number, part) in (1..).zip(parts) {
        let one = read(keyed, way, &format!("key?partNumber={number}"), None).await;
        assert!(succeeded(one).body == *part, "part {number}");
        border += part.len();
        if border < whole.len() {
            let range = format!("{}-{border}", border - 1);
            let around = succeeded(read(keyed, way, "key", Some(&range)).await);
            assert_eq!(around.body, whole[border - 1..=border]);
        }
    }
}

#[test]
fn parts_are_read_as_what_they_were_cut_from() {
    let (runtime, keyed) = ground();
    let splits = (vec(part_sizes(), 0..3), sizes());
    let splits = splits.prop_map(|(mut sizes, last)| {
        sizes.push(last);
        sizes
    });
    proptest!(cases(16), |(way in ways(), split in splits, start in STARTS, backwards: bool, wanted in vec(wanted(), 4))| {
        let size = split.iter().sum();
        let whole = body(size, start);

        runtime.block_on(async {
            let parts = put_parts(&keyed, (way, "key"), whole, &split, backwards).await;

            assert_whole(&keyed, way, "key", whole).await;
            assert_parts(&keyed, way, whole, &parts).await;
            for wanted in wanted.into_iter().filter(|_| size > 0) {
                assert_range(&keyed, way, "key", whole, wanted).await;
            }
        });
    });
}

/// Asserts that a copy has the plaintext, and in its first segments not one run of its source's ciphertext.
async fn assert_copied(keyed: &Keyed, way: Way, whole: &[u8]) {
    assert_whole(keyed, way, "copy", whole).await;
    let raw = |key| {
        let mut raw = keyed.stored(key).raw;
        raw.truncate(140_000);
        raw
    };
    assert!(!share_bytes(&raw("key"), &raw("copy")));
}

#[test]
fn copies_between_any_two_ways_keep_the_plaintext_and_change_the_ciphertext() {
    let (runtime, keyed) = ground();
    proptest!(cases(4), |(sizes in vec(sizes(), WAYS.len()), start in STARTS)| {
        for (from, size) in WAYS.into_iter().zip(sizes) {
            let whole = body(size, start);
            runtime.block_on(put(&keyed, from, "key", whole));
            for to in WAYS {
                runtime.block_on(async {
                    copy(&keyed, (from, "key"), (to, "copy")).await;

                    assert_copied(&keyed, to, whole).await;
                });
            }
        }
    });
}

#[test]
fn an_object_in_parts_is_copied_to_any_way() {
    let (runtime, keyed) = ground();
    proptest!(cases(6), |(from in ways(), to in ways(), first in part_sizes(), last in sizes(), start in STARTS)| {
        let whole = body(first + last, start);

        runtime.block_on(async {
            put_parts(&keyed, (from, "key"), whole, &[first, last], false).await;
            copy(&keyed, (from, "key"), (to, "copy")).await;

            assert_whole(&keyed, to, "copy", whole).await;
        });
    });
}

#[test]
fn any_range_of_any_object_becomes_a_part_of_another() {
    let (runtime, keyed) = ground();
    proptest!(cases(24), |(from in ways(), to in ways(), size in sizes(), start in STARTS, one: Index, other: Index)| {
        let whole = body(size.max(1), start);
        let (range, first, last) = Wanted::Between(one, other).of(whole.len());

        runtime.block_on(async {
            put(&keyed, from, "key", whole).await;
            let mut upload = Parts::begin(&keyed, to, "copy").await;
            upload.copy(1, (from, "key"), &range).await;
            upload.complete().await;

            assert_copied(&keyed, to, &whole[first..=last]).await;
        });
    });
}

#[test]
fn a_part_is_copied_from_across_the_borders_of_parts() {
    let (runtime, keyed) = ground();
    proptest!(cases(6), |(from in ways(), to in ways(), first in part_sizes(), last in 1_usize..200_000, start in STARTS, before in 1_usize..200_000, behind: Index)| {
        let whole = body(first + last, start);
        let (begin, end) = (first - before, first + behind.index(last));

        runtime.block_on(async {
            put_parts(&keyed, (from, "key"), whole, &[first, last], false).await;
            let mut upload = Parts::begin(&keyed, to, "copy").await;
            upload.copy(1, (from, "key"), &format!("{begin}-{end}")).await;
            upload.complete().await;

            assert_whole(&keyed, to, "copy", &whole[begin..=end]).await;
        });
    });
}
