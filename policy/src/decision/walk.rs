use std::borrow::Cow;

use super::context::{Context, ITEM};
use super::facts::Header;
use super::operand::{Operand, elements};
use super::truth::{List, Truth, ask};
use super::watch::{Seen, Watch};
use crate::document::condition::{Condition, Test};
use crate::document::path::{Root, Step};
use crate::json::{Raw, Reader, SyntaxError, Value, lookalike};
use crate::message::Arguments;

/// A key beside the named one that some server takes for it: the call is refused whatever the condition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookalikeArgument;

/// Why a condition cannot be asked: the call is refused whatever the others say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unasked {
    /// A key beside the named one could be taken for it.
    Lookalike,
    /// The conditions have walked as far as they may.
    TooFar,
}

impl From<LookalikeArgument> for Unasked {
    fn from(LookalikeArgument: LookalikeArgument) -> Self {
        Self::Lookalike
    }
}

/// Follows a condition's path to its value or values, and asks the condition of them.
pub(super) fn condition<W: Watch>(
    condition: &Condition,
    list: List,
    context: &Context<'_, '_, W>,
) -> Result<Truth, Unasked> {
    let truth = if condition.path.root == Root::Arguments || W::LOOKS {
        follow(condition, list, context)
    } else {
        context.effort.once(condition, || follow(condition, list, context))
    };
    context.watch.see(Seen::Condition(condition, truth));
    truth
}

fn follow<W: Watch>(condition: &Condition, list: List, context: &Context<'_, '_, W>) -> Result<Truth, Unasked> {
    let walk = Walk { test: &condition.test, list, context, is_charged: condition.path.root == Root::Arguments };
    let facts = context.facts;
    let recalled = context.watch.recall(&condition.path.root, &condition.path.steps);
    match (&condition.path.root, condition.path.steps.as_slice()) {
        (Root::Arguments | Root::Claims, [Step::Key(name), rest @ ..]) if recalled.is_some() => {
            recalled.map_or_else(|| Ok(walk.missing()), |recalled| walk.argument(recalled, name, rest))
        }
        (Root::Arguments, [Step::Key(name), rest @ ..]) => walk.argument(context.arguments, name, rest),
        (Root::Claims, [Step::Key(name), rest @ ..]) => match facts.claim(name) {
            // The token's issuer wrote the claims, but a claim that cannot be read must not decide.
            Some(json) => Reader::new(json, 64)
                .and_then(|mut reader| reader.value())
                .map_or_else(|_| Ok(walk.blocked()), |value| walk.value(value, rest)),
            None => Ok(walk.missing()),
        },
        (Root::Header(name), []) => Ok(match facts.header(name) {
            Header::Absent => walk.missing(),
            Header::Once(value) => walk.ask(&Operand::String(value)),
            Header::Unclear => walk.blocked(),
        }),
        (Root::Grant, []) => Ok(match facts.grant() {
            Some(grant) => walk.ask(&Operand::String(Cow::Borrowed(grant))),
            None => walk.missing(),
        }),
        (Root::Hour, []) => Ok(walk.ask(&Operand::Number(Some(f64::from(hour(facts.unix_seconds())))))),
        (Root::Weekday, []) => Ok(walk.ask(&Operand::Number(Some(f64::from(weekday(facts.unix_seconds())))))),
        // The loader lets no other path through.
        _ => Ok(Truth::Wrong),
    }
}

/// The value at `steps` in the arguments, none if it is missing. Elements of arrays are taken by index only.
pub(super) fn single<'a, W>(
    arguments: &Arguments<'a>,
    steps: &[Step],
    context: &Context<'_, '_, W>,
) -> Result<Option<Value<'a>>, Unasked> {
    let [Step::Key(name), rest @ ..] = steps else { return Ok(None) };
    afford(context, names(arguments))?;
    let mut at = argument(arguments, name)?;
    for step in rest {
        afford(context, at.map_or(0, |value| size(&value)))?;
        at = match (step, at) {
            (Step::Key(name), Some(Value::Object(raw))) => member(raw, name)?,
            (Step::Index(index), Some(Value::Array(raw))) => element(raw, *index),
            _ => None,
        };
    }
    Ok(at)
}

fn afford<W>(context: &Context<'_, '_, W>, bytes: usize) -> Result<(), Unasked> {
    if context.affords_walk(bytes) { Ok(()) } else { Err(Unasked::TooFar) }
}

/// What it takes to look for one of the names of arguments, in bytes walked over.
fn names(arguments: &Arguments<'_>) -> usize {
    arguments.name_bytes().saturating_add(arguments.members().len().saturating_mul(ITEM))
}

