//! One message against its policies and counters.

use std::fmt;

use policy::config::{Config, Denial, Disclose};
use policy::decision::{self, Decision, NO_POLICY, Refusal, RefusalKind, Taking, Target};
use policy::document::model::{Limit, Scope};
use policy::message::{Id, Message};
use policy::quota::{Charge, CounterName, Now, Outcome, Quota, QuotaError, ScopeValue, StoreError};
use policy::reply::{self, Exhausted, Style};

use crate::caller::{Caller, RequestFacts};
use crate::host::{self, Headers};
use crate::route::Policies;
use crate::runtime::Runtime;
use crate::store::SharedData;

/// What becomes of a message.
pub(crate) enum Verdict<'m> {
    /// It goes on to the server.
    Pass,
    /// The client is told why not.
    Refuse(Refused<'m>),
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
    /// Whether the client speaks 2026-07-28 or later.
    result_type: bool,
}

/// Revisions compare as text: they are ISO dates.
const FIRST_WITH_RESULT_TYPE: &str = "2026-07-28";

/// Judges a message by all policies of its route, and takes what they count.
pub(crate) fn judge<'m>(
    runtime: &'m Runtime,
    policies: &Policies,
    message: &'m Message<'_>,
    caller: &Caller,
    headers: &Headers,
) -> Verdict<'m> {
    if matches!(policies, Policies::None) {
        return Verdict::Refuse(Refused::uncovered(message));
    }
    let (method, params) = match message {
        Message::Request { method, params, .. } | Message::Notification { method, params } => (&**method, params),
        // An answer to the server's own question asks for nothing.
        Message::Response => return Verdict::Pass,
    };
    let refuse = |policy, refusal, exhausted| {
        Verdict::Refuse(Refused {
            refusal,
            policy,
            method,
            target: Target::of(method, params),
            exhausted,
            result_type: params.protocol_version.as_deref().is_some_and(|version| version >= FIRST_WITH_RESULT_TYPE),
        })
    };
    let facts = RequestFacts::new(runtime, caller, headers);
    let mut takings = vec![];
    let mut approval = None;
    for (name, policy) in runtime.policies(policies) {
        let taken = match decision::judge(policy, method, params, &facts) {
            Decision::Refuse(refusal) => return refuse(name, refusal, None),
            Decision::Allow(takings) => takings,
            Decision::Approve(refusal, takings) => {
                approval = approval.or(Some((name, refusal)));
                takings
            }
        };
        takings.extend(taken.into_iter().map(|taking| (name, taking)));
    }
    match count(runtime, &takings, caller, headers, approval.is_some()) {
        Ok(None) => match approval {
            // Until an approval service is asked, nobody can have approved.
            Some((policy, refusal)) => refuse(policy, refusal, None),
            None => Verdict::Pass,
        },
        Ok(Some((index, exhausted))) => {
            let Some((policy, taking)) = takings.get(index) else {
                return Verdict::Fail("unknown limit".to_owned());
            };
            let Limit { pointer, on_deny, .. } = taking.limit;
            let refusal = Refusal { kind: RefusalKind::Limited, rule: pointer, reason: on_deny };
            refuse(policy, refusal, Some(exhausted))
        }
        Err(error) => {
            runtime.metrics.uncounted.increment();
            Verdict::Fail(format!("the call cannot be counted: {error}"))
        }
    }
}

/// Takes all limits of a call together, or says which refuses it. Only looks if the call still needs approval.
fn count(
    runtime: &Runtime,
    takings: &[(&str, Taking<'_>)],
    caller: &Caller,
    headers: &Headers,
    only_look: bool,
) -> Result<Option<(usize, Exhausted)>, QuotaError> {
    if takings.is_empty() {
        return Ok(None);
    }
    let values: Vec<Option<String>> =
        takings.iter().map(|(_, taking)| scope_text(&taking.limit.scope, caller, headers)).collect();
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
    let quota: &Quota = runtime.quota()?;
    let now = Now {
        monotonic_ms: host::monotonic_ms().map_err(|status| QuotaError::Store(StoreError { status: status.0 }))?,
        wall_ms: caller.wall_ms(),
    };
    let outcome = if only_look {
        quota.look(&SharedData, caller.principal(), &charges, now)?
    } else {
        quota.take(&SharedData, caller.principal(), &charges, now)?
    };
    Ok(match outcome {
        Outcome::Admitted(_) => None,
        Outcome::Refused(refusal) => {
            let exhausted = Exhausted { retry_after_ms: refusal.retry_after_ms, remaining: refusal.remaining };
            Some((refusal.charge, exhausted))
        }
    })
}

/// The text of a scope that is one. Calls that lack it share one count.
fn scope_text(scope: &Scope, caller: &Caller, headers: &Headers) -> Option<String> {
    match scope {
        Scope::Session => headers.first("mcp-session-id").map(str::to_owned),
        Scope::Claim(name) => caller.claim_text(name),
        Scope::Header(name) => headers.first(name).map(str::to_owned),
        Scope::Grant | Scope::ClientIp | Scope::Global => None,
    }
}

fn scope_value<'a>(scope: &'a Scope, caller: &Caller, text: Option<&'a str>) -> ScopeValue<'a> {
    match scope {
        Scope::Grant => ScopeValue::Grant,
        Scope::Session => match text {
            // Where a revision has no sessions, the grant is as close as one gets.
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
    fn uncovered(message: &'m Message<'_>) -> Self {
        let refusal = Refusal { kind: RefusalKind::Denied, rule: NO_POLICY, reason: "No policy allows this here." };
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
        let Refusal { rule, .. } = self.refusal;
        write!(f, "{what}: {} by ", loggable(self.method))?;
        if !self.policy.is_empty() {
            write!(f, "{} ", self.policy)?;
        }
        f.write_str(rule)
    }
}

/// A method, if it has no characters that could forge a line of the log.
fn loggable(method: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.$".contains(&byte);
    if method.len() <= 128 && method.bytes().all(plain) { method } else { "(unnamable method)" }
}
