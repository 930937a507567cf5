//! Moments as RFC 3339 writes them.

/// Milliseconds since 1970-01-01 UTC as `2026-11-26T18:00:00.123Z`.
pub(super) fn rfc3339(ms: u64) -> String {
    let (day, of_day) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = date(day);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", of_day % 1000)
}

/// Year, month and day of the month; days count from 1970-01-01.
///
/// The proleptic Gregorian calendar with its year turned to begin in March, so that the leap day comes last.
fn date(day: u64) -> (u64, u64, u64) {
    /// Days from 0000-03-01 to 1970-01-01.
    const TO_1970: u64 = 719_468;
    const DAYS_PER_400_YEARS: u64 = 146_097;
    let day = day.saturating_add(TO_1970);
    let (era, of_era) = (day / DAYS_PER_400_YEARS, day % DAYS_PER_400_YEARS);
    let leap_days_skipped = (of_era / 1_460).saturating_add(of_era / 146_096).saturating_sub(of_era / 36_524);
    let year = of_era.saturating_sub(leap_days_skipped) / 365;
    let year_begins = year.saturating_mul(365).saturating_add(year / 4).saturating_sub(year / 100);
    let of_year = of_era.saturating_sub(year_begins);
    let turned = of_year.saturating_mul(5).saturating_add(2) / 153;
    let month_begins = turned.saturating_mul(153).saturating_add(2) / 5;
    let month = if turned < 10 { turned.saturating_add(3) } else { turned.saturating_sub(9) };
    let year = era.saturating_mul(400).saturating_add(year).saturating_add(u64::from(month <= 2));
    (year, month, of_year.saturating_sub(month_begins).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc() {
        for (ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_735_689_599_001, "2024-12-31T23:59:59.001Z"),
            (1_795_716_000_123, "2026-11-26T18:00:00.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(ms), expected);
        }
    }
}
