//! `import`: an export, or any seed, loaded into a data folder that no server holds.

use std::path::PathBuf;

use crate::archive::settings;
use crate::config::{Config, Seed};
use crate::seed::client::InProcess;
use crate::seed::load;
use crate::start::assemble;

/// Plain files that somebody wants in a data folder.
#[derive(Clone, Debug)]
pub struct Import {
    /// The settings of its server, with the data folder, which is made where it is missing and which no server may hold.
    pub config: Config,
    /// What an export wrote, or any other seed.
    pub from: PathBuf,
}

/// What was imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Objects.
    pub objects: u64,
    /// Objects that were there already, and stayed as they were.
    pub kept: u64,
}

impl Import {
    /// Loads it; `tell` is told how many objects have been looked at, each time that one has. What is in the folder
    /// already stays.
    ///
    /// # Errors
    ///
    /// One line, with the place of what cannot be imported: what came before it is in the folder.
    pub async fn run(&self, tell: &mut (dyn FnMut(u64) + Send)) -> Result<Imported, String> {
        let household = assemble(&settings::without_seeds(&self.config)).await;
        let household = household.map_err(|error| error.to_string())?;
        let client = InProcess {
            config: &self.config,
            s3: &household.services.s3,
            kms: &household.services.kms,
        };
        let seed = Seed::Path(self.from.clone());
        let mut imported = Imported::default();
        let mut count = |is_new| {
            let counter = if is_new {
                &mut imported.objects
            } else {
                &mut imported.kept
            };
            *counter += 1;
            tell(imported.objects + imported.kept);
        };
        let loaded = load::one(client, &seed, &mut count).await;
        loaded.map_err(|error| error.to_string())?;
        Ok(imported)
    }
}
