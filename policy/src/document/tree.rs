//! A small document as a tree that remembers where everything stands.

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
    String(String),
    Array(Vec<Node<'a>>),
    Object(Vec<Member<'a>>),
}

#[derive(Debug)]
pub(crate) struct Member<'a> {
    pub(crate) key: String,
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
    let mut pointer = String::new();
    let tree = Reader::new(text, MAX_DEPTH).and_then(|mut reader| {
        let tree = node(&mut reader, &mut pointer)?;
        reader.end()?;
        Ok(tree)
    });
    tree.map_err(|error| {
        if error.problem == Problem::DuplicateKey {
            push_step(&mut pointer, &key_at(text, error.offset));
        }
        Broken { error, pointer }
    })
}

/// Reads one value. After an error `pointer` is left where it happened.
fn node<'a>(reader: &mut Reader<'a>, pointer: &mut String) -> Result<Node<'a>, SyntaxError> {
    let next = reader.peek();
    let offset = reader.offset();
    let kind = match next {
        Some(b'{') => {
            let mut members = Vec::new();
            reader.object(|reader, key| {
                let length = pointer.len();
                let name = key.as_str().into_owned();
                push_step(pointer, &name);
                let value = node(reader, pointer)?;
                pointer.truncate(length);
                members.push(Member { key: name, offset: key.offset(), value });
                Ok::<(), SyntaxError>(())
            })?;
            Kind::Object(members)
        }
        Some(b'[') => {
            let mut elements = Vec::new();
            reader.array(|reader| {
                let length = pointer.len();
                push_step(pointer, &elements.len().to_string());
                elements.push(node(reader, pointer)?);
                pointer.truncate(length);
                Ok::<(), SyntaxError>(())
            })?;
            Kind::Array(elements)
        }
        _ => match reader.value()? {
            Value::Bool(value) => Kind::Bool(value),
            Value::Number(number) => Kind::Number(number),
            Value::String(text) => Kind::String(text.decode().into_owned()),
            // Brackets have been taken above.
            Value::Null | Value::Array(_) | Value::Object(_) => Kind::Null,
        },
    };
    Ok(Node { offset, kind })
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
