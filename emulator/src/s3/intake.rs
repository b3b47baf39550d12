//! A body in: verified, digested, sealed and written while it streams; published by the operation only when all of it
//! held.
//!
//! Pieces are gathered into buffers. Hashing, sealing and writing a buffer is one blocking job, so that a large upload
//! never stalls a neighbour; the next buffer is gathered meanwhile. A body that fits into one segment never leaves the
//! runtime.

use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;

use crate::auth::payload::{PayloadEnd, PayloadVerifier};
use crate::crypto::digest::{Digest, Hasher};
use crate::model::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::s3::code::Code;
use crate::s3::error::S3Error;
use crate::s3::headers::checksums::{self, Declared, DeclaredChecksum};
use crate::s3::operation::{Incoming, Payload};
use crate::s3::workers::Workers;
use crate::sse::layers::SealLayers;
use crate::store::staging::{BlobWriter, StagedBlob};
use crate::wire::body::Body;
use crate::wire::encoding::base64;

/// The largest document that an operation takes, in bytes: `DeleteObjects` with 1,000 long keys fits, and a completion
/// of 10,000 parts with their checksums.
const MAX_DOCUMENT_BYTES: usize = 4 * 1_024 * 1_024;
/// The largest body of one PUT, in bytes: 5 GiB.
pub(crate) const MAX_PUT_BYTES: u64 = 5 * 1_024 * 1_024 * 1_024;
/// Up to here a body is worked on where it is, without a hop to another thread.
const INLINE_BYTES: usize = 65_536;
/// How much is gathered for one blocking job.
const BUFFER_BYTES: usize = 524_288;

/// A body on its way in, and what the client declared of it.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) body: Body,
    pub(crate) verifier: PayloadVerifier,
    pub(crate) declared: Declared,
    /// Bounds of its size in bytes.
    size_bytes: RangeInclusive<u64>,
}

/// A body that is in.
#[derive(Debug)]
pub(crate) struct Received {
    /// Sealed, not yet published.
    pub(crate) blob: StagedBlob,
    /// Size of the plaintext in bytes.
    pub(crate) size_bytes: u64,
    /// MD5 of the plaintext, where it was wanted.
    pub(crate) md5: Option<[u8; 16]>,
    /// The checksum to store.
    pub(crate) checksum: Checksum,
    /// CRC64NVME of the plaintext, where it was wanted beside another checksum.
    pub(crate) crc64: Option<String>,
}

/// Which digests of the plaintext are wanted beside what the client declares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digests {
    /// MD5, for an entity tag.
    pub(crate) md5: bool,
    /// The checksum, where none is declared.
    pub(crate) checksum: ChecksumAlgorithm,
    /// CRC64NVME whatever is declared, to join it with that of other parts.
    pub(crate) crc64: bool,
}

impl Digests {
    /// Of an object: CRC64NVME, as S3 computes it where the client chose nothing.
    pub(crate) fn of_object(md5: bool) -> Self {
        Self {
            md5,
            checksum: ChecksumAlgorithm::Crc64Nvme,
            crc64: false,
        }
    }
}

impl Upload {
    /// Takes the body of a request.
    ///
    /// # Errors
    ///
    /// As [`Declared::parse`]; `MissingContentLength`, `EntityTooLarge`.
    pub(crate) fn take(incoming: &mut Incoming, declared: Declared) -> Result<Self, S3Error> {
        let request = &mut incoming.request;
        let verifier = PayloadVerifier::new(&incoming.signing, request)?;
        let length = verifier
            .decoded_length_bytes()
            .or_else(|| request.body.length_bytes());
        // What an import puts back in one piece may have come in many.
        let is_of_client = request.connection.peer.is_some();
        let most = if is_of_client {
            MAX_PUT_BYTES
        } else {
            u64::MAX
        };
        match length {
            None => Err(Code::MissingContentLength.error()),
            Some(length) if length > most => Err(Code::EntityTooLarge
                .with("ProposedSize", length)
                .with("MaxSizeAllowed", most)),
            Some(_) => Ok(Self {
                body: std::mem::take(&mut request.body),
                verifier,
                declared,
                size_bytes: 0..=most,
            }),
        }
    }

