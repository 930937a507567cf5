//! Every file of `scenarios/` in the wasmtime host. The crate `envoy` runs the same files in the real Envoy.

use std::path::Path;

use host_test::scenario::{Exchange, File, InWasmtime, ScenarioError};

/// What does not come out as it says, and how many steps there were.
fn run(files: &[File]) -> (String, usize) {
    let host = InWasmtime::new().unwrap();
    let (mut report, mut steps) = (String::new(), 0);
    for (file, scenario) in files.iter().flat_map(|file| file.scenarios.iter().map(move |one| (file, one))) {
        let outcomes = match host.run(file, scenario) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                report += &format!("{error}\n");
                continue;
            }
        };
        let held = file.holds_heads(&scenario.value);
        for (index, (step, outcome)) in scenario.value.steps.iter().zip(&outcomes).enumerate() {
            steps += 1;
            for difference in outcome.differences(&Exchange::of(&step.value), &step.value.expect, held) {
                report += &format!("{}\n  {difference}\n", file.place_of_step(scenario, index));
            }
        }
    }
    (report, steps)
}

fn parse(text: &str) -> Result<File, ScenarioError> {
    File::parse(text, Path::new("some.yaml"))
}

#[test]
fn every_scenario_comes_out_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let files = File::read_folder(&folder).unwrap_or_else(|error| panic!("{error}"));
    let (report, steps) = run(&files);
    assert!(report.is_empty(), "\n{report}");
    assert!(steps >= 380, "{steps} steps are fewer than there were");
    let streamed: Vec<File> = files.iter().map(File::with_heads_streamed).collect();
    let (report, streamed_steps) = run(&streamed);
    assert!(report.is_empty(), "with heads that stream ahead:\n{report}");
    assert_eq!(streamed_steps, steps);
}

/// One scenario with this step.
fn only(step: &str) -> File {
    let text = format!(
        "about: x\npolicy: {{ version: '1', default: deny, hide: [gone], tools: {{ t: {{}}, no: {{ action: deny, reason: why }} }} }}\n\
         scenarios:\n  - name: the scenario\n    steps:\n      - {step}\n"
    );
    parse(&text).unwrap_or_else(|error| panic!("{step}: {error}"))
}

#[test]
fn a_step_that_comes_out_otherwise_is_told_with_its_place_and_both_values() {
    for (step, expected, found) in [
        ("{ call: { name: t }, expect: { denied: /tools/t } }", "expected: nothing", "tools/call"),
        ("{ call: { name: no }, expect: passes }", "expected: one request", "found:    []"),
        ("{ call: { name: no }, expect: { denied: /tools/x } }", "expected: /tools/x", "/tools/no"),
        ("{ call: { name: no }, expect: { denied: /tools/no, because: other } }", "\"other\"", "why"),
        ("{ call: { name: no }, expect: { hidden: no } }", "that no is unknown", "why"),
        ("{ times: 2, call: { name: no }, expect: limited }", "what a limit says", "why"),
        ("{ call: { name: no }, expect: { limited: /tools/no } }", "what a limit says", "why"),
        ("{ call: { name: gone }, expect: { hidden: away } }", "that away is unknown", "Unknown tool: gone"),
        ("{ call: { name: gone }, expect: { refused: 400 } }", "Some(400)", "Some(200)"),
        ("{ text: x, expect: { refused: 413 } }", "Some(413)", "Some(400)"),
        ("{ text: x, expect: { refused: 400, headers: { content-type: ~ } } }", "[]", "application/json"),
        ("{ text: x, expect: { refused: 400, lacks: [byte] } }", "something without \"byte\"", "unexpected byte"),
        ("{ text: x, expect: { refused: 400, holds: [bite] } }", "something with \"bite\"", "unexpected byte"),
        ("{ call: { name: t }, expect: { text: other } }", "\"other\"", "asked"),
        ("{ call: { name: t }, expect: { message: { result: { asked: x } } } }", "\"x\"", "tools/call"),
        ("{ call: { name: t }, expect: { exactly: { id: 1 } } }", "{\"id\":1}", "jsonrpc"),
        ("{ call: { name: t }, expect: { events: [] } }", "an event stream", "application/json"),
        ("{ call: { name: t }, expect: { upstream: nothing } }", "nothing", "tools/call"),
        ("{ call: { name: t }, expect: { upstream: { path: /x } } }", "\"/x\"", "\"/mcp\""),
        ("{ call: { name: t }, expect: { upstream: { headers: { accept: a } } } }", "[\"a\"]", "text/event-stream"),
        ("{ call: { name: t }, expect: { upstream: { message: { id: 2 } } } }", "expected: 2", "found:    1"),
        (
            "{ headers: { range: a }, call: { name: t }, expect: { upstream: { headers: { range: a } } } }",
            "[\"a\"]",
            "[]",
        ),
        (
            "{ request: { method: tools/list }, answer: { result: { tools: [{ name: gone }] } }, expect: passes }",
            "gone",
            "\\\"tools\\\":[]",
        ),
    ] {
        let (report, _) = run(&[only(step)]);
        assert!(report.starts_with("some.yaml:6: the scenario, step 1\n"), "{step}:\n{report}");
        assert!(report.contains(expected) && report.contains(found), "{step}:\n{report}");
    }
}

