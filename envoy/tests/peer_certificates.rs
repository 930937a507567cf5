//! Whose call it is: the certificate that a client shows, as in a mesh.
//!
//! A second Envoy stands in for the clients' sidecar: it turns plain HTTP into TLS, with another certificate for each
//! path.

use anyhow::Result;
use envoy::{
    Cluster, Config, Envoy, Route,
    client::Client,
    filters::PolicyFilter,
    lab::{Answers, LabServer},
    tls::{self, Certificate},
    wire,
};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// Signs certificates for as long as one test runs.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate()?;
        Ok(Self { certificate: params.self_signed(&key)?.pem(), issuer: Issuer::new(params, key) })
    }

    fn sign(&self, name: SanType) -> Result<Certificate> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![name];
        // A subject equal to its issuer's would pass for a certificate that signed itself.
        params.distinguished_name = DistinguishedName::new();
        let key = KeyPair::generate()?;
        Ok(Certificate { chain: params.signed_by(&key, &self.issuer)?.pem(), key: key.serialize_pem() })
    }

    fn workload(&self, name: &str) -> Result<Certificate> {
        self.sign(SanType::URI(format!("spiffe://lab.example/ns/agents/sa/{name}").try_into()?))
    }
}

struct Mesh {
    lab: LabServer,
    _policed: Envoy,
    sidecar: Envoy,
}

impl Mesh {
    /// Paths `/ada` and `/grace` reach the policed Envoy with a SPIFFE id each, `/host` with a certificate that has
    /// none, and `/nobody` without a certificate.
    async fn start(identity: Value) -> Result<Self> {
        let lab = LabServer::start(0, Answers::Events).await?;
        let authority = Authority::new()?;
        let server = authority.sign(SanType::DnsName("mcp.lab.example".try_into()?))?;
        let configuration = json!({
            "policies": { "only": {
                "version": "1", "default": "deny",
                "tools": { "get_runs": { "limits": [{ "counter": "reads", "window": "hour", "max": 2 }] } },
            } },
            "routes": [{ "policy": "only" }],
            "identity": identity,
            "request_headers": "hold",
        });
        let policed = Envoy::start(
            &Config::new(lab.address())
                .tls(tls::downstream(&server, &authority.certificate))
                .policy(PolicyFilter::new(configuration)?),
        )
        .await?;
        let mut config = Config::new(policed.address());
        for (name, certificate) in [
            ("ada", Some(authority.workload("ada")?)),
            ("grace", Some(authority.workload("grace")?)),
            ("host", Some(authority.sign(SanType::DnsName("agents.lab.example".try_into()?))?)),
            ("nobody", None),
        ] {
            let socket = tls::upstream(certificate.as_ref(), &authority.certificate);
            config = config
                .route(Route::new(name, &format!("/{name}"), name).with("prefix_rewrite", json!("/mcp")))
                .cluster(Cluster::new(name, policed.address()).tls(socket));
        }
        let sidecar = Envoy::start(&config).await?;
        Ok(Self { lab, _policed: policed, sidecar })
    }

    async fn connect(&self, name: &str) -> Result<Client> {
        Ok(Client::connect(self.sidecar.url(&format!("/{name}"))).await?)
    }
}

fn robot() -> Value {
    json!({ "robot_ip": "10.0.0.7" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_counted_for_each_spiffe_id() -> Result<()> {
    let mesh = Mesh::start(json!({ "grant": [{ "peer_certificate": "uri_san" }] })).await?;
    // What shows no SPIFFE id is one grant more, shared.
    for names in [["ada", "ada"], ["grace", "grace"], ["host", "nobody"]] {
        let (first, second) = (mesh.connect(names[0]).await?, mesh.connect(names[1]).await?);
        assert!(first.call("get_runs", robot()).await?.reached_the_tool(), "{names:?}");
        assert!(second.call("get_runs", robot()).await?.reached_the_tool(), "{names:?}");
        for client in [first, second] {
            assert_eq!(
                client.call("get_runs", robot()).await?.rule(),
                Some("/tools/get_runs/limits/reads"),
                "{names:?}"
            );
        }
    }
    assert_eq!(mesh.lab.times_executed("get_runs"), 6);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_the_required_certificate_is_not_served() -> Result<()> {
    let mesh = Mesh::start(json!({ "grant": [{ "peer_certificate": "uri_san" }], "required": true })).await?;
    for name in ["host", "nobody"] {
        let answer =
            wire::post(mesh.sidecar.url(&format!("/{name}")), &wire::call("get_runs", &robot())).send().await?;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}");
        assert!(answer.headers().contains_key("www-authenticate"), "{name}: {:?}", answer.headers());
    }
    assert_eq!(mesh.lab.executed(), []);
    assert!(mesh.connect("ada").await?.call("get_runs", robot()).await?.reached_the_tool());
    Ok(())
}
