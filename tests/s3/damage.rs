//! Laws of damage: a blob that was changed, cut or put in another's place is refused, before a byte of what was harmed leaves.
//!
//! What is harmed is told here by the layout of sealed bodies alone: each changed segment, and each segment of an inner layer
//! that lies in one. All else of the object must still be served.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::Index;
use strongroom_testkit::{Authentication, Strongroom};
use strongroom_tests::{Answer, send};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::keyed::Keyed;
use crate::ways::{
    FIRST, LATER, LEAST_PART, Parts, STARTS, WAYS, Way, body, cases, put, read, sizes, succeeded,
    ways,
};

/// The size of a sealed segment, and of the header in the first one.
const SEGMENT: usize = 65_536;
const HEADER: usize = 40;

/// A server that keeps its blobs in a folder in which tests do what they must not.
struct Ground {
    runtime: Runtime,
    keyed: Keyed,
    folder: TempDir,
}

impl Ground {
    fn new() -> Self {
        let (runtime, folder) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
        let believe = |config: &mut strongroom_testkit::Config| {
            config.authentication = Authentication::Off;
        };
        let builder = Strongroom::builder().data(folder.path()).config(believe);
        let keyed = runtime.block_on(Keyed::of(builder));
        Self {
            runtime,
            keyed,
            folder,
        }
    }

    fn put(&self, way: Way, key: &str, body: &[u8]) {
        self.runtime.block_on(put(&self.keyed, way, key, body));
    }

    fn put_parts(&self, way: Way, key: &str, parts: &[&[u8]]) {
        self.runtime.block_on(async {
            let mut upload = Parts::begin(&self.keyed, way, key).await;
            for (number, part) in (1..).zip(parts) {
                upload.put(number, part).await;
            }
            upload.complete().await;
        });
    }

    fn read(&self, way: Way, key: &str, range: Option<&str>) -> Answer {
        self.runtime.block_on(read(&self.keyed, way, key, range))
    }

    /// The files of the blobs of an object.
    fn files(&self, key: &str) -> Vec<PathBuf> {
        let blobs = self.keyed.stored(key).blobs.into_iter();
        let file = |id: String| self.folder.path().join("blobs").join(&id[..2]).join(&id);
        blobs.map(|blob| file(blob.id)).collect()
    }

    fn file(&self, key: &str) -> PathBuf {
        self.files(key).remove(0)
    }
}

/// What somebody does to a blob.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip(Index, u32),
    /// A byte is taken out and put in somewhere else.
    Move(Index, Index),
    /// Two segments change places.
    Exchange(Index, Index),
    Cut(Index),
    Grow(u8),
}

