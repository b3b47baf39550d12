//! How the command explains itself: settings under headings, at each subcommand only those that it reads, and in one line
//! what is wrong with a command line.

use std::env;
use std::ffi::{OsStr, OsString};

use clap::error::Result;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::command::arguments::Arguments;

/// Every setting has one of these.
const HEADINGS: [(&str, &[&str]); 6] = [
    ("Server", &["listen", "host", "strict_region"]),
    ("Data", &["data"]),
    (
        "Credentials",
        &[
            "region",
            "account",
            "access_key",
            "secret_key",
            "identities",
            "auth",
        ],
    ),
    (
        "Start contents",
        &["bucket", "kms_key", "seed", "init", "new_buckets"],
    ),
    ("TLS", &["tls_cert", "tls_key", "ca_out", "strict_tls"]),
    ("Logging", &["log", "log_format"]),
];
/// Which settings a subcommand reads, where that is not the folder alone. It takes all of them, but shows no others.
const READS: [(&str, &[&str]); 4] = [
    (
        "env",
        &[
            "listen",
            "data",
            "region",
            "access_key",
            "secret_key",
            "tls_cert",
            "ca_out",
        ],
    ),
    ("healthcheck", &["listen"]),
    ("inspect", &["listen", "data"]),
    ("completions", &[]),
];
const EXAMPLES: &str = "\
Examples:
  strongroom                                   Serve on 127.0.0.1:4566, and keep nothing
  eval \"$(strongroom env)\"                     Let this shell's AWS clients talk to it
  strongroom --data ./data --bucket photos     Keep everything in ./data; make a bucket
  strongroom --listen 127.0.0.1:0              Take any free port; it is told on stdout
  strongroom inspect photos/cat.png            Tell how an object is stored
  strongroom verify --data ./data              Tell whether all of it is sound

Without a root.key in its folder, --data takes STRONGROOM_ROOT_KEY: 32 bytes in base64.";
const MORE: &str = "All settings: strongroom --help";

/// Reads a command line, its first word included.
///
/// # Errors
///
/// What clap says: help and version too.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Arguments> {
    let mut matches = arranged().try_get_matches_from(words)?;
    let is_outdone = matches
        .subcommand()
        .is_some_and(|(_, of_command)| is_outdone(of_command));
    let mut arguments = Arguments::from_arg_matches_mut(&mut matches)?;
    if is_outdone {
        arguments.forget_endpoint();
    }
    Ok(arguments)
}

/// Whether an endpoint is only what the shell has for its clients, while the command line says where to look.
fn is_outdone(matches: &ArgMatches) -> bool {
    let is_from = |name: &str, source: ValueSource| {
        matches.try_contains_id(name).unwrap_or(false) && matches.value_source(name) == Some(source)
    };
    is_from("endpoint", ValueSource::EnvVariable) && is_from("listen", ValueSource::CommandLine)
}

/// The command as it shows itself.
pub(crate) fn arranged() -> Command {
    let mut command = Arguments::command()
        .after_help(EXAMPLES)
        .mut_args(under_heading)
        .mut_subcommands(|command| command.mut_args(under_heading));
    // Only now each subcommand has the settings, which come from above, to hide them one by one.
    command.build();
    command.mut_subcommands(narrowed)
}

/// What a command line is refused for, and what to do, in one line.
pub(crate) fn in_one_line(error: &clap::Error) -> String {
    let told = error.render().to_string();
    let lines = told.lines().map(str::trim);
    let lines =
        lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let mut line = String::new();
    for part in lines.filter(|line| !line.is_empty()) {
        match part.strip_prefix("tip: ") {
            Some(tip) => line.extend(["; ", tip]),
            None if line.is_empty() => line.push_str(part.trim_start_matches("error: ")),
            None => line.extend([" ", part]),
        }
    }
    line + "; see --help"
}

/// What the environment holds is nothing that help has to show: a secret may be among it.
fn under_heading(arg: Arg) -> Arg {
    let is_empty = |name: &OsStr| env::var_os(name).is_some_and(|value| value.is_empty());
    let arg = match arg.get_env() {
        // As `${X:-}` of compose sets it: as if it were not there.
        Some(name) if is_empty(name) => arg.env("").hide_env(true),
        _ => arg.hide_env_values(true),
    };
    match HEADINGS.iter().find(|(_, names)| is_one_of(&arg, names)) {
        Some((heading, _)) => arg.help_heading(*heading),
        None => arg,
    }
}

