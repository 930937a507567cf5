//! Whatever the text, a check says what the loader says, and all formats can say it.

use super::{tools::TOOLS, *};

const SEED: &str = r#"{"version":"1","default":"deny","hide":["d*"],"all_tools":{"deny_if":[{"conditions":[]}]},
"tools":{"a?b*":{"require":[{"conditions":[{"path":"args.x[*].y","op":"regex","value":"[a-z]+"},{"path":"args.x","op":"neq","value":1}]}],
"limits":[{"counter":"c","window":"5m","max":10},{"counter":"d","window":"day","max":99999}],"rate_limit":"10/minute"}}}"#;

/// That a check says an error exactly where the loader refuses, and that all formats can say it.
fn holds(bytes: Vec<u8>) {
    let text = Text::new(Source { name: "p.json".to_owned(), text: bytes });
    let accepted = policy::config::load(&text.bytes).is_ok();
    let offered = Offered::of(TOOLS);
    let findings = findings(&text, Some(&offered));
    assert_eq!(accepted, findings.iter().all(|finding| finding.severity != Severity::Error));
    assert!(findings.iter().all(|finding| finding.span.is_some()), "{findings:?}");
    let all = [Checked { text, findings }];
    let count = Count::of(&all);
    let written =
        [render::text(&all, count), render::json(&all, count), render::sarif(&all), render::github(&all, count)];
    assert!(written.iter().all(|text| text.ends_with('\n')));
}

proptest! {
    #[test]
    fn no_bytes_make_a_check_panic(bytes: Vec<u8>) {
        holds(bytes);
    }

    #[test]
    fn no_mutation_of_a_policy_makes_a_check_panic(
        edits in prop::collection::vec((0..SEED.len(), prop::sample::select(&b"\"{}[],:*?.\\/019-ae\xc3 \n\t"[..]), 0..3_usize), 0..4)
    ) {
        let mut text = SEED.as_bytes().to_vec();
        for (at, byte, removed) in edits {
            let at = at.min(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, [byte]);
        }
        holds(text);
    }
}
