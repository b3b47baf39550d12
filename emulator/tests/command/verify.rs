//! `verify`: of folders that a server wrote and left by being killed, sound and damaged in many ways.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use super::{Server, ask, command};

const KMS: &str = "x-amz-server-side-encryption: aws:kms\r\nx-amz-server-side-encryption-aws-kms-key-id: alias/app\r\n";
const DSSE: &str = "x-amz-server-side-encryption: aws:kms:dsse\r\nx-amz-server-side-encryption-aws-kms-key-id: alias/app\r\n";
const CUSTOMERS: &str = "x-amz-server-side-encryption-customer-algorithm: AES256\r\n\
    x-amz-server-side-encryption-customer-key: MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=\r\n\
    x-amz-server-side-encryption-customer-key-md5: JMwgiexXqwuPqIPjYFmIZQ==\r\n";
/// The objects that lie in one file each, and how each of them is asked to be encrypted.
const LARGE: [(&str, &str); 4] = [
    ("s3", ""),
    ("kms", KMS),
    ("dsse", DSSE),
    ("customers", CUSTOMERS),
];

/// Two segments and more in each layer.
fn large() -> Vec<u8> {
    (0..=250).cycle().take(150_000).collect()
}

fn put(server: &Server, path: &str, header: &str, body: &[u8]) -> String {
    let (status, answer) = ask(&server.address, &format!("PUT /{path}"), header, body).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

/// Begins an upload, gives it these parts, and says how it is called.
fn upload(server: &Server, key: &str, header: &str, parts: &[&[u8]]) -> String {
    let request = format!("POST /photos/{key}?uploads");
    let (status, answer) = ask(&server.address, &request, header, b"").unwrap();
    assert_eq!(status, 200, "{key}");
    let answer = String::from_utf8(answer).unwrap();
    let (_, id) = answer.split_once("<UploadId>").unwrap();
    let id = id.split('<').next().unwrap().to_owned();
    for (number, part) in (1..).zip(parts) {
        let path = format!("photos/{key}?partNumber={number}&uploadId={id}");
        put(server, &path, "", part);
    }
    id
}

/// Joins all parts of an upload.
fn join(server: &Server, key: &str, id: &str) {
    let listed = server
        .ask(&format!("GET /photos/{key}?uploadId={id}"), b"")
        .unwrap();
    let listed = String::from_utf8(listed.1).unwrap();
    let tags = listed.split("<ETag>").skip(1);
    let tags = tags.map(|rest| rest.split('<').next().unwrap());
    let parts = (1..).zip(tags).map(|(number, tag)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>")
    });
    let parts: String = parts.collect();
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let request = format!("POST /photos/{key}?uploadId={id}");
    let (status, answer) = server.ask(&request, body.as_bytes()).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(status == 200 && answer.contains("<ETag>"), "{answer}");
}

/// A folder that a killed server has left, with objects of every mode, and a small one; with a film in two large parts, an
/// empty one last, and an upload under way.
fn left(folder: &Path) {
    let data = folder.to_str().unwrap();
    let buckets = ["--bucket", "photos,films", "--kms-key", "alias/app"];
    let server = Server::start(&[&["--data", data], &buckets[..]].concat());
    for (key, header) in LARGE {
        put(&server, &format!("photos/{key}"), header, &large());
    }
    put(&server, "photos/small", "", b"hello");
    put(&server, "photos/empty", DSSE, b"");
    let film = vec![7; 5 * 1_024 * 1_024];
    let id = upload(&server, "film", KMS, &[&film, &film, b""]);
    join(&server, "film", &id);
    upload(&server, "coming", "", &[b"small", &large()]);
}

/// The same with a key that has two versions and a delete marker.
fn left_with_versions(folder: &Path) {
    let data = folder.to_str().unwrap();
    let buckets = ["--bucket", "photos", "--kms-key", "alias/app"];
    let server = Server::start(&[&["--data", data], &buckets[..]].concat());
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    put(&server, "photos?versioning", "", enabled.as_bytes());
    put(&server, "photos/cat", "", &large());
    put(&server, "photos/cat", DSSE, &large());
    let (status, _) = server.ask("DELETE /photos/cat", b"").unwrap();
    assert_eq!(status, 204);
}

