//! HTTP and gRPC callouts.

use host_test::{Answer, Builder, CalloutKind, Cluster, Fault, HeaderMap, HostError};

use crate::guest::{Guest, POST, noted, stream_lines};

/// Three pairs: `:method` POST, `:path` /, `:authority` a.
fn pairs(guest: &mut Guest) -> String {
    let list: [(&str, &str); 3] = [(":method", "POST"), (":path", "/"), (":authority", "a")];
    let mut bytes = 3_u32.to_le_bytes().to_vec();
    for (name, value) in list {
        bytes.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
        bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    }
    list.iter().for_each(|(name, value)| bytes.extend(format!("{name}\0{value}\0").bytes()));
    guest.text(bytes)
}

/// Pauses on the headers and calls out; `$y` is the status.
fn calling_guest(cluster: &str) -> Guest {
    let mut guest = Guest::new();
    let (label, token) = (guest.text("call"), guest.text("token"));
    let (cluster, headers, body, none) = (guest.text(cluster), pairs(&mut guest), guest.text("ask"), guest.text(""));
    guest.on(
        "request_headers",
        format!(
            "(call $note {label} (call $http_call {cluster} {headers} {body} {none} (i32.const 50) (i32.const 700)))
             (call $note {token} (i32.load (i32.const 700))) (i32.const 1)"
        ),
    );
    guest
}

fn grpc_guest(service: &[u8]) -> Guest {
    let mut guest = Guest::new();
    let (label, token) = (guest.text("call"), guest.text("token"));
    let (service, name, method) = (guest.text(service), guest.text("pkg.Service"), guest.text("Method"));
    let (message, none) = (guest.text("ask"), guest.text(""));
    guest.on(
        "request_headers",
        format!(
            "(call $note {label} (call $grpc_call {service} {name} {method} {none} {message} (i32.const 50) (i32.const 700)))
             (call $note {token} (i32.load (i32.const 700))) (i32.const 1)"
        ),
    );
    guest
}

fn up(builder: Builder) -> Builder {
    builder.cluster("limits", Cluster::Up)
}

#[test]
fn an_answer_arrives_in_the_root_context_and_can_be_read_only_then() {
    let mut guest = calling_guest("limits");
    let (status, body, name) = (guest.text("status"), guest.text("body"), guest.text(":status"));
    let read = format!(
        "(call $note_result {status} (call $get_header_map_value (i32.const 6) {name} (i32.const 960) (i32.const 964)))
         (call $note_result {body} (call $get_buffer_bytes (i32.const 4) (i32.const 0) (i32.const 99) (i32.const 960) (i32.const 964)))"
    );
    guest.on(
        "http_call_response",
        format!(
            "{read} (drop (call $set_effective_context (i32.const 2))) (drop (call $continue_stream (i32.const 0)))"
        ),
    );
    guest.on("request_body", read + "(i32.const 0)");
    let host = up(guest.builder()).start().unwrap();
    let mut stream = host.worker(0).request(POST);
    let pending = host.pending_callouts();
    let callout = &pending[0];
    assert_eq!(
        (callout.kind, callout.cluster.as_str(), callout.body.as_slice()),
        (CalloutKind::Http, "limits", b"ask".as_slice())
    );
    assert_eq!((callout.headers.get(":path"), callout.timeout.unwrap().as_millis()), (Some("/"), 50));
    host.answer(callout.id, Answer::http(200, b"yes")).unwrap();
    assert_eq!(noted(&host, "token"), ["4"]);
    assert!(stream_lines(&host).contains(&"http_call_response 1 4 1 3 0".to_owned()));
    stream.request_body("x", true);
    assert_eq!(
        (noted(&host, "status"), noted(&host, "body")),
        (vec!["0".to_owned(), "200".into(), "2".into()], vec!["0".to_owned(), "yes".into(), "1".into()])
    );
    assert_eq!(stream.forwarded().text(), "x");
    assert!(matches!(host.answer(callout.id, Answer::Reset), Err(HostError::UnknownCallout)));
}