    /// Takes the file of a form, whose size has these bounds.
    pub(crate) fn take_file(
        incoming: &mut Incoming,
        declared: Declared,
        size_bytes: RangeInclusive<u64>,
    ) -> Self {
        let (least, most) = size_bytes.into_inner();
        Self {
            body: std::mem::take(&mut incoming.request.body),
            verifier: PayloadVerifier::of_unsigned(),
            declared,
            size_bytes: least..=most.min(MAX_PUT_BYTES),
        }
    }

    /// Reads it to its end: every digest and signature held when this answers.
    ///
    /// # Errors
    ///
    /// `XAmzContentSHA256Mismatch`, `BadDigest`, `IncompleteBody`, `RequestTimeout`, `SignatureDoesNotMatch` …
    pub(crate) async fn receive(
        mut self,
        sealer: SealLayers,
        writer: BlobWriter,
        digests: Digests,
        workers: &Workers,
    ) -> Result<Received, S3Error> {
        let pipeline =
            Pipeline::new(self.declared, digests, sealer, writer).within(self.size_bytes);
        let mut work = Work {
            verifier: self.verifier,
            pipeline,
            plain: Vec::new(),
        };
        let mut pieces = gather(&mut self.body).await?;
        if total(&pieces) <= INLINE_BYTES && self.body.is_at_end() {
            work.absorb(&pieces)?;
            return work.finish();
        }
        while !pieces.is_empty() {
            let (done, next) = tokio::join!(
                work.absorb_on(workers, pieces.into()),
                gather(&mut self.body)
            );
            work = done?;
            pieces = next?;
        }
        workers.place().await?.work(move || work.finish()).await?
    }
}

/// The next pieces of a body, a buffer's worth; none at its end.
async fn gather(body: &mut Body) -> Result<Vec<Bytes>, S3Error> {
    let mut pieces = Vec::new();
    while total(&pieces) < BUFFER_BYTES {
        match body.next().await {
            Some(piece) => pieces.push(piece?),
            None => break,
        }
    }
    Ok(pieces)
}

fn total(pieces: &[Bytes]) -> usize {
    pieces.iter().map(Bytes::len).sum()
}

/// Hashes a buffer.
fn hash(mut hasher: Hasher, pieces: Arc<[Bytes]>) -> impl FnOnce() -> Hasher {
    move || {
        pieces.iter().for_each(|piece| hasher.update(piece));
        hasher
    }
}

/// The blocking side: the signature of what came, then everything that happens to plaintext.
#[derive(Debug)]
struct Work {
    verifier: PayloadVerifier,
    pipeline: Pipeline,
    plain: Vec<u8>,
}

impl Work {
    /// Works on a buffer away from the runtime. Where another core is idle, it takes the MD5, the dearest part.
    async fn absorb_on(mut self, workers: &Workers, pieces: Arc<[Bytes]>) -> Result<Self, S3Error> {
        let place = workers.place().await?;
        let beside = match workers
            .spare_place()
            .filter(|_| !self.verifier.is_chunked())
        {
            Some(spare) => self
                .pipeline
                .md5
                .take()
                .map(|md5| spare.work(hash(md5, Arc::clone(&pieces)))),
            None => None,
        };
        let job = place.work(move || self.absorb(&pieces).map(|()| self));
        match beside {
            None => job.await?,
            Some(beside) => {
                let (done, md5) = tokio::join!(job, beside);
                let mut work = done??;
                work.pipeline.md5 = Some(md5?);
                Ok(work)
            }
        }
    }

    fn absorb(&mut self, pieces: &[Bytes]) -> Result<(), S3Error> {
        for piece in pieces {
            let plain = self.verifier.update(piece, &mut self.plain)?;
            self.pipeline.absorb(plain)?;
            self.plain.clear();
        }
        Ok(())
    }

    fn finish(self) -> Result<Received, S3Error> {
        let end = self.verifier.finish()?;
        self.pipeline.finish(Some(&end))
    }
}

/// What happens to plaintext on its way to the disk.
#[derive(Debug)]
pub(crate) struct Pipeline {
    declared: Declared,
    md5: Option<Hasher>,
    checksum: Hasher,
    crc64: Option<Box<Hasher>>,
    algorithm: ChecksumAlgorithm,
    sealer: SealLayers,
    writer: BlobWriter,
    sealed: Vec<u8>,
    size_bytes: u64,
    bounds: RangeInclusive<u64>,
}

