//! The server as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use strongroom::{Authentication, Config, Emulator};
use tempfile::TempDir;

/// Arguments of a command that holds the bucket of the load, and asks nobody who he is.
pub(crate) const OPEN_BUCKET: [&str; 4] = ["--bucket", "bench", "--auth", "off"];

/// A server process, killed when it is dropped.
pub(crate) struct Served {
    child: Child,
    address: SocketAddr,
    /// Its temporary folder, in which a killed server leaves what it kept.
    _folder: TempDir,
}

/// Settings of a server that asks nobody who they are.
pub(crate) fn open_to_all(config: &mut Config) {
    config.authentication = Authentication::Off;
}

/// Serves until the process is killed: what the child does.
pub(crate) fn serve(data: Option<&str>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            buckets: vec!["bench".to_owned()],
            data: data.map(Into::into),
            ..Config::default()
        };
        open_to_all(&mut config);
        let running = Emulator::start(config).await.unwrap();
        println!("{}", running.address());
        std::future::pending::<()>().await;
    });
}

impl Served {
    /// Starts one; with a folder it is durable.
    pub(crate) fn start(data: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("serve").args(data);
        Self::ready(command)
    }

    /// The command itself, as it is shipped, with these arguments; it is ready.
    pub(crate) fn command(arguments: &[&str]) -> Self {
        let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/strongroom");
        assert!(
            binary.exists(),
            "no release binary: run `cargo build --release --bin strongroom`"
        );
        let mut command = Command::new(binary);
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        Self::ready(command)
    }

    /// Runs a command and waits for the line with its address.
    fn ready(mut command: Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        command.env("TMPDIR", folder.path()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim().trim_start_matches("Ready. http://");
        Self {
            address: address.parse().expect("the server is ready"),
            child,
            _folder: folder,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Memory that it holds, in KiB, as the system counts it.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most that it ever held, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Processor time that it has taken outside of the kernel, in microseconds: Linux counts hundredths of a second.
    pub(crate) fn processor_micros(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The second field is the name in brackets, which may have blanks; the time is the 14th.
        let fields = stat.rsplit_once(')').unwrap().1;
        let hundredths: u32 = fields.split_whitespace().nth(11).unwrap().parse().unwrap();
        f64::from(hundredths) * 10_000.0
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
