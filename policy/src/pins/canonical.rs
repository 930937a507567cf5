//! One text for every way to write the same JSON value: the JSON Canonicalization Scheme (RFC 8785).
//!
//! A number that changes in a double stands as it is written: RFC 8785 leaves it out, and clients that read it whole
//! would see a change that its double does not show.

use crate::json::{Number, Reader, SyntaxError, Value};
use crate::sort::sort_by;

type Result<T> = core::result::Result<T, SyntaxError>;

/// Appends the canonical form of the next value. Reads every byte once, however deep it is nested.
pub(super) fn write(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<()> {
    match reader.peek() {
        Some(b'{') => write_object(reader, out),
        Some(b'[') => {
            out.push(b'[');
            let mut index = 0usize;
            reader.array(|reader| {
                separate(index, out);
                index = index.saturating_add(1);
                write(reader, out)
            })?;
            out.push(b']');
            Ok(())
        }
        _ => {
            match reader.value()? {
                Value::Bool(true) => out.extend_from_slice(b"true"),
                Value::Bool(false) => out.extend_from_slice(b"false"),
                Value::Number(number) => write_number(number, out),
                Value::String(text) => write_string(&text.decode(), out),
                // INVARIANT: objects and arrays have been told by their brackets.
                Value::Null | Value::Object(_) | Value::Array(_) => out.extend_from_slice(b"null"),
            }
            Ok(())
        }
    }
}

fn write_object(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<()> {
    // Each member as it will stand, and the key that it is sorted by.
    let mut members: Vec<(Vec<u16>, core::ops::Range<usize>)> = Vec::new();
    let mut texts = Vec::new();
    reader.object(|reader, key| {
        let name = String::from_utf8_lossy(key.as_bytes());
        let start = texts.len();
        write_string(&name, &mut texts);
        texts.push(b':');
        write(reader, &mut texts)?;
        members.push((name.encode_utf16().collect(), start..texts.len()));
        Ok::<(), SyntaxError>(())
    })?;
    // By UTF-16 code units, as ECMAScript sorts.
    let members = sort_by(members, |(one, _), (other, _)| one.cmp(other));
    out.push(b'{');
    for (index, (_, text)) in members.into_iter().enumerate() {
        separate(index, out);
        out.extend_from_slice(texts.get(text).unwrap_or_default());
    }
    out.push(b'}');
    Ok(())
}

fn separate(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            other => out.push(other),
        }
    }
    out.push(b'"');
}

/// A number as ECMAScript's `Number::toString` writes its double (ECMA-262, 6.1.6.1.20).
fn write_number(number: Number<'_>, out: &mut Vec<u8>) {
    let Some(value) = number.to_exact_f64() else {
        return out.extend_from_slice(number.as_str().as_bytes());
    };
    if value == 0.0 {
        return out.push(b'0');
    }
    if value < 0.0 {
        out.push(b'-');
    }
    // The shortest digits that give the double back, as `d.ddde±x`.
    let shortest = format!("{:e}", value.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    // INVARIANT: a double's decimal exponent is within ±324, and it has 17 digits at most.
    let point = exponent.parse::<i32>().unwrap_or(0).saturating_add(1);
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |out: &mut Vec<u8>, n: i32| out.extend((0..n).map(|_| b'0'));
    let split = usize::try_from(point).unwrap_or(0).min(digits.len());
    let (whole, fraction) = digits.split_at_checked(split).unwrap_or((&digits, &[]));
    if (count..=21).contains(&point) {
        out.extend_from_slice(&digits);
        zeros(out, point.saturating_sub(count));
    } else if (1..=21).contains(&point) {
        out.extend_from_slice(whole);
        out.push(b'.');
        out.extend_from_slice(fraction);
    } else if (-5..=0).contains(&point) {
        out.extend_from_slice(b"0.");
        zeros(out, point.saturating_neg());
        out.extend_from_slice(&digits);
    } else {
        let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, &[]));
        out.extend_from_slice(first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
        out.extend_from_slice(format!("e{:+}", point.saturating_sub(1)).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> String {
        let mut out = Vec::new();
        write(&mut Reader::new(text.as_bytes(), 64).unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_example_of_the_standard_comes_out_as_there() {
        // RFC 8785, 3.2.2 and 3.2.3.
        let text = r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false] }"#;
        // The first number is not what its double says, so it stands as it is.
        let expected = r#"{"literals":[null,true,false],"numbers":[333333333.33333329,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(canonical(text), expected);
    }

    #[test]
    fn keys_are_sorted_by_utf_16_code_units() {
        let text = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
        let expected = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical(text), expected);
    }

    #[test]
    fn numbers_are_written_as_ecmascript_does() {
        // RFC 8785, appendix B.
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("5e-324", "5e-324"),
            ("-5e-324", "-5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("9007199254740992", "9007199254740992"),
            ("295147905179352830000", "295147905179352830000"),
            ("9.999999999999997e22", "9.999999999999997e+22"),
            ("1e23", "1e+23"),
            ("1e21", "1e+21"),
            ("100000000000000000000", "100000000000000000000"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("9.999999999999997e-7", "9.999999999999997e-7"),
            ("333333333.3333333", "333333333.3333333"),
            ("-0.0000033333333333333333", "-0.0000033333333333333333"),
            ("1.0", "1"),
            ("9007199254740993", "9007199254740993"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_double_comes_back(value in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
            for text in [format!("{value}"), format!("{value:e}")] {
                prop_assert_eq!(canonical(&text).parse::<f64>().unwrap(), value);
            }
            prop_assert_eq!(canonical(&format!("{value}")), canonical(&format!("{value:e}")));
        }
    }
}
