//! Methods and headers of HTTP.

use host_test::Worker;
use serde_json::{Value, json};

use crate::lab::{Request, assert_forwarded, call, in_both_modes, is_forwarded};

fn allow_all() -> Value {
    json!({"version": "1", "default": "allow"})
}

fn sent(request: &Request, worker: &Worker) -> host_test::HeaderMap {
    let stream = request.send(worker, call("a", &json!({})));
    assert!(is_forwarded(&stream), "{}", stream.received().text());
    stream.forwarded().headers.unwrap()
}

#[test]
fn get_needs_to_accept_events() {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        let worker = lab.worker(0);
        assert!(is_forwarded(&Request::get().send_without_body(&worker)));
        assert!(is_forwarded(
            &Request::get().set("accept", "application/json, Text/Event-Stream").send_without_body(&worker)
        ));
        for request in
            [Request::bare("GET"), Request::get().set("accept", "*/*"), Request::get().set("accept", "text/html")]
        {
            lab.assert_refused(&request.send_without_body(&worker), 405);
        }
    });
}

#[test]
fn delete_needs_a_session_and_options_to_be_a_preflight() {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        let worker = lab.worker(0);
        let delete = Request::bare("DELETE");
        lab.assert_refused(&delete.send_without_body(&worker), 405);
        assert!(is_forwarded(&delete.set("mcp-session-id", "s").send_without_body(&worker)));
        let options = Request::bare("OPTIONS");
        lab.assert_refused(&options.send_without_body(&worker), 405);
        lab.assert_refused(&options.clone().set("origin", "https://a").send_without_body(&worker), 405);
        let preflight = options.set("origin", "https://a").set("access-control-request-method", "POST");
        assert!(is_forwarded(&preflight.send_without_body(&worker)));
    });
}

#[test]
fn other_methods_are_refused_with_and_without_body() {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        let worker = lab.worker(0);
        for method in ["PUT", "PATCH", "TRACE", "CONNECT", "QUERY", "post", "Post"] {
            let request = Request::bare(method).set("accept", "text/event-stream").set("mcp-session-id", "s");
            let stream = request.send_without_body(&worker);
            lab.assert_refused(&stream, 405);
            assert!(stream.received().header("allow").unwrap().contains("POST"));
            lab.assert_refused(&request.send(&worker, call("a", &json!({}))), 405);
        }
        let head = Request::bare("HEAD").set("accept", "text/event-stream").send_without_body(&worker);
        lab.assert_nothing_forwarded(&head);
        assert_eq!(head.received().status(), Some(405));
    });
}

#[test]
fn only_post_may_carry_a_body() {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        let worker = lab.worker(0);
        let delete = Request::bare("DELETE").set("mcp-session-id", "s");
        let preflight =
            Request::bare("OPTIONS").set("origin", "https://a").set("access-control-request-method", "POST");
        for request in [Request::get(), delete, preflight] {
            let stream = request.send(&worker, call("a", &json!({})));
            lab.assert_nothing_forwarded(&stream);
            assert_eq!(stream.received().status(), Some(400));
            let mut stream = request.open(&worker);
            stream.request_body("", false).request_body("x", false);
            lab.assert_nothing_forwarded(&stream);
            // Not a body: it only ends differently.
            let mut stream = request.open(&worker);
            stream.request_body("", true);
            assert!(is_forwarded(&stream));
            let mut stream = request.open(&worker);
            stream.request_trailers(&[("x", "1")]);
            assert!(is_forwarded(&stream));
        }
    });
}

#[test]
fn a_body_after_an_early_answer_to_a_get_is_not_forwarded() {
    let lab = crate::lab::Lab::new(&allow_all());
    let mut stream = Request::get().open(&lab.worker(0));
    stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
    stream.request_body(call("a", &json!({})), true);
    assert_eq!(stream.forwarded().text(), "");
    drop(stream);
    lab.assert_at_most_late();
}

#[test]
fn upgrades_are_refused() {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        let upgrade = |request: Request| request.set("connection", "Upgrade").set("upgrade", "websocket");
        let get = upgrade(Request::get()).send_without_body(&lab.worker(0));
        lab.assert_nothing_forwarded(&get);
        let post = upgrade(Request::post()).send(&lab.worker(0), call("a", &json!({})));
        lab.assert_nothing_forwarded(&post);
    });
}

#[test]
fn range_is_removed() {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        let headers = sent(&Request::post().set("range", "bytes=0-5").add("range", "bytes=9-"), &lab.worker(0));
        assert_eq!(headers.get("range"), None);
        let get = Request::get().set("range", "bytes=5-").send_without_body(&lab.worker(0));
        assert_eq!(get.forwarded().header("range"), None);
    });
}

#[test]
fn an_answer_that_can_be_read_is_asked_for() {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        for request in [
            Request::post().set("accept-encoding", "gzip, br"),
            Request::post().set("accept-encoding", "identity, gzip"),
            Request::post().set("accept-encoding", "identity").add("accept-encoding", "gzip"),
            Request::post().set("accept-encoding", b"\xff, gzip"),
        ] {
            let headers = sent(&request, &lab.worker(0));
            assert_eq!(headers.get_all("accept-encoding"), ["identity"], "{request:?}");
        }
        let get = Request::get().set("accept-encoding", "gzip").send_without_body(&lab.worker(0));
        assert_eq!(get.forwarded().header("accept-encoding"), Some("identity"));
    });
}

#[test]
fn an_admitted_call_is_sent_once() {
    let asking = Request::post()
        .set("x-envoy-max-retries", "5")
        .set("x-envoy-retry-on", "5xx")
        .set("x-envoy-retry-grpc-on", "cancelled")
        .set("x-envoy-retriable-status-codes", "503")
        .set("x-envoy-retriable-header-names", "x-again")
        .set("x-envoy-hedge-on-per-try-timeout", "true");
    in_both_modes(&allow_all(), &json!({}), |lab| {
        let headers = sent(&asking, &lab.worker(0));
        assert_eq!(headers.get_all("x-envoy-max-retries"), ["0"]);
        let left: Vec<String> = headers.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
        let left: Vec<_> = left.iter().filter(|name| name.contains("retr") || name.contains("hedge")).collect();
        assert_eq!(left, ["x-envoy-max-retries"]);
        assert_eq!(sent(&Request::post(), &lab.worker(0)).get("x-envoy-max-retries"), Some("0"));
    });
    in_both_modes(&allow_all(), &json!({"retries": "route"}), |lab| {
        let headers = sent(&asking, &lab.worker(0));
        assert_eq!(headers.get("x-envoy-max-retries"), Some("5"));
        assert_eq!(headers.get("x-envoy-retry-on"), Some("5xx"));
        assert_eq!(sent(&Request::post(), &lab.worker(0)).get("x-envoy-max-retries"), None);
    });
}

#[test]
fn other_headers_are_left_as_they_are() {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        let body = call("a", &json!({}));
        let request = Request::post()
            .set("content-length", body.len().to_string())
            .set("authorization", "Bearer x")
            .add("x-twice", "1")
            .add("x-twice", "2")
            .set("x-odd", b"\xff\xfe");
        let stream = request.send(&lab.worker(0), &body);
        assert_forwarded(&stream, &body);
        let headers = stream.forwarded().headers.unwrap();
        assert_eq!(headers.get("content-length"), Some(body.len().to_string().as_str()));
        assert_eq!(headers.get("authorization"), Some("Bearer x"));
        assert_eq!(headers.get_all("x-twice"), ["1", "2"]);
        assert_eq!(headers.get_bytes(b"x-odd"), Some(&b"\xff\xfe"[..]));
    });
}
