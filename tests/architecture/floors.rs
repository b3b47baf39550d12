//! The floors of the house: which module may import which, and that nothing goes in a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::house::House;
use crate::violation::Violation;

/// Floor 1 without what speaks HTTP.
const SILENT_GROUND: &[&str] = &["model", "crypto", "clock", "entropy", "config", "disk"];
const GROUND: &[&str] = &[
    "model", "wire", "crypto", "clock", "entropy", "config", "disk",
];

/// Each module and what it may import, from the top of the house down. `lib.rs` only names the public face and has no
/// row; `start` wires everything up, `provision` makes what it is told to have, `seed` reads what
/// that is, and `running` is what comes of it.
const FLOORS: &[(&str, &[&str], &[&str])] = &[
    // Hands what a hostile peer may send to whatever reads it; only fuzzers and tests compile it.
    ("fuzzing", FUZZED, GROUND),
    ("start", ROOF, GROUND),
    (
        "archive",
        &["start", "seed", "s3", "keyring", "store"],
        GROUND,
    ),
    ("provision", &["running", "seed", "s3", "kms"], GROUND),
    ("seed", &["s3", "kms", "keyring", "auth"], GROUND),
    (
        "running",
        &["server", "control", "store", "faults", "journal"],
        GROUND,
    ),
    (
        "server",
        &["s3", "kms", "sts", "console", "control", "journal"],
        GROUND,
    ),
    ("console", PAGES, GROUND),
    ("control", PAGES, GROUND),
    ("s3", SERVICES, GROUND),
    (
        "kms",
        &["keyring", "auth", "policy", "faults", "journal"],
        GROUND,
    ),
    (
        "sts",
        &["keyring", "auth", "policy", "faults", "journal"],
        GROUND,
    ),
    ("jobs", &["store", "sse", "keyring", "journal"], GROUND),
    ("sse", &["keyring"], SILENT_GROUND),
    (
        "keyring",
        &["store", "policy", "faults", "journal"],
        SILENT_GROUND,
    ),
    ("store", &["model", "clock", "entropy", "disk"], &[]),
    ("auth", &["policy", "wire", "crypto", "model", "clock"], &[]),
    ("policy", &["model"], &[]),
    ("faults", &["model", "clock", "entropy"], &[]),
    ("journal", &["model", "clock"], &[]),
    ("wire", &[], &[]),
    ("crypto", &[], &[]),
    ("model", &[], &[]),
    ("clock", &["model"], &[]),
    ("entropy", &[], &[]),
    ("disk", &[], &[]),
    ("config", &["clock", "entropy"], &[]),
];
const ROOF: &[&str] = &[
    "provision",
    "seed",
    "running",
    "server",
    "jobs",
    "control",
    "console",
    "s3",
    "kms",
    "sts",
    "sse",
    "keyring",
    "store",
    "auth",
    "policy",
    "faults",
    "journal",
];
const FUZZED: &[&str] = &["start", "server", "policy"];
const PAGES: &[&str] = &["s3", "kms", "store", "keyring", "faults", "journal"];
const SERVICES: &[&str] = &[
    "sse", "keyring", "store", "auth", "policy", "faults", "journal",
];

/// Imports that no row of the table allows, and imports from the public face.
pub(crate) fn forbidden_imports(house: &House) -> Vec<Violation> {
    let library = house
        .imports()
        .into_iter()
        .filter(|import| !house.is_binary(import.from));
    library
        .filter_map(|import| {
            let (from, to) = (house.module(import.from), house.module(import.to));
            let rule = broken_rule(from.first()?, to.first())?;
            let file = &house.sources[import.from].path;
            Some(Violation::new(file, import.line, rule))
        })
        .collect()
}

/// Modules that stand in no row of the table.
pub(crate) fn modules_without_a_floor(house: &House) -> Vec<Violation> {
    let unknown = |name: &String| allowed(name).is_none();
    (0..house.sources.len())
        .filter(|index| !house.is_binary(*index))
        .filter_map(|index| {
            let name = house.module(index).into_iter().next().filter(unknown)?;
            let rule = format!("module `{name}` has no floor (style §1)");
            Some(Violation::new(&house.sources[index].path, 1, rule))
        })
        .collect()
}

/// Operations that import each other. What two of them share goes one floor down; `documents.rs` is told once for all.
pub(crate) fn operations_that_meet(house: &House) -> Vec<Violation> {
    let is_operation = |index: usize| {
        let module = house.module(index);
        module.len() > 2 && module[1] == "operations" && module[2] != "documents"
    };
    let is_list = |index: usize| house.sources[index].path.ends_with("/mod.rs");
    house
        .imports()
        .into_iter()
        .filter(|import| is_operation(import.from) && is_operation(import.to))
        .filter(|import| !is_list(import.from))
        .map(|import| {
            let other = &house.sources[import.to].path;
            let rule = format!("operations never import each other, but this names {other} (§1)");
            Violation::new(&house.sources[import.from].path, import.line, rule)
        })
        .collect()
}

/// Circles of files: pairs that import each other, and longer ones.
pub(crate) fn circles_of_files(house: &House) -> Vec<Violation> {
    let name = |index: usize| house.sources[index].path.clone();
    circles(house, name)
}

/// Circles of the modules at the top of the crate.
pub(crate) fn circles_of_modules(house: &House) -> Vec<Violation> {
    let name = |index: usize| {
        let module = house.module(index).into_iter().next();
        module.unwrap_or_else(|| house.sources[index].path.clone())
    };
    circles(house, name)
}

