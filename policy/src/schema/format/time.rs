//! Times of RFC 3339.

/// `2024-02-29T23:59:59.5Z`
pub(super) fn date_time(text: &str) -> bool {
    text.split_once(['T', 't']).is_some_and(|(day, rest)| date(day) && time(rest))
}

/// `2024-02-29`
pub(super) fn date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (year, month, day) = (number(parts.next(), 4), number(parts.next(), 2), number(parts.next(), 2));
    let (Some(year), Some(month), Some(day), None) = (year, month, day, parts.next()) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// `23:59:59.5+01:00`. A leap second is the last one of a day of UTC.
pub(super) fn time(text: &str) -> bool {
    let Some(at) = text.find(['Z', 'z', '+', '-']) else { return false };
    let (Some(clock), Some(zone)) = (text.get(..at), text.get(at..)) else { return false };
    let (clock, fraction) = clock.split_once('.').map_or((clock, "0"), |(clock, fraction)| (clock, fraction));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let mut parts = clock.split(':');
    let (hour, minute, second) = (number(parts.next(), 2), number(parts.next(), 2), number(parts.next(), 2));
    let (Some(hour), Some(minute), Some(second), None) = (hour, minute, second, parts.next()) else { return false };
    let ahead = match zone.split_at_checked(1) {
        Some(("Z" | "z", "")) => 0,
        Some((sign @ ("+" | "-"), zone)) => {
            let mut parts = zone.split(':');
            let (Some(hours), Some(minutes), None) = (number(parts.next(), 2), number(parts.next(), 2), parts.next())
            else {
                return false;
            };
            if hours > 23 || minutes > 59 {
                return false;
            }
            let ahead = hours.saturating_mul(60).saturating_add(minutes);
            if sign == "+" { ahead } else { 1440_u32.saturating_sub(ahead) }
        }
        _ => return false,
    };
    let utc = hour.saturating_mul(60).saturating_add(minute).saturating_add(1440).saturating_sub(ahead) % 1440;
    hour <= 23 && minute <= 59 && (second <= 59 || (second == 60 && utc == 1439))
}

/// `P3DT4H`, `P2W` (appendix A): each unit is followed by the next smaller one or by none.
pub(super) fn duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    if let Some(weeks) = rest.strip_suffix('W') {
        return digits(weeks);
    }
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (rest, None),
    };
    let dates = date.is_empty() || units(date, "YMD");
    dates && time.map_or(!date.is_empty(), |time| units(time, "HMS"))
}

/// Numbers with units, which follow each other among `order` without a gap. At least one.
fn units(text: &str, order: &str) -> bool {
    let mut order = order.chars();
    let mut first = true;
    let mut rest = text;
    while let Some(at) = rest.find(|character: char| !character.is_ascii_digit()) {
        let (Some(number), Some(tail)) = (rest.get(..at), rest.get(at..)) else { return false };
        let mut tail = tail.chars();
        let unit = tail.next();
        let in_order = if first { order.any(|known| Some(known) == unit) } else { order.next() == unit };
        if !in_order || number.is_empty() {
            return false;
        }
        first = false;
        rest = tail.as_str();
    }
    !first && rest.is_empty()
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number of exactly so many digits.
fn number(text: Option<&str>, length: usize) -> Option<u32> {
    let text = text.filter(|text| text.len() == length && digits(text))?;
    text.parse().ok()
}
