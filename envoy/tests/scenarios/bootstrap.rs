//! One Envoy with a listener for each scenario: starting one Envoy for each would take minutes.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use envoy::filters::{PolicyFilter, jwt_authn};
use envoy::{Cluster, Config, Route};
use host_test::scenario::{File, Placed, Scenario};
use serde_json::{Value, json};

/// The scenarios that can run here, with their files. Time cannot be moved, and the caller is this process.
pub(crate) fn scenarios(files: &[File]) -> impl Iterator<Item = (&File, &Placed<Scenario>)> {
    let all = files.iter().flat_map(|file| file.scenarios.iter().map(move |scenario| (file, scenario)));
    all.filter(|(_, scenario)| !scenario.value.is_for_wasmtime())
}

/// The name of the listener of a scenario. The first has the name by which Envoy's harness finds one.
pub(crate) fn listener(number: usize) -> String {
    if number == 0 { "mcp".to_owned() } else { format!("mcp-{number}") }
}

/// The bootstrap of an Envoy for all scenarios, which all lead to one server.
pub(crate) fn of(files: &[File], server: SocketAddr) -> Result<Value> {
    let mut whole: Option<Value> = None;
    for (number, (file, scenario)) in scenarios(files).enumerate() {
        let mut part = one(file, &scenario.value, server)?;
        let resources = &mut part["static_resources"];
        prepare_listener(&mut resources["listeners"][0], number)?;
        for cluster in resources["clusters"].as_array_mut().into_iter().flatten() {
            prepare_cluster(cluster);
        }
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => merge(&mut whole["static_resources"], &mut part["static_resources"]),
        }
    }
    whole.context("there are no scenarios")
}

/// As if it were the only one.
fn one(file: &File, scenario: &Scenario, server: SocketAddr) -> Result<Value> {
    let filter = PolicyFilter::new(file.configuration(scenario))?;
    let filter = if file.holds_heads(scenario) { filter } else { filter.without_hold() };
    let mut config = Config::new(server).policy(filter);
    if scenario.steps.iter().any(|step| step.value.claims.is_some()) {
        let mut reads_tokens = jwt_authn();
        let rule = &mut reads_tokens["typed_config"]["rules"][0]["requires"];
        *rule = json!({ "requires_any": { "requirements": [rule.take(), { "allow_missing": {} }] } });
        config = config.in_front(reads_tokens);
    }
    for route in &scenario.routes {
        config = config.route(Route::new(&route.name, &route.prefix, &route.cluster));
        if !config.clusters.iter().any(|cluster| cluster.name == route.cluster) {
            config = config.cluster(Cluster::new(&route.cluster, server));
        }
    }
    Ok(config.bootstrap(Path::new("unused")))
}

/// Takes over the listener, and the clusters that are not there yet.
fn merge(whole: &mut Value, part: &mut Value) {
    let known: Vec<Value> =
        whole["clusters"].as_array().into_iter().flatten().map(|known| known["name"].clone()).collect();
    for (kind, known) in [("listeners", vec![]), ("clusters", known)] {
        let (Some(all), Some(new)) = (whole[kind].as_array_mut(), part[kind].as_array_mut()) else { continue };
        all.extend(new.drain(..).filter(|new| !known.contains(&new["name"])));
    }
}

fn prepare_listener(listener: &mut Value, number: usize) -> Result<()> {
    listener["name"] = json!(self::listener(number));
    let manager = listener.pointer_mut("/filter_chains/0/filters/0/typed_config").context("a connection manager")?;
    // The filter is shown paths and upgrades as clients write them: the harder case.
    manager["normalize_path"] = json!(false);
    manager["merge_slashes"] = json!(false);
    manager["path_with_escaped_slashes_action"] = json!("KEEP_UNCHANGED");
    manager["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }]);
    manager["http_protocol_options"] = json!({ "enable_trailers": true });
    let filters = manager["http_filters"].as_array_mut().context("filters")?;
    let policy = filters.iter_mut().find(|filter| filter["name"] == "mcp_policy").context("the policy filter")?;
    // One virtual machine for all; counters are kept apart by root.
    policy["typed_config"]["config"]["root_id"] = json!(format!("mcp_policy-{number}"));
    Ok(())
}

fn prepare_cluster(cluster: &mut Value) {
    cluster["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http_protocol_options": { "enable_trailers": true } },
        },
    });
}
