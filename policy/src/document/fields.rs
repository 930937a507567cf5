//! Taking a tree apart, field by field, while collecting all that is wrong.
//!
//! Hundreds of places call these, once per document: inlined they would be a tenth of the module.

use std::collections::BTreeMap;

use regex_lite::{Regex, RegexBuilder};

use super::error::{ErrorKind, Errors};
use super::nearest::nearest;
use super::tree::{self, Kind, Node};
use crate::schema::pattern::{MAX_WEIGHT, Pattern};

/// The largest document, in bytes.
pub(crate) const MAX_DOCUMENT: usize = 4 << 20;

/// After so many errors nobody reads on.
const MAX_ERRORS: usize = 200;

/// The most that the patterns of all schemas of a document may take, in KiB of their compiled form. Those of a lock were
/// written by a server, and every worker keeps them all.
const MAX_PATTERNS: usize = 8 * 1024;

/// 2^53: beyond it a double skips whole numbers, and control planes turn numbers into doubles.
pub(crate) const MAX_WHOLE: u64 = 1 << 53;

/// Collects what is wrong with one document.
#[derive(Debug, Default)]
pub(crate) struct Check {
    found: Vec<(usize, String, ErrorKind)>,
    /// The expressions that have been compiled: many tools are checked by the same few.
    regexes: BTreeMap<Box<str>, Regex>,
    /// Likewise the patterns of schemas, and what they take, in KiB.
    patterns: BTreeMap<Box<str>, Pattern>,
    pattern_kib: usize,
}

/// One value of the document, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Place<'t> {
    pub(crate) node: &'t Node<'t>,
    /// The whole document.
    root: &'t Node<'t>,
    /// The policy that the value is a part of.
    policy: &'t Node<'t>,
}

/// An object whose members are fields.
#[derive(Debug)]
pub(crate) struct Fields<'t> {
    pub(crate) place: Place<'t>,
}

