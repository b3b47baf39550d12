//! Operations on objects.

pub(crate) mod attributes;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod encryption;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod list_versions;
pub(crate) mod post_form;
pub(crate) mod put;
