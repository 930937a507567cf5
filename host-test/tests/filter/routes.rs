//! Which policies a request is judged by.

use host_test::Value as Property;
use serde_json::{Value, json};

use crate::claims::jwt;
use crate::lab::{Lab, Request, call, is_forwarded, message, tools};

fn policies() -> Value {
    json!({"first": tools(json!({"one": {}})), "second": tools(json!({"two": {}}))})
}

fn lab(routes: Value, members: Value) -> Lab {
    let mut whole = json!({"policies": policies(), "routes": routes});
    // A policy that no route uses is a mistake.
    let used = whole["routes"].to_string();
    whole["policies"].as_object_mut().unwrap().retain(|name, _| used.contains(name));
    whole.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    Lab::new(&whole)
}

/// Which of the two policies judges a request, by what it lets through; none if nothing passes.
#[track_caller]
fn judge(lab: &Lab, request: &Request) -> Option<&'static str> {
    let admits = |tool| is_forwarded(&request.send(&lab.worker(0), call(tool, &json!({}))));
    match (admits("one"), admits("two")) {
        (true, false) => Some("first"),
        (false, true) => Some("second"),
        (false, false) => None,
        (true, true) => Some("nobody"),
    }
}

fn to_host(host: &str) -> Request {
    Request::post().set(":authority", host)
}

fn to_path(path: &str) -> Request {
    Request::post().set(":path", path)
}

#[test]
fn a_host_is_compared_without_case_port_and_trailing_dot() {
    let lab = lab(json!([{"host": "MCP.example.com", "policy": "first"}, {"policy": "second"}]), json!({}));
    for host in
        ["mcp.example.com", "MCP.EXAMPLE.COM", "mcp.example.com:443", "mcp.example.com.", "mcp.example.com.:8443"]
    {
        assert_eq!(judge(&lab, &to_host(host)), Some("first"), "{host}");
    }
    for host in ["example.com", "mcp.example.com.evil", "xmcp.example.com", "mcp.example.com..", ""] {
        assert_eq!(judge(&lab, &to_host(host)), Some("second"), "{host}");
    }
}

#[test]
fn an_ipv6_host_stands_in_brackets() {
    let lab = lab(json!([{"host": "[2001:db8::1]", "policy": "first"}, {"policy": "second"}]), json!({}));
    assert_eq!(judge(&lab, &to_host("[2001:db8::1]")), Some("first"));
    assert_eq!(judge(&lab, &to_host("[2001:DB8::1]:8443")), Some("first"));
    assert_eq!(judge(&lab, &to_host("[2001:db8::2]")), Some("second"));
}

#[test]
fn a_path_is_compared_in_one_spelling() {
    let lab = lab(json!([{"path": "/lab/mcp", "policy": "first"}, {"policy": "second"}]), json!({}));
    for path in [
        "/lab/mcp",
        "/lab/mcp?x=/other",
        "/%6cab/mc%70",
        "/lab//mcp",
        "//lab/mcp",
        "/lab/./mcp",
        "/x/../lab/mcp",
        "/lab/x/%2e%2e/mcp",
        "/lab/mcp/",
        "/lab/mcp#f",
    ] {
        assert_eq!(judge(&lab, &to_path(path)), Some("first"), "{path}");
    }
    for path in ["/lab/mcp2", "/lab", "/x/lab/mcp", "/lab/mcp/sub"] {
        assert_eq!(judge(&lab, &to_path(path)), Some("second"), "{path}");
    }
    // Some servers take these for the path of the first route.
    for path in [
        "/lab%2fmcp",
        "/lab%2Fmcp",
        "/lab\\mcp",
        "/lab%5cmcp",
        "/x/..%2flab/mcp",
        "/%256cab/mcp",
        "/LAB/mcp",
        "/lab/mc%50",
        "/lab;v=1/mcp",
        "/lab/mcp;jsessionid=1",
        "/lab/mcp%3bx",
        "/x/..;/lab/mcp",
    ] {
        assert_eq!(judge(&lab, &to_path(path)), None, "{path}");
    }
}

