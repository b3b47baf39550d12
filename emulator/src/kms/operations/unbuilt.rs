//! Operations that KMS has and this server does not yet: each is known, signed for, journalled, and refused.

use crate::kms::operation::Entry;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::unbuilt("CreateGrant"),
    Entry::unbuilt("ListGrants"),
    Entry::unbuilt("ListRetirableGrants"),
    Entry::unbuilt("RetireGrant"),
    Entry::unbuilt("RevokeGrant"),
];