fn narrowed(command: Command) -> Command {
    let name = command.get_name().to_owned();
    if matches!(name.as_str(), "serve" | "help") {
        return command;
    }
    let reads = READS.iter().find(|(command, _)| *command == name);
    let reads = reads.map_or(&["data"][..], |(_, names)| names);
    let more = match command.get_after_help() {
        Some(own) => format!("{own}\n{MORE}"),
        None => MORE.to_owned(),
    };
    let is_setting = |arg: &Arg| HEADINGS.iter().any(|(_, names)| is_one_of(arg, names));
    let hidden = |arg: Arg| {
        let hides = is_setting(&arg) && !is_one_of(&arg, reads);
        arg.hide(hides)
    };
    command.mut_args(hidden).after_help(more)
}

fn is_one_of(arg: &Arg, names: &[&str]) -> bool {
    names.contains(&arg.get_id().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(words: &[&str]) -> String {
        let words = words.iter().map(OsString::from);
        parse(words).unwrap_err().render().to_string()
    }

    fn refused(words: &[&str]) -> String {
        let words = words.iter().map(OsString::from);
        in_one_line(&parse(words).unwrap_err())
    }

    #[test]
    fn clap_finds_no_fault_with_the_command() {
        arranged().debug_assert();
    }

    #[test]
    fn every_setting_stands_under_a_heading() {
        let command = arranged();
        let settings = command.get_arguments().filter(|arg| arg.is_global_set());

        let homeless: Vec<_> = settings
            .filter(|arg| arg.get_help_heading().is_none())
            .map(|arg| arg.get_id().as_str())
            .collect();

        assert_eq!(homeless, ["help"; 0]);
    }

    #[test]
    fn the_whole_help_has_every_heading_once_and_examples_behind_them() {
        for words in [&["strongroom", "--help"], &["strongroom", "-h"]] {
            let told = help(words);

            let headings =
                HEADINGS.map(|(heading, _)| told.matches(&format!("\n{heading}:\n")).count());
            assert_eq!(headings, [1; 6], "{told}");
            assert!(
                told.find("\nExamples:\n") > told.find("\nLogging:\n"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_subcommand_shows_what_it_reads_and_takes_the_rest() {
        let told = help(&["strongroom", "inspect", "--help"]);
        let taken = parse(["strongroom", "inspect", "a/b", "--log", "info"].map(OsString::from));

        assert!(
            told.contains("--data <DIR>") && told.contains("--reveal"),
            "{told}"
        );
        assert!(
            !told.contains("--secret-key") && !told.contains("--log"),
            "{told}"
        );
        assert!(told.contains(MORE), "{told}");
        assert_eq!(taken.unwrap().settings.log, "info");
    }

    #[test]
    fn serve_shows_every_setting() {
        let told = help(&["strongroom", "serve", "--help"]);

        assert!(
            told.contains("--secret-key") && told.contains("--log-format"),
            "{told}"
        );
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for (words, expected) in [
            (
                &["strongroom", "--auth", "maybe"][..],
                "invalid value 'maybe' for '--auth <AUTH>' [possible values: verify, off]; see --help",
            ),
            (
                &["strongroom", "--listen", "localhost:80"],
                "invalid value 'localhost:80' for '--listen <ADDR:PORT>': an address is IP:PORT, like 127.0.0.1:4566; \
                 port 0 takes any that is free; see --help",
            ),
            (
                &["strongroom", "inspect"],
                "the following required arguments were not provided: <BUCKET/KEY>; see --help",
            ),
            (
                &["strongroom", "--buckets", "a"],
                "unexpected argument '--buckets' found; a similar argument exists: '--bucket'; see --help",
            ),
            (
                &["strongroom", "verfy"],
                "unrecognized subcommand 'verfy'; a similar subcommand exists: 'verify'; see --help",
            ),
        ] {
            assert_eq!(refused(words), expected);
        }
    }
}
