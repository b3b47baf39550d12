//! What lies where in the folder of a seed: `seed.json`, `buckets/NAME/…` with a file for each object, and what an export
//! adds, `objects/NAME.jsonl` with a line for each object.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::model::bucket_name::BucketName;
use crate::seed::error::{Place, SeedError};

const FILE: &str = "seed.json";
const BUCKETS: &str = "buckets";
const LISTS: &str = "objects";
const LIST: &str = ".jsonl";

/// A folder. A link to a file within it is that file; any other link is an error, whatever it stands for.
#[derive(Clone, Debug)]
pub(super) struct SeedFolder {
    /// As it was named, for whoever reads an error.
    path: PathBuf,
    /// As it is, without links.
    root: PathBuf,
}

/// Where the objects of a bucket are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holding {
    /// By files in this folder.
    Files(PathBuf),
    /// By the lines of this file, and by them alone.
    List(PathBuf),
}

/// The files of a folder and of all folders in it, by their names: each folder's in order.
pub(super) struct Files<'a> {
    seed: &'a SeedFolder,
    /// What is still to come, the next one last: the key so far, and the path.
    waiting: Vec<(String, PathBuf)>,
}

impl SeedFolder {
    /// Takes a folder that is there.
    ///
    /// # Errors
    ///
    /// [`SeedError`], where it cannot be read.
    pub(super) fn open(path: &Path) -> Result<Self, SeedError> {
        Ok(Self {
            root: path
                .canonicalize()
                .map_err(|error| Place::of_path(path).error(error))?,
            path: path.to_owned(),
        })
    }

    /// As it was named.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its JSON, where there is one.
    ///
    /// # Errors
    ///
    /// [`SeedError`] for a folder of that name, and for a link that is none to a file within the seed.
    pub(super) fn file(&self) -> Result<Option<PathBuf>, SeedError> {
        let Some(path) = self.find(FILE) else {
            return Ok(None);
        };
        if self.is_folder(&path)? {
            return Err(Place::of_path(&path).error("it is a folder"));
        }
        Ok(Some(path))
    }

    /// Whether there is nothing of a seed in it.
    pub(super) fn is_bare(&self) -> bool {
        ![FILE, BUCKETS, LISTS]
            .iter()
            .any(|name| self.find(name).is_some())
    }

    /// What has this name in the folder, a link to nothing too.
    fn find(&self, name: &str) -> Option<PathBuf> {
        let path = self.path.join(name);
        path.symlink_metadata().is_ok().then_some(path)
    }

    /// A file by its path in the folder.
    ///
    /// # Errors
    ///
    /// One line, for one that is not there or lies elsewhere.
    pub(super) fn file_at(&self, file: &str) -> Result<PathBuf, String> {
        let path = self.path.join(file);
        match self.is_folder(&path) {
            Ok(false) => Ok(path),
            Ok(true) => Err(format!("`{file}` is a folder")),
            Err(error) => Err(format!("`{file}`: {}", error.message())),
        }
    }

    /// The buckets that there is something of, by their names.
    ///
    /// # Errors
    ///
    /// As [`SeedFolder::buckets`], for the lists too.
    pub(super) fn holdings(&self) -> Result<BTreeMap<BucketName, Holding>, SeedError> {
        let files = self.buckets()?.into_iter();
        let mut holdings: BTreeMap<_, _> = files
            .map(|(name, path)| (name, Holding::Files(path)))
            .collect();
        holdings.extend(self.lists()?);
        Ok(holdings)
    }

    fn lists(&self) -> Result<Vec<(BucketName, Holding)>, SeedError> {
        let named = self.list_in(LISTS)?.into_iter();
        let read = named
            .filter(|(name, _)| !name.starts_with('.'))
            .map(|(name, path)| {
                let place = Place::of_path(&path);
                let name = name.strip_suffix(LIST);
                let name =
                    name.ok_or_else(|| place.error("a list of objects is called NAME.jsonl"))?;
                let bucket = BucketName::parse(name).map_err(|error| place.error(error))?;
                if self.is_folder(&path)? {
                    return Err(place.error("a list of objects is a file"));
                }
                Ok((bucket, Holding::List(path)))
            });
        read.collect()
    }

