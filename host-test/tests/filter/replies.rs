//! Whatever the request and the policy: it reaches the server as it was sent, or the client gets a reply that it can make
//! sense of.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use host_test::{HeaderMap, HeaderStop, Host, Stream};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::lab::{Request, envelope, filter};
use crate::requests::{IDS, METHODS, Sent, sent};

/// Configurations that allow, deny, hide, limit, word their denials in each way, know no caller or no policy.
fn configurations() -> Vec<Value> {
    let tools = json!({
        "get_run": {},
        "create_run": { "action": "deny", "reason": "No \"runs\"\n today." },
        "pay": { "limits": [{ "counter": "pay", "window": "day", "max": 0, "increment_from": "args.amount" }] },
        "ask": { "action": "require_approval" },
        "check": { "deny_if": [{ "conditions": [{ "path": "args.x[*].y", "op": "gt", "value": 1 }] }] },
    });
    let mixed = json!({ "version": "1", "default": "deny", "hide": ["delete_*"], "tools": tools,
        "resources": { "default": "deny", "uris": { "file:///a/*": {} } } });
    let allow = json!({ "version": "1", "default": "allow" });
    let never = json!({ "version": "1", "default": "allow", "all_tools": { "limits": [{ "counter": "c", "window": "day", "max": 0 }] } });
    let unknown = json!({ "version": "1", "default": "deny", "listing": "allowed", "tools": { "get_run": {} } });
    let grant = json!([{ "header": "authorization" }]);
    let asks = json!({ "version": "1", "default": "deny", "tools": { "get_run": {} },
        "methods": { "elicitation/create": { "action": "deny" }, "notifications/*": { "action": "deny" }, "x/own": {} } });
    let over_sse = |denial: &str| {
        let route = json!({ "policy": "p", "transport": "sse", "sse_denial": denial });
        envelope(mixed.clone(), json!({ "routes": [route], "max_body_bytes": 1024, "max_depth": 8 }))
    };
    vec![
        over_sse("forward"),
        over_sse("status"),
        envelope(mixed.clone(), json!({ "batches": "refuse" })),
        envelope(asks, json!({})),
        envelope(allow.clone(), json!({})),
        envelope(mixed.clone(), json!({ "max_body_bytes": 1024, "max_depth": 8 })),
        envelope(mixed.clone(), json!({ "denial": "jsonrpc_error", "disclose": "reason" })),
        envelope(mixed, json!({ "identity": { "grant": grant, "required": true } })),
        envelope(never, json!({})),
        envelope(unknown, json!({})),
        json!({ "policies": { "p": allow }, "routes": [{ "host": "elsewhere.example", "policy": "p" }] }),
    ]
}

/// The answers to POSTs come on another stream, of this host with its configuration.
fn is_over_sse(configuration: &Value) -> bool {
    configuration.pointer("/routes/0/transport").is_some_and(|transport| transport == "sse")
}

/// One host for each configuration and way of taking request headers, and whether answers come on another stream.
fn hosts() -> Vec<(Host, bool)> {
    let modes = [("stream", HeaderStop::StopAll), ("hold", HeaderStop::AllowOnHeaders)];
    let of = |(configuration, (mode, stop)): (Value, (&str, HeaderStop))| {
        let mut configuration = configuration;
        configuration["request_headers"] = mode.into();
        let host = filter().stop_iteration(stop).configuration(configuration.to_string()).start().unwrap();
        (host, is_over_sse(&configuration))
    };
    configurations().into_iter().flat_map(|one| modes.map(|mode| (one.clone(), mode))).map(of).collect()
}

