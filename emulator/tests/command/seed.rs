//! `--seed` and `--init`: what is there when the server says that it is ready, and after a second start.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Server, ask, command, exchange, refusal};

const KEY: &str = "134f2428-cec1-4b25-a1ae-9048164dba47";
/// 32 bytes of `7`.
const MATERIAL: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A folder of such files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn seed_file(seed: &Value) -> TempDir {
    folder(&[("seed.json", format!("{seed:#}").as_bytes())])
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn get(server: &Server, path: &str) -> String {
    let (_, body) = server.ask(&format!("GET {path}"), b"").unwrap();
    String::from_utf8(body).unwrap()
}

fn kms(server: &Server, operation: &str, body: &Value) -> Value {
    let header = format!("X-Amz-Target: TrentService.{operation}\r\n");
    let body = body.to_string();
    let (_, answer) = ask(&server.address, "POST /", &header, body.as_bytes()).unwrap();
    // Some operations answer nothing.
    serde_json::from_slice(&answer).unwrap_or_default()
}

/// One of everything.
fn whole() -> Value {
    json!({
        "kms_keys": [
            {
                "id": KEY,
                "aliases": ["alias/app", "alias/other"],
                "description": "of the seed",
                "tags": { "team": "blue" },
                "material": MATERIAL,
            },
            { "aliases": ["alias/codes"], "spec": "HMAC_256", "enabled": false },
            { "id": "mrk-1234abcd12ab34cd56ef1234567890ab", "region": "eu-west-1" },
        ],
        "buckets": [
            {
                "name": "photos",
                "versioning": "Enabled",
                "encryption": { "algorithm": "aws:kms", "kms_key": "alias/app", "bucket_key": true, "blocked": ["SSE-C"] },
                "tags": { "owner": "ann" },
            },
            { "name": "films", "region": "eu-west-1" },
        ],
    })
}

#[test]
fn a_json_seed_is_there_when_it_says_ready() {
    let seed = seed_file(&whole());

    let server = Server::start(&["--seed", text(&seed.path().join("seed.json"))]);

    assert!(get(&server, "/photos?versioning").contains("<Status>Enabled</Status>"));
    let encryption = get(&server, "/photos?encryption");
    for said in [
        "<SSEAlgorithm>aws:kms</SSEAlgorithm>",
        "<KMSMasterKeyID>alias/app</KMSMasterKeyID>",
        "<BucketKeyEnabled>true</BucketKeyEnabled>",
        "<EncryptionType>SSE-C</EncryptionType>",
    ] {
        assert!(encryption.contains(said), "{encryption}");
    }
    assert!(get(&server, "/photos?tagging").contains("<Key>owner</Key><Value>ann</Value>"));
    assert!(get(&server, "/films?location").contains("eu-west-1"));
    for name in [KEY, "alias/app", "alias/other"] {
        let key = server.describe_key(name);
        assert_eq!(
            (&key["KeyId"], &key["Description"]),
            (&json!(KEY), &json!("of the seed"))
        );
    }
    let tags = kms(&server, "ListResourceTags", &json!({ "KeyId": KEY }));
    assert_eq!(
        tags["Tags"],
        json!([{ "TagKey": "team", "TagValue": "blue" }])
    );
    let codes = server.describe_key("alias/codes");
    assert_eq!(
        (&codes["KeySpec"], &codes["KeyState"]),
        (&json!("HMAC_256"), &json!("Disabled"))
    );
}

#[test]
fn an_object_of_a_seeded_bucket_is_under_its_seeded_key() {
    let seed = seed_file(&whole());
    let server = Server::start(&["--seed", text(seed.path())]);

    let (status, head, _) = exchange(&server.address, "PUT /photos/cat", "", b"meow").unwrap();

    assert_eq!(status, 200, "{head}");
    assert!(head.contains(&format!("key/{KEY}")), "{head}");
}

#[test]
fn what_is_encrypted_under_fixed_material_opens_on_another_server() {
    let seed = seed_file(&whole());
    let arguments = ["--seed", text(seed.path())];
    let plaintext = json!("c2VjcmV0");
    let encrypted = kms(
        &Server::start(&arguments),
        "Encrypt",
        &json!({ "KeyId": KEY, "Plaintext": plaintext }),
    );

    let decrypted = kms(
        &Server::start(&arguments),
        "Decrypt",
        &json!({ "CiphertextBlob": encrypted["CiphertextBlob"] }),
    );

    assert_eq!(decrypted["Plaintext"], plaintext, "{decrypted}");
}

#[test]
fn fixed_material_lies_wrapped() {
    let (seed, data) = (seed_file(&whole()), tempfile::tempdir().unwrap());

    drop(Server::start(&[
        "--seed",
        text(seed.path()),
        "--data",
        text(data.path()),
    ]));

    let catalogue = fs::read(data.path().join("strongroom.redb")).unwrap();
    let id = KEY.as_bytes();
    assert!(catalogue.windows(id.len()).any(|bytes| bytes == id));
    assert!(!catalogue.windows(32).any(|bytes| bytes == [7; 32]));
}

#[test]
fn seeded_identities_sign_and_others_do_not() {
    let user = json!({ "name": "ann", "account": "111122223333", "access_key": "ANN", "secret_key": "hunter2" });
    let seed = seed_file(&json!({ "identities": { "users": [user] } }));
    let path = seed.path().join("seed.json");
    let mut server = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    server.env_clear().args(["--seed", text(&path)]);
    let server = Server::of(server);
    let (_, clock) = ask(&server.address, "GET /_emulator/clock", "", b"").unwrap();
    let clock: Value = serde_json::from_slice(&clock).unwrap();
    let seconds = clock["now"].as_str().unwrap().split('.').next().unwrap();
    let date = seconds.replace(['-', ':'], "") + "Z";
    let day = &date[..8];
    let signed = |access_key: &str| {
        let header = format!(
            "X-Amz-Date: {date}\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={access_key}/{day}/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n"
        );
        let (_, body) = ask(&server.address, "GET /", &header, b"").unwrap();
        String::from_utf8(body).unwrap()
    };

    assert!(
        signed("BOB").contains("InvalidAccessKeyId"),
        "{}",
        signed("BOB")
    );
    assert!(
        signed("ANN").contains("SignatureDoesNotMatch"),
        "{}",
        signed("ANN")
    );
}

#[test]
fn each_file_of_a_folder_is_an_object_of_its_type() {
    let large = vec![b'x'; 2_000_000];
    let seed = folder(&[
        ("buckets/photos/cat.png", b"meow"),
        ("buckets/photos/a b/\u{fc}.txt", b"umlaut"),
        ("buckets/photos/.hidden", b"dot"),
        ("buckets/photos/empty", b""),
        ("buckets/photos/large.bin", &large),
        ("buckets/films/film.json", b"{}"),
    ]);

    let server = Server::start(&["--seed", text(seed.path())]);

    for (path, kind, content) in [
        ("/photos/cat.png", "image/png", b"meow".as_slice()),
        ("/photos/a%20b/%C3%BC.txt", "text/plain", b"umlaut"),
        ("/photos/.hidden", "binary/octet-stream", b"dot"),
        ("/photos/empty", "binary/octet-stream", b""),
        ("/photos/large.bin", "application/octet-stream", &large),
        ("/films/film.json", "application/json", b"{}"),
    ] {
        let (status, head, body) =
            exchange(&server.address, &format!("GET {path}"), "", b"").unwrap();
        assert_eq!(status, 200, "{path}: {head}");
        assert!(
            head.contains(&format!("content-type: {kind}\r\n")),
            "{path}: {head}"
        );
        assert_eq!(body, content, "{path}");
    }
}

#[test]
fn a_folders_json_says_what_its_buckets_are() {
    let seed = json!({ "buckets": [{ "name": "photos", "versioning": "Enabled" }] });
    let seed = folder(&[
        ("seed.json", seed.to_string().as_bytes()),
        ("buckets/photos/cat", b"meow"),
    ]);

    let server = Server::start(&["--seed", text(seed.path())]);

    let (_, head, _) = exchange(&server.address, "GET /photos/cat", "", b"").unwrap();
    assert!(head.contains("x-amz-version-id: "), "{head}");
    assert!(!head.contains("x-amz-version-id: null"), "{head}");
}

#[test]
fn what_changed_stays_from_start_to_start() {
    let (seed, data) = (seed_file(&whole()), tempfile::tempdir().unwrap());
    let cat = seed.path().join("buckets/photos/cat");
    fs::create_dir_all(cat.parent().unwrap()).unwrap();
    fs::write(&cat, "of the seed").unwrap();
    let arguments = ["--seed", text(seed.path()), "--data", text(data.path())];
    let server = Server::start(&arguments);
    let codes = server.describe_key("alias/codes")["KeyId"].clone();
    kms(&server, "EnableKey", &json!({ "KeyId": codes }));
    let suspended = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    server
        .ask("PUT /photos?versioning", suspended.as_bytes())
        .unwrap();
    server.ask("PUT /photos/cat", b"of the test").unwrap();
    drop(server);
    fs::write(seed.path().join("buckets/photos/dog"), "new").unwrap();

    let server = Server::start(&arguments);

    let key = server.describe_key("alias/codes");
    assert_eq!(
        (&key["KeyId"], &key["KeyState"]),
        (&codes, &json!("Enabled"))
    );
    assert!(get(&server, "/photos?versioning").contains("Suspended"));
    assert_eq!(get(&server, "/photos/cat"), "of the test");
    assert_eq!(get(&server, "/photos/dog"), "new");
    let versions = get(&server, "/photos?versions&prefix=cat");
    assert_eq!(versions.matches("<Version>").count(), 2, "{versions}");
}

#[test]
fn a_key_that_is_there_as_another_is_one_line_with_its_place() {
    let data = tempfile::tempdir().unwrap();
    let start = |keys: &str| {
        let seed = folder(&[(
            "seed.json",
            format!("{{\"kms_keys\": [\n\n{keys}]}}").as_bytes(),
        )]);
        let path = seed.path().join("seed.json").display().to_string();
        let error = refusal(&[
            "--listen",
            "127.0.0.1:0",
            "--seed",
            &path,
            "--data",
            text(data.path()),
        ]);
        let place = format!("in the seed `{path}`, line 3: ");
        assert!(error.contains(&place), "{error}");
        error
    };
    drop(Server::start(&[
        "--seed",
        text(seed_file(&whole()).path()),
        "--data",
        text(data.path()),
    ]));
    let other = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";

    let material = start(&format!(
        "{{\"id\": \"{KEY}\",\n\"material\": \"{other}\"}}"
    ));
    let spec = start(&format!("{{\"id\": \"{KEY}\",\n\"spec\": \"HMAC_256\"}}"));
    let alias = start(&format!(
        "{{\"id\": \"{}\",\n\"aliases\": [\"alias/app\"]}}",
        KEY.replace('1', "2")
    ));

    assert!(material.contains("of other material"), "{material}");
    assert!(!material.contains(other), "{material}");
    assert!(
        spec.contains("of the spec \"SYMMETRIC_DEFAULT\" and not HMAC_256"),
        "{spec}"
    );
    assert!(
        alias.contains("the alias `alias/app` stands for the key"),
        "{alias}"
    );
}

/// 32 bytes of `8`.
const NEXT: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";

fn with_grants() -> Value {
    let ann = "arn:aws:iam::000000000000:user/ann";
    json!({
        "kms_keys": [{
            "id": KEY,
            "aliases": ["alias/app"],
            "material": MATERIAL,
            "rotations": [NEXT],
            "rotation_period_days": 90,
            "policy": { "Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Principal": { "AWS": ann }, "Action": "kms:ListGrants", "Resource": "*" } },
            "grants": [{
                "name": "app",
                "grantee": ann,
                "retiring": ann,
                "operations": ["Decrypt", "Encrypt"],
                "constraints": { "encryption_context_subset": { "team": "red" } },
            }, { "name": "root", "grantee": "arn:aws:iam::000000000000:root", "operations": ["DescribeKey"] }],
        }],
        "buckets": [{ "name": "photos", "encryption": { "algorithm": "aws:kms", "kms_key": "alias/app" } }],
    })
}

