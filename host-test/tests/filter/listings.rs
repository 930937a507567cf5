//! Lists on their way back.

use host_test::Stream;
use serde_json::{Value, json};

use crate::lab::{Lab, Request, call, in_both_modes, message, request, tools};

const JSON: &[(&str, &str)] = &[(":status", "200"), ("content-type", "application/json")];
const EVENTS: &[(&str, &str)] = &[(":status", "200"), ("content-type", "text/event-stream")];

fn hiding() -> Value {
    let mut policy = tools(json!({"get_run": {}, "stop_run": {"action": "deny"}}));
    policy["hide"] = json!(["delete_*"]);
    policy
}

/// With white space, an unknown member and an order of its own.
const LIST: &str = "{ \"jsonrpc\":\"2.0\",\"id\":1, \"result\": {\"_meta\":{\"k\": 1.50},\n \"tools\":[\
    {\"name\":\"get_run\",\"title\":\"G\\u00e9t\"},{\"name\":\"delete_run\",\"x\":[1,{\"name\":\"y\"}]},{\"name\":\"unnamed\"},\
    {\"name\":\"stop_run\"},{\"title\":\"name last\",\"name\":\"delete_all\"}],\"nextCursor\":\"c=\\\"2\"} }\n";
const LIST_WITHOUT_HIDDEN: &str = "{ \"jsonrpc\":\"2.0\",\"id\":1, \"result\": {\"_meta\":{\"k\": 1.50},\n \"tools\":[\
    {\"name\":\"get_run\",\"title\":\"G\\u00e9t\"},{\"name\":\"unnamed\"},\
    {\"name\":\"stop_run\"}],\"nextCursor\":\"c=\\\"2\"} }\n";

fn ask(lab: &Lab) -> Stream {
    lab.post(request("tools/list", &json!({})))
}

