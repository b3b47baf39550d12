//! `export` and `import`: whatever was put comes back, and what cannot is told.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Output;

use super::{Server, ask, command, exchange, refusal};

const KMS: &str = "x-amz-server-side-encryption: aws:kms\r\nx-amz-server-side-encryption-aws-kms-key-id: alias/app\r\n";
const BUCKET_KEY: &str = "x-amz-server-side-encryption: aws:kms\r\nx-amz-server-side-encryption-aws-kms-key-id: alias/app\r\nx-amz-server-side-encryption-bucket-key-enabled: true\r\n";
const CONTEXT: &str = "x-amz-server-side-encryption: aws:kms\r\nx-amz-server-side-encryption-aws-kms-key-id: alias/app\r\nx-amz-server-side-encryption-context: eyJ0ZWFtIjoiYmx1ZSJ9\r\n";
const DSSE: &str = "x-amz-server-side-encryption: aws:kms:dsse\r\nx-amz-server-side-encryption-aws-kms-key-id: alias/app\r\n";
const CUSTOMER: &str = "x-amz-server-side-encryption-customer-algorithm: AES256\r\n\
    x-amz-server-side-encryption-customer-key: MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=\r\n\
    x-amz-server-side-encryption-customer-key-md5: JMwgiexXqwuPqIPjYFmIZQ==\r\n";
const DRESSED: &str = "content-type: text/x-odd; charset=utf-8\r\ncache-control: no-store\r\n\
    content-encoding: br\r\ncontent-language: de\r\ncontent-disposition: attachment; filename=\"a b\"\r\n\
    expires: Wed, 21 Oct 2026 07:28:00 GMT\r\nx-amz-website-redirect-location: /other\r\n\
    x-amz-meta-who: =?UTF-8?B?w7xtbMOkdXQ=?=\r\nx-amz-meta-word: =?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fa=3F=3D?=\r\n\
    x-amz-tagging: a%20b=c%2Bd&e=\r\nx-amz-storage-class: STANDARD_IA\r\n\
    x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=\r\n";
/// What differs from one write of an object to the next.
const FLEETING: [&str; 6] = [
    "date:",
    "last-modified:",
    "x-amz-request-id:",
    "x-amz-id-2:",
    "x-amz-version-id:",
    "connection:",
];

type Objects = BTreeMap<String, (Vec<String>, Vec<u8>)>;

/// Keys that a file system takes for something else, or not at all.
fn odd_keys() -> Vec<String> {
    let fixed = [
        "plain.txt",
        "a",
        "a/b",
        "a/b/c",
        "A",
        "\u{e4}",
        "\u{c4}",
        "dir/",
        "/lead",
        "//",
        "x//y",
        ".",
        "..",
        "x/../y",
        "../../up",
        "x/./y",
        "nl\nkey",
        "tab\tkey",
        "\u{1}",
        "back\\slash",
        "sp ace",
        "per%25cent",
        "plus+",
        "q?u=1&r",
        "hash#",
        "seed.json",
        "quote\"'",
        "\u{1f600}",
    ];
    let long = [
        "x".repeat(300),
        format!("{}/{}", "y".repeat(255), "z".repeat(700)),
        "w".repeat(1_024),
    ];
    fixed.map(str::to_owned).into_iter().chain(long).collect()
}

fn encode(key: &str) -> String {
    let mut encoded = String::new();
    for byte in key.bytes() {
        let _ = write!(encoded, "%{byte:02X}");
    }
    encoded
}

fn put(server: &Server, key: &str, header: &str, body: &[u8]) {
    let request = format!("PUT /photos/{}", encode(key));
    let (status, answer) = ask(&server.address, &request, header, body).unwrap();
    assert_eq!(status, 200, "{key}: {}", String::from_utf8_lossy(&answer));
}

