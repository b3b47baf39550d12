//! The table of operations, and how one is found.

use crate::sts::context::Context;
use crate::sts::document::Node;
use crate::sts::error::StsError;
use crate::sts::form::Form;

/// A row of the table.
#[derive(Debug)]
pub(super) struct Entry {
    /// AWS's name.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) call: Call,
}

/// What an operation does: it reads its members, and tells the elements of its result.
pub(super) type Run = fn(&Context<'_>, &Form) -> Result<Vec<Node>, StsError>;

/// What is behind a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    /// This.
    Operation(Run),
    /// Nothing yet.
    Unbuilt,
}

impl Entry {
    /// An operation.
    pub(super) const fn of(name: &'static str, run: Run) -> Self {
        Self {
            name,
            call: Call::Operation(run),
        }
    }

    /// One that says that it is not built.
    pub(super) const fn unbuilt(name: &'static str) -> Self {
        Self {
            name,
            call: Call::Unbuilt,
        }
    }
}
