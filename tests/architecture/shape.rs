//! The shape of a file: its length, its header, its words, and what it shows to others.

use crate::house::House;
use crate::paths::{Role, named_paths};
use crate::source::Source;
use crate::violation::Violation;

/// Above this a file is cut in two.
const MOST_LINES: usize = 500;
/// Words that never ship, each as it is found in code.
const BANNED: &[&[&str]] = &[
    &[".", "unwrap", "(", ")"],
    &["panic", "!"],
    &["todo", "!"],
    &["unimplemented", "!"],
    &["print", "!"],
    &["println", "!"],
    &["dbg", "!"],
];

/// Files of more than 500 lines without their inline tests. `code.rs`, a table, may be longer.
pub(crate) fn long_files(sources: &[Source]) -> Vec<Violation> {
    sources
        .iter()
        .filter(|source| !source.path.ends_with("/code.rs"))
        .filter(|source| source.shipped_lines() > MOST_LINES)
        .map(|source| {
            let lines = source.shipped_lines();
            let rule = format!("{lines} lines without tests, at most {MOST_LINES} (style §6)");
            Violation::new(&source.path, MOST_LINES + 1, rule)
        })
        .collect()
}

/// Files that do not open with `//!`.
pub(crate) fn files_without_a_header(sources: &[Source]) -> Vec<Violation> {
    sources
        .iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| Violation::new(&source.path, 1, "a file opens with `//!` (style §7)"))
        .collect()
}

/// `#[allow(…)]` and `#![allow(…)]`, in tests too: `#[expect(…, reason = "…")]` tells when it has become idle.
pub(crate) fn allowed_lints(sources: &[Source]) -> Vec<Violation> {
    let rule = "`allow` hides for ever: write `#[expect(…, reason = \"…\")]` (style §10)";
    let opens = |texts: &[&str]| matches!(texts, ["[", "allow", "("]);
    find(sources, true, 3, opens, |_| rule.to_owned())
}

/// Words that never ship: unwrapping, panicking, printing.
pub(crate) fn banned_words(sources: &[Source]) -> Vec<Violation> {
    BANNED
        .iter()
        .flat_map(|words| {
            let rule = |_: &[&str]| format!("`{}` never ships (style §8)", words.concat());
            find(sources, false, words.len(), |texts| texts == *words, rule)
        })
        .collect()
}

/// Globs outside of tests.
pub(crate) fn globs(sources: &[Source]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in sources {
        let paths = named_paths(source);
        let globs = paths
            .iter()
            .filter(|path| !path.test && path.segments.last().is_some_and(|name| name == "*"));
        violations.extend(globs.map(|path| {
            let rule = format!("`{}` is a glob (style §6)", path.segments.join("::"));
            Violation::new(&source.path, path.line, rule)
        }));
    }
    violations
}

/// `pub` items away from the public face: `lib.rs`, the files that it re-exports from, and those that say more of a type
/// which it re-exports.
pub(crate) fn public_items(house: &House) -> Vec<Violation> {
    let face = face(house);
    let hidden: Vec<Source> = (0..house.sources.len())
        .filter(|index| !face.contains(index))
        .map(|index| house.sources[index].clone())
        .filter(|source| !says_more(source, house, &face))
        .collect();
    let is_bare = |texts: &[&str]| texts[0] == "pub" && texts[1] != "(";
    find(&hidden, false, 2, is_bare, |texts| {
        format!(
            "`pub {}`: only lib.rs shows things, use `pub(crate)` (style §6)",
            texts[1]
        )
    })
}

/// Re-exports away from `lib.rs`.
pub(crate) fn reexports(house: &House) -> Vec<Violation> {
    let inner = |source: &&Source| !source.path.ends_with("src/lib.rs");
    let mut violations = Vec::new();
    for source in house.sources.iter().filter(inner) {
        let paths = named_paths(source);
        let reexports = paths
            .iter()
            .filter(|path| !path.test && path.role == Role::Reexport);
        violations.extend(reexports.map(|path| {
            let name = path.segments.join("::");
            let rule = format!("re-exports `{name}`: only lib.rs does (style §6)");
            Violation::new(&source.path, path.line, rule)
        }));
    }
    violations
}

/// Folders of somebody's machine, in a file that goes to everybody.
pub(crate) fn machine_paths(path: &str, text: &str) -> Vec<Violation> {
    let folders = ["work", "root", "home", "Users"].map(|name| format!("/{name}/"));
    let opens = |before: Option<char>| {
        before.is_none_or(|sign| !sign.is_alphanumeric() && !"/}_-.*".contains(sign))
    };
    text.lines()
        .zip(1..)
        .filter(|(line, _)| {
            folders.iter().any(|folder| {
                line.match_indices(folder)
                    .any(|(at, _)| opens(line[..at].chars().next_back()))
            })
        })
        .map(|(_, line)| Violation::new(path, line, "names a folder of one machine (style §10)"))
        .collect()
}

/// `lib.rs`, and what it re-exports from.
fn face(house: &House) -> Vec<usize> {
    let Some(lib) = house
        .sources
        .iter()
        .position(|source| source.path.ends_with("src/lib.rs"))
    else {
        return Vec::new();
    };
    named_paths(&house.sources[lib])
        .iter()
        .filter(|path| path.role == Role::Reexport)
        .filter_map(|path| house.target(lib, path))
        .chain([lib])
        .collect()
}