    /// The folders of its buckets, by their names. What begins with a dot beside them is no bucket and nobody's business.
    ///
    /// # Errors
    ///
    /// [`SeedError`] for a folder that no bucket can be called by, a file or a link beside them, what cannot be read.
    fn buckets(&self) -> Result<Vec<(BucketName, PathBuf)>, SeedError> {
        let named = self.list_in(BUCKETS)?;
        let named = named.into_iter().filter(|(name, _)| !name.starts_with('.'));
        let read = named.map(|(name, path)| {
            let place = Place::of_path(&path);
            if !self.is_folder(&path)? {
                return Err(place.error("beside the folders of buckets there are no objects"));
            }
            let bucket = BucketName::parse(&name).map_err(|error| place.error(error))?;
            Ok((bucket, path))
        });
        read.collect()
    }

    /// What lies in the folder of this name, by name; nothing where there is none.
    fn list_in(&self, name: &str) -> Result<Vec<(String, PathBuf)>, SeedError> {
        match self.find(name) {
            None => Ok(Vec::new()),
            Some(folder) if self.is_folder(&folder)? => list(&folder),
            Some(file) => Err(Place::of_path(&file).error("it is no folder")),
        }
    }

    /// The files under one of its folders.
    ///
    /// # Errors
    ///
    /// [`SeedError`] for what cannot be read.
    pub(super) fn files(&self, folder: &Path) -> Result<Files<'_>, SeedError> {
        let mut files = Files {
            seed: self,
            waiting: Vec::new(),
        };
        files.enter("", folder)?;
        Ok(files)
    }

    /// Whether a path is a folder to go into, or a file to take.
    ///
    /// # Errors
    ///
    /// [`SeedError`] for a link that leads out, to nothing or to a folder, and for what is neither file nor folder.
    fn is_folder(&self, path: &Path) -> Result<bool, SeedError> {
        let place = Place::of_path(path);
        let kind = path
            .symlink_metadata()
            .map_err(|error| place.error(error))?;
        if kind.is_dir() {
            return Ok(true);
        }
        let end = path.canonicalize().map_err(|error| place.error(error))?;
        if !end.starts_with(&self.root) {
            return Err(place.error("it leads out of the seed's folder"));
        }
        if end.is_file() {
            return Ok(false);
        }
        Err(place.error("neither a file nor a folder of its own"))
    }
}

impl Files<'_> {
    fn enter(&mut self, prefix: &str, folder: &Path) -> Result<(), SeedError> {
        let found = list(folder)?;
        let keyed = found.into_iter().rev();
        self.waiting
            .extend(keyed.map(|(name, path)| (format!("{prefix}{name}"), path)));
        Ok(())
    }

    fn step(&mut self) -> Result<Option<(String, PathBuf)>, SeedError> {
        while let Some((key, path)) = self.waiting.pop() {
            if !self.seed.is_folder(&path)? {
                return Ok(Some((key, path)));
            }
            self.enter(&format!("{key}/"), &path)?;
        }
        Ok(None)
    }
}

impl Iterator for Files<'_> {
    type Item = Result<(String, PathBuf), SeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// What lies in a folder, by name.
