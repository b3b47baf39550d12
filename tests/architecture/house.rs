//! The files of one package as a graph: which file names something of which other.

use std::collections::{BTreeMap, BTreeSet};

use crate::paths::{NamedPath, named_paths};
use crate::source::Source;

/// A package's `src` folder.
#[derive(Debug)]
pub(crate) struct House {
    /// Its files; what only tests declare is marked as test.
    pub(crate) sources: Vec<Source>,
    /// Where its files lie: `emulator/src/`.
    folder: String,
    /// Index of each file by its crate (whether the binary's) and its module path.
    files: BTreeMap<(bool, Vec<String>), usize>,
    /// Indices of `main.rs` and what it declares.
    binary: BTreeSet<usize>,
}

/// One file names something of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// Indices into `sources`.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Where, in `from`.
    pub(crate) line: usize,
}

impl House {
    /// Builds the graph of the files under `folder`.
    pub(crate) fn new(folder: &str, sources: Vec<Source>) -> Self {
        let mut house = Self {
            sources,
            folder: folder.to_owned(),
            files: BTreeMap::new(),
            binary: BTreeSet::new(),
        };
        if let Some(main) = house.index_of("main.rs") {
            house.claim_for_binary(main);
        }
        for index in 0..house.sources.len() {
            let key = (house.is_binary(index), house.module(index));
            house.files.insert(key, index);
        }
        house.mark_test_files();
        house
    }

    /// A file's path from the package's `src` folder: `wire/xml.rs`.
    pub(crate) fn place(&self, index: usize) -> &str {
        self.sources[index].path.trim_start_matches(&self.folder)
    }

    /// Where a file stands inside the crate: `["wire", "xml"]`; nothing for the crate's root.
    pub(crate) fn module(&self, index: usize) -> Vec<String> {
        let mut names: Vec<String> = self
            .place(index)
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        let is_root = names.len() == 1 && matches!(names[0].as_str(), "lib" | "main");
        if is_root || names.last().is_some_and(|name| name == "mod") {
            names.pop();
        }
        names
    }

    /// Whether a file belongs to the binary: `main.rs` and what it declares.
    pub(crate) fn is_binary(&self, index: usize) -> bool {
        self.binary.contains(&index)
    }

    /// What every file imports in what ships, in order, each pair of files at its first line.
    pub(crate) fn imports(&self) -> Vec<Import> {
        let mut imports: Vec<Import> = Vec::new();
        for from in 0..self.sources.len() {
            for path in named_paths(&self.sources[from]) {
                let Some(to) = self.target(from, &path).filter(|to| *to != from) else {
                    continue;
                };
                if !imports
                    .iter()
                    .any(|known| (known.from, known.to) == (from, to))
                {
                    let line = path.line;
                    imports.push(Import { from, to, line });
                }
            }
        }
        imports
    }

    /// The file that owns what a path names; `None` for other packages, for tests, and for names in scope.
    pub(crate) fn target(&self, from: usize, path: &NamedPath) -> Option<usize> {
        if path.test {
            return None;
        }
        let absolute = self.absolute(from, path)?;
        let binary = self.is_binary(from);
        (0..=absolute.len())
            .rev()
            .find_map(|length| self.files.get(&(binary, absolute[..length].to_vec())))
            .copied()
    }

    fn absolute(&self, from: usize, path: &NamedPath) -> Option<Vec<String>> {
        let module = self.module(from);
        let (first, rest) = path.segments.split_first()?;
        let ups = path
            .segments
            .iter()
            .take_while(|name| *name == "super")
            .count();
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&module, rest].concat()),
            "super" => {
                let kept = module.len().saturating_sub(ups);
                Some([&module[..kept], &path.segments[ups..]].concat())
            }
            child => self.sources[from]
                .declared_modules()
                .iter()
                .any(|(name, _)| *name == child)
                .then(|| [&module[..], &path.segments].concat()),
        }
    }

    fn index_of(&self, path: &str) -> Option<usize> {
        let path = format!("{}{path}", self.folder);
        self.sources.iter().position(|source| source.path == path)
    }

    /// The file of a module that `parent` declares.
    fn child(&self, parent: usize, name: &str) -> Option<usize> {
        let place = [self.module(parent), vec![name.to_owned()]]
            .concat()
            .join("/");
        self.index_of(&format!("{place}.rs"))
            .or_else(|| self.index_of(&format!("{place}/mod.rs")))
    }

    fn children(&self, parent: usize) -> Vec<(usize, bool)> {
        self.sources[parent]
            .declared_modules()
            .into_iter()
            .filter_map(|(name, test)| Some((self.child(parent, name)?, test)))
            .collect()
    }

    fn claim_for_binary(&mut self, index: usize) {
        if self.binary.insert(index) {
            for (child, _) in self.children(index) {
                self.claim_for_binary(child);
            }
        }
    }

    /// A file that stands behind `#[cfg(test)] mod name;` is a test from its first word, and so are its children.
    fn mark_test_files(&mut self) {
        let mut pending: Vec<usize> = (0..self.sources.len())
            .flat_map(|parent| self.children(parent))
            .filter_map(|(child, test)| test.then_some(child))
            .collect();
        while let Some(index) = pending.pop() {
            self.sources[index]
                .tokens
                .iter_mut()
                .for_each(|token| token.test = true);
            pending.extend(self.children(index).into_iter().map(|(child, _)| child));
        }
    }
}

/// A house of made-up files, for the checkers' own tests.
#[cfg(test)]
pub(crate) fn made_up(files: &[(&str, &str)]) -> House {
    let folder = "emulator/src/";
    let parse = |(path, text): &(&str, &str)| Source::parse(&format!("{folder}{path}"), text);
    House::new(folder, files.iter().map(parse).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(house: &House) -> Vec<(&str, &str)> {
        let name = |index: usize| house.sources[index].path.trim_start_matches(&house.folder);
        house
            .imports()
            .iter()
            .map(|import| (name(import.from), name(import.to)))
            .collect()
    }

    #[test]
    fn every_spelling_of_a_path_finds_its_file() {
        let house = made_up(&[
            ("lib.rs", "mod a; mod b;"),
            ("a/mod.rs", "mod c; mod d; fn x() { c::y() }"),
            ("a/c.rs", "use super::d::Z; use crate::{b::B, a};"),
            ("a/d.rs", "fn z() { super::super::b::go() }"),
            (
                "b.rs",
                "use crate::Face; fn go() { std::mem::take(self::q) }",
            ),
        ]);

        assert_eq!(
            imported(&house),
            [
                ("a/mod.rs", "a/c.rs"),
                ("a/c.rs", "a/d.rs"),
                ("a/c.rs", "b.rs"),
                ("a/c.rs", "a/mod.rs"),
                ("a/d.rs", "b.rs"),
                ("b.rs", "lib.rs"),
            ]
        );
    }

    #[test]
    fn tests_and_the_binary_are_told_apart() {
        let house = made_up(&[
            ("main.rs", "mod command; fn main() { command::run() }"),
            ("command.rs", "fn run() { strongroom::serve() }"),
            ("lib.rs", "mod a; #[cfg(test)] mod laws;"),
            ("a.rs", "#[cfg(test)] mod tests { use crate::laws::Law; }"),
            ("laws.rs", "fn law() { x.unwrap() }"),
        ]);

        assert_eq!(imported(&house), [("main.rs", "command.rs")]);
        assert!(house.is_binary(1));
        assert!(!house.is_binary(3));
        assert_eq!(house.sources[4].shipped().count(), 0);
    }
}