#[test]
fn a_broken_response_has_no_headers_and_what_never_began_has_envoy_s_own() {
    let mut guest = calling_guest("limits");
    let (label, message) = (guest.text("code"), guest.text("why"));
    guest.on(
        "http_call_response",
        format!(
            "(drop (call $get_status (i32.const 968) (i32.const 960) (i32.const 964)))
             (call $note {label} (i32.load (i32.const 968))) (call $note_given {message})"
        ),
    );
    let host = up(guest.builder()).start().unwrap();
    let worker = host.worker(0);
    let _streams: Vec<_> = (0..3).map(|_| worker.request(POST)).collect();
    let ids: Vec<_> = host.pending_callouts().iter().map(|callout| callout.id).collect();
    host.answer(ids[0], Answer::Reset).unwrap();
    host.answer(ids[1], Answer::Timeout).unwrap();
    host.answer(ids[2], Answer::Unreachable).unwrap();
    let callbacks: Vec<_> = stream_lines(&host).into_iter().filter(|line| line.starts_with("http_call")).collect();
    let expected = ["http_call_response 1 4 0 0 0", "http_call_response 1 8 3 24 0", "http_call_response 1 12 3 98 0"];
    assert_eq!(callbacks, expected);
    assert_eq!((noted(&host, "code")[0].as_str(), noted(&host, "why")[0].as_str()), ("11", "reset"));
}

#[test]
fn an_answer_may_come_when_its_stream_is_gone() {
    let mut guest = calling_guest("limits");
    let label = guest.text("effective");
    let none = guest.text("");
    guest.on(
        "http_call_response",
        format!(
            "(call $note {label} (call $set_effective_context (i32.const 2)))
             (drop (call $send_local_response (i32.const 403) {none} {none} {none} (i32.const -1)))"
        ),
    );
    let host = up(guest.builder()).start().unwrap();
    drop(host.worker(0).request(POST));
    let id = host.pending_callouts()[0].id;
    host.answer(id, Answer::http(200, b"")).unwrap();
    assert_eq!(noted(&host, "effective"), ["2"]);
    assert_eq!(host.take_faults(), [Fault::NoStream { context: 1, call: "proxy_send_local_response" }]);
}

#[test]
fn a_reply_from_an_answer_passes_the_response_callbacks() {
    let mut guest = calling_guest("limits");
    let none = guest.text("");
    guest.on(
        "http_call_response",
        format!(
            "(drop (call $set_effective_context (i32.const 2)))
             (drop (call $send_local_response (i32.const 403) {none} {none} {none} (i32.const -1)))"
        ),
    );
    let host = up(guest.builder()).start().unwrap();
    let stream = host.worker(0).request(POST);
    host.answer(host.pending_callouts()[0].id, Answer::http(200, b"")).unwrap();
    assert_eq!(stream.received().status(), Some(403));
    let lines = stream_lines(&host);
    assert_eq!(lines[lines.len() - 4..], ["response_headers 2 1 1", "log 2", "done 2", "delete 2"]);
}

#[test]
fn calls_that_cannot_be_sent_fail_at_once() {
    let call = |guest: &mut Guest| {
        let host = guest.builder().cluster("down", Cluster::Down).start().unwrap();
        host.worker(0).request(POST);
        assert!(host.pending_callouts().is_empty());
        (noted(&host, "call")[0].clone(), stream_lines(&host).iter().any(|line| line.starts_with("grpc_close 1 5 14")))
    };
    assert_eq!(call(&mut calling_guest("nowhere")), ("2".to_owned(), false));
    assert_eq!(call(&mut calling_guest("down")), ("10".to_owned(), false));
    assert_eq!(call(&mut grpc_guest(b"nowhere")), ("4".to_owned(), false));
    // A gRPC call that fails at once is closed all the same, by a token that the filter was never given.
    assert_eq!(call(&mut grpc_guest(b"down")), ("10".to_owned(), true));
    assert_eq!(call(&mut grpc_guest(b"\x0a\x09\x0a\x07nowhere")), ("10".to_owned(), true));
}

