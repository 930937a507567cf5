//! What becomes of one tool call.

use host_test::HeaderStop;
use serde_json::{Value, json};

use crate::lab::{
    Lab, Request, SECRET, assert_forwarded, call, call_as, filter, in_both_modes, message, request, tools,
};

fn policy() -> Value {
    json!({
        "version": "1", "default": "deny", "hide": ["delete_*"],
        "tools": {
            "get_run": {},
            "stop_run": {"action": "deny", "reason": "Ask the lab \"first\"."},
            "home_robot": {"action": "require_approval", "reason": "Someone must look."},
            "charge": {"deny_if": [{"conditions": [{"path": "args.amount", "op": "gt", "value": 100}], "on_deny": "Too much."}]},
            "create_run": {"require": [
                {"conditions": [{"path": "args.robot_ip", "op": "cidr", "value": "10.0.0.0/8"}], "on_deny": "Only lab robots."}]},
        },
        "methods": {"notifications/cancelled": {"action": "deny"}},
    })
}

#[test]
fn an_allowed_call_is_forwarded_byte_for_byte() {
    in_both_modes(&policy(), &json!({}), |lab| {
        let body = " {\"id\" : 1, \"jsonrpc\":\"2.0\",\r\n\t\"method\":\"tools\\/call\",\"params\":{\"name\":\"get_run\",\"arguments\":{\"n\":1.50}}} \n";
        assert_forwarded(&lab.post(body), body);
    });
}

#[test]
fn an_allowed_body_that_comes_in_pieces_is_forwarded_byte_for_byte() {
    let body = call("get_run", &json!({"text": "ä€𝄞".repeat(500)}));
    in_both_modes(&policy(), &json!({}), |lab| {
        for size in [1, 7, 1000] {
            let mut stream = Request::post().open(&lab.worker(0));
            let (all_but_last, last) = body.as_bytes().split_at(body.len() - 1);
            for piece in all_but_last.chunks(size) {
                stream.request_body(piece, false);
                assert_eq!(stream.forwarded().body.len(), 0, "before it was judged");
            }
            stream.request_body(last, true);
            assert_forwarded(&stream, &body);
        }
    });
}

#[test]
fn a_body_that_ends_with_an_empty_piece_or_with_trailers_is_judged_whole() {
    in_both_modes(&policy(), &json!({}), |lab| {
        let allowed = call("get_run", &json!({}));
        let denied = call("stop_run", &json!({}));
        let empty = |body: &str| {
            let mut stream = Request::post().open(&lab.worker(0));
            stream.request_body(body, false).request_body("", true);
            stream
        };
        let trailers = |body: &str| {
            let mut stream = Request::post().open(&lab.worker(0));
            stream.request_body(body, false).request_trailers(&[("x-sum", "1")]);
            stream
        };
        assert_forwarded(&empty(&allowed), &allowed);
        assert_forwarded(&trailers(&allowed), &allowed);
        assert_eq!(trailers(&allowed).forwarded().trailers.unwrap().get("x-sum"), Some("1"));
        lab.assert_denied(&empty(&denied), "Ask the lab");
        lab.assert_denied(&trailers(&denied), "Ask the lab");
    });
}

#[test]
fn a_post_of_trailers_only_is_no_message() {
    in_both_modes(&policy(), &json!({}), |lab| {
        let mut stream = Request::post().open(&lab.worker(0));
        stream.request_trailers(&[("x-sum", "1")]);
        lab.assert_refused(&stream, 400);
    });
}

#[test]
fn a_denied_call_is_answered_with_the_reason_and_the_rule_under_its_own_id() {
    in_both_modes(&policy(), &json!({}), |lab| {
        for id in [json!(7), json!(-3), json!("a\"b"), json!(9_007_199_254_740_991_i64), json!("")] {
            let stream = lab.post(call_as(&id, "stop_run", &json!({"k": SECRET})));
            let meta = lab.assert_denied(&stream, "Ask the lab \"first\".");
            assert_eq!(message(&stream)["id"], id);
            assert_eq!(message(&stream)["jsonrpc"], "2.0");
            assert_eq!(meta["rule"], "/tools/stop_run");
            assert_eq!(stream.received().header("content-type"), Some("application/json"));
        }
        assert!(!lab.log().contains(SECRET));
    });
}

