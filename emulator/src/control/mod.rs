//! What tests ask of a server beside the protocols of AWS: how an object lies in the store ([`look`] finds it, [`stored`]
//! is what comes of it, [`json`] spells it), of a running server ([`service`], behind a [`guard`]) or of a [`folder`];
//! what happened ([`journals`]); and whether some bytes lie anywhere in the clear ([`search`]).

pub(crate) mod client_side;
pub(crate) mod folder;
pub(crate) mod layout;
pub(crate) mod look;
pub(crate) mod search;
pub(crate) mod service;
pub(crate) mod stored;

mod guard;
mod journals;
mod json;
mod sealing;
