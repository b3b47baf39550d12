//! KMS's JSON protocol and its operations.

pub(crate) mod alias_name;
pub(crate) mod service;

mod context;
mod error;
mod grant_terms;
mod key_policy;
mod lockout;
mod members;
mod metadata;
mod operation;
pub(crate) mod operations;
mod pages;
mod tags;
