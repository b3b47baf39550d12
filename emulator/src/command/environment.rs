//! `env`: lines that a client's shell evaluates.

use std::io::{self, Write};
use std::path::{self, PathBuf};

use strongroom::{Config, reachable};

use crate::command::Done;
use crate::command::arguments::Settings;

/// What another account has left in a shell, and a client prefers.
const OTHERS: [&str; 5] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
];

/// Prints an `export` line for each variable.
pub(crate) fn run(settings: Settings, tls: bool) -> Done {
    let config = Config::from(settings);
    let address = reachable(config.listen);
    if address.port() == 0 {
        return Err("env needs the port that the server took: --listen ADDR:PORT".into());
    }
    let scheme = if tls { "https" } else { "http" };
    let ca = if tls { Some(ca_file(&config)?) } else { None };
    let mut out = io::stdout();
    writeln!(out, "unset {}", OTHERS.join(" "))?;
    for (name, value) in config.client_environment(&format!("{scheme}://{address}"), ca.as_deref())
    {
        writeln!(out, "export {name}={}", quote(&value))?;
    }
    Ok(())
}

/// Where it lies whatever folder the shell is in later.
fn ca_file(config: &Config) -> Result<PathBuf, String> {
    let given = config
        .tls
        .ca_out
        .as_ref()
        .or(config.tls.certificate.as_ref());
    let kept = config.data.as_ref().map(|data| data.join("tls/ca.pem"));
    let Some(file) = given.cloned().or(kept) else {
        let address = reachable(config.listen);
        return Err(format!(
            "env --tls needs the file that clients trust: --ca-out FILE, as the server wrote it or as http://{address}/_emulator/ca.pem tells it"
        ));
    };
    path::absolute(&file).map_err(|error| format!("`{}`: {error}", file.display()))
}

/// As a POSIX shell reads it back, whatever it holds.
fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_within_a_value_survive_the_shell() {
        assert_eq!(quote("a b$c"), "'a b$c'");
        assert_eq!(quote("it's"), r"'it'\''s'");
    }
}
