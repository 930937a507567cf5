//! What a service is asked.

use proptest::prelude::*;

use super::wire::{Field, message, read, text};
use super::*;

/// The entries of the only descriptor.
fn entries(question: &Question) -> Vec<(String, String)> {
    let request = read(question.request());
    let descriptors: Vec<_> = request.iter().filter(|field| matches!(field, Field::Bytes(2, _))).collect();
    let [Field::Bytes(2, descriptor)] = descriptors.as_slice() else { panic!("{descriptors:?}") };
    let entry = |field: Field| match field {
        Field::Bytes(1, entry) => match read(&entry).as_slice() {
            [Field::Bytes(1, key), Field::Bytes(2, value)] => {
                Some((String::from_utf8(key.clone()).unwrap(), String::from_utf8(value.clone()).unwrap()))
            }
            other => panic!("{other:?}"),
        },
        _ => None,
    };
    read(descriptor).into_iter().filter_map(entry).collect()
}

fn entry(question: &Question, key: &str) -> String {
    entries(question).into_iter().find(|(name, _)| name == key).unwrap().1
}

/// `hits_addend`, `requests_per_unit` and `unit`; 0 is not written.
fn numbers(question: &Question) -> (u64, u64, u64) {
    let number = |fields: &[Field], wanted: u64| {
        fields.iter().find_map(|field| match field {
            Field::Number(number, value) if *number == wanted => Some(*value),
            _ => None,
        })
    };
    let request = read(question.request());
    let bytes = |fields: &[Field], wanted: u64| {
        let found = fields.iter().find_map(|field| match field {
            Field::Bytes(number, bytes) if *number == wanted => Some(bytes.clone()),
            _ => None,
        });
        read(&found.unwrap())
    };
    let limit = bytes(&bytes(&request, 2), 2);
    (number(&request, 3).unwrap_or(0), number(&limit, 1).unwrap_or(0), number(&limit, 2).unwrap_or(0))
}

#[test]
fn a_question_names_the_counter_and_its_limit() {
    let question = question(&charge());
    let entry = |key: &str, value: &str| message(1, &[text(1, key), text(2, value)]);
    let descriptor = [
        entry("policy", "lab"),
        entry("counter", "create_run_rate"),
        entry("scope", "grant"),
        entry("window", "minute"),
        entry("unit", "call"),
        entry("value", &settings().digest_key.digest(ROBOT, &charge())),
        message(2, &[Field::Number(1, 10), Field::Number(2, 2)]),
    ];
    assert_eq!(read(question.request()), [text(1, "mcp"), message(2, &descriptor), Field::Number(3, 1)]);
}

#[test]
fn each_window_has_its_number_and_its_name() {
    for (unit, number, name) in [
        (CalendarUnit::Second, 1, "second"),
        (CalendarUnit::Minute, 2, "minute"),
        (CalendarUnit::Hour, 3, "hour"),
        (CalendarUnit::Day, 4, "day"),
        (CalendarUnit::Month, 5, "month"),
    ] {
        let question = question(&Charge { window: Window::calendar(unit), ..charge() });
        assert_eq!((numbers(&question).2, entry(&question, "window").as_str()), (number, name));
    }
}

#[test]
fn nobody_is_asked_about_what_adds_nothing_or_more_than_max() {
    let ask = |max, amount| ask(&settings(), ROBOT, &Charge { max, amount, ..charge() });
    assert_eq!(ask(10, 0), Ask::Nothing);
    assert_eq!(ask(0, 0), Ask::Nothing);
    assert_eq!(ask(0, 1), Ask::Refuse);
    assert_eq!(ask(10, 11), Ask::Refuse);
    assert_eq!(ask(10, u64::MAX), Ask::Refuse);
    assert!(matches!(ask(10, 10), Ask::Service(_)));
}

#[test]
fn what_no_configuration_loads_is_refused() {
    let ask = |charge| ask(&settings(), ROBOT, &charge);
    assert_eq!(ask(Charge { window: Window::MINUTE, ..charge() }), Ask::Refuse);
    assert_eq!(ask(Charge { max: 1 << 32, ..charge() }), Ask::Refuse);
}

#[test]
fn amounts_are_counted_in_the_finest_step_that_holds_their_max() {
    // (max and amount in millionths, unit, hits of max and amount)
    for (max, amount, unit, hits_of_max, hits) in [
        (1_500_000, 250_000, "0.000001", 1_500_000, 250_000),
        (4_294_967_295, 1, "0.000001", 4_294_967_295, 1),
        (4_294_967_300, 1, "0.00001", 429_496_730, 1),
        (5_000_000_000, 19, "0.00001", 500_000_000, 2),
        (42_949_672_950, 10, "0.00001", 4_294_967_295, 1),
        (250_000_000_000, 99, "0.0001", 2_500_000_000, 1),
        (1_000_000_000_000, 1_001, "0.001", 1_000_000_000, 2),
        (4_294_967_295_000_000, 999_999, "1", 4_294_967_295, 1),
    ] {
        let question = question(&Charge { unit: Unit::Millionths, max, amount, ..charge() });
        assert_eq!(entry(&question, "unit"), unit, "{max}");
        assert_eq!((numbers(&question).1, numbers(&question).0), (hits_of_max, hits), "{max}");
    }
    for max in [4_294_967_296, 4_294_967_295_000_001, 4_294_967_296_000_000, u64::MAX] {
        assert!(Hits::of(Unit::Millionths, max).is_none(), "{max}");
    }
}

#[test]
fn equal_questions_are_those_of_one_counter() {
    let of = |charge: Charge<'_>| question(&charge);
    assert_eq!(of(Charge { call: 3, ..charge() }), of(charge()));
    assert_ne!(of(Charge { counter: CounterName { counter: "other", ..charge().counter }, ..charge() }), of(charge()));
    assert_ne!(of(Charge { amount: 2, ..charge() }), of(charge()));
}

proptest! {
    #[test]
    fn no_amount_is_counted_as_less_than_it_is(max: u64, amount: u64, shift in 0..40_u32) {
        let (max, amount) = (max >> shift, amount >> shift);
        if let Some(hits) = Hits::of(Unit::Millionths, max) {
            let size = max.checked_div(hits.max.into()).unwrap_or(1);
            prop_assert!(hits.max == 0 || u64::from(hits.max) * size == max);
            match hits.count(amount) {
                Some(count) => prop_assert!(amount <= max && u64::from(count) * size >= amount),
                None => prop_assert!(amount > max),
            }
        }
    }

    #[test]
    fn names_and_values_arrive_as_they_are(policy in "\\PC{1,9}", counter in "\\PC{1,300}", name in "\\PC{1,9}", max: u32) {
        let counter = CounterName { policy: &policy, counter: &counter };
        let charge = Charge { counter, scope: ScopeValue::Claim { name: &name, value: None }, max: max.into(), ..charge() };
        if max > 0 {
            let question = question(&charge);
            let entries = entries(&question);
            let keys: Vec<_> = entries.iter().map(|(key, _)| key.as_str()).collect();
            prop_assert_eq!(keys, ["policy", "counter", "scope", "window", "unit", "value"]);
            prop_assert_eq!((&entries[0].1, &entries[1].1), (&policy, &counter.counter.to_owned()));
            prop_assert_eq!(&entries[2].1, &format!("claim:{name}"));
            prop_assert_eq!(numbers(&question), (1, max.into(), 2));
        }
    }
}
