//! What the answer of a service means.

use core::fmt;

use prost::Message;

use super::ask::Asked;
use super::wire::{Duration, Header, Limit, Response, Status};

/// What a service says of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is within the limit, and is counted.
    Admitted,
    /// It is over the limit. Some services count it all the same.
    OverLimit {
        /// When to try again, in ms from now, if the service says. Never earlier than the count is reset.
        retry_after_ms: Option<u64>,
    },
}

/// An answer that does not count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misanswer {
    /// The bytes are no `RateLimitResponse`.
    Unreadable,
    /// A code is UNKNOWN, or none that there is.
    Unknown,
    /// So many descriptors were answered for, where one was asked about.
    Statuses(usize),
    /// The call is admitted, but no limit is named that was applied.
    NoLimit,
    /// The call is admitted under another limit than the one that was asked for.
    OtherLimit(Wanted),
}

/// The limit that should have been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted(Asked);

const OK: i32 = 1;
const OVER_LIMIT: i32 = 2;

pub(super) fn read(bytes: &[u8], asked: Asked) -> Result<Answer, Misanswer> {
    let response = Response::decode(bytes).map_err(|_| Misanswer::Unreadable)?;
    let status = match response.statuses.as_slice() {
        [] => None,
        [status] => Some(status),
        more => return Err(Misanswer::Statuses(more.len())),
    };
    let mut over = false;
    for code in [Some(response.overall_code), status.map(|status| status.code)].into_iter().flatten() {
        match code {
            OK => {}
            // A service in shadow mode says OK over all, and OVER_LIMIT of the descriptor: the policy says what is only
            // observed, not the service.
            OVER_LIMIT => over = true,
            _ => return Err(Misanswer::Unknown),
        }
    }
    let headers = &response.response_headers_to_add;
    if over {
        let retry_after_ms = match status {
            Some(status) => status.duration_until_reset.and_then(whole_ms),
            None => reset(headers),
        };
        return Ok(Answer::OverLimit { retry_after_ms });
    }
    match status {
        Some(status) => status_proves(status, asked)?,
        None => headers_prove(headers, asked)?,
    }
    Ok(Answer::Admitted)
}

/// envoyproxy/ratelimit names the limit in the descriptor's status.
fn status_proves(status: &Status, asked: Asked) -> Result<(), Misanswer> {
    let wanted = Limit { requests_per_unit: asked.max, unit: asked.period.number() };
    match status.current_limit {
        Some(limit) if limit == wanted => Ok(()),
        Some(_) => Err(Misanswer::OtherLimit(Wanted(asked))),
        None => Err(Misanswer::NoLimit),
    }
}

/// Limitador names each limit it applied in a header: `10, 10;w=60, 100;w=3600;name="hourly"`.
fn headers_prove(headers: &[Header], asked: Asked) -> Result<(), Misanswer> {
    let mut limits = headers.iter().filter(|header| header.key.eq_ignore_ascii_case("x-ratelimit-limit")).peekable();
    if limits.peek().is_none() {
        return Err(Misanswer::NoLimit);
    }
    let names_it = |header: &Header| outside_quotes(&header.value, ',').any(|element| is_policy(element, asked));
    if limits.any(names_it) { Ok(()) } else { Err(Misanswer::OtherLimit(Wanted(asked))) }
}

/// Whether an element is `MAX;w=SECONDS`, perhaps with more parameters.
fn is_policy(element: &str, asked: Asked) -> bool {
    let mut parts = outside_quotes(element, ';').map(str::trim);
    parts.next().and_then(number) == Some(asked.max.into())
        && parts.any(|part| part.strip_prefix("w=").and_then(number) == Some(asked.period.seconds().into()))
}

/// A whole number without sign.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The parts of a text between separators that are not quoted: names of limits may hold anything.
fn outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
}

/// The time until a count is reset, in whole milliseconds, rounded up. `None` for what is no time.
fn whole_ms(duration: Duration) -> Option<u64> {
    let seconds = u64::try_from(duration.seconds).ok()?;
    let nanos = u64::try_from(duration.nanos).ok()?;
    Some(seconds.saturating_mul(1_000).saturating_add(nanos.div_ceil(1_000_000)))
}

/// Limitador gives the whole seconds that are left, rounded down: one more is not too early.
fn reset(headers: &[Header]) -> Option<u64> {
    let header = headers.iter().find(|header| header.key.eq_ignore_ascii_case("x-ratelimit-reset"))?;
    Some(number(&header.value)?.saturating_add(1).saturating_mul(1_000))
}

impl fmt::Display for Misanswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str(
                "what came back is no `RateLimitResponse`: the cluster of `global_counters` may not be a rate-limit service",
            ),
            Self::Unknown => f.write_str("the rate-limit service answered UNKNOWN: its own log may say why"),
            Self::Statuses(count) => {
                write!(f, "the rate-limit service answered for {count} descriptors, and was asked about one")
            }
            Self::NoLimit => f.write_str(
                "the rate-limit service knows no limit for this counter: envoyproxy/ratelimit needs a file that names the \
                 domain of `global_counters`; Limitador needs the limits that `mcp-policy export limitador` writes, and \
                 `--rate-limit-headers DRAFT_VERSION_03`",
            ),
            Self::OtherLimit(Wanted(Asked { max, period })) => write!(
                f,
                "the rate-limit service applied another limit than {max} per {period}: it may have the limits of an older \
                 policy"
            ),
        }
    }
}

impl std::error::Error for Misanswer {}
