//! Paths that a file names: in `use` trees, opened into their leaves, and in the code itself.

use std::collections::BTreeSet;

use crate::source::{Source, Token};

/// One path, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedPath {
    /// `["crate", "wire", "xml"]`; a glob ends in `*`.
    pub(crate) segments: Vec<String>,
    /// Where it ends.
    pub(crate) line: usize,
    /// Whether only tests name it.
    pub(crate) test: bool,
    /// Whether a `use` names it, and whether that `use` is a re-export.
    pub(crate) role: Role,
}

/// What a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `use a::b;`
    Import,
    /// `pub use a::b;`, `pub(crate) use a::b;`
    Reexport,
    /// `a::b()`
    Mention,
}

/// Every path of a file. A mention that starts from an imported name is left out: its import tells already.
pub(crate) fn named_paths(source: &Source) -> Vec<NamedPath> {
    let tokens = &source.tokens;
    let (mut paths, mut bound, mut mentions) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        if is_use(tokens, at) {
            let role = use_role(tokens, at);
            at += 1;
            let mut tree = Tree {
                tokens,
                at,
                role,
                paths: &mut paths,
                bound: &mut bound,
            };
            tree.read(&[]);
            at = tree.at;
        } else if starts_path(tokens, at) {
            mentions.push(mention(tokens, &mut at));
        } else {
            at += 1;
        }
    }
    mentions.retain(|path| path.segments.len() > 1 && !bound.contains(&path.segments[0]));
    paths.extend(mentions);
    paths
}

/// Reads one `use` tree.
struct Tree<'a> {
    tokens: &'a [Token],
    at: usize,
    role: Role,
    paths: &'a mut Vec<NamedPath>,
    bound: &'a mut BTreeSet<String>,
}

impl Tree<'_> {
    fn read(&mut self, prefix: &[String]) {
        let mut segments = prefix.to_vec();
        while let Some(token) = self.tokens.get(self.at) {
            match token.text.as_str() {
                "::" => self.at += 1,
                "{" => return self.read_group(&segments),
                "as" => {
                    if let Some(alias) = self.tokens.get(self.at + 1) {
                        self.bound.insert(alias.text.clone());
                    }
                    self.at += 2;
                    break;
                }
                "*" => {
                    segments.push("*".to_owned());
                    self.at += 1;
                    break;
                }
                _ if token.is_word() => {
                    segments.push(token.text.clone());
                    self.at += 1;
                }
                _ => break,
            }
        }
        self.keep(segments);
    }

    fn read_group(&mut self, prefix: &[String]) {
        self.at += 1;
        while let Some(token) = self.tokens.get(self.at) {
            match token.text.as_str() {
                "}" => {
                    self.at += 1;
                    return;
                }
                "{" => self.read_group(prefix),
                _ if token.is_word() || token.text == "*" || token.text == "::" => {
                    self.read(prefix);
                }
                _ => self.at += 1,
            }
        }
    }

    fn keep(&mut self, mut segments: Vec<String>) {
        if segments.len() > 1 && segments.last().is_some_and(|name| name == "self") {
            segments.pop();
        }
        let Some(last) = segments.last() else { return };
        if segments.len() > 1 {
            self.bound.insert(last.clone());
        }
        let end = &self.tokens[self.at - 1];
        self.paths.push(NamedPath {
            segments,
            line: end.line,
            test: end.test,
            role: self.role,
        });
    }
}

fn is_use(tokens: &[Token], at: usize) -> bool {
    tokens[at].text == "use" && tokens.get(at + 1).is_some_and(|next| next.text != "<")
}

fn use_role(tokens: &[Token], at: usize) -> Role {
    match at.checked_sub(1).map(|before| tokens[before].text.as_str()) {
        Some("pub" | ")") => Role::Reexport,
        _ => Role::Import,
    }
}

/// A path starts at a word that no path, field access or lifetime leads to.
fn starts_path(tokens: &[Token], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map(|index| &tokens[index]);
    let continues = match before(1).map(|token| token.text.as_str()) {
        Some("::") => before(2).is_some_and(|token| token.is_word() || token.text == ">"),
        Some(".") => before(2).is_none_or(|token| token.text != "."),
        _ => false,
    };
    tokens[at].is_word() && !continues
}

fn mention(tokens: &[Token], at: &mut usize) -> NamedPath {
    let mut segments = vec![tokens[*at].text.clone()];
    while let [_, colons, name, ..] = &tokens[*at..]
        && colons.text == "::"
        && name.is_word()
    {
        segments.push(name.text.clone());
        *at += 2;
    }
    let last = &tokens[*at];
    *at += 1;
    NamedPath {
        segments,
        line: last.line,
        test: last.test,
        role: Role::Mention,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        named_paths(&Source::parse("a.rs", text))
            .iter()
            .map(|path| path.segments.join("::"))
            .collect()
    }

    #[test]
    fn a_use_tree_opens_into_its_leaves() {
        assert_eq!(
            read("use a::{self, b::{c, d as e}, f::*}; use ::g;"),
            ["a", "a::b::c", "a::b::d", "a::f::*", "g"]
        );
    }

    #[test]
    fn mentions_are_paths_unless_a_use_brought_their_name() {
        assert_eq!(
            read("use tokio::time; fn x() -> warp::Y<impl time::Z> { ::hex::encode(a.b::<C>()) }"),
            ["tokio::time", "warp::Y", "hex::encode"]
        );
    }

    #[test]
    fn reexports_are_told_from_imports() {
        let paths = named_paths(&Source::parse("a.rs", "pub(crate) use a::b; use c::d;"));

        assert_eq!(
            [paths[0].role, paths[1].role],
            [Role::Reexport, Role::Import]
        );
    }
}
