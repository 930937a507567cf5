//! The top of `policy.json`.

use super::counters::{self, Shared};
use super::error::Errors;
use super::fields::{self, Check, Place};
use super::model::{Default, Listing, Policy, Section, Store};
use super::rules::{self, Targets, all_tools, description};

/// A policy, and what a configuration must provide for it.
pub(crate) struct Decoded<'t> {
    pub(crate) policy: Policy,
    /// Limits that need a rate-limit service.
    pub(crate) global_limits: Vec<Place<'t>>,
}

/// Reads a `policy.json`.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text. A text that is not strict JSON has only that one error.
pub fn load(text: &[u8]) -> Result<Policy, Errors> {
    fields::load(text, |check, place| decode(check, place).map(|decoded| decoded.policy))
}

/// Reads a policy, which may be a part of a document. None only if something was noted.
pub(crate) fn decode<'t>(check: &mut Check, place: &Place<'t>) -> Option<Decoded<'t>> {
    let place = place.as_policy();
    let known = &[
        "version",
        "default",
        "hide",
        "all_tools",
        "tools",
        "listing",
        "resources",
        "prompts",
        "methods",
        "description",
        "$schema",
    ];
    let fields = check.fields(&place, known)?;
    if let Some(place) = fields.need(check, "version") {
        check.word(&place, &[("1", ())]);
    }
    if let Some(place) = fields.get("$schema") {
        check.text(&place);
    }
    description(check, &fields);
    let default = fields.need(check, "default").and_then(|place| default(check, &place));
    let fallback = default.unwrap_or(Default::Deny);
    let listing = fields.get("listing").map_or(Some(Listing::All), |place| {
        check.word(&place, &[("all", Listing::All), ("allowed", Listing::Allowed)])
    });
    let mut shared = Vec::new();
    let all_tools = all_tools(check, fields.get("all_tools").as_ref(), &mut shared);
    let tools = rules::section(check, Targets::Tools, fallback, fields.get("hide"), fields.get("tools"), &mut shared);
    let resources = part(check, fields.get("resources"), Targets::Resources, fallback, &mut shared);
    let prompts = part(check, fields.get("prompts"), Targets::Prompts, fallback, &mut shared);
    let methods = rules::section(check, Targets::Methods, fallback, None, fields.get("methods"), &mut shared);
    counters::agree(check, &shared);
    let global = |shared: Shared<'t>| (shared.limit.store == Store::Global).then_some(shared.place);
    Some(Decoded {
        policy: Policy { default: default?, tools, all_tools, listing: listing?, resources, prompts, methods },
        global_limits: shared.into_iter().filter_map(global).collect(),
    })
}

/// Reads `resources` or `prompts`.
fn part<'t>(
    check: &mut Check,
    place: Option<Place<'t>>,
    targets: Targets,
    fallback: Default,
    shared: &mut Vec<Shared<'t>>,
) -> Section {
    let (known, rules): (&'static [&'static str], _) = match targets {
        Targets::Resources => (&["default", "hide", "uris", "description"], "uris"),
        _ => (&["default", "hide", "names", "description"], "names"),
    };
    let Some(fields) = place.and_then(|place| check.fields(&place, known)) else {
        return rules::section(check, targets, fallback, None, None, shared);
    };
    description(check, &fields);
    let own = fields.get("default").and_then(|place| self::default(check, &place));
    rules::section(check, targets, own.unwrap_or(fallback), fields.get("hide"), fields.get(rules), shared)
}

fn default(check: &mut Check, place: &Place<'_>) -> Option<Default> {
    check.word(place, &[("allow", Default::Allow), ("deny", Default::Deny)])
}
