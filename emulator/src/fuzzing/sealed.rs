//! What was sealed, and then altered: it opens as what it was, or not at all.

use http::StatusCode;
use serde_json::{Value, json};

use crate::crypto::data_key::DataKey;
use crate::crypto::layout::HEADER_BYTES;
use crate::crypto::segments::{Opener, SealSeed, Sealer};
use crate::fuzzing::house::{SECRET, within};
use crate::wire::encoding::base64;

/// Small segments, so that a small body has several.
const SEGMENT_BYTES: usize = 256;
const PLAINTEXT_BYTES: usize = 700;
const ASSOCIATED_DATA: &[u8] = b"00112233445566778899aabbccddeeff";

/// A ciphertext that is not the one KMS made decrypts to nothing.
pub(super) fn kms_blob(bytes: &[u8]) {
    within(|house| {
        let blob = match bytes.split_first() {
            Some((b'=', raw)) => raw.to_vec(),
            _ => edited(&house.blob, bytes),
        };
        let call = json!({ "CiphertextBlob": base64(&blob) });
        let (status, answer) = house.call("Decrypt", call.to_string());

        assert_eq!(status == StatusCode::OK, blob == house.blob, "{blob:?}");
        if status == StatusCode::OK {
            let answer: Value = serde_json::from_slice(&answer).expect("KMS answers in JSON");
            assert_eq!(answer["Plaintext"], base64(SECRET));
        }
    });
}

/// Segments of an altered body open as what they were; where anything was altered, not all of them open.
pub(super) fn body(bytes: &[u8]) {
    let key = DataKey::new([7; 32]);
    let plaintext: Vec<u8> = (0..=u8::MAX).cycle().take(PLAINTEXT_BYTES).collect();
    let sealed = seal(&key, &plaintext);
    let altered = edited(&sealed, bytes);

    let opened = open(&key, &altered, &plaintext);

    assert_eq!(opened.is_some(), altered == sealed, "{bytes:?}");
}

fn seal(key: &DataKey, plaintext: &[u8]) -> Vec<u8> {
    let seed = SealSeed {
        salt: [1; 32],
        nonce_prefix: [2; 7],
    };
    let mut sealer = Sealer::new(key, ASSOCIATED_DATA, &seed, SEGMENT_BYTES);
    let mut body = Vec::new();
    sealer.update(plaintext, &mut body);
    sealer.finish(&mut body);
    body
}

/// `None` where a part of it does not open.
fn open(key: &DataKey, sealed: &[u8], plaintext: &[u8]) -> Option<()> {
    let header = sealed.first_chunk::<HEADER_BYTES>()?;
    let size = u64::try_from(sealed.len()).ok()?;
    let opener = Opener::new(key, ASSOCIATED_DATA, header, size, SEGMENT_BYTES).ok()?;
    let last = opener.segment_of(opener.plaintext_bytes().saturating_sub(1));
    let (mut all, mut end) = (Some(()), 0);
    for index in 0..=last {
        let range = opener.sealed_range(index);
        let mut segment = slice(sealed, range.start, range.end)?.to_vec();
        let Ok(plain) = opener.open_segment(index, &mut segment) else {
            all = None;
            continue;
        };
        let range = opener.plaintext_range(index);
        assert_eq!(slice(plaintext, range.start, range.end), Some(plain));
        end = range.end;
    }
    all.filter(|()| end == opener.plaintext_bytes())
}

fn slice(bytes: &[u8], start: u64, end: u64) -> Option<&[u8]> {
    bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

/// Cuts off as many bytes as the first one says, then alters others: each three bytes are a place and what is added there.
fn edited(good: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let (&cut, edits) = edits.split_first().unwrap_or((&0, &[]));
    bytes.truncate(good.len().saturating_sub(usize::from(cut)));
    for edit in edits.as_chunks::<3>().0 {
        let place = usize::from(u16::from_be_bytes([edit[0], edit[1]]));
        if let Some(byte) = bytes.get_mut(place) {
            *byte = byte.wrapping_add(edit[2]);
        }
    }
    bytes
}
