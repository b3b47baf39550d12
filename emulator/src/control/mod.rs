//! What tests ask of a server beside the protocols of AWS: how an object lies in the store ([`look`] finds it, [`stored`]
//! is what comes of it, [`json`] spells it), of a running server ([`service`], behind a [`guard`]) or of a [`folder`];
//! whether all that lies in a folder is sound ([`verify`]); what happened ([`journals`]); what is to go wrong ([`rules`]); all of its state, to be reset or put
//! back ([`state`]); and whether some bytes lie anywhere in the clear ([`search`]).

pub(crate) mod client_side;
pub(crate) mod damage;
pub(crate) mod folder;
pub(crate) mod gate;
pub(crate) mod layout;
pub(crate) mod look;
pub(crate) mod search;
pub(crate) mod service;
pub(crate) mod state;
pub(crate) mod stored;
pub(crate) mod verify;

mod blob_check;
mod guard;
mod journals;
mod json;
mod rules;
mod sealing;
