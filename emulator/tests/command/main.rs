//! The command as a process: its one line, its exit codes, its signals, and what survives when it is killed.
//!
//! It stands beside the binary and not in `tests/`, since only a package's own tests are told where its binary is.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what tests share fails as they do"
)]

mod archive;
mod inspect;
mod seed;
mod surroundings;
mod verify;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

/// A server of `strongroom serve`, killed when it is dropped.
struct Server {
    child: Child,
    address: String,
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.env_clear().args(["--auth", "off"]);
    command
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut command = command();
        command.args(arguments);
        Self::of(command)
    }

    /// Of a command that has its arguments, but for where to listen.
    fn of(mut command: Command) -> Self {
        let mut child = command
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .strip_prefix("Ready. http://")
            .map(str::to_owned);
        let Some(address) = address else {
            let mut error = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut error)
                .unwrap();
            panic!("`{line}` instead of `Ready.`: {error}");
        };
        Self { child, address }
    }

    fn ask(&self, request: &str, body: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
        ask(&self.address, request, "", body)
    }

    /// The metadata that KMS tells of a key.
    fn describe_key(&self, name: &str) -> Value {
        let header = "X-Amz-Target: TrentService.DescribeKey\r\n";
        let body = json!({ "KeyId": name }).to_string();
        let (_, answer) = ask(&self.address, "POST /", header, body.as_bytes()).unwrap();
        serde_json::from_slice::<Value>(&answer).unwrap()["KeyMetadata"].take()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks in HTTP; `header` is whole lines.
fn ask(address: &str, request: &str, header: &str, body: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
    let (status, _, body) = exchange(address, request, header, body)?;
    Ok((status, body))
}

/// Status, header lines and body of an answer.
fn exchange(
    address: &str,
    request: &str,
    header: &str,
    body: &[u8],
) -> std::io::Result<(u16, String, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    stream.write_all(
        format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{header}\r\n").as_bytes(),
    )?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = std::str::from_utf8(&answer[9..12])
        .ok()
        .and_then(|status| status.parse().ok());
    Ok((
        status.ok_or(std::io::ErrorKind::InvalidData)?,
        String::from_utf8_lossy(&answer[..end]).into_owned(),
        answer[end + 4..].to_vec(),
    ))
}

/// Runs the command to its end; it has to fail with one line.
fn refusal(arguments: &[&str]) -> String {
    let output: Output = command().args(arguments).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    error
}

#[test]
fn it_says_ready_once_its_buckets_are_there() {
    let server = Server::start(&["--bucket", "photos,films"]);

    assert_eq!(server.ask("GET /photos", b"").unwrap().0, 200);
    assert_eq!(server.ask("GET /films", b"").unwrap().0, 200);
    assert_eq!(server.ask("GET /others", b"").unwrap().0, 404);
}

#[test]
fn it_says_ready_once_its_kms_keys_are_there() {
    let server = Server::start(&["--kms-key", "alias/app,alias/other"]);

    let (app, other) = (
        server.describe_key("alias/app"),
        server.describe_key("alias/other"),
    );

    assert_eq!(app["KeyState"], "Enabled");
    assert_eq!(other["KeyState"], "Enabled");
    assert_ne!(app["KeyId"], other["KeyId"]);
    assert_eq!(server.describe_key("alias/none"), Value::Null);
}

#[test]
fn a_kms_key_stays_the_same_from_start_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "--data",
        folder.path().to_str().unwrap(),
        "--kms-key",
        "alias/app",
    ];
    let first = Server::start(&arguments).describe_key("alias/app");

    let again = Server::start(&arguments).describe_key("alias/app");

    assert_eq!(again, first);
    assert!(first["KeyId"].is_string());
}

#[test]
fn a_bad_alias_is_one_line() {
    let error = refusal(&["--listen", "127.0.0.1:0", "--kms-key", "app"]);

    assert!(error.contains("cannot make the KMS key `app`"), "{error}");
    assert!(
        error.contains("Alias must start with the prefix \"alias/\""),
        "{error}"
    );
}

