//! What servers ask of clients: requests, notifications, results and errors.

use super::{Lab, Quiet};
use crate::json::Problem;
use crate::listing::{Filtered, Kind, Reason, Shown, Unreadable, filter_message};

fn filtered(text: &str) -> Result<String, Unreadable> {
    Ok(match filter_message(text.as_bytes(), 16, &Quiet)? {
        Filtered::Unchanged => text.to_owned(),
        Filtered::Changed(bytes) => String::from_utf8(bytes).unwrap(),
    })
}

fn reason(text: &str) -> Reason {
    filter_message(text.as_bytes(), 16, &Quiet).expect_err(text).reason
}

const ASKS: &str = r#"{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{"message":"password?"}}"#;
const LISTS: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#;

#[test]
fn a_denied_request_or_notification_does_not_pass() {
    for text in [
        ASKS,
        r#"{"jsonrpc":"2.0","method":"denied/notification"}"#,
        r#"{"params":{},"method":"denied/x"}"#,
        r#"{"m\u0065thod":"elicitation\/cre\u0061te"}"#,
        &format!("[{ASKS}]"),
        &format!("[ {ASKS} ,{ASKS}]"),
    ] {
        assert_eq!(reason(text), Reason::DeniedRequest, "{text}");
    }
}

#[test]
fn other_requests_notifications_and_responses_pass() {
    for text in [
        r#"{"id":1,"method":"sampling/createMessage","params":{"method":"elicitation/create"}}"#,
        r#"{"id":1,"method":"roots/list"}"#,
        r#"{"method":"notifications/message","params":{"data":{"method":"elicitation/create"}}}"#,
        r#"{"method":"Elicitation/create"}"#,
        r#"{"id":1,"result":{"content":[{"type":"text","text":"{\"method\":\"elicitation/create\"}"}]}}"#,
        r#"{"id":1,"result":{"structuredContent":{"method":"elicitation/create","inputRequests":{"a":{"method":"denied/x"}}}}}"#,
        r#"{"id":1,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"}},"requestState":"s"}}"#,
        r#"{"id":1,"result":{"resultType":"input_required","inputRequests":null,"requestState":"s"}}"#,
        r#"{"id":1,"error":{"code":-32041,"message":"","data":{"elicitations":[]}}}"#,
        r#"{"id":1,"error":null}"#,
        r#"{"id":1,"result":{"status":"completed","result":{"content":[]},"error":"none"}}"#,
        "[]",
    ] {
        assert_eq!(filter_message(text.as_bytes(), 16, &Quiet), Ok(Filtered::Unchanged), "{text}");
    }
}

#[test]
fn a_denied_request_is_taken_out_of_a_batch_that_goes_on() {
    let hidden = r#"{"id":1,"result":{"tools":[{"name":"hidden"},{"name":"a"}]}}"#;
    let shown = r#"{"id":1,"result":{"tools":[{"name":"a"}]}}"#;
    for (before, after) in [
        (format!("[{ASKS},{LISTS}]"), format!("[{LISTS}]")),
        (format!("[ {ASKS} , {ASKS},\n {LISTS} , {ASKS} ]"), format!("[\n {LISTS} ]")),
        (format!("[{LISTS},{ASKS},{LISTS}]"), format!("[{LISTS},{LISTS}]")),
        (format!("[{ASKS},{hidden},{ASKS},{hidden}]"), format!("[{shown},{shown}]")),
        (format!("[{ASKS},1]"), "[1]".to_owned()),
    ] {
        assert_eq!(filtered(&before).unwrap(), after, "{before}");
    }
}

