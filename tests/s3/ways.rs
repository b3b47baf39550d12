//! The ways in which an object may be encrypted, and raw requests that ask for each of them alike.
//!
//! They are what laws are held to: a law says `way`, and holds in every mode.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use proptest::sample::select;
use proptest::strategy::{Just, Strategy};
use proptest::test_runner::Config;
use proptest::{prop_oneof, sample};
use strongroom_testkit::Mode;
use strongroom_tests::{Answer, send, send_body};

use crate::keyed::Keyed;
use crate::sdk::{CUSTOMER_KEY, noise};

/// Plaintext bytes of the first segment of a sealed body, and of each other: 64 KiB without header and tag.
pub(crate) const FIRST: usize = 65_464;
pub(crate) const LATER: usize = 65_504;
/// The least size of every part but the last, in bytes.
pub(crate) const LEAST_PART: usize = 5 * 1_024 * 1_024;
/// What one layer adds to a body of a single segment, in bytes.
const OVERHEAD: usize = 72;
/// A sealed body up to this size lies in the catalogue, in bytes.
const INLINE: usize = 4_096;

/// Another customer's key and its MD5, published like the first.
const OTHER_KEY: (&str, &str) = (
    "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=",
    "DWygnHRtgiJ77HCm+1rvHw==",
);

/// How an object is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    SseS3,
    SseKms,
    BucketKey,
    DsseKms,
    SseC,
    OtherSseC,
}

/// All of them.
pub(crate) const WAYS: [Way; 6] = [
    Way::SseS3,
    Way::SseKms,
    Way::BucketKey,
    Way::DsseKms,
    Way::SseC,
    Way::OtherSseC,
];

/// Headers of a request.
pub(crate) type Headers = Vec<(&'static str, &'static str)>;

impl Way {
    /// What a write sends to ask for it.
    pub(crate) fn asks(self) -> Headers {
        const SSE: &str = "x-amz-server-side-encryption";
        const KEY: (&str, &str) = ("x-amz-server-side-encryption-aws-kms-key-id", "alias/app");
        const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
        match self {
            Self::SseS3 => vec![(SSE, "AES256")],
            Self::SseKms => vec![(SSE, "aws:kms"), KEY],
            Self::BucketKey => vec![(SSE, "aws:kms"), KEY, (BUCKET_KEY, "true")],
            Self::DsseKms => vec![(SSE, "aws:kms:dsse"), KEY],
            Self::SseC | Self::OtherSseC => self.brings(),
        }
    }

    /// What a read brings, and a part: the customer's key, where there is one.
    pub(crate) fn brings(self) -> Headers {
        self.customers([
            "x-amz-server-side-encryption-customer-algorithm",
            "x-amz-server-side-encryption-customer-key",
            "x-amz-server-side-encryption-customer-key-md5",
        ])
    }

    /// What a copy brings for its source.
    pub(crate) fn brings_for_source(self) -> Headers {
        self.customers([
            "x-amz-copy-source-server-side-encryption-customer-algorithm",
            "x-amz-copy-source-server-side-encryption-customer-key",
            "x-amz-copy-source-server-side-encryption-customer-key-md5",
        ])
    }

    /// The mode that it comes to.
    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::SseS3 => Mode::SseS3,
            Self::SseKms | Self::BucketKey => Mode::SseKms,
            Self::DsseKms => Mode::DsseKms,
            Self::SseC | Self::OtherSseC => Mode::SseC,
        }
    }

    fn customers(self, [algorithm, key, md5]: [&'static str; 3]) -> Headers {
        let pair = match self {
            Self::SseC => CUSTOMER_KEY,
            Self::OtherSseC => OTHER_KEY,
            _ => return Vec::new(),
        };
        vec![(algorithm, "AES256"), (key, pair.0), (md5, pair.1)]
    }
}

/// Any of them.
pub(crate) fn ways() -> sample::Select<Way> {
    select(&WAYS)
}

/// Sizes of bodies at which something begins or ends: the empty body, the catalogue, a segment of either layer, a buffer; and
/// any other, up to a dozen segments.
pub(crate) fn sizes() -> impl Strategy<Value = usize> {
    let layered = INLINE - 2 * OVERHEAD;
    let small = [2, INLINE - OVERHEAD, layered, INLINE, 65_536, 524_288];
    let small =
        (select(small.to_vec()), 0_usize..5).prop_map(|(border, beside)| border + beside - 2);
    let segment = (0_usize..9, 0_usize..5, select(vec![0, OVERHEAD]));
    let segment =
        segment.prop_map(|(more, beside, outer)| FIRST + more * LATER + beside - 2 - outer);
    prop_oneof![small, segment, 0_usize..800_000]
}

