//! A sealed body on its way out. It blocks: large bodies are read inside `spawn_blocking`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::model::object::{Blob, BlobId};
use crate::store::error::StoreError;

/// Reads any part of a sealed body. It goes on reading when the blob is deleted.
#[derive(Debug)]
pub(crate) struct BlobReader {
    blob: Blob,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Memory(Vec<u8>),
    File(File),
}

impl BlobReader {
    /// Over the body as the catalogue has it.
    ///
    /// # Errors
    ///
    /// `BrokenBlob` when it is missing or has another size than its row says.
    pub(super) fn of_body(blob: Blob, body: Option<Vec<u8>>) -> Result<Self, StoreError> {
        let body = body.ok_or_else(|| broken(blob.id, "it is missing in the catalogue"))?;
        let found = u64::try_from(body.len()).unwrap_or(u64::MAX);
        Self::checked(blob, found, Source::Memory(body))
    }

    /// Over the blob's file.
    ///
    /// # Errors
    ///
    /// `BrokenBlob` when it is missing or has another size than its row says; `Io`.
    pub(super) fn of_file(blob: Blob, path: &Path) -> Result<Self, StoreError> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        match opened {
            Ok((found, file)) => Self::checked(blob, found, Source::File(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(broken(blob.id, &format!("`{}` is missing", path.display())))
            }
            Err(error) => Err(StoreError::io("open", path)(error)),
        }
    }

    fn checked(blob: Blob, found: u64, source: Source) -> Result<Self, StoreError> {
        let expected = blob.sealed_bytes;
        if found == expected {
            Ok(Self { blob, source })
        } else {
            let finding = format!("it has {found} bytes, not {expected}");
            Err(broken(blob.id, &finding))
        }
    }

    /// The whole body's size in bytes.
    pub(crate) fn sealed_bytes(&self) -> u64 {
        self.blob.sealed_bytes
    }

    /// Fills `out` with the bytes that begin at `offset`.
    ///
    /// # Errors
    ///
    /// `BrokenBlob` when the body ends before `out` is full, or cannot be read.
    pub(crate) fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), StoreError> {
        match &self.source {
            Source::Memory(body) => {
                let part = usize::try_from(offset)
                    .ok()
                    .and_then(|start| body.get(start..)?.get(..out.len()))
                    .ok_or_else(|| broken(self.blob.id, "it ends too early"))?;
                out.copy_from_slice(part);
                Ok(())
            }
            Source::File(file) => file
                .read_exact_at(out, offset)
                .map_err(|error| broken(self.blob.id, &error.to_string())),
        }
    }
}

fn broken(blob: BlobId, finding: &str) -> StoreError {
    StoreError::BrokenBlob {
        blob,
        finding: finding.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::fixtures::{
        LARGE, blob_files, deletion, open_blob, photos, put, read, with_photos,
    };

    #[tokio::test]
    async fn any_part_is_read_and_nothing_beyond_the_end() {
        let store = with_photos().await;
        let body: Vec<u8> = (0..=u8::MAX).cycle().take(10_000).collect();
        for at in [&body[..1_000], &body] {
            put(&store, "a", at).await.unwrap();
            let reader = open_blob(&store, "a").unwrap();
            let mut part = [0; 100];

            reader.read_at(300, &mut part).unwrap();
            let beyond = reader.read_at(reader.sealed_bytes() - 99, &mut [0; 100]);

            assert_eq!(part, body[300..400]);
            assert!(
                matches!(beyond, Err(StoreError::BrokenBlob { .. })),
                "{beyond:?}"
            );
        }
    }

    #[tokio::test]
    async fn an_open_reader_outlives_its_blob() {
        let store = with_photos().await;
        put(&store, "a", &LARGE).await.unwrap();
        let reader = open_blob(&store, "a").unwrap();
        store.delete(&photos(), &deletion("a")).await.unwrap();

        let mut body = [0; LARGE.len()];
        reader.read_at(0, &mut body).unwrap();

        assert_eq!(body, LARGE);
        assert!(matches!(read(&store, "a"), Err(StoreError::NoSuchKey(_))));
    }

    #[tokio::test]
    async fn a_file_that_was_cut_or_lost_names_its_blob() {
        let store = with_photos().await;
        let version = put(&store, "a", &LARGE).await.unwrap();
        let path = blob_files(store.path()).remove(0);
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();

        file.set_len(9_999).unwrap();
        let cut = read(&store, "a").unwrap_err().to_string();
        fs::remove_file(path).unwrap();
        let lost = read(&store, "a").unwrap_err().to_string();

        let name = format!("the blob `{}` is damaged: ", version.body);
        assert_eq!(cut, format!("{name}it has 9999 bytes, not 10000"));
        assert!(
            lost.starts_with(&name) && lost.ends_with("is missing"),
            "{lost}"
        );
    }
}
