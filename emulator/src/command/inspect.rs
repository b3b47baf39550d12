//! `inspect`: how an object is stored, of a running server or in a folder that none holds. It tells keys wrapped; only
//! whoever has a folder and its root key sees them in the clear, and only when he says so.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::Value;
use strongroom::{Config, Inspection, reachable};

use crate::command::Done;
use crate::command::arguments::{Inspect, Object, Settings};
use crate::command::client::{authority, get};
use crate::command::report::{printable, report};

/// More than any answer has: 64 MiB of stored bytes, and the segments of the largest object.
const MOST_BYTES: u64 = 256 * 1_024 * 1_024;

/// Tells how an object is stored.
pub(crate) fn run(settings: Settings, what: Inspect) -> Done {
    let as_json = what.json;
    let told = tell(settings, what).map_err(|error| printable(&error))?;
    let told: Value = serde_json::from_str(&told)
        .map_err(|error| format!("the answer is that of no server of this version: {error}"))?;
    let text = if as_json {
        format!("{told:#}\n")
    } else {
        report(&told)
    };
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// In JSON.
fn tell(settings: Settings, what: Inspect) -> Result<String, String> {
    let config = Config::from(settings);
    let Some(folder) = config.data else {
        let listen = reachable(config.listen).to_string();
        let authority = what.endpoint.as_deref().map_or(listen, authority);
        return ask(&authority, &what);
    };
    let Object { bucket, key } = what.object;
    let inspection = Inspection {
        folder,
        root_key: config.root_key,
        bucket,
        key,
        version: what.version,
        raw: what.raw,
        reveal: what.reveal,
    };
    inspection.run()
}

fn ask(authority: &str, what: &Inspect) -> Result<String, String> {
    if what.reveal {
        let refused = "a server never tells its keys: --reveal needs --data DIR, while no server holds the folder";
        return Err(refused.to_owned());
    }
    let answer = get(authority, &path(what), MOST_BYTES)?;
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    if answer.is_ok() {
        return Ok(body);
    }
    let error: Option<Value> = serde_json::from_str(&body).ok();
    let told = error.as_ref().and_then(|error| error["error"].as_str());
    Err(told.map_or_else(
        || {
            format!(
                "{authority} is no server of this version: `{}`",
                answer.status
            )
        },
        str::to_owned,
    ))
}

fn path(what: &Inspect) -> String {
    let Object { bucket, key } = &what.object;
    let mut path = format!(
        "/_emulator/stored?bucket={}&key={}",
        encode(bucket),
        encode(key)
    );
    if let Some(version) = &what.version {
        let _ = write!(path, "&version={}", encode(version));
    }
    if what.raw {
        path.push_str("&raw=true");
    }
    path
}

/// For a query: all but letters and digits as `%XX`.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_key_survives_the_query() {
        assert_eq!(encode("a/b c&d=ü%"), "a%2Fb%20c%26d%3D%C3%BC%25");
    }
}
