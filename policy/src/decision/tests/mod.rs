//! The order of evaluation, and each step of it.

mod conditions;
mod effort;
mod listings;
mod order;
mod schemas;

use super::*;
use crate::message::{Message, read};

/// Facts from a table. Saturday 2026-11-21, 14:30 UTC.
struct Table {
    grant: Option<&'static str>,
    claims: Vec<(&'static str, &'static str)>,
    headers: Vec<(&'static str, &'static str)>,
}

const FACTS: Table = Table { grant: Some("ci-robot"), claims: vec![], headers: vec![] };

impl Facts for Table {
    fn grant(&self) -> Option<&str> {
        self.grant
    }

    fn claim(&self, name: &str) -> Option<&[u8]> {
        self.claims.iter().find(|(key, _)| *key == name).map(|(_, json)| json.as_bytes())
    }

    fn header(&self, name: &str) -> Header<'_> {
        let values: Vec<_> = self.headers.iter().filter(|(key, _)| *key == name).collect();
        match values.as_slice() {
            [] => Header::Absent,
            [(_, value)] => Header::Once((*value).into()),
            _ => Header::Unclear,
        }
    }

    fn unix_seconds(&self) -> u64 {
        1_795_271_400
    }
}

fn policy(text: &str) -> Policy {
    crate::document::load(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What the policy says of a message, in one line.
fn outcome_of(policy: &Policy, message: &str, facts: &dyn Facts) -> String {
    let (Message::Request { method, params, .. } | Message::Notification { method, params }) =
        read(message.as_bytes(), 64).unwrap()
    else {
        panic!("a response is not judged");
    };
    let takings = |takings: Takings<'_>| {
        takings.iter().map(|taking| format!(" {}+{}", taking.limit.pointer, taking.amount)).collect::<String>()
    };
    match judge(policy, &method, &params, None, facts, &Effort::default()) {
        Decision::Allow(taken) => format!("allow{}", takings(taken)),
        Decision::Approve(refusal, taken) => format!("approve {} {}{}", refusal.rule, refusal.reason, takings(taken)),
        Decision::Refuse(Refusal { kind: RefusalKind::Hidden, rule, .. }) => format!("hidden {rule}"),
        Decision::Refuse(refusal) => format!("deny {} {}", refusal.rule, refusal.reason),
    }
}

fn call(tool: &str, arguments: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#)
}

fn request(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}
