//! The two ends of an object's encryption, as operations need them: begin to write one, and open a stored one.

use crate::crypto::data_key::DataKey;
use crate::crypto::layout::HEADER_BYTES;
use crate::crypto::segments::Opener;
use crate::keyring::s3_keys;
use crate::model::etag::ETag;
use crate::model::object::{BlobId, ObjectVersion};
use crate::model::sealing::Sealing;
use crate::s3::blob_plaintext::BlobPlaintext;
use crate::s3::context::Context;
use crate::s3::delivery::Plaintext;
use crate::s3::error::S3Error;
use crate::s3::headers::encryption;
use crate::s3::intake::Received;
use crate::s3::layers::{SealedBlob, SealedSource};
use crate::s3::target::ObjectAddress;
use crate::sse::body_keys::BodyKeys;
use crate::sse::choice::{self, Chosen, KmsRequest, Requested};
use crate::sse::customer_key::CustomerKey;
use crate::sse::error::SseError;
use crate::sse::layers::SealLayers;
use crate::sse::open;
use crate::sse::seal::{self, SealedObject};
use crate::store::open_body::{OpenBody, OpenParts};
use crate::store::staging::BlobWriter;

/// An object about to be written: how it is encrypted, and what its bytes go through.
#[derive(Debug)]
pub(crate) struct Write {
    /// As it will be stored.
    pub(crate) sealing: Sealing,
    /// Encrypts the body.
    pub(crate) sealer: SealLayers,
    /// Takes what the sealer gives.
    pub(crate) writer: BlobWriter,
    /// What its tag will be.
    pub(crate) etag: ETagRule,
    /// The encryption context as the request sent it, which the answer repeats.
    pub(crate) context: Option<String>,
}

/// What the tag of an object says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ETagRule {
    /// The MD5 of the plaintext: SSE-S3.
    Md5,
    /// Nothing: random digits, as AWS answers in every other mode.
    Random,
}

/// The encryption of an object about to be written, chosen and made.
#[derive(Debug)]
pub(crate) struct NewKeys {
    /// As it will be stored.
    pub(crate) sealing: Sealing,
    /// What its blobs are sealed under.
    pub(crate) keys: BodyKeys,
    /// The encryption context as the request sent it, which the answer repeats.
    pub(crate) context: Option<String>,
}

impl NewKeys {
    /// Decides how an object is encrypted (headers, else the bucket's default, else SSE-S3) and makes its keys.
    ///
    /// # Errors
    ///
    /// `KMS.NotFoundException` and its kin for a key that cannot be used, `AccessDenied` for one of another account;
    /// `InvalidArgument` where SSE-KMS must not come this way.
    pub(crate) async fn make(
        cx: &Context,
        object: &ObjectAddress,
        requested: Requested,
    ) -> Result<Self, S3Error> {
        let bucket = cx.bucket()?;
        let chosen = choice::choose(requested, &bucket.encryption);
        let mut context = None;
        if let Chosen::Kms(request) = &chosen {
            encryption::check_kms_access(cx.access)?;
            context.clone_from(&request.context.as_sent);
        }
        let asker = cx.asker(bucket.region(), s3_keys::GENERATE)?;
        let object = SealedObject {
            arn: &object.arn(),
            bucket_arn: &object.bucket.arn(),
            asker: &asker,
        };
        let (sealing, keys) = seal::new_keys(&chosen, &cx.keyring, &object).await?;
        Ok(Self {
            sealing,
            keys,
            context,
        })
    }
}

impl Write {
    /// Begins an object of one blob.
    ///
    /// # Errors
    ///
    /// As [`NewKeys::make`]; `InternalError` when no blob can be made.
    pub(crate) async fn begin(
        cx: &Context,
        object: &ObjectAddress,
        requested: Requested,
    ) -> Result<Self, S3Error> {
        let new = NewKeys::make(cx, object, requested).await?;
        let writer = cx.store.blob_writer();
        Ok(Self {
            etag: ETagRule::under(&new.sealing),
            sealer: new.keys.seal(writer.id(), &cx.entropy),
            sealing: new.sealing,
            writer,
            context: new.context,
        })
    }
}

impl ETagRule {
    /// What goes with an encryption.
    pub(crate) fn under(sealing: &Sealing) -> Self {
        match sealing {
            Sealing::SseS3 { .. } => Self::Md5,
            Sealing::SseKms(_) | Sealing::DsseKms { .. } | Sealing::SseC { .. } => Self::Random,
        }
    }

    /// Whether the MD5 has to be computed for it.
    pub(crate) fn wants_md5(self) -> bool {
        self == Self::Md5
    }

