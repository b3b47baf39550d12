//! Tink's AES-CTR-HMAC streaming AEAD: seals bodies in segments, each with a tag of its own.
//!
//! Any segment opens alone, so that a range costs its segments; a flipped bit, a cut or a swapped segment is an error
//! before any of that segment's plaintext leaves. The header fills a part of the first segment.
//!
//! Source: <https://developers.google.com/tink/streaming-aead/aes_ctr_hmac_streaming>;
//! `fixtures/vectors/tink-aes-ctr-hmac-streaming.json`.

use std::fmt;
use std::ops::Range;

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{InnerIvInit, StreamCipher, StreamCipherCoreWrapper};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::crypto::data_key::DataKey;
use crate::crypto::digest::equal;
use crate::crypto::error::CryptoError;
use crate::crypto::layout::{HEADER_BYTES, Layout, PREFIX_BYTES, SALT_BYTES, TAG_BYTES, widen};

/// The size of a sealed segment, in bytes.
pub(crate) const SEGMENT_BYTES: usize = 65_536;

/// What a sealing draws at random.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealSeed {
    /// Goes into the derivation of the keys.
    pub(crate) salt: [u8; SALT_BYTES],
    /// Begins every nonce.
    pub(crate) nonce_prefix: [u8; PREFIX_BYTES],
}

/// The keys of one body: scheduled once, used for every segment.
struct Keys {
    aes: Aes256,
    hmac: Hmac<Sha256>,
    nonce_prefix: [u8; PREFIX_BYTES],
}

impl Keys {
    fn derive(key: &DataKey, seed: &SealSeed, associated_data: &[u8]) -> Self {
        let mut okm = Zeroizing::new([0_u8; 64]);
        Hkdf::<Sha256>::new(Some(&seed.salt), key.bytes())
            .expand(associated_data, okm.as_mut())
            .expect("64 bytes are within HKDF's bound");
        let (aes, hmac) = okm.split_at(32);
        Self {
            aes: Aes256::new_from_slice(aes).expect("32 bytes are an AES-256 key"),
            hmac: Hmac::new_from_slice(hmac).expect("HMAC takes a key of any length"),
            nonce_prefix: seed.nonce_prefix,
        }
    }

    fn nonce(&self, index: u32, is_last: bool) -> [u8; 16] {
        let mut nonce = [0; 16];
        nonce[..PREFIX_BYTES].copy_from_slice(&self.nonce_prefix);
        nonce[PREFIX_BYTES..PREFIX_BYTES + 4].copy_from_slice(&index.to_be_bytes());
        nonce[PREFIX_BYTES + 4] = u8::from(is_last);
        nonce
    }

    fn apply_keystream(&self, nonce: [u8; 16], bytes: &mut [u8]) {
        let core = ctr::CtrCore::inner_iv_init(self.aes.clone(), &nonce.into());
        let mut cipher: Ctr128BE<Aes256> = StreamCipherCoreWrapper::from_core(core);
        cipher.apply_keystream(bytes);
    }

    fn tag(&self, nonce: [u8; 16], ciphertext: &[u8]) -> [u8; TAG_BYTES] {
        let mut mac = self.hmac.clone();
        mac.update(&nonce);
        mac.update(ciphertext);
        mac.finalize().into_bytes().into()
    }
}

/// Seals a body while it comes.
pub(crate) struct Sealer {
    keys: Keys,
    layout: Layout,
    header: Option<[u8; HEADER_BYTES]>,
    index: u32,
    /// Plaintext that may be the last segment's.
    pending: Zeroizing<Vec<u8>>,
}