#[test]
fn a_tool_that_no_rule_names_is_denied_by_default() {
    in_both_modes(&policy(), &json!({}), |lab| {
        assert_eq!(lab.assert_denied(&lab.call("get_rum"), "")["rule"], "(default deny)");
        // Names are compared as they are.
        assert_eq!(lab.assert_denied(&lab.call("Get_run"), "")["rule"], "(default deny)");
        assert_eq!(lab.assert_denied(&lab.call("get_run "), "")["rule"], "(default deny)");
        assert_eq!(lab.assert_denied(&lab.call(""), "")["rule"], "(default deny)");
    });
}

#[test]
fn require_and_deny_if_look_at_the_arguments() {
    in_both_modes(&policy(), &json!({}), |lab| {
        let allowed = call("create_run", &json!({"robot_ip": "10.1.2.3"}));
        assert_forwarded(&lab.post(&allowed), &allowed);
        for arguments in
            [json!({"robot_ip": "11.0.0.1"}), json!({"robot_ip": "010.0.0.1"}), json!({}), json!({"robot_ip": 1})]
        {
            let meta = lab.assert_denied(&lab.post(call("create_run", &arguments)), "Only lab robots.");
            assert_eq!(meta["rule"].as_str().map(|rule| rule.starts_with("/tools/create_run/require/")), Some(true));
        }
        let allowed = call("charge", &json!({"amount": 100}));
        assert_forwarded(&lab.post(&allowed), &allowed);
        let meta = lab.assert_denied(&lab.post(call("charge", &json!({"amount": 100.5}))), "Too much.");
        assert_eq!(meta["rule"], "/tools/charge/deny_if/args.amount-gt");
        // Servers coerce: a string is not a small number.
        lab.assert_denied(&lab.post(call("charge", &json!({"amount": "101"}))), "Too much.");
    });
}

#[test]
fn an_argument_whose_name_another_key_resembles_denies_the_call() {
    in_both_modes(&policy(), &json!({}), |lab| {
        for key in ["Amount", "amount\u{0}", "AMOUNT"] {
            lab.assert_denied(&lab.post(call("charge", &json!({"amount": 1, key: 1000}))), "");
        }
    });
}

#[test]
fn a_hidden_tool_is_unknown_when_called() {
    in_both_modes(&policy(), &json!({}), |lab| {
        let stream = lab.call("delete_run");
        lab.assert_nothing_forwarded(&stream);
        assert_eq!(stream.received().status(), Some(200));
        let error = json!({"code": -32602, "message": "Unknown tool: delete_run"});
        assert_eq!(message(&stream), json!({"jsonrpc": "2.0", "id": 1, "error": error}));
    });
}

#[test]
fn a_hidden_name_that_no_server_could_have_is_not_echoed() {
    let lab = Lab::new(&policy());
    for name in ["delete_<script>", "delete_ä", &format!("delete_{}", "x".repeat(200))] {
        let stream = lab.call(name);
        lab.assert_nothing_forwarded(&stream);
        assert_eq!(message(&stream)["error"]["code"], -32602);
        assert_eq!(message(&stream)["error"]["message"], "Unknown tool");
    }
}

#[test]
fn a_call_that_needs_approval_is_told_so() {
    in_both_modes(&policy(), &json!({}), |lab| {
        let meta = lab.assert_denied(&lab.call("home_robot"), "Someone must look.");
        assert_eq!(meta["rule"], "/tools/home_robot");
    });
}

#[test]
fn a_denied_notification_is_accepted_and_dropped() {
    in_both_modes(&policy(), &json!({}), |lab| {
        let body =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}).to_string();
        let stream = lab.post(body);
        lab.assert_nothing_forwarded(&stream);
        assert_eq!((stream.received().status(), stream.received().text()), (Some(202), String::new()));
        assert!(lab.log().contains("notifications/cancelled"));
    });
}

