use super::*;
use crate::json::{Reader, Value};
use proptest::prelude::*;

const STYLE: Style = Style { jsonrpc_error: false, disclose_rule: true, result_type: false };

fn id(json: &str) -> Id {
    let value = Reader::new(json.as_bytes(), 1).unwrap().value().unwrap();
    Id::from_value(&value).unwrap()
}

fn denied(kind: RefusalKind) -> Refusal<'static> {
    Refusal { kind, rule: "/tools/a~1b/limits/x", reason: "No \"runs\"\nnow.".into() }
}

fn parse(message: &[u8]) -> serde_json::Value {
    serde_json::from_slice(message).unwrap()
}

#[test]
fn a_denied_tool_call_is_an_error_result_that_names_the_rule() {
    let reply = refusal(&id("\"x\\n\""), &Target::Tool("t"), &denied(RefusalKind::Denied), None, STYLE);
    assert_eq!(
        parse(&reply),
        serde_json::json!({"jsonrpc": "2.0", "id": "x\n", "result": {
            "content": [{"type": "text", "text": "[POLICY DENIED] No \"runs\"\nnow."}],
            "isError": true, "_meta": {"rule": "/tools/a~1b/limits/x"}}})
    );
}

#[test]
fn a_limited_call_is_told_when_to_try_again() {
    let exhausted = Some(Exhausted { retry: Retry::AfterMs(1_001), remaining: 0, unit: Unit::Calls });
    let reply = parse(&refusal(&id("1"), &Target::Tool("t"), &denied(RefusalKind::Limited), exhausted, STYLE));
    assert_eq!(reply["result"]["_meta"]["retry_after_ms"], 1_001);
    assert_eq!(reply["result"]["_meta"]["remaining"], 0);
    assert!(reply["result"]["content"][0]["text"].as_str().unwrap().ends_with("Try again in 2 s."));
    let style = Style { jsonrpc_error: true, ..STYLE };
    let reply = parse(&refusal(&id("1"), &Target::Tool("t"), &denied(RefusalKind::Limited), exhausted, style));
    assert_eq!((&reply["error"]["code"], &reply["error"]["data"]["retry_after_ms"]), (&429.into(), &1_001.into()));
}

#[test]
fn rules_are_named_only_if_disclosed() {
    let style = Style { disclose_rule: false, ..STYLE };
    let reply = parse(&refusal(&id("1"), &Target::Tool("t"), &denied(RefusalKind::Denied), None, style));
    assert_eq!(reply["result"]["_meta"], serde_json::json!({}));
}

#[test]
fn revision_2026_results_carry_their_type() {
    let style = Style { result_type: true, ..STYLE };
    let reply = parse(&refusal(&id("1"), &Target::Tool("t"), &denied(RefusalKind::Denied), None, style));
    assert_eq!(reply["result"]["resultType"], "complete");
}

#[test]
fn a_refused_prompt_resource_or_method_is_a_jsonrpc_error() {
    for target in [Target::Prompt("p".into()), Target::Resource("u".into()), Target::Method] {
        let reply = parse(&refusal(&id("1"), &target, &denied(RefusalKind::Denied), None, STYLE));
        assert_eq!(
            (&reply["error"]["code"], &reply["error"]["data"]["rule"]),
            (&403.into(), &"/tools/a~1b/limits/x".into())
        );
    }
}

#[test]
fn a_hidden_target_is_unknown_and_only_a_possible_name_is_echoed() {
    let long = "x".repeat(129);
    for (target, code, message) in [
        (Target::Tool("delete_run"), -32602, "Unknown tool: delete_run"),
        (Target::Tool("<script>"), -32602, "Unknown tool"),
        (Target::Tool(&long), -32602, "Unknown tool"),
        (Target::Tool(""), -32602, "Unknown tool"),
        (Target::Prompt("p".into()), -32602, "Unknown prompt: p"),
        (Target::Resource("file:///x".into()), -32002, "Resource not found"),
    ] {
        let reply = parse(&refusal(&id("1"), &target, &denied(RefusalKind::Hidden), None, STYLE));
        assert_eq!(reply["error"], serde_json::json!({"code": code, "message": message}));
    }
}

proptest! {
    #[test]
    fn every_reply_is_json_with_the_request_s_id(key: String, reason: String, rule: String, name: String, kind in 0_usize..4) {
        let text = serde_json::to_string(&key).unwrap();
        let id = id(&text);
        let kind = [RefusalKind::Hidden, RefusalKind::Denied, RefusalKind::ApprovalRequired, RefusalKind::Limited][kind];
        let why = Refusal { kind, rule: &rule, reason: (&*reason).into() };
        for target in [Target::Tool(&name), Target::Prompt(name.as_str().into()), Target::Method] {
            let reply = refusal(&id, &target, &why, Some(Exhausted { retry: Retry::Never, remaining: 3, unit: Unit::Millionths }), STYLE);
            prop_assert_eq!(&parse(&reply)["id"], &serde_json::Value::from(key.clone()));
            let mut reader = Reader::new(&reply, 64).unwrap();
            prop_assert!(matches!(reader.value(), Ok(Value::Object(_))));
        }
    }
}
