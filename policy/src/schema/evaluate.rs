//! Arguments against a compiled schema.

use super::instance::{At, Children, Instance, Place, View};
use super::keyword::{Contains, If, Items, Keyword, Members, Types};
use super::multiple::is_multiple;
use super::pattern::Pattern;
use super::{Effort, Id, Mismatch, ROOT, Schema, words};
use crate::json::{Number, fold};

/// How many parts of the schema may be applied inside of each other. A body is at most 256 levels deep, and sixty-four by
/// default.
const MAX_DEPTH: usize = 256;

/// Steps for writing a number as a decimal.
const DECIMAL: usize = 40;

/// Bytes of text that are looked at in one step.
const BYTES: usize = 32;

/// Why the arguments do not match.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop<'s> {
    /// A keyword refuses what is there.
    Failed { at: At, keyword: &'s Keyword, detail: Detail<'s> },
    /// Nobody can say whether they do: refused, whatever `not` or `anyOf` stands around.
    GaveUp { at: At, why: Why<'s> },
}

/// Which part of a keyword refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail<'s> {
    /// There is only one.
    Whole,
    /// This member is missing.
    Missing(&'s str),
    /// There is too much of it.
    TooMany,
}

/// Why nobody can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why<'s> {
    /// A number that a double changes.
    Inexact,
    /// A member that some server takes for this one.
    Lookalike(&'s str),
    /// It would take too long.
    Effort,
    /// The patterns would look at too much text.
    PatternEffort,
    /// Too many parts of the schema inside of each other.
    Deep,
}

pub(super) type Result<'s, T = ()> = core::result::Result<T, Stop<'s>>;

/// Holds the instance against the schema.
pub(super) fn evaluate(schema: &Schema, instance: Instance<'_>, effort: &Effort) -> core::result::Result<(), Mismatch> {
    let evaluator = Evaluator { schema, instance: &instance, effort };
    evaluator.apply(ROOT, At::ROOT, &mut [], 0).map_err(|stop| words::mismatch(schema, &instance, stop))
}

pub(super) struct Evaluator<'s, 'i> {
    schema: &'s Schema,
    pub(super) instance: &'i Instance<'i>,
    effort: &'i Effort,
}

