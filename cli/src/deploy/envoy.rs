//! A whole Envoy in front of one MCP server.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Inside, fill, quoted, upstream::Upstream};
use crate::failure::Failure;

/// Where Envoy looks for the filter unless it is said.
const MODULE: &str = "/etc/envoy/mcp_policy.wasm";

/// Where its administration page is unless it is said.
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9901);

/// Where systems keep the certificate authorities that they trust: Debian and its kin, Red Hat's, Alpine and BSD.
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

const TEMPLATE: &str = include_str!("envoy.yaml");

/// What the configuration is made from.
#[derive(Debug, Clone, Args)]
pub(crate) struct EnvoyConfig {
    /// The policy, or the filter's whole configuration; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// The MCP server that stands behind
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: Upstream,
    /// Where clients connect to
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:10000")]
    pub(crate) listen: SocketAddr,
    /// Where Envoy finds the filter, mcp_policy.wasm [default: /etc/envoy/mcp_policy.wasm in an export; beside this program in a run]
    #[arg(long, value_name = "FILE")]
    pub(crate) filter: Option<PathBuf>,
    /// Where Envoy finds the certificate authorities that an https server must have its certificate of [default: the system's]
    #[arg(long, value_name = "FILE")]
    pub(crate) upstream_ca: Option<PathBuf>,
    /// Envoy's administration page, which anybody who reaches it may use to stop it [default: 127.0.0.1:9901 in an export; any free port in a run]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin: Option<SocketAddr>,
}

impl EnvoyConfig {
    /// Envoy's bootstrap, as YAML.
    ///
    /// # Errors
    /// If the policy cannot be read, or does not check.
    pub(crate) fn render(&self) -> Result<String, Failure> {
        let inside = Inside::read(&self.policy)?;
        let admin = self.admin.unwrap_or(ADMIN);
        let config = inside.config();
        // A configuration may name Envoy's route or cluster: there is one of each, so they can have these names.
        let route = config.routes.iter().find_map(|route| route.route.as_deref()).unwrap_or("mcp");
        let cluster = config.routes.iter().find_map(|route| route.cluster.as_deref()).unwrap_or("mcp");
        Ok(fill(
            TEMPLATE,
            &[
                ("admin_address", &quoted(&admin.ip().to_string())),
                ("admin_port", &admin.port().to_string()),
                ("address", &quoted(&self.listen.ip().to_string())),
                ("port", &self.listen.port().to_string()),
                ("route", &quoted(route)),
                ("cluster", &quoted(cluster)),
                ("host", &quoted(&self.upstream.authority())),
                ("module", &quoted(&path(self.filter.as_deref().unwrap_or(Path::new(MODULE))))),
                ("upstream_address", &quoted(&self.upstream.address())),
                ("upstream_port", &self.upstream.port().to_string()),
                ("transport_socket", &self.upstream.transport_socket(&self.authorities())),
                ("configuration", &inside.for_hold()),
            ],
        ))
    }
}

impl EnvoyConfig {
    /// The file that is named, or the first of the usual ones that this machine has.
    fn authorities(&self) -> PathBuf {
        let [first, ..] = AUTHORITIES;
        let usual = || AUTHORITIES.iter().find(|file| Path::new(file).is_file()).unwrap_or(&first).into();
        self.upstream_ca.clone().unwrap_or_else(usual)
    }
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