    /// The tag of a received body.
    pub(crate) fn of(self, received: &Received, cx: &Context) -> ETag {
        let digits = received.md5.filter(|_| self == Self::Md5);
        ETag::of_bytes(digits.unwrap_or_else(|| cx.entropy.bytes()))
    }
}

/// Opens a range of a stored object; `None` for all of it.
///
/// # Errors
///
/// `InvalidRequest` where a key is missing or not applicable, `AccessDenied` for the wrong key; KMS's refusals;
/// `InternalError` for a damaged blob.
pub(crate) async fn open_range(
    cx: &Context,
    object: &ObjectAddress,
    (version, body): (&ObjectVersion, OpenBody),
    customer_key: Option<&CustomerKey>,
    range: Option<(u64, u64)>,
) -> Result<Plaintext, S3Error> {
    let keys = open_keys(cx, object, &version.content.sealing, customer_key).await?;
    let size_bytes = version.content.size_bytes;
    match body {
        OpenBody::Blob(blob, reader) => {
            let blob = SealedBlob {
                id: blob.id,
                size_bytes,
                reader,
            };
            Ok(Plaintext::of_blob(open_blob(blob, &keys, range)?))
        }
        OpenBody::Parts(parts) => open_parts(&parts, keys, size_bytes, range),
    }
}

/// Opens a range that lies in one part or many.
fn open_parts(
    parts: &OpenParts,
    keys: BodyKeys,
    size_bytes: u64,
    range: Option<(u64, u64)>,
) -> Result<Plaintext, S3Error> {
    let (first, end) = range.map_or((0, size_bytes), |(first, last)| (first, last + 1));
    let wanted = match end.checked_sub(1).filter(|last| first <= *last) {
        Some(last) => parts.within((first, last))?,
        None => Vec::new(),
    };
    let blobs = wanted.into_iter().map(move |wanted| {
        let (start, stop) = (wanted.placed.start, wanted.placed.end());
        let (part, reader) = wanted.open()?;
        let blob = SealedBlob {
            id: part.blob.id,
            size_bytes: part.size_bytes,
            reader,
        };
        let (from, to) = (first.max(start) - start, end.min(stop) - start);
        open_blob(blob, &keys, to.checked_sub(1).map(|last| (from, last)))
    });
    Ok(Plaintext::of_blobs(Box::new(blobs), end - first))
}

/// The keys of a stored object, for which KMS is asked where it has them.
///
/// # Errors
///
/// As [`open_range`], but for the blob's.
pub(crate) async fn open_keys(
    cx: &Context,
    object: &ObjectAddress,
    sealing: &Sealing,
    customer_key: Option<&CustomerKey>,
) -> Result<BodyKeys, S3Error> {
    let mut region = "";
    if let Some(kms) = sealing.kms() {
        encryption::check_kms_access(cx.access)?;
        region = kms.region();
    }
    let asker = cx.asker(region, s3_keys::DECRYPT)?;
    let object = SealedObject {
        arn: &object.arn(),
        bucket_arn: &object.bucket.arn(),
        asker: &asker,
    };
    Ok(open::body_keys(sealing, customer_key, &cx.keyring, &object).await?)
}

/// Wraps the data key of a stored object of one layer anew, under a KMS key: what is to be stored in place of `sealing`.
/// Its blobs stay as they are.
///
/// # Errors
///
/// KMS's refusals: of the key that it is under, then of the one that it is to be under.
// AWS: unverified. What S3 asks of KMS for it, and in which order: all of Decrypt, Encrypt, GenerateDataKey and ReEncrypt
// have to be allowed, of which those for the key that it leaves are a reading of ours.
pub(crate) async fn wrap_again(
    cx: &Context,
    object: &ObjectAddress,
    sealing: &Sealing,
    target: &KmsRequest,
) -> Result<Sealing, S3Error> {
    let keys = open_keys(cx, object, sealing, None).await?;
    encryption::check_kms_access(cx.access)?;
    if let Some(kms) = sealing.kms() {
        let asker = cx.asker(kms.region(), s3_keys::DECRYPT)?;
        let left = (kms.key_arn.as_str(), &kms.context);
        let may_leave = cx.keyring.check_rights(&asker, left, s3_keys::LEAVING);
        may_leave.await.map_err(SseError::from)?;
    }
    let operation = if target.bucket_key == Some(true) {
        s3_keys::GENERATE
    } else {
        s3_keys::ENCRYPT
    };
    let asker = cx.asker(cx.bucket()?.region(), operation)?;
    let object = SealedObject {
        arn: &object.arn(),
        bucket_arn: &object.bucket.arn(),
        asker: &asker,
    };
    Ok(seal::wrap_again(&keys.inner, target, &cx.keyring, &object).await?)
}

