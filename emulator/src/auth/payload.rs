//! How a body is signed, and the proof of it while the body streams.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html> and `…-trailers.html`.

use std::fmt;

use zeroize::Zeroizing;

use crate::auth::error::{AuthError, Mismatch};
use crate::auth::sigv4;
use crate::crypto::digest::{Digest, Hasher, equal, sha256};
use crate::wire::aws_chunked::{ChunkError, ChunkParser, Piece};
use crate::wire::request::Request;

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const SIGNED_CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_CHUNKS_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_CHUNKS_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// What `x-amz-content-sha256` says.
#[derive(Clone, Debug)]
pub(crate) enum PayloadSigning {
    /// Nothing is proven of the body.
    Unsigned,
    /// Its SHA-256, in hex.
    Hash(String),
    /// It comes in chunks.
    Chunked {
        /// Whether a trailer follows them.
        has_trailer: bool,
        /// Whether they are signed.
        is_signed: bool,
        /// By which key; `None` where signatures are not verified.
        chain: Option<ChunkSigning>,
    },
}

/// What the signatures of chunks are made with: each signs the one before.
#[derive(Clone)]
pub(crate) struct ChunkSigning {
    pub(crate) key: Zeroizing<[u8; 32]>,
    pub(crate) access_key: String,
    pub(crate) date: String,
    pub(crate) scope: String,
    /// The signature of the request.
    pub(crate) seed: String,
}

/// Why a body is not what was signed.
#[derive(Debug)]
pub(crate) enum PayloadError {
    /// A body in chunks does not say how long it is.
    NoLength,
    /// Its SHA-256 is another one; both in hex, the client's first.
    Hash(String, String),
    /// The signature of a chunk or of the trailer is another one.
    Signature(Box<Mismatch>),
    /// It is no body of chunks.
    Chunk(ChunkError),
    /// It is shorter or longer than it said.
    Length,
}

impl PayloadSigning {
    /// Reads `x-amz-content-sha256`.
    ///
    /// # Errors
    ///
    /// [`AuthError::BadPayloadHash`].
    pub(super) fn parse(value: &str) -> Result<Self, AuthError> {
        let chunked = |is_signed, has_trailer| Self::Chunked {
            has_trailer,
            is_signed,
            chain: None,
        };
        Ok(match value {
            UNSIGNED | "" => Self::Unsigned,
            SIGNED_CHUNKS => chunked(true, false),
            SIGNED_CHUNKS_TRAILER => chunked(true, true),
            UNSIGNED_CHUNKS_TRAILER => chunked(false, true),
            hash if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Self::Hash(hash.to_ascii_lowercase())
            }
            other => return Err(AuthError::BadPayloadHash(other.to_owned())),
        })
    }

    /// The same, with the key that signs its chunks.
    pub(super) fn chained(self, signing: Option<ChunkSigning>) -> Self {
        match self {
            Self::Chunked {
                has_trailer,
                is_signed: true,
                ..
            } => Self::Chunked {
                has_trailer,
                is_signed: true,
                chain: signing,
            },
            other => other,
        }
    }

    /// Whether its chunks claim to be signed.
    pub(super) fn has_signed_chunks(&self) -> bool {
        matches!(
            self,
            Self::Chunked {
                is_signed: true,
                ..
            }
        )
    }

    /// Whether it is a form that only uploads take.
    pub(crate) fn is_streaming(&self) -> bool {
        matches!(self, Self::Chunked { .. })
    }
}

/// Takes a body as it came and gives the plain bytes, proven by the end.
#[derive(Debug)]
pub(crate) struct PayloadVerifier(Form);

#[derive(Debug)]
enum Form {
    Plain,
    Hash {
        expected: String,
        hasher: Box<Hasher>,
    },
    Chunked(Box<Chunks>),
}

#[derive(Debug)]
struct Chunks {
    parser: ChunkParser,
    proof: Option<Proof>,
    declared_bytes: u64,
    seen_bytes: u64,
    /// What `x-amz-trailer` names; `None` where no trailer may come.
    announced: Option<Vec<String>>,
    trailers: Vec<(String, String)>,
}

