//! Several limits of one call that a rate-limit service counts: each counter is asked for once, and none is passed over.

use host_test::Answer;
use serde_json::{Value, json};

use crate::global::{admit, answer, asked, configuration, five_a_minute, lab_of, refuse, send, waits};
use crate::lab::is_forwarded;

fn named(counter: &str) -> Value {
    let mut limit = five_a_minute();
    limit["counter"] = counter.into();
    limit
}

#[test]
fn a_counter_that_two_rules_name_is_asked_for_once() {
    let mut configuration = configuration(&json!([five_a_minute(), named("other")]), &json!({}));
    configuration["policies"]["p"]["all_tools"] = json!({"limits": [five_a_minute()]});
    let lab = lab_of(&configuration);
    let stream = send(&lab);
    let first = asked(&lab).body;
    answer(&lab, admit(5));
    assert!(waits(&stream), "another counter");
    assert_ne!(asked(&lab).body, first);
    answer(&lab, admit(5));
    assert!(is_forwarded(&stream), "asked again");
    assert!(lab.pending_callouts().is_empty());
}

#[test]
fn a_question_that_fails_lifts_no_other_limit_where_errors_allow() {
    for failure in [Answer::Timeout, Answer::Unreachable, Answer::GrpcMessage(vec![])] {
        for (verdict, passes) in [(admit(5), true), (refuse(5), false)] {
            let lab = lab_of(&configuration(&json!([named("c"), named("d")]), &json!({"on_error": "allow"})));
            let stream = send(&lab);
            answer(&lab, failure.clone());
            assert!(waits(&stream), "{failure:?}");
            answer(&lab, verdict);
            assert_eq!(is_forwarded(&stream), passes, "{failure:?}");
            if !passes {
                assert_eq!(lab.assert_denied(&stream, "used up")["rule"], "/tools/charge/limits/d");
            }
            assert_eq!(lab.metric("global_failed"), 1);
        }
    }
}

/// The file that Limitador counts by names the scope as the policy does.
#[test]
fn a_limit_per_session_is_asked_for_as_one_though_there_is_no_session() {
    let mut limit = five_a_minute();
    limit["scope"] = "session".into();
    let lab = lab_of(&configuration(&json!([limit]), &json!({})));
    let _stream = send(&lab);
    let question = asked(&lab).body;
    assert!(question.windows(7).any(|bytes| bytes == b"session"), "{}", String::from_utf8_lossy(&question));
}
