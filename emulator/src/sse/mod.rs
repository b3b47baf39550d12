//! Server-side encryption: which one applies, and how a body is sealed and opened under it.

pub(crate) mod body_keys;
pub(crate) mod choice;
pub(crate) mod customer_key;
pub(crate) mod error;
pub(crate) mod layers;
pub(crate) mod open;
pub(crate) mod seal;
