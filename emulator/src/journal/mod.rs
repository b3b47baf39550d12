//! What happened: every request ([`requests`] remembers them, [`received`] is what is told of one, [`kept`] how little of
//! it stays, [`secrets`] what never does), and the calls of KMS among and behind them.

pub(crate) mod kept;
pub(crate) mod kms_calls;
pub(crate) mod received;
pub(crate) mod requests;

mod secrets;
