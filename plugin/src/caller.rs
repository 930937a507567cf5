//! Who calls: read once, when the headers are.

use std::net::{IpAddr, SocketAddr};

use policy::config::{Config, GrantSource};
use policy::decision::{Facts, Header};
use policy::quota::Principal;

use crate::host::{self, Headers};
use crate::metadata::{self, Value};
use crate::runtime::Runtime;

/// The filter that verifies tokens, under whose name it leaves their claims.
const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// The identity that a call is judged and counted under.
#[derive(Debug)]
pub(crate) struct Caller {
    grant: Grant,
    claims: Claims,
    /// Only if some limit counts by it.
    client_ip: Option<IpAddr>,
    /// Nanoseconds since 1970-01-01 UTC: of the head, and then of the body. 0 where nobody looks at it.
    wall_ns: u64,
}

#[derive(Debug)]
enum Grant {
    /// No source of the configuration is present.
    Anonymous,
    /// A source is present, and does not say clearly who calls. A weaker one must not decide then.
    Unreadable,
    Known {
        source: String,
        issuer: String,
        value: String,
    },
}

impl Caller {
    pub(crate) fn read(runtime: &Runtime, headers: &Headers, claims: Claims) -> host::Result<Self> {
        Ok(Self {
            grant: Grant::read(&runtime.config, headers, &claims)?,
            client_ip: if runtime.config.needs.client_ip { client_ip()? } else { None },
            wall_ns: wall_ns(runtime)?,
            claims,
        })
    }

    /// Looks at the clock anew: what follows may come long after the head.
    pub(crate) fn read_clock(&mut self, runtime: &Runtime) -> host::Result<()> {
        self.wall_ns = wall_ns(runtime)?;
        Ok(())
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self.grant, Grant::Anonymous)
    }

    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self.grant, Grant::Unreadable)
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(crate) fn principal(&self) -> Principal<'_> {
        match &self.grant {
            Grant::Known { source, issuer, value } => Principal::Grant { source, issuer, value },
            Grant::Anonymous | Grant::Unreadable => Principal::Anonymous,
        }
    }

    pub(crate) fn client_ip(&self) -> Option<IpAddr> {
        self.client_ip
    }

    pub(crate) fn wall_ms(&self) -> u64 {
        self.wall_ns / 1_000_000
    }

    /// The value of a claim that limits count by, as text.
    pub(crate) fn claim_text(&self, name: &str) -> Option<String> {
        self.claims.get(name).and_then(|value| Some(String::from_utf8_lossy(&value.to_json()?).into_owned()))
    }
}

fn wall_ns(runtime: &Runtime) -> host::Result<u64> {
    if runtime.config.needs.wall_time { host::wall_ns() } else { Ok(0) }
}

impl Grant {
    fn read(config: &Config, headers: &Headers, claims: &Claims) -> host::Result<Self> {
        for source in &config.identity.grant {
            let found = match source {
                GrantSource::JwtClaim { claim, payload_in_metadata } => {
                    let payload = metadata::find(&claims.metadata, &[JWT_AUTHN, payload_in_metadata]);
                    payload.and_then(|payload| {
                        let issuer = payload.at(&["iss"]).and_then(|value| value.as_str()).unwrap_or_default();
                        let value = payload.at(&[claim]).map(|value| value.as_str());
                        Self::known(|| format!("jwt_claim:{claim}"), issuer, value)
                    })
                }
                GrantSource::Metadata { path } => {
                    let path: Vec<&str> = path.iter().map(|part| &**part).collect();
                    let value = metadata::find(&claims.metadata, &path).map(|value| value.as_str());
                    Self::known(|| format!("metadata:{}", path.join("/")), "", value)
                }
                GrantSource::Header(name) => match headers.once(name) {
                    Header::Absent => None,
                    Header::Once(value) => Self::known(|| format!("header:{name}"), "", Some(Some(&value))),
                    Header::Unclear => Some(Self::Unreadable),
                },
                GrantSource::FilterState(key) => {
                    Self::attribute(&["filter_state", key], || format!("filter_state:{key}"))?
                }
                GrantSource::PeerCertificate(part) => {
                    let attribute = part.attribute();
                    Self::attribute(&["connection", attribute], || format!("peer_certificate:{attribute}"))?
                }
            };
            if let Some(grant) = found {
                return Ok(grant);
            }
        }
        Ok(Self::Anonymous)
    }