/// Whether a file holds nothing public but methods of types that the face shows.
fn says_more(source: &Source, house: &House, face: &[usize]) -> bool {
    let shown = |name: &str| {
        let declared = format!("pub struct {name} ");
        face.iter()
            .any(|index| house.sources[*index].text.contains(&declared))
    };
    let lines = || source.text.lines();
    let types: Vec<_> = lines()
        .filter_map(|line| line.strip_prefix("impl "))
        .map(|rest| rest.split(' ').next().unwrap_or_default())
        .collect();
    !types.is_empty()
        && types.into_iter().all(shown)
        && !lines().any(|line| line.starts_with("pub "))
}

/// Runs of `length` tokens that `matches` knows, one violation each.
fn find(
    sources: &[Source],
    in_tests: bool,
    length: usize,
    matches: impl Fn(&[&str]) -> bool,
    rule: impl Fn(&[&str]) -> String,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in sources {
        for window in source.tokens.windows(length) {
            let texts: Vec<&str> = window.iter().map(|token| token.text.as_str()).collect();
            if (in_tests || !window[0].test) && matches(&texts) {
                violations.push(Violation::new(&source.path, window[0].line, rule(&texts)));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::made_up;

    fn lines(violations: &[Violation]) -> Vec<usize> {
        violations.iter().map(|violation| violation.line).collect()
    }

    fn one(text: &str) -> [Source; 1] {
        [Source::parse("emulator/src/a.rs", text)]
    }

    #[test]
    fn a_long_file_is_caught_and_its_tests_do_not_count() {
        let long = "const A: u8 = 1;\n".repeat(501);
        let tested = format!("#[cfg(test)]\nmod tests {{\n{long}}}\n");

        assert_eq!(lines(&long_files(&one(&long))), [501]);
        assert_eq!(lines(&long_files(&one(&tested))), []);
        assert_eq!(
            lines(&long_files(&[Source::parse(
                "emulator/src/s3/code.rs",
                &long
            )])),
            []
        );
    }

    #[test]
    fn a_missing_header_is_caught() {
        assert_eq!(lines(&files_without_a_header(&one("// A.\n//! B."))), [1]);
        assert_eq!(lines(&files_without_a_header(&one("//! A."))), []);
    }

    #[test]
    fn an_allowed_lint_is_caught_in_tests_too() {
        let text = "#![allow(dead_code)]\n#[expect(a, reason = \"b\")]\n#[cfg(test)]\nmod tests {\n#[allow(b)]\nfn c() {} }";

        assert_eq!(lines(&allowed_lints(&one(text))), [1, 5]);
    }

    #[test]
    fn each_banned_word_is_caught_and_only_outside_of_tests() {
        let text =
            "a.unwrap();\npanic!();\ntodo!();\nunimplemented!();\nprint!();\nprintln!();\ndbg!(1);";
        let fine =
            format!("/// a.unwrap()\nb.unwrap_or(\"todo!\")\n#[cfg(test)] mod tests {{ {text} }}");

        assert_eq!(lines(&banned_words(&one(text))), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(lines(&banned_words(&one(&fine))), []);
    }

    #[test]
    fn a_glob_is_caught_outside_of_tests() {
        let text = "use a::b;\nuse c::{d, e::*};\n#[cfg(test)] mod tests { use super::*; }";

        assert_eq!(lines(&globs(&one(text))), [2]);
    }

    #[test]
    fn a_public_item_is_caught_behind_the_face() {
        let house = made_up(&[
            ("lib.rs", "pub use crate::config::Config;\npub fn a() {}"),
            ("config.rs", "pub struct Config { pub a: u8 }"),
            (
                "wire/a.rs",
                "pub(crate) struct A;\npub(super) struct B;\npub struct C;",
            ),
        ]);

        let found = public_items(&house);

        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].file.as_str(), found[0].line),
            ("emulator/src/wire/a.rs", 3)
        );
    }

    #[test]
    fn methods_of_a_type_of_the_face_may_lie_elsewhere() {
        let more = |text| {
            let house = made_up(&[
                ("lib.rs", "pub use crate::config::Config;"),
                (
                    "config.rs",
                    "pub struct Config {}\npub(crate) struct Inner {}",
                ),
                ("wire/a.rs", text),
            ]);
            public_items(&house).len()
        };

        assert_eq!(more("impl Config {\n    pub fn a() {}\n}"), 0);
        assert_eq!(more("impl Inner {\n    pub fn a() {}\n}"), 1);
        assert_eq!(
            more("impl Config {\n    pub fn a() {}\n}\npub fn b() {}"),
            2
        );
    }

    #[test]
    fn a_reexport_is_caught_outside_of_the_face() {
        let house = made_up(&[
            ("lib.rs", "pub use config::Config;"),
            ("wire/mod.rs", "mod a;\npub(crate) use a::A;"),
        ]);

        let found = reexports(&house);

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
    }

    #[test]
    fn a_folder_of_one_machine_is_caught() {
        let text = [
            "ok: s3://bucket/ho",
            "me/x\nbad: \"/ho",
            "me/x\"\nbad=/wo",
            "rk/y\n",
        ]
        .concat();

        assert_eq!(lines(&machine_paths("README.md", &text)), [2, 3]);
    }
}
