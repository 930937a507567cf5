//! What is known of a call: each recorded path as arguments that hold just that, so that the walk of conditions is the
//! filter's own.

use policy::{
    audit::Mark,
    document::path::{Path, Root, Step},
    message::{Arguments, Message, read},
};

use super::record::{Call, End, Recorded};

/// What stands at an index beyond this is not known: a few bytes of a record must not become megabytes.
const MAX_INDEX: usize = 4096;

/// A recorded path with a message whose arguments hold what is known there.
#[derive(Debug)]
pub(super) struct Told {
    path: Path,
    body: String,
}

impl Told {
    /// What a call's record tells of arguments and claims.
    pub(super) fn of(call: &Call) -> Vec<Self> {
        let told = call.values.iter().filter_map(|(path, recorded)| {
            matches!(path.root, Root::Arguments | Root::Claims).then_some(())?;
            let arguments = arguments(&path.steps, recorded)?;
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{arguments}}}}}"#
            );
            Some(Self { path: path.clone(), body })
        });
        told.collect()
    }

    /// The arguments, read as the filter reads them.
    pub(super) fn read(&self) -> Option<Known<'_>> {
        match read(self.body.as_bytes(), 300) {
            Ok(Message::Request { params, .. }) => Some(Known { path: &self.path, arguments: params.arguments }),
            _ => None,
        }
    }
}

/// What is known at a path, and at all that it leads to.
#[derive(Debug)]
pub(super) struct Known<'t> {
    path: &'t Path,
    pub(super) arguments: Arguments<'t>,
}

impl Known<'_> {
    /// Whether what stands at these steps is a part of what is known.
    pub(super) fn covers(&self, root: &Root, steps: &[Step]) -> bool {
        self.path.root == *root && steps.starts_with(&self.path.steps)
    }
}

/// An object in which the steps lead to what was recorded. None if that is not known.
fn arguments(steps: &[Step], Recorded(ends): &Recorded) -> Option<String> {
    let [Step::Key(name), rest @ ..] = steps else { return None };
    match ends.as_slice() {
        [End::None(Mark::TooLong)] => None,
        // Where the look-alike stands makes no difference to a path that goes on from here.
        [End::None(Mark::Lookalike)] => Some(object(&format!("{name}\0"), "0")),
        // A claim that could not be read is not known by its inside.
        [End::None(Mark::Unclear)] if rest.is_empty() => None,
        [End::None(Mark::Absent)] if rest.is_empty() => Some("{}".to_owned()),
        ends => Some(object(name, &inside(rest, ends)?)),
    }
}

/// A value in which the steps lead to these ends.
fn inside(steps: &[Step], ends: &[End]) -> Option<String> {
    match (steps, ends) {
        ([], [End::Value(json)]) => String::from_utf8(json.clone()).ok(),
        // Nothing that stands in an array is absent.
        ([], _) => None,
        (_, [End::None(Mark::Unclear)]) => Some("0".to_owned()),
        ([Step::Key(_), ..], [End::None(Mark::Absent)]) => Some("{}".to_owned()),
        ([Step::Index(_) | Step::Every, ..], [End::None(Mark::Absent)]) => Some("[]".to_owned()),
        (_, [End::None(_)]) => None,
        ([Step::Key(name), rest @ ..], ends) => Some(object(name, &inside(rest, ends)?)),
        ([Step::Index(index), rest @ ..], ends) if *index <= MAX_INDEX => {
            Some(format!("[{}{}]", "null,".repeat(*index), inside(rest, ends)?))
        }
        ([Step::Index(_), ..], _) => None,
        ([Step::Every, rest @ ..], ends) => {
            let each: Option<Vec<String>> = ends.iter().map(|end| inside(rest, std::slice::from_ref(end))).collect();
            Some(format!("[{}]", each?.join(",")))
        }
    }
}

fn object(name: &str, value: &str) -> String {
    format!("{{{}:{value}}}", serde_json::Value::from(name))
}