/// Opens a range of a blob under the key of its one layer, or under those of its inner and its outer layer.
///
/// # Errors
///
/// `InternalError` for a damaged blob, and for a key that is not its own.
pub(crate) fn open_blob(
    blob: SealedBlob,
    keys: &BodyKeys,
    range: Option<(u64, u64)>,
) -> Result<BlobPlaintext, S3Error> {
    let id = blob.id;
    let mut sealed = SealedSource::of_blob(id, blob.reader);
    if let Some(key) = &keys.outer {
        let opener = open_layer(key, id, &mut sealed)?;
        sealed = sealed.under(opener);
    }
    let opener = open_layer(&keys.inner, id, &mut sealed)?;
    if opener.plaintext_bytes() != blob.size_bytes {
        return Err(S3Error::internal(format!(
            "blob `{id}` has another length than its row says"
        )));
    }
    let mut plaintext = BlobPlaintext::new(opener, sealed, range);
    if blob.size_bytes == 0 {
        plaintext.check_empty()?;
    }
    Ok(plaintext)
}

/// Begins the layer whose header stands at the front of what `sealed` gives.
fn open_layer(key: &DataKey, blob: BlobId, sealed: &mut SealedSource) -> Result<Opener, S3Error> {
    let mut header = [0; HEADER_BYTES];
    sealed.read_at(0, &mut header)?;
    open::opener(key, blob, &header, sealed.sealed_bytes()).map_err(|source| sealed.damaged(source))
}

