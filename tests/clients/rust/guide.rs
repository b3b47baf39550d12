//! The manifest that the guide of the test kit prints: its packages are those that this crate is built with, and none of them
//! wants cmake or OpenSSL, as the guide promises.

use std::fs;
use std::path::Path;
use std::process::Command;

const GUIDE: &str = include_str!("../../../docs/testkit.md");
const MANIFEST: &str = include_str!("Cargo.toml");
/// Where the guide finds the kit, in the checkout beside the reader's crate.
const KIT: &str = "../strongroom/testkit";

fn printed() -> &'static str {
    let blocks = GUIDE.split("```toml\n").skip(1);
    let printed: Vec<_> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(printed.len(), 1);
    printed[0]
}

/// The packages of a new crate with the guide's manifest, a line each, in the versions that this crate has.
fn packages_of_a_reader() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crate_folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide");
    let kit = here.join("../../../testkit").display().to_string();
    let manifest = format!(
        "[package]\nname = \"reader\"\nedition = \"2024\"\n[workspace]\n{}",
        printed().replace(KIT, &kit)
    );
    fs::create_dir_all(crate_folder.join("src")).unwrap();
    fs::write(crate_folder.join("src/lib.rs"), "").unwrap();
    fs::write(crate_folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(here.join("Cargo.lock"), crate_folder.join("Cargo.lock")).unwrap();

    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal,build,dev"])
        .args(["--prefix", "none"])
        .current_dir(crate_folder)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "{error}");
    String::from_utf8(tree.stdout).unwrap()
}

#[test]
fn the_packages_of_the_guide_are_those_of_this_crate() {
    assert!(printed().contains(KIT));
    for name in ["aws-sdk-s3", "tokio"] {
        let is_named = |line: &&str| line.starts_with(&format!("{name} = "));
        let line = printed().lines().find(is_named).unwrap();
        assert!(MANIFEST.lines().any(|own| own == line), "{line}");
    }
}

#[test]
fn the_packages_of_the_guide_want_neither_cmake_nor_openssl() {
    let packages = packages_of_a_reader();

    let has = |name: &str| packages.lines().any(|line| line.starts_with(name));
    assert!(has("strongroom-testkit v") && has("aws-sdk-s3 v") && has("ring v"));
    for name in ["aws-lc", "cmake", "openssl-sys", "native-tls"] {
        assert!(!has(name), "{name}");
    }
}
