//! What an answer means.

use proptest::prelude::*;

use super::wire::{Field, message, text, write};
use super::*;

const OK: Field = Field::Number(1, 1);
const OVER: Field = Field::Number(1, 2);

fn read(fields: &[Field]) -> Result<Answer, Misanswer> {
    question(&charge()).read(&write(fields))
}

fn limit(max: u64, unit: u64) -> Field {
    message(2, &[Field::Number(1, max), Field::Number(2, unit)])
}

fn status(fields: &[Field]) -> Field {
    message(2, fields)
}

fn header(key: &str, value: &str) -> Field {
    message(3, &[text(1, key), text(2, value)])
}

fn over(retry_after_ms: impl Into<Option<u64>>) -> Result<Answer, Misanswer> {
    Ok(Answer::OverLimit { retry_after_ms: retry_after_ms.into() })
}

#[test]
fn a_status_with_the_limit_asked_for_admits() {
    assert_eq!(read(&[OK, status(&[OK, limit(10, 2), Field::Number(3, 9)])]), Ok(Answer::Admitted));
}

#[test]
fn a_status_with_another_limit_or_none_admits_nothing() {
    assert_eq!(read(&[OK, status(&[OK])]), Err(Misanswer::NoLimit));
    for other in [limit(11, 2), limit(10, 3), limit(0, 0), message(2, &[])] {
        let answer = read(&[OK, status(&[OK, other.clone()])]);
        assert!(matches!(answer, Err(Misanswer::OtherLimit(_))), "{other:?} {answer:?}");
    }
    // A header does not mend a status.
    assert_eq!(read(&[OK, status(&[OK]), header("x-ratelimit-limit", "10;w=60")]), Err(Misanswer::NoLimit));
}

#[test]
fn without_a_status_a_header_must_name_the_limit() {
    for value in ["10, 10;w=60", "10;w=60", "5, 5;w=1;name=\"a, b\", 10;w=60;name=\"c\"", "10, 10 ; name=\"x\" ; w=60"]
    {
        assert_eq!(read(&[OK, header("X-RateLimit-Limit", value)]), Ok(Answer::Admitted), "{value}");
    }
    assert_eq!(read(&[OK, header("a", "b"), header("x-ratelimit-limit", "10;w=60")]), Ok(Answer::Admitted));
    for value in [
        "",
        "10",
        "10, 11;w=60",
        "10, 10;w=61",
        "10, 10;w=60s",
        "+10;w=60",
        "10;w=+60",
        "10 w=60",
        "5;w=1;name=\"a, 10;w=60\"",
        "5;w=1;name=\"a, 10;w=60, b\"",
        "5;w=1;name=\"a;w=60\"",
        "10;w=1;name=\"a;w=60;\"",
        "18446744073709551626;w=60",
    ] {
        let answer = read(&[OK, header("X-RateLimit-Limit", value)]);
        assert!(matches!(answer, Err(Misanswer::OtherLimit(_))), "{value} {answer:?}");
    }
    assert_eq!(read(&[OK]), Err(Misanswer::NoLimit));
    assert_eq!(read(&[OK, header("X-RateLimit-Remaining", "10;w=60")]), Err(Misanswer::NoLimit));
}

#[test]
fn over_limit_anywhere_refuses_and_needs_no_proof() {
    assert_eq!(read(&[OVER]), over(None));
    assert_eq!(read(&[OVER, status(&[OVER, limit(10, 2)])]), over(None));
    assert_eq!(read(&[OVER, status(&[OVER, limit(3, 1)])]), over(None));
    assert_eq!(read(&[OK, status(&[OVER, limit(10, 2)])]), over(None), "shadow mode");
    assert_eq!(read(&[OVER, status(&[OK, limit(10, 2)])]), over(None));
}