    fn attribute(path: &[&str], source: impl FnOnce() -> String) -> host::Result<Option<Self>> {
        // Envoy answers an attribute that a connection lacks with nothing or with an empty text.
        let value = host::property(path)?.filter(|value| !value.is_empty());
        Ok(Self::known(source, "", value.as_deref().map(|value| core::str::from_utf8(value).ok())))
    }

    /// `value` is none if the source is absent, and holds none if it is there but is not a text.
    fn known(source: impl FnOnce() -> String, issuer: &str, value: Option<Option<&str>>) -> Option<Self> {
        Some(match value? {
            Some(value) if !value.is_empty() => {
                Self::Known { source: source(), issuer: issuer.to_owned(), value: value.to_owned() }
            }
            _ => Self::Unreadable,
        })
    }
}

/// The claims of the caller's verified token.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// All dynamic metadata of the request, encoded. Empty if no rule and no identity source looks at it.
    metadata: Vec<u8>,
    /// Under which key jwt_authn left the token's payload.
    payload: String,
}

impl Claims {
    pub(crate) fn read(runtime: &Runtime) -> host::Result<Self> {
        if !runtime.config.needs.metadata {
            return Ok(Self::default());
        }
        let metadata = host::property(&["metadata"])?.unwrap_or_default();
        let identity = &runtime.config.identity;
        let payloads = identity.grant.iter().filter_map(|source| match source {
            GrantSource::JwtClaim { payload_in_metadata, .. } => Some(payload_in_metadata),
            _ => None,
        });
        // Providers that write under keys of their own verify a token each: the claims are those of the first source
        // that is present, as the grant is.
        let mut present = payloads.filter(|payload| metadata::find(&metadata, &[JWT_AUTHN, payload]).is_some());
        let payload = present.next().unwrap_or(&identity.payload_in_metadata).to_string();
        Ok(Self { metadata, payload })
    }

    pub(crate) fn get(&self, name: &str) -> Option<Value<'_>> {
        metadata::find(&self.metadata, &[JWT_AUTHN, &self.payload, name])
    }
}

/// The address of the client, as Envoy trusts it (`X-Forwarded-For` counts as far as the listener says).
fn client_ip() -> host::Result<Option<IpAddr>> {
    let address = host::property(&["source", "address"])?.unwrap_or_default();
    let address = core::str::from_utf8(&address).unwrap_or_default();
    Ok(address.parse::<SocketAddr>().map(|address| address.ip()).ok().or_else(|| address.parse().ok()))
}

/// The facts of one request, for the policy's conditions.
pub(crate) struct RequestFacts<'a> {
    caller: &'a Caller,
    headers: &'a Headers,
    /// The claims that some condition looks at, as JSON.
    claims: Vec<(String, Vec<u8>)>,
}

impl<'a> RequestFacts<'a> {
    pub(crate) fn new(runtime: &Runtime, caller: &'a Caller, headers: &'a Headers) -> Self {
        let json = |name: &String| {
            // What is not JSON reads as an empty text, which makes every condition on it wrong.
            caller.claims.get(name).map(|value| (name.clone(), value.to_json().unwrap_or_default()))
        };
        Self { caller, headers, claims: runtime.config.needs.claims.iter().filter_map(json).collect() }
    }
}

impl Facts for RequestFacts<'_> {
    fn grant(&self) -> Option<&str> {
        match &self.caller.grant {
            Grant::Known { value, .. } => Some(value),
            Grant::Anonymous | Grant::Unreadable => None,
        }
    }

    fn claim(&self, name: &str) -> Option<&[u8]> {
        self.claims.iter().find(|(key, _)| key == name).map(|(_, json)| json.as_slice())
    }

    fn header(&self, name: &str) -> Header<'_> {
        self.headers.once(name)
    }

    fn unix_seconds(&self) -> u64 {
        self.caller.wall_ns / 1_000_000_000
    }
}
