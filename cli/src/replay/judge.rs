//! One record, judged anew.

use std::collections::BTreeSet;

use policy::{
    config::Config,
    decision::{self, BATCH, JudgedBody, Refusal, RefusalKind},
    document::{Policy, model::Section},
    message::{Batches, Body, read_body},
    pins::{CHANGED_DEFINITION, NOT_PINNED, UNSEEN_DEFINITION},
    quota::{Now, Window},
};
use serde_json::{Value, json};

use super::{
    counts::{Counted, Counts},
    known::{Known, Told},
    recall::Recall,
    record::{Call, Record},
};

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Becomes {
    Allowed,
    Refused {
        /// As records say it.
        outcome: &'static str,
        policy: String,
        rule: String,
    },
    /// It depends on these, which are not recorded.
    Unknown(BTreeSet<String>),
    /// What it was: not the policies have decided.
    Same,
}

/// A body, judged anew.
#[derive(Debug)]
pub(super) struct Anew {
    /// Of each of its calls.
    pub(super) calls: Vec<Becomes>,
    /// Some limit on what runs at once was left out.
    pub(super) runs: bool,
}

/// What the policies of a record are replaced by.
pub(super) struct Instead<'c> {
    config: &'c Config,
    bare: bool,
}

/// The record's name for another policy of its route, which a bare one is replayed without.
const OTHERS: &str = "(the route's other policies)";
const LEFT_OUT: &str = "(calls left out of the record)";

impl<'c> Instead<'c> {
    pub(super) fn new(config: &'c Config) -> Self {
        let bare = matches!(config.policies.as_slice(), [(name, _)] if name.is_empty());
        Self { config, bare }
    }

    /// Whether one policy stands in the place of all.
    pub(super) fn is_bare(&self) -> bool {
        self.bare
    }

    /// The policies that judge what those of these names have judged: those of the route that has just them; else of all
    /// routes that have at least them, if these agree.
    ///
    /// # Errors
    /// What is not known.
    fn policies(&self, names: &[String]) -> Result<Vec<(&'c str, &'c Policy)>, String> {
        let config = self.config;
        let named = |indices: &[usize]| -> Vec<(&'c str, &'c Policy)> {
            indices
                .iter()
                .filter_map(|index| config.policies.get(*index))
                .map(|(name, rules)| (&**name, rules))
                .collect()
        };
        if self.bare {
            return Ok(named(&[0]));
        }
        let routes: Vec<_> = config.routes.iter().map(|route| named(&route.policies)).collect();
        let name =
            |policies: &[(&str, &Policy)]| policies.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        if let Some(same) = routes.iter().find(|policies| name(policies) == names) {
            return Ok(same.clone());
        }
        let mut more = routes.iter().filter(|policies| names.iter().all(|wanted| name(policies).contains(wanted)));
        let unknown = || Err(format!("(which policies follow {})", names.join(", ")));
        match more.next() {
            Some(first) if more.all(|other| name(other) == name(first)) => Ok(first.clone()),
            _ => unknown(),
        }
    }

    /// Judges a record.
    pub(super) fn judge(&self, record: &Record, counts: &mut Counts, now: Now) -> Anew {
        let all = |becomes: Becomes| Anew { calls: vec![becomes; record.calls.len()], runs: false };
        if record.policies.is_empty() {
            // No policy covers the request: its route has decided.
            return all(Becomes::Same);
        }
        let policies = match self.policies(&record.policies) {
            Ok(policies) => policies,
            Err(needs) => {
                counts.doubt_all(now);
                return all(Becomes::Unknown(BTreeSet::from([needs])));
            }
        };
        let messages: Vec<Result<Value, &'static str>> =
            record.calls.iter().enumerate().map(|(id, call)| message(call, id, &policies)).collect();
        let text = match messages.as_slice() {
            [] => return all(Becomes::Same),
            [one] => one.clone().unwrap_or_else(|_| placeholder(0)).to_string(),
            many => {
                let each = many.iter().enumerate();
                Value::Array(each.map(|(id, one)| one.clone().unwrap_or_else(|_| placeholder(id))).collect())
                    .to_string()
            }
        };
        let Ok(body) = read_body(text.as_bytes(), 300, Batches::Read) else {
            counts.doubt_all(now);
            return all(Becomes::Unknown(BTreeSet::from(["(a call that cannot be read)".to_owned()])));
        };
        let told: Vec<Vec<Told>> = record.calls.iter().map(Told::of).collect();
        let known: Vec<Vec<Known<'_>>> = told.iter().map(|told| told.iter().filter_map(Told::read).collect()).collect();
        let recall = Recall::new(record, known);
        let judged = decision::judge_body(policies.into_iter(), &body, None, &recall, &recall);
        self.decide(record, &body, &recall, &judged, &messages, counts, now)
    }

