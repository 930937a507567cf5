use super::*;

fn outcome(text: &str, tool: &str, arguments: &str) -> String {
    outcome_of(&policy(text), &call(tool, arguments), &FACTS)
}

#[test]
fn hidden_comes_before_everything_and_has_no_exceptions() {
    let text = r#"{"version":"1","default":"allow","hide":["delete_*"],"tools":{"delete_run":{}}}"#;
    assert_eq!(outcome(text, "delete_run", "{}"), "hidden (hidden)");
    assert_eq!(outcome(text, "get_run", "{}"), "allow");
    let all = r#"{"version":"1","default":"allow","hide":["*"]}"#;
    assert_eq!(outcome(all, "anything", "{}"), "hidden (hidden)");
}

#[test]
fn what_no_rule_names_gets_the_default() {
    let deny = r#"{"version":"1","default":"deny","tools":{"get_run":{}}}"#;
    assert_eq!(outcome(deny, "get_runs", "{}"), "deny (default deny) This is not allowed by policy.");
    assert_eq!(outcome(deny, "Get_run", "{}"), "deny (default deny) This is not allowed by policy.");
    assert_eq!(outcome(deny, "get_run ", "{}"), "deny (default deny) This is not allowed by policy.");
    assert_eq!(outcome(deny, "get_run", "{}"), "allow");
    assert_eq!(outcome(r#"{"version":"1","default":"allow"}"#, "get_runs", "{}"), "allow");
}

#[test]
fn an_exact_name_wins_over_globs_and_the_longest_glob_over_others() {
    let text = r#"{"version":"1","default":"deny","tools":{
        "get_*": {"action":"deny","reason":"one"}, "get_run*": {"action":"deny","reason":"two"}, "get_run": {}}}"#;
    assert_eq!(outcome(text, "get_run", "{}"), "allow");
    assert_eq!(outcome(text, "get_runs", "{}"), "deny /tools/get_run* two");
    assert_eq!(outcome(text, "get_model", "{}"), "deny /tools/get_* one");
}

#[test]
fn action_deny_comes_before_all_tools() {
    let text = r#"{"version":"1","default":"allow","tools":{"a":{"action":"deny","reason":"Not a."}},
        "all_tools":{"deny_if":[{"conditions":[],"on_deny":"Nothing today."}]}}"#;
    assert_eq!(outcome(text, "a", "{}"), "deny /tools/a Not a.");
    assert_eq!(outcome(text, "b", "{}"), "deny /all_tools/deny_if/0 Nothing today.");
}

const FULL: &str = r#"{"version":"1","default":"deny",
    "all_tools":{
        "require":[{"conditions":[{"path":"args.lab","op":"eq","value":"a"}],"on_deny":"r2"}],
        "deny_if":[{"conditions":[{"path":"args.all","op":"exists"}],"on_deny":"d2"}],
        "limits":[{"counter":"every","window":"hour","max":100}]},
    "tools":{"t":{
        "action":"require_approval","reason":"Ask Ann.",
        "require":[{"conditions":[{"path":"args.ok","op":"eq","value":true}],"on_deny":"r1"}],
        "deny_if":[{"conditions":[{"path":"args.bad","op":"exists"}],"on_deny":"d1"}],
        "limits":[{"counter":"own","window":"minute","max":10}]}}}"#;

