//! The house rules, checked on the sources as text: floors, doors, sizes, words (`style.md` §1, §6, §7, §8); and the lists
//! of what is built against each other.
//!
//! Each rule is one test here. Its checker lives in the module of its kind, beside a made-up source that it must catch,
//! so that no rule can hold merely because nobody looks.

mod doors;
mod examples;
mod floors;
mod house;
mod manifest;
mod paths;
mod recorded;
mod shape;
mod source;
mod violation;

use std::fs;
use std::path::{Path, PathBuf};

use house::House;
use source::{Source, read_folder};
use violation::assert_none;

/// The most direct packages of the server, one for each algorithm of KMS's key pairs and for wrapped material among them, and of the
/// test kit with its default features.
const MOST_PACKAGES: [(&str, usize); 2] = [("emulator/Cargo.toml", 44), ("testkit/Cargo.toml", 8)];
const MANIFESTS: [&str; 3] = [
    "emulator/Cargo.toml",
    "testkit/Cargo.toml",
    "tests/Cargo.toml",
];

/// The one example that tells no story: a test of clients in other languages runs it.
const PARTNER: &str = "exchange";

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .expect("the package lies in the workspace")
        .to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

fn emulator() -> House {
    let sources = read_folder(&root(), "emulator/src");
    assert!(sources.len() > 10, "the emulator's sources were found");
    House::new("emulator/src/", sources)
}

fn testkit() -> House {
    House::new("testkit/src/", read_folder(&root(), "testkit/src"))
}

/// What ships: the emulator and the test kit, with files that only tests declare marked as such.
fn shipped() -> Vec<Source> {
    [emulator().sources, testkit().sources].concat()
}

fn everything() -> Vec<Source> {
    let examples = read_folder(&root(), "testkit/examples");
    [shipped(), examples, read_folder(&root(), "tests")].concat()
}

#[test]
fn modules_import_only_what_their_floor_allows() {
    assert_none(&floors::forbidden_imports(&emulator()));
}

#[test]
fn every_module_has_a_floor() {
    assert_none(&floors::modules_without_a_floor(&emulator()));
}

#[test]
fn operations_never_import_each_other() {
    assert_none(&floors::operations_that_meet(&emulator()));
}

#[test]
fn no_files_import_each_other() {
    for house in [emulator(), testkit()] {
        assert_none(&floors::circles_of_files(&house));
    }
}

#[test]
fn no_modules_import_each_other() {
    for house in [emulator(), testkit()] {
        assert_none(&floors::circles_of_modules(&house));
    }
}

#[test]
fn packages_are_named_at_their_door_alone() {
    assert_none(&doors::packages_off_their_door(
        &emulator(),
        doors::EMULATOR,
    ));
    assert_none(&doors::packages_off_their_door(&testkit(), doors::TESTKIT));
}

#[test]
fn every_package_has_a_door() {
    let houses = [
        ("emulator/Cargo.toml", doors::EMULATOR),
        ("testkit/Cargo.toml", doors::TESTKIT),
    ];
    for (path, doors) in houses {
        let packages = manifest::all_packages(&read(path));
        assert_none(&doors::packages_without_a_door(path, &packages, doors));
    }
}

#[test]
fn packages_stay_within_their_budget() {
    for (path, most) in MOST_PACKAGES {
        assert_none(&manifest::packages_beyond(path, &read(path), most));
    }
}

#[test]
fn versions_live_in_the_workspace() {
    for path in MANIFESTS {
        assert_none(&manifest::versions_outside_the_workspace(path, &read(path)));
    }
}

#[test]
fn default_features_are_off() {
    assert_none(&manifest::default_features(
        "Cargo.toml",
        &read("Cargo.toml"),
    ));
}

#[test]
fn every_story_is_run() {
    let examples = read_folder(&root(), "testkit/examples");
    let names = examples.iter().filter_map(|example| {
        let name = example.path.rsplit('/').next()?.strip_suffix(".rs")?;
        (name != PARTNER).then_some(name)
    });
    let names: Vec<&str> = names.collect();
    assert!(names.len() >= 5, "the stories were found");

    let path = "testkit/Cargo.toml";
    let unrun = manifest::examples_that_no_test_runs(path, &read(path), &names);
    assert_none(&unrun);
}

#[test]
fn no_file_is_too_long() {
    assert_none(&shape::long_files(&everything()));
}

#[test]
fn every_file_opens_with_a_header() {
    assert_none(&shape::files_without_a_header(&everything()));
}

#[test]
fn no_lint_is_allowed_away() {
    assert_none(&shape::allowed_lints(&everything()));
}

#[test]
fn nothing_unwraps_panics_or_prints() {
    assert_none(&shape::banned_words(&shipped()));
}

#[test]
fn nothing_is_imported_by_a_glob() {
    assert_none(&shape::globs(&shipped()));
}

#[test]
fn only_the_public_face_is_public() {
    for house in [emulator(), testkit()] {
        assert_none(&shape::public_items(&house));
    }
}

#[test]
fn only_the_public_face_reexports() {
    for house in [emulator(), testkit()] {
        assert_none(&shape::reexports(&house));
    }
}

#[test]
fn every_public_item_of_the_test_kit_has_an_example() {
    assert_none(&examples::items_without_an_example(
        &testkit().sources,
        |_| true,
    ));

    let face = read("testkit/src/lib.rs");
    let others = face.split_once("pub use strongroom::{");
    let (names, _) = others
        .and_then(|(_, rest)| rest.split_once('}'))
        .expect("the kit shows types of the server");
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    assert_none(&examples::items_without_an_example(
        &emulator().sources,
        |name| names.contains(&name),
    ));
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    let kept = [
        "Cargo.toml",
        "README.md",
        "Dockerfile",
        ".ci/run",
        "docs/testkit.md",
        "tests/clients/run",
        "tests/clients/rust/Cargo.toml",
    ];
    let files = kept
        .into_iter()
        .chain(MANIFESTS)
        .map(|path| (path.to_owned(), read(path)));
    let sources = everything()
        .into_iter()
        .map(|source| (source.path, source.text));
    for (path, text) in files.chain(sources) {
        assert_none(&shape::machine_paths(&path, &text));
    }
}

#[test]
fn recorded_tests_wait_for_what_is_not_built() {
    let [waiting, raw, calls] = ["waiting", "raw", "calls"].map(|list| {
        let path = format!("fixtures/recorded-{list}.txt");
        (path.clone(), read(&path))
    });
    let tables = ["fixtures/operations.txt", "fixtures/kms-operations.txt"].map(read);

    let passing = [&raw.1, &calls.1].into_iter();
    let passing = passing.flat_map(|list| recorded::rows(list).map(|(_, test)| test));
    let unbuilt = tables.iter().flat_map(|table| recorded::unbuilt(table));

    assert_none(&recorded::stale_waits(
        (&waiting.0, &waiting.1),
        &passing.collect(),
        &unbuilt.collect(),
    ));
}
