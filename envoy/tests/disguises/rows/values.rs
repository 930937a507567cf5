//! What servers make of a value that has not the type they want.

use envoy::servers::Kind::{self, Python1, TypeScript1};

use super::Row;
use crate::request::Request;

/// An amount above 100 is not allowed, whatever it is written as.
fn amount(what: &str, control: Option<Kind>, arguments: &str) -> Row {
    let template = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"ALLOWED","arguments":{{"WORD":"GOOD",{arguments}}}}}}}"#
    );
    Row {
        kind: "values that servers convert",
        what: what.into(),
        control,
        make: Box::new(move |words| Request::post(words.fill(&template))),
    }
}

pub(super) fn rows() -> Vec<Row> {
    [
        ("a string", Python1, r#""amount":"101""#),
        ("a string with a fraction", Python1, r#""amount":"101.0""#),
        ("a string with white space", Python1, r#""amount":" 101\n""#),
        ("a string with a sign", Python1, r#""amount":"+101""#),
        ("a string with an underscore", Python1, r#""amount":"1_01""#),
        ("a hexadecimal string", TypeScript1, r#""amount":"0x65""#),
        ("a string with an exponent", TypeScript1, r#""amount":"1e3""#),
        ("a list", TypeScript1, r#""amount":[101]"#),
        ("a list of strings", TypeScript1, r#""amount":["101"]"#),
        ("a number with a fraction", Python1, r#""amount":101.0"#),
        ("a number with an exponent", Python1, r#""amount":1.01e2"#),
        ("a number between two doubles", Python1, r#""amount":100.00000000000000000001e1"#),
        ("an object in a string", Python1, r#""options":"{\"amount\":101}""#),
        ("an object in a string, with white space", Python1, r#""options":" {\"amount\": 101} ""#),
        ("an object", Python1, r#""options":{"amount":101}"#),
    ]
    .into_iter()
    .map(|(what, control, arguments)| amount(what, Some(control), arguments))
    .collect()
}

pub(super) fn unseen() -> Vec<Row> {
    [
        ("__proto__", r#""__proto__":{"amount":101}"#),
        ("__proto__ of an option", r#""options":{"__proto__":{"amount":101}}"#),
        ("digits of another script", r#""amount":"１０１""#),
        ("a key with dots", r#""options.amount":101"#),
        ("an escaped underscore", r#""_\u005fproto__":{"amount":101}"#),
    ]
    .into_iter()
    .map(|(what, arguments)| amount(what, None, arguments))
    .collect()
}
