//! Who calls: identities, and the signatures that prove them.

pub(crate) mod authenticator;
mod customer_keys;
pub(crate) mod error;
pub(crate) mod identities;
pub(crate) mod identity;
pub(crate) mod payload;
pub(crate) mod post_policy;
mod presigned;
pub(crate) mod signed_form;
mod sigv2;
mod sigv4;
#[cfg(test)]
mod tests;