fn retirable(server: &Server) -> Value {
    let ann = json!({ "RetiringPrincipal": "arn:aws:iam::000000000000:user/ann" });
    kms(server, "ListRetirableGrants", &ann)["Grants"].clone()
}

#[test]
fn a_seeded_key_has_its_policy_grants_and_rotations_and_keeps_them() {
    let (seed, data) = (seed_file(&with_grants()), tempfile::tempdir().unwrap());
    let cat = seed.path().join("buckets/photos/cat");
    fs::create_dir_all(cat.parent().unwrap()).unwrap();
    fs::write(&cat, "put though the key lets in another").unwrap();
    let arguments = ["--seed", text(seed.path()), "--data", text(data.path())];

    let server = Server::start(&arguments);
    let first = retirable(&server);
    let body = json!({ "KeyId": KEY });
    let by_policy = kms(&server, "GetKeyRotationStatus", &body);
    let by_grant = kms(&server, "DescribeKey", &body);
    drop(server);
    let second = retirable(&Server::start(&arguments));

    assert_eq!(by_policy["__type"], "AccessDeniedException");
    assert_eq!(by_grant["KeyMetadata"]["KeyId"], KEY, "{by_grant}");
    let grant = &first[0];
    assert_eq!(grant["Name"], "app");
    assert_eq!(grant["Operations"], json!(["Decrypt", "Encrypt"]));
    let pairs = json!({ "EncryptionContextSubset": { "team": "red" } });
    assert_eq!(grant["Constraints"], pairs);
    assert_eq!(first, second);
}