#[test]
fn sigterm_and_sigint_end_it_well() {
    for name in ["-TERM", "-INT"] {
        let mut server = Server::start(&[]);

        server.signal(name);

        assert_eq!(server.child.wait().unwrap().code(), Some(0), "{name}");
    }
}

#[test]
fn a_taken_port_is_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();

    assert!(refusal(&["--listen", &address]).contains(&address));
}

#[test]
fn a_bad_folder_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();

    let error = refusal(&["--listen", "127.0.0.1:0", "--data", file.to_str().unwrap()]);

    assert!(error.contains(file.to_str().unwrap()), "{error}");
}

#[test]
fn a_folder_in_use_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let _server = Server::start(&["--data", path]);

    let error = refusal(&["--listen", "127.0.0.1:0", "--data", path]);

    assert!(error.contains("in use"), "{error}");
}

#[test]
fn a_lost_or_changed_root_key_is_one_line_and_nothing_is_made_over_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let key = folder.path().join("root.key");
    drop(Server::start(&["--data", path, "--bucket", "photos"]));
    let good = fs::read(&key).unwrap();

    fs::remove_file(&key).unwrap();
    assert!(refusal(&["--listen", "127.0.0.1:0", "--data", path]).contains("root.key"));
    assert!(!key.exists());
    fs::write(&key, [7; 32]).unwrap();
    assert!(refusal(&["--listen", "127.0.0.1:0", "--data", path]).contains("not the one"));
    fs::write(&key, good).unwrap();
    let server = Server::start(&["--data", path]);
    assert_eq!(server.ask("GET /photos", b"").unwrap().0, 200);
}

#[test]
fn new_buckets_take_customers_keys_or_block_them_by_their_age() {
    const KEY: &str = "x-amz-server-side-encryption-customer-algorithm: AES256\r\nx-amz-server-side-encryption-customer-key: K0+/yQHJcx5CgotqScZJqhfJ8hpfw4leiB3Bzyo8HSo=\r\nx-amz-server-side-encryption-customer-key-MD5: I0aPuXuw4REDJuP1fw07QQ==\r\n";
    for (age, status) in [("2026", 403), ("2023", 200), ("legacy", 200)] {
        let server = Server::start(&["--bucket", "photos", "--new-buckets", age]);

        let (answered, body) = ask(&server.address, "PUT /photos/key", KEY, b"x").unwrap();

        let body = String::from_utf8_lossy(&body);
        assert_eq!(answered, status, "{age}: {body}");
        let blocks = body.contains("this bucket has blocked upload requests");
        assert_eq!(blocks, status == 403, "{age}: {body}");
    }
}

#[test]
fn health_is_told_to_whoever_has_no_curl() {
    let server = Server::start(&[]);

    let well = command()
        .args(["healthcheck", "--listen", &server.address])
        .status()
        .unwrap();
    let address = server.address.clone();
    drop(server);
    let gone = command()
        .args(["healthcheck", "--listen", &address])
        .output()
        .unwrap();

    assert!(well.success());
    assert_eq!(gone.status.code(), Some(1));
}

#[test]
fn a_shell_learns_where_the_server_is() {
    let output = command()
        .args(["env", "--listen", "0.0.0.0:9000", "--secret-key", "it's"])
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();

    let script = format!("{lines}printf '%s %s' \"$AWS_ENDPOINT_URL\" \"$AWS_SECRET_ACCESS_KEY\"");
    let shell = Command::new("sh").args(["-c", &script]).output().unwrap();

    assert_eq!(
        String::from_utf8(shell.stdout).unwrap(),
        "http://127.0.0.1:9000 it's"
    );
}

#[test]
fn a_shell_finds_the_certificate_in_whatever_folder_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().canonicalize().unwrap();
    let told = |arguments: &[&str]| {
        let mut env = command();
        env.args(["env", "--tls"]).args(arguments);
        String::from_utf8(env.current_dir(&here).output().unwrap().stdout).unwrap()
    };

    for (arguments, file) in [
        (["--ca-out", "ca.pem"], here.join("ca.pem")),
        (["--data", "kept"], here.join("kept/tls/ca.pem")),
    ] {
        let lines = told(&arguments);

        for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
            let line = format!("export {name}='{}'\n", file.display());
            assert!(lines.contains(&line), "{lines}");
        }
        assert!(lines.contains("AWS_ENDPOINT_URL='https://127.0.0.1:4566'"));
    }
}

