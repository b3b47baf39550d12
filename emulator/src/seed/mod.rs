//! Seeds: what a server is told to hold before it is ready, in a JSON file or a folder.
//!
//! [`file`] reads the JSON ([`document`], of [`words`] that know their line), [`folder`] knows what lies where. [`load`]
//! makes it all, [`keys`] first, since [`buckets`] name them, then [`objects`], or those that are [`listed`], a
//! [`record`] each; everything as any client would, in process
//! ([`client`]). What is there already stays: a seed is loaded again at each start. [`error`] is why it cannot be.

pub(crate) mod client;
pub(crate) mod error;
pub(crate) mod load;
pub(crate) mod record;

mod buckets;
mod document;
mod file;
mod folder;
mod grants;
mod keys;
mod listed;
mod objects;
mod words;
