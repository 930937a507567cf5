//! The limits file of Limitador.

use super::*;
use crate::config::{Config, load};

fn config(limits: &str, members: &str) -> Config {
    let text = format!(
        r#"{{"policies": {{"lab": {{"version": "1", "default": "deny", {limits}}}}}, "routes": [{{"policy": "lab"}}]{members}}}"#
    );
    load(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn service(domain: &str) -> String {
    format!(r#", "global_counters": {{"cluster": "c", "domain": "{domain}", "digest_key": "{KEY}"}}"#)
}

#[test]
fn a_counter_is_one_limit() {
    let limit = r#"{"counter": "it's \"my\" \\ ü", "window": "month", "align": "calendar", "max": 12.5,
        "increment_from": "args.n", "scope": "claim:te'am", "store": "global"}"#;
    let local = r#"{"counter": "mine", "window": "day", "max": 5}"#;
    let tools = format!(r#""tools": {{"a": {{"limits": [{limit}, {local}]}}, "b*": {{"limits": [{limit}]}}}}"#);
    let file = limitador_limits(&config(&tools, &service("my: domain"))).unwrap();
    let wanted = r#"# Written by `mcp-policy export limitador`. Change the policy, and write it anew.
- namespace: "my: domain"
  max_value: 12500000
  seconds: 2592000
  conditions:
    - "descriptors[0].policy == \"lab\""
    - "descriptors[0].counter == \"it's \\\"my\\\" \\\\ \U000000fc\""
    - "descriptors[0].scope == \"claim:te'am\""
    - "descriptors[0].window == \"month\""
    - "descriptors[0].unit == \"0.000001\""
  variables:
    - "descriptors[0].value"
"#;
    assert_eq!(file, wanted);
}

#[test]
fn every_section_and_all_tools_have_their_limits() {
    let limit = |counter: &str| {
        format!(
            r#"{{"limits": [{{"counter": "{counter}", "window": "day", "align": "calendar", "max": 5, "store": "global"}}]}}"#
        )
    };
    let parts = format!(
        r#""all_tools": {}, "resources": {{"uris": {{"file:///a": {}}}}}, "prompts": {{"names": {{"p": {}}}}}"#,
        limit("all"),
        limit("read"),
        limit("prompted")
    );
    let file = limitador_limits(&config(&parts, &service("mcp"))).unwrap();
    assert_eq!(file.matches("- namespace: \"mcp\"").count(), 3, "{file}");
    for counter in ["all", "read", "prompted"] {
        assert!(file.contains(&format!(r#"descriptors[0].counter == \"{counter}\""#)), "{file}");
    }
}

#[test]
fn without_global_limits_there_is_no_file() {
    assert_eq!(limitador_limits(&config(r#""tools": {"a": {"rate_limit": "1/day"}}"#, "")), None);
}
