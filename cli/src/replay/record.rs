//! A record as it is read.

use std::collections::BTreeMap;

use policy::{
    audit::Mark,
    document::path::{Path, Step},
    json::{Reader, SyntaxError, Value},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// One judged body.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    /// When its headers came, as it is written, and in ms since 1970.
    pub(super) time: String,
    pub(super) wall_ms: u64,
    /// Microseconds of the clock that sliding windows go by; 0 if it could not be read.
    pub(super) clock_us: u64,
    /// The policies that judged it, by name.
    pub(super) policies: Vec<String>,
    pub(super) grant: String,
    pub(super) session: Option<String>,
    pub(super) client_ip: Option<String>,
    pub(super) calls: Vec<Call>,
    /// How many further calls were left out.
    pub(super) more: u64,
}

/// One message of the body.
#[derive(Debug, Clone, Default)]
pub(super) struct Call {
    pub(super) method: String,
    /// A tool or prompt, a resource, a template, or several resources.
    pub(super) name: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) template: Option<String>,
    pub(super) uris: Option<Vec<String>>,
    /// Which of these, or whether the method, was not recorded.
    pub(super) withheld: Option<String>,
    /// What became of it, and by whom.
    pub(super) outcome: String,
    pub(super) policy: String,
    pub(super) rule: Option<String>,
    /// What was recorded of each path.
    pub(super) values: Vec<(Path, Recorded)>,
}

/// What was recorded of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded(pub(super) Vec<End>);

/// One end of a path: a value as JSON, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Value(Vec<u8>),
    None(Mark),
}

/// Why a line holds no record that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage(pub(super) String);

impl From<SyntaxError> for Damage {
    fn from(error: SyntaxError) -> Self {
        Self(error.to_string())
    }
}

fn damage<T>(why: &str) -> Result<T, Damage> {
    Err(Damage(why.to_owned()))
}

/// What stands under `values` and `marks`, until both are known.
#[derive(Default)]
struct Written {
    values: BTreeMap<String, Vec<u8>>,
    marks: BTreeMap<String, Marked>,
}

enum Marked {
    Whole(Mark),
    Some(BTreeMap<usize, Mark>),
}

