//! A version's body, opened: one blob, or the parts of an upload, of which any range names a few.

use crate::model::object::{Blob, BlobPlace, ObjectVersion, StoredBody};
use crate::model::upload::{Part, PlacedPart};
use crate::model::upload_id::UploadId;
use crate::store::catalogue::View;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys;
use crate::store::reader::BlobReader;

/// Up to so many parts are opened at once, so that a read of them goes on when the object is deleted.
const OPENED_AT_ONCE: usize = 64;

/// An opened body.
#[derive(Debug)]
pub(crate) enum OpenBody {
    /// In one blob.
    Blob(Blob, BlobReader),
    /// In parts.
    Parts(OpenParts),
}

/// The parts of an object.
#[derive(Debug)]
pub(crate) struct OpenParts {
    store: Store,
    upload: UploadId,
}

/// A part of which some bytes are wanted.
#[derive(Debug)]
pub(crate) struct WantedPart {
    /// Where it lies in the object.
    pub(crate) placed: PlacedPart,
    reader: Option<BlobReader>,
    store: Store,
}

impl OpenParts {
    /// The parts that hold `first ..= last`, in order.
    ///
    /// # Errors
    ///
    /// `BrokenBlob`, `Io`, `Corrupted`.
    pub(crate) fn within(&self, (first, last): (u64, u64)) -> Result<Vec<WantedPart>, StoreError> {
        let placed = self.walk(first.saturating_add(1), |placed| placed.start <= last)?;
        let opens = placed.len() <= OPENED_AT_ONCE;
        let view = self.store.view()?;
        let wanted = placed.into_iter().map(|placed| {
            let blob = placed.part.blob;
            let reader = opens.then(|| self.store.reader(&view, blob)).transpose()?;
            Ok(WantedPart {
                placed,
                reader,
                store: self.store.clone(),
            })
        });
        wanted.collect()
    }

    /// All parts, in order.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn all(&self) -> Result<Vec<PlacedPart>, StoreError> {
        self.walk(0, |_| true)
    }

    /// The body of one of them.
    ///
    /// # Errors
    ///
    /// `BrokenBlob`, `Io`, `Corrupted`.
    pub(crate) fn open(&self, part: &Part) -> Result<BlobReader, StoreError> {
        self.store.reader(&self.store.view()?, part.blob)
    }

    fn walk(
        &self,
        end: u64,
        is_wanted: impl Fn(&PlacedPart) -> bool,
    ) -> Result<Vec<PlacedPart>, StoreError> {
        let (view, prefix) = (self.store.view()?, keys::placed_of(self.upload));
        let mut found = Vec::new();
        for row in view.scan(&keys::placed_from(self.upload, end))? {
            let (key, stored) = row?;
            if !key.starts_with(&prefix) {
                break;
            }
            let placed: PlacedPart = view.parse(&stored.value)?;
            if !is_wanted(&placed) {
                break;
            }
            found.push(placed);
        }
        Ok(found)
    }
}

impl WantedPart {
    /// Its body.
    ///
    /// # Errors
    ///
    /// `BrokenBlob`, `Io`, `Corrupted`.
    pub(crate) fn open(self) -> Result<(Part, BlobReader), StoreError> {
        let reader = match self.reader {
            Some(reader) => reader,
            None => self
                .store
                .reader(&self.store.view()?, self.placed.part.blob)?,
        };
        Ok((self.placed.part, reader))
    }
}

impl Store {
    pub(super) fn open_body(
        &self,
        view: &View,
        version: &ObjectVersion,
    ) -> Result<OpenBody, StoreError> {
        match version.body {
            StoredBody::Blob(blob) => Ok(OpenBody::Blob(blob, self.reader(view, blob)?)),
            StoredBody::Parts { upload, .. } => Ok(OpenBody::Parts(OpenParts {
                store: self.clone(),
                upload,
            })),
        }
    }

    /// The parts of a version; `None` for one that was never in parts.
    pub(crate) fn parts_of(&self, version: &ObjectVersion) -> Option<OpenParts> {
        match version.body {
            StoredBody::Blob(_) => None,
            StoredBody::Parts { upload, .. } => Some(OpenParts {
                store: self.clone(),
                upload,
            }),
        }
    }

    fn reader(&self, view: &View, blob: Blob) -> Result<BlobReader, StoreError> {
        match blob.place {
            BlobPlace::Catalogue => BlobReader::of_body(blob, view.body(blob.id)?),
            BlobPlace::File => BlobReader::of_file(blob, &self.blobs().path(blob.id)),
        }
    }
}