/// Puts an object of two parts.
fn put_parts(server: &Server, key: &str, parts: [&[u8]; 2]) {
    let path = format!("/photos/{key}");
    let text = |request: &str, header: &str, body: &[u8]| {
        let (status, head, answer) = exchange(&server.address, request, header, body).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert_eq!(status, 200, "{answer}");
        (head, answer)
    };
    let sha256 = "x-amz-checksum-algorithm: SHA256\r\n";
    let (_, begun) = text(&format!("POST {path}?uploads"), sha256, b"");
    let id = begun
        .split("<UploadId>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    let mut document = String::from("<CompleteMultipartUpload>");
    for (number, part) in (1..).zip(parts) {
        let (head, _) = text(
            &format!("PUT {path}?partNumber={number}&uploadId={id}"),
            "",
            part,
        );
        let of = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().to_owned()
        };
        let (etag, checksum) = (of("etag: "), of("x-amz-checksum-sha256: "));
        let _ = write!(
            document,
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag><ChecksumSHA256>{checksum}</ChecksumSHA256></Part>"
        );
    }
    document.push_str("</CompleteMultipartUpload>");
    text(
        &format!("POST {path}?uploadId={id}"),
        "",
        document.as_bytes(),
    );
}

/// Every object of the bucket: headers that stay, and body.
fn objects(server: &Server, keys: &[String]) -> Objects {
    let read = |key: &String| {
        let request = format!("GET /photos/{}", encode(key));
        let header = "x-amz-checksum-mode: ENABLED\r\n";
        let (status, head, body) = exchange(&server.address, &request, header, b"").unwrap();
        assert_eq!(status, 200, "{key}: {head}");
        let is_kms = head.contains("aws:kms");
        let stays = |line: &&str| {
            let is_fleeting = FLEETING.iter().any(|name| line.starts_with(name));
            !(is_fleeting || is_kms && line.starts_with("etag:"))
        };
        let lines = head.lines().filter(stays).map(str::to_owned);
        (key.clone(), (lines.collect(), body))
    };
    keys.iter().map(read).collect()
}

fn run(arguments: &[&str]) -> Output {
    command().args(arguments).output().unwrap()
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn serve(data: &Path) -> Server {
    Server::start(&[
        "--data",
        text(data),
        "--bucket",
        "photos",
        "--kms-key",
        "alias/app",
    ])
}

/// A server that has an object of every kind, and the keys of those that come back to the letter.
fn filled(data: &Path) -> (Server, Vec<String>) {
    let server = serve(data);
    let modes = ["", KMS, BUCKET_KEY, CONTEXT, DSSE];
    let mut keys = odd_keys();
    for (key, mode) in keys.iter().zip(modes.iter().cycle()) {
        put(&server, key, mode, format!("the body of {key}").as_bytes());
    }
    put(&server, "dressed", DRESSED, b"hello");
    put(&server, "large", KMS, &vec![7; 700_000]);
    put(&server, "empty", "", b"");
    keys.extend(["dressed", "large", "empty"].map(str::to_owned));
    (server, keys)
}

/// Exports a folder and imports it into another; what both have said.
fn carry(old: &Path, out: &Path, new: &Path) -> [(String, String); 2] {
    let exported = run(&["export", "--data", text(old), text(out)]);
    let imported = run(&["import", "--data", text(new), text(out)]);
    [said(&exported), said(&imported)]
}

#[test]
fn every_object_comes_back_under_its_key_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new, out] = ["old", "new", "out"].map(|name| folder.path().join(name));
    let (server, keys) = filled(&old);
    let (before, app) = (objects(&server, &keys), server.describe_key("alias/app"));
    drop(server);

    let [exported, imported] = carry(&old, &out, &new);

    let count = keys.len();
    let written = format!("Exported {count} objects (");
    assert!(exported.0.starts_with(&written), "{exported:?}");
    let loaded = format!("Imported {count} objects into ");
    assert!(imported.0.starts_with(&loaded), "{imported:?}");
    let server = Server::start(&["--data", text(&new)]);
    let after = objects(&server, &keys);
    for (key, object) in &before {
        assert_eq!(after.get(key), Some(object), "{key}");
    }
    assert_eq!(server.describe_key("alias/app")["Arn"], app["Arn"]);
    drop(server);
    let bound = said(&run(&[
        "inspect",
        "--json",
        "--data",
        text(&new),
        "photos/a/b/c",
    ]));
    assert!(bound.0.contains("\"team\": \"blue\""), "{bound:?}");
}

