//! How the spans of limits, and of the configuration, are written.

use core::time::Duration;

use crate::quota::{CalendarUnit, Window};

/// The words for windows; `month` is a calendar one only.
pub(crate) const WORDS: [(&str, CalendarUnit); 5] = [
    ("second", CalendarUnit::Second),
    ("minute", CalendarUnit::Minute),
    ("hour", CalendarUnit::Hour),
    ("day", CalendarUnit::Day),
    ("month", CalendarUnit::Month),
];

/// What a calendar calls `word`.
pub(crate) fn calendar_unit(word: &str) -> Option<CalendarUnit> {
    WORDS.iter().find(|(known, _)| *known == word).map(|(_, unit)| *unit)
}

/// A sliding window: `second`, `minute`, `hour`, `day`, or a span such as `30s`, `5m`, `12h`, `7d`.
pub(crate) fn sliding(text: &str) -> Option<Window> {
    let seconds = match calendar_unit(text) {
        Some(CalendarUnit::Second) => 1,
        Some(CalendarUnit::Minute) => 60,
        Some(CalendarUnit::Hour) => 3600,
        Some(CalendarUnit::Day) => 86_400,
        Some(CalendarUnit::Month) => return None,
        None => {
            return Window::sliding(span(text, &[("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)])?);
        }
    };
    Window::sliding(Duration::from_secs(seconds))
}

/// A whole number without sign, and one of the units, each given in milliseconds.
pub(crate) fn span(text: &str, units: &[(&str, u64)]) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let (_, ms) = units.iter().find(|(name, _)| *name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*ms).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_words_or_spans() {
        for (text, seconds) in [
            ("second", 1),
            ("minute", 60),
            ("hour", 3600),
            ("day", 86_400),
            ("30s", 30),
            ("5m", 300),
            ("12h", 43_200),
            ("31d", 31 * 86_400),
        ] {
            assert_eq!(sliding(text), Window::sliding(Duration::from_secs(seconds)), "{text}");
            assert!(sliding(text).is_some(), "{text}");
        }
        for text in [
            "",
            "month",
            "s",
            "30",
            "30 s",
            "-5m",
            "+5m",
            "1.5h",
            "0s",
            "32d",
            "5min",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert_eq!(sliding(text), None, "{text}");
        }
    }
}
