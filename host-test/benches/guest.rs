//! What a request costs inside the filter, in units of wasm fuel (about one per instruction), per callback.
//!
//! `cargo bench -p host-test --bench guest`: steadier than any clock; it leaves out what Envoy itself spends.

use host_test::{HeaderStop, Host, filter_wasm};

const POLICY: &str = r#"{"version":"1","default":"deny","hide":["delete_*"],"tools":{
    "allowed":{},
    "condition":{"require":[{"conditions":[{"path":"args.run_id","op":"regex","value":"^[a-z0-9]+$"}]}]},
    "counted":{"limits":[{"counter":"c","window":"minute","max":1000000}]}}}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let module = filter_wasm()?;
    let bodies = [
        ("70 B", "{}".to_owned()),
        ("270 B", format!(r#"{{"run_id":"{}"}}"#, "a".repeat(160))),
        ("1 KB", format!(r#"{{"run_id":"a","text":"{}"}}"#, "a".repeat(900))),
        ("60 KB, one string", format!(r#"{{"run_id":"a","text":"{}"}}"#, "x".repeat(60_000))),
        ("60 KB, 950 objects", {
            let object = r#"{"id":7,"name":"well A1","volume":12.5,"mixed":true,"to":"B2"},"#.repeat(950);
            format!(r#"{{"run_id":"a","steps":[{}]}}"#, object.trim_end_matches(','))
        }),
    ];
    println!("{:>20} {:>10} {:>9} {:>9} {:>9} {:>9}", "body", "call", "headers", "body", "response", "end");
    for (size, arguments) in &bodies {
        for tool in ["allowed", "condition", "counted", "denied"] {
            let host =
                Host::builder(&module)?.configuration(POLICY).stop_iteration(HeaderStop::AllowOnHeaders).start()?;
            let worker = host.worker(0);
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
            );
            let mut steps = [0; 4];
            for _ in 0..10 {
                let mut last = worker.fuel_used();
                let mut step = |worker: &host_test::Worker| {
                    let used = worker.fuel_used() - last;
                    last = worker.fuel_used();
                    used
                };
                let mut stream = worker.request(&[
                    (":method", "POST"),
                    (":path", "/mcp"),
                    (":authority", "mcp.example.com"),
                    (":scheme", "http"),
                    ("content-type", "application/json"),
                    ("accept", "application/json, text/event-stream"),
                    ("user-agent", "bench"),
                    ("x-request-id", "7f5c1c1e-8b9a-4a53-9be9-1ef3a5e0f2a1"),
                    ("x-forwarded-proto", "http"),
                    ("content-length", &body.len().to_string()),
                ]);
                let headers = step(&worker);
                stream.request_body(&body, true);
                let judged = step(&worker);
                if stream.reply().is_none() {
                    stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
                    stream.response_body(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, true);
                }
                let response = step(&worker);
                stream.finish();
                steps = [headers, judged, response, step(&worker)];
            }
            let [headers, judged, response, end] = steps;
            println!("{size:>20} {tool:>10} {headers:>9} {judged:>9} {response:>9} {end:>9}");
        }
    }
    Ok(())
}