impl Record {
    /// Reads a record of this version.
    ///
    /// # Errors
    /// If it is not one.
    pub(super) fn read(json: &[u8]) -> Result<Self, Damage> {
        let mut record = Self::default();
        let mut version = None;
        let mut reader = Reader::new(json, 300)?;
        reader.object::<Damage>(|reader, key| {
            match &*key.as_str() {
                "v" => version = Some(number(reader.value()?)?),
                "time" => record.time = text(reader.value()?)?,
                "clock_us" => record.clock_us = number(reader.value()?)?,
                "policies" => record.policies = texts(reader)?,
                "grant" => record.grant = text(reader.value()?)?,
                "session" => record.session = Some(text(reader.value()?)?),
                "client_ip" => record.client_ip = Some(text(reader.value()?)?),
                "calls" => reader.array::<Damage>(|reader| {
                    record.calls.push(Call::read(reader)?);
                    Ok(())
                })?,
                "more" => record.more = number(reader.value()?)?,
                // `observed` and `refused` change nothing here; what a later version adds, this one does not know.
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        reader.end()?;
        match version {
            Some(version) if version == u64::from(policy::audit::VERSION) => {}
            _ => return damage("a record of another version"),
        }
        let Ok(time) = OffsetDateTime::parse(&record.time, &Rfc3339) else { return damage("`time` is not a time") };
        match u64::try_from(time.unix_timestamp_nanos() / 1_000_000) {
            Ok(ms) => record.wall_ms = ms,
            Err(_) => return damage("`time` is before 1970"),
        }
        if record.grant.is_empty() {
            return damage("`grant` is missing");
        }
        Ok(record)
    }
}

impl Call {
    /// Whether it passed, or would have.
    pub(super) fn passed(&self) -> bool {
        self.outcome == "allowed"
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Damage> {
        let mut call = Self::default();
        let mut written = Written::default();
        reader.object::<Damage>(|reader, key| {
            match &*key.as_str() {
                "method" => call.method = text(reader.value()?)?,
                "name" => call.name = Some(text(reader.value()?)?),
                "uri" => call.uri = Some(text(reader.value()?)?),
                "template" => call.template = Some(text(reader.value()?)?),
                "uris" => call.uris = Some(texts(reader)?),
                "withheld" => call.withheld = Some(text(reader.value()?)?),
                "outcome" => call.outcome = text(reader.value()?)?,
                "policy" => call.policy = text(reader.value()?)?,
                "rule" => call.rule = Some(text(reader.value()?)?),
                "values" => reader.object::<Damage>(|reader, key| {
                    written.values.insert(key.as_str().into_owned(), raw(reader.value()?));
                    Ok(())
                })?,
                "marks" => reader.object::<Damage>(|reader, key| {
                    written.marks.insert(key.as_str().into_owned(), Marked::read(reader)?);
                    Ok(())
                })?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        const OUTCOMES: [&str; 5] = ["allowed", "denied", "hidden", "limited", "approval_required"];
        if !OUTCOMES.contains(&call.outcome.as_str()) {
            return damage("a call without a known `outcome`");
        }
        call.values = written.read()?;
        Ok(call)
    }
}

impl Marked {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Damage> {
        if reader.peek() != Some(b'{') {
            return Ok(Self::Whole(mark(reader.value()?)?));
        }
        let mut some = BTreeMap::new();
        reader.object::<Damage>(|reader, key| {
            let Ok(index) = key.as_str().parse() else { return damage("a mark of no element") };
            some.insert(index, mark(reader.value()?)?);
            Ok(())
        })?;
        Ok(Self::Some(some))
    }
}

impl Written {
    fn read(self) -> Result<Vec<(Path, Recorded)>, Damage> {
        let mut all = Vec::new();
        for (source, json) in &self.values {
            let path = path(source)?;
            let ends = if path.steps.contains(&Step::Every) {
                elements(json, self.marks.get(source))?
            } else {
                vec![End::Value(json.clone())]
            };
            all.push((path, Recorded(ends)));
        }
        for (source, marked) in &self.marks {
            if let Marked::Whole(mark) = marked {
                all.push((path(source)?, Recorded(vec![End::None(*mark)])));
            }
        }
        Ok(all)
    }
}

/// The values of a path with `[*]`.
fn elements(json: &[u8], marks: Option<&Marked>) -> Result<Vec<End>, Damage> {
    let mark = |index| match marks {
        Some(Marked::Some(some)) => some.get(&index).copied(),
        _ => None,
    };
    let mut ends = Vec::new();
    Reader::new(json, 300)?.array::<Damage>(|reader| {
        let value = raw(reader.value()?);
        ends.push(mark(ends.len()).map_or(End::Value(value), End::None));
        Ok(())
    })?;
    Ok(ends)
}

/// The longest path, in bytes. Policies that people write have much shorter ones.
const MAX_PATH: usize = 256;

fn path(source: &str) -> Result<Path, Damage> {
    if source.len() > MAX_PATH {
        return damage("a value of a path that is too long");
    }
    Path::parse(source).map_err(|error| Damage(format!("a value of no path: {error}")))
}

fn mark(value: Value<'_>) -> Result<Mark, Damage> {
    let word = text(value)?;
    let known = Mark::WORDS.iter().find(|(_, known)| *known == word);
    known.map(|(mark, _)| *mark).ok_or_else(|| Damage("an unknown mark".to_owned()))
}

fn text(value: Value<'_>) -> Result<String, Damage> {
    match value {
        Value::String(text) => Ok(text.decode().into_owned()),
        _ => damage("a member that is not a string"),
    }
}

fn texts(reader: &mut Reader<'_>) -> Result<Vec<String>, Damage> {
    let mut texts = Vec::new();
    reader.array::<Damage>(|reader| {
        texts.push(text(reader.value()?)?);
        Ok(())
    })?;
    Ok(texts)
}

fn number(value: Value<'_>) -> Result<u64, Damage> {
    match value {
        Value::Number(number) => {
            number.as_str().parse().map_err(|_| Damage("a member that is not a whole number".to_owned()))
        }
        _ => damage("a member that is not a number"),
    }
}

/// A value as it is written.
fn raw(value: Value<'_>) -> Vec<u8> {
    match value {
        Value::Null => b"null".to_vec(),
        Value::Bool(true) => b"true".to_vec(),
        Value::Bool(false) => b"false".to_vec(),
        Value::Number(number) => number.as_str().into(),
        Value::String(text) => [b"\"", text.raw(), b"\""].concat(),
        Value::Array(raw) | Value::Object(raw) => raw.bytes().to_vec(),
    }
}
