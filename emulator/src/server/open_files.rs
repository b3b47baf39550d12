//! How many files this process may have open, and how many connections fit into that.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many files as macOS lets anybody open.
const WANTED: u64 = 10_240;
/// More than any test opens, and 32 MiB of buffers if all of them are used.
const MOST: usize = 4_096;
/// Of three files two are left to blobs, and to whatever else the process is: a test kit's clients live in it too.
const SHARE: u64 = 3;

/// Lets the process open more, as far as it may: every connection is an open file, and so is each blob that it reads, for
/// which the 1,024 of most shells are soon too few.
pub(crate) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(WANTED, |most| most.min(WANTED));
    if limit.current.is_none_or(|files| files >= wanted) {
        return;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!("cannot have {wanted} files open at a time: {error}");
    }
}

/// The most connections that may be open.
pub(crate) fn connections() -> usize {
    let files = getrlimit(Resource::Nofile).current;
    let share = files.and_then(|files| usize::try_from(files / SHARE).ok());
    share.map_or(MOST, |share| share.clamp(1, MOST))
}