/// Reads the text, has `decode` take the tree apart, and gives its result if nothing was wrong.
///
/// # Errors
/// All that is wrong.
pub(crate) fn load<T>(text: &[u8], decode: impl FnOnce(&mut Check, &Place<'_>) -> Option<T>) -> Result<T, Errors> {
    let mut check = Check::default();
    let mut value = None;
    if text.len() > MAX_DOCUMENT {
        check.found.push((0, String::new(), ErrorKind::TooLarge(MAX_DOCUMENT)));
    } else if text.trim_ascii().is_empty() {
        check.found.push((0, String::new(), ErrorKind::NothingConfigured));
    } else {
        match tree::read(text) {
            Ok(node) => value = decode(&mut check, &Place { node: &node, root: &node, policy: &node }),
            Err(broken) => {
                check.found.push((broken.error.offset, broken.pointer, ErrorKind::Syntax(broken.error.problem)));
            }
        }
    }
    match value {
        Some(value) if check.found.is_empty() => Ok(value),
        _ => Err(Errors::new(text, check.found)),
    }
}

impl Check {
    /// Notes that something is wrong with a value.
    #[inline(never)]
    pub(crate) fn wrong(&mut self, place: &Place<'_>, kind: ErrorKind) {
        self.wrong_at(place.node.offset, place.pointer(), kind);
    }

    #[inline(never)]
    pub(crate) fn wrong_at(&mut self, offset: usize, pointer: String, kind: ErrorKind) {
        if self.found.len() < MAX_ERRORS {
            self.found.push((offset, pointer, kind));
        }
    }

    /// How much has been noted so far.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Gives what was read, or notes what was wrong with the value.
    pub(crate) fn note<T>(&mut self, place: &Place<'_>, read: Result<T, ErrorKind>) -> Option<T> {
        read.map_err(|kind| self.wrong(place, kind)).ok()
    }

    /// An object with no other members than the `known` ones.
    #[inline(never)]
    pub(crate) fn fields<'t>(&mut self, place: &Place<'t>, known: &'static [&'static str]) -> Option<Fields<'t>> {
        for (offset, key, member) in self.members(place)? {
            if !known.contains(&key) {
                let nearest = nearest(key, known.iter().copied()).map(Into::into);
                let kind = ErrorKind::UnknownField { field: key.into(), nearest, known };
                self.wrong_at(offset, member.pointer(), kind);
            }
        }
        Some(Fields { place: place.clone() })
    }

    /// The members of an object: where the key stands, the key, the value.
    #[inline(never)]
    pub(crate) fn members<'t>(&mut self, place: &Place<'t>) -> Option<Vec<(usize, &'t str, Place<'t>)>> {
        let Kind::Object(members) = &place.node.kind else { return self.mistyped(place, "an object") };
        Some(members.iter().map(|m| (m.offset, &*m.key, place.step(&m.value))).collect())
    }

    #[inline(never)]
    pub(crate) fn elements<'t>(&mut self, place: &Place<'t>) -> Option<Vec<Place<'t>>> {
        let Kind::Array(elements) = &place.node.kind else { return self.mistyped(place, "an array") };
        Some(elements.iter().map(|node| place.step(node)).collect())
    }

    /// A regular expression whose compiled form takes at most so many bytes.
    pub(crate) fn regex(&mut self, place: &Place<'_>, size_limit: usize) -> Option<Regex> {
        let text = self.text(place)?;
        if let Some(known) = self.regexes.get(text) {
            return Some(known.clone());
        }
        let compiled = RegexBuilder::new(text).size_limit(size_limit).build();
        let regex = self.note(place, compiled.map_err(|error| ErrorKind::Regex(error.to_string().into())))?;
        self.regexes.insert(text.into(), regex.clone());
        Some(regex)
    }

    /// A pattern of a schema.
    #[inline(never)]
    pub(crate) fn pattern(&mut self, source: &str) -> Result<Pattern, ErrorKind> {
        if let Some(known) = self.patterns.get(source) {
            return Ok(known.clone());
        }
        if self.pattern_kib >= MAX_PATTERNS {
            let why = format!("the patterns of all schemas together compile to more than {MAX_PATTERNS} KiB");
            return Err(ErrorKind::Regex(why.into()));
        }
        let pattern = Pattern::new(source);
        // One that cannot be used has taken as much time as the largest.
        let weight = pattern.as_ref().map_or(MAX_WEIGHT, Pattern::weight);
        self.pattern_kib = self.pattern_kib.saturating_add(weight);
        let pattern = pattern.map_err(ErrorKind::Regex)?;
        self.patterns.insert(source.into(), pattern.clone());
        Ok(pattern)
    }

    #[inline(never)]
    pub(crate) fn text<'t>(&mut self, place: &Place<'t>) -> Option<&'t str> {
        let Kind::String(text) = &place.node.kind else { return self.mistyped(place, "a string") };
        Some(text)
    }

    #[inline(never)]
    pub(crate) fn flag(&mut self, place: &Place<'_>) -> Option<bool> {
        let Kind::Bool(value) = place.node.kind else { return self.mistyped(place, "true or false") };
        Some(value)
    }

    /// A number that others read as the same number.
    #[inline(never)]
    pub(crate) fn number(&mut self, place: &Place<'_>) -> Option<f64> {
        let Kind::Number(number) = &place.node.kind else { return self.mistyped(place, "a number") };
        self.note(place, number.to_exact_f64().ok_or(ErrorKind::Inexact))
    }

    /// A whole number in the range, also if written `10.0`, as control planes do that keep numbers as doubles.
    #[inline(never)]
    pub(crate) fn whole(&mut self, place: &Place<'_>, least: u64, most: u64) -> Option<u64> {
        let Kind::Number(number) = &place.node.kind else { return self.mistyped(place, "a whole number") };
        let most = most.min(MAX_WHOLE);
        let value = whole(number.to_exact_f64().unwrap_or(f64::INFINITY));
        if value.is_none() && number.to_f64().fract() != 0.0 {
            return self.mistyped_as(place, "a whole number", "a fraction");
        }
        let value = value.filter(|value| (least..=most).contains(value));
        self.note(place, value.ok_or(ErrorKind::OutOfRange { least, most }))
    }

    /// One of some words, each with its meaning.
    pub(crate) fn word<T: Clone>(&mut self, place: &Place<'_>, words: &[(&'static str, T)]) -> Option<T> {
        let word = self.text(place)?;
        match words.iter().find(|(known, _)| *known == word) {
            Some((_, meaning)) => Some(meaning.clone()),
            None => {
                self.unknown_word(place, word, words.iter().map(|(known, _)| *known));
                None
            }
        }
    }

    pub(crate) fn unknown_word<'k>(
        &mut self,
        place: &Place<'_>,
        word: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) {
        let nearest = nearest(word, known.clone()).map(Into::into);
        let known = known.map(Into::into).collect();
        self.wrong(place, ErrorKind::UnknownWord { word: word.into(), nearest, known });
    }

    pub(crate) fn mistyped<T>(&mut self, place: &Place<'_>, wanted: &'static str) -> Option<T> {
        self.mistyped_as(place, wanted, place.node.kind.name())
    }

    #[inline(never)]
    fn mistyped_as<T>(&mut self, place: &Place<'_>, wanted: &'static str, found: &'static str) -> Option<T> {
        self.wrong(place, ErrorKind::WrongType { wanted, found });
        None
    }
}

