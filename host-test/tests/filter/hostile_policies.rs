//! Requests made to be expensive where the filter holds much against much: what the client sends times what the policy, or
//! the request's own headers, hold against it.

use host_test::{Host, Stream};
use serde_json::{Value, json};

use crate::lab::{Request, call_as, envelope, filter, is_forwarded, request};

/// As much of a body as the filter takes by default, with room for what stands around it.
const BODY: usize = 1_000_000;

/// What any request may cost: a twentieth of a second or so, in which the worker serves nobody else.
const MOST: u64 = 900_000_000;

/// A kind of text by its name, and the one at an index.
type Shape = (&'static str, fn(usize) -> String);

/// A host with one policy that holds everywhere, and no end to what a callback may cost.
fn host(policy: Value) -> Host {
    let configuration = envelope(policy, json!({})).to_string();
    filter().fuel_limit(1 << 40).configuration(configuration).start().unwrap()
}

/// What a request costs, in instructions, and what became of it.
#[track_caller]
fn cost(host: &Host, request: &Request, body: &str) -> (u64, Stream) {
    let worker = host.worker(0);
    let before = worker.fuel_used();
    let stream = request.send(&worker, body);
    assert!(is_forwarded(&stream) || stream.reply().is_some_and(|reply| reply.by_filter), "{:?}", stream.reply());
    assert_eq!(host.take_faults(), []);
    (worker.fuel_used() - before, stream)
}

/// So many elements of an array as are `length` bytes long.
fn fill(length: usize, element: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for index in 0.. {
        if text.len() > length {
            break;
        }
        text += &element(index);
        text.push(',');
    }
    text.pop();
    text
}

#[test]
fn headers_that_repeat_arguments_cost_little_for_each_argument() {
    let host = host(json!({"version": "1", "default": "allow"}));
    // Envoy takes a hundred headers unless told otherwise.
    let request = |count: usize, value: fn(usize) -> String| {
        (0..count).fold(Request::post(), |request, index| request.add(&format!("mcp-param-{index}"), value(index)))
    };
    let call = |elements: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{{"a":[{elements}]}}}}}}"#
        )
    };
    let headers: [Shape; 4] = [
        ("one number", |_| "1".into()),
        ("numbers", |index| format!("-{index}.5")),
        ("one text", |_| "a".into()),
        ("texts that differ at their ends", |index| format!("{}{index:03}", "x".repeat(497))),
    ];
    let scalars: [Shape; 5] = [
        ("one number", |_| "1".into()),
        ("numbers", |index| index.to_string()),
        ("texts", |index| format!("\"{index:x}\"")),
        ("escaped texts", |_| r#""\u0061""#.into()),
        ("long texts", |_| format!("\"{}\"", "x".repeat(500))),
    ];
    for (shape, scalar) in scalars {
        let body = call(&fill(BODY, scalar));
        for (values, value) in headers {
            for count in [60, 90] {
                let (instructions, _) = cost(&host, &request(count, value), &body);
                assert!(instructions < MOST, "{count} headers ({values}) and {shape}: {instructions} instructions");
            }
        }
    }
}