/// Has a server close the folder: of one that was killed, the catalogue is not opened once a page of it was altered.
fn end_well(folder: &Path) {
    let mut server = Server::start(&["--data", folder.to_str().unwrap()]);
    server.signal("-TERM");
    assert!(server.child.wait().unwrap().success());
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command()
        .args(["verify", "--data", folder.to_str().unwrap()])
        .args(arguments)
        .output()
        .unwrap()
}

/// What it says, and how it ends; nothing goes to stderr.
fn verified(folder: &Path) -> (Option<i32>, String) {
    let output = run(folder, &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error, "");
    let told = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), told)
}

/// The lines that tell of damage.
fn damage(folder: &Path) -> Vec<String> {
    let (status, told) = verified(folder);
    let lines: Vec<_> = told.lines().map(str::to_owned).collect();
    let (summary, lines) = lines.split_last().unwrap();
    assert_eq!(status, Some(1), "{told}");
    assert!(summary.contains("damaged: "), "{told}");
    let lines = lines
        .iter()
        .filter_map(|line| line.strip_prefix("damaged: "));
    lines.map(str::to_owned).collect()
}

/// It has to say in one line that it cannot tell.
fn unverified(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    assert_eq!(output.stdout, b"");
    error
}

/// What `inspect` says of an object in `photos`.
fn inspected(folder: &Path, key: &str) -> Value {
    let output = command()
        .args(["inspect", "--json", "--raw", &format!("photos/{key}")])
        .args(["--data", folder.to_str().unwrap()])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Where the blobs of an object lie in the folder.
fn places(folder: &Path, key: &str) -> Vec<String> {
    let told = inspected(folder, key);
    let blobs = told["blobs"].as_array().unwrap().iter();
    blobs
        .map(|blob| blob["place"].as_str().unwrap().to_owned())
        .collect()
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

fn resize(file: &Path, length: u64) {
    let file = OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(length).unwrap();
}

/// Every file below a folder, and what it holds.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                found.insert(path, bytes);
            }
        }
    }
    found
}

#[test]
fn what_a_killed_server_has_left_is_sound_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    left(folder.path());
    let before = files(folder.path());

    let (status, told) = verified(folder.path());

    assert_eq!(
        told,
        "sound: 7 versions in 2 buckets, 1 upload under way, 11 blobs of 10.7 MiB; 1 blob could not be opened without \
         the customer's key, or one that was deleted: only the length was checked\n"
    );
    assert_eq!(status, Some(0));
    assert!(files(folder.path()) == before, "nothing was written");
}

#[test]
fn a_flipped_bit_is_named_with_its_segment_and_layer() {
    let folder = tempfile::tempdir().unwrap();
    left(folder.path());
    for (key, at, expected) in [
        (
            "s3",
            70_000,
            "the tag of segment 1 in layer 1 does not match",
        ),
        ("kms", 20, "the tag of segment 0 in layer 1 does not match"),
        (
            "dsse",
            140_000,
            "the tag of segment 2 in layer 1 does not match",
        ),
        ("dsse", 0, "the header of layer 1 is none"),
        ("customers", 0, "the header of layer 1 is none"),
    ] {
        let place = places(folder.path(), key).remove(0);
        let file = folder.path().join(&place);
        flip(&file, at);

        let told = damage(folder.path());

        let blob = file.file_name().unwrap().to_str().unwrap();
        let named = format!("photos/{key}, version null: blob {blob} in `{place}`");
        assert_eq!(told, [format!("{named}: it was altered: {expected}")]);
        flip(&file, at);
    }
    assert_eq!(verified(folder.path()).0, Some(0));
}

#[test]
fn a_blob_that_is_missing_cut_or_longer_is_named_in_every_mode() {
    let folder = tempfile::tempdir().unwrap();
    left(folder.path());
    for (key, _) in LARGE {
        let file = folder.path().join(places(folder.path(), key).remove(0));
        let whole = fs::read(&file).unwrap();
        let length = u64::try_from(whole.len()).unwrap();
        let ends = |expected: &str| {
            let told = damage(folder.path());
            assert_eq!(told.len(), 1, "{told:?}");
            let named = format!("photos/{key}, version null: blob ");
            assert!(told[0].starts_with(&named), "{told:?}");
            assert!(told[0].ends_with(expected), "{told:?}");
        };

        resize(&file, length - 1);
        ends(&format!(
            ": it was cut: it has {} of {length} bytes",
            length - 1
        ));
        resize(&file, length + 1);
        ends(&format!(
            ": it is longer than it was: {} bytes instead of {length}",
            length + 1
        ));
        fs::remove_file(&file).unwrap();
        ends(": it is missing");
        fs::write(&file, whole).unwrap();
    }
}

