//! Who calls: identities, and the signatures that prove them.

pub(crate) mod authenticator;
mod customer_keys;
pub(crate) mod error;
pub(crate) mod iam_names;
pub(crate) mod identities;
pub(crate) mod identity;
mod identity_file;
pub(crate) mod lookup;
pub(crate) mod payload;
pub(crate) mod post_policy;
mod presigned;
pub(crate) mod request_keys;
pub(crate) mod role;
#[cfg(test)]
mod session_tests;
pub(crate) mod sessions;
pub(crate) mod signed_form;
mod sigv2;
mod sigv4;
#[cfg(test)]
mod tests;
