//! Programs that a test starts: what they find in their environment is enough.

use std::process::Command;

use strongroom_rust_clients::LETTER;
use strongroom_testkit::{Builder, Mode, blocking::Strongroom};

/// Nothing of the machine's own settings, as in an empty container: what the kit gives has to be enough.
fn run(server: &Strongroom) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_stranger"))
        .args(["photos", "letter"])
        .env_clear()
        .envs(server.env_vars())
        .output()
        .unwrap()
}

fn photos(builder: Builder) -> Strongroom {
    builder.bucket("photos").start_blocking()
}

#[test]
fn a_program_finds_the_server_by_its_environment() {
    let server = photos(Strongroom::builder());

    let done = run(&server);

    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    server.assert_encrypted_with("photos", "letter", Mode::SseS3);
    server.assert_not_stored(LETTER);
}

#[test]
fn a_program_trusts_the_server_by_its_environment() {
    let server = photos(Strongroom::builder().tls());

    let done = run(&server);

    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    server.assert_encrypted_with("photos", "letter", Mode::SseS3);
}

#[test]
fn a_program_is_known_by_its_environment() {
    let builder = Strongroom::builder().credentials("anne", "her secret");
    let server = photos(builder.region("eu-west-1"));

    let done = run(&server);

    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[test]
fn every_variable_is_there() {
    let plain = Strongroom::start();
    let tls = Strongroom::builder().tls().start_blocking();
    let names = |server: &Strongroom| {
        let pairs = server.env_vars().into_iter();
        pairs.map(|(name, _)| name).collect::<Vec<_>>()
    };

    let of_all = [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_KMS",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_ALLOW_HTTP",
    ];
    let of_tls = ["AWS_CA_BUNDLE", "SSL_CERT_FILE"];

    assert_eq!(names(&plain), of_all);
    assert_eq!(names(&tls), [&of_all[..], &of_tls].concat());
}