    #[expect(clippy::too_many_arguments, reason = "these are the parts of one step")]
    fn decide(
        &self,
        record: &Record,
        body: &Body<'_>,
        recall: &Recall<'_>,
        judged: &JudgedBody<'_>,
        messages: &[Result<Value, &'static str>],
        counts: &mut Counts,
        now: Now,
    ) -> Anew {
        let runs = judged.dues.iter().any(|due| due.taking.limit.window == Window::Running);
        let calls = record.calls.iter().zip(messages).enumerate();
        let refused: Vec<Option<Becomes>> = calls
            .map(|(index, (call, message))| {
                match judged.messages.get(index).and_then(|judged| judged.refused.as_ref()) {
                    Some((policy, refusal)) if message.is_ok() => Some(Becomes::refused(policy, refusal)),
                    _ => pinned(call),
                }
            })
            .collect();
        if refused.iter().any(Option::is_some) {
            return Anew { calls: with_batch(refused), runs };
        }
        let limited = record.calls.iter().find(|call| call.outcome == "limited");
        let limited_by = limited.and_then(|call| call.rule.as_deref());
        let approvals: Vec<Option<Becomes>> = judged
            .messages
            .iter()
            .map(|judged| judged.approval.as_ref().map(|(policy, refusal)| Becomes::refused(policy, refusal)))
            .collect();
        let approves = approvals.iter().any(Option::is_some);
        // An amount that is not known is 0 here, so that a refusal is one in any case.
        let counted = counts.take(record, recall, &judged.dues, now, limited_by, true);
        if let Counted::Refused { message, policy, limit } = counted {
            let mut refused = vec![None; body.messages().len()];
            if let Some(of_message) = refused.get_mut(message) {
                let rule = limit.pointer.to_string();
                *of_message = Some(Becomes::Refused { outcome: "limited", policy: policy.to_owned(), rule });
            }
            return Anew { calls: with_batch(refused), runs };
        }
        if let Some(limited) = limited
            && judged
                .dues
                .iter()
                .any(|due| due.taking.limit.window == Window::Running && Some(&*due.taking.limit.pointer) == limited_by)
        {
            // How much ran then no record tells; that it was too much this one does.
            let of =
                |call: &Call| (call.outcome == limited.outcome && call.rule == limited.rule).then_some(Becomes::Same);
            return Anew { calls: with_batch(record.calls.iter().map(of).collect()), runs };
        }
        if approves {
            return Anew { calls: with_batch(approvals), runs };
        }
        let mut needs: BTreeSet<String> = match counted {
            Counted::Unknown(needs) => needs.into_iter().collect(),
            _ => BTreeSet::new(),
        };
        if record.more > 0 {
            needs.insert(LEFT_OUT.to_owned());
        }
        needs.extend(messages.iter().filter_map(|message| message.clone().err()).map(str::to_owned));
        if self.bare && record.policies.len() > 1 && record.calls.iter().any(|call| !call.passed()) {
            needs.insert(OTHERS.to_owned());
        }
        needs.extend(recall.needs());
        if !needs.is_empty() {
            counts.doubt(record, recall, &judged.dues, now);
            if record.more > 0 || messages.iter().any(Result::is_err) {
                counts.doubt_all(now);
            }
            return Anew { calls: vec![Becomes::Unknown(needs); record.calls.len()], runs };
        }
        let _admitted = counts.take(record, recall, &judged.dues, now, limited_by, false);
        Anew { calls: vec![Becomes::Allowed; record.calls.len()], runs }
    }
}

impl Becomes {
    fn refused(policy: &str, refusal: &Refusal<'_>) -> Self {
        let outcome = match refusal.kind {
            RefusalKind::Denied => "denied",
            RefusalKind::Hidden => "hidden",
            RefusalKind::Limited => "limited",
            RefusalKind::ApprovalRequired => "approval_required",
        };
        Self::Refused { outcome, policy: policy.to_owned(), rule: refusal.rule.to_owned() }
    }
}

/// Those that are not refused by themselves are with their batch.
fn with_batch(refused: Vec<Option<Becomes>>) -> Vec<Becomes> {
    let with = || Becomes::Refused { outcome: "denied", policy: String::new(), rule: BATCH.to_owned() };
    refused.into_iter().map(|refused| refused.unwrap_or_else(with)).collect()
}

/// What a lock has refused, no policy lets pass.
fn pinned(call: &Call) -> Option<Becomes> {
    let by_lock =
        [NOT_PINNED, CHANGED_DEFINITION, UNSEEN_DEFINITION].contains(&call.rule.as_deref().unwrap_or_default());
    by_lock.then_some(Becomes::Same)
}

/// A message that no policy refuses, in the place of one that is not known.
fn placeholder(id: usize) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "ping" })
}

/// The message that was recorded, without its arguments.
///
/// # Errors
/// Why it is not known.
fn message(call: &Call, id: usize, policies: &[(&str, &Policy)]) -> Result<Value, &'static str> {
    let any = |section: &Section| section.hide.is_empty() && section.exact.is_empty() && section.globs.is_empty();
    let mut uri = call.uri.as_deref();
    match call.withheld.as_deref() {
        None => {}
        // Where all URIs are treated alike, any will do.
        Some("uri") if policies.iter().all(|(_, policy)| any(&policy.resources)) => uri = Some("withheld:"),
        Some("uri" | "uris" | "template") => return Err("(the URI, which may hold credentials)"),
        Some("name") => return Err("(the name, which was too long)"),
        Some(_) => return Err("(the method, which was too long)"),
    }
    let mut params = json!({});
    match (&call.name, &call.template) {
        (Some(name), _) if call.method == "completion/complete" => {
            params["ref"] = json!({ "type": "ref/prompt", "name": name });
        }
        (Some(name), _) => params["name"] = name.as_str().into(),
        (None, Some(template)) => params["ref"] = json!({ "type": "ref/resource", "uri": template }),
        (None, None) => {}
    }
    match uri {
        Some(uri) => params["uri"] = uri.into(),
        // Without a URI it is one that asks whether there is such a method.
        None if matches!(&*call.method, "resources/subscribe" | "resources/unsubscribe") => {
            params["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
        }
        None => {}
    }
    if let Some(uris) = &call.uris {
        params["notifications"] = json!({ "resourceSubscriptions": uris });
    }
    Ok(json!({ "jsonrpc": "2.0", "id": id, "method": call.method, "params": params }))
}