#[test]
fn a_file_that_says_what_no_scenario_has_is_refused_with_its_place() {
    let start = "about: x\npolicy: { version: '1', default: deny }\nscenarios:\n  - name: n\n    steps:\n      - ";
    for (step, place, problem) in [
        ("{ cal: { name: t }, expect: passes }", "line 6 column 11", "unknown field `cal`"),
        ("{ call: { name: t, args: {} }, expect: passes }", "line 6", "unknown field `args`"),
        ("{ call: { name: t }, expect: { denyed: x } }", "line 6", "unknown field `denyed`"),
        ("{ call: { name: t }, expect: pass }", "line 6", "unknown variant `pass`"),
        ("{ call: { name: t }, expect: { upstream: { body: x } } }", "line 6", "unknown field `body`"),
        ("{ call: { name: t } }", "line 6", "missing field `expect`"),
        ("{ call: { name: t }, text: x, expect: passes }", "some.yaml:6: n, step 1", "more than one form"),
        ("{ call: { name: t }, answer: { text: a, stream: b }, expect: passes }", "some.yaml:6", "more than one form"),
        ("{ base64: '!', expect: passes }", "some.yaml:6", "not base64"),
        ("{ call: { name: t }, expect: {} }", "some.yaml:6", "nothing is expected"),
        ("{ times: 0, call: { name: t }, expect: passes }", "some.yaml:6", "`times` is 1 to 10000"),
        ("{ call: { name: t }, at: noon, expect: passes }", "some.yaml:6", "`at` is not a time"),
        ("{ call: { name: t }, address: lab, expect: passes }", "line 6", "IP address"),
        ("{ call: { name: t }, expect: { denied: x, remaining: 1 } }", "some.yaml:6", "what is `limited`"),
        ("{ session: a, headers: { Mcp-Session-Id: b }, expect: passes }", "some.yaml:6", "are the same"),
    ] {
        let error = parse(&format!("{start}{step}\n")).expect_err(step).to_string();
        assert!(error.contains(place) && error.contains(problem), "{step}: {error}");
    }
    let error = parse("about: x\nscenarios:\n  - name: n\n    steps: []\n").unwrap_err().to_string();
    assert!(error.contains("some.yaml:3: n: there is neither"), "{error}");
}

