//! Header groups that many operations parse.

pub(crate) mod acl;
pub(crate) mod checksums;
pub(crate) mod conditions;
pub(crate) mod encryption;
pub(crate) mod lock;
pub(crate) mod metadata;
pub(crate) mod versions;
