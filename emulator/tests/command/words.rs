//! What the command says: help, completions, refusals, logs.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::{Server, command, refusal};

/// Every subcommand.
const COMMANDS: [&str; 8] = [
    "serve",
    "env",
    "healthcheck",
    "inspect",
    "export",
    "import",
    "verify",
    "completions",
];

fn run(arguments: &[&str]) -> Output {
    command().args(arguments).output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// A command line that is refused as such: in one line, which is given back.
fn misused(output: Output) -> String {
    let error = text(output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    assert_eq!(output.stdout, b"");
    error
}

/// What a server says on stderr from its start to its end, while an object is put, read and deleted, and one is read whose
/// file is gone where `fails` wants it.
fn logged(arguments: &[&str], fails: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let whole = [
        "--data",
        data,
        "--bucket",
        "photos",
        "--kms-key",
        "alias/app",
    ];
    let mut server = Server::start(&[&whole[..], arguments].concat());
    for (request, status) in [
        ("PUT /photos/cat", 200),
        ("GET /photos/cat", 200),
        ("GET /photos/dog", 404),
    ] {
        assert_eq!(server.ask(request, &[7; 9_000]).unwrap().0, status);
    }
    if fails {
        fs::remove_dir_all(folder.path().join("blobs")).unwrap();
        assert_eq!(server.ask("GET /photos/cat", b"").unwrap().0, 500);
    }
    server.ask("DELETE /photos/cat", b"").unwrap();
    server.signal("-TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    let mut error = String::new();
    let mut stderr = server.child.stderr.take().unwrap();
    stderr.read_to_string(&mut error).unwrap();
    error
}

#[test]
fn help_is_no_failure() {
    for words in [&["--help"][..], &["verify", "--help"], &["help", "env"]] {
        let output = run(words);

        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert_eq!(output.stderr, b"", "{words:?}");
        assert!(
            text(output.stdout).contains("Usage: strongroom"),
            "{words:?}"
        );
    }
}

#[test]
fn help_never_shows_what_the_environment_holds() {
    let output = command()
        .env("STRONGROOM_SECRET_KEY", "hunter2")
        .env("STRONGROOM_ACCESS_KEY", "hunter3")
        .arg("--help")
        .output()
        .unwrap();

    let told = text(output.stdout);
    assert!(told.contains("[env: STRONGROOM_SECRET_KEY]"), "{told}");
    assert!(!told.contains("hunter"), "{told}");
}

#[test]
fn a_command_line_that_makes_no_sense_is_one_line_with_what_to_do() {
    let unknown = misused(run(&["--buckets", "photos"]));
    let address = misused(run(&["--listen", "localhost"]));
    let shell = misused(run(&["completions", "basic"]));
    let by_environment = command().env("STRONGROOM_NEW_BUCKETS", "1999").output();
    let by_environment = misused(by_environment.unwrap());

    assert!(
        unknown.contains("a similar argument exists: '--bucket'; see --help"),
        "{unknown}"
    );
    assert!(
        address.contains("port 0 takes any that is free"),
        "{address}"
    );
    assert!(
        shell.contains("[possible values: bash, elvish, fish, powershell, zsh]"),
        "{shell}"
    );
    assert!(
        by_environment.contains("[possible values: 2026, 2023, legacy]"),
        "{by_environment}"
    );
}

#[test]
fn a_taken_port_says_how_to_get_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();

    let error = refusal(&["--listen", &address]);

    let expected = format!(
        "strongroom: cannot listen on {address}: the port is taken; --listen 127.0.0.1:0 takes one that is free\n"
    );
    assert_eq!(error, expected);
}

#[test]
fn a_folder_in_use_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let _server = Server::start(&["--data", path]);

    let error = refusal(&["--listen", "127.0.0.1:0", "--data", path]);

    assert!(error.contains(path), "{error}");
    assert!(
        error.contains("stop that one, or give this one another folder"),
        "{error}"
    );
}

#[test]
fn a_run_that_goes_well_logs_nothing() {
    assert_eq!(logged(&[], false), "");
}

#[test]
fn a_failure_is_logged_as_a_line_of_text() {
    let told = logged(&[], true);

    let lines: Vec<_> = told
        .lines()
        .filter(|line| line.contains("ERROR strongroom::"))
        .collect();
    assert_eq!(lines.len(), 1, "{told}");
    assert!(lines[0].contains("is missing"), "{told}");
}

#[test]
fn json_logs_are_an_object_a_line() {
    let told = logged(&["--log-format", "json"], true);

    let lines: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(!lines.is_empty());
    for line in &lines {
        for name in ["timestamp", "level", "target", "message"] {
            assert!(line[name].is_string(), "{name}: {line}");
        }
    }
    let failures: Vec<_> = lines
        .iter()
        .filter(|line| line["level"] == "ERROR")
        .collect();
    assert_eq!(failures.len(), 1, "{told}");
    assert_eq!(failures[0]["message"], "answered an error");
    assert!(
        failures[0]["cause"]
            .as_str()
            .unwrap()
            .contains("is missing"),
        "{told}"
    );
}

#[test]
fn the_environment_chooses_the_logs_too() {
    let output = command().env("STRONGROOM_LOG_FORMAT", "xml").output();

    let error = misused(output.unwrap());
    assert!(
        error.contains("'xml' for '--log-format <FORMAT>' [possible values: text, json]"),
        "{error}"
    );
}

#[test]
fn a_filter_that_is_none_is_one_line() {
    let error = refusal(&["--listen", "127.0.0.1:0", "--log", "a=b=c"]);

    assert!(
        error.contains("--log: ") && error.contains("a filter is like warn,strongroom=debug"),
        "{error}"
    );
}

#[test]
fn every_shell_has_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);

        let script = text(output.stdout);
        assert_eq!(
            (output.status.code(), output.stderr.len()),
            (Some(0), 0),
            "{shell}"
        );
        for word in COMMANDS.into_iter().chain(["log-format"]) {
            assert!(script.contains(word), "{shell} knows no `{word}`");
        }
    }
}

#[test]
fn bash_completes_subcommands_and_values() {
    let script = text(run(&["completions", "bash"]).stdout);
    let complete = |words: &str, index: usize| {
        let asked = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={index}; \
             _strongroom strongroom \"${{COMP_WORDS[{index}]}}\" \"${{COMP_WORDS[{index}-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let shell = Command::new("bash")
            .args(["-c", &asked])
            .stderr(Stdio::inherit())
            .output();
        text(shell.unwrap().stdout)
    };

    assert_eq!(complete("strongroom ver", 1), "verify\n");
    assert_eq!(complete("strongroom --auth v", 2), "verify\n");
    assert_eq!(complete("strongroom inspect --rev", 2), "--reveal\n");
}
