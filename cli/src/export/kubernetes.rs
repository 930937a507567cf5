//! Resources by which Istio and Envoy Gateway add the filter.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, ValueEnum};

use crate::{
    deploy::{Inside, fill, quoted},
    failure::Failure,
};

/// What every such resource says.
#[derive(Debug, Args)]
struct Common {
    /// The policy, or the filter's whole configuration; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Where the proxy fetches the filter from: an image (oci://…) or a file (https://…)
    #[arg(long, value_name = "URL", value_parser = url)]
    url: String,
    /// What the image or file must hash to, in hexadecimal
    #[arg(long, value_name = "SHA256", value_parser = sha256)]
    sha256: Option<String>,
    /// The resource's name
    #[arg(long, default_value = "mcp-policy", value_parser = name)]
    name: String,
    /// The resource's namespace
    #[arg(long, value_parser = name)]
    namespace: Option<String>,
}

/// `mcp-policy export istio`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("where").required(true).args(["selector", "target"])))]
pub(crate) struct Istio {
    #[command(flatten)]
    common: Common,
    /// A label of the gateways or sidecars that get the filter
    #[arg(long, value_name = "LABEL=VALUE", value_parser = label)]
    selector: Vec<(String, String)>,
    /// The Gateway or Service that gets the filter, as KIND/NAME; waypoints need this
    #[arg(long, value_name = "KIND/NAME")]
    target: Option<Target>,
    /// The kind of resource
    #[arg(long, value_enum, default_value_t = Kind::TrafficExtension)]
    kind: Kind,
}

/// `mcp-policy export envoy-gateway`.
#[derive(Debug, Args)]
pub(crate) struct EnvoyGateway {
    #[command(flatten)]
    common: Common,
    /// The Gateway or HTTPRoute that gets the filter, as KIND/NAME
    #[arg(long, value_name = "KIND/NAME")]
    target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
enum Kind {
    /// Istio 1.30 and later
    TrafficExtension,
    /// Istio 1.27 and later
    WasmPlugin,
}

/// A resource that another one is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    group: &'static str,
    kind: String,
    name: String,
}

const GATEWAY_API: &str = "gateway.networking.k8s.io";

const ISTIO: &str = "\
apiVersion: extensions.istio.io/v1alpha1
kind: {{kind}}
metadata:
  name: {{name}}
  {{namespace}}
spec:
  {{where}}
  # After Istio has verified tokens and peers, so that limits count by them.
  phase: AUTHZ
  {{wasm}}
";

const ISTIO_WASM: &str = "\
url: {{url}}
{{sha256}}
pluginName: mcp_policy
# After a trap the filter is loaded anew; until then requests are answered 503, never let through.
failStrategy: FAIL_RELOAD
pluginConfig:
  {{configuration}}
";

const ENVOY_GATEWAY: &str = "\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata:
  name: {{name}}
  {{namespace}}
spec:
  targetRefs:
  {{target}}
  wasm:
  - name: mcp_policy
    rootID: mcp_policy
    # Requests are answered 500 while the filter cannot be loaded, never let through.
    failOpen: false
    code:
      {{code}}
    config:
      {{configuration}}
";

impl Common {
    /// The values that all templates have.
    fn values<'c>(&'c self, namespace: &'c str, configuration: &'c str) -> [(&'static str, &'c str); 3] {
        [("name", &self.name), ("namespace", namespace), ("configuration", configuration)]
    }

    fn namespace(&self) -> String {
        self.namespace.as_ref().map(|namespace| format!("namespace: {namespace}")).unwrap_or_default()
    }

    fn sha256(&self) -> String {
        self.sha256.as_ref().map(|sha256| format!("sha256: {}", quoted(sha256))).unwrap_or_default()
    }
}

impl Istio {
    pub(super) fn render(&self) -> Result<String, Failure> {
        let inside = Inside::read(&self.common.policy)?;
        let (url, sha256) = (quoted(&self.common.url), self.common.sha256());
        let wasm = [("url", url.as_str()), ("sha256", &sha256), ("configuration", inside.for_stream("Istio")?)];
        let wasm = fill(ISTIO_WASM, &wasm);
        // The one kind has under `wasm` what the other has beside it.
        let (kind, wasm) = match self.kind {
            Kind::TrafficExtension => ("TrafficExtension", fill("wasm:\n  {{wasm}}\n", &[("wasm", &wasm)])),
            Kind::WasmPlugin => ("WasmPlugin", wasm),
        };
        let place = match &self.target {
            Some(target) => format!("targetRefs:\n{}", target.reference()),
            None => {
                let labels =
                    self.selector.iter().map(|(label, value)| format!("\n    {}: {}", quoted(label), quoted(value)));
                format!("selector:\n  matchLabels:{}", labels.collect::<String>())
            }
        };
        let namespace = self.common.namespace();
        let values = self.common.values(&namespace, "");
        Ok(fill(ISTIO, &[&values[..], &[("kind", kind), ("where", &place), ("wasm", &wasm)]].concat()))
    }
}

impl EnvoyGateway {
    pub(super) fn render(&self) -> Result<String, Failure> {
        let inside = Inside::read(&self.common.policy)?;
        let (kind, field) = if self.common.url.starts_with("oci://") { ("Image", "image") } else { ("HTTP", "http") };
        // Envoy Gateway takes the image's name without the scheme.
        let url = self.common.url.strip_prefix("oci://").unwrap_or(&self.common.url);
        let code = format!("type: {kind}\n{field}:\n  url: {}\n  {}", quoted(url), self.common.sha256());
        let namespace = self.common.namespace();
        let target = self.target.reference();
        let values = self.common.values(&namespace, inside.for_stream("Envoy Gateway")?);
        Ok(fill(ENVOY_GATEWAY, &[&values[..], &[("target", &target), ("code", &code)]].concat()))
    }
}

impl Target {
    fn reference(&self) -> String {
        let Self { group, kind, name } = self;
        format!("- group: {}\n  kind: {kind}\n  name: {name}", quoted(group))
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, resource) = text.split_once('/').ok_or("it is written KIND/NAME, as Gateway/mcp")?;
        let group = match kind {
            "Gateway" | "HTTPRoute" | "GatewayClass" => GATEWAY_API,
            "Service" => "",
            "ServiceEntry" => "networking.istio.io",
            _ => return Err(format!("`{kind}` is not Gateway, GatewayClass, HTTPRoute, Service or ServiceEntry")),
        };
        Ok(Self { group, kind: kind.to_owned(), name: name(resource)? })
    }
}

/// A name or namespace of Kubernetes (RFC 1123, with dots).
fn name(text: &str) -> Result<String, String> {
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let inner = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
    if text.len() <= 253 && inner && is_end(text.bytes().next()) && is_end(text.bytes().last()) {
        Ok(text.to_owned())
    } else {
        Err("a name is lower case letters, digits, `-` and `.`, at most 253".to_owned())
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((label, value)) if !label.is_empty() => Ok((label.to_owned(), value.to_owned())),
        _ => Err("it is written LABEL=VALUE, as istio=ingressgateway".to_owned()),
    }
}

fn url(text: &str) -> Result<String, String> {
    if ["oci://", "https://", "http://"].iter().any(|scheme| text.starts_with(scheme)) {
        Ok(text.to_owned())
    } else {
        Err("it begins with oci://, https:// or http://".to_owned())
    }
}

fn sha256(text: &str) -> Result<String, String> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("it has 64 hexadecimal digits".to_owned())
    }
}
