//! What is refused, with what words, and where: golden files of documents, each followed by all that is wrong with it.

use super::{document, errors, tool};

/// Compares every document of a golden file with what the file says is wrong with it. Documents are set apart by empty
/// lines; a line that starts with `! ` is an error.
fn refused(golden: &str, wrap: impl Fn(&str) -> String) {
    for block in golden.trim().split("\n\n") {
        let (expected, text): (Vec<&str>, Vec<&str>) = block.lines().partition(|line| line.starts_with("! "));
        let text = text.join("\n");
        let found: Vec<String> = errors(&wrap(&text)).iter().map(|error| format!("! {error}")).collect();
        assert_eq!(found, expected, "{text}\n{}", found.join("\n"));
    }
}

fn condition(text: &str) -> String {
    tool(&format!(r#"{{"deny_if": [{{"conditions": [{text}]}}]}}"#))
}

fn limit(text: &str) -> String {
    tool(&format!(r#"{{"limits": [{text}]}}"#))
}

#[test]
fn nothing_at_all_is_refused_with_what_is_wanted() {
    let wanted = "(document): nothing is configured: expected a policy, which has `version`, or a configuration, which has \
                  `policies` and `routes` (line 1, column 1)";
    assert_eq!(errors(""), [wanted]);
    assert_eq!(errors(" \n"), [wanted]);
}

#[test]
fn a_document_beyond_the_bounds_is_refused() {
    let long = document(&format!(r#""description": "{}""#, "a".repeat(4 << 20)));
    assert_eq!(errors(&long), ["(document): the document is larger than 4194304 bytes (line 1, column 1)"]);
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    assert!(errors(&deep)[0].contains("nested too deep"), "{:?}", errors(&deep));
    let hidden = document(&format!(r#""hide": [{}]"#, vec!["\"\""; 300].join(",")));
    assert_eq!(errors(&hidden).len(), 200);
    let globs: Vec<String> = (0..1025).map(|i| format!(r#""g{i:04}*": {{}}"#)).collect();
    let globs = errors(&document(&format!(r#""tools": {{{}}}"#, globs.join(", "))));
    assert_eq!(globs, ["/tools: more than 1024 globs are too many (line 1, column 46)"]);
}

#[test]
fn long_and_odd_texts_are_not_echoed() {
    let long = errors(&tool(&format!(r#"{{"{}": 1}}"#, "\\n".repeat(5000)))).remove(0);
    assert!(long.len() < 1000 && !long.contains('\n'), "{long}");
}

#[test]
fn the_text_itself_must_be_strict_json() {
    refused(include_str!("refused/text.txt"), str::to_owned);
}

#[test]
fn the_top_level_says_what_it_is() {
    refused(include_str!("refused/top.txt"), str::to_owned);
}

#[test]
fn names_and_globs_must_be_clear() {
    refused(include_str!("refused/names.txt"), document);
}

#[test]
fn a_rule_must_do_what_it_says() {
    refused(include_str!("refused/rules.txt"), tool);
}

#[test]
fn a_condition_must_be_able_to_hold() {
    refused(include_str!("refused/conditions.txt"), condition);
}

#[test]
fn a_limit_must_be_able_to_count() {
    refused(include_str!("refused/limits.txt"), limit);
}

#[test]
fn a_rate_limit_must_be_a_rate() {
    refused(include_str!("refused/rates.txt"), tool);
}

#[test]
fn a_concurrency_must_be_one() {
    refused(include_str!("refused/concurrency.txt"), tool);
}

#[test]
fn limits_on_one_counter_must_agree() {
    refused(include_str!("refused/counters.txt"), document);
}

#[test]
fn what_has_no_meaning_in_a_place_is_refused_there() {
    refused(include_str!("refused/places.txt"), document);
}

#[test]
fn schemas_ask_for_something_that_can_be_held() {
    refused(include_str!("refused/schemas.txt"), tool);
}
