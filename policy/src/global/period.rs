//! The periods that a service counts by.

use core::fmt;

use crate::quota::{CalendarUnit, Window};

/// A calendar period, as both services know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period(CalendarUnit);

impl Period {
    /// `None` for sliding windows, which no service counts.
    pub(super) fn of(window: Window) -> Option<Self> {
        match window {
            Window::Calendar(unit) => Some(Self(unit)),
            Window::Sliding(_) | Window::Running => None,
        }
    }

    /// Its number in `envoy.type.v3.RateLimitUnit` and in `RateLimitResponse.RateLimit.Unit`.
    pub(super) fn number(self) -> i32 {
        match self.0 {
            CalendarUnit::Second => 1,
            CalendarUnit::Minute => 2,
            CalendarUnit::Hour => 3,
            CalendarUnit::Day => 4,
            CalendarUnit::Month => 5,
        }
    }

    /// Its length. A month is 30 days, as envoyproxy/ratelimit counts it.
    pub(super) fn seconds(self) -> u32 {
        match self.0 {
            CalendarUnit::Second => 1,
            CalendarUnit::Minute => 60,
            CalendarUnit::Hour => 3_600,
            CalendarUnit::Day => 86_400,
            CalendarUnit::Month => 30 * 86_400,
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
