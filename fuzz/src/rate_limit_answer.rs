//! Answers of a rate-limit service: nothing but the limit asked for admits a call, whatever bytes come back.

use std::time::Duration;

use policy::config::GlobalCounters;
use policy::global::{Answer, Ask, DigestKey, Misanswer, Question, ask};
use policy::quota::{CalendarUnit, Charge, CounterName, Principal, ScopeValue, Unit, Window};

/// Checks one answer.
///
/// # Panics
/// If a property does not hold.
pub fn check(answer: &[u8]) {
    let questions =
        [question(10, CalendarUnit::Minute), question(11, CalendarUnit::Minute), question(10, CalendarUnit::Hour)];
    let read: Vec<_> = questions.iter().map(|question| question.read(answer)).collect();
    let over = |read: &Result<Answer, Misanswer>| matches!(read, Ok(Answer::OverLimit { .. }));
    if read.iter().any(over) {
        assert!(read.iter().all(|other| *other == read[0]), "a refusal that depends on the limit: {read:?}");
    }
    for (question, read) in questions.iter().zip(&read) {
        assert_eq!(*read, question.read(answer), "read in two ways");
        if let Err(misanswer) = read {
            let said = misanswer.to_string();
            assert!((20..400).contains(&said.len()) && !said.contains('\n'), "{said}");
        }
    }
    // A status has one limit. A header may list several, and then names more than one.
    let admitted = read.iter().filter(|read| **read == Ok(Answer::Admitted)).count();
    assert!(admitted < 2 || answer.windows(2).filter(|part| part == b"w=").count() >= 2, "one limit is two");
}

/// What is asked about a charge of one.
fn question(max: u64, unit: CalendarUnit) -> Question {
    let settings = GlobalCounters {
        cluster: "ratelimit".into(),
        domain: "mcp".into(),
        timeout: Duration::from_millis(50),
        allow_on_error: false,
        digest_key: DigestKey::new("a secret that all of a fleet have").expect("long enough"),
    };
    let charge = Charge {
        call: 0,
        counter: CounterName { policy: "lab", counter: "runs" },
        scope: ScopeValue::Grant,
        window: Window::calendar(unit),
        unit: Unit::Calls,
        max,
        amount: 1,
    };
    match ask(&settings, Principal::Anonymous, &charge) {
        Ask::Service(question) => question,
        other => panic!("{other:?}"),
    }
}
