//! One message against its policies and counters.

use std::fmt;

use policy::config::{Config, Denial, Disclose};
use policy::decision::{self, Decision, Header, Refusal, RefusalKind, Taking, Target};
use policy::document::model::{Limit, Scope};
use policy::message::{HeaderCopies, HeaderMismatch, Id, Message, Params};
use policy::quota::{Charge, CounterName, Now, Outcome, QuotaError, ScopeValue, StoreError, Unit};
use policy::reply::{self, Exhausted, Style};

use crate::caller::{Caller, RequestFacts};
use crate::host::{self, Headers, Level};
use crate::route::{Policies, Uncovered};
use crate::runtime::Runtime;
use crate::store::SharedData;

/// What becomes of a message.
pub(crate) enum Verdict<'m> {
    /// It goes on to the server.
    Pass,
    /// The client is told why not.
    Refuse(Refused<'m>),
    /// The headers say something else than the body.
    Mismatch(HeaderMismatch),
    /// It could not be judged or counted: the client is told so, and the log why.
    Fail(String),
}

/// A refusal with all that its reply says.
pub(crate) struct Refused<'m> {
    pub(crate) refusal: Refusal<'m>,
    /// The policy that refuses, by its name.
    policy: &'m str,
    method: &'m str,
    target: Target<'m>,
    exhausted: Option<Exhausted>,
    /// Results must say their type.
    result_type: bool,
}

const SCOPE_UNCLEAR: &str = "A header that this is counted by is there more than once, or unreadable.";
const NO_ROOM: &str = "This cannot be counted at the moment.";

/// Whether the client speaks 2026-07-28 or later: without sessions, and results say their type. Revisions compare as
/// text: they are ISO dates.
fn is_stateless(params: &Params<'_>) -> bool {
    params.protocol_version.as_deref().is_some_and(|version| version >= "2026-07-28")
}

/// Judges a message by all policies of its route, and takes what they count.
pub(crate) fn judge<'m>(
    runtime: &'m Runtime,
    policies: &Policies,
    message: &'m Message<'_>,
    caller: &Caller,
    headers: &Headers,
) -> Verdict<'m> {
    if let Policies::None(why) = policies {
        return Verdict::Refuse(Refused::uncovered(message, *why));
    }
    let (method, params) = match message {
        Message::Request { method, params, .. } => {
            if let Err(mismatch) = HeaderCopies::of(headers.iter()).agree_with(method, params) {
                return Verdict::Mismatch(mismatch);
            }
            (&**method, params)
        }
        Message::Notification { method, params } => (&**method, params),
        // An answer to the server's own question asks for nothing.
        Message::Response => return Verdict::Pass,
    };
    let refuse = |policy, refusal, exhausted| {
        let (target, result_type) = (Target::of(method, params), is_stateless(params));
        Verdict::Refuse(Refused { refusal, policy, method, target, exhausted, result_type })
    };
    let facts = RequestFacts::new(runtime, caller, headers);
    let mut takings = vec![];
    let mut approval = None;
    let mut refused = None;
    for (name, policy) in runtime.policies(policies) {
        let taken = match decision::judge(policy, method, params, &facts) {
            // Whatever another policy says of it: a target that one hides does not exist.
            Decision::Refuse(refusal) if refusal.kind == RefusalKind::Hidden => return refuse(name, refusal, None),
            Decision::Refuse(refusal) => {
                refused = refused.or(Some((name, refusal)));
                continue;
            }
            Decision::Allow(takings) => takings,
            Decision::Approve(refusal, takings) => {
                approval = approval.or(Some((name, refusal)));
                takings
            }
        };
        takings.extend(taken.into_iter().map(|taking| (name, taking)));
    }
    if let Some((name, refusal)) = refused {
        return refuse(name, refusal, None);
    }
    let limited = |index: usize, reason: Option<&'static str>, exhausted| match takings.get(index) {
        Some((policy, Taking { limit: Limit { pointer, on_deny, .. }, .. })) => {
            let reason = reason.unwrap_or(on_deny);
            refuse(policy, Refusal { kind: RefusalKind::Limited, rule: pointer, reason }, exhausted)
        }
        None => Verdict::Fail("a limit is not known".to_owned()),
    };
    match count(runtime, &takings, caller, headers, params, approval.is_some()) {
        Ok(None) => match approval {
            // Until an approval service is asked, nobody can have approved.
            Some((policy, refusal)) => refuse(policy, refusal, None),
            None => Verdict::Pass,
        },
        Ok(Some((index, exhausted))) => limited(index, None, Some(exhausted)),
        Err(Uncounted::Unclear(index)) => limited(index, Some(SCOPE_UNCLEAR), None),
        Err(Uncounted::Quota(error)) => {
            runtime.metrics.uncounted.increment();
            host::log(Level::Warn, &format!("mcp_policy: a call cannot be counted: {error}"));
            match error {
                // The client's session goes on: there may be room later.
                QuotaError::Full { charge } => limited(charge, Some(NO_ROOM), None),
                QuotaError::Contended => limited(0, Some(NO_ROOM), None),
                error => Verdict::Fail(format!("the call cannot be counted: {error}")),
            }
        }
    }
}