#[test]
fn a_seeded_policy_may_be_a_text_and_rotations_may_be_counted() {
    let policy =
        r#"{"Statement": {"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}"#;
    let seed = json!({ "kms_keys": [{ "aliases": ["alias/app"], "policy": policy, "rotations": 3,
        "rotation_period_days": 100, "enabled": false }] });
    let seed = seed_file(&seed);

    let server = Server::start(&["--seed", text(seed.path())]);

    let body = json!({ "KeyId": server.describe_key("alias/app")["KeyId"] });
    assert_eq!(kms(&server, "GetKeyPolicy", &body)["Policy"], policy);
    let status = kms(&server, "GetKeyRotationStatus", &body);
    assert_eq!(status["RotationPeriodInDays"], 100);
    let rotations = kms(&server, "ListKeyRotations", &body);
    let types = rotations["Rotations"].as_array().unwrap().iter();
    let types: Vec<_> = types.map(|turn| turn["RotationType"].clone()).collect();
    assert_eq!(types, ["ON_DEMAND"; 3]);
}

#[test]
fn fixed_rotations_make_one_key_of_two_servers() {
    let mut seed = with_grants();
    let key = seed["kms_keys"][0].as_object_mut().unwrap();
    key.remove("policy");
    let seed = seed_file(&seed);
    let arguments = ["--seed", text(seed.path())];
    let context = json!({ "team": "red" });
    let encrypt = json!({ "KeyId": KEY, "Plaintext": "c2VjcmV0", "EncryptionContext": context });

    let encrypted = kms(&Server::start(&arguments), "Encrypt", &encrypt);
    let decrypt =
        json!({ "CiphertextBlob": encrypted["CiphertextBlob"], "EncryptionContext": context });
    let decrypted = kms(&Server::start(&arguments), "Decrypt", &decrypt);

    assert_eq!(decrypted["Plaintext"], "c2VjcmV0", "{decrypted}");
}

