//! Limits that a rate-limit service counts: asked last, and nothing passes that it does not let.

use std::time::Duration;

use host_test::{Answer, Callout, CalloutKind, Cluster, Stream};
use serde_json::{Value, json};

use crate::lab::{Lab, Request, call, filter, is_forwarded, tools};

/// A `RateLimitResponse` with one status, as envoyproxy/ratelimit answers: code 1 admits, 2 refuses.
fn response(code: u8, max: u8, unit: u8, reset_seconds: Option<u8>) -> Vec<u8> {
    let limit = [0x08, max, 0x10, unit];
    let mut status = [&[0x08, code, 0x12, 4][..], &limit].concat();
    if let Some(seconds) = reset_seconds {
        status.extend([0x22, 2, 0x08, seconds]);
    }
    let length = u8::try_from(status.len()).unwrap();
    [&[0x08, code, 0x12, length][..], &status].concat()
}

const MINUTE: u8 = 2;
const HOUR: u8 = 3;

pub(crate) fn admit(max: u8) -> Answer {
    Answer::GrpcMessage(response(1, max, MINUTE, Some(30)))
}

pub(crate) fn refuse(max: u8) -> Answer {
    Answer::GrpcMessage(response(2, max, MINUTE, Some(30)))
}

pub(crate) fn configuration(limits: &Value, service: &Value) -> Value {
    let mut global = json!({"cluster": "ratelimit", "domain": "mcp", "digest_key": "0123456789abcdef0123456789abcdef"});
    global.as_object_mut().unwrap().extend(service.as_object().unwrap().clone());
    json!({
        "policies": {"p": tools(json!({"charge": {"limits": limits}, "free": {}}))},
        "routes": [{"policy": "p"}],
        "global_counters": global,
        "identity": {"grant": [{"header": "x-key"}]},
    })
}

pub(crate) fn five_a_minute() -> Value {
    json!({"counter": "c", "window": "minute", "align": "calendar", "max": 5, "store": "global"})
}

/// The filter with a configuration, and the service that it asks.
pub(crate) fn lab_of(configuration: &Value) -> Lab {
    let lab = Lab::new(configuration);
    lab.set_cluster("ratelimit", Some(Cluster::Up));
    lab
}

fn lab_with(limits: &Value, service: &Value) -> Lab {
    lab_of(&configuration(limits, service))
}

fn lab() -> Lab {
    lab_with(&json!([five_a_minute()]), &json!({}))
}

pub(crate) fn send(lab: &Lab) -> Stream {
    Request::post().set("x-key", crate::lab::SECRET).send(&lab.worker(0), call("charge", &json!({"amount": 2.5})))
}

#[track_caller]
pub(crate) fn asked(lab: &Lab) -> Callout {
    let mut pending = lab.pending_callouts();
    assert_eq!(pending.len(), 1, "one question at a time");
    pending.remove(0)
}

#[track_caller]
pub(crate) fn answer(lab: &Lab, answer: Answer) {
    lab.answer(asked(lab).id, answer).unwrap();
}

pub(crate) fn waits(stream: &Stream) -> bool {
    stream.forwarded().text().is_empty() && !stream.forwarded().ended && stream.reply().is_none()
}

#[test]
fn a_call_waits_for_the_service_and_goes_on_whole() {
    let lab = lab();
    let body = call("charge", &json!({"amount": 2.5}));
    let stream = send(&lab);
    assert!(waits(&stream));
    let question = asked(&lab);
    assert_eq!((question.kind, &*question.cluster), (CalloutKind::GrpcCall, "ratelimit"));
    let method = ("envoy.service.ratelimit.v3.RateLimitService".to_owned(), "ShouldRateLimit".to_owned());
    assert_eq!((question.method, question.timeout), (Some(method), Some(Duration::from_millis(50))));
    let text = String::from_utf8_lossy(&question.body).into_owned();
    assert!(text.contains("mcp") && text.contains("counter"), "{text}");
    assert!(!text.contains(crate::lab::SECRET), "the credential leaves the filter");
    answer(&lab, admit(5));
    assert!(is_forwarded(&stream));
    assert_eq!(stream.forwarded().text(), body);
    assert!(lab.admits("free"), "nobody is asked about others");
    assert!(lab.pending_callouts().is_empty());
}

