//! A disk for tests, in memory, which is full or cannot be read when they say so.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

/// One disk; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct TestDisk {
    bytes: Arc<InMemoryBackend>,
    is_full: Arc<AtomicBool>,
    is_torn: Arc<AtomicBool>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl TestDisk {
    pub(super) fn fill(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }

    pub(super) fn tear(&self, is_torn: bool) {
        self.is_torn.store(is_torn, Ordering::SeqCst);
    }
}

impl TestDisk {
    /// What was written and synced, in order, since it was forgotten.
    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    pub(super) fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }

    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }
}

impl StorageBackend for TestDisk {
    fn len(&self) -> io::Result<u64> {
        self.bytes.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if self.is_torn.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk cannot be read"));
        }
        self.bytes.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.bytes.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.note("sync".to_owned());
        self.bytes.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.note(format!("write {offset}"));
        self.bytes.write(offset, data)
    }
}
