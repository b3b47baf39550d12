//! How fast the server is, in one run: each figure beside its budget, or beside the peer that the budget names.
//!
//! `cargo bench -p strongroom-tests` prints the table of `docs/performance.md`. `… -- quick` leaves the long rows out, `… -- modes`
//! compares the modes of encryption alone, `… -- kms` asks what calls of KMS cost, `… -- process` starts the release binary
//! and asks for its memory, and `… -- soak 60` lets 256 clients work with it for a minute. In the other rows this binary, told to serve, is the server: a
//! process of its own too, so that its memory is its own. The load comes from here, unsigned, over loopback.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark fails loudly and prints its table"
)]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded anyway")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod kms;
mod limit;
mod load;
mod modes;
mod peer;
mod process;
mod soak;

use std::time::Instant;

use crate::load::Load;
use crate::peer::Peer;
use crate::process::Served;

const KIB: usize = 1_024;
const MIB: usize = 1_024 * KIB;

/// A row of the table.
struct Row {
    what: String,
    figure: String,
    beside: String,
    budget: &'static str,
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "serve") {
        process::serve(arguments.get(1).map(String::as_str));
        return;
    }
    let quick = arguments.iter().any(|argument| argument == "quick");
    let only_modes = arguments.iter().any(|argument| argument == "modes");
    let only_kms = arguments.iter().any(|argument| argument == "kms");
    let only_process = arguments.iter().any(|argument| argument == "process");
    let soak = arguments.iter().skip_while(|argument| *argument != "soak");
    let soak = soak.skip(1).find_map(|seconds| seconds.parse().ok());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let mut rows = Vec::new();
    let is_whole = soak.is_none() && !only_process && !only_kms;
    if is_whole {
        rows.push(start_to_first_object());
    }
    if soak.is_none() && !only_modes && !only_kms {
        command(&mut rows);
    }
    runtime.block_on(async {
        if let Some(seconds) = soak {
            soak::rows(&mut rows, seconds).await;
        } else if only_modes {
            modes::rows(&mut rows).await;
        } else if only_kms {
            kms::rows(&mut rows).await;
        } else if is_whole {
            run(&mut rows, quick).await;
        }
    });
    print(rows);
}

async fn run(rows: &mut Vec<Row>, quick: bool) {
    let peer = Peer::start();
    small_objects(rows, peer.as_ref()).await;
    large_objects(rows).await;
    modes::rows(rows).await;
    kms::rows(rows).await;
    listings(
        rows,
        if quick {
            &[1_000, 10_000]
        } else {
            &[1_000, 100_000, 1_000_000]
        },
    )
    .await;
    memory(rows, if quick { 256 } else { 2_048 }).await;
}

fn print(rows: Vec<Row>) {
    println!("\n| what | here | beside | budget |\n|---|---|---|---|");
    for Row {
        what,
        figure,
        beside,
        budget,
    } in rows
    {
        println!("| {what} | {figure} | {beside} | {budget} |");
    }
}

fn start_to_first_object() -> Row {
    let mut times: Vec<_> = (0..9)
        .map(|_| {
            let begun = Instant::now();
            let server = strongroom_testkit::Strongroom::builder()
                .bucket("bench")
                .config(process::open_to_all);
            let server = server.start_blocking();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .unwrap();
                    runtime.block_on(async { Load::new(server.address()).put("key", KIB).await });
                });
            });
            begun.elapsed()
        })
        .collect();
    times.sort();
    row(
        "start in process to first object",
        format!("{:.2} ms", times[4].as_secs_f64() * 1e3),
        "",
        "< 5 ms",
    )
}

