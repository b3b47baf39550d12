//! `import`: plain files into a data folder that no server holds.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use strongroom::{Config, Import};

use crate::command::Done;
use crate::command::counter::Counter;

/// What to load.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// What export wrote, or any other seed
    #[arg(value_name = "IN")]
    from: PathBuf,
}

/// Loads it, and says what is new.
pub(crate) fn run(config: Config, what: ImportArguments) -> Done {
    let Some(data) = config.data.clone() else {
        return Err("import needs a data folder: --data DIR, while no server holds it".into());
    };
    let import = Import {
        config,
        from: what.from,
    };
    let mut counter = Counter::of(io::stderr().is_terminal());
    let runtime = tokio::runtime::Runtime::new()?;
    let done = runtime.block_on(import.run(&mut |count| counter.show(count)));
    counter.end();
    let done = done?;
    writeln!(
        io::stdout(),
        "Imported {} objects into {}; {} were there already",
        done.objects,
        data.display(),
        done.kept
    )?;
    Ok(())
}
