//! From the text of a schema to what is applied.

use super::draft::{self, Draft};
use super::format::Format;
use super::json::Json;
use super::keyword::{Contains, If, Items, Keyword, Members, Node, Types};
use super::references::{self, Anchors, Reference};
use super::sorted::Sorted;
use super::{Id, ROOT, Schema, Strictness};
use crate::document::ErrorKind;
use crate::document::fields::{Check, MAX_WHOLE, Place};
use crate::document::nearest;
use crate::document::tree::Kind;
use crate::json::fold;

/// The most parts of one schema.
const MAX_NODES: usize = 1 << 14;

/// Compiles a schema. None only if something was noted.
pub(super) fn compile(check: &mut Check, place: &Place<'_>, strictness: Strictness) -> Option<Schema> {
    let before = check.count();
    let draft = match place.member("$schema") {
        Some(place) => {
            let named = Draft::named(check.text(&place)?);
            let wanted = "only JSON Schema drafts 2020-12, 2019-09, 07 and 06 are known";
            check.note(&place, named.ok_or(ErrorKind::Misplaced(wanted)))?
        }
        None => Draft::D2020,
    };
    let base = place.member("$id").and_then(|place| check.text(&place));
    let mut compiler = Compiler {
        check,
        draft,
        strictness,
        nodes: Vec::new(),
        known: Vec::new(),
        references: Vec::new(),
        anchors: Anchors::default(),
        tracks: false,
    };
    compiler.schema(place);
    // Resolving can find parts that no keyword leads to, with references of their own.
    let mut next: usize = 0;
    while let Some(reference) = compiler.references.get(next).cloned() {
        next = next.saturating_add(1);
        let found = references::resolve(place, base, &compiler.anchors, reference.text);
        let target = compiler.check.note(&reference.place, found.map_err(ErrorKind::Misplaced));
        let id = target.and_then(|target| compiler.schema(&target));
        if let (Some(id), Some(node)) = (id, compiler.nodes.get_mut(reference.from.0)) {
            node.keywords.insert(reference.position.min(node.keywords.len()), Keyword::Ref(id));
        }
    }
    let Compiler { nodes, tracks, check, .. } = compiler;
    let schema = Schema { nodes, tracks };
    if check.count() == before && references::runs_in_circles(&schema) {
        let why = "a reference leads back to where it stands without going into the arguments";
        check.wrong(place, ErrorKind::Misplaced(why));
    }
    (check.count() == before).then_some(schema)
}

