//! Checksums of objects in parts: which one a read of a part tells, and which ones a completion takes.
//!
//! Source: answers recorded from AWS in February 2026, unless a test says otherwise.

use std::fmt::Write as _;

use strongroom_testkit::{Authentication, Config, Strongroom};
use strongroom_tests::{Answer, send, send_body};

use crate::forms::told;
use crate::sdk::{noise, says};
use crate::ways::succeeded;

const CRC32C: &str = "x-amz-checksum-crc32c";
const CRC64: &str = "x-amz-checksum-crc64nvme";
const TYPE: &str = "x-amz-checksum-type";
const FULL: (&str, &str) = (TYPE, "FULL_OBJECT");
const COMPOSITE: (&str, &str) = (TYPE, "COMPOSITE");
const BY_CRC32C: (&str, &str) = ("x-amz-checksum-algorithm", "CRC32C");
const WANTED: (&str, &str) = ("x-amz-checksum-mode", "ENABLED");
/// A body and its CRC32C.
const LAST: (&[u8], &str) = (b"test content 123", "fwuu0Q==");
/// Another one, its CRC32C, and the CRC32C of that with the number of parts.
const ABC: (&[u8], &str, &str) = (b"abc", "Nks/tw==", "ZpGMMA==-1");
/// The same by CRC64NVME.
const ABC_CRC64: &str = "BeXKuz/B+us=";

/// An upload of `photos/key`.
struct Upload {
    server: Strongroom,
    id: String,
    /// The elements of the parts that are written.
    parts: String,
}

impl Upload {
    async fn begin(headers: &[(&str, &str)]) -> Self {
        let believe = |config: &mut Config| config.authentication = Authentication::Off;
        let builder = Strongroom::builder().bucket("photos").config(believe);
        let server = builder.start().await;
        let begun = send(server.address(), "POST /photos/key?uploads", headers).await;
        let id = succeeded(begun).element("UploadId").unwrap();
        let parts = String::new();
        Self { server, id, parts }
    }

    /// Writes a part; the value of its CRC32C, if the upload has any.
    async fn part(&mut self, number: u32, body: &[u8]) -> Option<String> {
        let target = format!("PUT /photos/key?partNumber={number}&uploadId={}", self.id);
        let written = succeeded(send_body(self.server.address(), &target, &[], body).await);
        let etag = written.header("etag").unwrap();
        let checksum = written.header(CRC32C).map(str::to_owned);
        let element = checksum.as_ref().map_or_else(String::new, |value| {
            format!("<ChecksumCRC32C>{value}</ChecksumCRC32C>")
        });
        let _ = write!(
            self.parts,
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{element}</Part>"
        );
        checksum
    }

    async fn complete(&self, headers: &[(&str, &str)]) -> Answer {
        let target = format!("POST /photos/key?uploadId={}", self.id);
        let document = format!(
            "<CompleteMultipartUpload>{}</CompleteMultipartUpload>",
            self.parts
        );
        send_body(self.server.address(), &target, headers, document.as_bytes()).await
    }

    /// What GET and HEAD tell of the checksum, which is the same.
    async fn tells(&self, query: &str) -> [Option<String>; 2] {
        let mut told = Vec::new();
        for method in ["GET", "HEAD"] {
            let target = format!("{method} /photos/key{query}");
            let answer = succeeded(send(self.server.address(), &target, &[WANTED]).await);
            told.push([CRC32C, TYPE].map(|name| answer.header(name).map(str::to_owned)));
        }
        assert_eq!(told[0], told[1]);
        told.swap_remove(0)
    }
}

/// An object of two parts by CRC32C of a type; the checksum of the first.
async fn in_two_parts(kind: (&str, &str)) -> (Upload, String) {
    let mut upload = Upload::begin(&[BY_CRC32C, kind]).await;
    let first = upload.part(1, &noise(5 * 1_024 * 1_024)).await.unwrap();
    upload.part(2, LAST.0).await;
    succeeded(upload.complete(&[]).await);
    (upload, first)
}

fn some(checksum: &str, kind: &str) -> [Option<String>; 2] {
    [Some(checksum.to_owned()), Some(kind.to_owned())]
}

