//! Claims, as Envoy hands them to the filter.

use host_test::metadata as wire;
use serde_json::Value;

/// What jwt_authn leaves of a token with these claims under `payload_in_metadata: jwt`.
pub(crate) fn jwt(claims: Value) -> Vec<u8> {
    wire::jwt(&claims)
}

/// The metadata of several filters: an object of objects.
pub(crate) fn metadata(filters: &Value) -> Vec<u8> {
    wire::metadata(filters)
}
