use super::*;
use crate::config;
use crate::listing::Kind;

const POLICY: &str = r#"{
    "version": "1", "default": "allow",
    "all_tools": { "schema": { "maxProperties": 3 } },
    "tools": {
        "create_run": {
            "schema": { "type": "object", "properties": { "robot_ip": { "type": "string" } }, "required": ["robot_ip"] },
            "require": [{ "conditions": [{ "path": "args.robot_ip", "op": "cidr", "value": "10.0.0.0/8" }], "on_deny": "Only lab robots." }]
        },
        "home": { "action": "require_approval", "schema": { "required": ["axis"] } },
        "never": { "schema": false }
    }
}"#;

fn outcome(tool: &str, arguments: &str) -> String {
    outcome_of(&policy(POLICY), &call(tool, arguments), &FACTS)
}

#[test]
fn arguments_of_the_wrong_shape_are_refused_before_anything_else_reads_them() {
    assert_eq!(outcome("create_run", r#"{"robot_ip":"10.1.2.3"}"#), "allow");
    assert_eq!(
        outcome("create_run", r#"{"robot_ip":7}"#),
        "deny /tools/create_run/schema args.robot_ip: must be a string (`type`)"
    );
    assert_eq!(outcome("create_run", "{}"), "deny /tools/create_run/schema args: `robot_ip` is missing (`required`)");
    assert_eq!(
        outcome("create_run", r#"{"robot_ip":"192.168.0.1"}"#),
        "deny /tools/create_run/require/args.robot_ip-cidr Only lab robots."
    );
    assert!(outcome("home", "{}").starts_with("deny /tools/home/schema"), "before anybody is asked");
    assert!(outcome("home", r#"{"axis":1}"#).starts_with("approve"));
    let without = request("tools/call", r#"{"name":"create_run"}"#);
    assert!(
        outcome_of(&policy(POLICY), &without, &FACTS).starts_with("deny /tools/create_run/schema args: `robot_ip`")
    );
}

#[test]
fn a_schema_of_all_tools_holds_beside_that_of_the_tool() {
    let many = r#"{"a":1,"b":2,"c":3,"robot_ip":"10.1.2.3"}"#;
    for tool in ["create_run", "of_no_rule"] {
        assert_eq!(outcome(tool, many), "deny /all_tools/schema args: must have at most 3 members (`maxProperties`)");
    }
    let wrong = outcome("create_run", r#"{"a":1,"b":2,"c":3,"d":4}"#);
    assert!(wrong.starts_with("deny /tools/create_run/schema"), "the tool's is looked at first: {wrong}");
}

#[test]
fn the_schema_false_refuses_outright() {
    assert_eq!(outcome("never", "{}"), "deny /tools/never/schema The arguments are not allowed by policy.");
    let listing = POLICY.replace(r#""default": "allow","#, r#""default": "allow", "listing": "allowed","#);
    assert_eq!(outcome_of(&policy(&listing), &call("never", "{}"), &FACTS), "hidden /tools/never/schema");
}

/// What the policies of a configuration's first route say, with its lock.
fn outcome_by_lock(configuration: &str, tool: &str, arguments: &str) -> String {
    let config = config::load(configuration.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
    let lock = config.locks.first().map(|(_, lock)| lock);
    let body = call(tool, arguments);
    let message = read(body.as_bytes(), 64).unwrap();
    let effort = Effort::default();
    let (_, policy) = &config.policies[0];
    match judge(policy, message.method().unwrap(), message.params().unwrap(), lock, &FACTS, &effort) {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Refuse(Refusal { kind: RefusalKind::Hidden, rule, .. }) => format!("hidden {rule}"),
        Decision::Refuse(refusal) | Decision::Approve(refusal, _) => format!("{} {}", refusal.rule, refusal.reason),
    }
}

#[test]
fn a_tool_whose_schema_is_not_pinned_is_not_among_the_allowed_ones() {
    let digest = "0".repeat(64);
    for (rules, rule) in [
        (r#""tools": { "list_*": { "schema": "from_lock" } }"#, "/tools/list_*/schema"),
        (r#""all_tools": { "schema": "from_lock" }, "tools": { "list_*": {} }"#, "/all_tools/schema"),
    ] {
        let configuration = |listing: &str| {
            format!(
                r#"{{
                    "policies": {{ "p": {{ "version": "1", "default": "deny", "listing": "{listing}", {rules} }} }},
                    "locks": {{ "lab": {{ "version": "1", "tools": {{
                        "list_runs": {{ "sha256": "{digest}", "inputSchema": {{ "maxProperties": 1 }} }},
                        "list_robots": {{ "sha256": "{digest}" }}
                    }} }} }},
                    "routes": [{{ "policy": "p", "lock": "lab" }}]
                }}"#
            )
        };
        let shown = |configuration: &str| {
            let config = config::load(configuration.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
            let lock = config.locks.first().map(|(_, lock)| lock);
            let shows = |tool| config.policies[0].1.shows(Kind::Tools, tool, lock);
            (shows("list_runs"), shows("list_robots"))
        };
        let (all, allowed) = (configuration("all"), configuration("allowed"));
        assert_eq!((shown(&all), shown(&allowed)), ((true, true), (true, false)), "{rule}");
        assert_eq!(outcome_by_lock(&allowed, "list_robots", "{}"), format!("hidden {rule}"));
        // What is refused for its arguments is there.
        let refused = outcome_by_lock(&allowed, "list_runs", r#"{"a":1,"b":2}"#);
        assert!(refused.starts_with(rule), "{refused}");
    }
}

#[test]
fn the_lock_has_the_schema_of_each_tool() {
    let digest = "0".repeat(64);
    let configuration = format!(
        r#"{{
            "policies": {{ "p": {{ "version": "1", "default": "deny", "tools": {{ "get_run": {{ "schema": "from_lock" }}, "list_*": {{ "schema": "from_lock" }} }} }} }},
            "locks": {{ "lab": {{ "version": "1", "tools": {{
                "get_run": {{ "sha256": "{digest}", "inputSchema": {{ "properties": {{ "run_id": {{ "type": "string" }} }}, "additionalProperties": false }} }},
                "list_runs": {{ "sha256": "{digest}", "inputSchema": {{ "maxProperties": 0 }} }},
                "list_robots": {{ "sha256": "{digest}" }}
            }} }} }},
            "routes": [{{ "policy": "p", "lock": "lab" }}]
        }}"#
    );
    for (tool, arguments, expected) in [
        ("get_run", r#"{"run_id":"7"}"#, "allow"),
        ("get_run", r#"{"run_id":7}"#, "/tools/get_run/schema args.run_id: must be a string (`type`)"),
        (
            "get_run",
            r#"{"run":7}"#,
            "/tools/get_run/schema args: has a member that is none of `run_id` (`additionalProperties`)",
        ),
        ("list_runs", "{}", "allow"),
        ("list_runs", r#"{"a":1}"#, "/tools/list_*/schema args: must have at most 0 members (`maxProperties`)"),
        ("list_robots", "{}", "/tools/list_*/schema No schema is pinned for this tool's arguments."),
        ("list_wells", "{}", "/tools/list_*/schema No schema is pinned for this tool's arguments."),
    ] {
        assert_eq!(outcome_by_lock(&configuration, tool, arguments), expected, "{tool} {arguments}");
    }
}
