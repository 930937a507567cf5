//! The top of a configuration.

use core::time::Duration;

use super::audit::{audit, keeps_grants};
use super::identity::identity;
use super::locks::{self, locks};
use super::model::{
    Approvals, Config, Denial, Disclose, GlobalCounters, Mode, Needs, RequestHeaders, Retries, Route, Transport,
    Unmatched,
};
use super::routes::{Chosen, routes};
use super::values::{bytes, is_plain, name, path, timeout};
use crate::document::fields::{self, Check, Fields, Place};
use crate::document::model::Limit;
use crate::document::{ErrorKind, Errors, Policy, decode};
use crate::global::DigestKey;
use crate::message::Batches;
use crate::quota::{Settings, WhenFull, Window};

/// The largest body or event that can be asked for, in bytes: what Envoy holds and the filter copies.
const MOST_BYTES: u64 = 64 << 20;

/// Reads a configuration: a bare policy, or an envelope around several.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text. A text that is not strict JSON has only that one error.
pub fn load(text: &[u8]) -> Result<Config, Errors> {
    fields::load(text, |check, place| {
        let has = |name: &str| place.member(name).is_some();
        let mut config = if has("version") {
            bare(check, place)?
        } else if has("policies") || has("routes") || !place.is_object() {
            envelope(check, place)?
        } else {
            check.wrong(place, ErrorKind::NothingConfigured);
            return None;
        };
        config.needs = Needs::of(&config);
        Some(config)
    })
}

fn bare(check: &mut Check, place: &Place<'_>) -> Option<Config> {
    let decoded = decode(check, place)?;
    for limit in &decoded.global_limits {
        check.wrong(limit, ErrorKind::Misplaced("a global counter needs `global_counters`, around the policy"));
    }
    for (_, rule) in decoded.policy.rules_by_lock() {
        if let Some(place) = place.at(&rule.pointer) {
            let why = "a schema `from_lock` needs `locks`, and a route with a `lock`, around the policy";
            check.wrong(&place, ErrorKind::Misplaced(why));
        }
    }
    let everywhere = Route {
        host: None,
        path: None,
        route: None,
        cluster: None,
        when: vec![],
        policies: vec![0],
        lock: None,
        transport: Transport::Streamable,
    };
    Some(Config {
        policies: vec![(Box::default(), decoded.policy)],
        locks: vec![],
        routes: vec![everywhere],
        unmatched: Unmatched::Deny,
        pass_paths: vec![],
        identity: identity(check, None),
        mode: Mode::Enforce,
        denial: Denial::ToolResult,
        disclose: Disclose::Rule,
        request_headers: RequestHeaders::Stream,
        retries: Retries::Off,
        batches: Batches::Read,
        max_body_bytes: 1 << 20,
        max_depth: 64,
        max_event_bytes: 1 << 20,
        counters: Settings::default(),
        global_counters: None,
        approvals: None,
        audit: None,
        needs: Needs::default(),
    })
}