/// A whole number that a double holds exactly, at most 2^53.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole and in range")]
fn whole(value: f64) -> Option<u64> {
    (value.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&value)).then_some(value as u64)
}

impl<'t> Place<'t> {
    #[inline(never)]
    fn step(&self, node: &'t Node<'t>) -> Self {
        Self { node, ..self.clone() }
    }

    /// JSON Pointer of the value.
    pub(crate) fn pointer(&self) -> String {
        tree::pointer(self.root, self.node)
    }

    /// The member of an object.
    #[inline(never)]
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        let Kind::Object(members) = &self.node.kind else { return None };
        members.iter().find(|m| m.key == name).map(|m| self.step(&m.value))
    }

    /// The element of an array.
    #[inline(never)]
    pub(crate) fn element(&self, index: usize) -> Option<Self> {
        let Kind::Array(elements) = &self.node.kind else { return None };
        elements.get(index).map(|node| self.step(node))
    }

    /// What a JSON Pointer leads to from here.
    #[inline(never)]
    pub(crate) fn at(&self, pointer: &str) -> Option<Self> {
        pointer.split('/').skip(1).try_fold(self.clone(), |place, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match place.node.kind {
                Kind::Array(_) => place.element(step.parse().ok()?),
                _ => place.member(&step),
            }
        })
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self.node.kind, Kind::Object(_))
    }

    /// Whether it is an array without elements.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.node.kind, Kind::Array(elements) if elements.is_empty())
    }

    /// The same place, as the top of a policy.
    pub(crate) fn as_policy(&self) -> Self {
        Self { policy: self.node, ..self.clone() }
    }

    /// Where the value stands in its policy, which is what rules are reported by.
    pub(crate) fn pointer_in_policy(&self) -> String {
        tree::pointer(self.policy, self.node)
    }
}

impl<'t> Fields<'t> {
    /// The field, if it is there.
    #[inline(never)]
    pub(crate) fn get(&self, name: &str) -> Option<Place<'t>> {
        self.place.member(name)
    }

    /// The field; notes it if it is not there.
    #[inline(never)]
    pub(crate) fn need(&self, check: &mut Check, name: &'static str) -> Option<Place<'t>> {
        let place = self.get(name);
        if place.is_none() {
            check.wrong(&self.place, ErrorKind::MissingField(name));
        }
        place
    }
}

impl Kind<'_> {
    /// The type with its article.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}