impl Pipeline {
    /// For a body of which `declared` is known.
    pub(crate) fn new(
        declared: Declared,
        digests: Digests,
        sealer: SealLayers,
        writer: BlobWriter,
    ) -> Self {
        let algorithm = declared
            .checksum
            .as_ref()
            .map_or(digests.checksum, |checksum| checksum.algorithm);
        let crc64 = digests.crc64 && algorithm != ChecksumAlgorithm::Crc64Nvme;
        let md5 = (digests.md5 || declared.content_md5.is_some()).then(|| Hasher::new(Digest::Md5));
        let checksum = Hasher::new(digest_of(algorithm));
        Self {
            declared,
            md5,
            checksum,
            crc64: crc64.then(|| Box::new(Hasher::new(Digest::Crc64Nvme))),
            algorithm,
            sealer,
            writer,
            sealed: Vec::new(),
            size_bytes: 0,
            bounds: 0..=MAX_PUT_BYTES,
        }
    }

    /// With bounds of the plaintext's size in bytes.
    fn within(self, bounds: RangeInclusive<u64>) -> Self {
        Self { bounds, ..self }
    }

    /// For the bytes of another object, of which nothing has to be proven.
    pub(crate) fn of_copy(digests: Digests, sealer: SealLayers, writer: BlobWriter) -> Self {
        Self::new(Declared::default(), digests, sealer, writer)
    }

    /// Digests, seals and writes; blocking.
    ///
    /// # Errors
    ///
    /// `InternalError` when the blob cannot be written.
    pub(crate) fn absorb(&mut self, plain: &[u8]) -> Result<(), S3Error> {
        self.size_bytes += u64::try_from(plain.len()).map_err(S3Error::internal)?;
        let most = *self.bounds.end();
        if self.size_bytes > most.max(MAX_PUT_BYTES) {
            return self.check_size();
        }
        if self.size_bytes > most {
            return Ok(()); // It is read on, for the refusal to tell its size.
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(plain);
        }
        self.checksum.update(plain);
        if let Some(crc64) = &mut self.crc64 {
            crc64.update(plain);
        }
        self.sealer.update(plain, &mut self.sealed);
        self.flush()
    }

    /// Seals the last segment and checks all that was declared.
    ///
    /// # Errors
    ///
    /// `EntityTooLarge`, `EntityTooSmall`, `BadDigest`, `InternalError`.
    pub(crate) fn finish(mut self, end: Option<&PayloadEnd>) -> Result<Received, S3Error> {
        self.check_size()?;
        let md5 = self.md5.take().map(|md5| first_16(&md5.finish()));
        if let (Some(expected), Some(calculated)) = (self.declared.content_md5, md5) {
            check_md5(expected, calculated)?;
        }
        let crc64 = self.crc64.take().map(|crc64| base64(&crc64.finish()));
        let value = base64(&self.checksum.clone().finish());
        check_checksum(self.declared.checksum.as_ref(), end, &value)?;
        self.sealer.finish(&mut self.sealed);
        self.writer.write(&self.sealed)?;
        Ok(Received {
            blob: self.writer.finish()?,
            size_bytes: self.size_bytes,
            md5,
            checksum: Checksum {
                algorithm: self.algorithm,
                kind: ChecksumType::FullObject,
                value,
            },
            crc64,
        })
    }