#[test]
fn a_key_that_turned_to_other_materials_is_another_key() {
    let (seed, data) = (seed_file(&with_grants()), tempfile::tempdir().unwrap());
    let data = ["--data", text(data.path())];
    drop(Server::start(
        &[&data[..], &["--seed", text(seed.path())]].concat(),
    ));
    let mut other = with_grants();
    other["kms_keys"][0]["rotations"][0] = json!("CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=");
    let other = seed_file(&other);

    let arguments = [
        &["--listen", "127.0.0.1:0"][..],
        &data,
        &["--seed", text(other.path())],
    ];
    let error = refusal(&arguments.concat());

    assert!(error.contains("of other material"), "{error}");
}

#[test]
fn a_bucket_that_lives_elsewhere_is_one_line_with_its_place() {
    let seed = folder(&[(
        "seed.json",
        b"{\n\"buckets\": [{ \"name\": \"photos\", \"region\": \"eu-west-1\" }]}",
    )]);
    let path = seed.path().join("seed.json").display().to_string();

    let error = refusal(&[
        "--listen",
        "127.0.0.1:0",
        "--bucket",
        "photos",
        "--seed",
        &path,
    ]);

    let place = format!("in the seed `{path}`, line 2: ");
    assert!(error.contains(&place), "{error}");
    assert!(
        error.contains("in us-east-1 and not in eu-west-1"),
        "{error}"
    );
}

