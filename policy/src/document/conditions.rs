//! `require` and `deny_if`: predicates, their conditions, and whether each can hold at all.

use super::cidr::Cidr;
use super::condition::{Condition, Scalar, Test};
use super::error::ErrorKind;
use super::fields::{Check, MAX_WHOLE, Place};
use super::model::Predicate;
use super::path::{Path, Root};
use super::tree::{Kind, push_step};

/// Which list a predicate stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Require,
    DenyIf,
}

/// The longest list, of predicates or of values. Lists are searched for repetitions, and for what a call says.
pub(crate) const MAX_LIST: usize = 4096;

/// The compiled form of a regular expression takes at most so many bytes.
const MAX_REGEX: usize = 1 << 20;

const OPS: [&str; 16] = [
    "eq",
    "neq",
    "lt",
    "lte",
    "gt",
    "gte",
    "in",
    "not_in",
    "exists",
    "regex",
    "contains",
    "starts_with",
    "ends_with",
    "cidr",
    "length_lte",
    "length_gte",
];

/// Reads a list of predicates. `rule` is the rule's pointer, `arguments` says whether its target is called with any.
pub(crate) fn predicates(
    check: &mut Check,
    place: &Place<'_>,
    list: List,
    rule: &str,
    arguments: bool,
) -> Vec<Predicate> {
    let mut predicates: Vec<Predicate> = Vec::new();
    for (index, element) in few_elements(check, place).unwrap_or_default().iter().enumerate() {
        let Some((conditions, on_deny)) = predicate(check, element, list, arguments) else { continue };
        let mut pointer = format!("{rule}/{}", if list == List::Require { "require" } else { "deny_if" });
        let name = match conditions.first() {
            Some(Some((op, condition))) => format!("{}-{op}", condition.path),
            _ => index.to_string(),
        };
        push_step(&mut pointer, &name);
        let alike = |p: &&Predicate| {
            *p.pointer == *pointer || p.pointer.strip_prefix(&*pointer).is_some_and(|rest| rest.starts_with('#'))
        };
        match predicates.iter().filter(alike).count() {
            0 => {}
            // Reports and metrics tell predicates apart by their pointers.
            earlier => pointer.push_str(&format!("#{}", earlier.saturating_add(1))),
        }
        let conditions = conditions.into_iter().flatten().map(|(_, condition)| condition).collect();
        predicates.push(Predicate { pointer: pointer.into(), conditions, on_deny });
    }
    predicates
}

