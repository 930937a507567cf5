//! Who called, as digests.

use core::net::IpAddr;

use crate::global::{DigestKey, network};
use crate::quota::Principal;

const WHAT: &str = "mcp-policy audit 1";

/// Recorded in the place of a digest where the request said more than one thing, or nothing readable.
pub const UNCLEAR: &str = "unclear";
const ANONYMOUS: &str = "anonymous";

/// Who called, as it is recorded: a digest, `anonymous` or `unclear`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// The credential. `anonymous` where the configuration found none, `unclear` where it found what it could not read.
    pub grant: String,
    /// The session, if the client has one of its own.
    pub session: Option<String>,
    /// The client's address, if Envoy knows it.
    pub client_ip: Option<String>,
}

/// The digest of a grant.
pub fn grant(key: &DigestKey, principal: Principal<'_>) -> String {
    if principal == Principal::Anonymous {
        return ANONYMOUS.to_owned();
    }
    let mut texts = key.texts();
    texts.add(WHAT);
    texts.principal(principal);
    texts.hex()
}

/// The digest of a session, which is one of its grant.
pub fn session(key: &DigestKey, principal: Principal<'_>, id: &str) -> String {
    let mut texts = key.texts();
    texts.add(WHAT);
    texts.add("session");
    texts.principal(principal);
    texts.add(id);
    texts.hex()
}

/// The digest of an address: IPv6 by its /64, as it is counted.
pub fn client_ip(key: &DigestKey, address: IpAddr) -> String {
    let mut texts = key.texts();
    texts.add(WHAT);
    texts.add("client_ip");
    texts.add(&network(address));
    texts.hex()
}