#[test]
fn what_the_service_refuses_is_told_when_to_try_again() {
    let lab = lab();
    let stream = send(&lab);
    answer(&lab, refuse(5));
    let meta = lab.assert_denied(&stream, "The limit of 5 per calendar minute is used up. Try again in 30 s.");
    assert_eq!(meta, json!({"rule": "/tools/charge/limits/c", "retry_after_ms": 30_000, "remaining": 0}));
    let stream = send(&lab);
    answer(&lab, Answer::GrpcMessage(response(2, 5, MINUTE, None)));
    let meta = lab.assert_denied(&stream, "used up");
    assert_eq!(meta, json!({"rule": "/tools/charge/limits/c", "remaining": 0}));
    assert_eq!(lab.metric("limited"), 2);
}

/// Everything that is no clear answer.
fn failures() -> Vec<Answer> {
    let close = |status| Answer::GrpcClose { status, message: "no".into() };
    let message = Answer::GrpcMessage;
    vec![
        close(14),
        close(2),
        Answer::Unreachable,
        Answer::Timeout,
        Answer::Reset,
        message(vec![]),
        message(b"\xff\xff\xff".to_vec()),
        message(b"<html>".to_vec()),
        // UNKNOWN, and OK without any limit, with another one, and with two.
        message(response(0, 5, MINUTE, None)),
        message(vec![0x08, 1]),
        message(response(1, 6, MINUTE, None)),
        message(response(1, 5, HOUR, None)),
        message([response(1, 5, MINUTE, None), response(1, 5, MINUTE, None)].concat()),
    ]
}

#[test]
fn no_clear_answer_refuses_unless_the_operator_says_otherwise() {
    for (on_error, passes) in [("deny", false), ("allow", true)] {
        for failure in failures() {
            let lab = lab_with(&json!([five_a_minute()]), &json!({"on_error": on_error}));
            let stream = send(&lab);
            answer(&lab, failure.clone());
            assert_eq!(is_forwarded(&stream), passes, "{on_error} {failure:?}");
            if !passes {
                let meta = lab.assert_denied(&stream, "This cannot be counted at the moment.");
                assert_eq!(meta["rule"], "/tools/charge/limits/c");
            }
            assert_eq!(lab.metric("global_failed"), 1);
            assert!(lab.log().contains("/tools/charge/limits/c"), "{}", lab.log());
            assert!(!lab.log().contains(crate::lab::SECRET));
        }
    }
}

#[test]
fn a_service_that_cannot_be_called_is_as_one_that_fails() {
    for cluster in [None, Some(Cluster::Down)] {
        for (on_error, passes) in [("deny", false), ("allow", true)] {
            let lab = lab_with(&json!([five_a_minute()]), &json!({"on_error": on_error}));
            lab.set_cluster("ratelimit", cluster);
            assert_eq!(is_forwarded(&send(&lab)), passes, "{cluster:?}");
            assert!(lab.log().contains("`ratelimit` cannot be called"), "{}", lab.log());
        }
    }
}

#[test]
fn local_limits_are_taken_first_and_given_back_if_the_service_refuses() {
    let limits = json!([{"counter": "local", "window": "hour", "max": 1}, five_a_minute()]);
    let lab = lab_with(&limits, &json!({}));
    let first = send(&lab);
    assert!(waits(&first));
    // While the service thinks, the local count is taken: nobody slips past.
    assert_eq!(lab.assert_denied(&send(&lab), "used up")["rule"], "/tools/charge/limits/local");
    answer(&lab, refuse(5));
    lab.assert_denied(&first, "");
    let second = send(&lab);
    answer(&lab, Answer::Timeout);
    lab.assert_denied(&second, "");
    let third = send(&lab);
    answer(&lab, admit(5));
    assert!(is_forwarded(&third));
    assert!(!waits(&send(&lab)), "the admitted call counts");
}

#[test]
fn a_client_that_hangs_up_meanwhile_has_taken_nothing() {
    let limits = json!([{"counter": "local", "window": "hour", "max": 1}, five_a_minute()]);
    let lab = lab_with(&limits, &json!({}));
    let mut stream = send(&lab);
    let question = asked(&lab);
    stream.reset();
    drop(stream);
    lab.answer(question.id, admit(5)).ok();
    let next = send(&lab);
    assert!(waits(&next));
    answer(&lab, admit(5));
    assert!(is_forwarded(&next));
}