/// Checks whether a read brings the key that it must bring, or rightly none; KMS is not asked.
///
/// # Errors
///
/// `InvalidRequest` where a key is missing or not applicable, `AccessDenied` for the wrong key.
pub(crate) fn check_customer(
    version: &ObjectVersion,
    customer_key: Option<&CustomerKey>,
) -> Result<(), S3Error> {
    Ok(open::check_customer(
        &version.content.sealing,
        customer_key,
    )?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;
    use crate::crypto::segments::{SEGMENT_BYTES, SealSeed, Sealer};
    use crate::s3::fixtures::{Shelf, cause, plaintext};

    /// Where a layer's segments end: 65,464 bytes of plaintext in the first, 65,504 in each of the others.
    const FIRST: usize = 65_464;
    const LATER: usize = 65_504;

    /// The keys of a body's layers.
    #[derive(Clone, Copy, Debug)]
    struct Keys {
        inner: u8,
        outer: Option<u8>,
    }

    const ONE: Keys = Keys {
        inner: 1,
        outer: None,
    };
    const TWO: Keys = Keys {
        inner: 1,
        outer: Some(2),
    };

    fn seal(keys: Keys, blob: BlobId, plain: &[u8]) -> Vec<u8> {
        let layer = |key: u8| {
            let seed = SealSeed {
                salt: [key + 10; 32],
                nonce_prefix: [key + 20; 7],
            };
            let id = blob.to_string();
            Sealer::new(
                &DataKey::new([key; 32]),
                id.as_bytes(),
                &seed,
                SEGMENT_BYTES,
            )
        };
        let mut layers = match keys.outer {
            None => SealLayers::one(layer(keys.inner)),
            Some(outer) => SealLayers::two(layer(keys.inner), layer(outer)),
        };
        let mut sealed = Vec::new();
        for piece in plain.chunks(50_000) {
            layers.update(piece, &mut sealed);
        }
        layers.finish(&mut sealed);
        sealed
    }

    fn open(keys: Keys, blob: SealedBlob, range: Option<(u64, u64)>) -> Result<Plaintext, S3Error> {
        let keys = BodyKeys {
            inner: DataKey::new([keys.inner; 32]),
            outer: keys.outer.map(|key| DataKey::new([key; 32])),
        };
        open_blob(blob, &keys, range).map(Plaintext::of_blob)
    }

    /// What comes out until the end or an error, and which of the two it was.
    fn read(opened: Result<Plaintext, S3Error>) -> (Vec<u8>, Result<(), S3Error>) {
        let mut plain = Vec::new();
        let pour = || {
            let mut opened = opened?;
            while let Some(bytes) = opened.read()? {
                plain.extend_from_slice(&bytes);
            }
            Ok(())
        };
        let end = pour();
        (plain, end)
    }

    /// Whether a body fails before the first byte of an answer.
    fn is_refused(shelf: &Shelf, keys: Keys, stored: SealedBlob) -> bool {
        open(keys, stored, None)
            .and_then(|opened| shelf.runtime.block_on(opened.into_body()))
            .is_err()
    }

    /// Lengths at which something begins or ends, any other, and those that lie in the catalogue.
    fn lengths() -> impl Strategy<Value = usize> {
        let border = (0_usize..4, 0_usize..5)
            .prop_map(|(segments, beside)| (FIRST + segments * LATER + beside).saturating_sub(2));
        prop_oneof![border, 1_usize..300_000, 1_usize..4_100]
    }

    fn few() -> ProptestConfig {
        ProptestConfig {
            cases: 48,
            ..ProptestConfig::default()
        }
    }

    #[test]
    fn a_body_of_any_length_opens_in_its_layers() {
        let shelf = Shelf::new();
        let borders = [FIRST - 40, FIRST, LATER, 65_536, FIRST + LATER, 12 * LATER];
        let lengths = borders.map(|border| border - 2..=border + 2);
        for length in [0, 1].into_iter().chain(lengths.into_iter().flatten()) {
            for keys in [ONE, TWO] {
                let plain = plaintext(length);

                let stored = shelf.keep(length, |blob| seal(keys, blob, &plain));
                let (opened, end) = read(open(keys, stored, None));

                assert!(end.is_ok());
                assert!(opened == plain, "{length} bytes in {keys:?}");
            }
        }
    }

    #[test]
    fn a_range_is_that_slice_of_the_whole() {
        let shelf = Shelf::new();
        proptest!(few(), |(length in lengths(), one: Index, other: Index, keys in select(&[ONE, TWO]))| {
            let plain = plaintext(length);
            let (one, other) = (one.index(length), other.index(length));
            let (first, last) = (one.min(other), one.max(other));
            let range = (u64::try_from(first).unwrap(), u64::try_from(last).unwrap());

            let stored = shelf.keep(length, |blob| seal(keys, blob, &plain));
            let (opened, end) = read(open(keys, stored, Some(range)));

            prop_assert!(end.is_ok());
            prop_assert!(opened == plain[first..=last]);
        });
    }

    #[test]
    fn a_flipped_bit_is_refused_and_gives_no_wrong_byte() {
        let shelf = Shelf::new();
        proptest!(few(), |(length in lengths(), at: Index, bit in 0_u32..8, keys in select(&[ONE, TWO]))| {
            let plain = plaintext(length);
            let stored = shelf.keep(length, |blob| {
                let mut sealed = seal(keys, blob, &plain);
                let at = at.index(sealed.len());
                sealed[at] ^= 1_u8 << bit;
                sealed
            });
            let id = stored.id.to_string();

            let (opened, end) = read(open(keys, stored, None));

            let error = end.unwrap_err();
            prop_assert!(cause(&error).contains(&id));
            prop_assert!(opened.len() < length && plain.starts_with(&opened));
        });
    }

    #[test]
    fn a_cut_or_a_moved_byte_is_refused_and_gives_no_wrong_byte() {
        let shelf = Shelf::new();
        let length = prop_oneof![Just(0), lengths()];
        proptest!(few(), |(length in length, from: Index, to: Option<Index>, keys in select(&[ONE, TWO]))| {
            let plain = plaintext(length);
            let mut changed = false;
            let stored = shelf.keep(length, |blob| {
                let sealed = seal(keys, blob, &plain);
                let mut other = sealed.clone();
                let from = from.index(sealed.len());
                match to {
                    None => other.truncate(from),
                    Some(to) => {
                        let byte = other.remove(from);
                        other.insert(to.index(sealed.len()), byte);
                    }
                }
                changed = other != sealed;
                other
            });
            prop_assume!(changed);

            let (opened, end) = read(open(keys, stored, None));

            prop_assert!(end.is_err());
            prop_assert!(opened.len() <= length && plain.starts_with(&opened));
        });
    }

    #[test]
    fn two_layers_open_with_no_other_keys() {
        let shelf = Shelf::new();
        let only_one = [(1, None), (2, None), (1, Some(1)), (2, Some(2))];
        let swapped_or_strange = [(2, Some(1)), (1, Some(3)), (3, Some(2))];
        for length in [0, 1, 100_000] {
            for (inner, outer) in only_one.into_iter().chain(swapped_or_strange) {
                let keys = Keys { inner, outer };

                let stored = shelf.keep(length, |blob| seal(TWO, blob, &plaintext(length)));

                assert!(
                    is_refused(&shelf, keys, stored),
                    "{length} bytes under {keys:?}"
                );
            }
        }
    }

    #[test]
    fn the_inner_key_alone_fails_the_check_where_the_length_would_fit() {
        let length = seal(ONE, BlobId([0; 16]), &plaintext(100_000)).len();
        let shelf = Shelf::new();

        let stored = shelf.keep(length, |blob| seal(TWO, blob, &plaintext(100_000)));

        assert!(is_refused(&shelf, ONE, stored));
    }

    #[test]
    fn a_body_does_not_pass_for_another_under_the_same_keys() {
        let shelf = Shelf::new();
        for keys in [ONE, TWO] {
            let stored = shelf.keep(9, |_| seal(keys, BlobId([0; 16]), &plaintext(9)));

            assert!(is_refused(&shelf, keys, stored));
        }
    }
}
