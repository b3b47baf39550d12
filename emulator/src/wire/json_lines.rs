//! JSON that people write, read item by item, so that what is wrong with one is told with its line and without its values.

use serde::Deserialize;
use serde_json::value::RawValue;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// On which line, from 1.
    pub(crate) line: usize,
    /// What.
    pub(crate) message: String,
}

/// The text of a file.
///
/// # Errors
///
/// [`Finding`] where it is not UTF-8.
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, Finding> {
    std::str::from_utf8(bytes).map_err(|error| Finding {
        line: line_behind(&bytes[..error.valid_up_to()]),
        message: "it is not UTF-8".to_owned(),
    })
}

/// Reads a text that is one object.
///
/// # Errors
///
/// [`Finding`].
pub(crate) fn parse_object<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Finding> {
    let start = text.trim_start();
    if !start.is_empty() && !start.starts_with('{') {
        return Err(Finding {
            line: line_behind(&text.as_bytes()[..text.len() - start.len()]),
            message: "a JSON object is expected here".to_owned(),
        });
    }
    serde_json::from_str(text).map_err(|error| Finding {
        line: error.line(),
        message: told(&error),
    })
}

/// Reads an object that is part of a text, and tells the line on which it begins.
///
/// # Errors
///
/// [`Finding`], with the line in the whole.
pub(crate) fn parse_item<'t, T: Deserialize<'t>>(
    text: &str,
    item: &'t RawValue,
) -> Result<(usize, T), Finding> {
    let first = line_of(text, item);
    let read = parse_object(item.get()).map_err(|finding| Finding {
        line: first + finding.line.saturating_sub(1),
        ..finding
    });
    Ok((first, read?))
}

/// The line on which a part of a text begins, from 1: it lies in the text, which is what its address says.
pub(crate) fn line_of(text: &str, part: &RawValue) -> usize {
    let offset = part.get().as_ptr().addr() - text.as_ptr().addr();
    line_behind(&text.as_bytes()[..offset])
}

/// What is wrong, without the position that serde appends, and without a value of another type, which may be a secret.
pub(crate) fn told(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let told = told.strip_suffix(&position).unwrap_or(&told);
    let Some((kind, expected)) = told.rsplit_once(", expected ") else {
        return told.to_owned();
    };
    match kind.find(['`', '"']) {
        Some(value) if kind.starts_with("invalid type: ") => {
            format!("{}, expected {expected}", kind[..value].trim_end())
        }
        _ => told.to_owned(),
    }
}

/// The line that follows these bytes, from 1.
fn line_behind(bytes: &[u8]) -> usize {
    bytes.split(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Whole<'t> {
        #[serde(borrow)]
        items: Vec<&'t RawValue>,
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        #[serde(rename = "secret")]
        _secret: String,
    }

    fn item(text: &str) -> Finding {
        let whole: Whole<'_> = parse_object(text).unwrap();
        parse_item::<Item>(text, whole.items[0]).unwrap_err()
    }

    #[test]
    fn a_value_of_another_type_is_not_told() {
        for (value, kind) in [("123456", "integer"), ("[\n\"123456\"]", "sequence")] {
            let found = item(&format!("{{\"items\":\n[{{\n\"secret\":{value}}}]}}"));

            assert_eq!(found.line, 3);
            assert!(found.message.contains(kind), "{}", found.message);
            assert!(!found.message.contains("123456"), "{}", found.message);
        }
        let whole = parse_object::<Whole<'_>>("{\"items\": \"hunter2\"}");
        assert!(!whole.unwrap_err().message.contains("hunter2"));
    }

    #[test]
    fn only_an_object_is_one() {
        assert_eq!(parse_object::<Whole<'_>>("\n\n[[]]").unwrap_err().line, 3);
        assert_eq!(item("{\"items\": [\n\n[\"secret\"]]}").line, 3);
    }

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        assert_eq!(text_of(b"{\n\"a\xff\"}").unwrap_err().line, 2);
    }
}
