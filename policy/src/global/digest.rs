//! Whose count it is, without saying who it is.

use core::fmt;
use core::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::quota::{Charge, Principal, ScopeValue};

/// The key that scope values, and those who call, are digested with. Every Envoy of a fleet has the same one.
///
/// Counters of a service, its logs and its metrics show whose count they are: a grant (which may be an API key from a
/// header), a session, an address. They are told only a digest: HMAC-SHA256 over what the count belongs to, its first 128
/// bits, in lower-case hexadecimal. Without the key nobody can tell by trying which grant a digest belongs to. Two
/// counters give one grant different digests.
///
/// What is digested is a list of texts, each with its length in four bytes (big-endian) before it: `mcp-policy counter 1`,
/// the policy, the counter, the descriptor's `scope`, and then
/// - for `grant` and `session`: `grant`, source, issuer and value; or `anonymous`;
/// - for `session`, `client_ip`, `claim:NAME` and `header:NAME`: `value` and the value; or `none`.
///
/// Addresses are written as RFC 5952 says, IPv6 by its /64 (`2001:db8:1:2::`), an IPv4-mapped one as IPv4.
#[derive(Clone)]
pub struct DigestKey(Hmac<Sha256>);

/// The digest's own version: another one would be another counter.
const WHAT: &str = "mcp-policy counter 1";
/// 128 bits: that two of a billion values meet has odds of one in 10^20.
const BYTES: usize = 16;

impl DigestKey {
    /// The fewest characters of a key.
    pub const SHORTEST: usize = 32;
    /// The most.
    pub const LONGEST: usize = 256;

    /// Takes a text of 32 to 256 characters, as bytes of UTF-8. `None` if it is shorter or longer.
    pub fn new(text: &str) -> Option<Self> {
        let fits = (Self::SHORTEST..=Self::LONGEST).contains(&text.chars().count());
        // HMAC takes keys of every length.
        let keyed = fits.then(|| Hmac::new_from_slice(text.as_bytes()).ok())?;
        keyed.map(Self)
    }

    pub(super) fn digest(&self, principal: Principal<'_>, charge: &Charge<'_>) -> String {
        let mut texts = self.texts();
        texts.add(WHAT);
        texts.add(charge.counter.policy);
        texts.add(charge.counter.counter);
        texts.add(&scope(charge.scope));
        match charge.scope {
            ScopeValue::Grant => texts.principal(principal),
            ScopeValue::Session(id) => {
                texts.principal(principal);
                texts.value(id);
            }
            ScopeValue::ClientIp(address) => texts.value(address.map(network).as_deref()),
            ScopeValue::Claim { value, .. } | ScopeValue::Header { value, .. } => texts.value(value),
            ScopeValue::Global => {}
        }
        texts.hex()
    }

    /// A list of texts to digest, empty as yet.
    pub(crate) fn texts(&self) -> Texts {
        Texts(self.0.clone())
    }
}

/// Does not show the key.
impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey")
    }
}

/// The descriptor's `scope`, as a policy writes it.
pub(super) fn scope(scope: ScopeValue<'_>) -> String {
    match scope {
        ScopeValue::Grant => "grant".to_owned(),
        ScopeValue::Session(_) => "session".to_owned(),
        ScopeValue::ClientIp(_) => "client_ip".to_owned(),
        ScopeValue::Global => "global".to_owned(),
        ScopeValue::Claim { name, .. } => format!("claim:{name}"),
        ScopeValue::Header { name, .. } => format!("header:{name}"),
    }
}

/// The address, or the /64 that an IPv6 address is in: a client has all of that to choose from.
pub(crate) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            core::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    }
}

/// A list of texts that no other list is digested like.
pub(crate) struct Texts(Hmac<Sha256>);

impl Texts {
    pub(crate) fn add(&mut self, text: &str) {
        // INVARIANT: no text of a request or of a configuration is that long.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.0.update(&length.to_be_bytes());
        self.0.update(text.as_bytes());
    }

    pub(crate) fn principal(&mut self, principal: Principal<'_>) {
        match principal {
            Principal::Grant { source, issuer, value } => {
                ["grant", source, issuer, value].into_iter().for_each(|text| self.add(text));
            }
            Principal::Anonymous => self.add("anonymous"),
        }
    }

    /// The digest, in hexadecimal.
    pub(crate) fn hex(self) -> String {
        let mut hex = String::with_capacity(2 * BYTES);
        for byte in self.0.finalize().into_bytes().iter().take(BYTES) {
            for digit in [byte >> 4, byte & 0xf] {
                hex.extend(char::from_digit(digit.into(), 16));
            }
        }
        hex
    }

    fn value(&mut self, value: Option<&str>) {
        match value {
            Some(value) => {
                self.add("value");
                self.add(value);
            }
            None => self.add("none"),
        }
    }
}
