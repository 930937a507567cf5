use std::borrow::Cow;

use super::error::{ReadError, ReadProblem};
use super::{refuse_lookalike, string, wrong_type};
use crate::json::{Key, Reader, Text, Value};

/// What a request or notification says beside its method: only what rules look at.
#[derive(Debug, Default)]
pub struct Params<'a> {
    /// The tool or prompt.
    pub name: Option<Cow<'a, str>>,
    /// The resource.
    pub uri: Option<Cow<'a, str>>,
    /// The task.
    pub task_id: Option<Cow<'a, str>>,
    /// What a completion is asked for.
    pub reference: Option<Reference<'a>>,
    /// What the tool or prompt is called with.
    pub arguments: Arguments<'a>,
    /// Whether `arguments` is there and not an object.
    malformed_arguments: bool,
    /// The resources that `subscriptions/listen` watches: `notifications.resourceSubscriptions`.
    pub subscriptions: Vec<Cow<'a, str>>,
    /// Whether `notifications` is there and not what `subscriptions/listen` has.
    malformed_subscriptions: bool,
    /// `_meta["io.modelcontextprotocol/protocolVersion"]`, which 2026-07-28 puts into every request.
    pub protocol_version: Option<Cow<'a, str>>,
}

/// `params.ref` of `completion/complete`.
#[derive(Debug)]
pub enum Reference<'a> {
    /// `ref/prompt`
    Prompt(Cow<'a, str>),
    /// `ref/resource`: a URI or a URI template.
    Resource(Cow<'a, str>),
}

/// The arguments of a call: its members in the order they stand in. Their names are distinct.
#[derive(Debug, Default)]
pub struct Arguments<'a> {
    members: Vec<(Key<'a>, Value<'a>)>,
}

impl<'a> Arguments<'a> {
    /// Each argument's name and value.
    pub fn members(&self) -> &[(Key<'a>, Value<'a>)] {
        &self.members
    }

    /// How many bytes all names have: what looking for one of them takes.
    pub(crate) fn name_bytes(&self) -> usize {
        self.members.iter().fold(0, |sum, (name, _)| sum.saturating_add(name.as_bytes().len()))
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, ReadError> {
        let mut members = Vec::new();
        reader.object::<ReadError>(|reader, key| {
            members.push((key.clone(), reader.value()?));
            Ok(())
        })?;
        Ok(Self { members })
    }
}

/// The first revision of MCP without sessions, whose results say their type. Revisions compare as text: they are ISO dates.
pub const STATELESS: &str = "2026-07-28";

const PARAMS_KEYS: [&str; 7] = ["name", "uri", "taskId", "ref", "arguments", "notifications", "_meta"];
const REFERENCE_KEYS: [&str; 3] = ["type", "name", "uri"];
/// The longest name of a tool or prompt, as written. MCP has names of 1 to 128 characters.
const NAME_BYTES: usize = 1024;
/// The longest URI, as written: what servers of HTTP take at least (RFC 9110 section 4.1).
const URI_BYTES: usize = 8000;
/// The most that all URIs of one subscription may have, as written: each is held against every rule.
const URIS_BYTES: usize = 64 * 1024;
/// What a URI counts beside its bytes.
const URI_COST: usize = 64;
const RESOURCE_SUBSCRIPTIONS: &str = "resourceSubscriptions";
const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

impl<'a> Params<'a> {
    /// Whether the client speaks [`STATELESS`] or later.
    pub fn is_stateless(&self) -> bool {
        self.protocol_version.as_deref().is_some_and(|version| version >= STATELESS)
    }

    pub(super) fn read(reader: &mut Reader<'a>, params: &Key<'a>) -> Result<Self, ReadError> {
        match reader.peek() {
            Some(b'{') => {}
            // Some clients write an absent value so.
            Some(b'n') => {
                reader.value()?;
                return Ok(Self::default());
            }
            _ => {
                reader.value()?;
                return Err(wrong_type(params, "params", "an object"));
            }
        }
        let mut params = Self::default();
        reader.object(|reader, key| params.member(reader, key))?;
        Ok(params)
    }

    fn member(&mut self, reader: &mut Reader<'a>, key: &Key<'a>) -> Result<(), ReadError> {
        match key.as_bytes() {
            b"name" => self.name = Some(bounded(reader, key, "params.name", NAME_BYTES)?),
            b"uri" => self.uri = Some(bounded(reader, key, "params.uri", URI_BYTES)?),
            b"taskId" => self.task_id = Some(string(reader, key, "params.taskId")?.decode()),
            b"ref" => self.reference = Some(read_reference(reader, key)?),
            b"arguments" if reader.peek() == Some(b'{') => self.arguments = Arguments::read(reader)?,
            b"arguments" => {
                self.malformed_arguments = true;
                reader.skip()?;
            }
            b"notifications" => self.notifications(reader)?,
            b"_meta" if reader.peek() == Some(b'{') => {
                reader.object::<ReadError>(|reader, key| {
                    if key.as_bytes() == PROTOCOL_VERSION.as_bytes() {
                        self.protocol_version = Some(string(reader, key, "params._meta protocol version")?.decode());
                    } else {
                        refuse_lookalike(key, &[PROTOCOL_VERSION])?;
                        reader.value()?;
                    }
                    Ok(())
                })?;
            }
            b"_meta" => {
                reader.value()?;
                return Err(wrong_type(key, "params._meta", "an object"));
            }
            _ => {
                refuse_lookalike(key, &PARAMS_KEYS)?;
                reader.skip()?;
            }
        }
        Ok(())
    }