#[test]
fn other_notifications_and_answers_to_the_server_pass() {
    in_both_modes(&policy(), &json!({}), |lab| {
        for body in [
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
            json!({"jsonrpc": "2.0", "id": 3, "result": {"action": "accept"}}),
            json!({"jsonrpc": "2.0", "id": "x", "error": {"code": -1, "message": "no"}}),
        ] {
            let body = body.to_string();
            assert_forwarded(&lab.post(&body), &body);
        }
    });
}

#[test]
fn a_judged_method_without_an_id_is_no_request() {
    in_both_modes(&policy(), &json!({}), |lab| {
        for tool in ["get_run", "stop_run", "delete_run"] {
            let params = json!({"name": tool, "arguments": {}});
            let body = json!({"jsonrpc": "2.0", "method": "tools/call", "params": params}).to_string();
            lab.assert_refused(&lab.post(body), 400);
        }
    });
}

#[test]
fn methods_of_every_session_pass_and_others_go_by_the_default() {
    in_both_modes(&policy(), &json!({}), |lab| {
        for method in ["initialize", "ping", "tools/list", "logging/setLevel", "tasks/list", "server/discover"] {
            let body = request(method, &json!({}));
            assert_forwarded(&lab.post(&body), &body);
        }
        let stream = lab.post(request("sampling/createMessage", &json!({})));
        lab.assert_nothing_forwarded(&stream);
        let reply = message(&stream);
        let code = reply["error"]["code"].as_i64().unwrap();
        assert!(!(-32768..=-32000).contains(&code), "{reply}");
        assert_eq!((&reply["id"], &reply["error"]["data"]["rule"]), (&json!(1), &json!("(default deny)")));
    });
}

#[test]
fn a_denied_prompt_or_resource_is_an_error_of_the_application() {
    in_both_modes(&policy(), &json!({}), |lab| {
        let prompt = lab.post(request("prompts/get", &json!({"name": "greet"})));
        let resource = lab.post(request("resources/read", &json!({"uri": "file:///etc/passwd"})));
        for stream in [prompt, resource] {
            lab.assert_nothing_forwarded(&stream);
            assert_eq!(stream.received().status(), Some(200));
            let error = message(&stream)["error"].clone();
            assert!(!(-32768..=-32000).contains(&error["code"].as_i64().unwrap()), "{error}");
            assert_eq!(error["data"]["rule"], "(default deny)");
        }
    });
}

#[test]
fn a_denial_can_be_an_error_instead() {
    in_both_modes(&policy(), &json!({"denial": "jsonrpc_error"}), |lab| {
        let stream = lab.call("stop_run");
        lab.assert_nothing_forwarded(&stream);
        let reply = message(&stream);
        assert_eq!((stream.received().status(), &reply["id"]), (Some(200), &json!(1)));
        assert!(reply.get("result").is_none());
        assert!(!(-32768..=-32000).contains(&reply["error"]["code"].as_i64().unwrap()), "{reply}");
        assert_eq!(reply["error"]["message"], "[POLICY DENIED] Ask the lab \"first\".");
        assert_eq!(reply["error"]["data"]["rule"], "/tools/stop_run");
    });
}

#[test]
fn a_reply_may_keep_the_rule_to_itself() {
    let policy = tools(json!({"stop_run": {"action": "deny", "reason": "No."}, "get_run": {"rate_limit": "0/minute"}}));
    in_both_modes(&policy, &json!({"disclose": "reason"}), |lab| {
        for tool in ["stop_run", "get_run", "nothing"] {
            let stream = lab.call(tool);
            lab.assert_denied(&stream, "");
            assert!(!stream.received().text().contains("rule"), "{}", stream.received().text());
            assert!(!stream.received().text().contains("/tools"), "{}", stream.received().text());
        }
        assert!(lab.log().contains("/tools/stop_run"), "the log still says which");
    });
}

#[test]
fn a_client_that_takes_only_events_is_sent_one() {
    in_both_modes(&policy(), &json!({}), |lab| {
        let stream =
            Request::post().set("accept", "text/event-stream").send(&lab.worker(0), call("stop_run", &json!({})));
        lab.assert_denied(&stream, "Ask the lab");
        assert_eq!(stream.received().header("content-type"), Some("text/event-stream"));
        assert!(stream.received().text().ends_with("\n\n"));
    });
}

