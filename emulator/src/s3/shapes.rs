//! What families share: continuation tokens, owners, location constraints.

use crate::s3::error::S3Error;
use crate::wire::encoding::{base64, parse_base64};

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