    /// What a client of 2026-07-28 wants to be told: `{"resourceSubscriptions": ["file:///a"], "toolsListChanged": true}`.
    fn notifications(&mut self, reader: &mut Reader<'a>) -> Result<(), ReadError> {
        if reader.peek() != Some(b'{') {
            self.malformed_subscriptions = !matches!(reader.value()?, Value::Null);
            return Ok(());
        }
        let mut room = URIS_BYTES;
        reader.object::<ReadError>(|reader, key| {
            if key.as_bytes() != RESOURCE_SUBSCRIPTIONS.as_bytes() {
                refuse_lookalike(key, &[RESOURCE_SUBSCRIPTIONS])?;
                reader.skip()?;
            } else if reader.peek() == Some(b'[') {
                reader.array::<ReadError>(|reader| {
                    let left = |uri: &Text<'_>| room.checked_sub(uri.raw().len().saturating_add(URI_COST));
                    match reader.value()? {
                        Value::String(uri) if uri.raw().len() <= URI_BYTES && left(&uri).is_some() => {
                            room = left(&uri).unwrap_or_default();
                            self.subscriptions.push(uri.decode());
                        }
                        _ => self.malformed_subscriptions = true,
                    }
                    Ok(())
                })?;
            } else {
                self.malformed_subscriptions |= !matches!(reader.value()?, Value::Null);
            }
            Ok(())
        })
    }

    /// Checks that what the method is judged by is there, once the method is known.
    pub(super) fn checked(self, method: &str) -> Result<Self, ReadProblem> {
        let missing = match method {
            "tools/call" | "prompts/get" if self.name.is_none() => Some("params.name"),
            // Without a URI nobody can subscribe, so that needs no error of ours.
            "resources/read" if self.uri.is_none() => Some("params.uri"),
            "completion/complete" if self.reference.is_none() => Some("params.ref"),
            "tools/call" | "prompts/get" if self.malformed_arguments => {
                return Err(ReadProblem::WrongType { member: "params.arguments", expected: "an object" });
            }
            "subscriptions/listen" if self.malformed_subscriptions => {
                let expected = "an object whose `resourceSubscriptions` is an array of URIs, 64 KiB together";
                return Err(ReadProblem::WrongType { member: "params.notifications", expected });
            }
            _ => None,
        };
        missing.map_or(Ok(self), |member| Err(ReadProblem::Missing(member)))
    }
}

/// A string that rules are looked up by. Globs cost time for each character of it.
fn bounded<'a>(
    reader: &mut Reader<'a>,
    key: &Key<'a>,
    member: &'static str,
    bytes: usize,
) -> Result<Cow<'a, str>, ReadError> {
    let text = string(reader, key, member)?;
    if text.raw().len() > bytes {
        return Err(wrong_type(key, member, "shorter"));
    }
    Ok(text.decode())
}

fn read_reference<'a>(reader: &mut Reader<'a>, reference: &Key<'a>) -> Result<Reference<'a>, ReadError> {
    let (mut kind, mut name, mut uri) = (None::<Text<'a>>, None, None);
    if reader.peek() != Some(b'{') {
        reader.value()?;
        return Err(wrong_type(reference, "params.ref", "an object"));
    }
    reader.object::<ReadError>(|reader, key| {
        match key.as_bytes() {
            b"type" => kind = Some(string(reader, key, "params.ref.type")?),
            b"name" => name = Some(bounded(reader, key, "params.ref.name", NAME_BYTES)?),
            b"uri" => uri = Some(bounded(reader, key, "params.ref.uri", URI_BYTES)?),
            _ => {
                refuse_lookalike(key, &REFERENCE_KEYS)?;
                reader.skip()?;
            }
        }
        Ok(())
    })?;
    match (kind, name, uri) {
        (Some(kind), Some(name), None) if kind == *"ref/prompt" => Ok(Reference::Prompt(name)),
        (Some(kind), None, Some(uri)) if kind == *"ref/resource" => Ok(Reference::Resource(uri)),
        _ => Err(wrong_type(reference, "params.ref", "a ref/prompt with name or a ref/resource with uri")),
    }
}
