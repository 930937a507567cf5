//! What the messages of a body take from their limits.

use policy::decision::{Due, Header};
use policy::document::model::Scope;
use policy::quota::{Charge, CounterName, Outcome, QuotaError, ScopeValue, Taken, Unit, Window};
use policy::reply::{Exhausted, Retry};

use smallvec::SmallVec;

use crate::caller::Caller;
use crate::host::Headers;
use crate::runtime::Runtime;
use crate::store;
use crate::stream::Exchange;

/// Why a call was not counted.
pub(super) enum Uncounted {
    /// Whose count the limit at this index means is not clear.
    Unclear(usize),
    Quota(QuotaError),
}

/// What counting said.
pub(super) enum Counted {
    /// All is taken, or could be.
    Taken(Taken),
    /// The limit at this index refuses.
    Refused(usize, Exhausted),
}

impl From<QuotaError> for Uncounted {
    fn from(error: QuotaError) -> Self {
        Self::Quota(error)
    }
}

/// Takes all limits of a body's messages together, or says by its index which refuses. Only looks if somebody still has
/// to approve.
pub(super) fn count(
    runtime: &Runtime,
    dues: &[Due<'_>],
    exchange: &Exchange,
    sessions: bool,
    only_look: bool,
) -> Result<Counted, Uncounted> {
    if dues.is_empty() {
        return Ok(Counted::Taken(Taken::default()));
    }
    let scopes = Scopes::read(dues, exchange, sessions)?;
    let charges: SmallVec<[Charge<'_>; 2]> = dues.iter().map(|due| scopes.charge(due)).collect();
    let caller = &exchange.caller;
    let quota = runtime.quota()?;
    let now = store::now(caller.wall_ms())?;
    let outcome = if only_look {
        quota.look(&runtime.store, caller.principal(), &charges, now)?
    } else {
        quota.take(&runtime.store, caller.principal(), &charges, now)?
    };
    Ok(match outcome {
        Outcome::Admitted(taken) => {
            if taken.is_shared() {
                runtime.metrics.counters_shared.increment();
            }
            Counted::Taken(taken)
        }
        Outcome::Refused(refusal) => {
            let unit = charges.get(refusal.charge).map_or(Unit::Calls, |charge| charge.unit);
            let retry = match refusal.retry_after_ms {
                Some(ms) => Retry::AfterMs(ms),
                None if charges.iter().any(|charge| charge.window == Window::Running) => Retry::Unknown,
                None => Retry::Never,
            };
            Counted::Refused(refusal.charge, Exhausted { retry, remaining: refusal.remaining, unit })
        }
    })
}

/// Whose counts the limits of a body mean.
pub(super) struct Scopes<'m> {
    caller: &'m Caller,
    /// One text for all dues of a scope: a batch may have hundreds.
    texts: SmallVec<[(&'m Scope, Option<String>); 1]>,
}

impl<'m> Scopes<'m> {
    pub(super) fn read(
        dues: &[Due<'m>],
        Exchange { caller, headers, .. }: &'m Exchange,
        sessions: bool,
    ) -> Result<Self, Uncounted> {
        let mut texts: SmallVec<[(&Scope, Option<String>); 1]> = SmallVec::new();
        for (index, due) in dues.iter().enumerate() {
            let scope = &due.taking.limit.scope;
            if has_text(scope) && !texts.iter().any(|(known, _)| *known == scope) {
                let text = scope_text(scope, caller, headers, sessions).map_err(|Unclear| Uncounted::Unclear(index))?;
                texts.push((scope, text));
            }
        }
        Ok(Self { caller, texts })
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

/// The header that a limit counts by is there more than once, or is not text: servers differ in what they make of it. Or
/// it is too long.
struct Unclear;

/// Whether calls are told apart by a text, which has to be found.
fn has_text(scope: &Scope) -> bool {
    match scope {
        Scope::Session | Scope::Claim(_) | Scope::Header(_) => true,
        Scope::Grant | Scope::ClientIp | Scope::Global => false,
    }
}

/// The text of a scope that is one. Calls that lack it share one count.
fn scope_text(scope: &Scope, caller: &Caller, headers: &Headers, sessions: bool) -> Result<Option<String>, Unclear> {
    let header = |name: &str| match headers.once(name) {
        Header::Absent => Ok(None),
        Header::Once(value) if value.len() > MAX_TEXT => Err(Unclear),
        Header::Once(value) => Ok(Some(value.into_owned())),
        Header::Unclear => Err(Unclear),
    };
    match scope {
        // A revision without sessions ignores the header, so a client could write anything there.
        Scope::Session if !sessions => Ok(None),
        Scope::Session => header("mcp-session-id"),
        Scope::Claim(name) => Ok(caller.claim_text(name)),
        Scope::Header(name) => header(name),
        Scope::Grant | Scope::ClientIp | Scope::Global => Ok(None),
    }
}

fn scope_value<'a>(scope: &'a Scope, caller: &Caller, text: Option<&'a str>) -> ScopeValue<'a> {
    match scope {
        Scope::Grant => ScopeValue::Grant,
        Scope::Session => match text {
            // Where there are no sessions, the grant is as close as one gets.
            None => ScopeValue::Grant,
            text => ScopeValue::Session(text),
        },
        Scope::ClientIp => ScopeValue::ClientIp(caller.client_ip()),
        Scope::Global => ScopeValue::Global,
        Scope::Claim(name) => ScopeValue::Claim { name, value: text },
        Scope::Header(name) => ScopeValue::Header { name, value: text },
    }
}