/// The promise, for one request. Says which of its cases held.
fn check(host: &Host, over_sse: bool, sent: &Sent, stream: &Stream) -> Result<String, TestCaseError> {
    prop_assert_eq!(host.take_faults(), vec![]);
    prop_assert!(!host.worker(0).has_failed());
    let forwarded = stream.forwarded();
    let Some(reply) = stream.reply() else {
        prop_assert!(forwarded.ended, "neither forwarded nor answered");
        prop_assert_eq!(values(&forwarded.headers.unwrap_or_default()), expected_headers(sent));
        if over_sse && forwarded.body != sent.body() {
            // The server answers this on the client's event stream: it has no such method.
            prop_assert_eq!(forwarded.body.len(), sent.body().len(), "its length was announced");
            let asked: Value = serde_json::from_slice(sent.body()).unwrap_or_default();
            let denied = json!({ "jsonrpc": "2.0", "id": asked["id"], "method": "policy/denied" });
            prop_assert_eq!(read(&String::from_utf8_lossy(&forwarded.body))?, denied);
            prop_assert_eq!(ids_of_requests(&asked).len(), 1, "not a request");
            return Ok("forwarded as denied".into());
        }
        prop_assert_eq!(&forwarded.body, sent.body());
        return Ok("forwarded".into());
    };
    prop_assert!(reply.by_filter, "{reply:?}");
    prop_assert!(!forwarded.ended && forwarded.body.is_empty(), "answered and forwarded");
    let received = stream.received();
    prop_assert!(received.ended, "an answer without an end");
    let status = received.status().unwrap_or_default();
    let asked = serde_json::from_slice::<Value>(sent.body()).unwrap_or_default();
    match status {
        200 => {
            prop_assert_eq!(sent.method, "POST");
            prop_assert!(!over_sse, "nobody waits for an answer here");
            prop_assert_eq!(received.header("content-type") == Some("text/event-stream"), sent.takes_only_events());
            // One answer for each request, in their order.
            let answers = answers(&received.text(), received.header("content-type"), asked.is_array())?;
            let ids: Vec<&Value> = answers.iter().map(|answer| &answer["id"]).collect();
            prop_assert_eq!(&ids, &ids_of_requests(&asked));
            prop_assert!(ids.iter().all(|id| id.is_string() || id.is_i64()), "an answer to what has no id");
            for answer in &answers {
                prop_assert_eq!(&answer["jsonrpc"], "2.0");
                let error = answer["error"]["code"].is_i64() && answer["error"]["message"].is_string();
                let result = answer["result"]["content"].is_array() && answer["result"]["isError"] == true;
                prop_assert!(error != result, "{answer}");
                let says_type = answer["result"]["resultType"] == "complete";
                prop_assert_eq!(says_type, result && is_modern(&asked), "{}", answer);
            }
            if asked.is_array() {
                return Ok("200 to a batch".into());
            }
            if answers.iter().any(|answer| answer["result"]["resultType"].is_string()) {
                return Ok("200 with a result's type".into());
            }
        }
        202 => {
            // Notifications, and the client's own answers to the server: neither are answered.
            prop_assert_eq!(ids_of_requests(&asked), Vec::<&Value>::new(), "an answer was due");
            prop_assert!(asked.is_object() || asked.is_array(), "not clear, and yet accepted");
            prop_assert_eq!(received.body, b"");
        }
        400 | 401 | 403 | 405 | 413 if sent.method == "HEAD" => prop_assert_eq!(received.body, b""),
        400 | 401 | 403 | 405 | 413 => {
            prop_assert_eq!(received.header("content-type"), Some("application/json"));
            let answer = read(&received.text())?;
            let own = ids_of_requests(&asked).contains(&&answer["id"]);
            prop_assert!(own || answer.get("id") == Some(&Value::Null), "{answer} for {asked}");
            prop_assert_eq!(&answer["jsonrpc"], "2.0");
            prop_assert!(answer["error"]["code"].is_i64() && answer["error"]["message"].is_string(), "{answer}");
            prop_assert_eq!(status == 405, received.header("allow").is_some());
            prop_assert_eq!(status == 401, received.header("www-authenticate").is_some());
        }
        status => prop_assert!(false, "{status}: {}", received.text()),
    }
    Ok(status.to_string())
}

