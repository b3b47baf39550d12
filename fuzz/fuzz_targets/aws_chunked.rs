//! What this looks for stands beside `FuzzTarget::AwsChunked`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom::FuzzTarget;

fuzz_target!(|bytes: &[u8]| FuzzTarget::AwsChunked.meet(bytes));