#[test]
fn a_time_is_told_if_the_service_gives_one() {
    let reset = |fields: &[Field]| read(&[OVER, status(&[OVER, limit(10, 2), message(4, fields)])]);
    assert_eq!(reset(&[Field::Number(1, 42)]), over(42_000));
    assert_eq!(reset(&[Field::Number(1, 1), Field::Number(2, 1)]), over(1_001));
    assert_eq!(reset(&[]), over(0));
    assert_eq!(reset(&[Field::Number(1, u64::MAX)]), over(None), "minus one second");
    assert_eq!(reset(&[Field::Number(1, i64::MAX as u64)]), over(u64::MAX));
    let header = |value| read(&[OVER, header("x-ratelimit-reset", value)]);
    assert_eq!(header("41"), over(42_000));
    assert_eq!(header("18446744073709551615"), over(u64::MAX));
    for value in ["", "-1", "soon", "1.5"] {
        assert_eq!(header(value), over(None), "{value}");
    }
}

#[test]
fn unknown_codes_are_no_answer() {
    for code in [0, 3, u64::MAX] {
        let code = Field::Number(1, code);
        let proven = [limit(10, 2), code.clone()];
        assert_eq!(read(&[code, status(&[OK, limit(10, 2)])]), Err(Misanswer::Unknown));
        assert_eq!(read(&[OK, status(&proven)]), Err(Misanswer::Unknown));
        assert_eq!(read(&[OVER, status(&proven)]), Err(Misanswer::Unknown));
    }
    assert_eq!(read(&[]), Err(Misanswer::Unknown));
    assert_eq!(read(&[header("X-RateLimit-Limit", "10, 10;w=60")]), Err(Misanswer::Unknown));
}

#[test]
fn an_answer_for_more_than_one_descriptor_is_none() {
    let one = status(&[OK, limit(10, 2)]);
    assert_eq!(read(&[OK, one.clone(), one]), Err(Misanswer::Statuses(2)));
}

#[test]
fn what_is_no_message_is_no_answer() {
    let whole = write(&[OK, status(&[OK, limit(10, 2)])]);
    let question = question(&charge());
    for broken in [
        &whole[..whole.len() - 1],
        &[&whole[..], &[0xff]].concat(),
        &[&whole[..], b"\x0b"].concat(),
        &[&whole[..], &[0]].concat(),
        b"HTTP/1.1 200 OK",
        &write(&[text(1, "OK")]),
        &write(&[OK, Field::Number(2, 1)]),
        &write(&[OK, Field::Bytes(3, write(&[Field::Bytes(1, vec![0xff])]))]),
    ] {
        assert_eq!(question.read(broken), Err(Misanswer::Unreadable), "{}", broken.escape_ascii());
    }
}

#[test]
fn fields_of_later_revisions_are_skipped() {
    let later = [text(5, "body"), text(6, ""), text(99, "?"), Field::Number(98, 7)];
    let fields: Vec<Field> = [OK, status(&[OK, limit(10, 2), text(5, "")])].into_iter().chain(later).collect();
    assert_eq!(read(&fields), Ok(Answer::Admitted));
}

#[test]
fn a_misanswer_says_what_to_mend() {
    let said = read(&[OK, status(&[OK, limit(11, 2)])]).unwrap_err().to_string();
    assert!(said.contains("another limit than 10 per minute"), "{said}");
    assert!(read(&[OK]).unwrap_err().to_string().contains("mcp-policy export limitador"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        _ = question(&charge()).read(&bytes);
    }

    #[test]
    fn no_change_of_an_answer_admits_under_another_limit(max: u32, unit in 0..8_u64, seconds in 0..100_u64) {
        let by_status = read(&[OK, status(&[OK, limit(max.into(), unit)])]);
        prop_assert_eq!(by_status == Ok(Answer::Admitted), max == 10 && unit == 2);
        let by_header = read(&[OK, header("X-RateLimit-Limit", &format!("{max}, {max};w={seconds}"))]);
        prop_assert_eq!(by_header == Ok(Answer::Admitted), max == 10 && seconds == 60);
    }
}