/// A keyword's name, and the keyword for its value.
type Spelled<T> = (&'static str, fn(T) -> Keyword);

struct Compiler<'c, 't> {
    check: &'c mut Check,
    draft: Draft,
    strictness: Strictness,
    nodes: Vec<Node>,
    /// Parts that have been compiled, sorted by where they stand in the text.
    known: Vec<(usize, Id)>,
    references: Vec<Reference<'t>>,
    anchors: Anchors<'t>,
    tracks: bool,
}

impl<'t> Compiler<'_, 't> {
    /// Compiles a part, if it has not been.
    #[inline(never)]
    fn schema(&mut self, place: &Place<'t>) -> Option<Id> {
        let known = self.known.partition_point(|(offset, _)| *offset < place.node.offset);
        if let Some((_, id)) = self.known.get(known).filter(|(offset, _)| *offset == place.node.offset) {
            return Some(*id);
        }
        if self.nodes.len() >= MAX_NODES {
            self.check.wrong(place, ErrorKind::Misplaced("the schema has more than 16384 parts"));
            return None;
        }
        let id = Id(self.nodes.len());
        self.nodes.push(Node::default());
        self.known.insert(known, (place.node.offset, id));
        let keywords = match &place.node.kind {
            Kind::Bool(true) => vec![],
            Kind::Bool(false) => vec![Keyword::Never],
            Kind::Object(_) => self.object(place, id)?,
            _ => return self.check.mistyped(place, "a schema: an object, true or false"),
        };
        if let Some(node) = self.nodes.get_mut(id.0) {
            node.keywords = keywords;
        }
        Some(id)
    }

    #[inline(never)]
    fn object(&mut self, place: &Place<'t>, id: Id) -> Option<Vec<Keyword>> {
        self.names(place)?;
        self.places(place, id)?;
        let mut keywords = Vec::new();
        let stands_alone = self.draft.ref_stands_alone() && place.member("$ref").is_some();
        self.definitions(place);
        if stands_alone {
            if self.strictness == Strictness::Written {
                self.alone(place);
            }
        } else {
            self.value(place, &mut keywords);
            self.numbers_and_texts(place, &mut keywords);
            self.objects(place, &mut keywords);
            self.arrays(place, &mut keywords);
        }
        for name in ["$ref", "$dynamicRef", "$recursiveRef"] {
            if let Some(place) = self.get(place, name)
                && let Some(text) = self.check.text(&place)
            {
                self.references.push(Reference { from: id, position: keywords.len(), text, place });
            }
        }
        if !stands_alone {
            self.combinations(place, &mut keywords);
            self.unevaluated(place, &mut keywords);
        }
        Some(keywords)
    }

    /// The keyword, if the draft has it.
    #[inline(never)]
    fn get(&self, place: &Place<'t>, name: &str) -> Option<Place<'t>> {
        self.draft.has(name).then(|| place.member(name)).flatten()
    }

    /// Notes keywords that do nothing.
    #[inline(never)]
    fn names(&mut self, place: &Place<'t>) -> Option<()> {
        let members = self.check.members(place)?;
        if self.strictness == Strictness::Pinned {
            return Some(());
        }
        for (offset, key, member) in members {
            if self.draft.has(key) || draft::is_annotation(key) || key.starts_with("x-") {
                continue;
            }
            let elsewhere = draft::KNOWN.contains(&key);
            let kind = match nearest(key, draft::KNOWN.iter().copied()) {
                Some(nearest) if !elsewhere => {
                    ErrorKind::UnknownField { field: key.into(), nearest: Some(nearest.into()), known: &[] }
                }
                _ if elsewhere => ErrorKind::Misplaced("this keyword does nothing in the schema's draft"),
                _ => ErrorKind::Misplaced("this is no keyword of JSON Schema; names of your own begin with `x-`"),
            };
            self.check.wrong_at(offset, member.pointer(), kind);
        }
        let pairs = [("then", "if"), ("else", "if"), ("minContains", "contains"), ("maxContains", "contains")];
        for (one, other) in pairs {
            if let (Some(one), None) = (self.get(place, one), self.get(place, other)) {
                self.check.wrong(&one, ErrorKind::Misplaced("this does nothing without its `if` or `contains`"));
            }
        }
        Some(())
    }

    /// Notes keywords beside a `$ref` that stands alone.
    #[inline(never)]
    fn alone(&mut self, place: &Place<'t>) {
        for (offset, key, member) in self.check.members(place).unwrap_or_default() {
            if !draft::is_annotation(key) && !matches!(key, "$ref" | "definitions" | "$schema" | "$id") {
                let why = "drafts 07 and 06 ignore what stands beside `$ref`";
                self.check.wrong_at(offset, member.pointer(), ErrorKind::Misplaced(why));
            }
        }
    }

    /// Reads what references can point to by name, and refuses bases.
    #[inline(never)]
    fn places(&mut self, place: &Place<'t>, id: Id) -> Option<()> {
        if let Some(inner) = place.member("$id").filter(|_| id != ROOT) {
            match self.check.text(&inner)?.strip_prefix('#') {
                Some(anchor) if self.draft <= Draft::D07 => self.anchor(&inner, anchor, place),
                _ => {
                    let why = "a schema with a base of its own inside of another is not supported";
                    self.check.wrong(&inner, ErrorKind::Misplaced(why));
                }
            }
        }
        if let Some(inner) = place.member("$schema").filter(|_| id != ROOT)
            && Draft::named(self.check.text(&inner)?) != Some(self.draft)
        {
            self.check.wrong(&inner, ErrorKind::Misplaced("a part of a schema cannot have a draft of its own"));
        }
        for name in ["$anchor", "$dynamicAnchor"] {
            if let Some(inner) = self.get(place, name) {
                let anchor = self.check.text(&inner)?;
                self.anchor(&inner, anchor, place);
            }
        }
        Some(())
    }

    fn anchor(&mut self, inner: &Place<'t>, anchor: &'t str, place: &Place<'t>) {
        if !self.anchors.add(anchor, place) {
            self.check.wrong(inner, ErrorKind::Misplaced("another part of the schema has this name"));
        }
    }

    #[inline(never)]
    fn definitions(&mut self, place: &Place<'t>) {
        for name in ["$defs", "definitions"] {
            if let Some(place) = self.get(place, name) {
                for (_, _, place) in self.check.members(&place).unwrap_or_default() {
                    self.schema(&place);
                }
            }
        }
    }

    /// Keywords for values of every type.
    #[inline(never)]
    fn value(&mut self, place: &Place<'t>, keywords: &mut Vec<Keyword>) {
        if let Some(place) = self.get(place, "type") {
            keywords.extend(self.types(&place).map(Keyword::Type));
        }
        if let Some(place) = self.get(place, "const") {
            keywords.extend(Json::read(self.check, &place).map(Keyword::Const));
        }
        if let Some(place) = self.get(place, "enum")
            && let Some(elements) = self.check.elements(&place)
        {
            if elements.is_empty() && self.strictness == Strictness::Written {
                self.check.wrong(&place, ErrorKind::Misplaced("at least one value is wanted"));
            }
            let values = elements.iter().map(|place| Json::read(self.check, place)).collect::<Option<_>>();
            keywords.extend(values.map(Keyword::Enum));
        }
    }

    #[inline(never)]
    fn types(&mut self, place: &Place<'t>) -> Option<Types> {
        let places = match place.node.kind {
            Kind::Array(_) => self.check.elements(place)?,
            _ => vec![place.clone()],
        };
        let words = Types::ALL.map(|(name, _, of)| (name, of));
        let mut types = Types::default();
        for place in &places {
            types = types.and(self.check.word(place, &words)?);
        }
        if places.is_empty() {
            self.check.wrong(place, ErrorKind::Misplaced("at least one type is wanted"));
        }
        Some(types)
    }

    #[inline(never)]
    fn numbers_and_texts(&mut self, place: &Place<'t>, keywords: &mut Vec<Keyword>) {
        let numbers: [Spelled<f64>; 4] = [
            ("minimum", Keyword::Minimum),
            ("maximum", Keyword::Maximum),
            ("exclusiveMinimum", Keyword::ExclusiveMinimum),
            ("exclusiveMaximum", Keyword::ExclusiveMaximum),
        ];
        for (name, keyword) in numbers {
            if let Some(place) = self.get(place, name) {
                keywords.extend(self.check.number(&place).map(keyword));
            }
        }
        if let Some(place) = self.get(place, "multipleOf")
            && let Some(of) = self.check.number(&place)
        {
            if of <= 0.0 {
                self.check.wrong(&place, ErrorKind::Misplaced("a number above 0 is wanted"));
            }
            keywords.push(Keyword::MultipleOf(of));
        }
        let bounds: [Spelled<u64>; 6] = [
            ("minLength", Keyword::MinLength),
            ("maxLength", Keyword::MaxLength),
            ("minItems", Keyword::MinItems),
            ("maxItems", Keyword::MaxItems),
            ("minProperties", Keyword::MinProperties),
            ("maxProperties", Keyword::MaxProperties),
        ];
        for (name, keyword) in bounds {
            if let Some(place) = self.get(place, name) {
                keywords.extend(self.check.whole(&place, 0, MAX_WHOLE).map(keyword));
            }
        }
        if let Some(place) = self.get(place, "pattern")
            && let Some(text) = self.check.text(&place)
        {
            let pattern = self.check.pattern(text);
            keywords.extend(self.check.note(&place, pattern).map(Keyword::Pattern));
        }
        if let Some(place) = self.get(place, "format")
            && let Some(text) = self.check.text(&place)
        {
            match Format::named(text) {
                Some(format) => keywords.push(Keyword::Format(format)),
                None if self.strictness == Strictness::Written => {
                    self.check.unknown_word(&place, text, Format::names());
                }
                None => {}
            }
        }
    }

    #[inline(never)]
    fn objects(&mut self, place: &Place<'t>, keywords: &mut Vec<Keyword>) {
        if let Some(place) = self.get(place, "required")
            && let Some(names) = self.texts(&place)
        {
            keywords.push(Keyword::Required(names));
        }
        let mut required = Vec::new();
        if let Some(place) = self.get(place, "dependentRequired") {
            for (_, name, place) in self.check.members(&place).unwrap_or_default() {
                required.extend(self.texts(&place).map(|names| (name.into(), names)));
            }
        }
        let mut schemas = Vec::new();
        if let Some(place) = self.get(place, "dependentSchemas") {
            schemas = self.named(&place);
        }
        if let Some(place) = self.get(place, "dependencies") {
            for (_, name, place) in self.check.members(&place).unwrap_or_default() {
                match place.node.kind {
                    Kind::Array(_) => required.extend(self.texts(&place).map(|names| (name.into(), names))),
                    _ => schemas.extend(self.schema(&place).map(|id| (name.into(), id))),
                }
            }
        }
        if !required.is_empty() {
            keywords.push(Keyword::DependentRequired(required));
        }
        self.members(place, keywords);
        if let Some(place) = self.get(place, "propertyNames") {
            keywords.extend(self.schema(&place).map(Keyword::PropertyNames));
        }
        if !schemas.is_empty() {
            keywords.push(Keyword::DependentSchemas(schemas));
        }
    }

    #[inline(never)]
    fn members(&mut self, place: &Place<'t>, keywords: &mut Vec<Keyword>) {
        let mut members = Members::default();
        if let Some(place) = self.get(place, "properties") {
            let (mut named, mut folded) = (Sorted::default(), Sorted::default());
            for (_, name, place) in self.check.members(&place).unwrap_or_default() {
                if let Some(id) = self.schema(&place) {
                    named.insert(self.check, &place, name, id);
                    folded.insert(self.check, &place, &fold(name), Box::from(name));
                }
            }
            (members.named, members.folded) = (named.0, folded.0);
        }
        if let Some(place) = self.get(place, "patternProperties") {
            for (offset, source, place) in self.check.members(&place).unwrap_or_default() {
                let pattern = self.check.pattern(source);
                let id = self.schema(&place);
                match (pattern, id) {
                    (Ok(pattern), Some(id)) => members.patterns.push((pattern, id)),
                    (Err(why), _) => self.check.wrong_at(offset, place.pointer(), why),
                    _ => {}
                }
            }
        }
        if let Some(place) = self.get(place, "additionalProperties") {
            members.closed = matches!(place.node.kind, Kind::Bool(false));
            members.rest = self.schema(&place);
        }
        if !members.named.is_empty() || !members.patterns.is_empty() || members.rest.is_some() {
            keywords.push(Keyword::Members(members));
        }
    }

    #[inline(never)]
    fn arrays(&mut self, place: &Place<'t>, keywords: &mut Vec<Keyword>) {
        let is_false = |place: &Option<Place<'t>>, name| {
            place.as_ref().filter(|place| matches!(place.node.kind, Kind::Bool(false))).map(|_| name)
        };
        let items = self.get(place, "items");
        let old_form =
            self.draft <= Draft::D2019 && items.as_ref().is_some_and(|p| matches!(p.node.kind, Kind::Array(_)));
        let (first, rest, name) = if old_form {
            (items, self.get(place, "additionalItems"), "additionalItems")
        } else {
            (self.get(place, "prefixItems"), items, "items")
        };
        let closed = is_false(&rest, name);
        let first = first.map(|place| self.list(&place)).unwrap_or_default();
        let rest = rest.and_then(|place| self.schema(&place));
        if !first.is_empty() || rest.is_some() {
            keywords.push(Keyword::Items(Items { first, rest, closed }));
        }
        if let Some(contains) = self.get(place, "contains") {
            let schema = self.schema(&contains);
            let bound = |compiler: &mut Self, name| {
                let place = compiler.get(place, name)?;
                compiler.check.whole(&place, 0, MAX_WHOLE)
            };
            let least = bound(self, "minContains").unwrap_or(1);
            let most = bound(self, "maxContains");
            let marks = self.draft == Draft::D2020;
            keywords.extend(schema.map(|schema| Keyword::Contains(Contains { schema, least, most, marks })));
        }
        if let Some(place) = self.get(place, "uniqueItems")
            && self.check.flag(&place) == Some(true)
        {
            keywords.push(Keyword::UniqueItems);
        }
    }

    #[inline(never)]
    fn combinations(&mut self, place: &Place<'t>, keywords: &mut Vec<Keyword>) {
        let lists: [Spelled<Vec<Id>>; 3] =
            [("allOf", Keyword::AllOf), ("anyOf", Keyword::AnyOf), ("oneOf", Keyword::OneOf)];
        for (name, keyword) in lists {
            if let Some(place) = self.get(place, name) {
                if matches!(&place.node.kind, Kind::Array(all) if all.is_empty()) {
                    self.check.wrong(&place, ErrorKind::Misplaced("at least one schema is wanted"));
                }
                keywords.push(keyword(self.list(&place)));
            }
        }
        if let Some(place) = self.get(place, "not") {
            keywords.extend(self.schema(&place).map(Keyword::Not));
        }
        let [test, then, otherwise] =
            ["if", "then", "else"].map(|name| self.get(place, name).and_then(|place| self.schema(&place)));
        if let Some(test) = test {
            keywords.push(Keyword::If(If { test, then, otherwise }));
        }
    }

    #[inline(never)]
    fn unevaluated(&mut self, place: &Place<'t>, keywords: &mut Vec<Keyword>) {
        let both: [Spelled<Id>; 2] = [
            ("unevaluatedItems", Keyword::UnevaluatedItems),
            ("unevaluatedProperties", Keyword::UnevaluatedProperties),
        ];
        for (name, keyword) in both {
            if let Some(place) = self.get(place, name) {
                self.tracks = true;
                keywords.extend(self.schema(&place).map(keyword));
            }
        }
    }

    #[inline(never)]
    fn list(&mut self, place: &Place<'t>) -> Vec<Id> {
        let elements = self.check.elements(place).unwrap_or_default();
        elements.iter().filter_map(|place| self.schema(place)).collect()
    }

    #[inline(never)]
    fn named(&mut self, place: &Place<'t>) -> Vec<(Box<str>, Id)> {
        let members = self.check.members(place).unwrap_or_default();
        members.into_iter().filter_map(|(_, name, place)| Some((name.into(), self.schema(&place)?))).collect()
    }

    #[inline(never)]
    fn texts(&mut self, place: &Place<'t>) -> Option<Vec<Box<str>>> {
        let elements = self.check.elements(place)?;
        elements.iter().map(|place| self.check.text(place).map(Into::into)).collect()
    }
}
