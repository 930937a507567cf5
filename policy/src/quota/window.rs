//! How long a counter remembers: sliding spans cut into cells, calendar periods of UTC, and calls while they run.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

/// Cells that one sliding window is cut into (the `B` of the promise). A ring holds one cell more,
/// so that every span of one window lies inside it.
pub const CELLS_PER_WINDOW: u64 = 15;

/// Cells that a ring holds: those of one window, and the one that the window's far end cuts.
pub(super) const RING_CELLS: u64 = CELLS_PER_WINDOW + 1;

const MS_PER_SECOND: u64 = 1_000;
const MS_PER_MINUTE: u64 = 60 * MS_PER_SECOND;
const MS_PER_HOUR: u64 = 60 * MS_PER_MINUTE;
const MS_PER_DAY: u64 = 24 * MS_PER_HOUR;
const SHORTEST_MS: u64 = MS_PER_SECOND;
const LONGEST_MS: u64 = 31 * MS_PER_DAY;

/// The window of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// Never more than the limit's `max` within *any* span of this length.
    Sliding(Span),
    /// Never more than `max` from one UTC boundary to the next.
    Calendar(CalendarUnit),
    /// Never more than `max` at once: each counts until it ends.
    Running,
}

/// The length of a sliding window: whole milliseconds, from 1 second to 31 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span(NonZeroU64);

/// The periods that a calendar window resets by, at their UTC boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CalendarUnit {
    /// Every full second.
    Second,
    /// Every full minute.
    Minute,
    /// Every full hour.
    Hour,
    /// Midnight.
    Day,
    /// Midnight of the first of the month.
    Month,
}

impl Window {
    /// One second, sliding.
    pub const SECOND: Self = Self::of_ms(MS_PER_SECOND);
    /// One minute, sliding.
    pub const MINUTE: Self = Self::of_ms(MS_PER_MINUTE);
    /// One hour, sliding.
    pub const HOUR: Self = Self::of_ms(MS_PER_HOUR);
    /// One day, sliding.
    pub const DAY: Self = Self::of_ms(MS_PER_DAY);

    /// A sliding window of that length. `None` unless it is a whole number of milliseconds from 1
    /// second to 31 days.
    #[must_use]
    pub fn sliding(length: Duration) -> Option<Self> {
        let whole = length.subsec_nanos().is_multiple_of(1_000_000);
        let ms = u64::try_from(length.as_millis()).ok()?;
        if whole { Span::new(ms).map(Self::Sliding) } else { None }
    }

    /// A window that resets at the UTC boundary of `unit`.
    #[must_use]
    pub const fn calendar(unit: CalendarUnit) -> Self {
        Self::Calendar(unit)
    }

    /// The longest time, in ms, that a call can go on counting in this window before cells are
    /// rounded: the span itself, or the length of the period (31 days for a month). What runs has no such bound, and
    /// nothing of it is ever carried over to another window: 0.
    #[must_use]
    pub const fn length_ms(self) -> u64 {
        match self {
            Self::Sliding(span) => span.0.get(),
            Self::Calendar(CalendarUnit::Second) => MS_PER_SECOND,
            Self::Calendar(CalendarUnit::Minute) => MS_PER_MINUTE,
            Self::Calendar(CalendarUnit::Hour) => MS_PER_HOUR,
            Self::Calendar(CalendarUnit::Day) => MS_PER_DAY,
            Self::Calendar(CalendarUnit::Month) => LONGEST_MS,
            Self::Running => 0,
        }
    }

    const fn of_ms(ms: u64) -> Self {
        match NonZeroU64::new(ms) {
            Some(ms) => Self::Sliding(Span(ms)),
            None => Self::Sliding(Span(NonZeroU64::MIN)),
        }
    }

    /// The four bytes that a slot names its window with: the calendar units are 1 to 5, what runs is 6, anything
    /// from 1000 on is a sliding span in ms.
    pub(super) fn code(self) -> u32 {
        match self {
            // INVARIANT: a span is at most 31 days, which is less than 2^32 ms.
            Self::Sliding(span) => u32::try_from(span.0.get()).unwrap_or(u32::MAX),
            Self::Calendar(CalendarUnit::Second) => 1,
            Self::Calendar(CalendarUnit::Minute) => 2,
            Self::Calendar(CalendarUnit::Hour) => 3,
            Self::Calendar(CalendarUnit::Day) => 4,
            Self::Calendar(CalendarUnit::Month) => 5,
            Self::Running => 6,
        }
    }

