//! What families share: continuation tokens, and what every listing is asked in the same words.

use crate::s3::error::S3Error;
use crate::wire::encoding::{base64, list_encode, parse_base64};
use crate::wire::query::Query;

/// A continuation token: opaque to clients, the name of the last entry to us.
#[derive(Debug)]
pub(crate) struct Token;

/// Tells our tokens from keys that somebody pastes; a second form would get another.
const TOKEN_FORM: &str = "1/";

impl Token {
    /// A token that goes on behind `last`.
    pub(crate) fn render(last: &str) -> String {
        base64(format!("{TOKEN_FORM}{last}").as_bytes())
    }

    /// Where a token goes on.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for one that we never gave.
    pub(crate) fn parse(token: &str) -> Result<String, S3Error> {
        let text = parse_base64(token).and_then(|bytes| String::from_utf8(bytes).ok());
        let last = text
            .as_deref()
            .and_then(|text| text.strip_prefix(TOKEN_FORM))
            .map(str::to_owned);
        last.ok_or_else(|| {
            S3Error::argument(
                "continuation-token",
                "The continuation token provided is incorrect",
            )
        })
    }
}

/// The most entries of one page, however many were asked for.
pub(crate) const MAX_PAGE: u32 = 1_000;

/// Reads `encoding-type`.
///
/// # Errors
///
/// `InvalidArgument`.
pub(crate) fn parse_encoding(query: &Query) -> Result<Option<String>, S3Error> {
    match query.find("encoding-type") {
        None => Ok(None),
        Some(value) if value.eq_ignore_ascii_case("url") => Ok(Some(value.to_owned())),
        Some(value) => Err(S3Error::argument_value(
            "encoding-type",
            value,
            "Invalid Encoding Method specified in Request",
        )),
    }
}

/// A text as a listing writes it: percent-encoded where that was asked for.
pub(crate) fn encode(text: &str, is_encoded: bool) -> String {
    if is_encoded {
        list_encode(text)
    } else {
        text.to_owned()
    }
}

/// Reads how many entries are wanted at most: `max-keys` and its kin. `argument` is what AWS calls it in a refusal.
///
/// # Errors
///
/// `InvalidArgument`.
pub(crate) fn parse_most(
    query: &Query,
    name: &str,
    argument: &'static str,
) -> Result<u32, S3Error> {
    let Some(text) = query.find(name).filter(|text| !text.is_empty()) else {
        return Ok(MAX_PAGE);
    };
    let Ok(number) = text.parse::<i32>() else {
        let message = format!("Provided {name} not an integer or within integer range");
        return Err(S3Error::argument_value(name, text, message));
    };
    u32::try_from(number).map_err(|_| {
        let message = format!("Argument {argument} must be an integer between 0 and 2147483647");
        S3Error::argument_value(argument, text, message)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn foreign_tokens_are_refused() {
        for token in ["", "a", "photos/cat.png", "Zm9v"] {
            assert!(Token::parse(token).is_err(), "{token}");
        }
    }

    proptest! {
        #[test]
        fn a_token_reads_back(last in "\\PC*") {
            prop_assert_eq!(Token::parse(&Token::render(&last)).unwrap(), last);
        }
    }
}
