//! The configurations that people copy, as they are but for ports and file names.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use envoy::{
    Envoy,
    client::Client,
    lab::{Answers, LabServer},
    ratelimit::{Kind, RateLimitService, Store},
    token, workspace,
};
use serde_json::{Value, json};

/// Where they are.
fn folder() -> PathBuf {
    workspace::root().join("envoy/deploy")
}

/// Reads a shipped configuration and replaces each of `places`, which must be there exactly once.
fn adapted(name: &str, places: &[(&str, &str)]) -> Result<String> {
    let path = folder().join(name);
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
    let envoy = start("plain/envoy.yaml", &lab, &[]).await?;
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
    let envoy = start("plain/envoy-jwt.yaml", &lab, &more).await?;
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

/// Starts an Envoy of a fleet with its secret, and with its rate-limit service where that is.
async fn start_of_fleet(name: &str, lab: &LabServer, service: &RateLimitService) -> Result<Envoy> {
    let named = format!("address: {name}, port_value: 8081");
    let at = format!("address: 127.0.0.1, port_value: {}", service.address().port());
    let more = [
        ("host.docker.internal", "127.0.0.1"),
        (named.as_str(), at.as_str()),
        // The usual 50 ms can be too little on a machine that is busy with other tests.
        (r#""REPLACE_ME""#, r#""0123456789abcdef0123456789abcdef", "timeout": "5s""#),
    ];
    start(&format!("fleet/{name}/envoy.yaml"), lab, &more).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configurations_of_a_fleet_enforce_their_policy_and_ask_their_service() -> Result<()> {
    let domain = yaml("fleet/ratelimit/ratelimit.yaml")?["domain"].as_str().context("a domain")?.to_owned();
    let limits = fs::read_to_string(folder().join("fleet/limitador/limits.yaml"))?;
    let services = [
        ("ratelimit", Kind::Ratelimit { domains: vec![domain] }),
        ("limitador", Kind::limitador(limits, Store::Memory(100))),
    ];
    for (name, kind) in services {
        let lab = LabServer::start(0, Answers::Events).await?;
        let service = RateLimitService::start(kind).await?;
        let envoy = start_of_fleet(name, &lab, &service).await?;
        let client = Client::connect(envoy.url("/mcp")).await?;
        let run = json!({ "robot_ip": "10.0.0.7", "protocol_id": "pcr-prep" });
        for turn in 0..12 {
            let outcome = client.call("create_run", run.clone()).await?;
            assert_eq!(outcome.reached_the_tool(), turn < 10, "{name}: {outcome:?} {}", envoy.log());
            let refused_by = (turn >= 10).then_some("/tools/create_run/limits/create_run_rate");
            assert_eq!(outcome.rule(), refused_by, "{name}");
        }
        // What this Envoy refuses by itself is nobody's business.
        assert_eq!(service.seen().len(), 10, "{name}");
        let robot = json!({ "robot_ip": "10.0.0.7" });
        assert_eq!(client.call("robot_health", robot).await?.rule(), Some("(default deny)"), "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envoy_of_a_fleet_does_not_start_with_a_secret_that_everybody_knows() -> Result<()> {
    let lab = LabServer::start(0, Answers::Events).await?;
    for name in ["ratelimit", "limitador"] {
        match start(&format!("fleet/{name}/envoy.yaml"), &lab, &[("host.docker.internal", "127.0.0.1")]).await {
            Err(error) => assert!(format!("{error:#}").contains("/global_counters/digest_key"), "{name}: {error:#}"),
            Ok(envoy) => panic!("{name}: it serves on {}", envoy.address()),
        }
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
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let configuration: Value = serde_saphyr::from_str(&fs::read_to_string(&path)?)?;
        for manager in connection_managers(&configuration) {
            checked += 1;
            assert_eq!(manager["normalize_path"], true, "{name}");
            assert_eq!(manager["merge_slashes"], true, "{name}");
            assert_eq!(manager["path_with_escaped_slashes_action"], "REJECT_REQUEST", "{name}");
        }
    }
    assert!(checked >= 4, "{checked} connection managers in {}", folder().display());
    Ok(())
}

/// The configuration that an Envoy of a fleet hands to the filter.
fn filter_configuration(envoy: &Value) -> Result<&str> {
    let manager = connection_managers(envoy).first().copied().context("a connection manager")?;
    let configuration = manager["http_filters"][0]["typed_config"]["config"]["configuration"]["value"].as_str();
    configuration.context("the filter's configuration")
}

fn yaml(path: &str) -> Result<Value> {
    let path = folder().join(path);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    serde_saphyr::from_str(&text).with_context(|| path.display().to_string())
}

/// With the secret that whoever copies it has to put in, the filter takes it; without, it says which is missing.
#[test]
fn the_configurations_of_a_fleet_load_once_they_have_their_secret() -> Result<()> {
    for service in ["ratelimit", "limitador"] {
        let envoy = yaml(&format!("fleet/{service}/envoy.yaml"))?;
        let copied = filter_configuration(&envoy)?;
        let errors = policy::config::load(copied.as_bytes()).expect_err("it has a secret that everybody knows");
        let places: Vec<&str> = errors.iter().map(policy::document::Error::pointer).collect();
        assert_eq!(places, ["/global_counters/digest_key"], "{service}: {errors}");
        let config = policy::config::load(with_secret(copied).as_bytes()).with_context(|| service.to_owned())?;
        let settings = config.global_counters.context("global counters")?;
        let clusters = envoy["static_resources"]["clusters"].as_array().context("clusters")?;
        let cluster = clusters.iter().find(|cluster| cluster["name"] == *settings.cluster).context("its cluster")?;
        assert!(cluster.to_string().contains("http2_protocol_options"), "{service}: gRPC is HTTP/2");
        let compose = yaml(&format!("fleet/{service}/compose.yaml"))?;
        for name in ["envoy", service, "redis"] {
            assert!(compose["services"][name]["image"].is_string(), "{service}: {name}");
        }
    }
    Ok(())
}

/// What each service has to be told beforehand is what the policy says.
#[test]
fn the_files_of_the_rate_limit_services_fit_their_policies() -> Result<()> {
    let domain = &yaml("fleet/ratelimit/ratelimit.yaml")?["domain"];
    let ratelimit = yaml("fleet/ratelimit/envoy.yaml")?;
    let config = policy::config::load(with_secret(filter_configuration(&ratelimit)?).as_bytes())?;
    assert_eq!(*domain, *config.global_counters.context("global counters")?.domain);
    let limitador = yaml("fleet/limitador/envoy.yaml")?;
    let config = policy::config::load(with_secret(filter_configuration(&limitador)?).as_bytes())?;
    let limits = policy::global::limitador_limits(&config).context("global limits")?;
    assert_eq!(fs::read_to_string(folder().join("fleet/limitador/limits.yaml"))?, limits);
    Ok(())
}

fn with_secret(configuration: &str) -> String {
    configuration.replace("REPLACE_ME", "0123456789abcdef0123456789abcdef")
}