#[test]
fn what_changes_its_shape_comes_back_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new, out] = ["old", "new", "out"].map(|name| folder.path().join(name));
    let server = serve(&old);
    put(
        &server,
        "archived",
        "x-amz-storage-class: GLACIER\r\n",
        b"cold",
    );
    put(
        &server,
        "managed",
        "x-amz-server-side-encryption: aws:kms\r\n",
        b"of AWS",
    );
    put_parts(&server, "parts", [&vec![1; 5 * 1_024 * 1_024], b"end"]);
    drop(server);

    let [_, imported] = carry(&old, &out, &new);

    assert!(
        imported.0.starts_with("Imported 3 objects into "),
        "{imported:?}"
    );
    let server = Server::start(&["--data", text(&new)]);
    let found = objects(&server, &["managed".to_owned(), "parts".to_owned()]);
    let (managed, parts) = (&found["managed"], &found["parts"]);
    let own = server.describe_key("alias/aws/s3")["Arn"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        managed.0.iter().any(|line| line.ends_with(&own)),
        "{managed:?}"
    );
    assert!(parts.1.ends_with(b"\x01end"));
    let checksum = |line: &String| line.starts_with("x-amz-checksum-sha256");
    assert!(parts.0.iter().any(checksum), "{:?}", parts.0);
    let (_, head, _) = exchange(&server.address, "HEAD /photos/archived", "", b"").unwrap();
    assert!(head.contains("x-amz-storage-class: GLACIER"), "{head}");
}

#[test]
fn what_was_imported_once_stays_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new, out] = ["old", "new", "out"].map(|name| folder.path().join(name));
    let server = serve(&old);
    put(&server, "cat", "", b"meow");
    drop(server);
    carry(&old, &out, &new);
    fs::write(out.join("buckets/photos/cat"), b"purr").unwrap();

    let again = said(&run(&["import", "--data", text(&new), text(&out)]));

    let kept = format!(
        "Imported 0 objects into {}; 1 were there already",
        text(&new)
    );
    assert!(again.0.starts_with(&kept), "{again:?}");
}

#[test]
fn a_file_that_changed_after_the_export_is_not_taken_for_its_object() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new, out] = ["old", "new", "out"].map(|name| folder.path().join(name));
    let server = serve(&old);
    put(&server, "cat", "", b"meow");
    drop(server);
    run(&["export", "--data", text(&old), text(&out)]);
    fs::write(out.join("buckets/photos/cat"), b"purr").unwrap();

    let error = refusal(&["import", "--data", text(&new), text(&out)]);

    assert!(
        error.contains("objects/photos.jsonl`, line 1: BadDigest"),
        "{error}"
    );
}

#[test]
fn an_export_is_plain_files_and_tells_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let [data, out] = ["data", "out"].map(|name| folder.path().join(name));
    let server = serve(&data);
    put(&server, "a/cat.txt", KMS, b"meow");
    put(&server, "../../up", "", b"odd");
    drop(server);

    let output = run(&["export", "--data", text(&data), text(&out), "photos"]);

    assert!(output.status.success(), "{:?}", said(&output));
    assert_eq!(
        fs::read(out.join("buckets/photos/a/cat.txt")).unwrap(),
        b"meow"
    );
    let list = fs::read_to_string(out.join("objects/photos.jsonl")).unwrap();
    assert_eq!(list.lines().count(), 2);
    let odd = fs::read_dir(out.join("odd/photos"))
        .unwrap()
        .next()
        .unwrap();
    assert_eq!(fs::read(odd.unwrap().path()).unwrap(), b"odd");
    let seed = fs::read_to_string(out.join("seed.json")).unwrap();
    assert!(
        seed.contains("\"alias/app\"") && !seed.contains("material"),
        "{seed}"
    );
}

