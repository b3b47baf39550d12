//! The file under the catalogue. When ephemeral it never syncs, and a full disk does not break it.
//!
//! redb gives up on its file for good when one write fails. An ephemeral catalogue would lose every commit since it was
//! last written out, so there a write that finds the disk full stays in memory, no further commit is taken, and it is
//! written once there is room. A durable one loses nothing: it is opened again, as of its last commit. But to open it
//! writes too, and must not fail as long as the disk refuses that, or nothing could be read either: until it is opened, its
//! writes and its syncs wait in memory in the same way, all in their order, so that a crash meanwhile finds a file as after
//! any other crash.

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
    /// Whether it is being opened.
    is_opening: AtomicBool,
    /// What the disk has refused and whatever came behind, oldest first.
    held: Mutex<VecDeque<Held>>,
    /// Whether `held` has any: spares readers the lock.
    is_holding: AtomicBool,
}

enum Held {
    Write(HeldWrite),
    /// What stands before it must be on the disk before what stands behind it.
    Sync,
}

struct HeldWrite {
    offset: u64,
    bytes: Box<[u8]>,
}

impl CatalogueFile {
    /// Over a plain file, or what stands for one. It is being opened until [`CatalogueFile::end_opening`].
    pub(super) fn new(file: Box<dyn StorageBackend>, keeping: Keeping) -> Self {
        Self(Arc::new(Shared {
            file,
            keeping,
            is_opening: AtomicBool::new(true),
            held: Mutex::default(),
            is_holding: AtomicBool::new(false),
        }))
    }

    /// From now on a durable file hides no failure.
    pub(super) fn end_opening(&self) {
        self.0.is_opening.store(false, Ordering::Release);
    }

    /// Writes out what the disk has refused.
    ///
    /// # Errors
    ///
    /// That of the first write that fails again; it and all behind it stay in memory.
    pub(super) fn settle(&self) -> io::Result<()> {
        if !self.0.is_holding.load(Ordering::Acquire) {
            return Ok(());
        }
        self.settle_locked(&mut self.lock())
    }

    fn settle_locked(&self, held: &mut VecDeque<Held>) -> io::Result<()> {
        while let Some(next) = held.front() {
            match next {
                Held::Write(write) => self.0.file.write(write.offset, &write.bytes)?,
                Held::Sync => self.0.file.sync_data()?,
            }
            held.pop_front();
        }
        self.0.is_holding.store(false, Ordering::Release);
        Ok(())
    }

    /// Does `work`, behind all that waits; where the disk refuses that, it waits too, if it may.
    fn in_turn(
        &self,
        work: impl FnOnce() -> io::Result<()>,
        waiting: impl FnOnce() -> Held,
    ) -> io::Result<()> {
        let is_opening = self.0.is_opening.load(Ordering::Acquire);
        let may_wait = |error: &io::Error| match self.0.keeping {
            Keeping::Ephemeral => is_full(error),
            Keeping::Durable => is_opening,
        };
        let is_plain = self.0.keeping == Keeping::Durable && !is_opening;
        if is_plain && !self.0.is_holding.load(Ordering::Acquire) {
            return work();
        }
        let mut held = self.lock();
        match self.settle_locked(&mut held).and_then(|()| work()) {
            Err(error) if may_wait(&error) => {
                held.push_back(waiting());
                self.0.is_holding.store(true, Ordering::Release);
                Ok(())
            }
            other => other,
        }
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
        for held in held.iter() {
            if let Held::Write(write) = held {
                write.lay_over(offset, out);
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        match self.0.keeping {
            Keeping::Ephemeral => Ok(()),
            Keeping::Durable => self.in_turn(|| self.0.file.sync_data(), || Held::Sync),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let waiting = || {
            Held::Write(HeldWrite {
                offset,
                bytes: data.into(),
            })
        };
        self.in_turn(|| self.0.file.write(offset, data), waiting)
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }
}

/// Whether there is no room, on the disk or for this user.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

impl HeldWrite {
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
        match self {
            Self::Write(write) => write!(f, "{} bytes at {}", write.bytes.len(), write.offset),
            Self::Sync => f.write_str("a sync"),
        }
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
        file.end_opening();
        disk.fill(true);

        let written = file.write(0, b"aaaa");

        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn what_waits_while_a_durable_file_is_opened_is_written_in_its_order() {
        let disk = TestDisk::default();
        let file = CatalogueFile::new(Box::new(disk.clone()), Keeping::Durable);
        file.set_len(4).unwrap();
        disk.fill(true);
        file.write(0, b"aaaa").unwrap();
        file.sync_data().unwrap();
        file.write(1, b"bb").unwrap();
        file.end_opening();

        let refused = file.write(0, b"cccc");
        let mut waiting = [0; 4];
        file.read(0, &mut waiting).unwrap();
        disk.fill(false);
        disk.forget();
        file.settle().unwrap();

        assert!(refused.is_err());
        assert_eq!(&waiting, b"abba");
        assert_eq!(disk.calls(), ["write 0", "sync", "write 1"]);
    }
}