#[test]
fn what_kms_or_s3_refuses_is_one_line_with_its_place() {
    let long = "x".repeat(8_193);
    for (seed, said) in [
        (
            format!("{{\"kms_keys\": [\n{{\"id\": \"{KEY}\", \"description\": \"{long}\"}}]}}"),
            "ValidationException",
        ),
        (
            format!("{{\"kms_keys\": [\n{{\"id\": \"{KEY}\", \"policy\": {{\"Statement\": []}}}}]}}"),
            "MalformedPolicyDocumentException",
        ),
        (
            format!("{{\"kms_keys\": [\n{{\"id\": \"{KEY}\", \"policy\": 7}}]}}"),
            "MalformedPolicyDocumentException",
        ),
        (
            format!("{{\"kms_keys\": [\n{{\"id\": \"{KEY}\", \"grants\": [{{\"name\": \"app\", \"grantee\": \"arn:aws:iam::000000000000:user/ann\", \"operations\": [\"Sign\"]}}]}}]}}"),
            "the grant `app`: ValidationException",
        ),
        (
            "{\"buckets\": [\n{\"name\": \"photos\", \"region\": \"mars-1\"}]}".to_owned(),
            "InvalidLocationConstraint",
        ),
        (
            "{\"buckets\": [\n{\"name\": \"photos\", \"encryption\": {\"algorithm\": \"AES256\", \"kms_key\": \"k\"}}]}".to_owned(),
            "InvalidArgument",
        ),
    ] {
        let folder = folder(&[("seed.json", seed.as_bytes())]);
        let path = folder.path().join("seed.json").display().to_string();

        let error = refusal(&["--listen", "127.0.0.1:0", "--seed", &path]);

        assert!(error.contains(", line 2: "), "{error}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn an_init_folder_is_taken_when_it_is_there() {
    let init = folder(&[
        ("seed.json", b"{\"buckets\": [{\"name\": \"films\"}]}"),
        ("buckets/photos/cat", b"meow"),
    ]);
    let bare = tempfile::tempdir().unwrap();
    let of_environment = |path: &Path| {
        let mut server = command();
        server.env("STRONGROOM_INIT", path);
        Server::of(server)
    };

    let full = of_environment(init.path());
    let empty = of_environment(bare.path());
    let absent = of_environment(&bare.path().join("none"));

    assert_eq!(get(&full, "/photos/cat"), "meow");
    assert_eq!(full.ask("GET /films", b"").unwrap().0, 200);
    for server in [empty, absent] {
        assert!(!get(&server, "/").contains("<Bucket>"));
    }
}

#[test]
fn a_seed_that_is_not_there_is_one_line() {
    let bare = tempfile::tempdir().unwrap();
    let refused = |path: &Path| refusal(&["--listen", "127.0.0.1:0", "--seed", text(path)]);

    let absent = refused(&bare.path().join("none"));
    let empty = refused(bare.path());

    assert!(absent.contains("none`: No such file"), "{absent}");
    assert!(
        empty.contains("neither a seed.json nor buckets/"),
        "{empty}"
    );
}

#[test]
fn an_image_takes_two_seeds_of_its_environment() {
    let (one, other) = (
        folder(&[("buckets/photos/cat", b"meow")]),
        folder(&[("buckets/films/dog", b"woof")]),
    );
    let mut server = command();
    server.env(
        "STRONGROOM_SEED",
        format!("{},{}", text(one.path()), text(other.path())),
    );

    let server = Server::of(server);

    assert_eq!(get(&server, "/photos/cat"), "meow");
    assert_eq!(get(&server, "/films/dog"), "woof");
}

#[test]
fn the_seed_of_the_documentation_loads() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/seeds.md");
    let docs = fs::read_to_string(docs).unwrap();
    let json = docs.split("```json\n").nth(1).unwrap();
    let json = json.split("```").next().unwrap();
    let seed = folder(&[("seed.json", json.as_bytes())]);

    let server = Server::start(&["--seed", text(seed.path())]);

    assert_eq!(server.describe_key("alias/app")["KeyId"], KEY);
    assert!(get(&server, "/photos?tagging").contains("ann"));
}
