//! `limits`, `rate_limit` and `concurrency`.

use core::time::Duration;

use super::conditions::{few_elements, some_elements, words_for_the_agent};
use super::error::ErrorKind;
use super::fields::{Check, MAX_WHOLE, Place};
use super::model::{Limit, Refund, Scope, Store};
use super::path::{ArgumentPath, header_name};
use super::tree::{Kind, push_step};
use super::windows;
use crate::global::Hits;
use crate::quota::{Unit, Window};

/// The longest name of a counter, claim or header, in bytes.
const MAX_NAME: usize = 256;

const SPANS: &str =
    "expected `second`, `minute`, `hour`, `day`, or a span from 1 second to 31 days such as `30s`, `5m`, `12h`";
const RATES: &str = "expected a rate such as `10/minute`, `30/hour` or `5/30s`";

/// Reads `limits`. `rule` is the rule's pointer, `arguments` says whether its target is called with any. Each limit comes
/// with its place in the document.
pub(crate) fn limits<'t>(check: &mut Check, place: &Place<'t>, rule: &str, arguments: bool) -> Vec<(Place<'t>, Limit)> {
    let mut limits: Vec<(Place<'t>, Limit)> = Vec::new();
    for element in few_elements(check, place).unwrap_or_default() {
        let Some(mut limit) = limit(check, &element, arguments) else { continue };
        let mut pointer = format!("{rule}/limits");
        push_step(&mut pointer, &limit.counter);
        let namesakes = limits.iter().filter(|(_, other)| other.counter == limit.counter);
        if namesakes.clone().any(|(_, other)| other.scope == limit.scope) {
            check.wrong(
                &element,
                ErrorKind::Misplaced(
                    "a rule cannot have two limits on one counter: the one with the smaller `max` decides",
                ),
            );
        } else if namesakes.count() > 0 {
            // Reports and metrics tell limits apart by their pointers.
            pointer.push('-');
            push_scope(&mut pointer, &limit.scope);
        }
        limit.pointer = pointer.into();
        limits.push((element, limit));
    }
    limits
}

fn push_scope(pointer: &mut String, scope: &Scope) {
    let mut step = String::new();
    push_step(&mut step, &scope.to_string());
    pointer.push_str(step.strip_prefix('/').unwrap_or(&step));
}

fn limit(check: &mut Check, place: &Place<'_>, arguments: bool) -> Option<Limit> {
    let fields = check.fields(
        place,
        &["counter", "window", "max", "scope", "align", "increment_from", "refund", "store", "on_deny"],
    )?;
    let counter = fields.need(check, "counter").and_then(|place| counter(check, &place));
    let calendar = fields.get("align").and_then(|place| check.word(&place, &[("sliding", false), ("calendar", true)]));
    let calendar = calendar.unwrap_or(false);
    let window = fields.need(check, "window").and_then(|place| window(check, &place, calendar));
    let increment_from = fields.get("increment_from").and_then(|place| {
        if !arguments {
            check.wrong(&place, ErrorKind::Misplaced("there are no arguments here, only tools and prompts have them"));
        }
        let text = check.text(&place)?;
        check.note(&place, ArgumentPath::parse(text).map_err(ErrorKind::Path))
    });
    // Whether it can be read or not: `max` is an amount.
    let unit = if fields.get("increment_from").is_some() { Unit::Millionths } else { Unit::Calls };
    let max = fields.need(check, "max").and_then(|place| max(check, &place, unit));
    let scope = fields.get("scope").map_or(Some(Scope::Grant), |place| scope(check, &place));
    let refund = fields.get("refund").map_or(Some(Refund::default()), |place| refund(check, &place));
    let store = fields
        .get("store")
        .map_or(Some(Store::Local), |place| check.word(&place, &[("local", Store::Local), ("global", Store::Global)]));
    let on_deny = fields.get("on_deny").and_then(|place| words_for_the_agent(check, &place));
    if store == Some(Store::Global) {
        if !calendar {
            check.wrong(
                &fields.get("store")?,
                ErrorKind::Misplaced(
                    "a global counter needs `\"align\": \"calendar\"`, as rate-limit services count so",
                ),
            );
        }
        if refund.as_ref().is_some_and(|refund| *refund != Refund::default()) {
            check.wrong(
                &fields.get("refund")?,
                ErrorKind::Misplaced("a global counter cannot be given back to: rate-limit services only add"),
            );
        }
        if max.is_some_and(|max| Hits::of(unit, max).is_none()) {
            check.wrong(&fields.get("max")?, ErrorKind::Misplaced(most_of_a_service(unit)));
        }
    }
    let (window, max) = (window?, max?);
    Some(Limit {
        pointer: Box::default(),
        counter: counter?,
        window,
        unit,
        max,
        scope: scope?,
        increment_from,
        refund: refund?,
        linger_ms: 0,
        store: store?,
        on_deny: on_deny.unwrap_or_else(|| used_up(max, unit, window)),
    })
}

fn most_of_a_service(unit: Unit) -> &'static str {
    match unit {
        Unit::Calls => "a global counter holds at most 4294967295, as rate-limit services count in 32 bits",
        Unit::Millionths => {
            "a global counter holds at most 4294967295 steps, as rate-limit services count in 32 bits: write the amount with \
             fewer decimal places (six up to 4294, three up to 4294967, none up to 4294967295)"
        }
    }
}

