//! JWTs for tests, signed with a key that everybody may know.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// Who signs them.
pub const ISSUER: &str = "https://tests.example";

const KEY: &[u8] = b"a key for tests only, known to all";

/// The key set that Envoy checks them against.
#[must_use]
pub fn jwks() -> String {
    json!({ "keys": [{ "kty": "oct", "alg": "HS256", "kid": "tests", "k": BASE64URL.encode(KEY) }] }).to_string()
}

/// A token without an end for `subject`, with further `claims`.
#[must_use]
pub fn token(subject: &str, claims: &Value) -> String {
    let mut payload = json!({ "iss": ISSUER, "sub": subject });
    if let (Some(payload), Some(claims)) = (payload.as_object_mut(), claims.as_object()) {
        payload.extend(claims.clone());
    }
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": "tests" });
    let signed = [header, payload].map(|part| BASE64URL.encode(part.to_string())).join(".");
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(KEY) else {
        return signed;
    };
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64URL.encode(mac.finalize().into_bytes()))
}