fn list(folder: &Path) -> Result<Vec<(String, PathBuf)>, SeedError> {
    let place = Place::of_path(folder);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| place.error(error))? {
        let path = entry.map_err(|error| place.error(error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| {
            Place::of_path(&path).error("a name that is not UTF-8 is no part of a key")
        })?;
        found.push((name.to_owned(), path.clone()));
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder of such files, each with its own name in it.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        folder
    }

    fn keys(folder: &Path, bucket: &str) -> Result<Vec<String>, String> {
        let seed = SeedFolder::open(folder).unwrap();
        let files = seed.files(&folder.join("buckets").join(bucket));
        let keys = files.and_then(|files| files.map(|file| file.map(|(key, _)| key)).collect());
        keys.map_err(|error| error.to_string())
    }

    #[test]
    fn every_file_is_a_key_in_a_fixed_order() {
        let folder = folder(&[
            "buckets/photos/z",
            "buckets/photos/a/b c",
            "buckets/photos/a/.hidden",
            "buckets/photos/.dot",
            "buckets/photos/ü",
        ]);

        let keys = keys(folder.path(), "photos").unwrap();

        assert_eq!(keys, [".dot", "a/.hidden", "a/b c", "z", "ü"]);
    }

    #[test]
    fn buckets_are_folders_of_good_names() {
        let good = folder(&["buckets/photos/a", "buckets/films/b", "buckets/.gitkeep"]);
        let names = |folder: &tempfile::TempDir| {
            let buckets = SeedFolder::open(folder.path()).unwrap().buckets();
            let named = |buckets: Vec<(BucketName, PathBuf)>| {
                let names = buckets.iter().map(|(name, _)| name.to_string());
                names.collect::<Vec<_>>().join(" ")
            };
            buckets.map(named).map_err(|error| error.to_string())
        };

        assert_eq!(names(&good).unwrap(), "films photos");
        let bad = names(&folder(&["buckets/Photos/a"])).unwrap_err();
        assert!(
            bad.contains("buckets/Photos`: not a valid bucket name"),
            "{bad}"
        );
        let file = names(&folder(&["buckets/photos"])).unwrap_err();
        assert!(file.contains("there are no objects"), "{file}");
    }

    #[test]
    fn links_are_followed_to_files_within_the_folder_alone() {
        let outside = folder(&["secret"]);
        let within = folder(&["buckets/photos/a", "shared/b"]);
        let link = within.path().join("buckets/photos/link");
        let try_link = |target: &Path| {
            let _ = fs::remove_file(&link);
            symlink(target, &link).unwrap();
            keys(within.path(), "photos")
        };

        let good = try_link(&within.path().join("shared/b"));
        let out = try_link(&outside.path().join("secret"));
        let folder = try_link(&within.path().join("shared"));
        let nothing = try_link(&within.path().join("none"));

        assert_eq!(good.unwrap(), ["a", "link"]);
        assert!(out.unwrap_err().contains("leads out"));
        assert!(folder.unwrap_err().contains("neither a file nor a folder"));
        assert!(nothing.unwrap_err().contains("photos/link`: "));
    }

    #[test]
    fn what_a_seed_is_made_of_is_held_to_the_same_links() {
        let outside = folder(&["secret.json", "photos/a"]);
        let within = folder(&["real.json", "shared/a"]);
        fs::create_dir(within.path().join("objects")).unwrap();
        fs::create_dir(within.path().join("buckets")).unwrap();
        let try_link = |name: &str, target: &Path| {
            let link = within.path().join(name);
            symlink(target, &link).unwrap();
            let seed = SeedFolder::open(within.path()).unwrap();
            let read = seed.file().and_then(|_| seed.holdings());
            fs::remove_file(&link).unwrap();
            read.map_err(|error| error.to_string())
        };

        for name in ["seed.json", "objects/photos.jsonl"] {
            assert_eq!(try_link(name, &within.path().join("real.json")).err(), None);
            let out = try_link(name, &outside.path().join("secret.json")).unwrap_err();
            assert!(out.contains("leads out of the seed's folder"), "{out}");
            let nothing = try_link(name, &within.path().join("none")).unwrap_err();
            assert!(nothing.contains("No such file"), "{nothing}");
        }
        for name in ["buckets/photos", "seed.json", "objects/photos.jsonl"] {
            let out = try_link(name, &outside.path().join("photos")).unwrap_err();
            assert!(out.contains("leads out of the seed's folder"), "{out}");
            let folder = try_link(name, &within.path().join("shared")).unwrap_err();
            assert!(folder.contains("neither a file nor a folder"), "{folder}");
        }
    }

    #[test]
    fn the_folders_of_a_seed_are_no_links() {
        let elsewhere = folder(&["buckets/photos/a", "objects/photos.jsonl"]);
        for name in ["buckets", "objects"] {
            let seed = folder(&["shared/photos/a"]);
            symlink(elsewhere.path().join(name), seed.path().join(name)).unwrap();
            let seed = SeedFolder::open(seed.path()).unwrap();

            let refused = seed.holdings().unwrap_err().to_string();

            assert!(!seed.is_bare());
            assert!(refused.contains("leads out"), "{refused}");
        }
    }
}
