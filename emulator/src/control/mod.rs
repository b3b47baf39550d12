//! What tests ask of a server beside the protocols of AWS.

pub(crate) mod stored;
