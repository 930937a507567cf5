//! Dynamic metadata as Envoy serialises it: `envoy.config.core.v3.Metadata` with `google.protobuf.Struct` in it.

use serde_json::{Map, Value, json};

/// The filter that verifies tokens, under whose name it leaves their claims.
pub const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// What `jwt_authn` leaves of a token with these claims under `payload_in_metadata: jwt`: the property `metadata`.
#[must_use]
pub fn jwt(claims: &Value) -> Vec<u8> {
    metadata(&json!({JWT_AUTHN: {"jwt": claims}}))
}

/// The metadata of several filters, an object of objects: the property `metadata`. Anything that is not an object is
/// taken as an empty one.
#[must_use]
pub fn metadata(filters: &Value) -> Vec<u8> {
    entries(filters, fields)
}

/// `google.protobuf.Struct`
fn fields(members: &Value) -> Vec<u8> {
    entries(members, value)
}

/// A map, which is field 1 of its message: entries of key (1) and value (2).
fn entries(members: &Value, encode: impl Fn(&Value) -> Vec<u8>) -> Vec<u8> {
    let none = Map::new();
    let entry =
        |(key, value): (&String, &Value)| bytes(1, &[bytes(1, key.as_bytes()), bytes(2, &encode(value))].concat());
    members.as_object().unwrap_or(&none).iter().flat_map(entry).collect()
}

/// `google.protobuf.Value`
fn value(json: &Value) -> Vec<u8> {
    match json {
        Value::Null => vec![1 << 3, 0],
        // Every number is a double there.
        Value::Number(number) => [&[(2 << 3) | 1][..], &number.as_f64().unwrap_or(f64::NAN).to_le_bytes()].concat(),
        Value::String(text) => bytes(3, text.as_bytes()),
        Value::Bool(flag) => vec![4 << 3, u8::from(*flag)],
        Value::Object(_) => bytes(5, &fields(json)),
        Value::Array(items) => bytes(6, &items.iter().flat_map(|item| bytes(1, &value(item))).collect::<Vec<_>>()),
    }
}

/// A length-delimited field.
fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![(number << 3) | 2];
    let mut length = content.len();
    while length > 0x7f {
        // Seven bits of it, the lowest first.
        out.push(0x80 | u8::try_from(length & 0x7f).unwrap_or_default());
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap_or_default());
    out.extend_from_slice(content);
    out
}
