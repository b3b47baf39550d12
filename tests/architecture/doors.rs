//! The doors of the house: which file may name which package.

use crate::house::House;
use crate::paths::{NamedPath, named_paths};
use crate::violation::Violation;

/// Where a package may be named.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Door {
    /// In these files, and in files under these folders.
    In(&'static [&'static str]),
    /// In `main.rs` and the files that it declares.
    Binary,
    /// Anywhere: the vocabulary of the house.
    Open,
}

const SERVER: Door = Door::In(&["server/"]);
const STORE: Door = Door::In(&["store/"]);
const CRYPTO: Door = Door::In(&["crypto/"]);
const ECC: Door = Door::In(&["crypto/ecc_keys.rs"]);
const TIMESTAMP: Door = Door::In(&["model/timestamp.rs"]);
const ENCODING: Door = Door::In(&["wire/encoding.rs"]);
const SDK: Door = Door::In(&["aws.rs"]);
const CLIENT_SIDE: Door = Door::In(&["client_side/"]);

/// Packages and their doors.
pub(crate) type Doors = &'static [(&'static str, Door)];

/// Every direct package of the emulator. A new one needs a row, and its commit a reason.
pub(crate) const EMULATOR: Doors = &[
    ("warp", SERVER),
    ("hyper", SERVER),
    ("hyper-util", SERVER),
    ("tokio-rustls", SERVER),
    ("rustix", Door::In(&["server/open_files.rs"])),
    ("rcgen", SERVER),
    ("redb", STORE),
    ("tempfile", STORE),
    ("aes", CRYPTO),
    // Key material comes under an AES key.
    ("aes-kw", Door::In(&["crypto/key_wrap.rs"])),
    ("ctr", CRYPTO),
    ("hmac", CRYPTO),
    ("hkdf", CRYPTO),
    // A seeded source of entropy is a hash of a counter, and imports nothing of the house.
    ("sha2", Door::In(&["crypto/", "entropy.rs"])),
    ("sha1", CRYPTO),
    ("md-5", CRYPTO),
    ("crc-fast", CRYPTO),
    ("xxhash-rust", CRYPTO),
    ("subtle", CRYPTO),
    // Key pairs: one file for each kind, and one for the randomness that all of them take.
    ("rsa", Door::In(&["crypto/rsa_keys.rs"])),
    ("ecdsa", ECC),
    ("p256", ECC),
    ("p384", ECC),
    ("p521", ECC),
    ("k256", ECC),
    ("ed25519-dalek", Door::In(&["crypto/ed25519_keys.rs"])),
    ("ml-dsa", Door::In(&["crypto/ml_dsa_keys.rs"])),
    ("ml-kem", Door::In(&["crypto/ml_kem_keys.rs"])),
    ("rand_core", Door::In(&["crypto/random.rs"])),
    ("quick-xml", Door::In(&["wire/xml.rs"])),
    ("base64", ENCODING),
    ("percent-encoding", ENCODING),
    ("time", TIMESTAMP),
    ("httpdate", TIMESTAMP),
    ("getrandom", Door::In(&["entropy.rs"])),
    ("mime_guess", Door::In(&["seed/objects.rs"])),
    ("clap", Door::Binary),
    ("clap_complete", Door::Binary),
    ("tracing-subscriber", Door::Binary),
    ("bytes", Door::Open),
    ("futures-util", Door::Open),
    ("hex", Door::Open),
    ("http", Door::Open),
    ("serde", Door::Open),
    ("serde_json", Door::Open),
    ("tokio", Door::Open),
    ("tracing", Door::Open),
    // Whoever holds a secret wipes it.
    ("zeroize", Door::Open),
];

/// Every direct package of the test kit, those behind its features too.
pub(crate) const TESTKIT: Doors = &[
    ("strongroom", Door::Open),
    ("tokio", Door::Open),
    // The test CA as a file, for clients that take a path.
    ("tempfile", Door::In(&["trust.rs"])),
    // Clients and their configuration are what the feature `aws` gives.
    ("aws-sdk-kms", Door::Open),
    ("aws-sdk-s3", Door::Open),
    ("aws-types", Door::Open),
    ("aws-credential-types", SDK),
    ("aws-smithy-async", SDK),
    ("aws-smithy-http-client", SDK),
    ("aws-smithy-runtime-api", SDK),
    ("aes", CLIENT_SIDE),
    ("aes-gcm", CLIENT_SIDE),
    ("aes-kw", CLIENT_SIDE),
    ("base64", CLIENT_SIDE),
    ("cbc", CLIENT_SIDE),
    ("ecb", CLIENT_SIDE),
    ("getrandom", CLIENT_SIDE),
    ("hkdf", CLIENT_SIDE),
    ("serde_json", CLIENT_SIDE),
    ("sha2", CLIENT_SIDE),
    ("subtle", CLIENT_SIDE),
    ("zeroize", CLIENT_SIDE),
];