#[test]
fn several_limits_are_asked_for_one_after_the_other() {
    let budget = json!({"counter": "spent", "window": "hour", "align": "calendar", "max": 100, "store": "global",
        "increment_from": "args.amount"});
    let lab = lab_with(&json!([five_a_minute(), budget]), &json!({}));
    let stream = send(&lab);
    answer(&lab, admit(5));
    assert!(waits(&stream));
    let question = asked(&lab);
    assert!(String::from_utf8_lossy(&question.body).contains("spent"));
    lab.answer(question.id, Answer::GrpcMessage(response(2, 100, HOUR, Some(9)))).unwrap();
    assert_eq!(lab.assert_denied(&stream, "")["rule"], "/tools/charge/limits/spent");
    let stream = send(&lab);
    answer(&lab, refuse(5));
    assert_eq!(lab.assert_denied(&stream, "")["rule"], "/tools/charge/limits/c");
    assert!(lab.pending_callouts().is_empty(), "nobody is asked after a refusal");
}

#[test]
fn more_than_a_limit_lets_through_at_all_is_refused_without_asking() {
    let budget = json!([{"counter": "spent", "window": "hour", "align": "calendar", "max": 2, "store": "global",
        "increment_from": "args.amount"}]);
    let lab = lab_with(&budget, &json!({}));
    lab.assert_denied(&send(&lab), "Waiting will not help.");
    assert!(lab.pending_callouts().is_empty());
}

#[test]
fn an_early_answer_of_the_server_waits_for_the_service() {
    let lab = lab();
    let stream = Request::post().set("x-key", "k").open(&lab.worker(0));
    let mut stream = stream;
    stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
    stream.request_body(call("charge", &json!({})), true);
    stream.response_body("{}", true);
    assert_eq!(stream.received().status(), None);
    answer(&lab, admit(5));
    assert_eq!((stream.received().status(), stream.received().text()), (Some(200), "{}".to_owned()));
}

#[test]
fn headers_that_are_held_wait_as_well() {
    let mut configuration = configuration(&json!([five_a_minute()]), &json!({}));
    configuration["request_headers"] = "hold".into();
    let host = filter()
        .configuration(configuration.to_string())
        .stop_iteration(host_test::HeaderStop::AllowOnHeaders)
        .start()
        .unwrap();
    host.set_cluster("ratelimit", Some(Cluster::Up));
    for (reply, passes) in [(admit(5), true), (refuse(5), false)] {
        let stream = Request::post().set("x-key", "k").send(&host.worker(0), call("charge", &json!({})));
        assert_eq!(stream.forwarded().headers, None);
        let id = host.pending_callouts().remove(0).id;
        host.answer(id, reply).unwrap();
        assert_eq!(is_forwarded(&stream), passes);
        assert_eq!(stream.forwarded().headers.is_some(), passes);
    }
}

#[test]
fn requests_with_trailers_wait_and_go_on() {
    let lab = lab();
    let mut stream = Request::post().set("x-key", "k").open(&lab.worker(0));
    stream.request_body(call("charge", &json!({})), false);
    stream.request_trailers(&[("x", "y")]);
    assert!(waits(&stream));
    answer(&lab, admit(5));
    assert_eq!(stream.forwarded().text(), call("charge", &json!({})));
}

#[test]
fn observing_asks_and_refuses_nothing() {
    let mut configuration = configuration(&json!([five_a_minute()]), &json!({}));
    configuration["mode"] = "observe".into();
    let lab = lab_of(&configuration);
    let stream = send(&lab);
    answer(&lab, refuse(5));
    assert!(is_forwarded(&stream));
    assert_eq!(lab.metric("limited"), 1);
}

#[test]
fn a_batch_is_asked_about_call_by_call() {
    let lab = lab();
    let charge = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "charge"}});
    let batch = || lab.post(json!([charge(1), charge(2)]).to_string());
    let stream = batch();
    answer(&lab, admit(5));
    assert!(waits(&stream));
    answer(&lab, admit(5));
    assert!(is_forwarded(&stream));
    let stream = batch();
    answer(&lab, admit(5));
    answer(&lab, refuse(5));
    lab.assert_nothing_forwarded(&stream);
}
