//! A data folder as plain files, and back: for whoever holds the folder and its root key.
//!
//! [`export`] writes what a seed is made of, so that [`import`] is the loading of one: [`settings`] are its `seed.json`,
//! [`bodies`] its files, called as [`names`] says. [`folder`] is where an export comes to lie, whole or not at all.

pub(crate) mod export;
pub(crate) mod import;

mod bodies;
mod folder;
mod names;
mod settings;
