//! `mcp-policy export`: what other programs need to work with a policy or configuration.

mod kubernetes;
mod limitador;

use clap::Subcommand;

use crate::{deploy::EnvoyConfig, failure::Outcome, output};

/// What is written, to standard output.
#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// Writes a whole Envoy configuration: a listener, the filter with the policy inside, and the server behind it.
    #[command(after_help = "\
It is what `mcp-policy run` runs. Copy the filter, `mcp_policy.wasm`, to where --filter says.

Examples:
  mcp-policy export envoy --policy policy.json --upstream http://127.0.0.1:9000/mcp > envoy.yaml
  mcp-policy export envoy --policy policy.json --upstream https://mcp.example.com/mcp --listen 0.0.0.0:10000
  envoy --mode validate --config-path envoy.yaml")]
    Envoy(EnvoyConfig),
    /// Writes the resource by which Istio adds the filter, with the policy inside, to gateways or sidecars.
    #[command(after_help = "\
Istio 1.30 and later have TrafficExtension in the place of WasmPlugin; earlier ones know WasmPlugin only. Neither can let
the filter hold the head of a request until its body is judged, so that configurations with \"request_headers\": \"hold\"
are refused here: leave it out, or add the filter by an EnvoyFilter.

Examples:
  mcp-policy export istio --policy policy.json --url oci://registry.example.com/mcp-policy:0.1.0 \\
    --selector istio=ingressgateway --namespace istio-system | kubectl apply -f -
  mcp-policy export istio --policy policy.json --url oci://registry.example.com/mcp-policy:0.1.0 \\
    --target Gateway/mcp --namespace agents --kind WasmPlugin")]
    Istio(kubernetes::Istio),
    /// Writes the resource by which Envoy Gateway adds the filter, with the policy inside, to a Gateway or HTTPRoute.
    #[command(after_help = "\
Envoy Gateway cannot let the filter hold the head of a request until its body is judged, so that configurations with
\"request_headers\": \"hold\" are refused here: leave it out.

Example:
  mcp-policy export envoy-gateway --policy policy.json --url oci://registry.example.com/mcp-policy:0.1.0 \\
    --target HTTPRoute/mcp --namespace agents | kubectl apply -f -")]
    EnvoyGateway(kubernetes::EnvoyGateway),
    /// Writes the limits file that Limitador needs for the limits with `"store": "global"`.
    #[command(after_help = "\
Limitador takes limits from its own file only, so write it anew whenever the policy changes, and load it first.

Examples:
  mcp-policy export limitador configuration.json > limits.yaml
  limitador-server --rate-limit-headers DRAFT_VERSION_03 limits.yaml redis redis://redis:6379")]
    Limitador(limitador::Options),
}

/// Writes to standard output.
pub(crate) fn run(what: &Export) -> Outcome {
    output::print(&match what {
        Export::Envoy(config) => config.render()?,
        Export::Istio(options) => options.render()?,
        Export::EnvoyGateway(options) => options.render()?,
        Export::Limitador(options) => options.render()?,
    })
}
