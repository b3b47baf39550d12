//! What one core can do with the primitives alone: the limit that large bodies are held against.

use std::hint::black_box;
use std::time::Instant;

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

const SEGMENT: usize = 65_536;
/// Bytes to work through, so that a small size is not measured once.
const WORK: usize = 256 * 1_024 * 1_024;

/// MD5, SHA-256, AES-256-CTR and HMAC-SHA256 over a body, in GB/s.
pub(crate) fn hash_and_seal(size: usize) -> f64 {
    measure(size, |body| {
        let (mut md5, mut sha256) = (Md5::new(), Sha256::new());
        for segment in body.chunks_mut(SEGMENT) {
            md5.update(&*segment);
            sha256.update(&*segment);
            seal(segment);
        }
        black_box((md5.finalize(), sha256.finalize()));
    })
}

/// AES-256-CTR and HMAC-SHA256 over a body, in GB/s.
pub(crate) fn open(size: usize) -> f64 {
    measure(size, |body| body.chunks_mut(SEGMENT).for_each(seal))
}

fn seal(segment: &mut [u8]) {
    Ctr128BE::<Aes256>::new(&[1; 32].into(), &[2; 16].into()).apply_keystream(segment);
    let mut mac = Hmac::<Sha256>::new_from_slice(&[3; 32]).unwrap();
    mac.update(segment);
    black_box(mac.finalize());
}

fn measure(size: usize, mut work: impl FnMut(&mut [u8])) -> f64 {
    let mut body = vec![7; size];
    let rounds = (WORK / size).max(1);
    work(&mut body);
    let begun = Instant::now();
    for _ in 0..rounds {
        work(&mut body);
    }
    (size * rounds) as f64 / begun.elapsed().as_secs_f64() / 1e9
}
