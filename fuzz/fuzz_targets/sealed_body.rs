//! What this looks for stands beside `FuzzTarget::SealedBody`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom::FuzzTarget;

fuzz_target!(|bytes: &[u8]| FuzzTarget::SealedBody.meet(bytes));