#[test]
fn a_result_says_that_it_is_complete_to_clients_that_ask_for_that() {
    let lab = Lab::new(&policy());
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    let params = json!({"name": "stop_run", "arguments": {}, "_meta": meta});
    let request = Request::post().set("mcp-protocol-version", "2026-07-28").set("mcp-method", "tools/call");
    let stream = request.set("mcp-name", "stop_run").send(&lab.worker(0), crate::lab::request("tools/call", &params));
    lab.assert_denied(&stream, "Ask the lab");
    assert_eq!(message(&stream)["result"]["resultType"], "complete");
    assert!(message(&lab.call("stop_run"))["result"].get("resultType").is_none());
}

#[test]
fn an_answer_that_begins_before_the_body_is_judged_lets_nothing_through() {
    // A server may answer as soon as it has headers. What then comes of the body is still not judged.
    let lab = Lab::new(&policy());
    for tool in ["stop_run", "delete_run"] {
        let body = call(tool, &json!({}));
        let mut stream = Request::post().open(&lab.worker(0));
        stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
        stream.request_body(&body[..9], false).request_body(&body[9..], true);
        assert_eq!(stream.forwarded().text(), "", "{tool}");
        assert!(!stream.forwarded().ended);
        drop(stream);
    }
    // Too late to answer: that the client sees a reset is all that is left.
    lab.assert_at_most_late();
}

#[test]
fn a_whole_answer_before_the_body_is_judged_lets_nothing_through() {
    let lab = Lab::new(&policy());
    let body = call("stop_run", &json!({}));
    let mut stream = Request::post().open(&lab.worker(0));
    stream.request_body(&body[..9], false);
    stream.response_headers(&[(":status", "401"), ("content-type", "text/plain")]).response_body("who?", true);
    stream.request_body(&body[9..], true);
    assert_eq!(stream.forwarded().text(), "");
    drop(stream);
    lab.assert_at_most_late();
}

#[test]
fn an_early_answer_waits_and_a_refused_call_is_still_told_so() {
    let events = [(":status", "200"), ("content-type", "text/event-stream")];
    let mut policy = policy();
    policy.as_object_mut().unwrap().remove("methods");
    for stop in [HeaderStop::StopAll, HeaderStop::AllowOnHeaders] {
        let host = filter().configuration(policy.to_string()).stop_iteration(stop).start().unwrap();
        let refused = call("stop_run", &json!({}));
        let mut stream = Request::post().open(&host.worker(0));
        stream.response_headers(&events);
        assert_eq!(stream.received().headers, None, "the answer's head waits");
        stream.request_body(&refused, true);
        assert_eq!(stream.forwarded().text(), "");
        assert_eq!(message(&stream)["result"]["isError"], true, "{stop:?}");
        drop(stream);

        let allowed = call("get_run", &json!({}));
        let mut stream = Request::post().open(&host.worker(0));
        stream.response_headers(&events);
        stream.response_body("data: {}\n\n", false);
        assert_eq!(stream.received().text(), "", "{stop:?}: neither does its body go on");
        stream.request_body(&allowed, true);
        assert_eq!(stream.forwarded().text(), allowed);
        stream.response_body("", true);
        assert_eq!(stream.received().text(), "data: {}\n\n");
    }
}

#[test]
fn an_early_answer_that_would_have_to_be_read_is_not_passed_unread() {
    let lab = Lab::new(&policy());
    let mut stream = Request::post().open(&lab.worker(0));
    stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
    stream.response_body("data: {}\n\n", false);
    stream.request_body(call("get_run", &json!({})), true);
    assert_eq!((stream.received().status(), stream.forwarded().text()), (Some(503), String::new()));
}

#[test]
fn an_answer_of_envoys_own_does_not_wait_for_a_body_that_may_never_come() {
    let lab = Lab::new(&policy());
    let request = Request::post().property(&["response", "code_details"], "request_overall_timeout");
    let mut stream = request.open(&lab.worker(0));
    stream.response_headers(&[(":status", "408")]).response_body("request timeout", true);
    assert_eq!((stream.received().status(), stream.received().text()), (Some(408), "request timeout".to_owned()));
}