#[test]
fn parts_are_named_by_their_numbers_of_objects_and_of_uploads() {
    let folder = tempfile::tempdir().unwrap();
    left(folder.path());
    let parts = places(folder.path(), "film");
    assert_eq!(parts[2], "catalogue");
    let named: Vec<_> = LARGE
        .iter()
        .flat_map(|(key, _)| places(folder.path(), key))
        .collect();
    let all = files(&folder.path().join("blobs"));
    let seen = |file: &PathBuf| {
        file.strip_prefix(folder.path())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let coming = all
        .keys()
        .find(|file| !named.contains(&seen(file)) && !parts.contains(&seen(file)));
    flip(coming.unwrap(), 100_000);
    flip(&folder.path().join(&parts[1]), 4_000_000);

    let told = damage(folder.path());

    let film = format!(
        "photos/film, version null, part 2: blob {} in",
        &parts[1]["blobs/ab/".len()..]
    );
    assert!(told[0].starts_with(&film), "{told:?}");
    assert!(told[0].contains("segment 61 in layer 1"), "{told:?}");
    assert!(told[1].starts_with("photos/coming, upload "), "{told:?}");
    assert!(told[1].contains(", part 2: blob "), "{told:?}");
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn a_version_that_is_not_current_is_named_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    left_with_versions(folder.path());
    let sound = verified(folder.path());
    for file in files(&folder.path().join("blobs")).keys() {
        fs::remove_file(file).unwrap();
    }

    let told = damage(folder.path());

    assert!(
        sound.1.starts_with("sound: 2 versions in 1 bucket, "),
        "{}",
        sound.1
    );
    assert_eq!(told.len(), 2, "{told:?}");
    let ids: Vec<_> = told
        .iter()
        .map(|line| {
            line.strip_prefix("photos/cat, version ")
                .unwrap()
                .split(':')
                .next()
                .unwrap()
        })
        .collect();
    assert!(
        ids.iter().all(|id| id.len() == 32) && ids[0] != ids[1],
        "{told:?}"
    );
}

#[test]
fn no_blob_passes_for_another_one() {
    let folder = tempfile::tempdir().unwrap();
    left(folder.path());
    let [one, other] =
        ["s3", "kms"].map(|key| folder.path().join(places(folder.path(), key).remove(0)));
    let between = folder.path().join("between");
    for (from, to) in [(&one, &between), (&other, &one), (&between, &other)] {
        fs::rename(from, to).unwrap();
    }

    let told = damage(folder.path());

    let named: Vec<_> = told
        .iter()
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(named, ["photos/kms", "photos/s3"]);
    assert!(
        told.iter()
            .all(|line| line.contains("segment 0 in layer 1")),
        "{told:?}"
    );
}

#[test]
fn a_small_body_that_was_altered_in_the_catalogue_is_named() {
    let folder = tempfile::tempdir().unwrap();
    left(folder.path());
    end_well(folder.path());
    let told = inspected(folder.path(), "small");
    let raw = decode(told["blobs"][0]["raw"].as_str().unwrap());
    let file = folder.path().join("strongroom.redb");
    let bytes = fs::read(&file).unwrap();
    let found: Vec<_> = (0..bytes.len() - raw.len())
        .filter(|at| bytes[*at..].starts_with(&raw))
        .collect();
    assert!(!found.is_empty());
    for at in found {
        flip(&file, at + 41);
    }

    let told = damage(folder.path());

    let small: Vec<_> = told
        .iter()
        .filter(|line| line.starts_with("photos/small, version null: blob "))
        .collect();
    assert_eq!(small.len(), 1, "{told:?}");
    assert!(
        small[0].contains("in `catalogue`: it was altered: the tag of segment 0"),
        "{told:?}"
    );
    let catalogue: Vec<_> = told
        .iter()
        .filter(|line| line.starts_with("the catalogue `"))
        .collect();
    assert_eq!(catalogue.len(), 1, "{told:?}");
    assert!(catalogue[0].contains(file.to_str().unwrap()), "{told:?}");
}

/// Base64.
fn decode(text: &str) -> Vec<u8> {
    let signs = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = Vec::new();
    for sign in text.bytes().filter(|sign| *sign != b'=') {
        let value = signs.iter().position(|known| *known == sign).unwrap();
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    let bytes = bits
        .chunks_exact(8)
        .map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit));
    bytes.map(|byte| u8::try_from(byte).unwrap()).collect()
}