#[test]
fn require_comes_before_deny_if_and_the_tool_before_all_tools() {
    assert_eq!(outcome(FULL, "t", r#"{"bad":1,"all":1}"#), "deny /tools/t/require/args.ok-eq r1");
    assert_eq!(outcome(FULL, "t", r#"{"ok":true,"bad":1,"all":1}"#), "deny /all_tools/require/args.lab-eq r2");
    assert_eq!(
        outcome(FULL, "t", r#"{"ok":true,"lab":"a","bad":1,"all":1}"#),
        "deny /tools/t/deny_if/args.bad-exists d1"
    );
    assert_eq!(outcome(FULL, "t", r#"{"ok":true,"lab":"a","all":1}"#), "deny /all_tools/deny_if/args.all-exists d2");
}

#[test]
fn approval_comes_last_and_names_what_is_to_be_taken() {
    assert_eq!(
        outcome(FULL, "t", r#"{"ok":true,"lab":"a"}"#),
        "approve /tools/t Ask Ann. /tools/t/limits/own+1 /all_tools/limits/every+1"
    );
}

#[test]
fn all_tools_adds_to_tools_that_only_the_default_allows() {
    let text =
        r#"{"version":"1","default":"allow","all_tools":{"limits":[{"counter":"every","window":"hour","max":100}]}}"#;
    assert_eq!(outcome(text, "t", "{}"), "allow /all_tools/limits/every+1");
}

#[test]
fn deny_if_without_conditions_always_refuses() {
    let text =
        r#"{"version":"1","default":"allow","tools":{"pay":{"deny_if":[{"on_deny":"Requires human approval."}]}}}"#;
    assert_eq!(outcome(text, "pay", "{}"), "deny /tools/pay/deny_if/0 Requires human approval.");
}

#[test]
fn an_amount_is_exact_millionths_and_an_unclear_one_refuses() {
    let text = r#"{"version":"1","default":"deny","tools":{"pay":{"limits":[
        {"counter":"spent","window":"day","max":100,"increment_from":"args.amount"}]}}}"#;
    assert_eq!(outcome(text, "pay", r#"{"amount":0.1}"#), "allow /tools/pay/limits/spent+100000");
    assert_eq!(outcome(text, "pay", r#"{"amount":12}"#), "allow /tools/pay/limits/spent+12000000");
    for unclear in [
        r#"{}"#,
        r#"{"amount":"12"}"#,
        r#"{"amount":-1}"#,
        r#"{"amount":0.0000001}"#,
        r#"{"amount":null}"#,
        r#"{"amount":1,"Amount":2}"#,
    ] {
        assert!(outcome(text, "pay", unclear).starts_with("deny /tools/pay/limits/spent "), "{unclear}");
    }
}

#[test]
fn prompts_resources_and_methods_are_judged_by_their_own_rules() {
    let text = policy(
        r#"{"version":"1","default":"deny",
        "resources":{"default":"deny","hide":["file:///srv/secret/*"],"uris":{"file:///srv/*":{},"file:///srv/x":{"action":"deny"}}},
        "prompts":{"default":"allow","hide":["draft"],"names":{"old":{"action":"deny","reason":"Too old."}}},
        "methods":{"custom/allowed":{},"tasks/cancel":{"action":"deny"},"ping":{"action":"deny","reason":"Be quiet."}}}"#,
    );
    for (method, params, expected) in [
        ("resources/read", r#"{"uri":"file:///srv/lab/a"}"#, "allow"),
        (
            "resources/subscribe",
            r#"{"uri":"file:///srv/x"}"#,
            "deny /resources/uris/file:~1~1~1srv~1x This is not allowed by policy.",
        ),
        (
            "resources/unsubscribe",
            r#"{"uri":"file:///etc/passwd"}"#,
            "deny (default deny) This is not allowed by policy.",
        ),
        ("resources/read", r#"{"uri":"file:///srv/secret/key"}"#, "hidden (hidden)"),
        ("resources/read", r#"{"uri":"file:///srv/x/../secret/key"}"#, "hidden (hidden)"),
        ("resources/read", r#"{"uri":"FILE://localhost/%73rv/secret/key"}"#, "hidden (hidden)"),
        ("resources/read", r#"{"uri":"file:///srv%2fsecret/key"}"#, "deny /resources The URI is ambiguous."),
        ("resources/subscribe", "{}", "deny /resources The URI is ambiguous."),
        ("resources/subscribe", r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#, "allow"),
        ("prompts/get", r#"{"name":"new"}"#, "allow"),
        ("prompts/get", r#"{"name":"old"}"#, "deny /prompts/names/old Too old."),
        ("prompts/get", r#"{"name":"draft"}"#, "hidden (hidden)"),
        ("completion/complete", r#"{"ref":{"type":"ref/prompt","name":"old"}}"#, "deny /prompts/names/old Too old."),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/resource","uri":"file:///etc/x"}}"#,
            "deny (default deny) This is not allowed by policy.",
        ),
        ("completion/complete", r#"{"ref":{"type":"ref/resource","uri":"file:///srv/lab/{run}.csv"}}"#, "allow"),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/resource","uri":"file:///srv/x/../secret/{key}"}}"#,
            "hidden (hidden)",
        ),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/resource","uri":"{+any}"}}"#,
            "deny /resources The URI is ambiguous.",
        ),
        ("resources/read", r#"{"uri":"file:///srv/lab/{run}.csv"}"#, "deny /resources The URI is ambiguous."),
        ("custom/allowed", "{}", "allow"),
        ("custom/other", "{}", "deny (default deny) This is not allowed by policy."),
        ("ping", "{}", "deny /methods/ping Be quiet."),
        ("tasks/cancel", "{}", "deny /methods/tasks~1cancel This is not allowed by policy."),
        ("tasks/get", "{}", "allow"),
        ("initialize", "{}", "allow"),
        ("server/discover", "{}", "allow"),
        ("logging/setLevel", "{}", "allow"),
        ("tools/list", "{}", "allow"),
    ] {
        assert_eq!(outcome_of(&text, &request(method, params), &FACTS), expected, "{method} {params}");
    }
}

#[test]
fn absent_sections_take_the_top_level_default() {
    let deny = policy(r#"{"version":"1","default":"deny"}"#);
    let allow = policy(r#"{"version":"1","default":"allow"}"#);
    for (method, params) in [
        ("resources/read", r#"{"uri":"a:b"}"#),
        ("prompts/get", r#"{"name":"p"}"#),
        ("completion/complete", r#"{"ref":{"type":"ref/prompt","name":"p"}}"#),
        ("subscriptions/listen", r#"{"notifications":{"resourceSubscriptions":["a:b"]}}"#),
        ("elicitation/create", r#"{}"#),
    ] {
        assert!(outcome_of(&deny, &request(method, params), &FACTS).starts_with("deny (default deny)"), "{method}");
        assert_eq!(outcome_of(&allow, &request(method, params), &FACTS), "allow", "{method}");
    }
}

#[test]
fn watching_several_resources_needs_each_to_be_allowed() {
    let text = policy(
        r#"{"version":"1","default":"deny","resources":{"default":"deny","hide":["file:///srv/secret/*"],
        "uris":{"file:///srv/*":{"rate_limit":"10/minute"},"file:///srv/x":{"action":"require_approval"}}}}"#,
    );
    let listen = |notifications: &str| {
        let params = format!(r#"{{"notifications":{notifications}}}"#);
        outcome_of(&text, &request("subscriptions/listen", &params), &FACTS)
    };
    let watch = |uris: &str| listen(&format!(r#"{{"toolsListChanged":true,"resourceSubscriptions":{uris}}}"#));
    let limit = "/resources/uris/file:~1~1~1srv~1*/rate_limit+1";
    assert_eq!(listen(r#"{"toolsListChanged":true}"#), "allow");
    assert_eq!(watch("[]"), "allow");
    // One request adds to a counter once.
    assert_eq!(watch(r#"["file:///srv/a","file:///srv/b"]"#), format!("allow {limit}"));
    assert_eq!(
        watch(r#"["file:///srv/a","file:///etc/passwd"]"#),
        "deny (default deny) This is not allowed by policy."
    );
    assert_eq!(watch(r#"["file:///srv/a","FILE:///srv/y/../secret/key"]"#), "hidden (hidden)");
    assert_eq!(watch(r#"["file:///srv/a","file:///srv%2fa"]"#), "deny /resources The URI is ambiguous.");
    let approve = watch(r#"["file:///srv/x","file:///srv/a"]"#);
    assert_eq!(approve, format!("approve /resources/uris/file:~1~1~1srv~1x This needs approval. {limit}"));
    assert_eq!(listen("null"), "allow");
    assert_eq!(watch("null"), "allow");
    let many = |count| format!("[{}]", vec![r#""file:///srv/a""#; count].join(","));
    assert_eq!(watch(&many(400)), format!("allow {limit}"));
    assert_eq!(watch(&many(500)), "deny /resources These are too many or too long URIs for one request.");
    for unclear in [r#""file:///srv/a""#, "[1]", r#"{"0":"file:///srv/a"}"#, "7", &many(900)] {
        let params = format!(r#"{{"notifications":{{"resourceSubscriptions":{unclear}}}}}"#);
        assert!(read(request("subscriptions/listen", &params).as_bytes(), 64).is_err(), "{unclear}");
    }
}

#[test]
fn regular_expressions_see_so_much_of_a_body_however_many_messages_it_holds() {
    let text = policy(
        r#"{"version":"1","default":"deny","tools":{"t":{"require":[{"conditions":[{"path":"args.x","op":"regex","value":"^a+$"}]}]}}}"#,
    );
    let message = call("t", &format!(r#"{{"x":"{}"}}"#, "a".repeat(6 * 1024)));
    let Ok(Message::Request { method, params, .. }) = read(message.as_bytes(), 64) else { panic!("{message}") };
    let effort = Effort::default();
    let allowed = (0..5)
        .map(|_| matches!(judge(&text, &method, &params, None, &FACTS, &effort), Decision::Allow(_)))
        .collect::<Vec<_>>();
    assert_eq!(allowed, [true, true, false, false, false]);
}
