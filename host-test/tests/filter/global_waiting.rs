//! What a call holds while a rate-limit service is asked about it: nobody gets past it meanwhile, and all of it is free
//! again if the call does not go on.

use host_test::{Answer, Stream};
use serde_json::{Value, json};

use crate::global::{admit, answer, asked, configuration, five_a_minute, lab_of, refuse, send, waits};
use crate::lab::{Lab, is_forwarded};

/// One call at once, and one of each hour, counted here; five a minute, counted by the service.
fn holding() -> Value {
    let limits = json!([{"counter": "local", "window": "hour", "max": 1, "refund": "unsent"}, five_a_minute()]);
    let mut configuration = configuration(&limits, &json!({}));
    configuration["policies"]["p"]["tools"]["charge"]["concurrency"] = json!({"max": 1});
    configuration
}

/// A call that the service is asked about.
#[track_caller]
fn waiting(lab: &Lab) -> Stream {
    let stream = send(lab);
    assert!(waits(&stream), "{}", stream.received().text());
    stream
}

#[track_caller]
fn assert_held(lab: &Lab) {
    lab.assert_denied(&send(lab), "");
}

#[test]
fn what_was_held_is_free_again_once_the_service_refuses_or_fails() {
    let lab = lab_of(&holding());
    let garbage = Answer::GrpcMessage(b"\xff".to_vec());
    for said in [refuse(5), Answer::Timeout, Answer::Reset, Answer::Unreachable, garbage] {
        let stream = waiting(&lab);
        assert_held(&lab);
        answer(&lab, said.clone());
        lab.assert_denied(&stream, "");
        assert!(!is_forwarded(&stream), "{said:?}");
    }
    let stream = waiting(&lab);
    answer(&lab, admit(5));
    assert!(is_forwarded(&stream));
    assert_held(&lab);
    assert_eq!(lab.metric("uncounted"), 0);
}

#[test]
fn a_slot_is_free_again_once_the_client_hangs_up_however_the_service_answers_then() {
    let lab = lab_of(&holding());
    for said in [admit(5), refuse(5), Answer::Timeout] {
        let mut stream = waiting(&lab);
        let question = asked(&lab);
        stream.reset();
        assert!(stream.forwarded().text().is_empty());
        // The slot is free at once: the next call is asked about before the first has its answer.
        let next = send(&lab);
        assert!(waits(&next), "{}", next.received().text());
        lab.answer(question.id, said.clone()).unwrap();
        assert!(waits(&next), "the answer to another call, {said:?}");
        assert!(!stream.forwarded().ended && stream.forwarded().text().is_empty(), "{said:?}");
        answer(&lab, refuse(5));
        lab.assert_denied(&next, "used up");
    }
    assert_eq!(lab.metric("allowed"), 0);
}

/// The same slot, and nothing that a service counts.
fn another() -> Value {
    let mut configuration = holding();
    configuration.as_object_mut().unwrap().remove("global_counters");
    configuration["policies"]["p"]["tools"]["charge"] = json!({"concurrency": {"max": 1}});
    configuration
}

#[test]
fn another_configuration_meanwhile_changes_nothing_for_a_call_that_waits() {
    for (said, passes) in [(refuse(5), false), (Answer::Timeout, false), (admit(5), true)] {
        let lab = lab_of(&holding());
        let stream = waiting(&lab);
        lab.reconfigure(another().to_string()).unwrap();
        assert_eq!(lab.assert_denied(&send(&lab), "")["rule"], "/tools/charge/concurrency");
        answer(&lab, said);
        assert_eq!(is_forwarded(&stream), passes);
        // If it runs, it holds its slot under the new configuration too.
        assert_eq!(is_forwarded(&send(&lab)), !passes);
    }
}

#[test]
fn a_client_that_hangs_up_after_another_configuration_holds_nothing_either() {
    let lab = lab_of(&holding());
    let mut stream = waiting(&lab);
    let question = asked(&lab);
    lab.reconfigure(another().to_string()).unwrap();
    assert_held(&lab);
    stream.reset();
    // The old configuration goes with its last call, and the question with it.
    assert_eq!(lab.worker(0).roots(), 1);
    assert!(lab.answer(question.id, admit(5)).is_err());
    assert!(is_forwarded(&send(&lab)));
}

/// In stream mode a server may answer the head alone.
#[test]
fn a_call_counts_as_long_as_it_waits_though_its_answer_is_over() {
    let lab = lab_of(&holding());
    for ends in ["with its head", "with its body"] {
        let mut stream = waiting(&lab);
        if ends == "with its head" {
            stream.response_without_body(&[(":status", "202")]);
        } else {
            stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
            stream.response_body("{}", true);
        }
        assert_held(&lab);
        answer(&lab, refuse(5));
    }
    let next = waiting(&lab);
    answer(&lab, admit(5));
    assert!(is_forwarded(&next), "all was given back");
}