#[test]
fn what_no_row_names_is_noted_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    left(folder.path());
    let name = "0123456789abcdef0123456789abcdef";
    fs::create_dir_all(folder.path().join("blobs/01")).unwrap();
    let leftover = [format!("blobs/01/{name}"), format!("staging/{name}")];
    for place in &leftover {
        fs::write(folder.path().join(place), b"x").unwrap();
    }

    let (status, told) = verified(folder.path());

    assert_eq!(status, Some(0), "{told}");
    for place in &leftover {
        let note =
            format!("note: no row names the blob {name} in `{place}`: the next start removes it\n");
        assert!(told.contains(&note), "{told}");
        assert!(folder.path().join(place).exists());
    }
    assert!(
        told.lines().last().unwrap().starts_with("sound: "),
        "{told}"
    );
}

#[test]
fn json_tells_the_same() {
    let folder = tempfile::tempdir().unwrap();
    left(folder.path());
    let place = places(folder.path(), "dsse").remove(0);
    resize(&folder.path().join(&place), 9);

    let output = run(folder.path(), &["--json"]);

    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(told["sound"], false);
    let damaged = &told["damaged"][0];
    assert_eq!(
        (&damaged["bucket"], &damaged["key"]),
        (&"photos".into(), &"dsse".into())
    );
    assert_eq!(
        (&damaged["version_id"], &damaged["part_number"]),
        (&"null".into(), &Value::Null)
    );
    assert_eq!(
        (&damaged["place"], &damaged["cause"]),
        (&Value::from(place), &"cut".into())
    );
    assert_eq!(told["checked"]["versions"], 7);
    assert_eq!(told["checked"]["unopened"], 1);
}

#[test]
fn a_folder_that_cannot_be_verified_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let server = Server::start(&["--data", data, "--bucket", "photos"]);
    let held = unverified(folder.path(), &[]);
    drop(server);
    let root = folder.path().join("root.key");
    let key = fs::read(&root).unwrap();

    fs::write(&root, [7; 32]).unwrap();
    let wrong = unverified(folder.path(), &[]);
    fs::write(&root, [7; 31]).unwrap();
    let cut = unverified(folder.path(), &[]);
    fs::remove_file(&root).unwrap();
    let lost = unverified(folder.path(), &[]);
    fs::write(&root, key).unwrap();
    let none = unverified(empty.path(), &[]);
    let nowhere = command().arg("verify").output().unwrap();

    assert!(
        held.contains("is in use by another process: stop its server first"),
        "{held}"
    );
    assert!(wrong.contains("the root key is not the one"), "{wrong}");
    assert!(
        cut.contains("root.key` has 31 bytes instead of 32"),
        "{cut}"
    );
    assert!(lost.contains("root.key` is missing"), "{lost}");
    assert!(none.contains("is no data folder"), "{none}");
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(
        String::from_utf8(nowhere.stderr)
            .unwrap()
            .contains("--data DIR")
    );
    assert_eq!(verified(folder.path()).0, Some(0));
}

#[test]
fn a_catalogue_that_cannot_be_read_is_one_line_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    left(folder.path());
    let file = folder.path().join("strongroom.redb");
    let whole = fs::read(&file).unwrap();
    let half = whole.len() / 2;
    let headless = [&[0; 4_096][..], &whole[4_096..]].concat();
    let scrambled: Vec<_> = (0..)
        .zip(&whole)
        .map(|(at, byte)| if at < 4_096 { *byte } else { byte ^ 0x55 })
        .collect();
    for (what, bytes) in [
        ("cut", &whole[..half]),
        ("headless", &headless),
        ("scrambled", &scrambled),
        ("empty", &[]),
    ] {
        fs::write(&file, bytes).unwrap();

        let error = unverified(folder.path(), &[]);

        let named = format!("the catalogue `{}` is damaged", file.display());
        assert!(error.contains(&named), "{what}: {error}");
        assert_eq!(fs::read(&file).unwrap(), bytes, "{what}");
    }
}
