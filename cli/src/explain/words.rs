//! Conditions in the words of the policy.

use policy::document::condition::{Scalar, Test};
use serde_json::{Value, json};

/// The `op` and `value` of a condition.
pub(super) fn of(test: &Test) -> (&'static str, Option<Value>) {
    let (op, value) = match test {
        Test::Exists => return ("exists", None),
        Test::Eq(value) => ("eq", scalar(value)),
        Test::Neq(value) => ("neq", scalar(value)),
        Test::In(values) => ("in", values.iter().map(scalar).collect()),
        Test::NotIn(values) => ("not_in", values.iter().map(scalar).collect()),
        Test::Lt(bound) => ("lt", number(*bound)),
        Test::Lte(bound) => ("lte", number(*bound)),
        Test::Gt(bound) => ("gt", number(*bound)),
        Test::Gte(bound) => ("gte", number(*bound)),
        Test::Regex(regex) => ("regex", regex.as_str().into()),
        Test::Contains(value) => ("contains", scalar(value)),
        Test::StartsWith(text) => ("starts_with", (**text).into()),
        Test::EndsWith(text) => ("ends_with", (**text).into()),
        Test::Cidr(networks) => match networks.as_slice() {
            [network] => ("cidr", network.to_string().into()),
            networks => ("cidr", networks.iter().map(ToString::to_string).collect()),
        },
        Test::LengthLte(bound) => ("length_lte", json!(bound)),
        Test::LengthGte(bound) => ("length_gte", json!(bound)),
    };
    (op, Some(value))
}

fn scalar(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => (*value).into(),
        Scalar::Number(value) => number(*value),
        Scalar::String(text) => (**text).into(),
    }
}

/// A whole number without a point, as policies write it.
pub(super) fn number(value: f64) -> Value {
    let text = value.to_string();
    text.parse().map_or_else(|_| json!(value), |number: serde_json::Number| number.into())
}
