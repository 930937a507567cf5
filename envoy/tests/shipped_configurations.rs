//! The configurations that people copy, as they are but for ports and file names.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use envoy::{
    Envoy,
    client::Client,
    lab::{Answers, LabServer},
    token, workspace,
};
use serde_json::{Value, json};

/// Where they are.
fn folder() -> PathBuf {
    workspace::root().join("envoy/deploy")
}

/// Reads a shipped configuration and replaces each of `places`, which must be there exactly once.
fn adapted(name: &str, places: &[(&str, &str)]) -> Result<String> {
    let path = folder().join("plain").join(name);
    let mut text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for (from, to) in places {
        anyhow::ensure!(text.matches(from).count() == 1, "`{from}` is not in {name} exactly once");
        text = text.replace(from, to);
    }
    Ok(text)
}

async fn start(name: &str, lab: &LabServer, more: &[(&str, &str)]) -> Result<Envoy> {
    let module = workspace::filter()?.display().to_string();
    let server = format!("port_value: {}", lab.address().port());
    let places = [
        ("0.0.0.0, port_value: 10000", "127.0.0.1, port_value: 0"),
        ("port_value: 9901", "port_value: 0"),
        ("port_value: 9000", &server),
        ("/etc/envoy/mcp_policy.wasm", &module),
    ];
    Ok(Envoy::start_with_yaml(&adapted(name, &[&places, more].concat())?).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plain_configuration_enforces_its_policy() -> Result<()> {
    let lab = LabServer::start(0, Answers::Events).await?;
    let envoy = start("envoy.yaml", &lab, &[]).await?;
    let client = Client::connect(envoy.url("/mcp")).await?;
    let run = json!({ "robot_ip": "10.0.0.7", "protocol_id": "pcr-prep" });
    let mut done = 0;
    for _ in 0..12 {
        let outcome = client.call("create_run", run.clone()).await?;
        done += usize::from(outcome.reached_the_tool());
        assert!(outcome.reached_the_tool() || outcome.rule() == Some("/tools/create_run/limits/create_run_rate"));
    }
    assert_eq!(done, 10);
    assert_eq!(client.call("robot_health", json!({ "robot_ip": "10.0.0.7" })).await?.rule(), Some("(default deny)"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jwt_configuration_counts_each_subject_by_itself() -> Result<()> {
    let lab = LabServer::start(0, Answers::Events).await?;
    let keys = tempfile::NamedTempFile::new()?;
    fs::write(keys.path(), token::jwks())?;
    let keys = keys.path().display().to_string();
    let more = [
        ("/etc/envoy/jwks.json", keys.as_str()),
        ("issuer: https://id.example.com", &format!("issuer: {}", token::ISSUER)),
    ];
    let envoy = start("envoy-jwt.yaml", &lab, &more).await?;
    assert!(Client::connect(envoy.url("/mcp")).await.is_err(), "a client without a token has no session");
    for subject in ["ada", "grace"] {
        let token = token::token(subject, &json!({ "aud": "mcp" }));
        let client = Client::connect_with_token(envoy.url("/mcp"), &token).await?;
        let mut done = 0;
        for _ in 0..12 {
            let run = json!({ "robot_ip": "10.0.0.7", "protocol_id": "pcr-prep" });
            done += usize::from(client.call("create_run", run).await?.reached_the_tool());
        }
        assert_eq!(done, 10, "{subject}");
    }
    Ok(())
}

/// Every file of a folder and of those below it.
fn files(folder: PathBuf) -> Result<Vec<PathBuf>> {
    let mut found = vec![];
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// The HTTP connection managers of a configuration, wherever they are in it.
fn connection_managers(configuration: &Value) -> Vec<&Value> {
    let is_one = |value: &Value| value["@type"].as_str().is_some_and(|name| name.ends_with(".HttpConnectionManager"));
    match configuration {
        manager if is_one(manager) => vec![manager],
        Value::Object(members) => members.values().flat_map(connection_managers).collect(),
        Value::Array(elements) => elements.iter().flat_map(connection_managers).collect(),
        _ => vec![],
    }
}

/// Else a spelling of a path could choose another route, and with it another policy, than the server's reading of it.
#[test]
fn every_configuration_has_envoy_rewrite_paths_to_one_spelling() -> Result<()> {
    let mut checked = 0;
    for path in files(folder())? {
        let name = path.display();
        let configuration: Value = serde_saphyr::from_str(&fs::read_to_string(&path)?)?;
        for manager in connection_managers(&configuration) {
            checked += 1;
            assert_eq!(manager["normalize_path"], true, "{name}");
            assert_eq!(manager["merge_slashes"], true, "{name}");
            assert_eq!(manager["path_with_escaped_slashes_action"], "REJECT_REQUEST", "{name}");
        }
    }
    assert!(checked >= 2, "{checked} connection managers in {}", folder().display());
    Ok(())
}