impl Sealer {
    /// Begins. A `seed` must never serve twice under the same key.
    pub(crate) fn new(
        key: &DataKey,
        associated_data: &[u8],
        seed: &SealSeed,
        segment_bytes: usize,
    ) -> Self {
        let mut header = [0; HEADER_BYTES];
        header[0] = u8::try_from(HEADER_BYTES).expect("40 fits in a byte");
        header[1..=SALT_BYTES].copy_from_slice(&seed.salt);
        header[1 + SALT_BYTES..].copy_from_slice(&seed.nonce_prefix);
        Self {
            keys: Keys::derive(key, seed, associated_data),
            layout: Layout::of(segment_bytes),
            header: Some(header),
            index: 0,
            pending: Zeroizing::new(Vec::new()),
        }
    }

    /// Takes plaintext and appends what can be sealed of it to `sealed`. A full segment is kept back until more comes, as
    /// only then it is known not to be the last.
    pub(crate) fn update(&mut self, mut plaintext: &[u8], sealed: &mut Vec<u8>) {
        while !plaintext.is_empty() {
            let full = usize::try_from(self.layout.plaintext_of(self.index)).unwrap_or(usize::MAX);
            if self.pending.is_empty() && plaintext.len() > full {
                let (segment, rest) = plaintext.split_at(full);
                self.seal_segment(segment, false, sealed);
                plaintext = rest;
                continue;
            }
            if self.pending.len() == full {
                let segment = std::mem::take(&mut *self.pending);
                self.seal_segment(&segment, false, sealed);
                self.pending = Zeroizing::new(segment);
                self.pending.clear();
                continue;
            }
            let (taken, rest) = plaintext.split_at(plaintext.len().min(full - self.pending.len()));
            self.pending.extend_from_slice(taken);
            plaintext = rest;
        }
    }

    /// Appends the last segment.
    pub(crate) fn finish(mut self, sealed: &mut Vec<u8>) {
        let last = std::mem::take(&mut self.pending);
        self.seal_segment(&last, true, sealed);
    }

    fn seal_segment(&mut self, plaintext: &[u8], is_last: bool, sealed: &mut Vec<u8>) {
        if let Some(header) = self.header.take() {
            sealed.extend_from_slice(&header);
        }
        let nonce = self.keys.nonce(self.index, is_last);
        let start = sealed.len();
        sealed.extend_from_slice(plaintext);
        self.keys.apply_keystream(nonce, &mut sealed[start..]);
        let tag = self.keys.tag(nonce, &sealed[start..]);
        sealed.extend_from_slice(&tag);
        self.index += 1;
    }
}

/// Opens a sealed body, segment by segment, in any order.
pub(crate) struct Opener {
    keys: Keys,
    layout: Layout,
    plaintext_bytes: u64,
    last: u32,
}

impl Opener {
    /// Reads the header of a body that is `sealed_bytes` long in all.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadHeader`], [`CryptoError::BadLength`].
    pub(crate) fn new(
        key: &DataKey,
        associated_data: &[u8],
        header: &[u8; HEADER_BYTES],
        sealed_bytes: u64,
        segment_bytes: usize,
    ) -> Result<Self, CryptoError> {
        let mut seed = SealSeed {
            salt: [0; SALT_BYTES],
            nonce_prefix: [0; PREFIX_BYTES],
        };
        if usize::from(header[0]) != HEADER_BYTES {
            return Err(CryptoError::BadHeader);
        }
        seed.salt.copy_from_slice(&header[1..=SALT_BYTES]);
        seed.nonce_prefix.copy_from_slice(&header[1 + SALT_BYTES..]);
        let layout = Layout::of(segment_bytes);
        let plaintext_bytes = layout
            .plaintext_bytes(sealed_bytes)
            .ok_or(CryptoError::BadLength)?;
        let last = layout.last(plaintext_bytes);
        Ok(Self {
            keys: Keys::derive(key, &seed, associated_data),
            layout,
            plaintext_bytes,
            last,
        })
    }

    /// Length of the plaintext in bytes.
    pub(crate) fn plaintext_bytes(&self) -> u64 {
        self.plaintext_bytes
    }