fn names(list: &Value) -> Vec<&str> {
    list["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[test]
fn hidden_tools_are_gone_and_everything_else_is_untouched() {
    in_both_modes(&hiding(), &json!({}), |lab| {
        let mut stream = ask(lab);
        let headers =
            [(":status", "200"), ("content-type", "application/json"), ("content-length", "999"), ("x-other", "1")];
        stream.response_headers(&headers).response_body(LIST, true);
        let received = stream.received();
        assert_eq!(received.text(), LIST_WITHOUT_HIDDEN);
        assert_eq!(received.header("content-length"), None);
        assert_eq!((received.status(), received.header("x-other"), received.ended), (Some(200), Some("1"), true));
    });
}

#[test]
fn a_list_may_come_split_anywhere_and_end_with_trailers() {
    let lab = Lab::new(&hiding());
    for split in 0..=LIST.len() {
        let mut stream = ask(&lab);
        stream.response_headers(JSON).response_body(&LIST.as_bytes()[..split], false);
        assert_eq!(stream.received().text(), "", "nothing goes out before it is whole");
        stream.response_body(&LIST.as_bytes()[split..], true);
        assert_eq!(stream.received().text(), LIST_WITHOUT_HIDDEN, "split at {split}");
    }
    let mut stream = ask(&lab);
    stream.response_headers(JSON).response_body(LIST, false).response_trailers(&[("x-sum", "1")]);
    assert_eq!(stream.received().text(), LIST_WITHOUT_HIDDEN);
    assert!(stream.received().ended);
}

#[test]
fn a_list_in_an_event_is_filtered_wherever_it_is_split() {
    let lab = Lab::new(&hiding());
    let compact = LIST.replace('\n', " ");
    let events = format!(": hello\r\n\r\nevent: message\nid: 5\ndata: {compact}\n\ndata: {{\"x\":1}}\n\n");
    let expected = format!(
        ": hello\r\n\r\nevent: message\nid: 5\ndata: {}\n\ndata: {{\"x\":1}}\n\n",
        LIST_WITHOUT_HIDDEN.replace('\n', " ")
    );
    let same_events = |text: &str| text.replace("\r\n", "\n");
    for split in 0..=events.len() {
        let mut stream = ask(&lab);
        stream.response_headers(EVENTS);
        stream.response_body(&events.as_bytes()[..split], false).response_body(&events.as_bytes()[split..], true);
        assert_eq!(same_events(&stream.received().text()), same_events(&expected), "split at {split}");
    }
    let mut stream = ask(&lab);
    stream.response_headers(EVENTS);
    for byte in events.as_bytes() {
        stream.response_body([*byte], false);
    }
    stream.response_body("", true);
    assert_eq!(same_events(&stream.received().text()), same_events(&expected));
    assert!(stream.received().ended);
}

#[test]
fn an_event_goes_out_as_soon_as_it_has_ended() {
    in_both_modes(&hiding(), &json!({}), |lab| {
        let mut stream = ask(lab);
        stream.response_headers(EVENTS).response_body("data: {\"progress\":1}\n\ndata: {\"pro", false);
        assert_eq!(stream.received().text(), "data: {\"progress\":1}\n\n");
        stream.response_body("gress\":2}\n\n", false);
        assert_eq!(stream.received().text(), "data: {\"progress\":1}\n\ndata: {\"progress\":2}\n\n");
    });
}

#[test]
fn a_list_over_several_data_lines_is_filtered() {
    let lab = Lab::new(&hiding());
    for end in ["\n", "\r\n", "\r"] {
        let list = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[~data:{\"name\":\"delete_run\"},~data: {\"name\":\"get_run\"}]}}~~";
        let mut stream = ask(&lab);
        stream.response_headers(EVENTS).response_body(list.replace('~', end), true);
        let text = stream.received().text();
        assert!(!text.contains("delete_run") && text.contains("get_run"), "{end:?}: {text:?}");
    }
}

#[test]
fn denied_tools_stay_listed_unless_the_policy_says_allowed() {
    let mut stream = ask(&Lab::new(&hiding()));
    stream.response_headers(JSON).response_body(LIST, true);
    assert_eq!(names(&message(&stream)), ["get_run", "unnamed", "stop_run"]);

    let mut policy = hiding();
    policy["listing"] = json!("allowed");
    let lab = Lab::new(&policy);
    let mut stream = ask(&lab);
    stream.response_headers(JSON).response_body(LIST, true);
    assert_eq!(names(&message(&stream)), ["get_run"]);
    // And a call to what is not listed is answered like one to a hidden tool.
    for tool in ["stop_run", "unnamed", "delete_run"] {
        let stream = lab.call(tool);
        lab.assert_nothing_forwarded(&stream);
        assert_eq!(message(&stream)["error"], json!({"code": -32602, "message": format!("Unknown tool: {tool}")}));
    }
}

#[test]
fn lists_of_a_list_of_policies_intersect() {
    let mut team = hiding();
    team["hide"] = json!(["get_*"]);
    let lab = Lab::new(
        &json!({"policies": {"company": hiding(), "team": team}, "routes": [{"policy": ["company", "team"]}]}),
    );
    let mut stream = ask(&lab);
    stream.response_headers(JSON).response_body(LIST, true);
    assert_eq!(names(&message(&stream)), ["unnamed", "stop_run"]);
}

#[test]
fn prompts_and_resources_are_filtered_too() {
    let lab = Lab::new(&json!({"version": "1", "default": "allow",
        "prompts": {"hide": ["secret_*"]}, "resources": {"hide": ["file:///srv/secret/*"]}}));
    for (method, list, gone) in [
        ("prompts/list", json!({"prompts": [{"name": "secret_a"}, {"name": "open"}]}), "secret_a"),
        (
            "resources/list",
            json!({"resources": [{"uri": "file:///srv/secret/a", "name": "a"}, {"uri": "file:///srv/open", "name": "b"}]}),
            "secret",
        ),
        (
            "resources/list",
            json!({"resources": [{"uri": "file://localhost/srv/./secret/a", "name": "a"}, {"uri": "file:///srv/open", "name": "b"}]}),
            "secret",
        ),
        (
            "resources/templates/list",
            json!({"resourceTemplates": [{"uriTemplate": "file:///srv/secret/{x}", "name": "a"}, {"uriTemplate": "file:///srv/open/{x}", "name": "b"}]}),
            "secret",
        ),
    ] {
        let mut stream = lab.post(request(method, &json!({})));
        let answer = json!({"jsonrpc": "2.0", "id": 1, "result": list}).to_string();
        stream.response_headers(JSON).response_body(answer, true);
        let text = stream.received().text();
        assert!(!text.contains(gone) && text.contains("open"), "{method}: {text}");
    }
}

#[test]
fn a_list_that_cannot_be_read_is_withheld_under_the_requests_id() {
    in_both_modes(&hiding(), &json!({}), |lab| {
        for (headers, body) in [
            (json!({"content-encoding": "gzip"}), LIST),
            (json!({"content-encoding": "br"}), LIST),
            (json!({}), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"delete_run\"}"),
            (json!({}), "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"delete_run\"}]}}"),
            (
                json!({}),
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[],\"tools\":[{\"name\":\"delete_run\"}]}}",
            ),
            (
                json!({}),
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"get_run\",\"n\\u0061me\":\"delete_run\"}]}}",
            ),
            (
                json!({}),
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":5},{\"name\":\"delete_run\"}]}}",
            ),
        ] {
            let mut stream = ask(lab);
            let mut sent = JSON.to_vec();
            sent.extend(
                headers.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())),
            );
            stream.response_headers(&sent).response_body(body, true);
            let text = stream.received().text();
            assert!(!text.contains("delete_run"), "{text}");
            assert_eq!(stream.received().status(), Some(200));
            let reply = message(&stream);
            assert_eq!(reply["id"], 1, "{body}");
            assert!(reply["error"]["code"].is_i64(), "{reply}");
        }
    });
}

#[test]
fn an_event_that_cannot_be_read_is_withheld() {
    let lab = Lab::new(&hiding());
    let mut stream = ask(&lab);
    stream.response_headers(EVENTS);
    stream.response_body(
        "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"delete_run\"}]}\n\ndata: {\"x\":1}\n\n",
        true,
    );
    let text = stream.received().text();
    assert!(!text.contains("delete_run") && text.ends_with("data: {\"x\":1}\n\n"), "{text}");
}

#[test]
fn an_event_larger_than_the_limit_is_withheld_and_what_follows_is_not() {
    let lab = Lab::with(hiding(), json!({"max_event_bytes": 1024}));
    let mut stream = ask(&lab);
    stream.response_headers(EVENTS);
    let huge = format!(
        "data: {{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{\"tools\":[{{\"name\":\"delete_run\",\"d\":\"{}\"}}]}}}}\n\n",
        "x".repeat(3000)
    );
    for piece in huge.as_bytes().chunks(100) {
        stream.response_body(piece, false);
    }
    stream.response_body("data: {\"x\":1}\n\n", true);
    let text = stream.received().text();
    assert!(!text.contains("delete_run") && !text.contains("xxx") && text.ends_with("data: {\"x\":1}\n\n"), "{text}");
}

#[test]
fn other_answers_pass_unscanned_and_at_once() {
    in_both_modes(&hiding(), &json!({}), |lab| {
        let mut stream = lab.post(call("get_run", &json!({})));
        stream.response_headers(&[
            (":status", "200"),
            ("content-type", "application/json"),
            ("content-length", "19"),
            ("content-encoding", "gzip"),
        ]);
        assert_eq!(stream.received().header("content-length"), Some("19"));
        for (nth, piece) in ["{\"res", "ult\"", ":not json", "}"].iter().enumerate() {
            stream.response_body(piece, nth == 3);
            assert_eq!(stream.received().pieces.len(), nth + 1, "each piece goes out when it comes");
        }
        assert_eq!(stream.received().text(), "{\"result\":not json}");
    });
}

#[test]
fn a_list_passes_unscanned_where_nothing_is_hidden() {
    let lab = Lab::new(&json!({"version": "1", "default": "deny", "tools": {"get_run": {}}}));
    let mut stream = ask(&lab);
    stream.response_headers(&[(":status", "200"), ("content-type", "application/json"), ("content-length", "7")]);
    stream.response_body("{\"par", false);
    assert_eq!(stream.received().text(), "{\"par");
    assert_eq!(stream.received().header("content-length"), Some("7"));
}

#[test]
fn a_failed_answer_to_a_list_passes_as_it_is() {
    let lab = Lab::new(&hiding());
    let mut stream = ask(&lab);
    stream
        .response_headers(&[(":status", "404"), ("content-type", "text/plain")])
        .response_body("no such session", true);
    assert_eq!((stream.received().status(), stream.received().text()), (Some(404), "no such session".to_owned()));
    let mut stream = ask(&lab);
    let error = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"tools\"}}";
    stream.response_headers(JSON).response_body(error, true);
    assert_eq!(stream.received().text(), error);
    let mut stream = ask(&lab);
    stream.response_without_body(&[(":status", "202")]);
    assert_eq!((stream.received().status(), stream.received().ended), (Some(202), true));
}

#[test]
fn a_get_stream_is_filtered_event_by_event() {
    in_both_modes(&hiding(), &json!({}), |lab| {
        let mut stream = Request::get().set("last-event-id", "4").send_without_body(&lab.worker(0));
        stream
            .response_headers(EVENTS)
            .response_body("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\n\n", false);
        assert!(stream.received().text().ends_with("\n\n"));
        stream.response_body("data: {\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{\"tools\":[{\"name\":\"delete_run\"},{\"name\":\"get_run\"}]}}\n\n", false);
        let text = stream.received().text();
        assert!(!text.contains("delete_run") && text.contains("{\"name\":\"get_run\"}"), "{text}");
    });
}

#[test]
fn a_get_stream_that_cannot_be_read_is_withheld() {
    let lab = Lab::new(&hiding());
    let mut stream = Request::get().send_without_body(&lab.worker(0));
    stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream"), ("content-encoding", "gzip")]);
    stream.response_body("\u{1f}delete_run", true);
    assert!(!stream.received().text().contains("delete_run"));
}
