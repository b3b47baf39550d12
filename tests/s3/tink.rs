//! Opens what lies in the store with none of the server's code: Tink's two constructions, written once more.
//!
//! Source: <https://developers.google.com/tink/streaming-aead/aes_ctr_hmac_streaming>, <https://developers.google.com/tink/aead>

use std::collections::BTreeMap;

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const SEGMENT_BYTES: usize = 65_536;
const TAG_BYTES: usize = 32;
const HEADER_BYTES: usize = 40;

/// Opens a body; its blob's id is the associated data. `None` where a tag does not fit.
pub(crate) fn open_body(key: &[u8], blob_id: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (salt, prefix) = (&sealed[1..33], &sealed[33..HEADER_BYTES]);
    let keys = derive(Some(salt), key, blob_id.as_bytes());
    let mut plain = Vec::new();
    let mut segments = sealed.chunks(SEGMENT_BYTES).enumerate().peekable();
    while let Some((index, segment)) = segments.next() {
        let skipped = if index == 0 { HEADER_BYTES } else { 0 };
        let (ciphertext, tag) = segment[skipped..].split_at(segment.len() - skipped - TAG_BYTES);
        let mut nonce = [0; 16];
        nonce[..7].copy_from_slice(prefix);
        nonce[7..11].copy_from_slice(&u32::try_from(index).unwrap().to_be_bytes());
        nonce[11] = u8::from(segments.peek().is_none());
        if mac(&keys.1, &[&nonce, ciphertext]) != tag {
            return None;
        }
        plain.extend(decipher(&keys.0, &nonce, ciphertext));
    }
    Some(plain)
}

/// Opens a wrapped key; the context as sorted JSON is the associated data. `None` where the tag does not fit.
pub(crate) fn open_key(
    key: &[u8],
    context: &BTreeMap<String, String>,
    wrapped: &[u8],
) -> Option<Vec<u8>> {
    let keys = derive(None, key, b"strongroom/aead/1");
    let (body, tag) = wrapped.split_at(wrapped.len() - TAG_BYTES);
    let pairs = context
        .iter()
        .map(|(name, value)| format!("\"{name}\":\"{value}\""));
    let json = format!("{{{}}}", pairs.collect::<Vec<_>>().join(","));
    let bits = 8 * u64::try_from(json.len()).unwrap();
    if mac(&keys.1, &[json.as_bytes(), body, &bits.to_be_bytes()]) != tag {
        return None;
    }
    let (iv, ciphertext) = body.split_first_chunk()?;
    Some(decipher(&keys.0, iv, ciphertext))
}

/// The key of the cipher and the key of the tags.
fn derive(salt: Option<&[u8]>, key: &[u8], info: &[u8]) -> ([u8; 32], [u8; 32]) {
    let mut okm = [0; 64];
    Hkdf::<Sha256>::new(salt, key)
        .expand(info, &mut okm)
        .unwrap();
    let (aes, hmac) = okm.split_at(32);
    (aes.try_into().unwrap(), hmac.try_into().unwrap())
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn decipher(key: &[u8; 32], nonce: &[u8; 16], ciphertext: &[u8]) -> Vec<u8> {
    let mut plain = ciphertext.to_vec();
    Ctr128BE::<Aes256>::new(key.into(), nonce.into()).apply_keystream(&mut plain);
    plain
}
