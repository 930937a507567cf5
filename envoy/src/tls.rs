//! Mutual TLS as Envoy's configuration spells it. Certificates are PEM, and lie in the configuration itself.

use serde_json::{Value, json};

/// A certificate with its private key.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub chain: String,
    /// Its key.
    pub key: String,
}

/// The listener's `transport_socket`: it shows `own`, and takes clients with a certificate that `authority` signed
/// as well as clients without any.
#[must_use]
pub fn downstream(own: &Certificate, authority: &str) -> Value {
    let mut socket = socket("DownstreamTlsContext", Some(own), authority);
    socket["typed_config"]["require_client_certificate"] = json!(false);
    socket
}

/// A cluster's `transport_socket`: it shows `own`, if any, and expects a server that `authority` signed.
#[must_use]
pub fn upstream(own: Option<&Certificate>, authority: &str) -> Value {
    socket("UpstreamTlsContext", own, authority)
}

fn socket(context: &str, own: Option<&Certificate>, authority: &str) -> Value {
    let certificates: Vec<Value> = own.into_iter().map(certificate).collect();
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": format!("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.{context}"),
            "common_tls_context": {
                "tls_certificates": certificates,
                "validation_context": { "trusted_ca": { "inline_string": authority } },
            },
        },
    })
}

fn certificate(certificate: &Certificate) -> Value {
    json!({
        "certificate_chain": { "inline_string": certificate.chain },
        "private_key": { "inline_string": certificate.key },
    })
}