#[test]
fn a_record_costs_little_whatever_the_body_and_however_many_paths_it_holds() {
    let own: Vec<String> = (0..16).flat_map(|n| [format!("args.a{n}"), format!("args.list[*].a{n}")]).collect();
    let all: Vec<String> = (0..16).flat_map(|n| [format!("args.list[{n}]"), format!("args.deep.a{n}.b[*]")]).collect();
    let policy = json!({
        "version": "1", "default": "deny", "all_tools": {"record": all}, "tools": {"*": {"record": own}},
    });
    let audit = json!({"audit": {"digest_key": "0123456789abcdef0123456789abcdef"}});
    let start = |members: Value| {
        let configuration = envelope(policy.clone(), members).to_string();
        filter().fuel_limit(1 << 40).configuration(configuration).start().unwrap()
    };
    let (recording, silent) = (start(audit), start(json!({})));
    let call = |arguments: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{arguments}}}}}"#)
    };
    let shapes = [
        ("many arguments", format!("{{{}}}", fill(BODY, |index| format!("\"a{index}\":0")))),
        ("numbers", format!("{{\"list\":[{}]}}", fill(BODY, |_| "1".into()))),
        ("objects", format!("{{\"list\":[{}]}}", fill(BODY, |_| r#"{"a1":1}"#.into()))),
        ("objects without", format!("{{\"list\":[{}]}}", fill(BODY, |_| r#"{"A":1}"#.into()))),
        ("many members", format!("{{\"deep\":{{{}}}}}", fill(BODY, |index| format!("\"a{index}\":{{\"b\":[]}}")))),
        ("one text", format!("{{\"a0\":\"{}\"}}", "x".repeat(BODY))),
        ("white space", format!("{{\"a0\":[{}1]}}", " ".repeat(BODY))),
    ];
    for (shape, arguments) in shapes {
        let body = call(&arguments);
        let (with, stream) = cost(&recording, &Request::post(), &body);
        let (without, _) = cost(&silent, &Request::post(), &body);
        assert!(stream.filter_state("mcp_policy.audit").is_some());
        assert!(with - without < MOST, "{shape}: {} instructions", with - without);
    }
}

#[test]
fn the_most_calls_of_a_batch_with_many_limits_each_cost_little() {
    let limit = |name: &str, window: &str, scope: &str| json!({"counter": name, "window": window, "max": 1_000_000, "scope": scope});
    let policy = |count: usize| {
        let all =
            [("a", "hour", "grant"), ("b", "hour", "session"), ("c", "hour", "client_ip"), ("d", "hour", "global")];
        let own = [("e", "second", "grant"), ("f", "minute", "grant"), ("g", "hour", "grant"), ("h", "day", "grant")];
        let limits = |of: [(&str, &str, &str); 4]| {
            Value::from_iter(of.iter().take(count / 2).map(|(name, window, scope)| limit(name, window, scope)))
        };
        json!({"version": "1", "default": "deny", "all_tools": {"limits": limits(all)}, "tools": {"*": {"limits": limits(own)}}})
    };
    let batch = |count: usize| {
        let calls: Vec<String> = (0..count).map(|id| call_as(&json!(id), "t", &json!({}))).collect();
        format!("[{}]", calls.join(","))
    };
    let session = Request::post().set("mcp-session-id", "s");
    let of = |limits: usize, calls: usize| {
        let host = host(policy(limits));
        // The counters are made by the first.
        cost(&host, &session, &batch(1));
        let (instructions, stream) = cost(&host, &session, &batch(calls));
        assert!(is_forwarded(&stream));
        instructions
    };
    // Each charge is held against those before it, which is cheap: a few hundred charges cost a few milliseconds.
    let (one, most) = (of(2, 50), of(8, 50));
    assert!(most < one * 16, "four times the limits cost {most} instead of {one} instructions");
    assert!(most < 40_000_000, "{most} instructions");
}

#[test]
fn resources_cost_little_however_many_or_long_they_are_and_however_many_globs_there_are() {
    let rule = |index: usize| (format!("file:///srv/*/{}*/b*", "a".repeat(index)), json!({}));
    let hide: Vec<String> = (0..20).map(|index| format!("file:///*/secret*{index}/*")).collect();
    let mut uris: serde_json::Map<String, Value> = (0..50).map(rule).collect();
    uris.insert("file:///*".into(), json!({"limits": [{"counter": "all", "window": "hour", "max": 1_000_000}]}));
    let host =
        host(json!({"version": "1", "default": "deny", "resources": {"default": "deny", "uris": uris, "hide": hide}}));
    let shapes: [Shape; 5] = [
        ("short", |index| format!("file:///{index:x}")),
        ("ordinary", |index| format!("file:///srv/lab/secre/a/a/a/a/{index:x}")),
        ("of many names", |_| format!("file:///srv{}", "/a".repeat(3990))),
        ("of one name", |_| format!("file:///srv/{}", "secret".repeat(1300))),
        ("all but too far up", |_| format!("file:///srv{}/a", "/a/..".repeat(1500))),
    ];
    for (shape, uri) in shapes {
        for size in [60_000, BODY] {
            let uris = fill(size, |index| format!("\"{}\"", uri(index)));
            let listen = request("subscriptions/listen", &json!({"notifications": {"resourceSubscriptions": "[]"}}));
            let (instructions, _) = cost(&host, &Request::post(), &listen.replace(r#""[]""#, &format!("[{uris}]")));
            assert!(instructions < MOST, "{size} bytes of URIs, {shape}: {instructions} instructions");
        }
        let read = |id: usize| {
            json!({"jsonrpc": "2.0", "id": id, "method": "resources/read", "params": {"uri": uri(id)}}).to_string()
        };
        let batch: Vec<String> = (0..50).map(read).collect();
        let (instructions, _) = cost(&host, &Request::post(), &format!("[{}]", batch.join(",")));
        assert!(instructions < MOST, "a batch of URIs, {shape}: {instructions} instructions");
    }
}
