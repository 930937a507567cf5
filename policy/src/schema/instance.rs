//! Arguments as a flat table: read once, in place, so that looking at a part again costs no scan of it.

use std::borrow::Cow;

use super::{Effort, Mismatch};
use crate::json::{Number, Raw, Reader, SyntaxError, Value};
use crate::message::Arguments;
use crate::sort::sort_places;

/// The most values that are held against a schema: of 72 bytes each.
pub const MAX_VALUES: usize = 1 << 16;

/// A value by its place in the table.
pub(super) type Place = usize;

/// What a schema looks at: a value, or the name of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    pub(super) place: Place,
    pub(super) is_name: bool,
}

/// A value, as a schema sees it.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'i> {
    Null,
    Bool(bool),
    /// As the nearest double, and as it is written.
    Number(f64, Number<'i>),
    String(&'i str),
    Array(Children),
    /// Sorted by name.
    Object(Children),
}

/// The table. The arguments themselves are its first entry.
#[derive(Debug)]
pub(super) struct Instance<'a> {
    entries: Vec<Entry<'a>>,
    /// The elements and members of all arrays and objects, those of each together.
    children: Vec<Place>,
    /// How many values can be paid for.
    room: usize,
    /// What sorting members has cost, in values.
    sorting: usize,
}

#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) parent: Place,
    pub(super) step: Step<'a>,
    item: Item<'a>,
}

/// How a value is reached from its parent.
#[derive(Debug)]
pub(super) enum Step<'a> {
    Root,
    Key(Cow<'a, str>),
    Index(usize),
}

#[derive(Debug)]
enum Item<'a> {
    Null,
    Bool(bool),
    /// As the nearest double, and as it is written.
    Number(f64, Number<'a>),
    String(Cow<'a, str>),
    Array(Children),
    Object(Children),
}

/// Which entries of `Instance::children`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Children {
    first: usize,
    count: usize,
}

impl<'a> Instance<'a> {
    /// Reads one value.
    pub(super) fn of_value(value: Value<'a>, effort: &Effort) -> Result<Self, Mismatch> {
        let mut instance = Self::new(effort);
        instance.add(0, Step::Root, value).map_err(|TooMany| too_many())?;
        instance.paid(effort)
    }

    /// Reads the arguments of a call.
    pub(super) fn of_arguments(arguments: &Arguments<'a>, effort: &Effort) -> Result<Self, Mismatch> {
        let nothing = Children { first: 0, count: 0 };
        let root = Entry { parent: 0, step: Step::Root, item: Item::Object(nothing) };
        let mut instance = Self::new(effort);
        instance.entries.push(root);
        let mut members = Vec::with_capacity(arguments.members().len().min(MAX_VALUES));
        for (key, value) in arguments.members() {
            let key = Step::Key(Cow::Owned(key.as_str().into_owned()));
            members.push(instance.add(0, key, *value).map_err(|TooMany| too_many())?);
        }
        let all = instance.keep_sorted(members).map_err(|TooMany| too_many())?;
        if let Some(root) = instance.entries.first_mut() {
            root.item = Item::Object(all);
        }
        instance.paid(effort)
    }

    /// An empty table, of at most as many values as can be paid for.
    fn new(effort: &Effort) -> Self {
        Self { entries: Vec::new(), children: Vec::new(), room: effort.steps_left(), sorting: 0 }
    }

    fn paid(self, effort: &Effort) -> Result<Self, Mismatch> {
        if effort.affords(self.cost()) { Ok(self) } else { Err(too_many()) }
    }

