//! Members over redb's tables. Every value carries its revision in front.

use redb::{ReadableTable, TableDefinition, WriteTransaction};

use crate::store::engine::{Member, Precondition, Revision, Stored, Table, Verdict, Write};

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
type Opened<'txn> = redb::Table<'txn, &'static [u8], &'static [u8]>;

/// [`Table::Rows`].
pub(super) const ROWS: Definition = TableDefinition::new("rows");
/// [`Table::Bodies`].
pub(super) const BODIES: Definition = TableDefinition::new("bodies");

const REVISION_BYTES: usize = size_of::<u128>();

/// The tables of one transaction.
pub(super) struct Tables<'txn> {
    rows: Opened<'txn>,
    bodies: Opened<'txn>,
}

impl<'txn> Tables<'txn> {
    /// Opens them, and makes them where they are missing.
    ///
    /// # Errors
    ///
    /// redb's.
    pub(super) fn open(transaction: &'txn WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            rows: transaction.open_table(ROWS)?,
            bodies: transaction.open_table(BODIES)?,
        })
    }

    /// Makes a member's changes, unless one of its preconditions fails.
    ///
    /// # Errors
    ///
    /// redb's; the transaction must not be committed then.
    pub(super) fn apply(
        &mut self,
        member: &Member,
        next_revision: impl Fn() -> Revision,
    ) -> Result<Verdict, redb::Error> {
        for precondition in &member.preconditions {
            if !self.holds(precondition)? {
                return Ok(Verdict::Conflict);
            }
        }
        for write in &member.writes {
            self.write(write, next_revision())?;
        }
        Ok(Verdict::Committed)
    }

    fn holds(&self, precondition: &Precondition) -> Result<bool, redb::Error> {
        match precondition {
            Precondition::Unchanged { key, revision } => {
                let value = self.rows.get(key.as_slice())?;
                let found = value.map(|value| revision_of(value.value())).transpose()?;
                Ok(found == *revision)
            }
            Precondition::Empty { from, until } => {
                let range = from.as_slice()..until.as_slice();
                Ok(self.rows.range(range)?.next().transpose()?.is_none())
            }
        }
    }

    fn write(&mut self, write: &Write, revision: Revision) -> Result<(), redb::Error> {
        let table = match write.table {
            Table::Rows => &mut self.rows,
            Table::Bodies => &mut self.bodies,
        };
        let key = write.key.as_slice();
        let Some(value) = &write.value else {
            table.remove(key)?;
            return Ok(());
        };
        let mut stored = table.insert_reserve(key, REVISION_BYTES + value.len())?;
        let (front, rest) = stored.as_mut().split_at_mut(REVISION_BYTES);
        front.copy_from_slice(&revision.0.to_be_bytes());
        rest.copy_from_slice(value);
        Ok(())
    }
}

fn revision_of(stored: &[u8]) -> Result<Revision, redb::Error> {
    let front = stored.first_chunk::<REVISION_BYTES>();
    front
        .map(|bytes| Revision(u128::from_be_bytes(*bytes)))
        .ok_or_else(|| redb::Error::Corrupted("a value without its revision".to_owned()))
}

/// Takes a value apart.
///
/// # Errors
///
/// `Corrupted` when it is too short.
pub(super) fn unpack(stored: &[u8]) -> Result<Stored, redb::Error> {
    Ok(Stored {
        revision: revision_of(stored)?,
        value: stored[REVISION_BYTES..].to_vec(),
    })
}