    /// Reads [`Window::code`] back; `None` for bytes that no window writes.
    pub(super) fn from_code(code: u32) -> Option<Self> {
        Some(match code {
            1 => Self::Calendar(CalendarUnit::Second),
            2 => Self::Calendar(CalendarUnit::Minute),
            3 => Self::Calendar(CalendarUnit::Hour),
            4 => Self::Calendar(CalendarUnit::Day),
            5 => Self::Calendar(CalendarUnit::Month),
            6 => Self::Running,
            ms => Self::Sliding(Span::new(ms.into())?),
        })
    }
}

impl Span {
    fn new(ms: u64) -> Option<Self> {
        if (SHORTEST_MS..=LONGEST_MS).contains(&ms) { NonZeroU64::new(ms).map(Self) } else { None }
    }

    /// The cell that a moment (ms) falls into: `floor(15 * ms / span)`, so that cells are exact
    /// fifteenths of the span even where those are no whole milliseconds.
    pub(super) fn cell(self, ms: u64) -> u64 {
        const LAST: u64 = u64::MAX / CELLS_PER_WINDOW;
        if ms <= LAST {
            return ms.wrapping_mul(CELLS_PER_WINDOW) / self.0;
        }
        // INVARIANT: a span is a second at least and 31 days at most, so that neither product overflows. To saturate,
        // wasm would need products of 128 bits.
        let whole = (ms / self.0).wrapping_mul(CELLS_PER_WINDOW);
        let part = (ms % self.0).wrapping_mul(CELLS_PER_WINDOW) / self.0;
        whole.saturating_add(part)
    }

    /// The first millisecond of a cell.
    pub(super) fn first_ms(self, cell: u64) -> u64 {
        let whole = (cell / CELLS_PER_WINDOW).saturating_mul(self.0.get());
        let part = (cell % CELLS_PER_WINDOW).saturating_mul(self.0.get()).div_ceil(CELLS_PER_WINDOW);
        whole.saturating_add(part)
    }

    /// The first millisecond at which what fell into `cell` no longer counts.
    pub(super) fn leaves_ms(self, cell: u64) -> u64 {
        self.first_ms(cell.saturating_add(RING_CELLS))
    }
}

impl CalendarUnit {
    /// The first millisecond (since 1970, UTC) of the period that holds this moment.
    pub(super) fn first_ms(self, wall_ms: u64) -> u64 {
        let round_down = |length: NonZeroU64| (wall_ms / length).saturating_mul(length.get());
        match self.even_length() {
            Some(length) => round_down(length),
            None => first_day_of_month(wall_ms / MS_PER_DAY).saturating_mul(MS_PER_DAY),
        }
    }

    /// The first millisecond of the period after the one that holds this moment.
    pub(super) fn next_ms(self, wall_ms: u64) -> u64 {
        let first = self.first_ms(wall_ms);
        match self.even_length() {
            Some(length) => first.saturating_add(length.get()),
            // No month is longer than 31 days or shorter than 28: the 32nd day lies in the next one.
            None => self.first_ms(first.saturating_add(LONGEST_MS)),
        }
    }

    /// The length of periods that are all alike; `None` for months.
    const fn even_length(self) -> Option<NonZeroU64> {
        NonZeroU64::new(match self {
            Self::Second => MS_PER_SECOND,
            Self::Minute => MS_PER_MINUTE,
            Self::Hour => MS_PER_HOUR,
            Self::Day => MS_PER_DAY,
            Self::Month => 0,
        })
    }
}

/// The first day of the month that holds `day`; both count from 1970-01-01.
///
/// The proleptic Gregorian calendar with its year turned to begin in March, so that the leap day
/// comes last and the lengths of the months before it follow one line: month `m` (March is 0)
/// begins on day `(153 * m + 2) / 5`.
fn first_day_of_month(day: u64) -> u64 {
    /// Days from 0000-03-01 to 1970-01-01.
    const TO_1970: u64 = 719_468;
    const DAYS_PER_400_YEARS: u64 = 146_097;
    let of_era = day.saturating_add(TO_1970) % DAYS_PER_400_YEARS;
    let leap_days_skipped = (of_era / 1_460).saturating_add(of_era / 146_096).saturating_sub(of_era / 36_524);
    let year = of_era.saturating_sub(leap_days_skipped) / 365;
    let year_begins = year.saturating_mul(365).saturating_add(year / 4).saturating_sub(year / 100);
    let of_year = of_era.saturating_sub(year_begins);
    let month = of_year.saturating_mul(5).saturating_add(2) / 153;
    let month_begins = month.saturating_mul(153).saturating_add(2) / 5;
    day.saturating_sub(of_year.saturating_sub(month_begins))
}

