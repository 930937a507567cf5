//! Looks on while a policy judges a record, gives it what is known, and notes what would have to be.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use policy::{
    audit::{Mark, UNCLEAR},
    decision::{Facts, Header, List, Seen, Truth, Unasked, Watch},
    document::{
        condition::{Condition, Test},
        model::{ArgumentSchema, Limit, Predicate},
        path::{Path, Root, Step},
    },
    json::{Reader, Value},
    message::Arguments,
};

use super::{
    known::Known,
    record::{End, Record, Recorded},
};

/// The record of a body, as a policy looks at it.
#[derive(Debug)]
pub(super) struct Recall<'r> {
    record: &'r Record,
    /// Of each message.
    known: Vec<Vec<Known<'r>>>,
    /// The message that is being judged.
    message: Cell<usize>,
    /// The conditions of the predicate that is being looked at.
    conditions: RefCell<Vec<Looked>>,
    /// What is not known and would have to be.
    needs: RefCell<BTreeSet<String>>,
}

/// What a condition came to.
#[derive(Debug)]
struct Looked {
    /// None if what it looks at is known.
    needs: Option<String>,
    /// What is not known there may be a key that looks like another.
    may_look_alike: bool,
    truth: Result<Truth, Unasked>,
}

impl<'r> Recall<'r> {
    pub(super) fn new(record: &'r Record, known: Vec<Vec<Known<'r>>>) -> Self {
        Self { record, known, message: Cell::new(0), conditions: RefCell::default(), needs: RefCell::default() }
    }

    /// What would have to be known.
    pub(super) fn needs(&self) -> BTreeSet<String> {
        self.needs.borrow().clone()
    }

    fn note(&self, needs: String) {
        self.needs.borrow_mut().insert(needs);
    }

    fn find(&self, root: &Root, steps: &[Step]) -> Option<&Known<'r>> {
        self.known.get(self.message.get())?.iter().find(|known| known.covers(root, steps))
    }

    /// What was recorded of a claim as a whole, or of a header.
    fn recorded(&self, is: impl Fn(&Path) -> bool) -> Option<&'r End> {
        let mut values = self.record.calls.iter().flat_map(|call| &call.values);
        let (_, Recorded(ends)) = values.find(|(path, _)| is(path))?;
        match ends.as_slice() {
            [End::None(Mark::TooLong)] => None,
            [end] => Some(end),
            _ => None,
        }
    }

    fn recorded_header(&self, name: &str) -> Option<&'r End> {
        self.recorded(|path| matches!(&path.root, Root::Header(header) if **header == *name))
    }

    fn recorded_claim(&self, name: &str) -> Option<&'r End> {
        self.recorded(|path| path.root == Root::Claims && path.steps == [Step::Key(name.into())])
    }

    /// What limits count by a claim: its JSON.
    ///
    /// # Errors
    /// If it is not known.
    pub(super) fn claim_text(&self, name: &str) -> Result<Option<String>, String> {
        match self.recorded_claim(name) {
            Some(End::Value(json)) => Ok(Some(String::from_utf8_lossy(json).into_owned())),
            Some(End::None(_)) => Ok(None),
            None => Err(format!("identity.claims.{name}")),
        }
    }

    /// What limits count by a header.
    ///
    /// # Errors
    /// If it is not known.
    pub(super) fn header_text(&self, name: &str) -> Result<Header<'r>, String> {
        self.recorded_header(name).map(header).ok_or_else(|| format!("request.headers.{name}"))
    }

    /// Whether all that a condition looks at is known.
    fn knows(&self, Condition { path, test }: &Condition) -> bool {
        match &path.root {
            Root::Hour | Root::Weekday => true,
            Root::Grant => self.record.grant == "anonymous" || matches!(test, Test::Exists),
            Root::Header(name) => self.recorded_header(name).is_some(),
            Root::Arguments => self.find(&path.root, &path.steps).is_some(),
            Root::Claims => {
                let unreadable = |name: &str| matches!(self.recorded_claim(name), Some(End::None(Mark::Unclear)));
                let first = matches!(path.steps.first(), Some(Step::Key(name)) if unreadable(name));
                first || self.find(&path.root, &path.steps).is_some()
            }
        }
    }
}

