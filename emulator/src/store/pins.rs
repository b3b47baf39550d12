//! Parts that are read outlive their object: the files of an upload stay as long as somebody has it pinned.
//!
//! An object in parts is read file by file, and not all of them can be open at once. Whoever reads pins the upload first and
//! looks at the rows then: either they are there still, and whoever removes them finds the pin, or the read begins anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::upload_id::UploadId;
use crate::store::blobs::OrphanFile;

/// Who reads what: clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins(Arc<Mutex<HashMap<UploadId, Pinned>>>);

#[derive(Debug, Default)]
struct Pinned {
    readers: usize,
    /// What goes with the last of them.
    orphans: Vec<OrphanFile>,
}

/// A reader; the files are let go with the last of them.
#[derive(Debug)]
pub(super) struct Pin {
    pins: Pins,
    upload: UploadId,
}

impl Pins {
    /// Keeps the files of an upload.
    pub(super) fn pin(&self, upload: UploadId) -> Pin {
        self.with(|pinned| pinned.entry(upload).or_default().readers += 1);
        Pin {
            pins: self.clone(),
            upload,
        }
    }

    /// Takes a file that no row names any more; gives it back where nobody reads.
    pub(super) fn take(&self, upload: UploadId, file: OrphanFile) -> Option<OrphanFile> {
        self.with(|pinned| match pinned.get_mut(&upload) {
            Some(pinned) => {
                pinned.orphans.push(file);
                None
            }
            None => Some(file),
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<UploadId, Pinned>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let upload = self.upload;
        let last = self.pins.with(|pinned| {
            let here = pinned.get_mut(&upload)?;
            here.readers -= 1;
            if here.readers == 0 {
                pinned.remove(&upload)
            } else {
                None
            }
        });
        // Files are removed here, where nobody waits for the lock.
        drop(last);
    }
}
