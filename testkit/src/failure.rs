//! How a test fails: with a message that it prints, at the line of the test that asked.

/// Fails the test.
///
/// # Panics
///
/// Always.
#[track_caller]
#[expect(
    clippy::panic,
    reason = "what a test asserts and is not so has to fail it"
)]
pub(crate) fn fail(message: String) -> ! {
    std::panic::panic_any(message)
}
