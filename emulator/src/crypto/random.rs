//! Randomness as the packages of public-key cryptography ask for it: bytes of a source that somebody else owns.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

/// A source of random bytes, by what fills a buffer with them. They have to be fit for keys.
pub(crate) struct Random<'f>(pub(crate) &'f dyn Fn(&mut [u8]));

impl Random<'_> {
    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }
}

impl TryRng for Random<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.bytes()))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        (self.0)(buffer);
        Ok(())
    }
}

impl TryCryptoRng for Random<'_> {}
