//! Patterns: `*` stands for any letters, `?` for any one.

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// This letter.
    Letter(char),
    /// Any one letter.
    One,
    /// Any letters, or none.
    Many,
}

/// A pattern as it was written, and taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// As it was written.
    pub(super) source: String,
    tokens: Vec<Token>,
}

impl Pattern {
    /// Takes a pattern apart that matches without regard to the case of ASCII letters.
    pub(super) fn ignoring_case(source: String) -> Self {
        let tokens = tokens(&source.to_ascii_lowercase()).collect();
        Self { source, tokens }
    }

    /// Whether it matches a text in lower case.
    pub(super) fn matches_lower(&self, lower: &str) -> bool {
        matches(&self.tokens, lower)
    }
}

/// What a text means in which `*` and `?` are wild.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token> + '_ {
    text.chars().map(|letter| match letter {
        '*' => Token::Many,
        '?' => Token::One,
        letter => Token::Letter(letter),
    })
}

/// Whether a pattern matches all of a text. It goes back to the last star alone, so that a pattern full of stars costs no
/// more than its length times the text's.
pub(super) fn matches(pattern: &[Token], text: &str) -> bool {
    let mut at = 0;
    let mut rest = text.chars();
    let mut last_star = None;
    loop {
        if pattern.get(at) == Some(&Token::Many) {
            at += 1;
            last_star = Some((at, rest.clone()));
            continue;
        }
        let Some(letter) = rest.next() else {
            return at == pattern.len();
        };
        match pattern.get(at) {
            Some(Token::One) => at += 1,
            Some(&Token::Letter(wanted)) if wanted == letter => at += 1,
            _ => {
                let Some((behind, eaten)) = &mut last_star else {
                    return false;
                };
                if eaten.next().is_none() {
                    return false;
                }
                at = *behind;
                rest = eaten.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        matches(&tokens(pattern).collect::<Vec<_>>(), text)
    }

    /// What the matcher must agree with: each star tries everything.
    fn tries_everything(pattern: &[Token], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((Token::Many, behind)), _) => {
                (0..=text.len()).any(|eaten| tries_everything(behind, &text[eaten..]))
            }
            (Some((Token::One, behind)), Some((_, rest))) => tries_everything(behind, rest),
            (Some((Token::Letter(wanted), behind)), Some((letter, rest))) => {
                wanted == letter && tries_everything(behind, rest)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_trying_everything(pattern in "[ab*?ß]{0,9}", text in "[abß]{0,9}") {
            let tokens: Vec<_> = tokens(&pattern).collect();
            let letters: Vec<_> = text.chars().collect();

            prop_assert_eq!(matches(&tokens, &text), tries_everything(&tokens, &letters));
        }
    }

    #[test]
    fn patterns_match_as_globs_do() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("kms:*policy", "kms:putkeypolicy", true),
            ("k?s:*key*", "kms:putkeypolicy", true),
            ("kms:put", "kms:putkeypolicy", false),
            ("?", "", false),
            ("?", "ß", true),
            ("*z", "kms:putkeypolicy", false),
            ("a*", "a/b/c", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_full_of_stars_is_no_burden() {
        let stars = "*a".repeat(10_000);
        let text = "a".repeat(2_000);

        assert!(!fits(&format!("{stars}z"), &text));
        assert!(fits(&"*".repeat(32_000), &text));
    }
}