#[tokio::test]
async fn a_part_of_a_composite_object_has_its_own_checksum() {
    let (upload, first) = in_two_parts(COMPOSITE).await;

    assert_eq!(
        upload.tells("?partNumber=1").await,
        some(&first, "COMPOSITE")
    );
    assert_eq!(
        upload.tells("?partNumber=2").await,
        some(LAST.1, "COMPOSITE")
    );
    let [whole, kind] = upload.tells("").await;
    assert!(whole.unwrap().ends_with("-2"));
    assert_eq!(kind.as_deref(), Some("COMPOSITE"));
}

#[tokio::test]
async fn the_only_part_of_a_composite_object_has_its_own_too() {
    let mut upload = Upload::begin(&[BY_CRC32C, COMPOSITE]).await;
    upload.part(1, LAST.0).await;
    succeeded(upload.complete(&[]).await);

    assert_eq!(
        upload.tells("?partNumber=1").await,
        some(LAST.1, "COMPOSITE")
    );
    assert_eq!(upload.tells("").await, some("sZB91Q==-1", "COMPOSITE"));
}

#[tokio::test]
async fn a_part_of_an_object_with_one_checksum_tells_none() {
    let (upload, _) = in_two_parts(FULL).await;

    assert_eq!(upload.tells("?partNumber=2").await, [None, None]);
    let [whole, kind] = upload.tells("").await;
    assert!(!whole.unwrap().contains('-'));
    assert_eq!(kind.as_deref(), Some("FULL_OBJECT"));
}

#[tokio::test]
async fn the_checksum_of_a_whole_object_is_claimed_with_its_type() {
    let mut upload = Upload::begin(&[BY_CRC32C, FULL]).await;
    upload.part(1, ABC.0).await;
    let refused: [&[(&str, &str)]; 5] = [
        &[(CRC32C, ABC.2)],
        &[(CRC32C, ABC.1)],
        &[(CRC64, ABC_CRC64)],
        &[(CRC32C, "+5yBMA=="), FULL],
        &[("x-amz-checksum-crc32", "yeCtCw=="), FULL],
    ];
    let message = "The crc32c you specified did not match the calculated checksum.";
    for claims in refused {
        let answer = upload.complete(claims).await;
        assert_eq!(told(&answer), says("BadDigest", 400, message), "{claims:?}");
    }

    let done = succeeded(upload.complete(&[(CRC32C, ABC.1), FULL]).await);

    assert_eq!(done.element("ChecksumCRC32C").as_deref(), Some(ABC.1));
    assert_eq!(done.element("ChecksumType").as_deref(), Some("FULL_OBJECT"));
}

/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
#[tokio::test]
async fn the_checksum_of_checksums_is_claimed_without_a_type() {
    let mut upload = Upload::begin(&[BY_CRC32C]).await;
    upload.part(1, ABC.0).await;

    let other = upload.complete(&[(CRC32C, "sZB91Q==-1")]).await;
    let misshapen = upload.complete(&[(CRC32C, "ZpGM-1")]).await;
    let done = succeeded(upload.complete(&[(CRC32C, ABC.2)]).await);

    let message = "The crc32c you specified did not match the calculated checksum.";
    assert_eq!(told(&other), says("BadDigest", 400, message));
    let message = "Value for x-amz-checksum-crc32c header is invalid.";
    assert_eq!(told(&misshapen), says("InvalidRequest", 400, message));
    assert_eq!(done.element("ChecksumCRC32C").as_deref(), Some(ABC.2));
}

#[tokio::test]
async fn an_upload_without_a_checksum_overlooks_what_is_claimed_by_another() {
    let mut upload = Upload::begin(&[]).await;
    upload.part(1, ABC.0).await;

    let done = succeeded(upload.complete(&[(CRC32C, "IUAC0A==-2")]).await);

    assert_eq!(
        done.element("ChecksumCRC64NVME").as_deref(),
        Some(ABC_CRC64)
    );
    assert_eq!(done.element("ChecksumCRC32C"), None);
}

/// A guess: no answer of AWS to it is known.
#[tokio::test]
async fn an_upload_without_a_checksum_is_held_to_the_one_that_is_computed() {
    let mut upload = Upload::begin(&[]).await;
    upload.part(1, ABC.0).await;

    let refused = upload.complete(&[(CRC64, "AAAAAAAAAAA=")]).await;

    let message = "The crc64nvme you specified did not match the calculated checksum.";
    assert_eq!(told(&refused), says("BadDigest", 400, message));
    succeeded(upload.complete(&[(CRC64, ABC_CRC64)]).await);
}