    fn check_size(&self) -> Result<(), S3Error> {
        let (proposed, bounds) = (self.size_bytes, &self.bounds);
        if proposed > *bounds.end() {
            return Err(Code::EntityTooLarge
                .with("ProposedSize", proposed)
                .with("MaxSizeAllowed", bounds.end()));
        }
        if proposed < *bounds.start() {
            return Err(Code::EntityTooSmall
                .with("ProposedSize", proposed)
                .with("MinSizeAllowed", bounds.start()));
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), S3Error> {
        self.writer.write(&self.sealed)?;
        self.sealed.clear();
        Ok(())
    }
}

fn check_md5(expected: [u8; 16], calculated: [u8; 16]) -> Result<(), S3Error> {
    if expected == calculated {
        return Ok(());
    }
    Err(Code::BadDigest
        .with("ExpectedDigest", hex::encode(expected))
        .with("CalculatedDigest", base64(&calculated)))
}

fn check_checksum(
    declared: Option<&DeclaredChecksum>,
    end: Option<&PayloadEnd>,
    calculated: &str,
) -> Result<(), S3Error> {
    let Some(DeclaredChecksum { algorithm, value }) = declared else {
        return Ok(());
    };
    let expected = match (value, end.and_then(|end| end.trailer(algorithm.header()))) {
        (Some(value), _) => value.as_str(),
        (None, Some(value)) => {
            checksums::check_value(*algorithm, value)?;
            value
        }
        (None, None) => return Err(Code::MalformedTrailerError.error()),
    };
    if expected == calculated {
        Ok(())
    } else {
        Err(checksums::mismatch(*algorithm))
    }
}

/// The hash function of a checksum.
pub(crate) fn digest_of(algorithm: ChecksumAlgorithm) -> Digest {
    match algorithm {
        ChecksumAlgorithm::Crc32 => Digest::Crc32,
        ChecksumAlgorithm::Crc32c => Digest::Crc32c,
        ChecksumAlgorithm::Crc64Nvme => Digest::Crc64Nvme,
        ChecksumAlgorithm::Sha1 => Digest::Sha1,
        ChecksumAlgorithm::Sha256 => Digest::Sha256,
    }
}

fn first_16(digest: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes
}

/// Refuses a streaming signature where no body is taken.
///
/// # Errors
///
/// `InvalidRequest`.
pub(crate) fn check_signing(incoming: &Incoming, payload: Payload) -> Result<(), S3Error> {
    if payload != Payload::Stream && incoming.signing.is_streaming() {
        return Err(
            Code::InvalidRequest.says("The value of x-amz-content-sha256 header is invalid.")
        );
    }
    Ok(())
}

/// Reads a small body whole and checks every digest declared of it; a refusal of one that AWS checks late waits until the
/// document is parsed.
///
/// # Errors
///
/// `MaxMessageLengthExceeded`, `XAmzContentSHA256Mismatch`, `BadDigest`, `InvalidDigest`, `InvalidRequest`.
pub(crate) async fn read_document(
    incoming: &mut Incoming,
    payload: Payload,
) -> Result<(), S3Error> {
    let declared = match payload {
        Payload::None | Payload::Stream | Payload::Form => return Ok(()),
        Payload::Document | Payload::LateDocument => Declared::parse(&incoming.request)?,
        Payload::Manifest => Declared {
            content_md5: checksums::parse_content_md5(&incoming.request)?,
            checksum: None,
        },
    };
    let mut verifier = PayloadVerifier::new(&incoming.signing, &incoming.request)?;
    let mut document = Vec::new();
    let mut scratch = Vec::new();
    let mut body = std::mem::take(&mut incoming.request.body);
    while let Some(piece) = body.next().await {
        document.extend_from_slice(verifier.update(&piece?, &mut scratch)?);
        scratch.clear();
        if document.len() > MAX_DOCUMENT_BYTES {
            return Err(
                Code::MaxMessageLengthExceeded.with("MaxMessageLengthBytes", MAX_DOCUMENT_BYTES)
            );
        }
    }
    let end = verifier.finish().map_err(S3Error::from);
    if payload == Payload::LateDocument {
        let checked = check_document_md5(&declared, &document)
            .and_then(|()| check_document(&declared, &end?, &document));
        incoming.late_refusal = checked.err();
    } else {
        let end = end?;
        check_document_md5(&declared, &document)?;
        check_document(&declared, &end, &document)?;
    }
    incoming.request.document = document.into();
    Ok(())
}

/// Unlike that of an object, the digest that was expected comes back as it was sent.
///
/// Source: answers recorded from AWS in March 2026.
fn check_document_md5(declared: &Declared, document: &[u8]) -> Result<(), S3Error> {
    let calculated = crate::crypto::digest::md5(document);
    match declared.content_md5 {
        Some(expected) if expected != calculated => Err(Code::BadDigest
            .with("CalculatedDigest", base64(&calculated))
            .with("ExpectedDigest", base64(&expected))),
        _ => Ok(()),
    }
}

fn check_document(declared: &Declared, end: &PayloadEnd, document: &[u8]) -> Result<(), S3Error> {
    let Some(checksum) = &declared.checksum else {
        return Ok(());
    };
    let mut hasher = Hasher::new(digest_of(checksum.algorithm));
    hasher.update(document);
    check_checksum(Some(checksum), Some(end), &base64(&hasher.finish()))
}
