//! How an object is stored, as lines for people; what they are made of is the JSON of `/_emulator/stored`.

use std::fmt::Write as _;

use serde_json::Value;

/// The column at which values begin.
const COLUMN: usize = 14;

/// Lines, the last one ended too.
pub(super) fn report(told: &Value) -> String {
    let mut lines = Lines::default();
    lines.put(
        "object",
        &format!(
            "{}/{}, version {}",
            text(&told["bucket"]),
            text(&told["key"]),
            text(&told["version_id"])
        ),
    );
    lines.put("mode", &mode(told));
    lines.put("algorithm", text(&told["algorithm"]));
    lines.put("default", &default(&told["bucket_default"]));
    keys(&mut lines, told);
    if let Some(format) = told["client_side"].as_str() {
        lines.put(
            "client side",
            &format!("encrypted by its client too: {format}"),
        );
    }
    for (name, value) in told["metadata"].as_object().into_iter().flatten() {
        lines.put("metadata", &format!("{name}: {}", text(value)));
    }
    lines.put(
        "size",
        &format!(
            "{} bytes, {} as stored",
            told["size_bytes"], told["sealed_bytes"]
        ),
    );
    for blob in told["blobs"].as_array().into_iter().flatten() {
        lines.put("blob", &of_blob(blob));
        for (index, layer) in blob["layers"].as_array().into_iter().flatten().enumerate() {
            lines.put("", &of_layout(index, layer));
        }
    }
    lines.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn put(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.0, "{name:COLUMN$}{}", printable(value));
    }
}

/// Keys and metadata may hold what would drive a terminal, or break a line.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::new();
    for sign in text.chars() {
        if sign.is_control() {
            printable.extend(sign.escape_default());
        } else {
            printable.push(sign);
        }
    }
    printable
}

fn mode(told: &Value) -> String {
    let mode = text(&told["mode"]);
    if told["bucket_key"].is_null() {
        mode.to_owned()
    } else {
        format!("{mode} with a bucket key")
    }
}

/// What the bucket gives to whoever asks for nothing.
fn default(rule: &Value) -> String {
    let mut default = format!("{} of the bucket", text(&rule["algorithm"]));
    if let Some(key) = rule["kms_key_id"].as_str() {
        let _ = write!(default, " with {key}");
    }
    if rule["bucket_key_enabled"] == true {
        default.push_str(", with bucket keys");
    }
    default
}

fn keys(lines: &mut Lines, told: &Value) {
    if let Some(arn) = told["kms_key_arn"].as_str() {
        let aliases = told["kms_key_aliases"].as_array().into_iter().flatten();
        let aliases: Vec<_> = aliases.map(text).collect();
        let names = if aliases.is_empty() {
            String::new()
        } else {
            format!(" ({})", aliases.join(", "))
        };
        lines.put("KMS key", &format!("{arn}{names}"));
        lines.put("context", &context(&told["context"]));
    }
    if let Some(md5) = told["customer_key_md5"].as_str() {
        lines.put(
            "data key",
            &format!("the customer's, not stored; its MD5 is {md5}"),
        );
    }
    data_keys(lines, told);
    if let Some(wrapped) = told["bucket_key"].as_str() {
        let bound = context(&told["context"]);
        lines.put(
            "bucket key",
            &format!("{wrapped} under the KMS key, bound to {bound}"),
        );
    }
    let material = &told["kms_material"];
    if let Some(wrapped) = material["wrapped_key"].as_str() {
        let id = text(&material["id"]);
        lines.put(
            "KMS material",
            &format!("{wrapped} under the root key; its id is {id}"),
        );
    }
}

/// Where there are two layers, each key has the number of its own.
fn data_keys(lines: &mut Lines, told: &Value) {
    let layers = told["layers"].as_array().map(Vec::as_slice);
    let layers = layers.unwrap_or_default();
    for (layer, number) in layers.iter().zip(1..) {
        let Some(wrapped) = layer["wrapped_key"].as_str() else {
            continue;
        };
        let name = if layers.len() == 1 {
            "data key".to_owned()
        } else {
            format!("data key {number}")
        };
        let (under, bound) = (text(&layer["under"]), context(&layer["context"]));
        lines.put(
            &name,
            &format!("{wrapped} under the {under}, bound to {bound}"),
        );
        if let Some(key) = layer["data_key"].as_str() {
            lines.put("", &format!("in the clear: {key}"));
        }
    }
}

fn context(pairs: &Value) -> String {
    let pairs = pairs.as_object().into_iter().flatten();
    let pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name}={}", text(value)))
        .collect();
    pairs.join(", ")
}

fn of_blob(blob: &Value) -> String {
    let part = match blob["part_number"].as_u64() {
        Some(number) => format!("part {number}, "),
        None => String::new(),
    };
    let place = match text(&blob["place"]) {
        "catalogue" => "in the catalogue".to_owned(),
        file => format!("in {file}"),
    };
    let (id, size, sealed) = (
        text(&blob["id"]),
        &blob["size_bytes"],
        &blob["sealed_bytes"],
    );
    format!("{part}{id} {place}: {size} bytes, {sealed} as stored")
}

fn of_layout(index: usize, layer: &Value) -> String {
    let segments = layer["segments"].as_array().map(Vec::as_slice);
    let segments = segments.unwrap_or_default();
    let sizes = |segment: &Value| {
        let (sealed, plain) = (&segment["sealed_bytes"], &segment["plaintext_bytes"]);
        format!("{sealed} at {} ({plain} of plaintext)", segment["offset"])
    };
    let cut = match segments {
        [] => String::new(),
        [only] => format!("1 segment: {}", sizes(only)),
        [first, last] => format!("2 segments: {}, {}", sizes(first), sizes(last)),
        [first, .., last] => {
            let count = segments.len();
            format!("{count} segments: {}, … {}", sizes(first), sizes(last))
        }
    };
    let number = index + 1;
    format!(
        "layer {number}: {} bytes of header, {cut}",
        layer["header_bytes"]
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_that_drives_a_terminal_is_printed() {
        let told = json!({ "bucket": "photos", "key": "a\u{1b}[2J\nb", "version_id": "null" });

        let lines = report(&told);

        assert!(!lines.contains('\u{1b}'), "{lines}");
        assert!(
            lines.starts_with("object        photos/a\\u{1b}[2J\\nb, version null\n"),
            "{lines}"
        );
    }
}