/// Why a call was not counted.
enum Uncounted {
    /// Whose count the limit at this index means is not clear.
    Unclear(usize),
    Quota(QuotaError),
}

impl From<QuotaError> for Uncounted {
    fn from(error: QuotaError) -> Self {
        Self::Quota(error)
    }
}

/// Takes all limits of a call together, or says which refuses it. Only looks if the call still needs approval.
fn count(
    runtime: &Runtime,
    takings: &[(&str, Taking<'_>)],
    caller: &Caller,
    headers: &Headers,
    params: &Params<'_>,
    only_look: bool,
) -> Result<Option<(usize, Exhausted)>, Uncounted> {
    if takings.is_empty() {
        return Ok(None);
    }
    let mut values = Vec::with_capacity(takings.len());
    for (index, (_, taking)) in takings.iter().enumerate() {
        let text = scope_text(&taking.limit.scope, caller, headers, params);
        values.push(text.map_err(|Unclear| Uncounted::Unclear(index))?);
    }
    let charges: Vec<Charge<'_>> = takings
        .iter()
        .zip(&values)
        .map(|((policy, taking), value)| Charge {
            call: 0,
            counter: CounterName { policy, counter: &taking.limit.counter },
            scope: scope_value(&taking.limit.scope, caller, value.as_deref()),
            window: taking.limit.window,
            unit: taking.limit.unit,
            max: taking.limit.max,
            amount: taking.amount,
        })
        .collect();
    let quota = runtime.quota()?;
    let monotonic_ms = host::monotonic_ms().map_err(|status| QuotaError::Store(StoreError { status: status.0 }))?;
    let now = Now { monotonic_ms, wall_ms: caller.wall_ms() };
    let outcome = if only_look {
        quota.look(&SharedData, caller.principal(), &charges, now)?
    } else {
        quota.take(&SharedData, caller.principal(), &charges, now)?
    };
    Ok(match outcome {
        Outcome::Admitted(_) => None,
        Outcome::Refused(refusal) => {
            let unit = charges.get(refusal.charge).map_or(Unit::Calls, |charge| charge.unit);
            let (retry_after_ms, remaining) = (refusal.retry_after_ms, refusal.remaining);
            Some((refusal.charge, Exhausted { retry_after_ms, remaining, unit }))
        }
    })
}

/// The header that a limit counts by is there more than once, or is not text: servers differ in what they make of it.
struct Unclear;

/// The text of a scope that is one. Calls that lack it share one count.
fn scope_text(
    scope: &Scope,
    caller: &Caller,
    headers: &Headers,
    params: &Params<'_>,
) -> Result<Option<String>, Unclear> {
    let header = |name: &str| match headers.once(name) {
        Header::Absent => Ok(None),
        Header::Once(value) => Ok(Some(value.into_owned())),
        Header::Unclear => Err(Unclear),
    };
    match scope {
        // A revision without sessions ignores the header, so a client could write anything there.
        Scope::Session if is_stateless(params) => Ok(None),
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

impl<'m> Refused<'m> {
    /// No policy covers the request: whatever it says is refused.
    fn uncovered(message: &'m Message<'_>, why: Uncovered) -> Self {
        let reason = match why {
            Uncovered::Place | Uncovered::Caller => "No policy allows this here.",
            Uncovered::Grant => "The credential that calls are made under is unclear.",
        };
        let refusal = Refusal { kind: RefusalKind::Denied, rule: why.rule(), reason };
        let (method, target) = match message {
            Message::Request { method, params, .. } | Message::Notification { method, params } => {
                (&**method, Target::of(method, params))
            }
            Message::Response => ("a response", Target::Method),
        };
        Self { refusal, policy: "", method, target, exhausted: None, result_type: false }
    }

    pub(crate) fn reply(&self, id: &Id, config: &Config) -> Vec<u8> {
        let style = Style {
            jsonrpc_error: config.denial == Denial::JsonRpcError,
            disclose_rule: config.disclose == Disclose::Rule,
            result_type: self.result_type,
        };
        reply::refusal(id, &self.target, &self.refusal, self.exhausted, style)
    }
}

/// One line for the log. Names only what the policy says, or what a server could have named so: never arguments.
impl fmt::Display for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.refusal.kind {
            RefusalKind::Denied => "denied",
            RefusalKind::Hidden => "hidden",
            RefusalKind::Limited => "limited",
            RefusalKind::ApprovalRequired => "waiting for approval",
        };
        write!(f, "{what}: {}", loggable(self.method))?;
        if let Target::Tool(name) = self.target {
            write!(f, " {}", loggable(name))?;
        }
        f.write_str(" by ")?;
        if !self.policy.is_empty() {
            write!(f, "{} ", self.policy)?;
        }
        f.write_str(self.refusal.rule)
    }
}

/// A name, if it has no characters that could forge a line of the log.
fn loggable(name: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.$".contains(&byte);
    if (1..=128).contains(&name.len()) && name.bytes().all(plain) { name } else { "(unnamable)" }
}