fn envelope(check: &mut Check, place: &Place<'_>) -> Option<Config> {
    let known = &[
        "policies",
        "locks",
        "routes",
        "unmatched",
        "pass_paths",
        "identity",
        "mode",
        "denial",
        "disclose",
        "request_headers",
        "retries",
        "batches",
        "max_body_bytes",
        "max_depth",
        "max_event_bytes",
        "counters",
        "global_counters",
        "approvals",
        "audit",
        "description",
        "$schema",
    ];
    let fields = check.fields(place, known)?;
    for comment in ["description", "$schema"] {
        fields.get(comment).and_then(|place| check.text(&place));
    }
    let before = check.count();
    let policies = policies(check, &fields);
    let sound = check.count() == before;
    let mut locks = locks(check, &fields);
    let names = Chosen {
        policies: policies.iter().map(|named| named.name).collect(),
        locks: locks.iter().map(|named| named.name).collect(),
    };
    let before = check.count();
    let routes = fields.need(check, "routes").and_then(|place| routes(check, &place, &names));
    if let Some(routes) = &routes
        && check.count() == before
    {
        for (index, named) in policies.iter().enumerate() {
            if !routes.iter().any(|route| route.policies.contains(&index)) {
                check.wrong_at(named.offset, named.pointer.clone(), ErrorKind::Misplaced("no route uses this policy"));
            }
        }
        locks::used(check, &locks, routes);
        let read: Vec<_> = policies
            .iter()
            .map(|named| Some((named.policy.as_ref()?, fields.get("policies")?.member(named.name)?)))
            .collect();
        locks::schemas(check, &mut locks, routes, &read);
    }
    if let (Some(routes), Some(place)) = (&routes, fields.get("routes"))
        && check.count() == before
    {
        answers_elsewhere(check, &place, routes, &policies);
    }
    let unmatched = word(check, &fields, "unmatched", [("deny", Unmatched::Deny), ("pass", Unmatched::Pass)]);
    let pass_paths = fields.get("pass_paths").and_then(|place| check.elements(&place)).unwrap_or_default();
    let pass_paths = pass_paths.iter().filter_map(|place| path(check, place)).collect();
    let identity = identity(check, fields.get("identity").as_ref());
    let mode = word(check, &fields, "mode", [("enforce", Mode::Enforce), ("observe", Mode::Observe)]);
    let denial = [("tool_result", Denial::ToolResult), ("jsonrpc_error", Denial::JsonRpcError)];
    let denial = word(check, &fields, "denial", denial);
    let disclose = word(check, &fields, "disclose", [("rule", Disclose::Rule), ("reason", Disclose::Reason)]);
    let request_headers = [("stream", RequestHeaders::Stream), ("hold", RequestHeaders::Hold)];
    let request_headers = word(check, &fields, "request_headers", request_headers);
    let retries = word(check, &fields, "retries", [("off", Retries::Off), ("route", Retries::Route)]);
    let batches = word(check, &fields, "batches", [("judge", Batches::Read), ("refuse", Batches::Refuse)]);
    let max_body_bytes = size(check, &fields, "max_body_bytes");
    let max_depth = fields.get("max_depth").map_or(Some(64), |place| check.whole(&place, 8, 256));
    let max_event_bytes = size(check, &fields, "max_event_bytes");
    let counters = fields.get("counters").map_or(Some(Settings::default()), |place| counters(check, &place));
    let global_counters = fields.get("global_counters").and_then(|place| global_counters(check, &place));
    let approvals = fields.get("approvals").and_then(|place| approvals(check, &place));
    services(check, &fields, &policies, sound);
    let audit = fields.get("audit").and_then(|place| audit(check, &place));
    if let Some(place) = fields.get("identity").and_then(|place| place.member("grant"))
        && check.count() == 0
    {
        keeps_grants(check, &place, &identity, policies.iter().filter_map(|named| named.policy.as_ref()));
    }
    Some(Config {
        policies: policies.into_iter().map(|named| Some((named.name.into(), named.policy?))).collect::<Option<_>>()?,
        locks: locks.into_iter().map(|named| Some((named.name.into(), named.lock?))).collect::<Option<_>>()?,
        routes: routes?,
        unmatched: unmatched?,
        pass_paths,
        identity,
        mode: mode?,
        denial: denial?,
        disclose: disclose?,
        request_headers: request_headers?,
        retries: retries?,
        batches: batches?,
        max_body_bytes: max_body_bytes?,
        max_depth: usize::try_from(max_depth?).ok()?,
        max_event_bytes: max_event_bytes?,
        counters: counters?,
        global_counters,
        approvals,
        audit,
        needs: Needs::default(),
    })
}

/// A policy of the envelope; without policy where it could not be read.
struct Named<'t> {
    name: &'t str,
    /// Where the name stands.
    offset: usize,
    pointer: String,
    policy: Option<Policy>,
    global_limits: Vec<Place<'t>>,
}

fn policies<'t>(check: &mut Check, fields: &Fields<'t>) -> Vec<Named<'t>> {
    let Some(place) = fields.need(check, "policies") else { return vec![] };
    let members = check.members(&place).unwrap_or_default();
    let mut policies = Vec::new();
    for (offset, name, place) in members {
        if !is_plain(name) {
            let wanted = "a policy's name has 1 to 64 letters, digits, `-`, `_` or `.`";
            check.wrong_at(offset, place.pointer(), ErrorKind::Misplaced(wanted));
        }
        let (policy, global_limits) = match decode(check, &place) {
            Some(decoded) => (Some(decoded.policy), decoded.global_limits),
            None => (None, vec![]),
        };
        policies.push(Named { name, offset, pointer: place.pointer(), policy, global_limits });
    }
    policies
}

