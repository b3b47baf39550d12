//! A version's body, opened: one blob, or the parts of an upload, of which any range names a few.

use std::sync::Arc;

use crate::model::object::{Blob, BlobPlace, ObjectVersion, StoredBody};
use crate::model::upload::{Part, PlacedPart};
use crate::model::upload_id::UploadId;
use crate::store::catalogue::View;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys;
use crate::store::pins::Pin;
use crate::store::reader::BlobReader;

/// An opened body.
#[derive(Debug)]
pub(crate) enum OpenBody {
    /// In one blob.
    Blob(Blob, BlobReader),
    /// In parts.
    Parts(OpenParts),
}

/// The parts of an object. They can be read as long as this is there, also when the object is deleted meanwhile.
#[derive(Debug)]
pub(crate) struct OpenParts {
    store: Store,
    /// The rows as they were when the object was found.
    view: View,
    body: PartsBody,
    pin: Arc<Pin>,
}

/// Which upload, and how many of its parts.
#[derive(Clone, Copy, Debug)]
struct PartsBody {
    upload: UploadId,
    count: u32,
}

/// A part of which some bytes are wanted.
#[derive(Debug)]
pub(crate) struct WantedPart {
    /// Where it lies in the object.
    pub(crate) placed: PlacedPart,
    /// A small body, which left the catalogue when the object did.
    small: Option<BlobReader>,
    store: Store,
    _pin: Arc<Pin>,
}

impl OpenParts {
    /// The parts that hold `first ..= last`, in order.
    ///
    /// # Errors
    ///
    /// `BrokenBlob`; `Corrupted`, also where parts are missing; `Io`.
    pub(crate) fn within(&self, (first, last): (u64, u64)) -> Result<Vec<WantedPart>, StoreError> {
        let placed = self.walk(first.saturating_add(1), |placed| placed.start <= last)?;
        let mut reached = first;
        for part in &placed {
            if part.start > reached {
                break;
            }
            reached = part.end();
        }
        if reached <= last {
            return Err(self.missing());
        }
        placed.into_iter().map(|placed| self.want(placed)).collect()
    }

    /// All parts, in order.
    ///
    /// # Errors
    ///
    /// `Corrupted`, also where parts are missing; `Io`.
    pub(crate) fn all(&self) -> Result<Vec<PlacedPart>, StoreError> {
        let all = self.walk(0, |_| true)?;
        if u32::try_from(all.len()) == Ok(self.body.count) {
            Ok(all)
        } else {
            Err(self.missing())
        }
    }

    /// The body of one of them.
    ///
    /// # Errors
    ///
    /// `BrokenBlob`, `Io`, `Corrupted`.
    pub(crate) fn open(&self, part: &Part) -> Result<BlobReader, StoreError> {
        self.store.reader(&self.view, part.blob)
    }

    fn missing(&self) -> StoreError {
        let upload = self.body.upload;
        let finding = format!("parts of the object of the upload {upload} are missing");
        self.view.corrupted(finding)
    }

    fn want(&self, placed: PlacedPart) -> Result<WantedPart, StoreError> {
        let blob = placed.part.blob;
        let is_small = blob.place == BlobPlace::Catalogue;
        let small = is_small.then(|| self.store.reader(&self.view, blob));
        Ok(WantedPart {
            placed,
            small: small.transpose()?,
            store: self.store.clone(),
            _pin: Arc::clone(&self.pin),
        })
    }

    fn walk(
        &self,
        end: u64,
        is_wanted: impl Fn(&PlacedPart) -> bool,
    ) -> Result<Vec<PlacedPart>, StoreError> {
        let prefix = keys::placed_of(self.body.upload);
        let mut found = Vec::new();
        for row in self.view.scan(&keys::placed_from(self.body.upload, end))? {
            let (key, stored) = row?;
            if !key.starts_with(&prefix) {
                break;
            }
            let placed: PlacedPart = self.view.parse(&stored.value)?;
            if !is_wanted(&placed) {
                break;
            }
            found.push(placed);
        }
        Ok(found)
    }
}

impl WantedPart {
    /// Its body; the file stays as long as the reader has it open.
    ///
    /// # Errors
    ///
    /// `BrokenBlob`, `Io`, `Corrupted`.
    pub(crate) fn open(self) -> Result<(Part, BlobReader), StoreError> {
        let blob = self.placed.part.blob;
        let reader = match self.small {
            Some(small) => small,
            None => BlobReader::of_file(blob, &self.store.blobs().path(blob.id))?,
        };
        Ok((self.placed.part, reader))
    }
}

/// The body of a version that was found; a blob may go before it is opened.
pub(super) enum Found {
    Blob(View, Blob),
    Parts(OpenParts),
}

/// What finds a version in a view.
pub(super) trait Find: Fn(&View) -> Result<ObjectVersion, StoreError> {}

impl<F: Fn(&View) -> Result<ObjectVersion, StoreError>> Find for F {}

impl OpenBody {
    /// Its parts; `None` for one that was never in parts.
    pub(crate) fn parts(&self) -> Option<&OpenParts> {
        match self {
            Self::Blob(..) => None,
            Self::Parts(parts) => Some(parts),
        }
    }
}

impl Store {
    /// Opens a version that `find` finds.
    pub(super) fn open_found(
        &self,
        find: impl Find,
    ) -> Result<(ObjectVersion, OpenBody), StoreError> {
        let mut missed = None;
        loop {
            let (version, found) = self.pin_found(&find)?;
            let (view, blob) = match found {
                Found::Parts(parts) => return Ok((version, OpenBody::Parts(parts))),
                Found::Blob(view, blob) => (view, blob),
            };
            match self.reader(&view, blob) {
                // Somebody may have replaced the version, and removed its file, since the row was read: look again,
                // and believe it when the row still names the same blob.
                Err(StoreError::BrokenBlob { .. }) if missed != Some(version.body) => {
                    missed = Some(version.body);
                }
                reader => return Ok((version, OpenBody::Blob(blob, reader?))),
            }
        }
    }

    /// A version that `find` finds, and its parts, which stay. It is asked again where the version went before they were
    /// pinned.
    pub(super) fn pin_found(&self, find: &impl Find) -> Result<(ObjectVersion, Found), StoreError> {
        loop {
            let view = self.view()?;
            let version = find(&view)?;
            let (upload, count) = match version.body {
                StoredBody::Blob(blob) => return Ok((version, Found::Blob(view, blob))),
                StoredBody::Parts { upload, count } => (upload, count),
            };
            let pin = Arc::new(self.pins().pin(upload));
            let view = self.view()?;
            let again = find(&view)?;
            if again.body == version.body {
                let parts = OpenParts {
                    store: self.clone(),
                    view,
                    body: PartsBody { upload, count },
                    pin,
                };
                return Ok((again, Found::Parts(parts)));
            }
        }
    }

    /// A sealed body, as a view has it.
    ///
    /// # Errors
    ///
    /// `BrokenBlob`, `Io`, `Corrupted`.
    pub(super) fn reader(&self, view: &View, blob: Blob) -> Result<BlobReader, StoreError> {
        match blob.place {
            BlobPlace::Catalogue => BlobReader::of_body(blob, view.body(blob.id)?),
            BlobPlace::File => BlobReader::of_file(blob, &self.blobs().path(blob.id)),
        }
    }
}