#[test]
fn a_path_may_be_a_glob() {
    let lab = lab(json!([{"path": "/lab/*", "policy": "first"}, {"policy": "second"}]), json!({}));
    assert_eq!(judge(&lab, &to_path("/lab/a/b")), Some("first"));
    assert_eq!(judge(&lab, &to_path("/lab/../other")), Some("second"));
    assert_eq!(judge(&lab, &to_path("/lab/a/../../other")), Some("second"));
}

#[test]
fn envoys_own_route_and_cluster_names_choose() {
    let lab =
        lab(json!([{"route": "robots", "policy": "first"}, {"cluster": "mlflow", "policy": "second"}]), json!({}));
    let at = |route: &str, cluster: &str| {
        Request::post().property(&["xds", "route_name"], route).property(&["xds", "cluster_name"], cluster)
    };
    assert_eq!(judge(&lab, &at("robots", "mlflow")), Some("first"));
    assert_eq!(judge(&lab, &at("other", "mlflow")), Some("second"));
    assert_eq!(judge(&lab, &at("Robots", "other")), None);
    assert_eq!(judge(&lab, &Request::post()), None);
}

#[test]
fn all_conditions_of_a_route_must_hold_and_the_first_route_that_matches_wins() {
    let lab = lab(
        json!([{"host": "a.example", "path": "/mcp", "policy": "first"}, {"host": "a.example", "policy": "second"}, {"policy": "first"}]),
        json!({}),
    );
    assert_eq!(judge(&lab, &to_host("a.example")), Some("first"));
    assert_eq!(judge(&lab, &to_host("a.example").set(":path", "/other")), Some("second"));
    assert_eq!(judge(&lab, &to_host("b.example")), Some("first"));
}

#[test]
fn when_holds_for_a_claim_or_an_element_of_one() {
    let routes = json!([
        {"when": {"claims.groups": "robotics"}, "policy": "first"},
        {"when": {"claims.realm.role": "reader", "claims.level": "low"}, "policy": "second"}]);
    let lab = lab(routes, json!({"identity": {"grant": [{"jwt_claim": "sub"}]}}));
    let claims = |claims: Value| Request::post().property(&["metadata"], Property::Bytes(jwt(claims)));
    assert_eq!(judge(&lab, &claims(json!({"groups": "robotics"}))), Some("first"));
    assert_eq!(judge(&lab, &claims(json!({"groups": ["x", "robotics"]}))), Some("first"));
    assert_eq!(judge(&lab, &claims(json!({"realm": {"role": "reader"}, "level": "low"}))), Some("second"));
    for none in [
        json!({"groups": "robotics2"}),
        json!({"groups": [["robotics"]]}),
        json!({"groups": {"robotics": "robotics"}}),
        json!({"realm": {"role": "reader"}}),
        json!({}),
    ] {
        assert_eq!(judge(&lab, &claims(none.clone())), None, "{none}");
    }
}

#[test]
fn where_only_when_fails_the_call_is_denied_and_never_passed() {
    let routes = json!([{"host": "lab.example", "when": {"claims.team": "a"}, "policy": "first"}]);
    let lab = lab(routes, json!({"unmatched": "pass"}));
    let request = to_host("lab.example");
    let stream = request.send(&lab.worker(0), call("one", &json!({})));
    assert_eq!(lab.assert_denied(&stream, "")["rule"], "(no policy)");
    let get = Request::get().set(":authority", "lab.example").send_without_body(&lab.worker(0));
    lab.assert_nothing_forwarded(&get);
    // Even what otherwise passes.
    let list = request.send(&lab.worker(0), crate::lab::request("tools/list", &json!({})));
    lab.assert_nothing_forwarded(&list);
    assert!(message(&list)["error"].is_object());
    // Elsewhere nothing is policed.
    assert_eq!(judge(&lab, &to_host("other.example")), Some("nobody"));
}

