//! What stands at a path, without asking anything of it: for the audit record. Each end is one that a condition on the
//! path would be asked of, in the same order.

use super::facts::Facts;
use super::operand::elements;
use super::walk::{LookalikeArgument, argument, element, member};
use crate::audit::{Leaf, MAX_VALUE};
use crate::document::path::Step;
use crate::json::{Reader, Value};
use crate::message::Arguments;

/// What stands at `steps` in the arguments.
pub(crate) fn arguments<'a>(arguments: &Arguments<'a>, steps: &[Step]) -> Result<Vec<Leaf<'a>>, LookalikeArgument> {
    let mut leaves = vec![];
    if let [Step::Key(name), rest @ ..] = steps {
        match argument(arguments, name)? {
            Some(value) => follow(value, rest, &mut leaves)?,
            None => leaves.push(Leaf::Absent),
        }
    }
    Ok(leaves)
}

/// What stands at `steps` in the claims.
pub(crate) fn claims<'a>(facts: &'a dyn Facts, steps: &[Step]) -> Result<Vec<Leaf<'a>>, LookalikeArgument> {
    let mut leaves = vec![];
    if let [Step::Key(name), rest @ ..] = steps {
        match facts.claim(name).map(|json| Reader::new(json, 64).and_then(|mut reader| reader.value())) {
            Some(Ok(value)) => follow(value, rest, &mut leaves)?,
            Some(Err(_)) => leaves.push(Leaf::Unclear),
            None => leaves.push(Leaf::Absent),
        }
    }
    Ok(leaves)
}

fn follow<'a>(value: Value<'a>, steps: &[Step], leaves: &mut Vec<Leaf<'a>>) -> Result<(), LookalikeArgument> {
    if leaves.len() > MAX_VALUE {
        // So many are too long to be recorded.
        return Ok(());
    }
    let (next, rest) = match (steps, value) {
        ([], value) => {
            leaves.push(Leaf::Value(value));
            return Ok(());
        }
        ([Step::Key(name), rest @ ..], Value::Object(raw)) => (member(raw, name)?, rest),
        ([Step::Index(index), rest @ ..], Value::Array(raw)) => (element(raw, *index), rest),
        ([Step::Every, rest @ ..], Value::Array(raw)) => {
            let before = leaves.len();
            let mut found = Ok(());
            elements(raw, |value| {
                if found.is_ok() {
                    found = follow(value, rest, leaves);
                }
            });
            if leaves.len() == before {
                leaves.push(Leaf::Absent);
            }
            return found;
        }
        _ => {
            leaves.push(Leaf::Unclear);
            return Ok(());
        }
    };
    match next {
        Some(value) => follow(value, rest, leaves),
        None => {
            leaves.push(Leaf::Absent);
            Ok(())
        }
    }
}
