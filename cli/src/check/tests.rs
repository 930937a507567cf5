//! What a check says of whole documents.

use proptest::prelude::*;

use super::*;

/// The codes that a document is told, errors and warnings, with the pointers.
fn told(text: &str) -> Vec<(&'static str, String)> {
    told_with(text, None)
}

fn told_with(text: &str, tools: Option<&[tools::Tool]>) -> Vec<(&'static str, String)> {
    let text = Text::new(Source { name: "p.json".to_owned(), text: text.as_bytes().to_vec() });
    findings(&text, tools).into_iter().map(|finding| (finding.code, finding.pointer)).collect()
}

proptest! {
    #[test]
    fn no_bytes_make_a_check_panic(bytes: Vec<u8>) {
        let text = Text::new(Source { name: "p.json".to_owned(), text: bytes });
        let accepted = policy::config::load(&text.bytes).is_ok();
        let findings = findings(&text, None);
        prop_assert_eq!(accepted, findings.iter().all(|finding| finding.severity != Severity::Error));
        let all = [Checked { text, findings }];
        let count = Count::of(&all);
        for written in [render::text(&all, count), render::json(&all, count), render::sarif(&all), render::github(&all, count)] {
            prop_assert!(written.ends_with('\n'));
        }
    }
}
