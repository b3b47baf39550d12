//! How many connections fit into what the system lets this process open.

use rustix::process::{Resource, getrlimit};

/// More than any test opens, and 32 MiB of buffers if all of them are used.
const MOST: usize = 4_096;
/// Of three files two are left to blobs, and to whatever else the process is: a test kit's clients live in it too.
const SHARE: u64 = 3;

/// The most connections that may be open.
pub(crate) fn connections() -> usize {
    let files = getrlimit(Resource::Nofile).current;
    let share = files.and_then(|files| usize::try_from(files / SHARE).ok());
    share.map_or(MOST, |share| share.clamp(1, MOST))
}
