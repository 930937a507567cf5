//! What the messages of a body take from their limits.

use policy::decision::{Due, Header};
use policy::document::model::Scope;
use policy::quota::{Charge, CounterName, Outcome, QuotaError, Refusal, ScopeValue, Unit, Window};
use policy::reply::{Exhausted, Retry};

use crate::caller::Caller;
use crate::host::Headers;
use crate::runtime::Runtime;
use crate::store;
use crate::stream::Exchange;

/// Whose count the limit at this index means is not clear: the header that it counts by is there more than once, or is not
/// text (servers differ in what they make of it), or it is too long.
pub(super) struct Unclear(pub(super) usize);

/// Takes all limits of a body's messages together, or says which refuses. Only looks if somebody still has to approve.
pub(super) fn count(
    runtime: &Runtime,
    dues: &[Due<'_>],
    scopes: &Scopes<'_>,
    only_look: bool,
) -> Result<Outcome, QuotaError> {
    // Most calls owe one limit, whose charge is not worth a list.
    if let [due] = dues {
        return take(runtime, scopes.caller, &[scopes.charge(due)], only_look);
    }
    let charges: Vec<Charge<'_>> = dues.iter().map(|due| scopes.charge(due)).collect();
    take(runtime, scopes.caller, &charges, only_look)
}

fn take(runtime: &Runtime, caller: &Caller, charges: &[Charge<'_>], only_look: bool) -> Result<Outcome, QuotaError> {
    let quota = runtime.quota()?;
    let at = |now| {
        if only_look {
            quota.look(&runtime.store, caller.principal(), charges, now)
        } else {
            quota.take(&runtime.store, caller.principal(), charges, now)
        }
    };
    match at(store::now(runtime.config.needs.calendar)?) {
        // Another policy goes by the calendar, or one before this did.
        Err(QuotaError::NoWallTime) => at(store::now(true)?),
        outcome => outcome,
    }
}

/// What a refusal says of the limits that it is about.
pub(super) fn exhausted(dues: &[Due<'_>], refusal: Refusal) -> Exhausted {
    let limits = || dues.iter().map(|due| due.taking.limit);
    let retry = match refusal.retry_after_ms {
        Some(ms) => Retry::AfterMs(ms),
        None if limits().any(|limit| limit.window == Window::Running) => Retry::Unknown,
        None => Retry::Never,
    };
    let unit = limits().nth(refusal.charge).map_or(Unit::Calls, |limit| limit.unit);
    Exhausted { retry, remaining: refusal.remaining, unit }
}

/// Whose counts the limits of a body mean.
pub(super) struct Scopes<'m> {
    caller: &'m Caller,
    /// One text for all dues of a scope: a batch may have hundreds.
    texts: Vec<(&'m Scope, Option<String>)>,
}

impl<'m> Scopes<'m> {
    pub(super) fn read(
        dues: &[Due<'m>],
        Exchange { caller, headers, .. }: &'m Exchange,
        sessions: bool,
    ) -> Result<Self, Unclear> {
        if !dues.iter().any(|due| has_text(&due.taking.limit.scope)) {
            return Ok(Self { caller, texts: vec![] });
        }
        Ok(Self { caller, texts: texts(dues, caller, headers, sessions)? })
    }

    pub(super) fn charge<'s>(&'s self, Due { message, policy, taking }: &'s Due<'m>) -> Charge<'s> {
        let scope = &taking.limit.scope;
        let text = self.texts.iter().find(|(known, _)| *known == scope);
        let text = text.and_then(|(_, text)| text.as_deref());
        Charge {
            call: *message,
            counter: CounterName { policy, counter: &taking.limit.counter },
            scope: scope_value(scope, self.caller, text),
            window: taking.limit.window,
            unit: taking.limit.unit,
            max: taking.limit.max,
            amount: taking.amount,
        }
    }
}

/// The longest header that a limit counts by, in bytes: room for a token. It is hashed for each limit.
const MAX_TEXT: usize = 8 * 1024;

/// The texts that calls are told apart by, of each scope that has one.
fn texts<'m>(
    dues: &[Due<'m>],
    caller: &Caller,
    headers: &Headers,
    sessions: bool,
) -> Result<Vec<(&'m Scope, Option<String>)>, Unclear> {
    let mut texts: Vec<(&Scope, Option<String>)> = Vec::new();
    for (index, due) in dues.iter().enumerate() {
        let scope = &due.taking.limit.scope;
        if has_text(scope) && !texts.iter().any(|(known, _)| *known == scope) {
            let text = scope_text(scope, caller, headers, sessions).ok_or(Unclear(index))?;
            texts.push((scope, text));
        }
    }
    Ok(texts)
}

/// Whether calls are told apart by a text, which has to be found.
fn has_text(scope: &Scope) -> bool {
    match scope {
        Scope::Session | Scope::Claim(_) | Scope::Header(_) => true,
        Scope::Grant | Scope::ClientIp | Scope::Global => false,
    }
}

/// The text of a scope that is one; `None` if it is not clear. Calls that lack it share one count; those that lack a session,
/// one of their grant.
fn scope_text(scope: &Scope, caller: &Caller, headers: &Headers, sessions: bool) -> Option<Option<String>> {
    let header = |name: &str| match headers.once(name) {
        Header::Absent => Some(None),
        Header::Once(value) if value.len() > MAX_TEXT => None,
        Header::Once(value) => Some(Some(value.into_owned())),
        Header::Unclear => None,
    };
    match scope {
        // A revision without sessions ignores the header, so a client could write anything there.
        Scope::Session if !sessions => Some(None),
        Scope::Session => header("mcp-session-id"),
        Scope::Claim(name) => Some(caller.claim_text(name)),
        Scope::Header(name) => header(name),
        Scope::Grant | Scope::ClientIp | Scope::Global => Some(None),
    }
}

fn scope_value<'a>(scope: &'a Scope, caller: &Caller, text: Option<&'a str>) -> ScopeValue<'a> {
    match scope {
        Scope::Grant => ScopeValue::Grant,
        // Where there are no sessions, this is all that the grant calls without one.
        Scope::Session => ScopeValue::Session(text),
        Scope::ClientIp => ScopeValue::ClientIp(caller.client_ip()),
        Scope::Global => ScopeValue::Global,
        Scope::Claim(name) => ScopeValue::Claim { name, value: text },
        Scope::Header(name) => ScopeValue::Header { name, value: text },
    }
}
