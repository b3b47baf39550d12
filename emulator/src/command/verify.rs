//! `verify`: whether all that lies in a data folder is sound. What is damaged goes to stdout, a line each, and how much was
//! looked at behind it; to a terminal on stderr, how far it has got.

use std::io::{self, IsTerminal, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use serde_json::{Value, json};
use strongroom::{Config, Damage, Tally, Verification, Verified, VerifyNote};

use crate::command::arguments::{Settings, Verify};
use crate::command::complain;
use crate::command::report::printable;

/// Something is damaged.
const DAMAGED: u8 = 1;
/// It cannot be told.
const UNVERIFIED: u8 = 2;
/// After so many blobs, or so many bytes, the line on the terminal is written anew.
const STEP_BLOBS: u64 = 64;
const STEP_BYTES: u64 = 8 * 1_024 * 1_024;

/// Verifies the folder of `--data`.
pub(crate) fn run(settings: Settings, what: &Verify) -> ExitCode {
    match verify(settings, what) {
        Ok(tally) if tally.damaged == 0 => ExitCode::SUCCESS,
        Ok(_) => DAMAGED.into(),
        Err(error) => {
            complain(&printable(&error));
            UNVERIFIED.into()
        }
    }
}

fn verify(settings: Settings, what: &Verify) -> Result<Tally, String> {
    let config = Config::from(settings);
    let folder = config
        .data
        .ok_or("verify needs the folder: --data DIR, which no server may hold")?;
    let verification = Verification {
        folder,
        root_key: config.root_key,
    };
    let mut report = Report::new(what.json);
    let done = quietly(|| verification.run(&mut |verified| report.take(verified)));
    report.clear();
    let tally = done?;
    report.end(&tally).map_err(|error| error.to_string())?;
    Ok(tally)
}

/// The database may panic on a catalogue that was altered, of which the library makes one line: nobody needs more of it.
fn quietly<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    panic::set_hook(Box::new(|_| {}));
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    drop(panic::take_hook());
    done.unwrap_or_else(|_| Err("verify itself has failed: please report this".to_owned()))
}

/// What is told on the way.
struct Report {
    is_json: bool,
    damaged: Vec<Value>,
    notes: Vec<Value>,
    progress: Option<Progress>,
    written: io::Result<()>,
}

impl Report {
    fn new(is_json: bool) -> Self {
        Self {
            is_json,
            damaged: Vec::new(),
            notes: Vec::new(),
            progress: io::stderr().is_terminal().then(Progress::default),
            written: Ok(()),
        }
    }

    fn take(&mut self, verified: Verified<'_>) {
        match verified {
            Verified::Damage(damage) if self.is_json => self.damaged.push(of_damage(damage)),
            Verified::Damage(damage) => self.line(&format!("damaged: {damage}")),
            Verified::Note(note) if self.is_json => self.notes.push(of_note(note)),
            Verified::Note(note) => self.line(&format!("note: {note}")),
            Verified::Progress(tally) => {
                if let Some(progress) = &mut self.progress {
                    progress.show(&tally);
                }
            }
            _ => {}
        }
    }

    fn line(&mut self, text: &str) {
        self.clear();
        if self.written.is_ok() {
            self.written = writeln!(io::stdout(), "{}", printable(text));
        }
    }

    /// Makes room for what comes next on the terminal.
    fn clear(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress.clear();
        }
    }

    fn end(self, tally: &Tally) -> io::Result<()> {
        self.written?;
        if !self.is_json {
            return writeln!(io::stdout(), "{}", summary(tally));
        }
        let report = json!({
            "sound": tally.damaged == 0,
            "damaged": self.damaged,
            "notes": self.notes,
            "checked": of_tally(tally),
        });
        writeln!(io::stdout(), "{report:#}")
    }
}

/// One line of the terminal, written again and again.
#[derive(Default)]
struct Progress {
    /// How much there was when it was last written.
    blobs: u64,
    bytes: u64,
}

impl Progress {
    fn show(&mut self, tally: &Tally) {
        if tally.blobs < self.blobs + STEP_BLOBS && tally.bytes < self.bytes + STEP_BYTES {
            return;
        }
        (self.blobs, self.bytes) = (tally.blobs, tally.bytes);
        let told = format!("verified {} of {}", blobs(tally), size(tally.bytes));
        // Where nobody reads, the report still tells.
        let _ = write!(io::stderr(), "\r\x1b[K{told}");
    }

    fn clear(&mut self) {
        if self.blobs > 0 {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn summary(tally: &Tally) -> String {
    let verdict = match tally.damaged {
        0 => "sound".to_owned(),
        1 => "1 is damaged".to_owned(),
        many => format!("{many} are damaged"),
    };
    let mut told = format!(
        "{verdict}: {} in {}, {} under way, {} of {}",
        counted(tally.versions, "version"),
        counted(tally.buckets, "bucket"),
        counted(tally.uploads, "upload"),
        blobs(tally),
        size(tally.bytes),
    );
    if tally.unopened > 0 {
        let unopened = counted(tally.unopened, "blob");
        let unopened = format!(
            "; {unopened} could not be opened without the customer's key, or one that was deleted: only the length was checked"
        );
        told.push_str(&unopened);
    }
    told
}

fn blobs(tally: &Tally) -> String {
    counted(tally.blobs, "blob")
}

fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// Rounded down, to a tenth of what people read best.
fn size(bytes: u64) -> String {
    let mut unit = "bytes";
    let mut tenths = bytes.saturating_mul(10);
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if tenths < 10 * 1_024 {
            break;
        }
        (unit, tenths) = (larger, tenths / 1_024);
    }
    if unit == "bytes" {
        format!("{bytes} bytes")
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

fn of_damage(damage: &Damage) -> Value {
    json!({
        "bucket": damage.bucket,
        "key": damage.key,
        "version_id": damage.version_id,
        "upload_id": damage.upload_id,
        "part_number": damage.part_number,
        "kms_key_arn": damage.kms_key_arn,
        "blob": damage.blob_id,
        "place": damage.place,
        "cause": damage.cause.name(),
        "finding": damage.cause.to_string(),
    })
}

fn of_note(note: &VerifyNote) -> Value {
    match note {
        VerifyNote::Unnamed {
            place,
            blob_id,
            goes,
        } => json!({
            "note": "unnamed",
            "blob": blob_id,
            "place": place,
            "goes": goes,
            "finding": note.to_string(),
        }),
        VerifyNote::KeyGone {
            bucket,
            key,
            kms_key_arn,
        } => json!({
            "note": "key_gone",
            "bucket": bucket,
            "key": key,
            "kms_key_arn": kms_key_arn,
            "finding": note.to_string(),
        }),
        VerifyNote::MaterialGone {
            bucket,
            key,
            kms_key_arn,
        } => json!({
            "note": "material_gone",
            "bucket": bucket,
            "key": key,
            "kms_key_arn": kms_key_arn,
            "finding": note.to_string(),
        }),
        _ => json!({ "finding": note.to_string() }),
    }
}

fn of_tally(tally: &Tally) -> Value {
    json!({
        "buckets": tally.buckets,
        "versions": tally.versions,
        "delete_markers": tally.delete_markers,
        "uploads": tally.uploads,
        "kms_keys": tally.kms_keys,
        "blobs": tally.blobs,
        "bytes": tally.bytes,
        "unopened": tally.unopened,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_down() {
        for (bytes, expected) in [
            (0, "0 bytes"),
            (1_023, "1023 bytes"),
            (1_024, "1.0 KiB"),
            (1_048_575, "1023.9 KiB"),
            (1_610_612_736, "1.5 GiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}