/// The chain of signatures, as far as it is proven.
#[derive(Debug)]
struct Proof {
    signing: ChunkSigning,
    previous: String,
    hasher: Hasher,
    claimed: String,
}

/// What the end of a body told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PayloadEnd {
    trailers: Vec<(String, String)>,
}

impl PayloadEnd {
    /// A header of the trailer, by its name in lower case.
    pub(crate) fn trailer(&self, name: &str) -> Option<&str> {
        self.trailers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl PayloadVerifier {
    /// For the body of a request.
    ///
    /// # Errors
    ///
    /// [`PayloadError::NoLength`] for chunks without `x-amz-decoded-content-length`.
    pub(crate) fn new(signing: &PayloadSigning, request: &Request) -> Result<Self, PayloadError> {
        let form = match signing {
            PayloadSigning::Unsigned => Form::Plain,
            PayloadSigning::Hash(expected) => Form::Hash {
                expected: expected.clone(),
                hasher: Box::new(Hasher::new(Digest::Sha256)),
            },
            PayloadSigning::Chunked {
                has_trailer, chain, ..
            } => {
                let declared = request
                    .header("x-amz-decoded-content-length")
                    .and_then(|length| length.parse().ok());
                Form::Chunked(Box::new(Chunks {
                    parser: ChunkParser::new(*has_trailer),
                    proof: chain.clone().map(Proof::new),
                    declared_bytes: declared.ok_or(PayloadError::NoLength)?,
                    seen_bytes: 0,
                    announced: has_trailer.then(|| announced(request)),
                    trailers: Vec::new(),
                }))
            }
        };
        Ok(Self(form))
    }

    /// For a body of which nothing is proven.
    pub(crate) fn of_unsigned() -> Self {
        Self(Form::Plain)
    }

    /// Whether the body comes in chunks, so that what arrives is not what it says.
    pub(crate) fn is_chunked(&self) -> bool {
        matches!(self.0, Form::Chunked(_))
    }

    /// The length of the plain body in bytes, where chunks hide it.
    pub(crate) fn decoded_length_bytes(&self) -> Option<u64> {
        match &self.0 {
            Form::Chunked(chunks) => Some(chunks.declared_bytes),
            Form::Plain | Form::Hash { .. } => None,
        }
    }

    /// Takes the next bytes and gives the plain ones: the same where there are no chunks, else in `scratch`, which is
    /// cleared first.
    ///
    /// # Errors
    ///
    /// [`PayloadError`].
    pub(crate) fn update<'b>(
        &mut self,
        piece: &'b [u8],
        scratch: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], PayloadError> {
        match &mut self.0 {
            Form::Plain => Ok(piece),
            Form::Hash { hasher, .. } => {
                hasher.update(piece);
                Ok(piece)
            }
            Form::Chunked(chunks) => {
                scratch.clear();
                chunks.update(piece, scratch)?;
                Ok(scratch)
            }
        }
    }

    /// Proves the whole.
    ///
    /// # Errors
    ///
    /// [`PayloadError`].
    pub(crate) fn finish(self) -> Result<PayloadEnd, PayloadError> {
        match self.0 {
            Form::Plain => Ok(PayloadEnd::default()),
            Form::Hash { expected, hasher } => {
                let computed = hex::encode(hasher.finish());
                if computed == expected {
                    Ok(PayloadEnd::default())
                } else {
                    Err(PayloadError::Hash(expected, computed))
                }
            }
            Form::Chunked(chunks) => chunks.finish(),
        }
    }
}

/// The names in `x-amz-trailer`, in lower case.
fn announced(request: &Request) -> Vec<String> {
    let names = request
        .header("x-amz-trailer")
        .unwrap_or_default()
        .split(',');
    names
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

impl Chunks {
    fn update(&mut self, piece: &[u8], plain: &mut Vec<u8>) -> Result<(), PayloadError> {
        let Self {
            parser,
            proof,
            declared_bytes,
            seen_bytes,
            trailers,
            ..
        } = self;
        parser.push(piece, |piece| {
            match piece {
                Piece::Head { signature, .. } => {
                    if let Some(proof) = proof {
                        proof.begin(signature)?;
                    }
                }
                Piece::Data(data) => {
                    *seen_bytes += u64::try_from(data.len()).map_err(|_| PayloadError::Length)?;
                    if *seen_bytes > *declared_bytes {
                        return Err(PayloadError::Length);
                    }
                    if let Some(proof) = proof {
                        proof.hasher.update(data);
                    }
                    plain.extend_from_slice(data);
                }
                Piece::End => {
                    if let Some(proof) = proof {
                        proof.end()?;
                    }
                }
                Piece::Trailer { name, value } => trailers.push((name, value)),
            }
            Ok(())
        })
    }

    fn finish(mut self) -> Result<PayloadEnd, PayloadError> {
        self.parser.finish()?;
        if self.seen_bytes != self.declared_bytes {
            return Err(PayloadError::Length);
        }
        let position = self
            .trailers
            .iter()
            .position(|(name, _)| name == TRAILER_SIGNATURE);
        let signature = position.map(|position| self.trailers.remove(position).1);
        if let (Some(proof), Some(_)) = (&self.proof, &self.announced) {
            let signature = signature.ok_or(ChunkError::Incomplete)?;
            proof.check_trailer(&self.trailers, &signature)?;
        }
        self.check_announced()?;
        Ok(PayloadEnd {
            trailers: self.trailers,
        })
    }

    /// What was announced must come, or a checksum could be left out on the way.
    fn check_announced(&self) -> Result<(), ChunkError> {
        let Some(announced) = &self.announced else {
            return Ok(());
        };
        let mut announced: Vec<_> = announced.iter().collect();
        let mut sent: Vec<_> = self.trailers.iter().map(|(name, _)| name).collect();
        announced.sort_unstable();
        sent.sort_unstable();
        if announced == sent {
            Ok(())
        } else {
            Err(ChunkError::MalformedTrailer)
        }
    }
}

impl Proof {
    fn new(signing: ChunkSigning) -> Self {
        let previous = signing.seed.clone();
        Self {
            signing,
            previous,
            hasher: Hasher::new(Digest::Sha256),
            claimed: String::new(),
        }
    }

    fn begin(&mut self, signature: Option<String>) -> Result<(), PayloadError> {
        self.claimed = signature.ok_or(ChunkError::Malformed)?;
        self.hasher = Hasher::new(Digest::Sha256);
        Ok(())
    }

    fn end(&mut self) -> Result<(), PayloadError> {
        let digest = hex::encode(self.hasher.clone().finish());
        let string = format!(
            "{}\n{}\n{digest}",
            self.head("PAYLOAD"),
            hex::encode(sha256(b""))
        );
        self.check(string, &self.claimed)?;
        self.previous = std::mem::take(&mut self.claimed);
        Ok(())
    }

    fn check_trailer(
        &self,
        trailers: &[(String, String)],
        signature: &str,
    ) -> Result<(), PayloadError> {
        let lines = trailers
            .iter()
            .flat_map(|(name, value)| [name, ":", value, "\n"]);
        let headers: String = lines.collect();
        let string = format!(
            "{}\n{}",
            self.head("TRAILER"),
            hex::encode(sha256(headers.as_bytes()))
        );
        self.check(string, signature)
    }

    fn head(&self, what: &str) -> String {
        format!(
            "{}-{what}\n{}\n{}\n{}",
            sigv4::ALGORITHM,
            self.signing.date,
            self.signing.scope,
            self.previous
        )
    }

    fn check(&self, string_to_sign: String, signature: &str) -> Result<(), PayloadError> {
        let ours = sigv4::sign(&self.signing.key, &string_to_sign);
        if equal(ours.as_bytes(), signature.as_bytes()) {
            return Ok(());
        }
        Err(PayloadError::Signature(Box::new(Mismatch {
            access_key: self.signing.access_key.clone(),
            string_to_sign,
            signature: signature.to_owned(),
            canonical_request: None,
        })))
    }
}

impl From<ChunkError> for PayloadError {
    fn from(source: ChunkError) -> Self {
        Self::Chunk(source)
    }
}

impl fmt::Debug for ChunkSigning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkSigning")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLength => f.write_str("the length of the decoded body is missing"),
            Self::Hash(..) => f.write_str("the body has another SHA-256"),
            Self::Signature(_) => f.write_str("a chunk has another signature"),
            Self::Chunk(source) => source.fmt(f),
            Self::Length => f.write_str("the body is shorter or longer than it said"),
        }
    }
}