impl<'s> Evaluator<'s, '_> {
    /// Applies a part of the schema. Where it matches, the members or elements that it has looked at are added to `marks`,
    /// which is as long as they are many, or empty if nobody asks.
    fn apply(&self, id: Id, at: At, marks: &mut [bool], depth: usize) -> Result<'s> {
        let Some(depth) = depth.checked_add(1).filter(|depth| *depth <= MAX_DEPTH) else {
            return Err(Stop::GaveUp { at, why: Why::Deep });
        };
        // A part without keywords is not free either.
        self.pay(1, at)?;
        let mut own = self.marks(at)?;
        for keyword in self.schema.keywords(id) {
            self.pay(1, at)?;
            self.keyword(keyword, at, &mut own, depth)?;
        }
        for (mark, own) in marks.iter_mut().zip(own) {
            *mark |= own;
        }
        Ok(())
    }

    /// Room for a mark at each member or element, if the schema ever asks.
    fn marks(&self, at: At) -> Result<'s, Vec<bool>> {
        match self.instance.view(at) {
            View::Array(all) | View::Object(all) if self.schema.tracks => {
                self.pay(all.count() / BYTES, at)?;
                Ok(vec![false; all.count()])
            }
            _ => Ok(vec![]),
        }
    }

    fn keyword(&self, keyword: &'s Keyword, at: At, own: &mut [bool], depth: usize) -> Result<'s> {
        let view = self.instance.view(at);
        let require = |holds: bool| if holds { Ok(()) } else { failed(at, keyword, Detail::Whole) };
        match (keyword, view) {
            (Keyword::Never, _) => require(false),
            (Keyword::Type(types), _) => require(self.is_of(*types, at)?),
            (Keyword::Const(value), _) => require(self.equals(value, at)?),
            (Keyword::Enum(values), _) => {
                for value in values {
                    if self.equals(value, at)? {
                        return Ok(());
                    }
                }
                require(false)
            }
            (Keyword::Minimum(bound), View::Number(_, number)) => require(self.exact(number, at)? >= *bound),
            (Keyword::Maximum(bound), View::Number(_, number)) => require(self.exact(number, at)? <= *bound),
            (Keyword::ExclusiveMinimum(bound), View::Number(_, number)) => require(self.exact(number, at)? > *bound),
            (Keyword::ExclusiveMaximum(bound), View::Number(_, number)) => require(self.exact(number, at)? < *bound),
            (Keyword::MultipleOf(of), View::Number(_, number)) => {
                self.pay(DECIMAL, at)?;
                require(is_multiple(self.exact(number, at)?, *of))
            }
            (Keyword::MinLength(bound), View::String(text)) => require(self.length(text, at)? >= *bound),
            (Keyword::MaxLength(bound), View::String(text)) => require(self.length(text, at)? <= *bound),
            (Keyword::Pattern(pattern), View::String(text)) => {
                self.pay_pattern(pattern, text, at)?;
                require(pattern.is_match(text))
            }
            (Keyword::Format(format), View::String(text)) => {
                self.pay_text(text, at)?;
                require(format.holds(text))
            }
            (Keyword::MinItems(bound), View::Array(all)) | (Keyword::MinProperties(bound), View::Object(all)) => {
                require(count(all) >= *bound)
            }
            (Keyword::MaxItems(bound), View::Array(all)) | (Keyword::MaxProperties(bound), View::Object(all)) => {
                require(count(all) <= *bound)
            }
            (Keyword::UniqueItems, View::Array(all)) => require(self.are_unique(all, at)?),
            (Keyword::Required(names), View::Object(all)) => self.required(names, all, at, keyword),
            (Keyword::DependentRequired(groups), View::Object(all)) => {
                for (name, names) in groups {
                    self.pay(1, at)?;
                    if self.member(all, name, at)?.is_some() {
                        self.required(names, all, at, keyword)?;
                    }
                }
                Ok(())
            }
            (Keyword::Members(members), View::Object(all)) => self.members(members, all, at, keyword, own, depth),
            (Keyword::PropertyNames(id), View::Object(all)) => {
                self.instance.children(all).iter().try_for_each(|member| {
                    self.pay(1, at)?;
                    self.apply(*id, At::name(*member), &mut [], depth)
                })
            }
            (Keyword::Items(items), View::Array(all)) => self.items(items, all, at, keyword, own, depth),
            (Keyword::Contains(contains), View::Array(all)) => self.contains(contains, all, at, keyword, own, depth),
            (Keyword::Ref(id), _) => self.apply(*id, at, own, depth),
            (Keyword::AllOf(ids), _) => ids.iter().try_for_each(|id| self.apply(*id, at, own, depth)),
            (Keyword::AnyOf(ids), _) => self.any_of(ids, at, keyword, own, depth),
            (Keyword::OneOf(ids), _) => self.one_of(ids, at, keyword, own, depth),
            (Keyword::Not(id), _) => require(!self.matches(*id, at, &mut [], depth)?),
            (Keyword::If(If { test, then, otherwise }), _) => {
                let next = if self.matches(*test, at, own, depth)? { then } else { otherwise };
                next.map_or(Ok(()), |id| self.apply(id, at, own, depth))
            }
            (Keyword::DependentSchemas(all), View::Object(members)) => all.iter().try_for_each(|(name, id)| {
                self.pay(1, at)?;
                match self.member(members, name, at)? {
                    Some(_) => self.apply(*id, at, own, depth),
                    None => Ok(()),
                }
            }),
            (Keyword::UnevaluatedItems(id), View::Array(all))
            | (Keyword::UnevaluatedProperties(id), View::Object(all)) => {
                for (child, mark) in self.instance.children(all).iter().zip(own) {
                    self.pay(1, at)?;
                    if !*mark {
                        let is_closed = matches!(self.schema.keywords(*id), [Keyword::Never]);
                        require(!is_closed)?;
                        self.apply(*id, At::value(*child), &mut [], depth)?;
                        *mark = true;
                    }
                }
                Ok(())
            }
            // The other keywords say nothing of values of another type.
            _ => Ok(()),
        }
    }

    /// Whether a part of the schema matches, which it may or may not.
    fn matches(&self, id: Id, at: At, marks: &mut [bool], depth: usize) -> Result<'s, bool> {
        match self.apply(id, at, marks, depth) {
            Ok(()) => Ok(true),
            Err(Stop::Failed { .. }) => Ok(false),
            Err(gave_up) => Err(gave_up),
        }
    }

    /// The member of that name. Where there is none, but one that some server takes for it, nobody can say: it would be
    /// missing here, which `not` or `if` could turn into a match, and there it would not.
    fn member(&self, all: Children, name: &'s str, at: At) -> Result<'s, Option<Place>> {
        if let Some(found) = self.instance.member(all, name) {
            return Ok(Some(found));
        }
        let wanted = fold(name);
        for member in self.instance.children(all) {
            let other = self.instance.name(*member);
            self.pay(1, at)?;
            self.pay_text(other, at)?;
            if fold(other) == wanted {
                return Err(Stop::GaveUp { at, why: Why::Lookalike(name) });
            }
        }
        Ok(None)
    }

    fn required(&self, names: &'s [Box<str>], all: Children, at: At, keyword: &'s Keyword) -> Result<'s> {
        names.iter().try_for_each(|name| {
            self.pay(1, at)?;
            match self.member(all, name, at)? {
                Some(_) => Ok(()),
                None => failed(at, keyword, Detail::Missing(name)),
            }
        })
    }

    fn members(
        &self,
        members: &'s Members,
        all: Children,
        at: At,
        keyword: &'s Keyword,
        own: &mut [bool],
        depth: usize,
    ) -> Result<'s> {
        for (index, member) in self.instance.children(all).iter().enumerate() {
            let name = self.instance.name(*member);
            self.pay(1, at)?;
            let mut is_matched = false;
            if let Some(id) = named(&members.named, name) {
                is_matched = true;
                self.apply(id, At::value(*member), &mut [], depth)?;
            } else if !members.folded.is_empty() {
                self.pay_text(name, at)?;
                if let Ok(index) = members.folded.binary_search_by(|(folded, _)| (**folded).cmp(&fold(name))) {
                    let named = members.folded.get(index).map_or("", |(_, name)| name);
                    return Err(Stop::GaveUp { at, why: Why::Lookalike(named) });
                }
            }
            for (pattern, id) in &members.patterns {
                self.pay_pattern(pattern, name, at)?;
                if pattern.is_match(name) {
                    is_matched = true;
                    self.apply(*id, At::value(*member), &mut [], depth)?;
                }
            }
            match members.rest {
                _ if is_matched => {}
                Some(_) if members.closed => return failed(at, keyword, Detail::TooMany),
                Some(id) => self.apply(id, At::value(*member), &mut [], depth)?,
                None => continue,
            }
            mark(own, index);
        }
        Ok(())
    }

    fn items(
        &self,
        items: &'s Items,
        all: Children,
        at: At,
        keyword: &'s Keyword,
        own: &mut [bool],
        depth: usize,
    ) -> Result<'s> {
        for (index, element) in self.instance.children(all).iter().enumerate() {
            let Some(id) = items.first.get(index).copied().or(items.rest) else { break };
            if index >= items.first.len() && items.closed.is_some() {
                return failed(at, keyword, Detail::TooMany);
            }
            self.pay(1, at)?;
            self.apply(id, At::value(*element), &mut [], depth)?;
            mark(own, index);
        }
        Ok(())
    }

    fn contains(
        &self,
        contains: &'s Contains,
        all: Children,
        at: At,
        keyword: &'s Keyword,
        own: &mut [bool],
        depth: usize,
    ) -> Result<'s> {
        let mut found: u64 = 0;
        for (index, element) in self.instance.children(all).iter().enumerate() {
            self.pay(1, at)?;
            if self.matches(contains.schema, At::value(*element), &mut [], depth)? {
                found = found.saturating_add(1);
                if contains.marks {
                    mark(own, index);
                }
            }
        }
        if found < contains.least {
            return failed(at, keyword, Detail::Whole);
        }
        if contains.most.is_some_and(|most| found > most) {
            return failed(at, keyword, Detail::TooMany);
        }
        Ok(())
    }

    fn any_of(&self, ids: &'s [Id], at: At, keyword: &'s Keyword, own: &mut [bool], depth: usize) -> Result<'s> {
        let mut is_matched = false;
        let mut nearest = None;
        let mut near: usize = 0;
        for id in ids {
            match self.apply(*id, at, own, depth) {
                Ok(()) => {
                    is_matched = true;
                    if !self.schema.tracks {
                        break;
                    }
                }
                Err(stop @ Stop::Failed { at: place, keyword, .. }) => {
                    if place != at || !matches!(keyword, Keyword::Type(_) | Keyword::Never | Keyword::Const(_)) {
                        nearest = Some(stop);
                        near = near.saturating_add(1);
                    }
                }
                Err(gave_up) => return Err(gave_up),
            }
        }
        match nearest {
            _ if is_matched => Ok(()),
            // All others are of another type: this one tells more.
            Some(stop) if near == 1 => Err(stop),
            _ => failed(at, keyword, Detail::Whole),
        }
    }

    fn one_of(&self, ids: &'s [Id], at: At, keyword: &'s Keyword, own: &mut [bool], depth: usize) -> Result<'s> {
        let mut found = false;
        for id in ids {
            if self.matches(*id, at, own, depth)? {
                if found {
                    return failed(at, keyword, Detail::TooMany);
                }
                found = true;
            }
        }
        if found { Ok(()) } else { failed(at, keyword, Detail::Whole) }
    }

    fn is_of(&self, types: Types, at: At) -> Result<'s, bool> {
        Ok(match self.instance.view(at) {
            View::Null => types.has(Types::NULL),
            View::Bool(_) => types.has(Types::BOOLEAN),
            View::String(_) => types.has(Types::STRING),
            View::Array(_) => types.has(Types::ARRAY),
            View::Object(_) => types.has(Types::OBJECT),
            View::Number(_, number) if types.has(Types::NUMBER) => self.exact(number, at).map(|_| true)?,
            View::Number(_, number) if types.has(Types::INTEGER) => self.exact(number, at)?.fract() == 0.0,
            View::Number(..) => false,
        })
    }

    fn length(&self, text: &str, at: At) -> Result<'s, u64> {
        self.pay_text(text, at)?;
        Ok(u64::try_from(text.chars().count()).unwrap_or(u64::MAX))
    }

    /// A number that servers read as the same one.
    pub(super) fn exact(&self, number: Number<'_>, at: At) -> Result<'s, f64> {
        if !number.is_short() {
            self.pay(DECIMAL.saturating_add(number.as_str().len() / BYTES), at)?;
        }
        number.to_exact_f64().ok_or(Stop::GaveUp { at, why: Why::Inexact })
    }

    pub(super) fn pay(&self, steps: usize, at: At) -> Result<'s> {
        if self.effort.affords(steps) { Ok(()) } else { Err(Stop::GaveUp { at, why: Why::Effort }) }
    }

    pub(super) fn pay_text(&self, text: &str, at: At) -> Result<'s> {
        self.pay((text.len() / BYTES).saturating_add(1), at)
    }

    fn pay_pattern(&self, pattern: &Pattern, text: &str, at: At) -> Result<'s> {
        if self.effort.affords_pattern(pattern.weight(), text.len()) {
            Ok(())
        } else {
            Err(Stop::GaveUp { at, why: Why::PatternEffort })
        }
    }
}

fn failed<'s>(at: At, keyword: &'s Keyword, detail: Detail<'s>) -> Result<'s> {
    Err(Stop::Failed { at, keyword, detail })
}

fn named(sorted: &[(Box<str>, Id)], name: &str) -> Option<Id> {
    let index = sorted.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
    sorted.get(index).map(|(_, id)| *id)
}

pub(super) fn count(children: Children) -> u64 {
    u64::try_from(children.count()).unwrap_or(u64::MAX)
}

fn mark(own: &mut [bool], index: usize) {
    if let Some(mark) = own.get_mut(index) {
        *mark = true;
    }
}
