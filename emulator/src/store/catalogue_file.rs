//! The file under the catalogue. When ephemeral it never syncs, and a full disk does not break it.
//!
//! redb gives up on its file for good when one write fails. For a durable catalogue that loses nothing: it is opened
//! again, as of its last commit. An ephemeral one would lose every commit since it was last written out, so there a
//! write that finds the disk full stays in memory, no further commit is taken, and it is written once there is room.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, io};

use redb::StorageBackend;

/// A handle to the file: redb holds one, the engine another.
#[derive(Clone, Debug)]
pub(super) struct CatalogueFile(Arc<Shared>);

/// Whether commits outlive the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// Until the last handle is dropped: nothing is synced.
    Ephemeral,
    /// For good: an answered write survives a crash and a power cut.
    Durable,
}

#[derive(Debug)]
struct Shared {
    file: Box<dyn StorageBackend>,
    keeping: Keeping,
    /// Writes for which the disk had no room, oldest first.
    held: Mutex<VecDeque<Held>>,
    /// Whether `held` has any: spares readers the lock.
    is_holding: AtomicBool,
}

struct Held {
    offset: u64,
    bytes: Box<[u8]>,
}

impl CatalogueFile {
    /// Over a plain file, or what stands for one.
    pub(super) fn new(file: Box<dyn StorageBackend>, keeping: Keeping) -> Self {
        Self(Arc::new(Shared {
            file,
            keeping,
            held: Mutex::default(),
            is_holding: AtomicBool::new(false),
        }))
    }

    /// Writes out what the disk had no room for.
    ///
    /// # Errors
    ///
    /// That of the first write that fails again; it and those behind it stay in memory.
    pub(super) fn settle(&self) -> io::Result<()> {
        if !self.0.is_holding.load(Ordering::Acquire) {
            return Ok(());
        }
        self.settle_locked(&mut self.lock())
    }

    fn settle_locked(&self, held: &mut VecDeque<Held>) -> io::Result<()> {
        while let Some(next) = held.front() {
            self.0.file.write(next.offset, &next.bytes)?;
            held.pop_front();
        }
        self.0.is_holding.store(false, Ordering::Release);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Held>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for CatalogueFile {
    fn len(&self) -> io::Result<u64> {
        self.0.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if !self.0.is_holding.load(Ordering::Acquire) {
            return self.0.file.read(offset, out);
        }
        let held = self.lock();
        self.0.file.read(offset, out)?;
        for write in held.iter() {
            write.lay_over(offset, out);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        match self.0.keeping {
            Keeping::Ephemeral => Ok(()),
            Keeping::Durable => self.0.file.sync_data(),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.0.keeping == Keeping::Durable {
            return self.0.file.write(offset, data);
        }
        let mut held = self.lock();
        // Older writes first: a later one may cover the same bytes.
        let written = self
            .settle_locked(&mut held)
            .and_then(|()| self.0.file.write(offset, data));
        match written {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                held.push_back(Held {
                    offset,
                    bytes: data.into(),
                });
                self.0.is_holding.store(true, Ordering::Release);
                Ok(())
            }
            other => other,
        }
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }
}

impl Held {
    /// Copies the part of this write that falls on `out`, which was read from `offset`.
    fn lay_over(&self, offset: u64, out: &mut [u8]) {
        let ahead = usize::try_from(self.offset.saturating_sub(offset)).unwrap_or(usize::MAX);
        let skipped = usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        if let (Some(target), Some(source)) = (out.get_mut(ahead..), self.bytes.get(skipped..)) {
            let length = target.len().min(source.len());
            target[..length].copy_from_slice(&source[..length]);
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes at {}", self.bytes.len(), self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::test_disk::TestDisk;

    #[test]
    fn what_a_full_disk_refuses_is_read_back_and_written_later() {
        let disk = TestDisk::default();
        let file = CatalogueFile::new(Box::new(disk.clone()), Keeping::Ephemeral);
        file.set_len(12).unwrap();
        file.write(0, b"aaaaaaaaaaaa").unwrap();
        disk.fill(true);
        file.write(2, b"bbbb").unwrap();
        file.write(4, b"cccccc").unwrap();

        let mut whole = [0; 12];
        file.read(0, &mut whole).unwrap();
        let mut part = [0; 4];
        file.read(3, &mut part).unwrap();
        assert!(file.settle().is_err());
        disk.fill(false);
        file.settle().unwrap();
        let mut settled = [0; 12];
        disk.read(0, &mut settled).unwrap();

        assert_eq!(&whole, b"aabbccccccaa");
        assert_eq!(&part, b"bccc");
        assert_eq!(settled, whole);
    }

    #[test]
    fn a_durable_file_hides_no_failure() {
        let disk = TestDisk::default();
        let file = CatalogueFile::new(Box::new(disk.clone()), Keeping::Durable);
        file.set_len(4).unwrap();
        disk.fill(true);

        let written = file.write(0, b"aaaa");

        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
