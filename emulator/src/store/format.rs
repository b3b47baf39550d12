//! The format of the catalogue: one row, written when the catalogue is made and checked whenever it is opened.

use std::path::Path;

use bytes::Bytes;

use crate::store::blobs::BlobFolder;
use crate::store::engine::{Engine, Member, Table, Write};
use crate::store::error::StoreError;
use crate::store::{keys, reserve, sweep};

/// The format that this program writes. It grows by one when older programs would misread the rows.
///
/// 2: KMS keys, their aliases, and objects under them. 3: uploads, objects in parts, versions and delete markers.
pub(super) const FORMAT: u32 = 3;
/// What is made once the catalogue has a format: where one of them lies, there was one.
const LATER: [&str; 2] = [reserve::FILE, "root.key"];

/// Checks the format, or writes it into a new catalogue; tells whether nothing but the format is in it.
///
/// # Errors
///
/// `NewerFormat`; `Corrupted`, also for a new catalogue beside what an older one must have named, which was lost: to go on
/// would lose all of it; `Io`.
pub(super) fn settle(
    engine: &dyn Engine,
    file: &Path,
    blobs: &BlobFolder,
) -> Result<bool, StoreError> {
    let Some(found) = find(engine, file)? else {
        be_new(file, blobs)?;
        engine.commit(&[mark()])?;
        return Ok(true);
    };
    if found < FORMAT {
        // Its rows read as they are; from now on older programs must leave it alone.
        engine.commit(&[mark()])?;
    }
    is_bare(engine)
}

/// Checks the format, and writes nothing; tells whether nothing but the format is in the catalogue.
///
/// # Errors
///
/// As [`settle`].
pub(super) fn look(
    engine: &dyn Engine,
    file: &Path,
    blobs: &BlobFolder,
) -> Result<bool, StoreError> {
    if find(engine, file)?.is_none() {
        be_new(file, blobs)?;
    }
    is_bare(engine)
}

/// A catalogue without a format is new, unless there is something that it must have named.
fn be_new(file: &Path, blobs: &BlobFolder) -> Result<(), StoreError> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let named = LATER.iter().find(|name| folder.join(name).exists());
    let has_blobs = || Ok(blobs.blobs().is_dir() && !sweep::blob_files(blobs)?.is_empty());
    let beside = match named {
        Some(name) => name,
        None if has_blobs()? => "blobs",
        None => return Ok(()),
    };
    let finding = format!(
        "it is missing or empty, but `{beside}` lies beside it; put the catalogue back, or begin in another folder"
    );
    Err(corrupted(file, &finding))
}

/// Whether a catalogue holds nothing but its format. A run that was killed at its very start leaves such a one.
///
/// # Errors
///
/// `Io`, `Corrupted`.
pub(super) fn is_bare(engine: &dyn Engine) -> Result<bool, StoreError> {
    for row in engine.snapshot()?.scan(b"")? {
        if row?.0 != keys::FORMAT {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The format of the catalogue, which this program knows; `None` for a new one.
///
/// # Errors
///
/// `NewerFormat`, `Corrupted`, `Io`.
pub(super) fn find(engine: &dyn Engine, file: &Path) -> Result<Option<u32>, StoreError> {
    let Some(stored) = engine.snapshot()?.get(Table::Rows, keys::FORMAT)? else {
        return Ok(None);
    };
    let found: u32 = serde_json::from_slice(&stored.value)
        .map_err(|_| corrupted(file, "its format is not a number"))?;
    if found > FORMAT {
        return Err(StoreError::NewerFormat {
            file: file.to_owned(),
            found,
            known: FORMAT,
        });
    }
    Ok(Some(found))
}

fn corrupted(file: &Path, finding: &str) -> StoreError {
    StoreError::Corrupted {
        file: file.to_owned(),
        finding: finding.to_owned(),
    }
}

/// Writes down the format of this program.
fn mark() -> Member {
    mark_as(FORMAT)
}

/// Writes down a format.
pub(super) fn mark_as(format: u32) -> Member {
    let format = Write {
        table: Table::Rows,
        key: keys::FORMAT.to_vec(),
        value: Some(Bytes::from(format.to_string())),
    };
    Member::of(vec![format])
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::store::catalogue_file::Keeping;
    use crate::store::redb_engine::RedbEngine;

    #[test]
    fn the_catalogue_of_a_newer_program_is_left_alone() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("catalogue");
        let engine = RedbEngine::open(&file, Keeping::Ephemeral).unwrap();
        let blobs = BlobFolder::open(folder.path(), Keeping::Ephemeral).unwrap();
        engine.commit(&[mark_as(FORMAT + 1)]).unwrap();

        let refused = settle(&engine, &file, &blobs);

        let text = refused.unwrap_err().to_string();
        assert!(
            text.ends_with("has format 4; this program reads up to 3: use the one that wrote it, or a newer one"),
            "{text}"
        );
    }

    #[test]
    fn the_catalogue_of_an_older_program_is_taken_over() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("catalogue");
        let engine = RedbEngine::open(&file, Keeping::Ephemeral).unwrap();
        let blobs = BlobFolder::open(folder.path(), Keeping::Ephemeral).unwrap();
        let mut older = mark_as(1);
        older.writes.push(row());
        engine.commit(&[older]).unwrap();

        let is_new = settle(&engine, &file, &blobs).unwrap();

        let row = engine.snapshot().unwrap().get(Table::Rows, keys::FORMAT);
        assert!(!is_new);
        assert_eq!(row.unwrap().unwrap().value, b"3");
    }

    fn row() -> Write {
        Write {
            table: Table::Rows,
            key: keys::setting("check"),
            value: Some(Bytes::new()),
        }
    }

    #[test]
    fn a_catalogue_is_new_until_its_first_row() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("catalogue");
        let engine = RedbEngine::open(&file, Keeping::Ephemeral).unwrap();
        let blobs = BlobFolder::open(folder.path(), Keeping::Ephemeral).unwrap();

        let first = settle(&engine, &file, &blobs).unwrap();
        let killed = settle(&engine, &file, &blobs).unwrap();
        engine.commit(&[Member::of(vec![row()])]).unwrap();
        let written = settle(&engine, &file, &blobs).unwrap();

        assert_eq!([first, killed, written], [true, true, false]);
    }

    /// Source: `fixtures/data-format-2`, which a program of that format wrote.
    #[test]
    fn the_catalogue_of_a_program_of_format_2_is_marked_as_this_ones() {
        let written = "../fixtures/data-format-2/data/strongroom.redb";
        let written = Path::new(env!("CARGO_MANIFEST_DIR")).join(written);
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("strongroom.redb");
        std::fs::copy(written, &file).unwrap();
        let engine = RedbEngine::open(&file, Keeping::Durable).unwrap();
        let blobs = BlobFolder::open(folder.path(), Keeping::Ephemeral).unwrap();
        let marked = || {
            let row = engine.snapshot().unwrap().get(Table::Rows, keys::FORMAT);
            row.unwrap().unwrap().value
        };
        assert_eq!(marked(), b"2");

        let is_new = settle(&engine, &file, &blobs).unwrap();

        assert!(!is_new);
        assert_eq!(marked(), FORMAT.to_string().as_bytes());
    }
}
