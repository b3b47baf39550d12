//! Calls of redb, whatever comes of them. It may panic on a file that somebody altered: that is a damaged catalogue like
//! any other, and told in one line.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;
use std::thread;

use crate::store::error::StoreError;

thread_local! {
    /// Whether a panic of this thread is caught, and told as an error.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, and names the file in whatever goes wrong.
pub(super) fn guarded<T>(
    path: &Path,
    tried: &'static str,
    work: impl FnOnce() -> Result<T, redb::Error>,
) -> Result<T, StoreError> {
    let corrupted = |finding| StoreError::Corrupted {
        file: path.to_owned(),
        finding,
    };
    let failed = |reason: &str| StoreError::io(tried, path)(io::Error::other(reason));
    match caught(work) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(redb::Error::Io(source))) if !is_damage(&source) => {
            Err(StoreError::io(tried, path)(source))
        }
        Ok(Err(redb::Error::PreviousIo)) => Err(failed("it failed just before")),
        Ok(Err(redb::Error::DatabaseClosed)) => Err(failed("it had to be opened again")),
        Ok(Err(error)) => Err(corrupted(error.to_string())),
        Err(cause) => Err(corrupted(panic_text(cause.as_ref()))),
    }
}

fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    hush();
    let was_guarded = IS_GUARDED.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(was_guarded);
    outcome
}

/// Panics that are told as errors are not told as panics too; of all others whoever was told before still is.
fn hush() {
    static ONCE: Once = Once::new();
    // A thread that panics must not touch the hook.
    if thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                usual(panic);
            }
        }));
    });
}

/// redb tells a file that is no database, or ends too early, as an I/O error.
fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, UnexpectedEof};
    matches!(error.kind(), InvalidData | UnexpectedEof)
}

/// Its first line: one says what was found, further ones only compare values.
fn panic_text(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
    let first = text.and_then(|text| text.lines().next());
    first
        .unwrap_or("its pages contradict each other")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_damaged_catalogue_told_in_one_line() {
        let path = Path::new("catalogue");

        let refused = guarded(path, "read", || -> Result<(), _> {
            panic!("one\n  left: 1\n right: 2")
        });

        let text = refused.unwrap_err().to_string();
        assert_eq!(text, "the catalogue `catalogue` is damaged: one");
        assert!(!IS_GUARDED.get());
    }
}
