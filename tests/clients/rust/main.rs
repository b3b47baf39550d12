//! Rust's clients against servers in the test's own process: each keeps letters in every mode, and the test looks how they
//! lie.

mod guide;
mod http2;
mod opendal_operator;
mod presigned;
mod processes;
mod readme;
mod sdk;
mod sdk_sse_c;
mod sdk_uploads;
mod servers;
mod store;
mod store_modes;
mod store_sse_c;