/// Notes routes whose answers travel on another stream than their requests, under policies that go by when or how an
/// answer ends.
fn answers_elsewhere(check: &mut Check, place: &Place<'_>, routes: &[Route], policies: &[Named<'_>]) {
    let places = check.elements(place).unwrap_or_default();
    for (route, place) in routes.iter().zip(places).filter(|(route, _)| route.transport != Transport::Streamable) {
        let chosen = route.policies.iter().filter_map(|index| policies.get(*index)?.policy.as_ref());
        let awaits = |limit: &Limit| limit.window == Window::Running || limit.refund.reads_answers();
        if chosen.flat_map(Policy::limits).any(awaits) {
            let why = "with `\"transport\": \"sse\"` answers come on another stream, so `concurrency` and refunds by what an \
                       answer says cannot hold here";
            check.wrong(&place, ErrorKind::Misplaced(why));
        }
    }
}

/// Notes limits that ask for a service that is not there, and a service that no limit asks. Rules that ask for approval may
/// go without: it is then a denial.
fn services(check: &mut Check, fields: &Fields<'_>, policies: &[Named<'_>], sound: bool) {
    let mut limits = policies.iter().flat_map(|named| &named.global_limits).peekable();
    match fields.get("global_counters") {
        Some(service) if limits.peek().is_none() && sound => {
            check.wrong(&service, ErrorKind::Misplaced("no limit is counted there: none has `\"store\": \"global\"`"));
        }
        Some(_) => {}
        None => {
            for limit in limits {
                check.wrong(
                    limit,
                    ErrorKind::Misplaced("a global counter needs `global_counters` in the configuration"),
                );
            }
        }
    }
}

/// A field that is one of some words, of which the first is the default.
fn word<T: Clone, const N: usize>(
    check: &mut Check,
    fields: &Fields<'_>,
    name: &str,
    words: [(&'static str, T); N],
) -> Option<T> {
    match fields.get(name) {
        Some(place) => check.word(&place, &words),
        None => words.into_iter().next().map(|(_, default)| default),
    }
}

/// A field in bytes, 1 MiB by default.
fn size(check: &mut Check, fields: &Fields<'_>, name: &str) -> Option<usize> {
    match fields.get(name) {
        Some(place) => usize::try_from(bytes(check, &place, 1024, MOST_BYTES)?).ok(),
        None => Some(1 << 20),
    }
}

fn counters(check: &mut Check, place: &Place<'_>) -> Option<Settings> {
    let fields = check.fields(place, &["max_bytes", "when_full"])?;
    let max_bytes = match fields.get("max_bytes") {
        Some(place) => bytes(check, &place, 16 << 10, 1 << 30),
        None => Some(Settings::default().max_bytes()),
    };
    let when_full = word(check, &fields, "when_full", [("deny", WhenFull::Deny), ("share", WhenFull::Share)]);
    let settings = Settings::new(max_bytes?, when_full?);
    check.note(place, settings.ok_or(ErrorKind::OutOfRange { least: 16 << 10, most: 1 << 30 }))
}

fn global_counters(check: &mut Check, place: &Place<'_>) -> Option<GlobalCounters> {
    let fields = check.fields(place, &["cluster", "domain", "timeout", "on_error", "digest_key"])?;
    let cluster = fields.need(check, "cluster").and_then(|place| name(check, &place));
    let domain = fields.get("domain").map_or(Some("mcp".into()), |place| name(check, &place));
    let timeout = fields.get("timeout").map_or(Some(Duration::from_millis(50)), |place| timeout(check, &place));
    let allow_on_error = word(check, &fields, "on_error", [("deny", false), ("allow", true)]);
    let digest_key = fields.need(check, "digest_key").and_then(|place| {
        // The text is shown nowhere, not even in part.
        let key = DigestKey::new(check.text(&place)?);
        let wanted = "expected a secret of 32 to 256 characters, the same for every Envoy that shares the counters";
        check.note(&place, key.ok_or(ErrorKind::Misplaced(wanted)))
    });
    Some(GlobalCounters {
        cluster: cluster?,
        domain: domain?,
        timeout: timeout?,
        allow_on_error: allow_on_error?,
        digest_key: digest_key?,
    })
}

fn approvals(check: &mut Check, place: &Place<'_>) -> Option<Approvals> {
    let fields = check.fields(place, &["cluster", "timeout"])?;
    let cluster = fields.need(check, "cluster").and_then(|place| name(check, &place));
    let timeout = fields.get("timeout").map_or(Some(Duration::from_secs(2)), |place| timeout(check, &place));
    Some(Approvals { cluster: cluster?, timeout: timeout? })
}
