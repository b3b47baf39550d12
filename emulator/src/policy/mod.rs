//! Policies: documents, and whether somebody may do something.
//!
//! A [`document`] is read by [`parse`] into types that cannot hold a bad value, or refused with a [`flaw`]; [`decision`]
//! asks all policies that have a say about a [`question`]. Services bring what they know: the [`caller`], the [`keys`]
//! that conditions look at, and
//! which kinds of policies there are; [`permissions`] are the caller's own.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies.html>

pub(crate) mod caller;
pub(crate) mod decision;
pub(crate) mod document;
pub(crate) mod flaw;
pub(crate) mod keys;
pub(crate) mod parse;
pub(crate) mod permissions;
pub(crate) mod question;

mod comparison;
mod condition;
mod json;
#[cfg(test)]
mod laws;
mod matching;
mod moment;
mod pattern;
mod principal;
mod render;
#[cfg(test)]
mod rows;
mod template;
