//! Texts with policy variables: `home/${aws:username}/*`.
//!
//! A star that stands in the text is wild; one that comes out of a variable, or is written `${*}`, is a star.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use crate::policy::keys::{ContextKeys, normal};
use crate::policy::pattern::{Token, tokens};

/// A text as it was written, and taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// As it was written.
    pub(super) source: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// `${*}`, `${?}`, `${$}`.
    Letter(char),
    Variable {
        key: String,
        default: Option<String>,
    },
}

impl Template {
    /// A text without variables.
    pub(super) fn plain(source: String) -> Self {
        let pieces = vec![Piece::Text(source.clone())];
        Self { source, pieces }
    }

    /// A text with variables in what stands behind so many bytes.
    // AWS: unverified. That what is no variable, such as `${` without an end, is plain text.
    pub(super) fn with_variables(source: String, behind: usize) -> Self {
        let (plain, mut rest) = source.split_at(behind);
        let mut pieces = vec![Piece::Text(plain.to_owned())];
        while let Some((before, opened)) = rest.split_once("${") {
            pieces.push(Piece::Text(before.to_owned()));
            let variable = opened.split_once('}');
            let Some((piece, behind)) =
                variable.and_then(|(inner, behind)| Some((variable_piece(inner)?, behind)))
            else {
                pieces.push(Piece::Text("${".to_owned()));
                rest = opened;
                continue;
            };
            pieces.push(piece);
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Self { source, pieces }
    }

    /// As a pattern; `None` where a variable has no value.
    pub(super) fn pattern(&self, keys: &ContextKeys) -> Option<Vec<Token>> {
        let mut pattern = Vec::with_capacity(self.source.len());
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => pattern.extend(tokens(text)),
                Piece::Letter(letter) => pattern.push(Token::Letter(*letter)),
                Piece::Variable { key, default } => {
                    let value = keys.single(key).or(default.as_deref())?;
                    pattern.extend(value.chars().map(Token::Letter));
                }
            }
        }
        Some(pattern)
    }

    /// As a text, in which nothing is wild; `None` where a variable has no value.
    pub(super) fn text(&self, keys: &ContextKeys) -> Option<String> {
        let mut whole = String::with_capacity(self.source.len());
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => whole.push_str(text),
                Piece::Letter(letter) => whole.push(*letter),
                Piece::Variable { key, default } => {
                    whole.push_str(keys.single(key).or(default.as_deref())?);
                }
            }
        }
        Some(whole)
    }
}

/// What stands between the braces: a letter, a key, or a key with a default in single quotes.
fn variable_piece(inner: &str) -> Option<Piece> {
    let mut letters = inner.chars();
    if let (Some(letter @ ('*' | '?' | '$')), None) = (letters.next(), letters.next()) {
        return Some(Piece::Letter(letter));
    }
    let (key, default) = match inner.split_once(',') {
        None => (inner, None),
        Some((key, default)) => {
            let default = default.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (key, Some(default.to_owned()))
        }
    };
    let key = key.trim();
    key.contains(':').then(|| Piece::Variable {
        key: normal(key),
        default,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::pattern::matches;

    fn keys() -> ContextKeys {
        ContextKeys::default()
            .with("aws:username", "a*n")
            .with("aws:PrincipalTag/team", "blue")
            .with_set("aws:TagKeys", ["one"])
    }

    #[test]
    fn variables_stand_for_the_values_of_single_valued_keys() {
        let cases = [
            ("plain", Some("plain")),
            ("${aws:username}", Some("a*n")),
            ("home/${AWS:UserName}/x", Some("home/a*n/x")),
            ("${aws:PrincipalTag/team, 'none'}", Some("blue")),
            (
                "${aws:PrincipalTag/cost, 'company-wide'}",
                Some("company-wide"),
            ),
            ("${aws:PrincipalTag/cost}", None),
            ("${aws:TagKeys}", None),
            ("${*}${?}${$}{x}", Some("*?${x}")),
            ("${aws:username", Some("${aws:username")),
            ("${} ${x}", Some("${} ${x}")),
        ];
        for (source, expected) in cases {
            let template = Template::with_variables(source.to_owned(), 0);
            assert_eq!(template.text(&keys()).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn what_comes_out_of_a_variable_is_not_wild() {
        let fits = |source: &str, text| {
            let template = Template::with_variables(source.to_owned(), 0);
            matches(&template.pattern(&keys()).unwrap(), text)
        };

        assert!(fits("${aws:username}/*", "a*n/x"));
        assert!(!fits("${aws:username}/*", "aan/x"));
        assert!(fits("${*}?", "*?"));
        assert!(!fits("${*}?", "ab"));
    }

    #[test]
    fn a_plain_text_has_no_variables_and_neither_has_the_head_of_another() {
        let plain = Template::plain("${aws:username}".to_owned());
        let behind = Template::with_variables("${aws:username}:${aws:username}".to_owned(), 16);

        assert_eq!(plain.text(&keys()).as_deref(), Some("${aws:username}"));
        assert_eq!(behind.text(&keys()).as_deref(), Some("${aws:username}:a*n"));
    }
}
