//! STS's query protocol and its operations: who somebody is, and temporary credentials for him.

pub(crate) mod error;
pub(crate) mod service;

mod condition_keys;
mod context;
mod document;
mod form;
mod members;
mod operation;
mod operations;
mod permit;
mod session;
