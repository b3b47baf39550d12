//! `export`: a data folder that no server holds, as plain files.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use strongroom::{Config, Export, Exported, Step};

use crate::command::Done;
use crate::command::counter::Counter;
use crate::command::report::printable;

/// What to write, and where.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The folder to write, which is empty or not there
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// These buckets; else all
    #[arg(value_name = "BUCKET")]
    buckets: Vec<String>,
    /// Be content without the objects under customers' keys
    #[arg(long)]
    skip_customer_keys: bool,
}

/// Writes the folder, and says what is in it and what is not.
pub(crate) fn run(config: Config, what: ExportArguments) -> Done {
    if config.data.is_none() {
        return Err("export needs a data folder: --data DIR, while no server holds it".into());
    }
    let out = what.out.display().to_string();
    let export = Export {
        config,
        buckets: what.buckets,
        out: what.out,
    };
    let mut counter = Counter::of(io::stderr().is_terminal());
    let mut tell = |step: Step<'_>| match step {
        Step::Written(count) => counter.show(count),
        Step::Left {
            bucket,
            key,
            reason,
        } => counter.line(&printable(&format!("left out {bucket}/{key}: {reason}"))),
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let done = runtime.block_on(export.run(&mut tell));
    counter.end();
    let done = done?;
    let Exported {
        buckets,
        objects,
        size_bytes,
        ..
    } = done;
    writeln!(
        io::stdout(),
        "Exported {objects} objects ({size_bytes} bytes) of {buckets} buckets to {out}"
    )?;
    complaint(&done, what.skip_customer_keys).map_or(Ok(()), |left| Err(left.into()))
}

/// What is not in the folder, where that was not agreed to.
fn complaint(done: &Exported, skip_customer_keys: bool) -> Option<String> {
    let customers = if skip_customer_keys {
        0
    } else {
        done.customer_keys
    };
    match (customers, done.unreadable) {
        (0, 0) => None,
        (0, unreadable) => Some(format!(
            "{unreadable} objects could not be opened and were left out"
        )),
        (customers, unreadable) => Some(format!(
            "{} objects were left out, of them {customers} under customers' keys, which --skip-customer-keys is content without",
            customers + unreadable
        )),
    }
}