impl std::error::Error for PayloadError {}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};
    use proptest::prelude::*;

    use super::*;
    use crate::auth::sigv4::Credential;

    /// The example of <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>: 65 KiB and 1 KiB of `a`.
    const SIGNATURES: [&str; 3] = [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ];

    fn example() -> PayloadSigning {
        let credential =
            Credential::parse("AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request").unwrap();
        PayloadSigning::parse(SIGNED_CHUNKS)
            .unwrap()
            .chained(Some(ChunkSigning {
                key: credential.signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                access_key: credential.access_key.clone(),
                date: "20130524T000000Z".to_owned(),
                scope: credential.scope(),
                seed: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9".to_owned(),
            }))
    }

    fn body() -> Vec<u8> {
        let mut body = Vec::new();
        for (length, signature) in [65_536, 1_024, 0].into_iter().zip(SIGNATURES) {
            body.extend_from_slice(
                format!("{length:x};chunk-signature={signature}\r\n").as_bytes(),
            );
            body.extend_from_slice(&vec![b'a'; length]);
            body.extend_from_slice(b"\r\n");
        }
        body
    }

    fn verify(
        signing: &PayloadSigning,
        length: &'static str,
        pieces: &[&[u8]],
    ) -> Result<Vec<u8>, PayloadError> {
        let mut request = Request::new(Method::PUT, "/examplebucket/chunkObject.txt", "");
        request.headers.insert(
            "x-amz-decoded-content-length",
            HeaderValue::from_static(length),
        );
        let mut verifier = PayloadVerifier::new(signing, &request)?;
        let (mut plain, mut scratch) = (Vec::new(), Vec::new());
        for piece in pieces {
            plain.extend_from_slice(verifier.update(piece, &mut scratch)?);
        }
        verifier.finish().map(|_| plain)
    }

    #[test]
    fn awss_example_is_proven() {
        assert_eq!(
            verify(&example(), "66560", &[&body()]).unwrap(),
            vec![b'a'; 66_560]
        );
    }

    #[test]
    fn the_declared_length_is_exact() {
        assert!(matches!(
            verify(&example(), "66559", &[&body()]),
            Err(PayloadError::Length)
        ));
        assert!(matches!(
            verify(&example(), "66561", &[&body()]),
            Err(PayloadError::Length)
        ));
        assert!(matches!(
            verify(&example(), "x", &[]),
            Err(PayloadError::NoLength)
        ));
    }

    #[test]
    fn a_hash_is_checked_at_the_end() {
        let good = PayloadSigning::parse(&hex::encode(sha256(b"abc"))).unwrap();

        assert_eq!(verify(&good, "3", &[b"a", b"bc"]).unwrap(), b"abc");
        assert!(matches!(
            verify(&good, "3", &[b"abd"]),
            Err(PayloadError::Hash(..))
        ));
        assert!(PayloadSigning::parse("nonsense").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_changed_byte_is_refused(position: prop::sample::Index, cut: prop::sample::Index) {
            let mut body = body();
            let position = position.index(body.len() - 2);
            body[position] ^= 1;
            let (one, other) = body.split_at(cut.index(body.len()));

            prop_assert!(verify(&example(), "66560", &[one, other]).is_err());
        }
    }
}
