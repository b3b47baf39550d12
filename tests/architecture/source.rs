//! A Rust file as words and signs: without comments, with literals emptied, and with what only tests compile marked.
//!
//! Enough of Rust's grammar to find paths and words, and no more: the compiler has the last word about all the rest.

use std::fs;
use std::path::Path;

/// One file of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its path from the workspace's root, with slashes.
    pub(crate) path: String,
    /// What stands in it.
    pub(crate) text: String,
    /// Its words and signs, in order.
    pub(crate) tokens: Vec<Token>,
}

/// A word, a sign, or an emptied literal (`""`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Whether it stands under `#[cfg(test)]`.
    pub(crate) test: bool,
}

impl Source {
    /// Reads a text as Rust.
    pub(crate) fn parse(path: &str, text: &str) -> Self {
        let mut tokens = tokenise(text);
        mark_tests(&mut tokens);
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            tokens,
        }
    }

    /// What ships: everything outside of tests.
    pub(crate) fn shipped(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter().filter(|token| !token.test)
    }

    /// Its lines, without those of inline tests.
    pub(crate) fn shipped_lines(&self) -> usize {
        let mut tested: Vec<usize> = Vec::new();
        for run in self.tokens.chunk_by(|a, b| a.test == b.test) {
            if let (true, Some(first), Some(last)) = (run[0].test, run.first(), run.last()) {
                tested.extend(first.line..=last.line);
            }
        }
        tested.dedup();
        self.text.lines().count() - tested.len()
    }

    /// The modules that it declares in files of their own (`mod name;`), each with whether only tests have it.
    pub(crate) fn declared_modules(&self) -> Vec<(&str, bool)> {
        self.tokens
            .windows(3)
            .filter(|window| window[0].text == "mod" && window[2].text == ";")
            .map(|window| (window[1].text.as_str(), window[1].test))
            .collect()
    }
}

impl Token {
    /// Whether it is an identifier or a keyword.
    pub(crate) fn is_word(&self) -> bool {
        self.text
            .starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

/// All Rust files under a folder of the workspace, in the order of their paths.
pub(crate) fn read_folder(root: &Path, folder: &str) -> Vec<Source> {
    let listing = fs::read_dir(root.join(folder)).expect(folder);
    let mut entries: Vec<_> = listing
        .map(|entry| entry.expect("a listed folder tells its entries"))
        .collect();
    entries.sort_by_key(fs::DirEntry::path);
    let mut sources = Vec::new();
    for entry in entries {
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            sources.extend(read_folder(root, &path));
        } else if entry.path().extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(entry.path()).expect(&path);
            sources.push(Source::parse(&path, &text));
        }
    }
    sources
}

fn tokenise(text: &str) -> Vec<Token> {
    let (mut tokens, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let (length, kept) = next_token(rest, first);
        if let Some(kept) = kept {
            tokens.push(Token {
                text: kept.to_owned(),
                line,
                test: false,
            });
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// How many bytes come next, and what is kept of them.
fn next_token(rest: &str, first: char) -> (usize, Option<&str>) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if rest.starts_with("//") {
        (rest.find('\n').unwrap_or(rest.len()), None)
    } else if rest.starts_with("/*") {
        (comment_length(rest), None)
    } else if first.is_whitespace() {
        (first.len_utf8(), None)
    } else if let Some(length) = string_length(rest) {
        (length, Some("\"\""))
    } else if first == '\'' {
        let length = quote_length(rest);
        (length, (length > 1).then_some("\"\""))
    } else if is_word(first) {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        (length, Some(&rest[..length]))
    } else {
        let length = if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        (length, Some(&rest[..length]))
    }
}

/// The length of a block comment, with those inside it.
fn comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    for (at, _) in rest.char_indices() {
        if rest[at..].starts_with("/*") {
            depth += 1;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            if depth == 0 {
                return at + 2;
            }
        }
    }
    rest.len()
}

/// The length of a string literal of any kind, if one starts here.
fn string_length(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        rest.strip_prefix(prefix).is_some_and(|after| {
            let raw = prefix.ends_with('r');
            after.starts_with('"') || (raw && after.trim_start_matches('#').starts_with('"'))
        })
    })?;
    let after = &rest[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = after.len() - after.trim_start_matches('#').len();
        let close = format!("\"{}", "#".repeat(hashes));
        let body = &after[hashes + 1..];
        let end = body.find(&close).map_or(body.len(), |at| at + close.len());
        return Some(prefix.len() + hashes + 1 + end);
    }
    let mut escaped = false;
    for (at, sign) in after.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(prefix.len() + at + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

/// The length of a character literal; 1 where the quote begins a lifetime.
fn quote_length(rest: &str) -> usize {
    let mut signs = rest.char_indices().skip(1);
    match (signs.next(), signs.next()) {
        (Some((_, '\\')), _) => rest[3..].find('\'').map_or(rest.len(), |at| at + 4),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

fn mark_tests(tokens: &mut [Token]) {
    const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    const WHOLE_FILE: [&str; 8] = ["#", "!", "[", "cfg", "(", "test", ")", "]"];
    let reads = |from: &[Token], what: &[&str]| {
        from.len() >= what.len()
            && from
                .iter()
                .zip(what)
                .all(|(token, text)| token.text == *text)
    };
    let mut at = 0;
    while at < tokens.len() {
        let end = if reads(&tokens[at..], &WHOLE_FILE) {
            tokens.len()
        } else if reads(&tokens[at..], &ATTRIBUTE) {
            item_end(tokens, at + ATTRIBUTE.len())
        } else {
            at += 1;
            continue;
        };
        tokens[at..end]
            .iter_mut()
            .for_each(|token| token.test = true);
        at = end;
    }
}

/// The index behind the item that starts at `from`: its semicolon, or the brace that closes it.
fn item_end(tokens: &[Token], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" if depth <= 1 => return at + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let source = Source::parse("a.rs", text);
        source.shipped().map(|token| token.text.clone()).collect()
    }

    #[test]
    fn comments_and_literals_hold_no_words() {
        let text = r##"a /* x /* y */ z */ "b\"c" r#"d"e"# 'f' '\'' b"g" // h
            i::<'j>"##;

        assert_eq!(
            words(text),
            [
                "a", "\"\"", "\"\"", "\"\"", "\"\"", "\"\"", "i", "::", "<", "j", ">"
            ]
        );
    }

    #[test]
    fn what_only_tests_compile_does_not_ship() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { c[0]; }\n}\nfn d() {}\n";
        let source = Source::parse("a.rs", text);

        assert_eq!(words(text).join(" "), "fn a ( ) { } fn d ( ) { }");
        assert_eq!(source.shipped_lines(), 2);
        assert_eq!(source.tokens.last().map(|token| token.line), Some(6));
    }

    #[test]
    fn a_test_attribute_on_one_item_ends_with_it() {
        assert_eq!(
            words("#[cfg(test)]\nuse a::b;\nuse c;").join(" "),
            "use c ;"
        );
        assert_eq!(
            words("#[cfg(test)]\n#[derive(X)]\nconst A: [u8; 2] = [1; 2];\nb").join(" "),
            "b"
        );
    }
}