/// A condition with the word for its test; none where it could not be read.
type Read = Option<(&'static str, Condition)>;

fn predicate(
    check: &mut Check,
    place: &Place<'_>,
    list: List,
    arguments: bool,
) -> Option<(Vec<Read>, Option<Box<str>>)> {
    let fields = check.fields(place, &["conditions", "on_deny"])?;
    let on_deny = fields.get("on_deny").and_then(|place| words_for_the_agent(check, &place));
    let conditions = match (fields.get("conditions"), list) {
        (Some(conditions), _) => conditions,
        (None, List::DenyIf) => return Some((vec![], on_deny)),
        (None, List::Require) => fields.need(check, "conditions")?,
    };
    let elements = few_elements(check, &conditions)?;
    if elements.is_empty() && list == List::Require {
        check.wrong(
            &conditions,
            ErrorKind::Misplaced(
                "`require` without conditions refuses nothing; `deny_if` without conditions refuses always",
            ),
        );
    }
    Some((elements.iter().map(|place| condition(check, place, arguments)).collect(), on_deny))
}

/// What the agent is told. None if there is nothing in it.
pub(crate) fn words_for_the_agent(check: &mut Check, place: &Place<'_>) -> Option<Box<str>> {
    let text = check.text(place)?;
    if text.len() > 4096 {
        check.wrong(place, ErrorKind::Misplaced("more than 4096 bytes are too much to tell an agent"));
    }
    (!text.trim().is_empty()).then(|| text.into())
}

fn condition(check: &mut Check, place: &Place<'_>, arguments: bool) -> Read {
    let fields = check.fields(place, &["path", "op", "value"])?;
    let path = fields.need(check, "path");
    let path = path.and_then(|place| {
        let text = check.text(&place)?;
        let path = check.note(&place, Path::parse(text).map_err(ErrorKind::Path))?;
        if path.root == Root::Arguments && !arguments {
            check.wrong(&place, ErrorKind::Misplaced("there are no arguments here, only tools and prompts have them"));
        }
        Some(path)
    });
    let op = fields.need(check, "op");
    let op = op.and_then(|place| check.word(&place, &OPS.map(|op| (op, op))));
    let value = fields.get("value");
    let (path, op) = (path?, op?);
    fits_root(check, &fields.get("op")?, &path.root, op)?;
    if op == "exists" {
        if let Some(value) = value
            && !matches!(value.node.kind, Kind::Bool(true))
        {
            check.wrong(
                &value,
                ErrorKind::Misplaced("`exists` takes no value but true; to refuse what exists, put it under `deny_if`"),
            );
        }
        return Some((op, Condition { path, test: Test::Exists }));
    }
    let value = fields.need(check, "value")?;
    let test = test(check, &value, op, &path.root)?;
    Some((op, Condition { path, test }))
}

/// Notes it if no value of the root could ever make the test true, or false.
fn fits_root(check: &mut Check, place: &Place<'_>, root: &Root, op: &str) -> Option<()> {
    let why = match (root, op) {
        (Root::Hour | Root::Weekday, "exists") => "this always exists",
        (Root::Hour | Root::Weekday, "eq" | "neq" | "lt" | "lte" | "gt" | "gte" | "in" | "not_in") => return Some(()),
        (Root::Hour | Root::Weekday, _) => "`time.hour` and `time.weekday` are numbers, which this does not work on",
        (Root::Header(_) | Root::Grant, "lt" | "lte" | "gt" | "gte") => {
            "headers and grants are strings, which have no order"
        }
        _ => return Some(()),
    };
    check.wrong(place, ErrorKind::Misplaced(why));
    None
}

fn test(check: &mut Check, place: &Place<'_>, op: &str, root: &Root) -> Option<Test> {
    Some(match op {
        "eq" => Test::Eq(scalar(check, place, root, true)?),
        "neq" => Test::Neq(scalar(check, place, root, false)?),
        "in" => Test::In(scalars(check, place, root, true)?),
        "not_in" => Test::NotIn(scalars(check, place, root, false)?),
        "lt" => Test::Lt(bound(check, place, root)?),
        "lte" => Test::Lte(bound(check, place, root)?),
        "gt" => Test::Gt(bound(check, place, root)?),
        "gte" => Test::Gte(bound(check, place, root)?),
        "regex" => Test::Regex(Box::new(check.regex(place, MAX_REGEX)?)),
        "contains" if matches!(root, Root::Header(_) | Root::Grant) => {
            Test::Contains(Scalar::String(part(check, place)?))
        }
        "contains" => match plain(check, place)? {
            Scalar::String(_) => Test::Contains(Scalar::String(part(check, place)?)),
            other => Test::Contains(other),
        },
        "starts_with" => Test::StartsWith(part(check, place)?),
        "ends_with" => Test::EndsWith(part(check, place)?),
        "cidr" => Test::Cidr(ranges(check, place)?),
        "length_lte" => Test::LengthLte(check.whole(place, 0, MAX_WHOLE)?),
        "length_gte" => Test::LengthGte(check.whole(place, 0, MAX_WHOLE)?),
        _ => return None,
    })
}

/// A value without parts.
fn plain(check: &mut Check, place: &Place<'_>) -> Option<Scalar> {
    Some(match &place.node.kind {
        Kind::Null => Scalar::Null,
        Kind::Bool(value) => Scalar::Bool(*value),
        Kind::Number(_) => Scalar::Number(check.number(place)?),
        Kind::String(text) => Scalar::String((**text).into()),
        Kind::Array(_) | Kind::Object(_) => return check.mistyped(place, "a string, number, boolean or null"),
    })
}

/// A value without parts that the root can equal. Null only where it has a meaning.
fn scalar(check: &mut Check, place: &Place<'_>, root: &Root, null: bool) -> Option<Scalar> {
    match root {
        Root::Hour | Root::Weekday => return Some(Scalar::Number(bound(check, place, root)?)),
        Root::Header(_) | Root::Grant => return Some(Scalar::String(check.text(place)?.into())),
        Root::Arguments | Root::Claims => {}
    }
    let scalar = plain(check, place)?;
    if scalar == Scalar::Null && !null {
        check.wrong(
            place,
            ErrorKind::Misplaced(
                "null is neither equal nor unequal here; ask with `exists`, or `eq` under the other list",
            ),
        );
        return None;
    }
    Some(scalar)
}

fn scalars(check: &mut Check, place: &Place<'_>, root: &Root, null: bool) -> Option<Vec<Scalar>> {
    let mut list: Vec<Scalar> = Vec::new();
    for element in some_elements(check, place)? {
        let Some(scalar) = scalar(check, &element, root, null) else { continue };
        if list.contains(&scalar) {
            check.wrong(&element, ErrorKind::Repeated(rendered(&scalar)));
        }
        list.push(scalar);
    }
    Some(list)
}

fn rendered(scalar: &Scalar) -> Box<str> {
    match scalar {
        Scalar::Null => "null".into(),
        Scalar::Bool(value) => value.to_string().into(),
        Scalar::Number(value) => value.to_string().into(),
        Scalar::String(text) => text.clone(),
    }
}

/// A number to compare with. Hours and weekdays are whole and have few values.
fn bound(check: &mut Check, place: &Place<'_>, root: &Root) -> Option<f64> {
    let (least, most) = match root {
        Root::Hour => (0, 23),
        Root::Weekday => (1, 7),
        _ => return check.number(place),
    };
    let value = check.whole(place, least, most)?;
    u32::try_from(value).ok().map(f64::from)
}

/// A part of a string. The empty one is part of all.
fn part(check: &mut Check, place: &Place<'_>) -> Option<Box<str>> {
    let text = check.text(place)?;
    if text.is_empty() {
        check.wrong(place, ErrorKind::Misplaced("every string holds the empty one"));
    }
    Some(text.into())
}

fn ranges(check: &mut Check, place: &Place<'_>) -> Option<Vec<Cidr>> {
    let range = |check: &mut Check, place: &Place<'_>| {
        let text = check.text(place)?;
        check.note(place, Cidr::parse(text).map_err(ErrorKind::Cidr))
    };
    if let Kind::String(_) = place.node.kind {
        return Some(vec![range(check, place)?]);
    }
    if !matches!(place.node.kind, Kind::Array(_)) {
        return check.mistyped(place, "a string or an array of strings");
    }
    let mut ranges = Vec::new();
    for element in some_elements(check, place)? {
        let Some(range) = range(check, &element) else { continue };
        if ranges.contains(&range) {
            check.wrong(&element, ErrorKind::Repeated(range.to_string().into()));
        }
        ranges.push(range);
    }
    Some(ranges)
}

/// The elements of an array that is of no use without any.
pub(crate) fn some_elements<'t>(check: &mut Check, place: &Place<'t>) -> Option<Vec<Place<'t>>> {
    let elements = check.elements(place)?;
    if elements.is_empty() {
        check.wrong(place, ErrorKind::Misplaced("at least one value is wanted"));
    }
    short(check, place, elements)
}

/// The elements, unless they are more than anybody should have to search.
fn short<'t>(check: &mut Check, place: &Place<'t>, elements: Vec<Place<'t>>) -> Option<Vec<Place<'t>>> {
    let fits = elements.len() <= MAX_LIST;
    check.note(place, fits.then_some(elements).ok_or(ErrorKind::Misplaced("more than 4096 entries are too many")))
}

/// The elements of an array of bounded length.
pub(crate) fn few_elements<'t>(check: &mut Check, place: &Place<'t>) -> Option<Vec<Place<'t>>> {
    let elements = check.elements(place)?;
    short(check, place, elements)
}
