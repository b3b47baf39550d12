//! The bytes of an object, opened and written to a file; blocking.

use std::fs::File;
use std::io::Write;

use crate::crypto::digest::Hasher;
use crate::model::checksum::{Checksum, ChecksumType};
use crate::s3::delivery::Plaintext;
use crate::s3::error::S3Error;
use crate::s3::intake::digest_of;
use crate::seed::record::FileChecksum;
use crate::wire::encoding::base64;

/// Writes a plaintext, and tells its size in bytes and a checksum of it: the stored one, or one of the same kind where
/// that is of the parts.
///
/// # Errors
///
/// One line: for a damaged blob, and where the file cannot be written.
pub(super) fn pour(
    mut plaintext: Plaintext,
    mut file: File,
    stored: Option<&Checksum>,
) -> Result<(u64, Option<FileChecksum>), String> {
    let size = plaintext.remaining_bytes();
    let of_parts = stored.filter(|stored| stored.kind == ChecksumType::Composite);
    let mut hasher = of_parts.map(|stored| Hasher::new(digest_of(stored.algorithm)));
    while let Some(bytes) = plaintext.read().map_err(|error| cause(&error))? {
        if let Some(hasher) = &mut hasher {
            hasher.update(&bytes);
        }
        file.write_all(&bytes).map_err(|error| error.to_string())?;
    }
    let whole = hasher.map(|hasher| base64(&hasher.finish()));
    let checksum = stored.map(|stored| FileChecksum {
        algorithm: stored.algorithm.name().to_owned(),
        value: whole.unwrap_or_else(|| stored.value.clone()),
    });
    Ok((size, checksum))
}

/// What is wrong in truth: what a client is told of a damaged blob says nothing.
pub(super) fn cause(error: &S3Error) -> String {
    match &error.source {
        Some(cause) => cause.to_string(),
        None => error.message.to_string(),
    }
}