/// Packages that are named away from their door. Tests may use any.
pub(crate) fn packages_off_their_door(house: &House, doors: Doors) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, source) in house.sources.iter().enumerate() {
        let place = house.place(index);
        let paths = named_paths(source);
        for path in paths.iter().filter(|path| !path.test) {
            let Some((package, door)) = package_of(path, doors) else {
                continue;
            };
            if !door.opens(place, house.is_binary(index)) {
                let rule = format!("`{package}` is named outside of its door, {door} (style §8)");
                violations.push(Violation::new(&source.path, path.line, rule));
            }
        }
    }
    violations
}

/// Packages of a manifest that no row names.
pub(crate) fn packages_without_a_door(
    manifest: &str,
    packages: &[(String, usize)],
    doors: Doors,
) -> Vec<Violation> {
    let known = |name: &String| doors.iter().any(|(package, _)| package == name);
    packages
        .iter()
        .filter(|(name, _)| !known(name))
        .map(|(name, line)| {
            let rule = format!("package `{name}` has no door (style §8)");
            Violation::new(manifest, *line, rule)
        })
        .collect()
}

fn package_of(path: &NamedPath, doors: Doors) -> Option<(&'static str, Door)> {
    let first = path.segments.first()?;
    let crate_name = |package: &str| match package {
        "md-5" => "md5".to_owned(),
        other => other.replace('-', "_"),
    };
    doors
        .iter()
        .find(|(package, _)| crate_name(package) == *first)
        .copied()
}

impl Door {
    fn opens(self, place: &str, is_binary: bool) -> bool {
        match self {
            Self::In(places) => places
                .iter()
                .any(|door| place == *door || (door.ends_with('/') && place.starts_with(door))),
            Self::Binary => is_binary,
            Self::Open => true,
        }
    }
}

impl std::fmt::Display for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::In(places) => f.write_str(&places.join(" or ")),
            Self::Binary => f.write_str("main.rs and what it declares"),
            Self::Open => f.write_str("anywhere"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::made_up;

    fn places(files: &[(&str, &str)]) -> Vec<(String, usize)> {
        packages_off_their_door(&made_up(files), EMULATOR)
            .into_iter()
            .map(|violation| (violation.file, violation.line))
            .collect()
    }

    #[test]
    fn a_package_off_its_door_is_caught_in_each_of_its_spellings() {
        let found = places(&[
            ("s3/a.rs", "use std::x;\nuse warp::Filter;"),
            ("s3/b.rs", "fn b() -> quick_xml::Error {}"),
            ("s3/c.rs", "#[derive(clap::Parser)]\nstruct C;"),
            ("auth/d.rs", "use md5;"),
            ("wire/xml.rs", "use base64 as b;"),
        ]);

        let lines = [
            ("emulator/src/s3/a.rs", 2),
            ("emulator/src/s3/b.rs", 1),
            ("emulator/src/s3/c.rs", 1),
            ("emulator/src/auth/d.rs", 1),
            ("emulator/src/wire/xml.rs", 1),
        ];
        assert_eq!(found, lines.map(|(file, line)| (file.to_owned(), line)));
    }

    #[test]
    fn a_package_at_its_door_and_a_namesake_pass() {
        let found = places(&[
            ("main.rs", "mod command;"),
            ("command.rs", "use clap::Parser;"),
            ("server/tls.rs", "use rcgen::Certificate;"),
            ("wire/xml.rs", "use quick_xml::Reader;"),
            (
                "s3/a.rs",
                "use tokio::time; fn a() { time::sleep(hex::encode(crate::wire::base64::b())) }",
            ),
            (
                "s3/b.rs",
                "#[cfg(test)] mod tests { use tempfile::tempdir; }",
            ),
        ]);

        assert_eq!(found, []);
    }

    #[test]
    fn the_test_kit_has_doors_of_its_own() {
        let house = made_up(&[
            ("client_side/cipher.rs", "use aes_gcm::Aes256Gcm;"),
            ("server.rs", "use tokio::sync; use aes_gcm::Aes256Gcm;"),
        ]);

        let found = packages_off_their_door(&house, TESTKIT);

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].file, "emulator/src/server.rs");
    }

    #[test]
    fn a_package_that_no_row_names_is_caught() {
        let packages = [("bytes".to_owned(), 3), ("left-pad".to_owned(), 4)];

        let found = packages_without_a_door("emulator/Cargo.toml", &packages, EMULATOR);

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 4);
    }
}