#[test]
fn a_policy_and_a_configuration_may_stand_in_files_of_their_own() {
    let folder = std::env::temp_dir().join(format!("mcp-policy-references-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("cases")).unwrap();
    let policy = r#"{"version": "1", "default": "deny", "tools": {"t": {}}}"#;
    std::fs::write(folder.join("policy.json"), policy).unwrap();
    let envelope = format!(r#"{{"policies": {{"p": {policy}}}, "routes": [{{"path": "/lab", "policy": "p"}}]}}"#);
    std::fs::write(folder.join("envelope.json"), envelope).unwrap();
    let cases = folder.join("cases/some.yaml");
    let text = "about: x\npolicy: ../policy.json\nscenarios:\n  - name: a\n    steps:\n      - { call: { name: t }, expect: passes }\n  \
        - name: b\n    configuration: ../envelope.json\n    steps:\n      - { path: /lab, call: { name: t }, expect: passes }\n      \
        - { path: /else, call: { name: t }, expect: { denied: (no policy) } }\n";
    std::fs::write(&cases, text).unwrap();
    let file = File::read(&cases);
    let lost = File::parse(&text.replace("../envelope", "nowhere"), &cases).unwrap_err().to_string();
    std::fs::write(folder.join("policy.json"), "{").unwrap();
    let broken = File::read(&cases).unwrap_err().to_string();
    std::fs::remove_dir_all(&folder).unwrap();
    let file = file.unwrap();
    let named = |index: usize| file.document(&file.scenarios[index].value).unwrap().file_name().unwrap().to_owned();
    assert_eq!([named(0), named(1)], ["policy.json", "envelope.json"]);
    let (report, steps) = run(&[file]);
    assert!(report.is_empty() && steps == 3, "{report}");
    assert!(lost.contains("some.yaml:7: b: cannot read") && lost.contains("nowhere.json"), "{lost}");
    assert!(broken.contains("policy.json`: EOF") && broken.contains("line 1 column 1"), "{broken}");
}

#[test]
fn a_step_says_who_calls_and_when() {
    let text = "about: x\npolicy:\n  version: '1'\n  default: deny\n  tools:\n    \
        ip: { limits: [{ counter: a, window: minute, max: 1, scope: client_ip }] }\n    \
        session: { limits: [{ counter: s, window: minute, max: 1, scope: session }] }\n    \
        day: { require: [{ conditions: [{ path: time.hour, op: gte, value: 8 }] }] }\n    \
        peer: { require: [{ conditions: [{ path: identity.grant, op: eq, value: 'spiffe://lab/a' }] }] }\n\
        scenarios:\n  - name: a\n    settings: { identity: { grant: [{ peer_certificate: uri_san }, { filter_state: k }, { metadata: [f, user] }] } }\n    steps:\n";
    let steps = [
        "{ address: 10.0.0.1, call: { name: ip }, expect: passes }",
        "{ address: 10.0.0.2, call: { name: ip }, expect: passes }",
        "{ address: 10.0.0.1, call: { name: ip }, expect: limited }",
        "{ address: 10.0.0.1, call: { name: ip }, expect: { limited: /tools/ip/limits/a, retry_after_ms: 63655, remaining: 0 } }",
        "{ address: '2001:db8::1', call: { name: ip }, expect: passes }",
        "{ address: '2001:db8::2', call: { name: ip }, expect: limited }",
        "{ session: one, call: { name: session }, expect: passes }",
        "{ session: two, call: { name: session }, expect: passes }",
        "{ session: one, times: 3, call: { name: session }, expect: limited }",
        "{ call: { name: day }, expect: { denied: /tools/day/require/time.hour-gte } }",
        "{ at: '2026-01-02T10:00:00+01:00', call: { name: day }, expect: passes }",
        "{ certificate: { uri_san: 'spiffe://lab/a' }, call: { name: peer }, expect: passes }",
        "{ filter_state: { k: 'spiffe://lab/a' }, call: { name: peer }, expect: passes }",
        "{ metadata: { f: { user: 'spiffe://lab/a' } }, call: { name: peer }, expect: passes }",
        "{ metadata: { f: { user: x } }, call: { name: peer }, expect: { denied: /tools/peer/require/identity.grant-eq } }",
    ];
    let text = steps.iter().fold(text.to_owned(), |text, step| text + "      - " + step + "\n");
    let file = parse(&text).unwrap_or_else(|error| panic!("{error}"));
    assert!(file.scenarios[0].value.is_for_wasmtime());
    let (report, ran) = run(&[file]);
    assert!(report.is_empty() && ran == steps.len() + 2, "{report}");
}

#[test]
fn global_limits_are_counted_by_a_service_of_the_scenarios_own() {
    let text = "about: x\npolicy:\n  version: '1'\n  default: deny\n  tools:\n    run: { limits: [{ counter: c, window: day, align: calendar, max: 2, store: global }] }\n    \
        pay: { limits: [{ counter: usd, window: month, align: calendar, max: 10, store: global, increment_from: args.usd }] }\n\
        settings: { global_counters: { cluster: limits, digest_key: 0123456789abcdef0123456789abcdef }, identity: { grant: [{ header: x-user }] } }\n\
        scenarios:\n  - name: a\n    steps:\n";
    let steps = [
        "{ call: { name: run }, times: 2, expect: passes }",
        "{ call: { name: run }, expect: { limited: /tools/run/limits/c, remaining: 0 } }",
        "{ headers: { x-user: ada }, call: { name: run }, expect: passes }",
        "{ wait: 86400, call: { name: run }, expect: passes }",
        "{ call: { name: pay, arguments: { usd: 7.5 } }, expect: passes }",
        "{ call: { name: pay, arguments: { usd: 2.6 } }, expect: limited }",
        "{ call: { name: pay, arguments: { usd: 2.5 } }, expect: passes }",
        "{ at: '2026-02-01T00:00:00Z', call: { name: pay, arguments: { usd: 10 } }, expect: passes }",
    ];
    let whole = steps.iter().fold(text.to_owned(), |text, step| text + "      - " + step + "\n");
    let file = parse(&(whole + "  - name: starts anew\n    steps:\n      - " + steps[0] + "\n"));
    let (report, ran) = run(&[file.unwrap_or_else(|error| panic!("{error}"))]);
    assert!(report.is_empty() && ran == 11, "{ran} steps\n{report}");
}