fn counter(check: &mut Check, place: &Place<'_>) -> Option<Box<str>> {
    let name = check.text(place)?;
    let why = if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
        "a counter's name has 1 to 256 bytes and no control characters"
    } else if name.starts_with('/') {
        "names that start with a slash are those of `rate_limit` counters"
    } else {
        return Some(name.into());
    };
    check.wrong(place, ErrorKind::Misplaced(why));
    None
}

fn window(check: &mut Check, place: &Place<'_>, calendar: bool) -> Option<Window> {
    let text = check.text(place)?;
    let (window, wanted) = if calendar {
        let words = windows::WORDS.map(|(word, unit)| (word, Window::calendar(unit)));
        if windows::sliding(text).is_some() && windows::calendar_unit(text).is_none() {
            (None, "calendar windows are `second`, `minute`, `hour`, `day` or `month`")
        } else {
            return check.word(place, &words);
        }
    } else if text == "month" {
        (None, "months differ in length, so `month` needs `\"align\": \"calendar\"`")
    } else {
        (windows::sliding(text), SPANS)
    };
    check.note(place, window.ok_or(ErrorKind::Misplaced(wanted)))
}

/// The cap in the unit; an amount may have up to six decimal places.
fn max(check: &mut Check, place: &Place<'_>, unit: Unit) -> Option<u64> {
    let Kind::Number(number) = &place.node.kind else { return check.mistyped(place, "a number") };
    if unit == Unit::Calls {
        return check.whole(place, 0, MAX_WHOLE);
    }
    check.number(place)?;
    let wanted = "expected an amount of at most 18446744073709, with no more than six decimal places";
    check.note(place, number.to_millionths().ok_or(ErrorKind::Misplaced(wanted)))
}

fn scope(check: &mut Check, place: &Place<'_>) -> Option<Scope> {
    let text = check.text(place)?;
    if let Some(name) = text.strip_prefix("claim:") {
        let fits = !name.is_empty() && name.len() <= MAX_NAME;
        let wanted = ErrorKind::Misplaced("the name of a claim must follow, such as `claim:team`");
        return check.note(place, fits.then(|| Scope::Claim(name.into())).ok_or(wanted));
    }
    if let Some(name) = text.strip_prefix("header:") {
        let wanted = ErrorKind::Misplaced("the name of a header must follow, such as `header:x-tenant`");
        return check.note(place, header_name(name).map(Scope::Header).ok_or(wanted));
    }
    let words = [
        ("grant", Scope::Grant),
        ("session", Scope::Session),
        ("client_ip", Scope::ClientIp),
        ("global", Scope::Global),
    ];
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, scope)) => Some(scope.clone()),
        None => {
            let known = words.iter().map(|(word, _)| *word).chain(["claim:NAME", "header:NAME"]);
            check.unknown_word(place, text, known);
            None
        }
    }
}

fn refund(check: &mut Check, place: &Place<'_>) -> Option<Refund> {
    let causes = [
        ("unsent", Refund { unsent: true, ..Refund::default() }),
        ("upstream_5xx", Refund { upstream_5xx: true, ..Refund::default() }),
        ("jsonrpc_error", Refund { jsonrpc_error: true, ..Refund::default() }),
        ("is_error", Refund { is_error: true, ..Refund::default() }),
    ];
    let Kind::Array(_) = place.node.kind else {
        let mut words = vec![("never", Refund::default())];
        words.extend(causes);
        return check.word(place, &words);
    };
    let mut sum = Refund::default();
    for element in some_elements(check, place)? {
        let Some(cause) = check.word(&element, &causes) else { continue };
        let both = sum.union(&cause);
        if both == sum {
            check.wrong(&element, ErrorKind::Repeated(shown(&element)));
        }
        sum = both;
    }
    Some(sum)
}

