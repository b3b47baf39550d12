//! Where a key stands among the keys of other regions that share its id and material.
//!
//! The first of them is the primary, until another is made it. It alone knows of all the others, and what they share is
//! changed by it alone; a replica knows its primary. A key of one region is a primary without replicas.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html>

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A place among related keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MultiRegion {
    /// The region of the primary; `None` in the primary itself.
    pub(crate) primary: Option<String>,
    /// The regions of the replicas; empty in a replica.
    pub(crate) replicas: BTreeSet<String>,
}

impl MultiRegion {
    /// The place of a replica of a primary in this region.
    pub(crate) fn replica_of(region: &str) -> Self {
        Self {
            primary: Some(region.to_owned()),
            replicas: BTreeSet::new(),
        }
    }

    /// Whether it is a replica's.
    pub(crate) fn is_replica(&self) -> bool {
        self.primary.is_some()
    }
}