#[test]
fn a_shell_that_could_trust_nothing_is_told_where_to_ask() {
    let error = refusal(&["env", "--tls"]);

    assert!(
        error.contains("http://127.0.0.1:4566/_emulator/ca.pem"),
        "{error}"
    );
}

#[test]
fn the_certificate_to_trust_is_told_to_whoever_asks_the_server_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let server = Server::start(&["--ca-out", file.to_str().unwrap()]);
    let ask_as = |request: &str, header| {
        let (status, body) = ask(&server.address, request, header, b"").unwrap();
        (status, String::from_utf8(body).unwrap())
    };

    let (status, told) = ask_as("GET /_emulator/ca.pem", "");
    let by_a_page = ask_as("GET /_emulator/ca.pem", "Origin: http://evil.example\r\n");
    let written = ask_as("PUT /_emulator/ca.pem", "");

    assert_eq!((status, told), (200, fs::read_to_string(file).unwrap()));
    assert_eq!((by_a_page.0, written.0), (403, 405));
}

/// Bodies that name their key, of sizes on both sides of the catalogue's limit.
fn body_of(index: u32) -> Vec<u8> {
    let length = if index.is_multiple_of(3) { 20_000 } else { 100 };
    index
        .to_string()
        .into_bytes()
        .into_iter()
        .cycle()
        .take(length)
        .collect()
}

#[test]
fn nothing_answered_is_lost_when_it_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let next = AtomicU32::new(0);
    let mut answered = BTreeMap::new();
    for round in 0..5 {
        let server = Server::start(&["--data", path, "--bucket", "photos"]);
        let writers = |_| {
            let mut written = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                match server.ask(&format!("PUT /photos/key-{index}"), &body_of(index)) {
                    Ok((200, _)) => written.push(index),
                    _ => return written,
                }
            }
        };
        let written = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|index| scope.spawn(move || writers(index)))
                .collect();
            std::thread::sleep(std::time::Duration::from_millis(120 + 40 * round));
            server.signal("-KILL");
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect::<Vec<_>>()
        });
        answered.extend(written.into_iter().map(|index| (index, body_of(index))));
    }
    assert!(answered.len() > 10, "the writers got through");

    let server = Server::start(&["--data", path]);

    for (index, body) in &answered {
        let (status, read) = server
            .ask(&format!("GET /photos/key-{index}"), b"")
            .unwrap();
        assert_eq!((status, &read), (200, body), "key-{index}");
    }
    assert_eq!(
        fs::read_dir(folder.path().join("staging")).unwrap().count(),
        0,
        "nothing is left over"
    );
    every_blob_is_named(&server, folder.path());
}

/// Whatever is listed reads back whole, and there is no file beside.
fn every_blob_is_named(server: &Server, folder: &Path) {
    let mut large = 0;
    let mut after = String::new();
    loop {
        let (_, page) = server
            .ask(&format!("GET /photos?list-type=2&start-after={after}"), b"")
            .unwrap();
        let page = String::from_utf8(page).unwrap();
        let keys: Vec<_> = page
            .split("<Key>")
            .skip(1)
            .filter_map(|rest| rest.split('<').next())
            .collect();
        for key in &keys {
            let index: u32 = key.trim_start_matches("key-").parse().unwrap();
            let (status, body) = server.ask(&format!("GET /photos/{key}"), b"").unwrap();
            assert_eq!((status, body), (200, body_of(index)), "{key}");
            large += u32::from(index.is_multiple_of(3));
        }
        match keys.last() {
            Some(last) if page.contains("<IsTruncated>true<") => (*last).clone_into(&mut after),
            _ => break,
        }
    }
    let shelves = fs::read_dir(folder.join("blobs"))
        .unwrap()
        .map(|shelf| shelf.unwrap().path());
    let files: usize = shelves
        .map(|shelf| fs::read_dir(shelf).unwrap().count())
        .sum();
    assert_eq!(u32::try_from(files).unwrap(), large);
}