/// How many bytes a step into the value walks over.
fn size(value: &Value<'_>) -> usize {
    match value {
        Value::Array(raw) | Value::Object(raw) => raw.bytes().len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

struct Walk<'w, 'c, 'a, W> {
    test: &'w Test,
    list: List,
    context: &'w Context<'c, 'a, W>,
    /// Clients write arguments; whoever writes claims is trusted, and they are asked once.
    is_charged: bool,
}

impl<W: Watch> Walk<'_, '_, '_, W> {
    fn ask(&self, operand: &Operand<'_>) -> Truth {
        self.context.watch.see(Seen::Value(operand));
        ask(self.test, operand, self.context)
    }

    fn end(&self, value: Value<'_>) -> Result<Truth, Unasked> {
        self.afford(self.test.cost(&value))?;
        if matches!(self.test, Test::Exists) && !W::LOOKS {
            return Ok(Truth::from(!matches!(value, Value::Null)));
        }
        Ok(self.ask(&value.into()))
    }

    fn afford(&self, bytes: usize) -> Result<(), Unasked> {
        if self.is_charged { afford(self.context, bytes) } else { Ok(()) }
    }

    fn missing(&self) -> Truth {
        self.context.watch.see(Seen::Missing);
        self.list.missing(self.test)
    }

    fn blocked(&self) -> Truth {
        self.context.watch.see(Seen::Blocked);
        Truth::Wrong
    }

    fn argument(&self, arguments: &Arguments<'_>, name: &str, steps: &[Step]) -> Result<Truth, Unasked> {
        self.afford(names(arguments))?;
        match argument(arguments, name)? {
            Some(value) => self.value(value, steps),
            None => Ok(self.missing()),
        }
    }

    fn value(&self, value: Value<'_>, steps: &[Step]) -> Result<Truth, Unasked> {
        if !steps.is_empty() {
            self.afford(size(&value))?;
        }
        match (steps, value) {
            ([], value) => self.end(value),
            ([Step::Key(name), rest @ ..], Value::Object(raw)) => match member(raw, name)? {
                Some(value) => self.value(value, rest),
                None => Ok(self.missing()),
            },
            ([Step::Index(index), rest @ ..], Value::Array(raw)) => match element(raw, *index) {
                Some(value) => self.value(value, rest),
                None => Ok(self.missing()),
            },
            ([Step::Every, rest @ ..], Value::Array(raw)) => {
                let mut truths = vec![];
                elements(raw, |value| truths.push(self.afford(ITEM).and_then(|()| self.value(value, rest))));
                let truths = truths.into_iter().collect::<Result<Vec<_>, _>>()?;
                Ok(if truths.is_empty() { self.missing() } else { self.list.combine(truths.into_iter()) })
            }
            // Servers parse strings that hold JSON, and wrap or unwrap single elements.
            _ => Ok(self.blocked()),
        }
    }
}

pub(super) fn argument<'a>(arguments: &Arguments<'a>, name: &str) -> Result<Option<Value<'a>>, LookalikeArgument> {
    let mut found = None;
    for (key, value) in arguments.members() {
        if key.as_bytes() == name.as_bytes() {
            found = Some(*value);
        } else if lookalike(key.as_bytes(), name) {
            return Err(LookalikeArgument);
        }
    }
    Ok(found)
}

pub(super) fn member<'a>(object: Raw<'a>, name: &str) -> Result<Option<Value<'a>>, LookalikeArgument> {
    let mut found = None;
    let mut alike = false;
    // Cannot fail: the reader has checked the object.
    let _checked = object.reader().object::<SyntaxError>(|reader, key| {
        let value = reader.value()?;
        if key.as_bytes() == name.as_bytes() {
            found = Some(value);
        } else if lookalike(key.as_bytes(), name) {
            alike = true;
        }
        Ok(())
    });
    if alike { Err(LookalikeArgument) } else { Ok(found) }
}

pub(super) fn element(array: Raw<'_>, index: usize) -> Option<Value<'_>> {
    let mut at: usize = 0;
    let mut found = None;
    elements(array, |value| {
        if at == index {
            found = Some(value);
        }
        at = at.saturating_add(1);
    });
    found
}

const SECONDS_PER_HOUR: u64 = 3_600;
const SECONDS_PER_DAY: u64 = 86_400;

/// 0 to 23, UTC.
fn hour(unix_seconds: u64) -> u8 {
    u8::try_from((unix_seconds % SECONDS_PER_DAY) / SECONDS_PER_HOUR).unwrap_or_default()
}

/// 1 (Monday) to 7 (Sunday), UTC, as ISO 8601 counts. 1970-01-01 was a Thursday.
fn weekday(unix_seconds: u64) -> u8 {
    let since_monday = (unix_seconds / SECONDS_PER_DAY).wrapping_add(3) % 7;
    u8::try_from(since_monday.wrapping_add(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_weekdays_are_utc_and_iso() {
        // 1970-01-01T00:00:00Z, a Thursday; 2000-02-29T23:59:59Z, a Tuesday; 2026-11-22T12:00:00Z, a Sunday.
        for (seconds, expected) in [(0, (0, 4)), (951_868_799, (23, 2)), (1_795_348_800, (12, 7))] {
            assert_eq!((hour(seconds), weekday(seconds)), expected, "{seconds}");
        }
    }
}
