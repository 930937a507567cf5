//! The MCP server that stands behind the proxy.

use std::{path::Path, str::FromStr};

use url::{Host, Url};

use super::template::{fill, quoted};

/// An MCP server's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upstream {
    tls: bool,
    host: Host,
    port: u16,
    /// Where it answers, `/mcp` for example.
    pub(crate) path: String,
}

/// How the server's certificate is checked. `{{ca}}` is a file of the machine that Envoy runs on.
const TLS: &str = r#"transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    sni: {{name}}
    common_tls_context:
      validation_context:
        trusted_ca: { filename: {{ca}} }
        match_typed_subject_alt_names:
        - { san_type: {{kind}}, matcher: { exact: {{name}} } }
"#;

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("{error}; a URL is like http://127.0.0.1:9000/mcp"))?;
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(format!("`{other}` is not http or https")),
        };
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err("only scheme, host, port and path are used".to_owned());
        }
        let host = url.host().ok_or("there is no host")?.to_owned();
        let port = url.port_or_known_default().ok_or("there is no port")?;
        Ok(Self { tls, host, port, path: url.path().to_owned() })
    }
}

impl Upstream {
    /// Host and port as HTTP writes them: servers that guard against DNS rebinding want their own.
    pub(super) fn authority(&self) -> String {
        if self.port == if self.tls { 443 } else { 80 } {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Its address, for Envoy's resolver.
    pub(super) fn address(&self) -> String {
        match &self.host {
            Host::Ipv6(address) => address.to_string(),
            host => host.to_string(),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The cluster's `transport_socket`, whose authorities are in this file; nothing without TLS.
    pub(super) fn transport_socket(&self, ca: &Path) -> String {
        if !self.tls {
            return String::new();
        }
        let kind = if matches!(self.host, Host::Domain(_)) { "DNS" } else { "IP_ADDRESS" };
        let (name, ca) = (quoted(&self.address()), quoted(&ca.display().to_string()));
        fill(TLS, &[("name", &name), ("ca", &ca), ("kind", kind)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_the_server_is() {
        let plain: Upstream = "http://127.0.0.1:9000/mcp".parse().unwrap();
        assert_eq!((plain.authority().as_str(), plain.path.as_str()), ("127.0.0.1:9000", "/mcp"));
        assert_eq!(plain.transport_socket(Path::new("/ca.pem")), "");
        let tls: Upstream = "https://mcp.example.com".parse().unwrap();
        assert_eq!((tls.authority().as_str(), tls.port(), tls.path.as_str()), ("mcp.example.com", 443, "/"));
        assert!(tls.transport_socket(Path::new("/ca.pem")).contains(r#"sni: "mcp.example.com""#));
        let v6: Upstream = "http://[::1]:9000/".parse().unwrap();
        assert_eq!((v6.authority().as_str(), v6.address().as_str()), ("[::1]:9000", "::1"));
    }

    #[test]
    fn what_would_be_dropped_is_refused() {
        for wrong in ["mcp.example.com", "ftp://h/", "http://u:p@h/", "http://h/?a", "http://h/#a", "http://"] {
            assert!(Upstream::from_str(wrong).is_err(), "{wrong}");
        }
    }
}
