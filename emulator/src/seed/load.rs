//! Which seeds there are, and in what order they are loaded: `--init` first, then each `--seed` as they were given; of
//! each its KMS keys, its buckets, its objects.

use std::fs;
use std::path::Path;

use crate::auth::identities::Identities;
use crate::config::{Config, Seed};
use crate::seed::client::InProcess;
use crate::seed::error::{Place, SeedError};
use crate::seed::file::SeedFile;
use crate::seed::folder::{Holding, SeedFolder};
use crate::seed::objects::{self, NewObject};
use crate::seed::{buckets, keys, listed};
use crate::wire::json_lines;

/// A seed, its JSON read.
#[derive(Debug)]
pub(crate) struct Source {
    file: SeedFile,
    folder: Option<SeedFolder>,
}

/// Makes all that these seeds say, but for the identities.
///
/// # Errors
///
/// [`SeedError`] for the first thing that cannot be made, or the first file that cannot be read.
pub(crate) async fn all(client: InProcess<'_>, sources: &[Source]) -> Result<(), SeedError> {
    for source in sources {
        source.load(client, &mut |_| {}).await?;
    }
    Ok(())
}

/// Makes all that one seed says, but for the identities; `count` is told of each object whether it is new.
///
/// # Errors
///
/// As [`all`].
pub(crate) async fn one(
    client: InProcess<'_>,
    seed: &Seed,
    count: &mut (dyn FnMut(bool) + Send),
) -> Result<(), SeedError> {
    Source::of_seed(seed)?.load(client, count).await
}

/// Adds the identities of all seeds.
///
/// # Errors
///
/// [`SeedError`] for what cannot be read, and for an identity that cannot be.
pub(crate) fn identities(config: &Config, known: &mut Identities) -> Result<(), SeedError> {
    for source in sources(config)? {
        let Some((place, text)) = &source.file.identities else {
            continue;
        };
        let added = known.add_file(text.expose().as_bytes());
        added.map_err(|finding| place.found(finding))?;
    }
    Ok(())
}

/// The seeds of these settings, in their order.
///
/// # Errors
///
/// [`SeedError`] for the first that cannot be read.
pub(crate) fn sources(config: &Config) -> Result<Vec<Source>, SeedError> {
    let init = config.init.iter().filter(|path| path.exists());
    let init = init.map(|path| Source::of_folder(SeedFolder::open(path)?));
    let given = config.seeds.iter().map(Source::of_seed);
    init.chain(given).collect()
}

impl Source {
    fn of_seed(seed: &Seed) -> Result<Self, SeedError> {
        let path = match seed {
            Seed::Json(text) => {
                let file = SeedFile::parse(&Place::default(), text.expose())?;
                return Ok(Self { file, folder: None });
            }
            Seed::Path(path) => path,
        };
        if !path.is_dir() {
            return Ok(Self {
                file: read(path)?,
                folder: None,
            });
        }
        let folder = SeedFolder::open(path)?;
        if folder.is_bare() {
            return Err(Place::of_path(path).error("there is neither a seed.json nor buckets/"));
        }
        Self::of_folder(folder)
    }

    fn of_folder(folder: SeedFolder) -> Result<Self, SeedError> {
        let file = folder.file()?.map(|path| read(&path)).transpose()?;
        Ok(Self {
            file: file.unwrap_or_default(),
            folder: Some(folder),
        })
    }

    async fn load(
        &self,
        client: InProcess<'_>,
        count: &mut (dyn FnMut(bool) + Send),
    ) -> Result<(), SeedError> {
        for (place, key) in &self.file.keys {
            let made = keys::make(client, key).await;
            made.map_err(|error| place.error(error))?;
        }
        for (place, bucket) in &self.file.buckets {
            let made = buckets::make(client, bucket).await;
            made.map_err(|error| place.error(error))?;
        }
        match &self.folder {
            Some(folder) => load_objects(client, folder, count).await,
            None => Ok(()),
        }
    }
}

async fn load_objects(
    client: InProcess<'_>,
    folder: &SeedFolder,
    count: &mut (dyn FnMut(bool) + Send),
) -> Result<(), SeedError> {
    for (name, holding) in folder.holdings()? {
        let bucket = buckets::find_or_make(client, &name).await;
        let bucket = bucket.map_err(|error| Place::of_path(folder.path()).error(error))?;
        match holding {
            Holding::List(list) => {
                listed::load(client, &bucket, (folder, &list), count).await?;
            }
            Holding::Files(files) => {
                for file in folder.files(&files)? {
                    let (key, path) = file?;
                    let object = NewObject {
                        key: &key,
                        path: &path,
                        headers: objects::typed(&key),
                    };
                    let put = objects::put(client, &bucket, object).await;
                    count(put.map_err(|error| Place::of_path(&path).error(error))?);
                }
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<SeedFile, SeedError> {
    let place = Place::of_path(path);
    let bytes = fs::read(path).map_err(|error| place.error(error))?;
    let text = json_lines::text_of(&bytes).map_err(|finding| place.found(finding))?;
    SeedFile::parse(&place, text)
}
