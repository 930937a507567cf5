//! The audit record of a body, left in the stream's filter state, where Envoy's access log finds it.

use policy::audit::{self, Call, Head, Record, UNCLEAR, Walks, Who};
use policy::config::Audit;
use policy::decision::{Header, Target};
use policy::document::path::Path;
use policy::message::{HeaderCopies, Message};

use crate::caller::RequestFacts;
use crate::gate::{Refused, have_sessions};
use crate::host::{self, Level};
use crate::runtime::Runtime;
use crate::stream::Exchange;

/// The longest session id that is digested, in bytes: the longest that limits count by.
const MAX_SESSION: usize = 8 * 1024;

/// Records a body that was judged: these of its messages are refused, and with them the others.
pub(crate) fn judged(
    runtime: &Runtime,
    exchange: &Exchange,
    messages: &[Message<'_>],
    refused: &[(usize, Refused<'_>)],
) {
    let Some(audit) = &runtime.config.audit else { return };
    let Exchange { policies, caller, headers, .. } = exchange;
    let facts = RequestFacts::new(runtime, caller, headers);
    let mut record = begin(runtime, audit, exchange, messages);
    let mut walks = Walks::default();
    for (index, message) in messages.iter().enumerate() {
        let (Some(method), Some(params)) = (message.method(), message.params()) else { continue };
        let target = Target::of(method, params);
        let mut paths: Vec<&Path> = vec![];
        for (_, policy) in runtime.policies(policies) {
            policy.recorded(&target, |path| {
                if !paths.iter().any(|known| known.is_same_as(path)) {
                    paths.push(path);
                }
            });
        }
        let values = walks.follow(&paths, &params.arguments, &facts);
        let own =
            refused.iter().find(|(of, _)| *of == index).map(|(_, refused)| (refused.policy, refused.refusal.clone()));
        let with_its_batch = || (!refused.is_empty()).then(|| ("", Refused::with_its_batch(message).refusal));
        let refused = own.or_else(with_its_batch);
        record.call(&Call { method, target: &target, refused }, &values);
    }
    leave(runtime, &record.finish());
}

/// Records a body that could not be judged, and was answered so. The reason holds no word of the client's.
pub(crate) fn unjudged(runtime: &Runtime, exchange: &Exchange, status: u32, why: &str) {
    if let Some(audit) = &runtime.config.audit {
        leave(runtime, &begin(runtime, audit, exchange, &[]).refused(status, why));
    }
}

fn begin(runtime: &Runtime, audit: &Audit, exchange: &Exchange, messages: &[Message<'_>]) -> Record {
    let policies: Vec<&str> = runtime.policies(&exchange.policies).map(|(name, _)| name).collect();
    Record::begin(&Head {
        wall_ms: exchange.caller.wall_ms(),
        // Without it sliding windows are replayed by the other clock.
        clock_us: exchange.judged_us.or_else(|| host::monotonic_us().ok()).unwrap_or_default(),
        policies: &policies,
        observed: runtime.observes(),
        who: &who(audit, exchange, messages),
    })
}

fn who(audit: &Audit, exchange: &Exchange, messages: &[Message<'_>]) -> Who {
    let Exchange { caller, headers, .. } = exchange;
    let (key, principal) = (&audit.digest_key, caller.principal());
    let copies = HeaderCopies::of(headers.iter());
    let session = match headers.once("mcp-session-id") {
        _ if !have_sessions(exchange, messages, &copies) => None,
        Header::Absent => None,
        Header::Once(id) if id.len() <= MAX_SESSION => Some(audit::session(key, principal, &id)),
        Header::Once(_) | Header::Unclear => Some(UNCLEAR.to_owned()),
    };
    Who {
        grant: if caller.is_unreadable() { UNCLEAR.to_owned() } else { audit::grant(key, principal) },
        session,
        client_ip: caller.client_ip().map(|address| audit::client_ip(key, address)),
    }
}

fn leave(runtime: &Runtime, record: &[u8]) {
    if let Err(status) = host::set_property(audit::PROPERTY, record) {
        runtime.metrics.audit_lost.increment();
        host::log(Level::Warn, &format!("mcp_policy: a record for the access log is lost: {status}"));
    }
}