#[test]
fn an_export_is_a_seed() {
    let folder = tempfile::tempdir().unwrap();
    let [data, out] = ["data", "out"].map(|name| folder.path().join(name));
    let server = serve(&data);
    put(&server, "a//b", BUCKET_KEY, b"meow");
    let before = objects(&server, &["a//b".to_owned()]);
    drop(server);
    run(&["export", "--data", text(&data), text(&out)]);

    let server = Server::start(&["--seed", text(&out)]);

    assert_eq!(objects(&server, &["a//b".to_owned()]), before);
}

#[test]
fn what_a_customer_alone_can_open_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let [data, out, other] = ["data", "out", "other"].map(|name| folder.path().join(name));
    let server = serve(&data);
    put(&server, "own\nkey", CUSTOMER, b"secret");
    put(&server, "cat", "", b"meow");
    drop(server);

    let strict = run(&["export", "--data", text(&data), text(&out)]);
    let content = run(&[
        "export",
        "--data",
        text(&data),
        "--skip-customer-keys",
        text(&other),
    ]);

    let (_, error) = said(&strict);
    assert_eq!(strict.status.code(), Some(1));
    assert!(
        error.contains("left out photos/own\\nkey: it is under a key that its customer keeps"),
        "{error}"
    );
    assert!(
        error.contains("1 objects were left out, of them 1 under customers' keys"),
        "{error}"
    );
    assert!(content.status.success(), "{:?}", said(&content));
    assert_eq!(fs::read(out.join("buckets/photos/cat")).unwrap(), b"meow");
    let list = fs::read_to_string(other.join("objects/photos.jsonl")).unwrap();
    assert_eq!(list.lines().count(), 1);
}

#[test]
fn what_does_not_open_is_left_out_and_told_and_the_rest_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let [data, out] = ["data", "out"].map(|name| folder.path().join(name));
    let server = serve(&data);
    put(&server, "locked", KMS, b"secret");
    put(&server, "cat", "", b"meow");
    put(&server, "damaged", "", &vec![7; 200_000]);
    let key = server.describe_key("alias/app")["KeyId"].to_string();
    let header = "X-Amz-Target: TrentService.DisableKey\r\n";
    let body = format!("{{\"KeyId\": {key}}}");
    ask(&server.address, "POST /", header, body.as_bytes()).unwrap();
    drop(server);
    let shelf = fs::read_dir(data.join("blobs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let blob = fs::read_dir(shelf.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = fs::read(&blob).unwrap();
    bytes[150_000] ^= 1;
    fs::write(&blob, bytes).unwrap();

    let output = run(&["export", "--data", text(&data), text(&out)]);

    let (_, error) = said(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("left out photos/locked: "), "{error}");
    assert!(error.contains("left out photos/damaged: "), "{error}");
    assert!(
        error.contains("2 objects could not be opened and were left out"),
        "{error}"
    );
    assert_eq!(fs::read(out.join("buckets/photos/cat")).unwrap(), b"meow");
    assert!(!out.join("buckets/photos/damaged").exists());
}

#[test]
fn settings_of_buckets_and_keys_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new, out, seed] =
        ["old", "new", "out", "seed.json"].map(|name| folder.path().join(name));
    let told = r#"{
        "kms_keys": [
            {"id": "134f2428-cec1-4b25-a1ae-9048164dba47", "aliases": ["alias/x"], "description": "d", "enabled": false, "tags": {"a": "b"},
                "rotation_period_days": 120,
                "policy": {"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:user/ann"}, "Action": "kms:*", "Resource": "*"}},
                "grants": [
                    {"name": "g", "grantee": "arn:aws:iam::000000000000:user/ann", "operations": ["Decrypt"], "constraints": {"encryption_context_equals": {"a": "b"}}},
                    {"name": "s", "grantee": "sns.amazonaws.com", "retiring": "arn:aws:iam::000000000000:user/ann", "operations": ["Encrypt"], "constraints": {"source_arn": "arn:aws:sns:us-east-1:000000000000:a"}}
                ]},
            {"id": "mrk-1234abcd12ab34cd56ef1234567890ab", "region": "eu-west-1", "spec": "HMAC_512", "account": "111122223333"},
            {"aliases": ["alias/signs"], "spec": "RSA_2048", "usage": "SIGN_VERIFY"}
        ],
        "buckets": [
            {"name": "films", "region": "eu-west-1", "versioning": "Suspended", "tags": {"c": "d"}},
            {"name": "blocked", "account": "111122223333", "encryption": {"algorithm": "aws:kms", "kms_key": "alias/x", "bucket_key": true, "blocked": ["SSE-C"]}}
        ]}"#;
    fs::write(&seed, told).unwrap();
    drop(Server::start(&[
        "--data",
        text(&old),
        "--seed",
        text(&seed),
    ]));
    run(&["export", "--data", text(&old), text(&out)]);
    run(&["import", "--data", text(&new), text(&out)]);
    let second = folder.path().join("second");

    let output = run(&["export", "--data", text(&new), text(&second)]);

    assert!(output.status.success(), "{:?}", said(&output));
    let read = |folder: &Path| fs::read_to_string(folder.join("seed.json")).unwrap();
    assert_eq!(read(&second), read(&out));
    for part in [
        "\"Suspended\"",
        "\"SSE-C\"",
        "\"HMAC_512\"",
        "\"SIGN_VERIFY\"",
        "\"111122223333\"",
        "\"alias/x\"",
        "\"enabled\": false",
        "\"rotation_period_days\": 120",
        "\"sns.amazonaws.com\"",
        "\"encryption_context_equals\"",
        "user/ann\\\"}, \\\"Action",
    ] {
        assert!(read(&out).contains(part), "{part}");
    }
}

