//! How fast the filter reads large bodies, as WebAssembly, in MB/s of body.
//!
//! `cargo bench -p host-test --bench scan`: the time of the whole body callback of one call that a policy allows, best of
//! several. It includes the host's copies of the body (into the stream's buffer, and from there into the filter's memory, once
//! each), its allocation in the filter, and the decision. wasmtime counts fuel meanwhile, which Envoy's engine does not.

use std::time::{Duration, Instant};

use host_test::{Host, Worker, filter_wasm};

const CONFIGURATION: &str = r#"{
    "policies": {"p": {"version": "1", "default": "deny", "tools": {"create_run": {}}}},
    "routes": [{"policy": "p"}],
    "max_body_bytes": 16777216
}"#;

const OBJECT: &str = r#"{"id":7,"name":"well A1","volume":12.5,"mixed":true,"to":"B2"}"#;
const ROUNDS: usize = 20;

/// An argument of about so many bytes.
type Make = fn(usize) -> String;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::builder(&filter_wasm()?)?
        .configuration(CONFIGURATION)
        .buffer_limit(32 << 20)
        .fuel_limit(u64::MAX)
        .start()?;
    let worker = host.worker(0);
    println!("{:>26} {:>8} {:>8}", "MB/s", "1 MiB", "8 MiB");
    let kinds: [(&str, Make); 6] = [
        ("one long string", |bytes| format!(r#""{}""#, "x".repeat(bytes))),
        ("text with line ends", |bytes| {
            format!(r#""{}""#, r"The robot moves the plate to the reader.\n".repeat(bytes / 42))
        }),
        ("text that is not ASCII", |bytes| format!(r#""{}""#, "größer ".repeat(bytes / 9))),
        ("many small objects", |bytes| array(OBJECT, bytes)),
        ("the same, indented", |bytes| array(&OBJECT.replace(",\"", ",\n      \"").replace(':', ": "), bytes)),
        ("numbers", |bytes| array("12.25", bytes)),
    ];
    for (name, make) in kinds {
        print!("{name:>26}");
        for bytes in [1 << 20, 8 << 20] {
            // Room for what stands around the argument.
            print!(" {:>8.0}", rate(&worker, &make(bytes - 200)));
        }
        println!();
    }
    Ok(())
}

fn array(element: &str, bytes: usize) -> String {
    let elements = format!("{element},").repeat(bytes / (element.len() + 1));
    format!("[{}]", elements.trim_end_matches(','))
}

#[expect(clippy::cast_precision_loss, reason = "a rate to look at")]
fn rate(worker: &Worker, argument: &str) -> f64 {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"create_run","arguments":{{"x":{argument}}}}}}}"#
    );
    let best = (0..ROUNDS).map(|_| time(worker, &body)).min().unwrap_or_default();
    body.len() as f64 / best.as_secs_f64() / 1e6
}

/// The time of one body callback.
fn time(worker: &Worker, body: &str) -> Duration {
    let mut stream = worker.request(&[
        (":method", "POST"),
        (":path", "/mcp"),
        (":authority", "mcp.example.com"),
        (":scheme", "http"),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("content-length", &body.len().to_string()),
    ]);
    let start = Instant::now();
    stream.request_body(body, true);
    let time = start.elapsed();
    assert!(stream.reply().is_none(), "the call is denied");
    stream.finish();
    time
}
