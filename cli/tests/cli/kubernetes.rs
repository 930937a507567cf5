//! `mcp-policy export istio` and `envoy-gateway`: resources that say the same as the policy.

use serde_json::{Value, json};

use crate::common::mcp_policy;

/// With all that a YAML reader could take for something else.
const POLICY: &str = "\t{ \"version\": \"1\",\r\n\t\"default\": \"deny\", \"description\": \"# é: {{name}} \\\" \\/ \u{2028} 'a' - b\",\n
  \"tools\": { \"yes\": {}, \"create_run\": { \"limits\": [{ \"counter\": \"null\", \"window\": \"minute\", \"max\": 10.0 }] } } }\n";

const IMAGE: &str = "oci://registry.example.com/mcp-policy:0.1.0";

fn resource(arguments: &[&str]) -> Value {
    let ran = mcp_policy(arguments, POLICY);
    assert_eq!((ran.status, ran.said.as_str()), (Some(0), ""));
    serde_saphyr::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}\n{}", ran.out))
}

#[test]
fn istio_gets_the_policy_as_it_is() {
    let policy: Value = serde_json::from_str(POLICY).unwrap();
    let common = ["export", "istio", "--policy", "-", "--url", IMAGE];
    let extension =
        resource(&[&common[..], &["--selector", "istio=ingressgateway", "--namespace", "istio-system"]].concat());
    assert_eq!(extension["metadata"], json!({ "name": "mcp-policy", "namespace": "istio-system" }));
    assert_eq!((&extension["kind"], &extension["spec"]["phase"]), (&json!("TrafficExtension"), &json!("AUTHZ")));
    assert_eq!(extension["spec"]["selector"], json!({ "matchLabels": { "istio": "ingressgateway" } }));
    assert_eq!(extension["spec"]["wasm"]["pluginConfig"], policy);
    assert_eq!(extension["spec"]["wasm"]["url"], IMAGE);
    let sha256 = "AB".repeat(32);
    let more = ["--target", "Service/mcp", "--kind", "WasmPlugin", "--sha256", &sha256];
    let plugin = resource(&[&common[..], &more].concat());
    assert_eq!(plugin["kind"], "WasmPlugin");
    assert_eq!(plugin["spec"]["targetRefs"], json!([{ "group": "", "kind": "Service", "name": "mcp" }]));
    assert_eq!(plugin["spec"]["pluginConfig"], policy);
    assert_eq!(
        (&plugin["spec"]["pluginName"], &plugin["spec"]["failStrategy"]),
        (&json!("mcp_policy"), &json!("FAIL_RELOAD"))
    );
    assert_eq!(plugin["spec"]["sha256"], sha256.to_lowercase());
}

#[test]
fn envoy_gateway_gets_the_policy_as_it_is() {
    let common = ["export", "envoy-gateway", "--policy", "-", "--target", "HTTPRoute/mcp", "--url"];
    let of_image = resource(&[&common[..], &[IMAGE]].concat());
    let wasm = &of_image["spec"]["wasm"][0];
    assert_eq!(wasm["config"], serde_json::from_str::<Value>(POLICY).unwrap());
    assert_eq!(wasm["code"], json!({ "type": "Image", "image": { "url": "registry.example.com/mcp-policy:0.1.0" } }));
    assert_eq!((&wasm["rootID"], &wasm["failOpen"]), (&json!("mcp_policy"), &json!(false)));
    let target = json!([{ "group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "mcp" }]);
    assert_eq!(of_image["spec"]["targetRefs"], target);
    let of_file = resource(&[&common[..], &["https://example.com/mcp_policy.wasm"]].concat());
    let http = json!({ "type": "HTTP", "http": { "url": "https://example.com/mcp_policy.wasm" } });
    assert_eq!(of_file["spec"]["wasm"][0]["code"], http);
}

#[test]
fn what_the_proxy_cannot_do_is_refused() {
    let hold = r#"{"policies": {"p": {"version": "1", "default": "deny"}}, "routes": [{"policy": "p"}], "request_headers": "hold"}"#;
    for (what, place) in [("istio", "--selector=a=b"), ("envoy-gateway", "--target=Gateway/g")] {
        let ran = mcp_policy(&["export", what, "--policy", "-", "--url", IMAGE, place], hold);
        assert_eq!((ran.status, ran.out.as_str()), (Some(1), ""));
        assert!(ran.said.contains("cannot grant: leave it out"), "{ran:?}");
    }
}

#[test]
fn a_wrong_name_is_a_wrong_command_line() {
    let common = ["export", "envoy-gateway", "--policy", "-", "--url", IMAGE];
    for wrong in
        [&["--target", "Pod/x"][..], &["--target", "Gateway/x y"], &["--target", "Gateway/x", "--name", "A: b"], &[]]
    {
        assert_eq!(mcp_policy(&[&common[..], wrong].concat(), POLICY).status, Some(2), "{wrong:?}");
    }
}