fn shown(place: &Place<'_>) -> Box<str> {
    match &place.node.kind {
        Kind::String(text) => (**text).into(),
        other => other.name().into(),
    }
}

/// Reads `rate_limit`: `"10/minute"`, or `{"max": 10, "window": 60}` in seconds. It counts the grant's calls under the
/// rule's pointer.
pub(crate) fn rate_limit(check: &mut Check, place: &Place<'_>, rule: &str) -> Option<Limit> {
    let (max, window) = if let Kind::Object(_) = place.node.kind {
        let fields = check.fields(place, &["max", "window"])?;
        let max = fields.need(check, "max").and_then(|place| check.whole(&place, 0, MAX_WHOLE));
        let window = fields.need(check, "window").and_then(|place| match place.node.kind {
            Kind::String(_) => window(check, &place, false),
            _ => {
                let seconds = check.whole(&place, 1, 31 * 86_400)?;
                check.note(&place, Window::sliding(Duration::from_secs(seconds)).ok_or(ErrorKind::Misplaced(SPANS)))
            }
        });
        (max?, window?)
    } else if let Kind::String(text) = &place.node.kind {
        check.note(place, rate(text).ok_or(ErrorKind::Misplaced(RATES)))?
    } else {
        return check.mistyped(place, "a rate such as \"10/minute\", or an object with `max` and `window`");
    };
    Some(Limit {
        pointer: format!("{rule}/rate_limit").into(),
        counter: rule.into(),
        window,
        unit: Unit::Calls,
        max,
        scope: Scope::Grant,
        increment_from: None,
        refund: Refund::default(),
        linger_ms: 0,
        store: Store::Local,
        on_deny: used_up(max, Unit::Calls, window),
    })
}

/// How long a call counts after its client has hung up, unless the policy says otherwise: a minute, which is how long
/// clients' own time-outs are.
const LINGER_MS: u64 = 60_000;

/// Reads `concurrency`: how many calls may run at once.
pub(crate) fn concurrency(check: &mut Check, place: &Place<'_>, rule: &str) -> Option<Limit> {
    let fields = check.fields(place, &["max", "scope", "counter", "linger", "on_deny"])?;
    let max = fields.need(check, "max").and_then(|place| check.whole(&place, 1, MAX_AT_ONCE));
    let scope = fields.get("scope").map_or(Some(Scope::Grant), |place| scope(check, &place));
    let counter = fields.get("counter").map_or(Some(rule.into()), |place| counter(check, &place));
    let linger_ms = fields.get("linger").map_or(Some(LINGER_MS), |place| linger(check, &place));
    let on_deny = fields.get("on_deny").and_then(|place| words_for_the_agent(check, &place));
    let max = max?;
    let at_most = format!("At most {max} of these may run at once. Try again when one has ended.");
    Some(Limit {
        pointer: format!("{rule}/concurrency").into(),
        counter: counter?,
        window: Window::Running,
        unit: Unit::Calls,
        max,
        scope: scope?,
        increment_from: None,
        refund: Refund::default(),
        linger_ms: linger_ms?,
        store: Store::Local,
        on_deny: on_deny.unwrap_or_else(|| at_most.into()),
    })
}

/// The most calls that a limit can let run at once.
const MAX_AT_ONCE: u64 = 1_000_000;

fn linger(check: &mut Check, place: &Place<'_>) -> Option<u64> {
    let text = check.text(place)?;
    let span = windows::span(text, &[("s", 1_000), ("m", 60_000), ("h", 3_600_000)]);
    let ms = span.and_then(|span| u64::try_from(span.as_millis()).ok()).filter(|ms| *ms <= 3_600_000);
    check.note(place, ms.ok_or(ErrorKind::Misplaced("expected a time from `0s` to `1h`")))
}

/// What the agent is told where the policy has no words of its own.
fn used_up(max: u64, unit: Unit, window: Window) -> Box<str> {
    let max = unit.display(max);
    format!("The limit of {max} per {window} is used up.").into()
}

fn rate(text: &str) -> Option<(u64, Window)> {
    let (max, window) = text.split_once('/')?;
    let digits = !max.is_empty() && max.bytes().all(|byte| byte.is_ascii_digit());
    let max = max.parse().ok().filter(|max| digits && *max <= MAX_WHOLE)?;
    Some((max, windows::sliding(window)?))
}