impl fmt::Display for Window {
    /// As a policy writes it: `minute`, `30s`, `calendar month`; and `at once` for what runs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sliding(span) => span.fmt(f),
            Self::Calendar(unit) => write!(f, "calendar {unit}"),
            Self::Running => f.write_str("at once"),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get() {
            MS_PER_SECOND => f.write_str("second"),
            MS_PER_MINUTE => f.write_str("minute"),
            MS_PER_HOUR => f.write_str("hour"),
            MS_PER_DAY => f.write_str("day"),
            ms if ms.is_multiple_of(MS_PER_HOUR) => write!(f, "{}h", ms / MS_PER_HOUR),
            ms if ms.is_multiple_of(MS_PER_MINUTE) => write!(f, "{}m", ms / MS_PER_MINUTE),
            ms if ms.is_multiple_of(MS_PER_SECOND) => write!(f, "{}s", ms / MS_PER_SECOND),
            ms => write!(f, "{ms}ms"),
        }
    }
}

impl fmt::Display for CalendarUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(ms: u64) -> Span {
        Span::new(ms).unwrap()
    }

    #[test]
    fn a_sliding_window_lasts_from_one_second_to_thirty_one_days() {
        assert!(Window::sliding(Duration::from_millis(999)).is_none());
        assert!(Window::sliding(Duration::from_secs(1)).is_some());
        assert!(Window::sliding(Duration::from_secs(31 * 86_400)).is_some());
        assert!(Window::sliding(Duration::from_millis(31 * 86_400_000 + 1)).is_none());
        assert!(Window::sliding(Duration::from_micros(1_000_500)).is_none());
        assert!(Window::sliding(Duration::MAX).is_none());
    }

    #[test]
    fn a_window_reads_as_a_policy_writes_it() {
        let of = |s| Window::sliding(Duration::from_secs(s)).unwrap().to_string();
        assert_eq!(of(60), "minute");
        assert_eq!(of(30), "30s");
        assert_eq!(of(300), "5m");
        assert_eq!(of(43_200), "12h");
        assert_eq!(Window::calendar(CalendarUnit::Month).to_string(), "calendar month");
    }

    #[test]
    fn months_begin_where_the_calendar_says() {
        // (a moment, the first of its month, the first of the next), from `date -u +%s`.
        for (s, first, next) in [
            (0, 0, 2_678_400),
            (951_782_400, 949_363_200, 951_868_800), // 2000-02-29: a leap year by the 400-year rule
            (951_868_799, 949_363_200, 951_868_800),
            (951_868_800, 951_868_800, 954_547_200),
            (1_709_164_800, 1_706_745_600, 1_709_251_200), // 2024-02-29
            (1_798_761_599, 1_796_083_200, 1_798_761_600), // the last second of 2026
            (4_107_542_399, 4_105_123_200, 4_107_542_400), // 2100-02-28: no leap year
        ] {
            assert_eq!(CalendarUnit::Month.first_ms(s * 1_000 + 7), first * 1_000, "{s}");
            assert_eq!(CalendarUnit::Month.next_ms(s * 1_000 + 7), next * 1_000, "{s}");
        }
    }

    proptest! {
        #[test]
        fn cells_tile_time_without_gap_or_overlap(ms in 0..u64::MAX / 2, w in SHORTEST_MS..=LONGEST_MS) {
            let span = span(w);
            let cell = span.cell(ms);
            prop_assert!(span.first_ms(cell) <= ms && ms < span.first_ms(cell + 1));
        }

        #[test]
        fn a_ring_holds_every_window_and_at_most_a_fifteenth_more(ms in LONGEST_MS * 2..u64::MAX / 2, w in SHORTEST_MS..=LONGEST_MS) {
            let span = span(w);
            let oldest = span.first_ms(span.cell(ms) - CELLS_PER_WINDOW);
            prop_assert!(oldest <= ms - (w - 1));
            prop_assert!((ms - oldest) * 15 < w * 16);
        }

        #[test]
        fn months_hold_their_days(day in 0..4_000_000u64) {
            let first = first_day_of_month(day);
            prop_assert!(first <= day && day - first < 31);
            prop_assert_eq!(first_day_of_month(first), first);
            let next = CalendarUnit::Month.next_ms(day * MS_PER_DAY) / MS_PER_DAY;
            prop_assert!(next > day && (28..=31).contains(&(next - first)));
            prop_assert_eq!(first_day_of_month(next), next);
        }

        #[test]
        fn codes_read_back_or_not_at_all(code: u32) {
            if let Some(window) = Window::from_code(code) {
                prop_assert_eq!(window.code(), code);
            }
        }

        #[test]
        fn no_moment_overflows(ms: u64, w in SHORTEST_MS..=LONGEST_MS) {
            span(w).leaves_ms(span(w).cell(ms));
            CalendarUnit::Month.next_ms(ms);
            CalendarUnit::Day.next_ms(ms);
        }
    }
}