/// Whether the request is of 2026-07-28, in which results say their type.
fn is_modern(asked: &Value) -> bool {
    asked["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
}

/// The ids of the requests in a message or batch.
fn ids_of_requests(asked: &Value) -> Vec<&Value> {
    let messages = asked.as_array().map_or(std::slice::from_ref(asked), Vec::as_slice);
    messages.iter().filter(|message| message["method"].is_string()).filter_map(|message| message.get("id")).collect()
}

/// The answers in one JSON document, an array if so asked, or in events with one each.
fn answers(text: &str, content_type: Option<&str>, asked_as_array: bool) -> Result<Vec<Value>, TestCaseError> {
    match content_type {
        Some("application/json") => match read(text)? {
            Value::Array(answers) if asked_as_array => Ok(answers),
            answer if !asked_as_array => Ok(vec![answer]),
            other => Err(TestCaseError::fail(format!("not an array: {other}"))),
        },
        Some("text/event-stream") => {
            prop_assert!(text.ends_with("\n\n") && !text.contains('\r'), "{text:?}");
            text.split_terminator("\n\n")
                .map(|event| read(event.strip_prefix("event: message\ndata: ").unwrap_or(event)))
                .collect()
        }
        other => Err(TestCaseError::fail(format!("content type {other:?}: {text:?}"))),
    }
}

fn read(json: &str) -> Result<Value, TestCaseError> {
    serde_json::from_str(json).map_err(|error| TestCaseError::fail(format!("{error}: {json:?}")))
}

/// All values of each header, as they are joined.
fn values(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
        .map(|name| (name.clone(), headers.get_all(&name).join(",")))
        .collect()
}

/// The client's headers with just the changes that the documentation names.
fn expected_headers(sent: &Sent) -> BTreeMap<String, String> {
    let mut expected = BTreeMap::<String, String>::new();
    let pseudo = [(":method", sent.method), (":path", "/mcp"), (":scheme", "https"), (":authority", "mcp.example.com")];
    for (name, value) in pseudo.iter().chain(&sent.headers) {
        match expected.get_mut(*name) {
            Some(values) => *values += &format!(",{value}"),
            None => drop(expected.insert((*name).to_owned(), (*value).to_owned())),
        }
    }
    if let Some(encoding) = expected.get_mut("accept-encoding") {
        "identity".clone_into(encoding);
    }
    expected.remove("range");
    expected.remove("x-envoy-retry-on");
    expected.insert("x-envoy-max-retries".into(), "0".into());
    expected
}

#[test]
fn whatever_the_request_it_is_forwarded_as_it_is_or_answered_with_its_id_or_a_proper_4xx() {
    let hosts = hosts();
    let seen = RefCell::new(BTreeMap::<String, u32>::new());
    let config = Config { cases: 1500, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&sent(), |sent| {
            for (index, (host, over_sse)) in hosts.iter().enumerate() {
                let case = check(host, *over_sse, &sent, &sent.send(host))
                    .map_err(|error| TestCaseError::fail(format!("{error}, under configuration {index}")))?;
                *seen.borrow_mut().entry(case).or_default() += 1;
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    // Each case has been seen often: none of the promises is empty.
    let seen = seen.into_inner();
    let answered = ["200", "200 to a batch", "200 with a result's type", "202", "400", "401", "403", "405", "413"];
    for case in ["forwarded", "forwarded as denied"].into_iter().chain(answered) {
        assert!(seen.get(case).is_some_and(|count| *count >= 5), "{case}: {seen:?}");
    }
}

#[test]
fn an_honest_request_is_never_a_bad_request() {
    let hosts = hosts();
    let judged = Cell::new(0);
    let methods = select(&METHODS[4..24]).prop_filter("not a call", |method| !method.is_empty());
    let ids = select(&IDS[..8]);
    let tools = select(&["get_run", "create_run", "delete_run", "pay", "ask", "check"][..]);
    let message = (methods, ids, tools, any::<bool>()).prop_map(|(method, id, tool, call)| {
        let id = if method.starts_with("notifications/") && !call { String::new() } else { format!(r#""id":{id},"#) };
        let method = if call { "tools/call" } else { method };
        let params = match method {
            "tools/call" | "prompts/get" => format!(r#"{{"name":"{tool}","arguments":{{"amount":1}}}}"#),
            "resources/read" | "resources/subscribe" => r#"{"uri":"file:///a/b"}"#.to_owned(),
            "completion/complete" => {
                r#"{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":"b"}}"#.to_owned()
            }
            "tasks/get" | "tasks/result" | "tasks/cancel" => r#"{"taskId":"t"}"#.to_owned(),
            _ => "{}".to_owned(),
        };
        format!(r#"{{"jsonrpc":"2.0",{id}"method":"{method}","params":{params}}}"#)
    });
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&message, |message| {
            for (host, over_sse) in &hosts {
                let stream = Request::post().set("authorization", "Bearer a").send(&host.worker(0), &message);
                if let Some(reply) = stream.reply() {
                    let notification = !message.contains(r#""id":"#);
                    let status = match (notification, over_sse) {
                        (true, _) => 202,
                        (false, true) => 403,
                        (false, false) => 200,
                    };
                    prop_assert_eq!(reply.status, status, "{}", message);
                }
                judged.set(judged.get() + 1);
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(judged.get(), 300 * hosts.len());
}
