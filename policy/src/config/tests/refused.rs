//! What is refused, with what words, and where: golden files of configurations, each followed by all that is wrong with it.

use super::{envelope, load};

/// Compares every document of a golden file with what the file says is wrong with it. Documents are set apart by empty
/// lines; a line that starts with `! ` is an error.
fn refused(golden: &str, wrap: impl Fn(&str) -> String) {
    for block in golden.trim().split("\n\n") {
        let (expected, text): (Vec<&str>, Vec<&str>) = block.lines().partition(|line| line.starts_with("! "));
        let text = text.join("\n");
        let errors = load(wrap(&text).as_bytes()).expect_err(&text);
        let found: Vec<String> = errors.iter().map(|error| format!("! {error}")).collect();
        assert_eq!(found, expected, "{text}\n{}", found.join("\n"));
    }
}

#[test]
fn an_empty_configuration_is_refused_with_what_is_wanted() {
    for text in ["", "\n", "{}", r#"{"mode": "observe"}"#] {
        let errors = load(text.as_bytes()).expect_err(text).to_string();
        let wanted = "(document): nothing is configured: expected a policy, which has `version`, or a configuration, which \
                      has `policies` and `routes` (line 1, column 1)";
        assert_eq!(errors, wanted, "{text}");
    }
}

#[test]
fn policies_and_routes_must_fit_each_other() {
    refused(include_str!("refused/whole.txt"), str::to_owned);
}

#[test]
fn every_setting_must_do_something() {
    refused(include_str!("refused/settings.txt"), envelope);
}
