//! What an object's file is called in an export: its key where that is a safe path, else a digest of it.
//!
//! A key never becomes a path that leads elsewhere, or that some file system cannot have, or has already under another
//! spelling: the line of the object tells which file is its.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::crypto::digest::sha256;
use crate::model::bucket_name::BucketName;

/// Where files lie that are called as their keys.
pub(super) const PLAIN: &str = "buckets";
/// Where all others lie, by the SHA-256 of their keys.
pub(super) const ODD: &str = "odd";
/// The longest name of one file or folder, in bytes.
const MOST_SEGMENT_BYTES: usize = 255;

/// The names that a bucket's objects have got so far. Of each only a digest is kept: two that share one cost the second
/// its plain name, and nothing else.
#[derive(Debug, Default)]
pub(super) struct Names {
    files: HashSet<u64>,
    folders: HashSet<u64>,
}

impl Names {
    /// The file of a key, from the export's folder on.
    pub(super) fn give(&mut self, bucket: &BucketName, key: &str) -> String {
        if is_safe(key) && self.is_free(key) {
            return format!("{PLAIN}/{bucket}/{key}");
        }
        format!("{ODD}/{bucket}/{}", hex::encode(sha256(key.as_bytes())))
    }

    /// Whether no name stands in the way of this one, also where case does not count; takes it then.
    fn is_free(&mut self, key: &str) -> bool {
        let folded = key.to_lowercase();
        let folders: Vec<_> = folded
            .match_indices('/')
            .map(|(at, _)| digest(&folded[..at]))
            .collect();
        let file = digest(&folded);
        let is_free = !self.files.contains(&file)
            && !self.folders.contains(&file)
            && !folders.iter().any(|folder| self.files.contains(folder));
        if is_free {
            self.files.insert(file);
            self.folders.extend(folders);
        }
        is_free
    }
}

/// Whether a key is a path that any file system can have, and that leads nowhere else.
fn is_safe(key: &str) -> bool {
    let is_safe = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.len() <= MOST_SEGMENT_BYTES
            && !segment
                .contains(|sign: char| sign.is_control() || sign == '\\' || is_combined(sign))
    };
    key.split('/').all(is_safe)
}

/// Whether a sign joins the one before it: there may be one sign for both, and some file systems take the two spellings
/// for one name.
fn is_combined(sign: char) -> bool {
    matches!(sign, '\u{300}'..='\u{36f}' | '\u{1100}'..='\u{11ff}' | '\u{3099}' | '\u{309a}')
}

fn digest(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn names(keys: &[&str]) -> Vec<String> {
        let bucket = BucketName::parse("photos").unwrap();
        let mut names = Names::default();
        keys.iter().map(|key| names.give(&bucket, key)).collect()
    }

    fn is_plain(name: &str) -> bool {
        name.starts_with("buckets/photos/")
    }

    #[test]
    fn a_usual_key_is_its_own_name() {
        assert_eq!(
            names(&["a/b c.png", ".dot", "\u{fc}"]),
            [
                "buckets/photos/a/b c.png",
                "buckets/photos/.dot",
                "buckets/photos/\u{fc}"
            ]
        );
    }

    #[test]
    fn a_key_that_is_no_safe_path_gets_another_name() {
        let long = "x".repeat(256);
        for key in [
            "..", "a/../b", ".", "/a", "a/", "a//b", "a\nb", "a\0b", "a\\b", "a\u{7f}", "u\u{308}",
            &long,
        ] {
            let name = &names(&[key])[0];

            assert!(name.starts_with("odd/photos/"), "{name}");
            assert!(!name.contains(".."), "{name}");
        }
    }

    #[test]
    fn two_keys_never_share_a_file_nor_is_one_the_folder_of_another() {
        for keys in [
            ["a", "A"],
            ["a", "a/b"],
            ["B/x", "b"],
            ["a/B/c", "A/b"],
            ["\u{dc}", "\u{fc}"],
        ] {
            let names = names(&keys);

            assert!(is_plain(&names[0]) && !is_plain(&names[1]), "{names:?}");
        }
    }

    proptest! {
        #[test]
        fn any_keys_get_files_of_their_own_below_the_folder(keys in prop::collection::btree_set("[aA./\u{fc}\\n\\\\]{1,6}", 1..20)) {
            let keys: Vec<_> = keys.iter().map(String::as_str).collect();
            let names = names(&keys);
            let folder = tempfile::tempdir().unwrap();
            for name in &names {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::File::create_new(&path).unwrap();
                let lies = path.canonicalize().unwrap();
                prop_assert!(lies.starts_with(folder.path().canonicalize().unwrap()));
            }
            let folded: BTreeSet<_> = names.iter().map(|name| name.to_lowercase()).collect();
            prop_assert_eq!(folded.len(), names.len());
        }
    }
}
