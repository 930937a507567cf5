//! Rules, and the sections that they stand in.

use std::collections::BTreeMap;

use super::conditions::{List, few_elements, predicates, words_for_the_agent};
use super::counters::{Reach, Shared};
use super::error::ErrorKind;
use super::fields::{Check, Fields, Place};
use super::glob::Glob;
use super::limits::{concurrency, limits, rate_limit};
use super::model::{Action, ArgumentSchema, Default, Rule, SchemaSource, Section};
use super::record;
use super::tree::{Kind, push_step};
use crate::schema::{Schema, Strictness};
use crate::sort::sort_by;
use crate::uri::normalize_pattern;

/// What the rules of a section are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Targets {
    Tools,
    Resources,
    Prompts,
    Methods,
}

/// The most globs of a section: each is compared with each here, and with every name that has no rule of its own.
const MAX_GLOBS: usize = 1024;

/// Reads a section: what `hide` and the rules say, if they are there.
pub(crate) fn section<'t>(
    check: &mut Check,
    targets: Targets,
    default: Default,
    hide: Option<Place<'t>>,
    rules: Option<Place<'t>>,
    shared: &mut Vec<Shared<'t>>,
) -> Section {
    let hide = hide.map(|place| hidden(check, &place, targets)).unwrap_or_default();
    let mut section = Section { default, hide, exact: BTreeMap::new(), globs: Vec::new() };
    let Some(rules) = rules else { return section };
    for (offset, key, place) in check.members(&rules).unwrap_or_default() {
        let name = targets.read(key).map_err(|kind| check.wrong_at(offset, place.pointer(), kind)).ok();
        let mut pointer = rules.pointer_in_policy();
        push_step(&mut pointer, key);
        let rule = rule(check, &place, pointer, targets, shared);
        let (Some(name), Some(rule)) = (name, rule) else { continue };
        if let Some(exact) = name.exact() {
            if section.exact.insert(exact.as_str().into(), rule).is_some() {
                check.wrong_at(offset, place.pointer(), ErrorKind::Repeated(exact.into()));
            }
            continue;
        }
        let rival =
            section.globs.iter().find(|(other, _)| other.literals() == name.literals() && other.overlaps(&name));
        if let Some((rival, _)) = rival {
            check.wrong_at(offset, place.pointer(), ErrorKind::Tie(rival.source().into()));
        }
        if section.globs.len() == MAX_GLOBS {
            check.wrong(&rules, ErrorKind::Misplaced("more than 1024 globs are too many"));
            break;
        }
        section.globs.push((name, rule));
    }
    section.globs = sort_by(section.globs, |(one, _), (other, _)| other.literals().cmp(&one.literals()));
    section
}

/// Reads `all_tools`.
pub(crate) fn all_tools<'t>(check: &mut Check, place: Option<&Place<'t>>, shared: &mut Vec<Shared<'t>>) -> Rule {
    let pointer: Box<str> = "/all_tools".into();
    let mut rule = Rule::of(pointer, Action::Allow);
    let known = &["description", "schema", "require", "deny_if", "limits", "rate_limit", "concurrency", "record"];
    if let Some(fields) = place.and_then(|place| check.fields(place, known)) {
        description(check, &fields);
        checks(check, &fields, &mut rule, true, Reach::EveryTool, shared);
    }
    rule
}

fn hidden(check: &mut Check, place: &Place<'_>, targets: Targets) -> Vec<Glob> {
    let mut hide: Vec<Glob> = Vec::new();
    for element in few_elements(check, place).unwrap_or_default() {
        let Some(text) = check.text(&element) else { continue };
        let Some(glob) = check.note(&element, targets.read(text)) else { continue };
        if hide.contains(&glob) {
            check.wrong(&element, ErrorKind::Repeated(text.into()));
        }
        hide.push(glob);
    }
    hide
}

fn rule<'t>(
    check: &mut Check,
    place: &Place<'t>,
    pointer: String,
    targets: Targets,
    shared: &mut Vec<Shared<'t>>,
) -> Option<Rule> {
    let fields = check.fields(place, targets.fields())?;
    description(check, &fields);
    let action = action(check, &fields, targets);
    let mut rule = Rule::of(pointer.into(), action);
    if let Action::Deny { .. } = rule.action {
        for name in ["schema", "require", "deny_if", "limits", "rate_limit", "concurrency"] {
            if let Some(place) = fields.get(name) {
                check.wrong(
                    &place,
                    ErrorKind::Misplaced("this does nothing, as `\"action\": \"deny\"` refuses every call"),
                );
            }
        }
    }
    let reach = if targets == Targets::Tools { Reach::SomeTools } else { Reach::Others };
    checks(check, &fields, &mut rule, targets.have_arguments(), reach, shared);
    Some(rule)
}