    /// The segment that holds a plaintext offset.
    pub(crate) fn segment_of(&self, offset: u64) -> u32 {
        self.layout.segment_of(offset)
    }

    /// Where a segment lies in the sealed body, its tag included and the header left out.
    pub(crate) fn sealed_range(&self, index: u32) -> Range<u64> {
        self.layout.sealed_range(index, self.plaintext_bytes)
    }

    /// The plaintext offsets of a segment.
    pub(crate) fn plaintext_range(&self, index: u32) -> Range<u64> {
        self.layout.plaintext_range(index, self.plaintext_bytes)
    }

    /// Opens a segment in place, after its tag was checked.
    ///
    /// # Errors
    ///
    /// [`CryptoError::TagMismatch`]; [`CryptoError::BadLength`] for bytes that are no whole segment.
    pub(crate) fn open_segment<'s>(
        &self,
        index: u32,
        sealed: &'s mut [u8],
    ) -> Result<&'s [u8], CryptoError> {
        let range = self.sealed_range(index);
        if widen(sealed.len()) != range.end - range.start || index > self.last {
            return Err(CryptoError::BadLength);
        }
        let (ciphertext, tag) = sealed.split_at_mut(sealed.len() - TAG_BYTES);
        let nonce = self.keys.nonce(index, index == self.last);
        if !equal(&self.keys.tag(nonce, ciphertext), tag) {
            return Err(CryptoError::TagMismatch);
        }
        self.keys.apply_keystream(nonce, ciphertext);
        Ok(ciphertext)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener")
            .field("plaintext_bytes", &self.plaintext_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::crypto::digest::sha256;

    const VECTORS: &str =
        include_str!("../../../fixtures/vectors/tink-aes-ctr-hmac-streaming.json");

    fn bytes(value: &Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap()).unwrap()
    }

    fn plaintext(length: usize) -> Vec<u8> {
        (0..length)
            .map(|index| u8::try_from(index % 251).unwrap())
            .collect()
    }

    fn seal(
        key: &DataKey,
        context: &[u8],
        seed: &SealSeed,
        segment: usize,
        pieces: &[&[u8]],
    ) -> Vec<u8> {
        let mut sealer = Sealer::new(key, context, seed, segment);
        let mut out = Vec::new();
        for piece in pieces {
            sealer.update(piece, &mut out);
        }
        sealer.finish(&mut out);
        out
    }

    fn open(
        key: &DataKey,
        context: &[u8],
        sealed: &[u8],
        segment: usize,
    ) -> Result<Vec<u8>, CryptoError> {
        let header = sealed.first_chunk().ok_or(CryptoError::BadLength)?;
        let opener = Opener::new(key, context, header, widen(sealed.len()), segment)?;
        open_range(&opener, sealed, 0..opener.plaintext_bytes())
    }

    fn open_range(
        opener: &Opener,
        sealed: &[u8],
        range: Range<u64>,
    ) -> Result<Vec<u8>, CryptoError> {
        let index = |offset: u64| usize::try_from(offset).unwrap();
        let mut plain = Vec::new();
        let last = opener.segment_of(range.end.saturating_sub(1));
        for segment in opener.segment_of(range.start)..=last {
            let place = opener.sealed_range(segment);
            let mut piece = sealed[index(place.start)..index(place.end)].to_vec();
            let whole = opener.plaintext_range(segment);
            let text = opener.open_segment(segment, &mut piece)?;
            let (start, end) = (
                range.start.max(whole.start),
                range.end.min(whole.end).max(range.start.max(whole.start)),
            );
            plain.extend_from_slice(&text[index(start - whole.start)..index(end - whole.start)]);
        }
        Ok(plain)
    }

    #[test]
    fn tinks_vectors_are_sealed_and_opened() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let key = DataKey::new(bytes(&vectors["key"]).try_into().unwrap());
        let valid = vectors["valid"].as_array().unwrap();
        assert!(valid.len() >= 10);
        for vector in valid {
            let segment =
                usize::try_from(vector["ciphertext_segment_size"].as_u64().unwrap()).unwrap();
            let plain =
                plaintext(usize::try_from(vector["plaintext_length"].as_u64().unwrap()).unwrap());
            let seed = SealSeed {
                salt: bytes(&vector["salt"]).try_into().unwrap(),
                nonce_prefix: bytes(&vector["nonce_prefix"]).try_into().unwrap(),
            };
            let context = bytes(&vector["associated_data"]);

            let sealed = seal(&key, &context, &seed, segment, &[&plain]);

            assert_eq!(
                hex::encode(sha256(&sealed)),
                vector["ciphertext_sha256"].as_str().unwrap()
            );
            assert_eq!(open(&key, &context, &sealed, segment).unwrap(), plain);
        }
    }

    #[test]
    fn what_tink_refuses_is_refused() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let key = DataKey::new(bytes(&vectors["key"]).try_into().unwrap());
        let invalid = vectors["invalid"].as_array().unwrap();
        assert!(!invalid.is_empty());
        for vector in invalid {
            let segment =
                usize::try_from(vector["ciphertext_segment_size"].as_u64().unwrap()).unwrap();
            let opened = open(
                &key,
                &bytes(&vector["associated_data"]),
                &bytes(&vector["ciphertext"]),
                segment,
            );
            assert!(opened.is_err(), "{vector}");
        }
    }

    const SEED: SealSeed = SealSeed {
        salt: [3; SALT_BYTES],
        nonce_prefix: [4; PREFIX_BYTES],
    };

    proptest! {
        #[test]
        fn pieces_seal_as_the_whole(length in 0_usize..2_000, cuts in prop::collection::vec(0_usize..300, 0..20)) {
            let key = DataKey::new([9; 32]);
            let plain = plaintext(length);
            let mut pieces = Vec::new();
            let mut rest = &plain[..];
            for cut in cuts {
                let (piece, tail) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = tail;
            }
            pieces.push(rest);

            let sealed = seal(&key, b"blob", &SEED, 256, &pieces);

            prop_assert_eq!(&sealed, &seal(&key, b"blob", &SEED, 256, &[&plain]));
            prop_assert_eq!(open(&key, b"blob", &sealed, 256).unwrap(), plain);
        }

        #[test]
        fn a_range_is_that_slice_of_the_whole(length in 1_usize..2_000, one: prop::sample::Index, other: prop::sample::Index) {
            let key = DataKey::new([9; 32]);
            let plain = plaintext(length);
            let sealed = seal(&key, b"blob", &SEED, 256, &[&plain]);
            let (one, other) = (one.index(length), other.index(length));
            let (first, last) = (one.min(other), one.max(other));
            let opener = Opener::new(&key, b"blob", sealed.first_chunk().unwrap(), widen(sealed.len()), 256).unwrap();

            let slice = open_range(&opener, &sealed, widen(first)..widen(last + 1)).unwrap();

            prop_assert_eq!(&slice, &plain[first..=last]);
        }

        #[test]
        fn a_flipped_bit_is_refused(length in 0_usize..2_000, position: prop::sample::Index, bit in 0_u32..8) {
            let key = DataKey::new([9; 32]);
            let mut sealed = seal(&key, b"blob", &SEED, 256, &[&plaintext(length)]);
            let position = position.index(sealed.len());
            sealed[position] ^= 1_u8 << bit;

            prop_assert!(open(&key, b"blob", &sealed, 256).is_err());
        }

        #[test]
        fn a_cut_is_refused(length in 0_usize..2_000, kept: prop::sample::Index) {
            let key = DataKey::new([9; 32]);
            let sealed = seal(&key, b"blob", &SEED, 256, &[&plaintext(length)]);
            let kept = kept.index(sealed.len());

            prop_assert!(open(&key, b"blob", &sealed[..kept], 256).is_err());
        }
    }
}
