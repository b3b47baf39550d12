//! The catalogue's file for whoever only looks. redb writes whenever it opens a file, and more where it repairs what a
//! crash has left: all of that stays in memory, and the file as it is. So it may be one that nobody can write.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// In which pieces the file is held that was written to.
const PAGE_BYTES: u64 = 4_096;

/// A file, and over it what was written since it was opened.
#[derive(Debug)]
pub(super) struct LookFile {
    file: File,
    over: Mutex<Over>,
}

#[derive(Debug)]
struct Over {
    length: u64,
    /// Up to here the file itself still counts: what was cut off and came back is zero.
    counts: u64,
    pages: BTreeMap<u64, Vec<u8>>,
}

impl LookFile {
    /// Opens a file to read.
    ///
    /// # Errors
    ///
    /// That of the system.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let over = Over {
            length,
            counts: length,
            pages: BTreeMap::new(),
        };
        Ok(Self {
            file,
            over: Mutex::new(over),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Over> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the file itself says; zero where it says nothing.
    fn read_file(&self, counts: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let said = index(counts.saturating_sub(offset)).min(out.len());
        let (said, unsaid) = out.split_at_mut(said);
        unsaid.fill(0);
        self.file.read_exact_at(said, offset)
    }
}

impl StorageBackend for LookFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let over = self.lock();
        let end = end_of(offset, out.len())?;
        if end > over.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_file(over.counts, offset, out)?;
        for (page, bytes) in over
            .pages
            .range(offset / PAGE_BYTES..end.div_ceil(PAGE_BYTES))
        {
            let start = page * PAGE_BYTES;
            let (from, until) = (offset.max(start), end.min(start + PAGE_BYTES));
            let told = &bytes[index(from - start)..index(until - start)];
            out[index(from - offset)..index(until - offset)].copy_from_slice(told);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut over = self.lock();
        if length < over.length {
            over.pages.split_off(&length.div_ceil(PAGE_BYTES));
            if let Some(cut) = over.pages.get_mut(&(length / PAGE_BYTES)) {
                cut[index(length % PAGE_BYTES)..].fill(0);
            }
        }
        over.counts = over.counts.min(length);
        over.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, mut data: &[u8]) -> io::Result<()> {
        let over = &mut *self.lock();
        over.length = over.length.max(end_of(offset, data.len())?);
        let mut at = offset;
        while !data.is_empty() {
            let (page, inside) = (at / PAGE_BYTES, index(at % PAGE_BYTES));
            let bytes = match over.pages.entry(page) {
                Entry::Occupied(held) => held.into_mut(),
                Entry::Vacant(free) => {
                    let mut bytes = vec![0; index(PAGE_BYTES)];
                    self.read_file(over.counts, page * PAGE_BYTES, &mut bytes)?;
                    free.insert(bytes)
                }
            };
            let (now, later) = data.split_at(data.len().min(bytes.len() - inside));
            bytes[inside..inside + now.len()].copy_from_slice(now);
            at = end_of(at, now.len())?;
            data = later;
        }
        Ok(())
    }
}

fn end_of(offset: u64, length: usize) -> io::Result<u64> {
    let length = u64::try_from(length).map_err(io::Error::other)?;
    let end = offset.checked_add(length);
    end.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// An offset within what lies in memory; one that cannot, lies behind all of it.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(usize, Vec<u8>),
        Resize(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0_usize..20_000, prop::collection::vec(1_u8.., 1..9_000))
                .prop_map(|(offset, data)| Step::Write(offset, data)),
            (0_usize..30_000).prop_map(Step::Resize),
        ]
    }

    fn wide(length: usize) -> u64 {
        u64::try_from(length).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_reads_like_a_file_that_was_written_and_the_file_stays(
            length in 0_usize..20_000,
            steps in prop::collection::vec(step(), 0..12),
            cuts in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            let folder = TempDir::new().unwrap();
            let path = folder.path().join("file");
            let first: Vec<u8> = (1..=250).cycle().take(length).collect();
            fs::write(&path, &first).unwrap();
            let file = LookFile::open(&path).unwrap();
            let mut model = first.clone();

            for step in steps {
                match step {
                    Step::Write(offset, data) => {
                        file.write(wide(offset), &data).unwrap();
                        model.resize(model.len().max(offset + data.len()), 0);
                        model[offset..offset + data.len()].copy_from_slice(&data);
                    }
                    Step::Resize(length) => {
                        file.set_len(wide(length)).unwrap();
                        model.resize(length, 0);
                    }
                }
            }

            let mut whole = vec![0; model.len()];
            file.read(0, &mut whole).unwrap();
            prop_assert_eq!(&whole, &model);
            let (one, other) = (cuts.0.index(model.len() + 1), cuts.1.index(model.len() + 1));
            let range = one.min(other)..one.max(other);
            let mut part = vec![0; range.len()];
            file.read(wide(range.start), &mut part).unwrap();
            prop_assert_eq!(&part, &model[range]);
            prop_assert_eq!(file.len().unwrap(), wide(model.len()));
            prop_assert!(file.read(wide(model.len()), &mut [0]).is_err());
            prop_assert_eq!(fs::read(&path).unwrap(), first);
        }
    }
}
