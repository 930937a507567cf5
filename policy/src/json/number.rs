/// A number of a JSON text, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'a>(&'a [u8]);

impl<'a> Number<'a> {
    pub(super) fn new(digits: &'a [u8]) -> Self {
        Self(digits)
    }

    /// The number as it stands in the text.
    pub fn as_str(&self) -> &'a str {
        // The reader takes only ASCII into a number.
        core::str::from_utf8(self.0).unwrap_or_default()
    }

    /// The nearest double. Never infinite in a text that the reader has accepted.
    pub fn to_f64(&self) -> f64 {
        self.as_str().parse().unwrap_or(f64::NAN)
    }

    /// The number, if a server that reads it into a double sees the very same number.
    ///
    /// `9007199254740993` and `0.1000000000000000055` do not survive that; `0.1` does, as every server prints the
    /// shortest decimal that gives the same double.
    pub fn to_exact_f64(&self) -> Option<f64> {
        let value = self.to_f64();
        if self.is_short() {
            return Some(value);
        }
        let shortest = format!("{value:e}");
        (value.is_finite() && Decimal::parse(self.0)? == Decimal::parse(shortest.as_bytes())?).then_some(value)
    }

    /// Whether the number need not be printed to know that a double keeps it: that is so for fifteen decimal digits.
    pub(crate) fn is_short(&self) -> bool {
        self.0.len() <= 15 && self.0.iter().all(|byte| !matches!(byte, b'e' | b'E'))
    }

    /// The number in millionths, if it is a whole number of them that 64 bits hold; none if negative or finer.
    pub fn to_millionths(&self) -> Option<u64> {
        let decimal = Decimal::parse(self.0)?;
        if decimal.digits().next().is_none() {
            return Some(0);
        }
        if decimal.negative {
            return None;
        }
        let zeros = u32::try_from(decimal.exponent.checked_add(6)?).ok()?;
        let mut value: u64 = 0;
        for digit in decimal.digits() {
            value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        }
        value.checked_mul(10_u64.checked_pow(zeros)?)
    }

    /// Whether the number is written without fraction and exponent.
    pub fn is_integer(&self) -> bool {
        self.0.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')
    }
}

/// `±digits × 10^exponent`, with neither leading nor trailing zeros among the digits: equal numbers are equal.
#[derive(Debug, Clone, Copy)]
struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let mut parts = text.splitn(2, |byte| matches!(byte, b'e' | b'E'));
        let mantissa = parts.next()?;
        let exponent: i64 = match parts.next() {
            // More digits than i64 holds: zero or out of a double's range, which the reader has refused.
            Some(digits) => core::str::from_utf8(digits).ok()?.parse().ok()?,
            None => 0,
        };
        let mut halves = mantissa.splitn(2, |byte| *byte == b'.');
        let mut whole = halves.next()?;
        let mut fraction = halves.next().unwrap_or_default();
        while let [b'0', rest @ ..] = whole {
            whole = rest;
        }
        while let [rest @ .., b'0'] = fraction {
            fraction = rest;
        }
        let mut exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        if whole.is_empty() {
            while let [b'0', rest @ ..] = fraction {
                fraction = rest;
            }
        }
        if fraction.is_empty() {
            while let [rest @ .., b'0'] = whole {
                whole = rest;
                exponent = exponent.checked_add(1)?;
            }
        }
        if whole.is_empty() && fraction.is_empty() {
            return Some(Self { negative: false, whole, fraction, exponent: 0 });
        }
        Some(Self { negative, whole, fraction, exponent })
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).map(|byte| byte.wrapping_sub(b'0'))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.negative == other.negative && self.exponent == other.exponent && self.digits().eq(other.digits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number<'_> {
        Number::new(text.as_bytes())
    }

    #[test]
    fn numbers_that_doubles_keep_are_exact() {
        for text in ["0", "-0", "0.0", "1", "1.0", "0.1", "1e2", "100", "9007199254740992", "1.5e-7", "1E+22", "5e-324"]
        {
            assert!(number(text).to_exact_f64().is_some(), "{text}");
        }
    }

    #[test]
    fn numbers_that_doubles_change_are_not_exact() {
        for text in ["9007199254740993", "0.1000000000000000055", "1e-400", "100000000000000000000000.1"] {
            assert_eq!(number(text).to_exact_f64(), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_exact_millionths() {
        for (text, millionths) in [
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("1", Some(1_000_000)),
            ("0.000001", Some(1)),
            ("0.1", Some(100_000)),
            ("1.50", Some(1_500_000)),
            ("12e-1", Some(1_200_000)),
            ("1e3", Some(1_000_000_000)),
            ("0.0000001", None),
            ("-1", None),
            ("18446744073709.551615", Some(u64::MAX)),
            ("18446744073709.551616", None),
            ("1e300", None),
        ] {
            assert_eq!(number(text).to_millionths(), millionths, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_a_double_prints_is_exact(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
            for text in [format!("{value}"), format!("{value:e}")] {
                prop_assert_eq!(number(&text).to_exact_f64(), Some(value));
            }
        }

        #[test]
        fn whole_millionths_come_back(value in 0_u64..=u64::MAX) {
            let text = format!("{}.{:06}", value / 1_000_000, value % 1_000_000);
            prop_assert_eq!(number(&text).to_millionths(), Some(value));
        }
    }
}
