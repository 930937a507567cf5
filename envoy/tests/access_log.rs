//! The audit record, as a real Envoy writes it into its access logs.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use envoy::{Config, Envoy, filters::PolicyFilter, upstream::Upstream, wire};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// How long Envoy may take to write, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// The access log that the documentation shows, into another file.
fn documented(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md"))?;
    let section = text.split_once("## Audit").context("a section about it")?.1;
    let block = section.split_once("```yaml\n").and_then(|(_, rest)| rest.split_once("```")).context("a block")?.0;
    let block = block.replace("/var/log/envoy/mcp-audit.jsonl", path.to_str().context("a plain path")?);
    let logs: Value = serde_saphyr::from_str(&block)?;
    Ok(logs["access_log"][0].clone())
}

/// The same operator as a member of JSON.
fn as_json(path: &Path) -> Value {
    json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": { "json_format": {
                "code": "%RESPONSE_CODE%", "mcp": "%FILTER_STATE(wasm.mcp_policy.audit:PLAIN)%",
            } },
        },
    })
}

/// The lines of a log, once there are so many.
async fn lines(path: &Path, count: usize) -> Result<Vec<String>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.lines().count() >= count && text.ends_with('\n') || Instant::now() > deadline {
            return Ok(text.lines().map(str::to_owned).collect());
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_log_has_one_record_of_every_judged_body() -> Result<()> {
    let configuration = json!({
        "policies": { "lab": { "version": "1", "default": "deny", "tools": {
            "get_run": { "record": ["args.run_id", "args.note"], "rate_limit": "2/hour" },
        } } },
        "routes": [{ "policy": "lab" }],
        "identity": { "grant": [{ "header": "x-api-key" }] },
        "request_headers": "hold",
        "audit": { "digest_key": "0123456789abcdef0123456789abcdef" },
    });
    let folder = tempfile::tempdir()?;
    let files: [PathBuf; 2] = ["text.jsonl", "json.jsonl"].map(|name| folder.path().join(name));
    let upstream = Upstream::json(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#).await?;
    let mut config = Config::new(upstream.address()).policy(PolicyFilter::new(configuration)?);
    config.access_logs = vec![documented(&files[0])?, as_json(&files[1])];
    let envoy = Envoy::start(&config).await?;
    let call = wire::call("get_run", &json!({ "run_id": "run-\u{fc}\n7", "secret": "hunter2" }));
    let denied = wire::call("other", &json!({}));
    let mut second = denied.clone();
    second["id"] = 2.into();
    // Admitted, denied, a batch with one that is refused, admitted, limited, unreadable.
    for body in [&call, &denied, &json!([call, second]), &call, &call, &json!([])] {
        wire::post(envoy.url("/mcp"), body).header("x-api-key", "k3y-of-ada").send().await?;
    }
    envoy::http().delete(envoy.url("/mcp")).header("mcp-session-id", "s").send().await?;
    let text = lines(&files[0], 7).await?;
    let records: Vec<Value> =
        text.iter().filter(|line| *line != "-").map(|line| serde_json::from_str(line)).collect::<Result<_, _>>()?;
    assert_eq!((text.len(), records.len()), (7, 6), "{text:?}");
    let mut outcomes: Vec<String> = records.iter().map(outcomes).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["400", "allowed", "allowed", "denied", "denied denied", "limited"], "{text:?}");
    let allowed = records.iter().find(|record| record["calls"][0]["outcome"] == "allowed").context("one was")?;
    assert_eq!(allowed["calls"][0]["values"], json!({ "args.run_id": "run-\u{fc}\n7" }));
    assert_eq!(allowed["calls"][0]["marks"], json!({ "args.note": "absent" }));
    let grants: Vec<&str> = records.iter().filter_map(|record| record["grant"].as_str()).collect();
    assert!(grants.len() == 6 && grants.iter().all(|grant| *grant == grants[0] && grant.len() == 32), "{grants:?}");
    for unsaid in ["hunter2", "k3y-of-ada"] {
        assert!(!text.concat().contains(unsaid), "{text:?}");
    }
    // The other log has the same, as strings.
    let mut inside = Vec::new();
    for line in lines(&files[1], 7).await? {
        let line: Value = serde_json::from_str(&line)?;
        assert!(line["code"].is_number());
        inside.extend(line["mcp"].as_str().map(serde_json::from_str::<Value>).transpose()?);
    }
    assert_eq!(inside, records);
    Ok(())
}

fn outcomes(record: &Value) -> String {
    let calls = record["calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    let words: Vec<&str> = calls.iter().filter_map(|call| call["outcome"].as_str()).collect();
    if words.is_empty() { record["refused"]["status"].to_string() } else { words.join(" ") }
}