#[test]
fn a_later_route_may_take_those_for_whom_when_fails() {
    let routes = json!([{"host": "lab.example", "when": {"claims.team": "a"}, "policy": "first"}, {"host": "lab.example", "policy": "second"}]);
    let lab = lab(routes, json!({}));
    assert_eq!(judge(&lab, &to_host("lab.example")), Some("second"));
}

#[test]
fn what_no_route_names_is_denied_or_passed() {
    let routes = || json!([{"host": "lab.example", "policy": "first"}]);
    let deny = lab(routes(), json!({}));
    let stream = to_host("other.example").send(&deny.worker(0), call("one", &json!({})));
    assert_eq!(deny.assert_denied(&stream, "")["rule"], "(no policy)");
    let pass = lab(routes(), json!({"unmatched": "pass"}));
    let put = Request::bare("PUT").set(":authority", "other.example").set("x-envoy-retry-on", "5xx");
    let mut stream = put.open(&pass.worker(0));
    stream.request_body("not json", false);
    assert_eq!(stream.forwarded().text(), "not json", "not even held");
    stream.request_body("", true);
    assert_eq!(stream.forwarded().header("x-envoy-retry-on"), Some("5xx"), "nor touched");
    assert_eq!(judge(&pass, &to_host("lab.example")), Some("first"));
}

#[test]
fn pass_paths_are_not_judged() {
    let lab = lab(json!([{"policy": "first"}]), json!({"pass_paths": ["/.well-known/oauth-*", "/health"]}));
    let passes = |path: &str| is_forwarded(&Request::bare("GET").set(":path", path).send_without_body(&lab.worker(0)));
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server?x", "/health"] {
        assert!(passes(path), "{path}");
    }
    for path in [
        "/healthz",
        "/.well-known/other",
        "/.well-known/oauth-x/../../mcp",
        "/.well-known/oauth-x/%2e%2e/%2E%2E/mcp",
        "/mcp?/health",
    ] {
        assert!(!passes(path), "{path}");
    }
}

#[test]
fn a_pass_path_does_not_open_what_a_server_may_read_as_another_path() {
    // A server that decodes slashes first, or takes a backslash for one, sees `/mcp`.
    let lab = lab(json!([{"policy": "first"}]), json!({"pass_paths": ["/.well-known/oauth-*"]}));
    for path in [
        "/.well-known/oauth-x/..%2f..%2fmcp",
        "/.well-known/oauth-x%2f..%2f..%2fmcp",
        "/.well-known/oauth-x\\..\\..\\mcp",
        "/.well-known/oauth-x/..%5c..%5cmcp",
    ] {
        let stream = to_path(path).send(&lab.worker(0), call("two", &json!({})));
        assert!(!is_forwarded(&stream), "forwarded unjudged: {path}");
    }
}

#[test]
fn all_policies_of_a_list_must_allow() {
    let company = tools(json!({"shared": {}, "only_company": {}, "limited": {}}));
    let team = tools(json!({"shared": {}, "only_team": {}, "limited": {}}));
    let lab = Lab::new(&json!({
        "policies": {"company": company, "team": team}, "routes": [{"policy": ["company", "team"]}]}));
    assert!(lab.admits("shared"));
    assert!(!lab.admits("only_company") && !lab.admits("only_team") && !lab.admits("neither"));
}

#[test]
fn limits_of_a_list_of_policies_are_taken_together() {
    let limited = |max: u32| tools(json!({"run": {"limits": [{"counter": "c", "window": "hour", "max": max}]}}));
    let lab = Lab::new(&json!({
        "policies": {"company": limited(5), "team": limited(2)},
        "routes": [{"host": "team.example", "policy": ["company", "team"]}, {"policy": "company"}]}));
    let run = |host: &str| is_forwarded(&to_host(host).send(&lab.worker(0), call("run", &json!({}))));
    assert_eq!((0..6).filter(|_| run("team.example")).count(), 2);
    // What the team's limit refused took nothing from the company's.
    assert_eq!((0..6).filter(|_| run("other.example")).count(), 3);
}