fn header(end: &End) -> Header<'_> {
    match end {
        End::None(Mark::Absent) => Header::Absent,
        End::None(_) => Header::Unclear,
        End::Value(json) => match Reader::new(json, 1).and_then(|mut reader| reader.value()) {
            Ok(Value::String(text)) => Header::Once(Cow::Owned(text.decode().into_owned())),
            _ => Header::Unclear,
        },
    }
}

impl Facts for Recall<'_> {
    /// Some text where there was one: what it was, no record says.
    fn grant(&self) -> Option<&str> {
        (self.record.grant != "anonymous").then_some(UNCLEAR)
    }

    /// What [`Watch::recall`] does not know: a claim that could not be read.
    fn claim(&self, name: &str) -> Option<&[u8]> {
        matches!(self.recorded_claim(name), Some(End::None(Mark::Unclear))).then_some(&[])
    }

    fn header(&self, name: &str) -> Header<'_> {
        self.recorded_header(name).map_or(Header::Absent, header)
    }

    fn unix_seconds(&self) -> u64 {
        self.record.wall_ms / 1000
    }
}

impl Watch for Recall<'_> {
    fn see(&self, seen: Seen<'_>) {
        if let Seen::Condition(condition, truth) = seen {
            let path = &condition.path;
            let needs = (!self.knows(condition)).then(|| match path.root {
                Root::Grant => "(the grant, which is never recorded)".to_owned(),
                _ => path.source.to_string(),
            });
            // A claim is found by its own name; what is in it, as arguments are.
            let may_look_alike = path.root == Root::Arguments || path.root == Root::Claims && path.steps.len() > 1;
            self.conditions.borrow_mut().push(Looked { needs, may_look_alike, truth });
        }
    }

    fn begin(&self, _policy: &str, message: usize) {
        self.message.set(message);
    }

    fn recall(&self, root: &Root, steps: &[Step]) -> Option<&Arguments<'_>> {
        self.find(root, steps).map(|known| &known.arguments)
    }

    /// No record has them all.
    fn knows_arguments(&self, schema: &ArgumentSchema) -> bool {
        self.note(format!("(all arguments, for {})", schema.pointer));
        false
    }

    /// Refuses if it would whatever the values are that are not known. Where that depends on them, it is noted, and what
    /// comes after is looked at as if it had not refused.
    fn refuses(&self, _predicate: &Predicate, list: List, refuses: bool) -> bool {
        let conditions = self.conditions.take();
        let (unknown, known): (Vec<_>, Vec<_>) = conditions.iter().partition(|condition| condition.needs.is_some());
        if unknown.is_empty() {
            return refuses;
        }
        let any = |truth| known.iter().any(|condition| condition.truth == truth);
        let refuses = match list {
            List::Require => known.iter().any(|condition| condition.truth != Ok(Truth::True)),
            List::DenyIf => known.iter().any(|condition| condition.truth.is_err()),
        };
        let passes =
            list == List::DenyIf && any(Ok(Truth::False)) && !unknown.iter().any(|condition| condition.may_look_alike);
        if !refuses && !passes {
            unknown.iter().filter_map(|condition| condition.needs.clone()).for_each(|needs| self.note(needs));
        }
        refuses
    }

    fn amount(&self, limit: &Limit, amount: Option<u64>) -> Option<u64> {
        match &limit.increment_from {
            Some(path) if self.find(&Root::Arguments, &path.steps).is_none() => {
                self.note(path.source.to_string());
                Some(0)
            }
            _ => amount,
        }
    }
}
