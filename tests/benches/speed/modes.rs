//! What a mode of encryption costs beside SSE-S3. Modes take turns, so that a machine that gets busy slows them all.

use std::net::SocketAddr;

use crate::load;
use crate::process::Served;
use crate::{KIB, MIB, Row, row};

/// A mode, by the headers that ask for it.
struct Mode {
    name: &'static str,
    headers: &'static str,
    budget: [&'static str; 2],
}

const ROUNDS: usize = 5;
const SIZES: [usize; 2] = [KIB, 64 * MIB];

const MODES: [Mode; 5] = [
    Mode {
        name: "SSE-S3",
        headers: "",
        budget: ["", ""],
    },
    Mode {
        name: "SSE-KMS",
        headers: "x-amz-server-side-encryption: aws:kms\r\n",
        budget: ["≥ 0.77 of SSE-S3", "≥ SSE-S3"],
    },
    Mode {
        name: "SSE-KMS with a bucket key",
        headers: "x-amz-server-side-encryption: aws:kms\r\nx-amz-server-side-encryption-bucket-key-enabled: true\r\n",
        budget: ["≥ 0.77 of SSE-S3", "≥ SSE-S3"],
    },
    Mode {
        name: "DSSE-KMS",
        headers: "x-amz-server-side-encryption: aws:kms:dsse\r\n",
        budget: ["", ""],
    },
    Mode {
        name: "SSE-C",
        headers: "x-amz-server-side-encryption-customer-algorithm: AES256\r\nx-amz-server-side-encryption-customer-key: MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=\r\nx-amz-server-side-encryption-customer-key-MD5: JMwgiexXqwuPqIPjYFmIZQ==\r\n",
        budget: ["", "≥ SSE-S3"],
    },
];

/// A row for each mode and size.
pub(crate) async fn rows(rows: &mut Vec<Row>) {
    let server = Served::start(None);
    for (index, size) in SIZES.into_iter().enumerate() {
        let figures = medians(server.address(), size).await;
        let unit = if size == KIB { "/s" } else { " GB/s" };
        for (mode, figure) in MODES.iter().zip(&figures) {
            let what = if size == KIB {
                format!("PUT 1 KiB, {}, 16 connections", mode.name)
            } else {
                format!("PUT 64 MiB, {} with SHA-256", mode.name)
            };
            let digits = if size == KIB { 0 } else { 2 };
            let beside = format!("SSE-S3: {:.2}", figure / figures[0]);
            rows.push(row(
                &what,
                format!("{figure:.digits$}{unit}"),
                &beside,
                mode.budget[index],
            ));
        }
    }
}

async fn medians(address: SocketAddr, size: usize) -> Vec<f64> {
    let mut figures = vec![Vec::new(); MODES.len()];
    for _ in 0..ROUNDS {
        for (mode, figures) in MODES.iter().zip(&mut figures) {
            figures.push(if size == KIB {
                load::put_rate(address, 16, mode.headers).await
            } else {
                load::put_throughput(address, size, mode.headers).await
            });
        }
    }
    let median = |mut figures: Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures[ROUNDS / 2]
    };
    figures.into_iter().map(median).collect()
}
