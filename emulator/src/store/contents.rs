//! All that the store holds, at once: taken, put back, and thrown away.
//!
//! While it happens nothing else is committed. What a request has read before must not be written behind it: a handle of
//! [`Store::as_of_now`] writes into the state that it began with, or not at all.

use std::collections::HashSet;
use std::fmt;

use crate::model::object::BlobId;
use crate::store::blobs::{BlobFolder, OrphanFile};
use crate::store::catalogue::View;
use crate::store::commits::{Committer, Discarded};
use crate::store::engine::{Member, Table, Write};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::{keys, sweep};

/// Everything that a store held at one moment. Rows and small bodies are copied; large bodies stay in their files as long as
/// this is there.
pub(crate) struct Contents {
    member: Member,
    files: Vec<BlobId>,
    folder: BlobFolder,
}

impl Store {
    /// Takes all that there is.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn contents(&self) -> Result<Contents, StoreError> {
        let take = |view: &View, committer: &Committer| {
            let files = files_of(view)?;
            let contents = Contents {
                member: Member::of(everything(view)?),
                files: files.iter().map(|file| file.blob.id).collect(),
                folder: committer.folder.clone(),
            };
            // Here, where no row can change between the look at it and this.
            contents.folder.holds().hold(contents.files.iter().copied());
            Ok(contents)
        };
        self.alone(take).await
    }

    /// Puts back what was taken: all that came since is gone, and all that went is there again.
    ///
    /// # Errors
    ///
    /// `OtherStore`, `Io`, `Corrupted`.
    pub(crate) async fn put_back(&self, contents: &Contents) -> Result<(), StoreError> {
        if !contents.folder.holds().are(self.blobs().holds()) {
            return Err(StoreError::OtherStore);
        }
        let (member, files) = (contents.member.clone(), contents.files.clone());
        let put =
            move |view: &View, committer: &Committer| replace(view, committer, (&member, &files));
        drop_elsewhere(self.alone(put).await?).await;
        Ok(())
    }

    /// Throws everything away but what the store was made with: its format, and what tells the root key.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn clear(&self) -> Result<(), StoreError> {
        let clear = |view: &View, committer: &Committer| {
            let mut kept = everything(view)?;
            kept.retain(|write| write.table == Table::Rows && keys::is_of_store(&write.key));
            replace(view, committer, (&Member::of(kept), &[]))
        };
        drop_elsewhere(self.alone(clear).await?).await;
        Ok(())
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contents").finish_non_exhaustive()
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        let unwanted = self.folder.holds().release(self.files.iter().copied());
        for blob in unwanted {
            drop(OrphanFile::new(self.folder.path(blob)));
        }
    }
}

/// Puts other rows, which name these files, in the place of all that there are; gives back the files that none names now.
fn replace(
    view: &View,
    committer: &Committer,
    (member, files): (&Member, &[BlobId]),
) -> Result<Vec<OrphanFile>, StoreError> {
    let stay: HashSet<_> = files.iter().copied().collect();
    let mut discarded = files_of(view)?;
    discarded.retain(|file| !stay.contains(&file.blob.id));
    // Before, since rows that name a file that goes are worse than a file that stays without them.
    committer.folder.holds().revive(stay);
    committer.replace(member)?;
    Ok(committer.orphans(&discarded))
}

fn everything(view: &View) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    for (table, scan) in [
        (Table::Rows, view.scan(b"")?),
        (Table::Bodies, view.bodies()?),
    ] {
        for row in scan {
            let (key, stored) = row?;
            writes.push(Write {
                table,
                key,
                value: Some(stored.value.into()),
            });
        }
    }
    Ok(writes)
}

fn files_of(view: &View) -> Result<Vec<Discarded>, StoreError> {
    let mut files = Vec::new();
    sweep::each_file(view, |blob, upload| files.push(Discarded { blob, upload }))?;
    Ok(files)
}

/// Many files take the system a while to remove.
async fn drop_elsewhere(orphans: Vec<OrphanFile>) {
    if !orphans.is_empty() {
        tokio::task::spawn_blocking(move || drop(orphans))
            .await
            .ok();
    }
}