#[test]
fn a_grpc_call_ends_with_its_message_or_with_a_status() {
    let mut guest = grpc_guest(b"\x0a\x08\x0a\x06limits");
    let body = guest.text("body");
    guest.on(
        "grpc_receive",
        format!("(call $note_result {body} (call $get_buffer_bytes (i32.const 5) (i32.const 0) (i32.const 99) (i32.const 960) (i32.const 964)))"),
    );
    let host = up(guest.builder()).start().unwrap();
    let streams: Vec<_> = (0..4).map(|_| host.worker(0).request(POST)).collect();
    let pending = host.pending_callouts();
    assert_eq!(pending[0].method, Some(("pkg.Service".to_owned(), "Method".to_owned())));
    assert!(matches!(host.answer(pending[0].id, Answer::http(200, b"")), Err(HostError::WrongAnswer)));
    host.answer(pending[0].id, Answer::GrpcMessage(b"yes".to_vec())).unwrap();
    host.answer(pending[1].id, Answer::GrpcClose { status: 8, message: "full".to_owned() }).unwrap();
    host.answer(pending[2].id, Answer::Timeout).unwrap();
    host.answer(pending[3].id, Answer::Reset).unwrap();
    let callbacks: Vec<_> = stream_lines(&host).into_iter().filter(|line| line.starts_with("grpc_")).collect();
    assert_eq!(callbacks, ["grpc_receive 1 5 3", "grpc_close 1 9 8", "grpc_close 1 13 14", "grpc_close 1 17 14"]);
    assert_eq!(noted(&host, "body"), ["0", "yes"]);
    assert!(host.pending_callouts().is_empty());
    drop(streams);
}

#[test]
fn a_cancelled_call_is_never_answered() {
    let mut guest = grpc_guest(b"limits");
    let label = guest.text("cancel");
    guest.on(
        "request_body",
        format!(
            "(call $note {label} (call $grpc_cancel (i32.const 5))) (call $note {label} (call $grpc_cancel (i32.const 5)))
             (call $note {label} (call $grpc_close (i32.const 4))) (i32.const 0)"
        ),
    );
    let host = up(guest.builder()).stop_iteration(host_test::HeaderStop::AllowOnHeaders).start().unwrap();
    let mut stream = host.worker(0).request(POST);
    let id = host.pending_callouts()[0].id;
    stream.request_body("x", true);
    assert_eq!(noted(&host, "cancel"), ["0", "1", "2"]);
    assert!(matches!(host.answer(id, Answer::Reset), Err(HostError::UnknownCallout)));
}

#[test]
fn a_grpc_stream_sends_and_receives_until_it_is_closed() {
    let mut guest = Guest::new();
    let (service, name, method, none) = (guest.text("limits"), guest.text("S"), guest.text("M"), guest.text(""));
    let one = guest.text("one");
    guest.on(
        "request_headers",
        format!(
            "(drop (call $grpc_stream {service} {name} {method} {none} (i32.const 700)))
             (drop (call $grpc_send (i32.load (i32.const 700)) {one} (i32.const 0))) (i32.const 0)"
        ),
    );
    let host = up(guest.builder()).start().unwrap();
    let _stream = host.worker(0).request(POST);
    let callout = &host.pending_callouts()[0];
    assert_eq!((callout.kind, callout.token, callout.body.as_slice()), (CalloutKind::GrpcStream, 6, b"one".as_slice()));
    host.answer(callout.id, Answer::GrpcInitialMetadata(HeaderMap::new(&[("a", "1")]))).unwrap();
    host.answer(callout.id, Answer::GrpcMessage(b"yes".to_vec())).unwrap();
    host.answer(callout.id, Answer::GrpcClose { status: 0, message: String::new() }).unwrap();
    let callbacks: Vec<_> = stream_lines(&host).into_iter().filter(|line| line.starts_with("grpc_")).collect();
    assert_eq!(callbacks, ["grpc_receive_initial_metadata 1 6 1", "grpc_receive 1 6 3", "grpc_close 1 6 0"]);
    assert!(host.pending_callouts().is_empty());
}
