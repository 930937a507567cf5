//! How fast bodies are read.
//!
//! `cargo bench -p policy --bench message`: MB/s for bodies of the shapes that cost most.

use std::hint::black_box;
use std::time::Instant;

use policy::message::read;

fn call(arguments: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"get_run","arguments":{arguments}}}}}"#)
}

fn main() {
    let object = r#"{"id":7,"name":"well A1","volume":12.5,"mixed":true,"to":"B2"},"#;
    let bodies = [
        ("270 B", call(&format!(r#"{{"run_id":"{}"}}"#, "a".repeat(160)))),
        ("60 KB, one string", call(&format!(r#"{{"text":"{}"}}"#, "x".repeat(60_000)))),
        ("60 KB, 950 small objects", call(&format!(r#"{{"steps":[{}]}}"#, object.repeat(950).trim_end_matches(',')))),
        ("900 KB, 100 000 keys", {
            let keys: String = (0..100_000).map(|key| format!("\"{key:05}\":0,")).collect();
            call(&format!("{{{}}}", keys.trim_end_matches(',')))
        }),
        ("900 KB, escapes", call(&format!(r#"{{"text":"{}"}}"#, r"\n\u00e9".repeat(110_000)))),
        ("900 KB, one number", call(&format!(r#"{{"n":{}}}"#, "0.".to_owned() + &"1".repeat(900_000)))),
    ];
    for (name, body) in bodies {
        let rounds = 200_000_000 / body.len().max(2_000);
        let start = Instant::now();
        for _ in 0..rounds {
            black_box(read(black_box(body.as_bytes()), 64)).expect("a readable body");
        }
        let seconds = start.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate to look at")]
        let rate = (body.len() * rounds) as f64 / seconds / 1e6;
        println!("{name:>26}: {rate:8.0} MB/s");
    }
}