#[test]
fn what_cannot_be_exported_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let [data, out, none] = ["data", "out", "none"].map(|name| folder.path().join(name));
    let server = serve(&data);
    fs::create_dir(&out).unwrap();
    fs::write(out.join("file"), b"").unwrap();

    let held = refusal(&["export", "--data", text(&data), text(&none)]);
    drop(server);
    let full = refusal(&["export", "--data", text(&data), text(&out)]);
    let bucket = refusal(&["export", "--data", text(&data), text(&none), "films"]);
    let nothing = refusal(&["export", "--data", text(&out), text(&none)]);
    let unsaid = refusal(&["export", text(&none)]);

    assert!(held.contains("in use"), "{held}");
    assert!(full.contains("is not empty"), "{full}");
    assert!(bucket.contains("no bucket is called `films`"), "{bucket}");
    assert!(nothing.contains("is no data folder"), "{nothing}");
    assert!(unsaid.contains("--data DIR"), "{unsaid}");
    assert!(!none.exists());
}

#[test]
fn a_list_that_points_elsewhere_is_one_line_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let [data, from] = ["data", "from"].map(|name| folder.path().join(name));
    fs::create_dir_all(from.join("objects")).unwrap();
    fs::write(folder.path().join("secret"), b"secret").unwrap();
    let list = from.join("objects/photos.jsonl");
    let refused = |line: &str| {
        fs::write(&list, format!("{line}\n")).unwrap();
        let error = refusal(&["import", "--data", text(&data), text(&from)]);
        assert!(error.contains("objects/photos.jsonl`, line 1: "), "{error}");
        error
    };

    let out = refused(r#"{"key": "a", "file": "../secret"}"#);
    let missing = refused(r#"{"key": "a", "file": "none"}"#);
    let unknown = refused(r#"{"key": "a", "file": "none", "colour": "red"}"#);

    assert!(out.contains("leads out"), "{out}");
    assert!(missing.contains("No such file"), "{missing}");
    assert!(unknown.contains("unknown field `colour`"), "{unknown}");
}