fn circles(house: &House, name: impl Fn(usize) -> String) -> Vec<Violation> {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for import in house.imports() {
        let (from, to) = (name(import.from), name(import.to));
        if from != to {
            graph.entry(from).or_default().insert(to);
        }
    }
    let Some(circle) = find_circle(&graph) else {
        return Vec::new();
    };
    let steps = house.imports().into_iter().filter(|import| {
        let step = [name(import.from), name(import.to)];
        circle.windows(2).any(|pair| pair == step)
    });
    let rule = format!("imports go in a circle: {} (§1)", circle.join(" -> "));
    steps
        .map(|import| Violation::new(&house.sources[import.from].path, import.line, &rule))
        .collect()
}

/// A walk that ends where it began.
fn find_circle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut cleared = BTreeSet::new();
    graph
        .keys()
        .find_map(|start| walk(graph, start, &mut Vec::new(), &mut cleared))
}

fn walk(
    graph: &BTreeMap<String, BTreeSet<String>>,
    node: &str,
    trail: &mut Vec<String>,
    cleared: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if let Some(start) = trail.iter().position(|known| known == node) {
        return Some([&trail[start..], &[node.to_owned()]].concat());
    }
    if cleared.contains(node) {
        return None;
    }
    trail.push(node.to_owned());
    let next = graph.get(node).into_iter().flatten();
    let found = next
        .into_iter()
        .find_map(|to| walk(graph, to, trail, cleared));
    trail.pop();
    cleared.insert(node.to_owned());
    found
}

fn broken_rule(from: &str, to: Option<&String>) -> Option<String> {
    let Some(to) = to else {
        return Some(format!(
            "`{from}` imports from lib.rs: name the module that owns the thing (§6)"
        ));
    };
    let may = from == to || allowed(from).is_some_and(|names| names.contains(&to.as_str()));
    (!may).then(|| format!("`{from}` may not import `{to}` (the floors of style §1)"))
}

fn allowed(module: &str) -> Option<Vec<&'static str>> {
    FLOORS
        .iter()
        .find(|(name, ..)| *name == module)
        .map(|(_, upper, ground)| [*upper, *ground].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::made_up;

    fn lines(violations: &[Violation]) -> Vec<String> {
        violations.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_import_from_above_is_caught_in_each_of_its_spellings() {
        let house = made_up(&[
            (
                "store/mod.rs",
                "use crate::{\n  s3::code::Code,\n  model::A};",
            ),
            ("crypto/a.rs", "fn f() {\n crate::wire::hello() }"),
            ("model/a.rs", "use super::super::clock::Clock;"),
            ("s3/code.rs", ""),
            ("model/mod.rs", ""),
            ("wire/mod.rs", ""),
            ("clock.rs", "use crate::model::A;"),
        ]);

        assert_eq!(
            lines(&forbidden_imports(&house)),
            [
                "emulator/src/store/mod.rs:2: `store` may not import `s3` (the floors of style §1)",
                "emulator/src/crypto/a.rs:2: `crypto` may not import `wire` (the floors of style §1)",
                "emulator/src/model/a.rs:1: `model` may not import `clock` (the floors of style §1)",
            ]
        );
    }

    #[test]
    fn an_import_from_the_public_face_is_caught() {
        let house = made_up(&[("lib.rs", "mod s3;"), ("s3/a.rs", "use crate::Config;")]);

        let found = lines(&forbidden_imports(&house));

        assert!(found[0].starts_with("emulator/src/s3/a.rs:1: `s3` imports from lib.rs"));
    }

    #[test]
    fn a_module_without_a_floor_is_caught() {
        let house = made_up(&[("util.rs", ""), ("wire/xml.rs", ""), ("lib.rs", "")]);

        let found = lines(&modules_without_a_floor(&house));

        assert_eq!(
            found,
            ["emulator/src/util.rs:1: module `util` has no floor (style §1)"]
        );
    }

    #[test]
    fn operations_that_import_each_other_are_caught() {
        let house = made_up(&[
            ("s3/operations/documents.rs", ""),
            ("s3/operations/object/mod.rs", "mod put; use self::put::A;"),
            (
                "s3/operations/object/put.rs",
                "use crate::s3::operations::documents::D;",
            ),
            ("s3/operations/object/copy.rs", "\nuse super::put::Put;"),
        ]);

        let found = operations_that_meet(&house);

        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].file.as_str(), found[0].line),
            ("emulator/src/s3/operations/object/copy.rs", 2)
        );
    }

    #[test]
    fn a_circle_of_files_is_caught_at_each_of_its_steps() {
        let house = made_up(&[
            ("wire/a.rs", "use crate::wire::b::B;"),
            ("wire/b.rs", "\nuse super::c::C;"),
            ("wire/c.rs", "fn c() -> crate::wire::a::A {}"),
            ("wire/d.rs", "use super::a::A;"),
        ]);

        let found = circles_of_files(&house);

        assert_eq!(found.len(), 3);
        assert_eq!(
            (found[1].file.as_str(), found[1].line),
            ("emulator/src/wire/b.rs", 2)
        );
        assert!(
            found[0]
                .rule
                .contains("wire/a.rs -> emulator/src/wire/b.rs -> ")
        );
    }

    #[test]
    fn a_circle_of_modules_is_caught_though_no_two_files_meet() {
        let house = made_up(&[
            ("store/a.rs", "use crate::clock::b::B;"),
            ("clock/b.rs", ""),
            ("clock/c.rs", "use crate::store::d::D;"),
            ("store/d.rs", ""),
        ]);

        assert!(circles_of_files(&house).is_empty());
        assert_eq!(circles_of_modules(&house).len(), 2);
    }

    #[test]
    fn the_table_itself_has_no_circle() {
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        let graph: BTreeMap<String, BTreeSet<String>> = FLOORS
            .iter()
            .map(|(name, upper, ground)| ((*name).to_owned(), owned([*upper, *ground].concat())))
            .collect();

        assert_eq!(find_circle(&graph), None);
    }
}