fn damages() -> impl Strategy<Value = Damage> {
    prop_oneof![
        3 => (any::<Index>(), 0_u32..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        2 => any::<(Index, Index)>().prop_map(|(from, to)| Damage::Move(from, to)),
        2 => any::<(Index, Index)>().prop_map(|(one, other)| Damage::Exchange(one, other)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => any::<u8>().prop_map(Damage::Grow),
    ]
}

impl Damage {
    fn of(self, sealed: &[u8]) -> Vec<u8> {
        let mut changed = sealed.to_vec();
        match self {
            Self::Flip(at, bit) => changed[at.index(sealed.len())] ^= 1_u8 << bit,
            Self::Move(from, to) => {
                let byte = changed.remove(from.index(sealed.len()));
                changed.insert(to.index(sealed.len()), byte);
            }
            Self::Exchange(one, other) => {
                let mut segments: Vec<_> = sealed.chunks(SEGMENT).collect();
                let (one, other) = (one.index(segments.len()), other.index(segments.len()));
                segments.swap(one, other);
                changed = segments.concat();
            }
            Self::Cut(kept) => changed.truncate(kept.index(sealed.len())),
            Self::Grow(byte) => changed.push(byte),
        }
        changed
    }
}

/// Where a segment's plaintext begins.
fn start(segment: usize) -> usize {
    match segment.checked_sub(1) {
        None => 0,
        Some(before) => FIRST + before * LATER,
    }
}

/// The segment that holds a byte of the plaintext.
fn segment_of(offset: usize) -> usize {
    offset
        .checked_sub(FIRST)
        .map_or(0, |behind| 1 + behind / LATER)
}

/// The segments of the plaintext that a change to a blob of the same length harms.
fn harmed(way: Way, sealed: &[u8], changed: &[u8]) -> BTreeSet<usize> {
    let all = 0..=sealed.len() / SEGMENT;
    let of_layer = |segments: BTreeSet<usize>, header: bool| {
        if header {
            all.clone().collect()
        } else {
            segments
        }
    };
    let pairs = sealed.chunks(SEGMENT).zip(changed.chunks(SEGMENT));
    let differ = pairs.enumerate().filter(|(_, (one, other))| one != other);
    let outer = differ.map(|(segment, _)| segment).collect();
    let outer = of_layer(outer, sealed[..HEADER] != changed[..HEADER]);
    if way != Way::DsseKms {
        return outer;
    }
    let inner = outer
        .iter()
        .flat_map(|segment| start(*segment) / SEGMENT..=(start(segment + 1) - 1) / SEGMENT);
    of_layer(inner.collect(), outer.contains(&0))
}

/// Asserts that an answer, which was to be the bytes `first ..= last`, stops before the first harmed one.
fn assert_stops(
    got: &Answer,
    whole: &[u8],
    (first, last): (usize, usize),
    harmed: &BTreeSet<usize>,
) {
    let wanted = segment_of(first)..=segment_of(last);
    let Some(broken) = harmed.iter().find(|segment| wanted.contains(segment)) else {
        assert!(matches!(got.status, 200 | 206), "{}", got.text());
        assert!(got.body == whole[first..=last], "other bytes");
        return;
    };
    if got.status == 500 {
        assert_eq!(got.element("Code").as_deref(), Some("InternalError"));
        return;
    }
    assert!(matches!(got.status, 200 | 206), "{}", got.status);
    let good = start(*broken).saturating_sub(first);
    assert!(
        got.body.len() <= good,
        "{} bytes, {good} are good",
        got.body.len()
    );
    assert!(whole[first..].starts_with(&got.body), "wrong bytes");
}

fn assert_refused(got: &Answer) {
    assert_eq!(got.status, 500);
    assert_eq!(got.element("Code").as_deref(), Some("InternalError"));
}

/// Sizes of bodies that are files.
fn large() -> impl Strategy<Value = usize> {
    sizes().prop_map(|size| size.max(4_100))
}

#[test]
fn no_harmed_byte_leaves_and_every_other_does() {
    let ground = Ground::new();
    proptest!(cases(160), |(way in ways(), size in large(), start in STARTS, damage in damages(), one: Index, other: Index)| {
        let whole = body(size, start);
        let (one, other) = (one.index(size), other.index(size));
        let (first, last) = (one.min(other), one.max(other));
        ground.put(way, "key", whole);
        let file = ground.file("key");
        let sealed = fs::read(&file).unwrap();
        let changed = damage.of(&sealed);
        prop_assume!(changed != sealed);

        fs::write(&file, &changed).unwrap();

        let got = ground.read(way, "key", None);
        let part = ground.read(way, "key", Some(&format!("{first}-{last}")));
        if changed.len() == sealed.len() {
            let harmed = harmed(way, &sealed, &changed);
            assert_stops(&got, whole, (0, size - 1), &harmed);
            assert_stops(&part, whole, (first, last), &harmed);
        } else {
            assert_refused(&got);
            assert_refused(&part);
        }
    });
}

#[test]
fn a_stream_is_cut_before_the_harmed_segment() {
    let ground = Ground::new();
    for way in WAYS {
        let whole = body(2_000_000, 0);
        ground.put(way, "key", whole);
        let file = ground.file("key");
        let mut sealed = fs::read(&file).unwrap();
        let at = sealed.len() - 1;
        sealed[at] ^= 1;
        fs::write(&file, sealed).unwrap();

        let got = ground.read(way, "key", None);

        assert_eq!(got.header("content-length"), Some("2000000"), "{way:?}");
        assert!(got.body.len() >= start(8), "{way:?}");
        assert!(got.body.len() < 2_000_000 && whole.starts_with(&got.body));
    }
}

#[test]
fn a_harmed_source_is_not_copied() {
    let ground = Ground::new();
    proptest!(cases(32), |(way in ways(), size in large(), start in STARTS, damage in damages())| {
        ground.put(way, "key", body(size, start));
        let file = ground.file("key");
        let sealed = fs::read(&file).unwrap();
        let changed = damage.of(&sealed);
        prop_assume!(changed != sealed);
        fs::write(&file, changed).unwrap();

        let address = ground.keyed.server.address();
        let mut headers: Vec<(&str, &str)> = vec![("x-amz-copy-source", "/photos/key")];
        headers.extend(way.brings_for_source());
        let copied = ground.runtime.block_on(async {
            let part = Parts::begin(&ground.keyed, Way::SseS3, "parts").await;
            let part = send(address, &part.target(1), &headers).await;
            assert_refused(&part);
            send(address, "PUT /photos/copy", &headers).await
        });

        assert_refused(&copied);
        prop_assert_eq!(ground.read(Way::SseS3, "copy", None).status, 404);
        let left = fs::read_dir(ground.folder.path().join("staging")).unwrap();
        prop_assert_eq!(left.count(), 0);
    });
}

/// Lets two blobs change places.
fn exchange(one: &PathBuf, other: &PathBuf) {
    let (first, second) = (fs::read(one).unwrap(), fs::read(other).unwrap());
    fs::write(one, second).unwrap();
    fs::write(other, first).unwrap();
}

#[test]
fn no_blob_passes_for_another() {
    let ground = Ground::new();
    proptest!(cases(48), |(way in ways(), size in large(), other_size in prop::option::of(large()), start in STARTS, at: Index)| {
        let other_size = other_size.unwrap_or(size);
        ground.put(way, "one", body(size, start));
        ground.put(way, "other", body(other_size, start));
        exchange(&ground.file("one"), &ground.file("other"));

        for (key, size) in [("one", size), ("other", other_size)] {
            assert_refused(&ground.read(way, key, None));
            let at = at.index(size);
            assert_refused(&ground.read(way, key, Some(&format!("{at}-{at}"))));
        }
    });
}

#[test]
fn no_part_passes_for_another_of_its_upload() {
    let ground = Ground::new();
    let whole = body(3 * LEAST_PART, 0);
    let parts: Vec<_> = whole.chunks(LEAST_PART).collect();
    for way in WAYS {
        ground.put_parts(way, "key", &parts);
        let files = ground.files("key");

        exchange(&files[1], &files[2]);

        let got = ground.read(way, "key", None);
        assert!(got.body.len() <= LEAST_PART, "{way:?}");
        assert!(whole.starts_with(&got.body));
        for number in [2, 3] {
            assert_refused(&ground.read(way, &format!("key?partNumber={number}"), None));
        }
        let good = succeeded(ground.read(way, "key?partNumber=1", None));
        assert!(good.body == parts[0]);
    }
}

#[test]
fn no_part_passes_for_one_of_another_upload_under_the_same_key() {
    let ground = Ground::new();
    let whole = body(2 * LEAST_PART, 0);
    let parts: Vec<_> = whole.chunks(LEAST_PART).collect();
    for way in [Way::SseC, Way::BucketKey] {
        ground.put_parts(way, "one", &parts);
        ground.put_parts(way, "other", &parts);
        let (one, other) = (ground.files("one"), ground.files("other"));

        exchange(&one[0], &other[0]);

        for key in ["one", "other"] {
            assert_refused(&ground.read(way, key, None));
            let good = succeeded(ground.read(way, &format!("{key}?partNumber=2"), None));
            assert!(good.body == parts[1], "{way:?}");
        }
    }
}
