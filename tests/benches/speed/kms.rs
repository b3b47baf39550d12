//! What a call of KMS costs the server beyond HTTP: its processor time, as the system counts it, less that of an answer which
//! asks nobody for anything. What the kernel does is the network's, and is not counted. The rows take turns.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::load::Load;
use crate::process::Served;
use crate::{Row, row};

/// Calls of each kind in a round.
const CALLS: u32 = 10_000;
const ROUNDS: usize = 5;
/// What HTTP alone costs.
const BASE: &str = "GET /_emulator/health";

/// A row for each of the calls.
pub(crate) async fn rows(rows: &mut Vec<Row>) {
    let server = Served::start(None);
    let mut load = Load::new(server.address());
    let calls = calls(server.address()).await;
    let mut base = Vec::new();
    let mut costs = vec![Vec::new(); calls.len()];
    for _ in 0..ROUNDS {
        let before = server.processor_micros();
        for _ in 0..CALLS {
            load.ask(BASE).await;
        }
        base.push(each(&server, before));
        for ((operation, body), costs) in calls.iter().zip(&mut costs) {
            let before = server.processor_micros();
            for _ in 0..CALLS {
                load.call(operation, body).await;
            }
            costs.push(each(&server, before));
        }
    }
    let base = median(base);
    for ((operation, _), costs) in calls.iter().zip(costs) {
        let all = median(costs);
        rows.push(row(
            &format!("KMS {operation}, processor time"),
            format!("{:.0} µs beyond HTTP", all - base),
            &format!("{all:.0} µs in all, {base:.0} µs of HTTP"),
            "< 50 µs beyond HTTP",
        ));
    }
}

/// The calls with their bodies, for a new key and a context.
async fn calls(address: SocketAddr) -> Vec<(&'static str, String)> {
    let mut load = Load::new(address);
    let made = load.call("CreateKey", "{}").await;
    let made: Value = serde_json::from_slice(&made).unwrap();
    let context = json!({ "team": "red", "purpose": "bench" });
    let key_id = &made["KeyMetadata"]["KeyId"];
    let generate = json!({ "KeyId": key_id, "KeySpec": "AES_256", "EncryptionContext": context });
    let generated = load.call("GenerateDataKey", &generate.to_string()).await;
    let generated: Value = serde_json::from_slice(&generated).unwrap();
    let blob = &generated["CiphertextBlob"];
    let encrypt = json!({
        "KeyId": key_id, "Plaintext": STANDARD.encode([7; 32]), "EncryptionContext": context,
    });
    vec![
        ("GenerateDataKey", generate.to_string()),
        ("Encrypt", encrypt.to_string()),
        (
            "Decrypt",
            json!({ "CiphertextBlob": blob, "EncryptionContext": context }).to_string(),
        ),
    ]
}

/// What each call of a round cost, in microseconds.
fn each(server: &Served, before: f64) -> f64 {
    (server.processor_micros() - before) / f64::from(CALLS)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[ROUNDS / 2]
}
