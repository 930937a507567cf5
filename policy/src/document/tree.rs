//! A small document as a tree that remembers where everything stands.

use std::borrow::Cow;

use crate::json::{Number, Problem, Reader, SyntaxError, Value};

/// How deep a document may be nested. A policy inside a configuration takes twelve levels, and the schemas of arguments in
/// it as many more as messages may have.
const MAX_DEPTH: usize = 64;

/// One value of the document.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// Bytes from the start of the document.
    pub(crate) offset: usize,
    pub(crate) kind: Kind<'a>,
}

#[derive(Debug)]
pub(crate) enum Kind<'a> {
    Null,
    Bool(bool),
    Number(Number<'a>),
    String(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    Object(Vec<Member<'a>>),
}

#[derive(Debug)]
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, str>,
    /// Of the key, in bytes from the start of the document.
    pub(crate) offset: usize,
    pub(crate) value: Node<'a>,
}

/// Why and where a text is no tree.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) error: SyntaxError,
    /// JSON Pointer of the innermost value that was being read.
    pub(crate) pointer: String,
}

/// Reads the whole text.
///
/// # Errors
/// If it is not one strict JSON value, or nested too deep.
pub(crate) fn read(text: &[u8]) -> Result<Node<'_>, Broken> {
    let mut way = Vec::new();
    let tree = Reader::new(text, MAX_DEPTH).and_then(|mut reader| {
        let tree = node(&mut reader, &mut way)?;
        reader.end()?;
        Ok(tree)
    });
    tree.map_err(|error| {
        let mut pointer = String::new();
        way.iter().rev().for_each(|step| push_step(&mut pointer, step));
        if error.problem == Problem::DuplicateKey {
            push_step(&mut pointer, &key_at(text, error.offset));
        }
        Broken { error, pointer }
    })
}

/// Reads one value. After an error `way` has the steps to where it happened, the innermost first.
fn node<'a>(reader: &mut Reader<'a>, way: &mut Vec<String>) -> Result<Node<'a>, SyntaxError> {
    let next = reader.peek();
    let offset = reader.offset();
    let kind = match next {
        Some(b'{') => {
            let mut members = Vec::new();
            reader.object(|reader, key| {
                let value = node(reader, way).inspect_err(|_| way.push(key.as_str().into_owned()))?;
                members.push(Member { key: key.decode(), offset: key.offset(), value });
                Ok::<(), SyntaxError>(())
            })?;
            Kind::Object(members)
        }
        Some(b'[') => {
            let mut elements = Vec::new();
            reader.array(|reader| {
                elements.push(node(reader, way).inspect_err(|_| way.push(elements.len().to_string()))?);
                Ok::<(), SyntaxError>(())
            })?;
            Kind::Array(elements)
        }
        _ => match reader.value()? {
            Value::Bool(value) => Kind::Bool(value),
            Value::Number(number) => Kind::Number(number),
            Value::String(text) => Kind::String(text.decode()),
            // Brackets have been taken above.
            Value::Null | Value::Array(_) | Value::Object(_) => Kind::Null,
        },
    };
    Ok(Node { offset, kind })
}

/// JSON Pointer of a value, from another one that it is in. Read off the tree where there is something to say: most values
/// are as they should be.
pub(crate) fn pointer(top: &Node<'_>, value: &Node<'_>) -> String {
    /// The last part that begins no later than the value.
    fn around<T>(parts: &[T], offset: usize, begin: impl Fn(&T) -> usize) -> Option<(usize, &T)> {
        let index = parts.partition_point(|part| begin(part) <= offset).checked_sub(1)?;
        Some((index, parts.get(index)?))
    }
    let mut pointer = String::new();
    let mut at = top;
    while at.offset != value.offset {
        let next = match &at.kind {
            Kind::Object(members) => around(members, value.offset, |member| member.value.offset).map(|(_, member)| {
                push_step(&mut pointer, &member.key);
                &member.value
            }),
            Kind::Array(elements) => {
                around(elements, value.offset, |element| element.offset).map(|(index, element)| {
                    push_step(&mut pointer, &index.to_string());
                    element
                })
            }
            _ => None,
        };
        // INVARIANT: the value is in the one that is looked at.
        let Some(next) = next else { break };
        at = next;
    }
    pointer
}

/// The key that stands at `offset`.
fn key_at(text: &[u8], offset: usize) -> String {
    let rest = text.get(offset..).unwrap_or_default();
    match Reader::new(rest, 1).and_then(|mut reader| reader.value()) {
        Ok(Value::String(key)) => key.decode().into_owned(),
        _ => String::new(),
    }
}

/// Appends `/` and a reference token (RFC 6901 section 3).
pub(crate) fn push_step(pointer: &mut String, step: &str) {
    pointer.push('/');
    for character in step.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}
