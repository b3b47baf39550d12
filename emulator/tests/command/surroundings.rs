//! What the command finds around itself: a shell's variables, a taken port, and a folder that lost something.

use super::*;

#[test]
fn an_empty_variable_is_none() {
    let mut serving = command();
    for name in [
        "DATA",
        "REGION",
        "ACCOUNT",
        "IDENTITIES",
        "BUCKET",
        "KMS_KEY",
        "SEED",
        "INIT",
        "HOST",
        "CA_OUT",
        "TLS_CERT",
        "LOG",
        "LOG_FORMAT",
        "NEW_BUCKETS",
        "ROOT_KEY",
    ] {
        serving.env(format!("STRONGROOM_{name}"), "");
    }

    let server = Server::of(serving);

    assert_eq!(server.ask("GET /_emulator/health", b"").unwrap().0, 200);
}

#[test]
fn where_to_listen_outdoes_the_endpoint_that_a_shell_has_for_its_clients() {
    let server = Server::start(&[]);
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let check = |endpoint: &str, listen: &[&str]| {
        let mut command = command();
        command.arg("healthcheck").args(listen);
        let endpoint = format!("http://{endpoint}");
        let output = command.env("AWS_ENDPOINT_URL", endpoint).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let gone = gone.to_string();

    assert_eq!(check(&server.address, &[]), "");
    assert_eq!(check(&gone, &["--listen", &server.address]), "");
    let error = check(&gone, &[]);
    assert!(error.contains("is a server there?"), "{error}");
}

#[test]
fn a_taken_port_leaves_the_folder_as_it_is() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");

    let error = refusal(&["--listen", &address, "--data", data.to_str().unwrap()]);

    assert!(error.contains("the port is taken"), "{error}");
    assert!(!data.exists());
}

#[test]
fn a_lost_catalogue_of_small_objects_is_one_line_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let catalogue = folder.path().join("strongroom.redb");
    let server = Server::start(&["--data", path, "--bucket", "photos"]);
    assert_eq!(server.ask("PUT /photos/small", b"x").unwrap().0, 200);
    drop(server);
    let good = fs::read(&catalogue).unwrap();

    fs::write(&catalogue, b"").unwrap();
    let verified = command().args(["verify", "--data", path]).output().unwrap();
    let emptied = refusal(&["--listen", "127.0.0.1:0", "--data", path]);
    fs::remove_file(&catalogue).unwrap();
    let removed = refusal(&["--listen", "127.0.0.1:0", "--data", path]);

    assert_eq!(verified.status.code(), Some(2));
    for error in [emptied, removed] {
        assert!(error.contains("it is missing or empty"), "{error}");
        assert!(error.contains("put the catalogue back"), "{error}");
    }
    fs::write(&catalogue, good).unwrap();
    let server = Server::start(&["--data", path]);
    assert_eq!(server.ask("GET /photos/small", b"").unwrap().1, b"x");
}

#[test]
fn a_reset_that_has_lost_its_seed_throws_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let seed = folder.path().join("seed.json");
    fs::write(&seed, r#"{"buckets": [{"name": "photos"}]}"#).unwrap();
    let server = Server::start(&["--seed", seed.to_str().unwrap()]);
    assert_eq!(server.ask("PUT /photos/key", b"x").unwrap().0, 200);
    fs::remove_file(&seed).unwrap();

    let (status, told) = server.ask("POST /_emulator/reset", b"").unwrap();

    assert_eq!(status, 500);
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("seed.json"), "{told}");
    assert_eq!(server.ask("GET /photos/key", b"").unwrap().1, b"x");
}

#[test]
fn export_and_import_load_no_seed_of_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    drop(Server::start(&[
        "--data",
        &place("old"),
        "--bucket",
        "photos",
    ]));
    for words in [
        ["export", "--data", &place("old"), &place("out")],
        ["import", "--data", &place("new"), &place("out")],
    ] {
        let mut moving = command();
        moving.args(words).env("STRONGROOM_SEED", "/nowhere");

        let output = moving.output().unwrap();

        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{words:?}: {error}");
    }
}

#[test]
fn what_no_client_could_ever_use_is_refused_at_the_start() {
    for (flag, value) in [
        ("--host", "http://s3.test"),
        ("--host", "s3.test:4566"),
        ("--host", "ü.test"),
        ("--host", "a b"),
        ("--region", "Foo Bar"),
    ] {
        let error = refusal(&["--listen", "127.0.0.1:0", flag, value]);

        assert!(error.contains(&format!("`{value}` is no ")), "{error}");
    }
}

#[test]
fn health_has_a_head() {
    let server = Server::start(&[]);

    let (status, headers, body) =
        exchange(&server.address, "HEAD /_emulator/health", "", b"").unwrap();

    assert_eq!((status, body.len()), (200, 0));
    assert!(headers.contains("content-length: "), "{headers}");
}

#[test]
fn a_shell_forgets_the_account_that_it_had() {
    let output = command().arg("env").output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();

    let script = format!("{lines}printf '%s' \"$AWS_PROFILE$AWS_SESSION_TOKEN\"");
    let mut shell = Command::new("sh");
    shell
        .env("AWS_PROFILE", "work")
        .env("AWS_SESSION_TOKEN", "token");
    let left = shell.args(["-c", &script]).output().unwrap();

    assert_eq!(String::from_utf8(left.stdout).unwrap(), "");
}