/// What the command costs before anybody asks it for anything.
fn command(rows: &mut Vec<Row>) {
    let mut times = Vec::new();
    let mut resident = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        let server = Served::command(&[]);
        times.push(begun.elapsed());
        resident.push(server.resident_kib());
    }
    times.sort();
    resident.sort_unstable();
    rows.push(row(
        "start of the command to `Ready.`",
        format!("{:.2} ms", times[10].as_secs_f64() * 1e3),
        "",
        "< 15 ms",
    ));
    rows.push(row(
        "memory of the command, idle",
        format!("{:.1} MiB", resident[10] as f64 / 1_024.0),
        "",
        "< 12 MiB",
    ));
}

async fn small_objects(rows: &mut Vec<Row>, peer: Option<&Peer>) {
    let server = Served::start(None);
    for connections in [1, 16] {
        for kind in ["PUT", "GET", "HEAD"] {
            let own = load::rate(server.address(), kind, connections).await;
            let beside = match peer {
                Some(peer) => {
                    let other = load::rate(peer.address(), kind, connections).await;
                    format!("s3s-fs {other:.0}/s: {:.2}", own / other)
                }
                None => "s3s-fs not measured".to_owned(),
            };
            let budget = if connections == 16 {
                "≥ 1.5 × the fastest peer"
            } else {
                ""
            };
            rows.push(row(
                &format!("{kind} 1 KiB, {connections} connections"),
                format!("{own:.0}/s"),
                &beside,
                budget,
            ));
        }
    }
}

async fn large_objects(rows: &mut Vec<Row>) {
    let server = Served::start(None);
    for size in [MIB, 64 * MIB] {
        let limit = limit::hash_and_seal(size);
        let put = load::throughput(server.address(), "PUT", size).await;
        let beside = format!("limit of one core {limit:.2} GB/s: {:.2}", put / limit);
        rows.push(row(
            &format!("PUT {} MiB, SSE-S3 with MD5 and SHA-256", size / MIB),
            format!("{put:.2} GB/s"),
            &beside,
            "≥ 0.9 of the limit",
        ));
        let get = load::throughput(server.address(), "GET", size).await;
        let opening = limit::open(size);
        let beside = format!(
            "opening on one core {opening:.2} GB/s: {:.2}",
            get / opening
        );
        rows.push(row(
            &format!("GET {} MiB", size / MIB),
            format!("{get:.2} GB/s"),
            &beside,
            "",
        ));
    }
    let (calm, busy) = load::neighbour(server.address()).await;
    let figure = format!("p99 {:.1} ms", busy.as_secs_f64() * 1e3);
    let beside = format!("alone {:.1} ms", calm.as_secs_f64() * 1e3);
    rows.push(row(
        "GET 1 KiB beside 16 clients that PUT 64 MiB",
        figure,
        &beside,
        "p99 < 50 ms",
    ));
}

async fn listings(rows: &mut Vec<Row>, sizes: &[usize]) {
    let mut first = None;
    for &size in sizes {
        let server = Served::start(None);
        load::fill(server.address(), size).await;
        let time = load::list_time(server.address()).await;
        let ratio = time.as_secs_f64() / first.get_or_insert(time).as_secs_f64();
        let figure = format!("{:.2} ms", time.as_secs_f64() * 1e3);
        rows.push(row(
            &format!("LIST 1,000 of {size} keys"),
            figure,
            &format!("{ratio:.2} × the first"),
            "same at any size",
        ));
    }
}

async fn memory(rows: &mut Vec<Row>, mebibytes: usize) {
    let server = Served::start(None);
    let idle = server.resident_kib();
    Load::new(server.address())
        .put("large", mebibytes * MIB)
        .await;
    let peak = server.peak_kib();
    let figure = format!(
        "{:.1} MiB beyond idle",
        peak.saturating_sub(idle) as f64 / 1_024.0
    );
    rows.push(row(
        &format!("memory, upload of {mebibytes} MiB"),
        figure,
        "",
        "< 64 MiB",
    ));
}

fn row(what: &str, figure: String, beside: &str, budget: &'static str) -> Row {
    Row {
        what: what.to_owned(),
        figure,
        beside: beside.to_owned(),
        budget,
    }
}