    pub(super) fn entry(&self, place: Place) -> Option<&Entry<'a>> {
        self.entries.get(place)
    }

    /// What is there.
    pub(super) fn view(&self, at: At) -> View<'_> {
        // INVARIANT: places come from this table.
        match self.entries.get(at.place) {
            Some(Entry { step: Step::Key(name), .. }) if at.is_name => View::String(name),
            Some(entry) => match &entry.item {
                Item::Null => View::Null,
                Item::Bool(value) => View::Bool(*value),
                Item::Number(value, number) => View::Number(*value, *number),
                Item::String(text) => View::String(text),
                Item::Array(elements) => View::Array(*elements),
                Item::Object(members) => View::Object(*members),
            },
            None => View::Null,
        }
    }

    /// The elements of an array in their order, or the members of an object by name.
    pub(super) fn children(&self, children: Children) -> &[Place] {
        let end = children.first.saturating_add(children.count);
        self.children.get(children.first..end).unwrap_or_default()
    }

    /// The name of a member; empty for everything else.
    pub(super) fn name(&self, place: Place) -> &str {
        match self.entries.get(place).map(|entry| &entry.step) {
            Some(Step::Key(name)) => name,
            _ => "",
        }
    }

    /// The member of an object.
    pub(super) fn member(&self, members: Children, name: &str) -> Option<Place> {
        let members = self.children(members);
        let index = members.binary_search_by(|member| self.name(*member).cmp(name)).ok()?;
        members.get(index).copied()
    }

    /// Adds a value and all that is in it.
    fn add(&mut self, parent: Place, step: Step<'a>, value: Value<'a>) -> Result<Place, TooMany> {
        match value {
            Value::Null => self.push(parent, step, Item::Null),
            Value::Bool(value) => self.push(parent, step, Item::Bool(value)),
            Value::Number(number) => self.push(parent, step, Item::Number(number.to_f64(), number)),
            Value::String(text) => self.push(parent, step, Item::String(text.decode())),
            Value::Array(raw) | Value::Object(raw) => self.container(parent, step, raw),
        }
    }

    fn container(&mut self, parent: Place, step: Step<'a>, raw: Raw<'a>) -> Result<Place, TooMany> {
        self.read(&mut raw.reader(), parent, step).map_err(|_| TooMany)
    }

    /// Reads the next value. Nothing is read twice, however deep it is.
    fn read(&mut self, reader: &mut Reader<'a>, parent: Place, step: Step<'a>) -> Result<Place, Broken> {
        match reader.peek() {
            Some(b'{') => {
                let place = self.push(parent, step, Item::Null)?;
                let mut members = Vec::new();
                reader.object::<Broken>(|reader, key| {
                    let key = Step::Key(Cow::Owned(key.as_str().into_owned()));
                    members.push(self.read(reader, place, key)?);
                    Ok(())
                })?;
                let all = self.keep_sorted(members)?;
                self.set(place, Item::Object(all));
                Ok(place)
            }
            Some(b'[') => {
                let place = self.push(parent, step, Item::Null)?;
                let mut elements = Vec::new();
                reader.array::<Broken>(|reader| {
                    elements.push(self.read(reader, place, Step::Index(elements.len()))?);
                    Ok(())
                })?;
                let all = self.keep(elements);
                self.set(place, Item::Array(all));
                Ok(place)
            }
            _ => {
                let value = reader.value()?;
                Ok(self.add(parent, step, value)?)
            }
        }
    }

    fn push(&mut self, parent: Place, step: Step<'a>, item: Item<'a>) -> Result<Place, TooMany> {
        if self.entries.len() >= MAX_VALUES || self.cost() >= self.room {
            return Err(TooMany);
        }
        self.entries.push(Entry { parent, step, item });
        Ok(self.entries.len().saturating_sub(1))
    }

    fn set(&mut self, place: Place, item: Item<'a>) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.item = item;
        }
    }

    fn keep(&mut self, places: Vec<Place>) -> Children {
        let children = Children { first: self.children.len(), count: places.len() };
        self.children.extend(places);
        children
    }

    fn cost(&self) -> usize {
        self.entries.len().saturating_add(self.sorting)
    }

    fn keep_sorted(&mut self, mut members: Vec<Place>) -> Result<Children, TooMany> {
        // Each takes part in a comparison for each time that their number can be halved.
        let halvings = usize::try_from(members.len().checked_ilog2().unwrap_or_default()).unwrap_or(64);
        self.sorting = self.sorting.saturating_add(members.len().saturating_mul(halvings));
        if self.cost() > self.room {
            return Err(TooMany);
        }
        sort_places(&mut members, &|one, other| self.name(one).cmp(self.name(other)));
        Ok(self.keep(members))
    }
}

impl At {
    pub(super) const ROOT: Self = Self::value(0);

    pub(super) const fn value(place: Place) -> Self {
        Self { place, is_name: false }
    }

    pub(super) const fn name(place: Place) -> Self {
        Self { place, is_name: true }
    }
}

impl Children {
    pub(super) fn count(self) -> usize {
        self.count
    }
}

/// The arguments have more values than anybody should have to look at.
#[derive(Debug)]
struct TooMany;

/// Why reading ends. A syntax error cannot be: the message has been read before.
#[derive(Debug)]
struct Broken;

impl From<SyntaxError> for Broken {
    fn from(_: SyntaxError) -> Self {
        Self
    }
}

impl From<TooMany> for Broken {
    fn from(_: TooMany) -> Self {
        Self
    }
}

fn too_many() -> Mismatch {
    Mismatch::given_up("args".to_owned(), "more values than are held against a schema".to_owned())
}
