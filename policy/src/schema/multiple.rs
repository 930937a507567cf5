//! Whether one number is a multiple of another, in decimal: 0.0075 is one of 0.0001, whatever doubles make of it.

/// Whether `value` is a whole multiple of `of`, which is more than 0, both as the shortest decimals that give these doubles.
pub(super) fn is_multiple(value: f64, of: f64) -> bool {
    if value == 0.0 {
        return true;
    }
    let (Some((value, value_exponent)), Some((of, of_exponent))) = (decimal(value), decimal(of)) else { return false };
    let Some(shift) = value_exponent.checked_sub(of_exponent) else { return false };
    if shift >= 0 {
        // value * 10^shift mod of: each factor stays below 10^17, so products fit.
        let Some(mut rest) = value.checked_rem(of) else { return false };
        for _ in 0..shift {
            rest = rest.saturating_mul(10).checked_rem(of).unwrap_or_default();
            if rest == 0 {
                break;
            }
        }
        return rest == 0;
    }
    // value must be a multiple of of * 10^-shift; beyond 10^17 it is smaller than that.
    let scaled = 10_u128.checked_pow(shift.unsigned_abs()).and_then(|scale| of.checked_mul(scale));
    scaled.is_some_and(|of| value.checked_rem(of) == Some(0))
}

/// The digits of the shortest decimal, and the power of ten that they are multiplied by.
fn decimal(value: f64) -> Option<(u128, i32)> {
    let text = format!("{:e}", value.abs());
    let (digits, exponent) = text.split_once('e')?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent = exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    Some((format!("{whole}{fraction}").parse().ok()?, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_those_of_the_decimals() {
        for (value, of, expected) in [
            (0.0075, 0.0001, true),
            (0.00751, 0.0001, false),
            (0.3, 0.1, true),
            (-4.5, 1.5, true),
            (35.0, 1.5, false),
            (0.0, 7.0, true),
            (1e308, 0.5, true),
            (1e308, 0.123_456_789, false),
            (12_391_239_123.0, 1e-8, true),
            (1e-300, 3.0, false),
            (9.0, 3.0, true),
            (10.0, 3.0, false),
        ] {
            assert_eq!(is_multiple(value, of), expected, "{value} of {of}");
        }
    }
}