#[test]
fn a_response_that_asks_for_a_denied_method_is_unreadable_as_a_whole() {
    let input = r#""inputRequests":{"a":{"method":"roots/list"},"b":{"params":{},"method":"elicitation/create"}}"#;
    for text in [
        format!(r#"{{"id":1,"result":{{"resultType":"input_required",{input}}}}}"#),
        // Whatever the type says.
        format!(r#"{{"id":1,"result":{{{input},"resultType":"complete"}}}}"#),
        // A task, as `tasks/get` answers it.
        format!(r#"{{"id":1,"result":{{"taskId":"t","status":"input_required",{input}}}}}"#),
        format!(r#"{{"id":1,"result":{{"taskId":"t","status":"completed","result":{{{input}}}}}}}"#),
        r#"{"id":1,"result":{"taskId":"t","status":"failed","error":{"code":-32042}}}"#.to_owned(),
        r#"{"id":1,"error":{"code":-32042,"message":"","data":{"elicitations":[{"mode":"url"}]}}}"#.to_owned(),
        r#"{"id":1,"error":{"data":{},"code":-3.2042e4}}"#.to_owned(),
        r#"{"id":1,"error":{"code":"-32042"}}"#.to_owned(),
        // Some clients take these for responses.
        r#"{"id":1,"method":"elicitation/create","result":{}}"#.to_owned(),
        r#"{"id":1,"error":{"code":1},"method":"denied/x"}"#.to_owned(),
    ] {
        assert_eq!(reason(&text), Reason::DeniedInput, "{text}");
        assert_eq!(reason(&format!("[{LISTS},{text}]")), Reason::DeniedInput, "{text}");
        assert_eq!(filter_message(text.as_bytes(), 16, &Lab), Ok(Filtered::Unchanged), "{text}");
    }
}

#[test]
fn a_task_that_asks_by_a_notification_does_not_pass() {
    for text in [
        r#"{"method":"notifications/tasks","params":{"status":"input_required","inputRequests":{"a":{"method":"denied/x"}}}}"#,
        r#"{"method":"notifications/tasks","params":{"result":{"inputRequests":{"a":{"method":"denied/x"}}}}}"#,
        r#"{"method":"notifications/tasks","params":{"error":{"code":-32042}}}"#,
    ] {
        assert_eq!(reason(text), Reason::DeniedRequest, "{text}");
    }
}

#[test]
fn what_a_client_may_take_for_a_request_is_unreadable() {
    for (text, expected) in [
        (r#"{"Method":"roots/list"}"#, Reason::LookalikeKey("method")),
        (r#"{"method\u0000":"roots/list"}"#, Reason::LookalikeKey("method")),
        (r#"{"method":1}"#, Reason::NotAString("method")),
        (r#"{"method":null,"result":{}}"#, Reason::NotAString("method")),
        (r#"{"method":"a","method":"denied/x"}"#, Reason::Syntax(Problem::DuplicateKey)),
        (r#"{"Error":{"code":-32042}}"#, Reason::LookalikeKey("error")),
        (r#"{"error":{"Code":-32042}}"#, Reason::LookalikeKey("code")),
        (r#"{"method":"a","Params":{}}"#, Reason::LookalikeKey("params")),
        (r#"{"result":{"InputRequests":{}}}"#, Reason::LookalikeKey("inputRequests")),
        (r#"{"method":"a","params":{"inputrequests":{}}}"#, Reason::LookalikeKey("inputRequests")),
        (r#"{"result":{"inputRequests":[]}}"#, Reason::NotAnObject("inputRequests")),
        (r#"{"result":{"inputRequests":{"a":[]}}}"#, Reason::NotAnObject("inputRequests")),
        (r#"{"result":{"inputRequests":{"a":{}}}}"#, Reason::Missing("method")),
        (r#"{"result":{"inputRequests":{"a":{"method":1}}}}"#, Reason::NotAString("method")),
        (r#"{"result":{"inputRequests":{"a":{"METHOD":"x"}}}}"#, Reason::LookalikeKey("method")),
    ] {
        assert_eq!(reason(text), expected, "{text}");
        // As ever, where no rule is about methods.
        if !matches!(expected, Reason::Syntax(_)) {
            assert_eq!(filter_message(text.as_bytes(), 16, &Lab), Ok(Filtered::Unchanged), "{text}");
        }
    }
}

#[test]
fn sloppy_json_passes_only_if_no_reading_of_it_finds_a_denied_method() {
    for text in [
        r#"{"method":"elicitation/create","x":"\ud800"}"#,
        r#"{"METHOD" : "elicitation/create","x":NaN}"#,
        r#"{"m\u0065thod":"elicitation\u002fcreate","x":NaN}"#,
        r#"{"method":"roots/list","x":NaN,"method":"denied/x"}"#,
        r#"{"method"/**/:"roots/list"}"#,
        r#"{"method":'denied/x'}"#,
        "{\"method\":\"elicitation/\u{200b}create\",}",
        r#"{"result":{"inputRequests":{"a":{"method":"denied/x"}}},"x":"\udc00"}"#,
        r#"{"error":{"code":-32042,"data":{"elicitations":[NaN]}}}"#,
    ] {
        assert!(filter_message(text.as_bytes(), 16, &Quiet).is_err(), "{text}");
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(!text.is_ascii() || filter_message(&utf16, 16, &Quiet).is_err(), "{text} in UTF-16");
    }
    for text in [
        r#"{"method":"roots/list","x":"\ud800"}"#,
        r#"{"id":1,"result":{"content":[{"text":"cut: \ud83d {\"method\":\"elicitation/create\"}"}]}}"#,
        r#"{"id":1,"result":{"structuredContent":{"loss":NaN,"method":null,"names":["method"]}}}"#,
        r#"{"id":1,"result":{"loss":NaN,"text":"elicitation/create"}}"#,
    ] {
        assert_eq!(filter_message(text.as_bytes(), 16, &Quiet), Ok(Filtered::Unchanged), "{text}");
    }
}

/// Denies methods and shows every entry.
struct MethodsOnly;

impl Shown for MethodsOnly {
    fn shows(&self, _: Kind, _: &str) -> bool {
        panic!("nobody asked")
    }

    fn passes_method(&self, method: &str) -> bool {
        Quiet.passes_method(method)
    }

    fn judges_methods(&self) -> bool {
        true
    }

    fn judges_listings(&self) -> bool {
        false
    }
}

#[test]
fn listings_need_not_be_readable_where_nothing_is_hidden() {
    for text in [
        r#"{"id":1,"result":{"tools":{"a":1}}}"#,
        r#"{"id":1,"result":{"Tools":[]}}"#,
        r#"{"id":1,"result":{"tools":[{"name":"hidden"}]}}"#,
        r#"{"id":1,"result":{"tools":[{"name":"\ud800"}]}}"#,
    ] {
        assert_eq!(filter_message(text.as_bytes(), 16, &MethodsOnly), Ok(Filtered::Unchanged), "{text}");
    }
    assert!(filter_message(ASKS.as_bytes(), 16, &MethodsOnly).is_err());
}

#[test]
fn a_client_that_folds_keys_finds_nothing_denied_in_a_task() {
    for text in [
        r#"{"id":1,"result":{"reSult":{"inputRequests":{"k":{"method":"denied/x"}}}}}"#,
        r#"{"id":1,"result":{"ERROR":{"code":-32042,"data":{"elicitations":[]}}}}"#,
        r#"{"method":"notifications/tasks","params":{"Re\u017fult":{"inputRequests":{"k":{"method":"denied/x"}}}}}"#,
        r#"{"method":"notifications/tasks","params":{"Error":{"code":-32042}}}"#,
    ] {
        assert!(filter_message(text.as_bytes(), 16, &Quiet).is_err(), "{text}");
    }
    // Members of the server's own, which only look alike.
    let text = r#"{"id":1,"result":{"Error":"none","Result":{"loss":1}}}"#;
    assert_eq!(filter_message(text.as_bytes(), 16, &Quiet), Ok(Filtered::Unchanged));
}