/// Reads what a rule checks and records of a call.
fn checks<'t>(
    check: &mut Check,
    fields: &Fields<'t>,
    rule: &mut Rule,
    arguments: bool,
    reach: Reach,
    shared: &mut Vec<Shared<'t>>,
) {
    if let Some(place) = fields.get("schema") {
        rule.schema = schema(check, &place, &rule.pointer).map(Box::new);
    }
    if let Some(place) = fields.get("require") {
        rule.require = predicates(check, &place, List::Require, &rule.pointer, arguments);
    }
    if let Some(place) = fields.get("deny_if") {
        rule.deny_if = predicates(check, &place, List::DenyIf, &rule.pointer, arguments);
    }
    let mut all = match fields.get("limits") {
        Some(place) => limits(check, &place, &rule.pointer, arguments),
        None => Vec::new(),
    };
    if let Some(place) = fields.get("rate_limit")
        && let Some(limit) = rate_limit(check, &place, &rule.pointer)
    {
        all.push((place, limit));
    }
    if let Some(place) = fields.get("concurrency")
        && let Some(limit) = concurrency(check, &place, &rule.pointer)
    {
        all.push((place, limit));
    }
    if let Some(place) = fields.get("record") {
        rule.record = record::paths(check, &place, arguments);
    }
    for (place, limit) in all {
        rule.limits.push(limit.clone());
        shared.push(Shared { place, limit, reach });
    }
}

/// An inline schema, or the word for that of the lock.
fn schema(check: &mut Check, place: &Place<'_>, rule: &str) -> Option<ArgumentSchema> {
    let source = match place.node.kind {
        Kind::String(_) => check.word(place, &[("from_lock", ())]).map(|()| SchemaSource::Lock)?,
        Kind::Object(_) | Kind::Bool(_) => {
            let schema = Schema::compile(check, place, Strictness::Written)?;
            if schema.is_always() {
                check.wrong(place, ErrorKind::Misplaced("this schema asks for nothing, so it does nothing"));
            }
            SchemaSource::Inline(schema)
        }
        _ => return check.mistyped(place, "a JSON Schema or `from_lock`"),
    };
    Some(ArgumentSchema { pointer: format!("{rule}/schema").into(), source })
}

fn action(check: &mut Check, fields: &Fields<'_>, targets: Targets) -> Action {
    let place = fields.get("action");
    let reason = fields.get("reason");
    let told = reason.as_ref().and_then(|place| words_for_the_agent(check, place));
    let words = [
        ("allow", Action::Allow),
        ("deny", Action::Deny { reason: told.clone() }),
        ("require_approval", Action::RequireApproval { reason: told }),
    ];
    let words = if targets == Targets::Methods { words.get(..2).unwrap_or(&words) } else { &words };
    let action = match &place {
        Some(place) => check.word(place, words),
        None => Some(Action::Allow),
    };
    if let (Some(Action::Allow), Some(reason)) = (&action, &reason) {
        let why = "an allowed call is told no `reason`; predicates and limits have an `on_deny` of their own";
        check.wrong(reason, ErrorKind::Misplaced(why));
    }
    action.unwrap_or(Action::Allow)
}

/// Checks a `description`: it is for readers only.
pub(crate) fn description(check: &mut Check, fields: &Fields<'_>) {
    if let Some(place) = fields.get("description") {
        check.text(&place);
    }
}

impl Targets {
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Methods => &["action", "reason", "description"],
            Self::Tools => &[
                "action",
                "reason",
                "schema",
                "require",
                "deny_if",
                "limits",
                "rate_limit",
                "concurrency",
                "record",
                "description",
            ],
            _ => &[
                "action",
                "reason",
                "require",
                "deny_if",
                "limits",
                "rate_limit",
                "concurrency",
                "record",
                "description",
            ],
        }
    }

    /// Whether its requests have `params.arguments`.
    fn have_arguments(self) -> bool {
        matches!(self, Self::Tools | Self::Prompts)
    }

    fn read(self, key: &str) -> Result<Glob, ErrorKind> {
        if self == Self::Resources {
            let normal = normalize_pattern(key).map_err(ErrorKind::Uri)?;
            return Glob::parse_uri(&normal).map_err(ErrorKind::Glob);
        }
        Glob::parse(key).map_err(ErrorKind::Glob)
    }
}