/// Sizes of parts that are not the last: the least, whole segments, and any other a little above.
pub(crate) fn part_sizes() -> impl Strategy<Value = usize> {
    let whole = FIRST + 80 * LATER;
    prop_oneof![
        Just(LEAST_PART),
        whole - 2..=whole + 2,
        LEAST_PART..LEAST_PART + 300_000,
    ]
}

/// So many cases.
pub(crate) fn cases(number: u32) -> Config {
    Config {
        cases: number,
        max_shrink_iters: 64,
        ..Config::default()
    }
}

/// Where a [`body`] may begin.
pub(crate) const STARTS: Range<usize> = 0..1_000_000;

/// A body of some size, at most three of the least parts: noise from `start` on.
pub(crate) fn body(size: usize, start: usize) -> &'static [u8] {
    static NOISE: OnceLock<Vec<u8>> = OnceLock::new();
    let noise = NOISE.get_or_init(|| noise(3 * LEAST_PART + STARTS.end));
    &noise[start..start + size]
}

/// Asserts that an answer is a success, and gives it back.
pub(crate) fn succeeded(answer: Answer) -> Answer {
    assert!(
        matches!(answer.status, 200 | 204 | 206),
        "{}: {}",
        answer.status,
        answer.text()
    );
    answer
}

/// Puts an object.
pub(crate) async fn put(keyed: &Keyed, way: Way, key: &str, body: &[u8]) {
    let target = format!("PUT /photos/{key}");
    succeeded(send_body(keyed.server.address(), &target, &way.asks(), body).await);
}

/// Reads an object; `range` is what stands behind `bytes=`.
pub(crate) async fn read(keyed: &Keyed, way: Way, key: &str, range: Option<&str>) -> Answer {
    let target = format!("GET /photos/{key}");
    let range = range.map(|range| format!("bytes={range}"));
    let mut headers: Vec<(&str, &str)> = way.brings();
    headers.extend(range.as_deref().map(|range| ("range", range)));
    send(keyed.server.address(), &target, &headers).await
}

/// Copies an object.
pub(crate) async fn copy(keyed: &Keyed, (from, source): (Way, &str), (to, key): (Way, &str)) {
    let (target, source) = (format!("PUT /photos/{key}"), format!("/photos/{source}"));
    let mut headers: Vec<(&str, &str)> = vec![("x-amz-copy-source", &source)];
    headers.extend(from.brings_for_source());
    headers.extend(to.asks());
    succeeded(send(keyed.server.address(), &target, &headers).await);
}

/// An upload in parts under way.
pub(crate) struct Parts<'k> {
    keyed: &'k Keyed,
    way: Way,
    path: String,
    id: String,
    manifest: BTreeMap<usize, String>,
}

impl<'k> Parts<'k> {
    pub(crate) async fn begin(keyed: &'k Keyed, way: Way, key: &str) -> Self {
        let path = format!("/photos/{key}");
        let target = format!("POST {path}?uploads");
        let begun = succeeded(send(keyed.server.address(), &target, &way.asks()).await);
        Self {
            keyed,
            way,
            path,
            id: begun.element("UploadId").unwrap(),
            manifest: BTreeMap::new(),
        }
    }

    /// Writes a part.
    pub(crate) async fn put(&mut self, number: usize, body: &[u8]) {
        let address = self.keyed.server.address();
        let answer = send_body(address, &self.target(number), &self.way.brings(), body).await;
        let etag = succeeded(answer).header("etag").unwrap().to_owned();
        self.manifest.insert(number, etag);
    }

    /// Writes a part of what another object holds; `range` is what stands behind `bytes=`.
    pub(crate) async fn copy(&mut self, number: usize, (from, source): (Way, &str), range: &str) {
        let (source, range) = (format!("/photos/{source}"), format!("bytes={range}"));
        let mut headers: Vec<(&str, &str)> = vec![
            ("x-amz-copy-source", &source),
            ("x-amz-copy-source-range", &range),
        ];
        headers.extend(from.brings_for_source());
        headers.extend(self.way.brings());
        let address = self.keyed.server.address();
        let answer = succeeded(send(address, &self.target(number), &headers).await);
        let etag = answer.element("ETag").unwrap();
        self.manifest.insert(number, etag);
    }

    /// Makes an object of all parts.
    pub(crate) async fn complete(self) {
        let (target, manifest) = self.completion();
        let address = self.keyed.server.address();
        succeeded(send_body(address, &target, &[], manifest.as_bytes()).await);
    }

    /// Target and body of the request that makes an object of all parts.
    pub(crate) fn completion(&self) -> (String, String) {
        let part = |(number, etag): (&usize, &String)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        };
        let parts: String = self.manifest.iter().map(part).collect();
        (
            format!("POST {}?uploadId={}", self.path, self.id),
            format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"),
        )
    }

    /// The target of a request that writes a part.
    pub(crate) fn target(&self, number: usize) -> String {
        format!("PUT {}?partNumber={number}&uploadId={}", self.path, self.id)
    }
}
