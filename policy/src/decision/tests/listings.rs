use super::*;
use crate::listing::Kind;

const TOOLS: [&str; 5] = ["allowed", "denied", "never", "hidden", "unnamed"];

fn shown(listing: &str, default: &str) -> Vec<&'static str> {
    let text = format!(
        r#"{{"version":"1","default":"{default}","listing":"{listing}","hide":["hid*"],"tools":{{
            "allowed":{{"deny_if":[{{"conditions":[{{"path":"args.x","op":"exists"}}]}}]}},
            "denied":{{"action":"deny"}},"never":{{"deny_if":[{{"on_deny":"No."}}]}}}}}}"#
    );
    let policy = policy(&text);
    for tool in TOOLS {
        let hidden = outcome_of(&policy, &call(tool, "{}"), &FACTS).starts_with("hidden");
        assert_eq!(
            hidden,
            !policy.shows(Kind::Tools, tool, None),
            "{tool}: a tool that no list shows is unknown when called"
        );
    }
    TOOLS.into_iter().filter(|tool| policy.shows(Kind::Tools, tool, None)).collect()
}

#[test]
fn denied_tools_stay_in_lists_unless_hidden() {
    assert_eq!(shown("all", "deny"), ["allowed", "denied", "never", "unnamed"]);
}

#[test]
fn listing_allowed_leaves_out_what_would_be_denied_outright() {
    assert_eq!(shown("allowed", "deny"), ["allowed"]);
    assert_eq!(shown("allowed", "allow"), ["allowed", "unnamed"]);
}

#[test]
fn lists_are_only_touched_by_policies_that_take_something_out() {
    for (text, filters) in [
        (r#"{"version":"1","default":"deny"}"#, false),
        (r#"{"version":"1","default":"deny","hide":["x"]}"#, true),
        (r#"{"version":"1","default":"deny","listing":"allowed"}"#, true),
        (r#"{"version":"1","default":"deny","prompts":{"default":"allow","hide":["x"]}}"#, true),
        (r#"{"version":"1","default":"deny","resources":{"default":"allow","hide":["a:b"]}}"#, true),
    ] {
        assert_eq!(policy(text).filters_listings(), filters, "{text}");
    }
}

#[test]
fn a_resource_that_could_not_be_read_is_not_listed() {
    let ruled =
        policy(r#"{"version":"1","default":"allow","resources":{"default":"allow","hide":["file:///srv/secret/*"]}}"#);
    assert!(ruled.shows(Kind::Resources, "file:///srv/lab/a", None));
    for hidden in ["file:///srv/secret/a", "FILE:///srv/%73ecret/a", "file:////srv/secret/a/", "file:///srv\\secret"] {
        assert!(!ruled.shows(Kind::Resources, hidden, None), "{hidden}");
    }
    assert!(ruled.shows(Kind::ResourceTemplates, "file:///srv/lab/{name}", None));
    for hidden in ["file:///srv/secret/{name}", "FILE:///srv/x/../secret/{name}", "file://{host}/x", "{any}"] {
        assert!(!ruled.shows(Kind::ResourceTemplates, hidden, None), "{hidden}");
    }
    let unruled = policy(r#"{"version":"1","default":"allow","hide":["x"]}"#);
    assert!(unruled.shows(Kind::Resources, "file:///srv\\secret", None));
}

#[test]
fn listing_allowed_holds_for_prompts_and_resources_too() {
    let policy = policy(
        r#"{"version":"1","default":"deny","listing":"allowed",
        "prompts":{"default":"deny","names":{"good":{},"bad":{"action":"deny"},"never":{"deny_if":[{}]}}},
        "resources":{"default":"allow","uris":{"file:///srv/x":{"action":"deny"}}}}"#,
    );
    for (name, shown) in [("good", true), ("bad", false), ("never", false), ("other", false)] {
        assert_eq!(policy.shows(Kind::Prompts, name, None), shown, "{name}");
        let outcome = outcome_of(&policy, &request("prompts/get", &format!(r#"{{"name":"{name}"}}"#)), &FACTS);
        assert_eq!(!outcome.starts_with("hidden"), shown, "{outcome}");
    }
    assert!(
        policy.shows(Kind::Resources, "file:///srv/y", None) && !policy.shows(Kind::Resources, "file:///srv/x", None)
    );
    let read = request("resources/read", r#"{"uri":"file:///srv/x"}"#);
    assert!(outcome_of(&policy, &read, &FACTS).starts_with("hidden"));
}
