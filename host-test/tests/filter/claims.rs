//! Dynamic metadata as Envoy serialises it: `envoy.config.core.v3.Metadata` with `google.protobuf.Struct` in it.

use serde_json::{Map, Value, json};

/// What jwt_authn leaves of a token with these claims under `payload_in_metadata: jwt`.
pub(crate) fn jwt(claims: Value) -> Vec<u8> {
    metadata(&json!({"envoy.filters.http.jwt_authn": {"jwt": claims}}))
}

/// The metadata of several filters: an object of objects.
pub(crate) fn metadata(filters: &Value) -> Vec<u8> {
    entries(filters.as_object().expect("filters"), |value| fields(value.as_object().expect("a filter's metadata")))
}

/// `google.protobuf.Struct`
fn fields(members: &Map<String, Value>) -> Vec<u8> {
    entries(members, value)
}

/// A map, which is field 1 of its message: entries of key (1) and value (2).
fn entries(members: &Map<String, Value>, encode: impl Fn(&Value) -> Vec<u8>) -> Vec<u8> {
    let entry =
        |(key, value): (&String, &Value)| bytes(1, &[bytes(1, key.as_bytes()), bytes(2, &encode(value))].concat());
    members.iter().flat_map(entry).collect()
}

/// `google.protobuf.Value`
fn value(json: &Value) -> Vec<u8> {
    match json {
        Value::Null => vec![1 << 3, 0],
        Value::Number(number) => [&[(2 << 3) | 1][..], &number.as_f64().expect("a double").to_le_bytes()].concat(),
        Value::String(text) => bytes(3, text.as_bytes()),
        Value::Bool(flag) => vec![4 << 3, u8::from(*flag)],
        Value::Object(members) => bytes(5, &fields(members)),
        Value::Array(items) => bytes(6, &items.iter().flat_map(|item| bytes(1, &value(item))).collect::<Vec<_>>()),
    }
}

/// A length-delimited field.
fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![(number << 3) | 2];
    let mut length = content.len();
    while length > 0x7f {
        out.push(0x80 | u8::try_from(length & 0x7f).expect("seven bits"));
        length >>= 7;
    }
    out.push(u8::try_from(length).expect("seven bits"));
    [out, content.to_vec()].concat()
}
