//! Bodies of requests: whatever the filter reads, serde_json reads the same, and what serde_json refuses is refused.

use policy::json::{Problem, Reader, SyntaxError, Value};
use policy::message::{Batches, Body, MAX_BATCH, Message, Params, Reference, read, read_body};

use crate::tree::{Tree, folded};

/// Small, so that short inputs reach it.
const MAX_DEPTH: usize = 16;

/// Checks one body.
///
/// # Panics
/// If a property does not hold.
pub fn check(body: &[u8]) {
    let model = Tree::parse(body).filter(|tree| tree.is_strict(MAX_DEPTH));
    match whole(body) {
        Ok(tree) => assert_eq!(Some(&tree), model.as_ref(), "read differently"),
        Err(error) => {
            assert!(error.offset <= body.len(), "{error} in {} bytes", body.len());
            assert!(model.is_none() || is_out_of_range(body, error), "{error}, though it is strict JSON");
        }
    }
    let one = read(body, MAX_DEPTH);
    match read_body(body, MAX_DEPTH, Batches::Read) {
        Ok(Body::One(message)) => {
            assert!(one.is_ok(), "it is no message alone");
            agrees(&message, &model.expect("not JSON, and read all the same"));
        }
        Ok(Body::Batch(messages)) => {
            assert!(one.is_err() && (1..=MAX_BATCH).contains(&messages.len()));
            let model = model.expect("not JSON, and read all the same");
            assert_eq!(model.elements().len(), messages.len());
            messages.iter().zip(model.elements()).for_each(|(message, tree)| agrees(message, tree));
            have_distinct_ids(&messages);
        }
        Err(error) => {
            assert!(error.offset <= body.len(), "{error} in {} bytes", body.len());
            assert!(matches!(error.problem.code(), -32700 | -32600), "{error}");
            assert!(one.is_err(), "{error}, though it is one message");
        }
    }
}

/// No two requests of a batch have ids that some server takes for one.
fn have_distinct_ids(messages: &[Message<'_>]) {
    let ids: Vec<Tree> = messages.iter().filter_map(Message::id).filter_map(|id| Tree::parse(id.as_json())).collect();
    for (index, id) in ids.iter().enumerate() {
        assert!(!ids[..index].contains(id), "two requests have the id {id:?}");
    }
}

/// The tree of a text, as the filter's reader sees it.
fn whole(text: &[u8]) -> Result<Tree, SyntaxError> {
    let mut reader = Reader::new(text, MAX_DEPTH)?;
    let value = reader.value()?;
    reader.end()?;
    Ok(tree(value))
}

fn tree(value: Value<'_>) -> Tree {
    match value {
        Value::Null => Tree::Null,
        Value::Bool(value) => Tree::Bool(value),
        Value::Number(number) => {
            assert!(number.to_f64().is_finite(), "{number:?}");
            assert!(number.to_exact_f64().is_none_or(|exact| exact == number.to_f64()), "{number:?}");
            Tree::Number(number.to_f64())
        }
        Value::String(text) => Tree::String(text.decode().into_owned()),
        Value::Array(raw) => {
            let mut elements = Vec::new();
            let element = |reader: &mut Reader<'_>| {
                elements.push(tree(reader.value()?));
                Ok::<(), SyntaxError>(())
            };
            raw.reader().array(element).expect("an array that has been checked");
            Tree::Array(elements)
        }
        Value::Object(raw) => {
            let mut members = Vec::new();
            raw.reader()
                .object(|reader, key| {
                    members.push((key.as_str().into_owned(), tree(reader.value()?)));
                    Ok::<(), SyntaxError>(())
                })
                .expect("an object that has been checked");
            Tree::Object(members)
        }
    }
}

/// Whether the text was refused for a number before the offset that no double holds. serde_json may find just room for it.
fn is_out_of_range(text: &[u8], error: SyntaxError) -> bool {
    let before = &text[..error.offset];
    let of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let start = before.iter().rposition(|byte| !of_number(byte)).map_or(0, |last| last + 1);
    let number = std::str::from_utf8(&before[start..]).ok().and_then(|number| number.parse::<f64>().ok());
    error.problem == Problem::NumberOutOfRange && number.is_some_and(f64::is_infinite)
}

/// Holds what the filter took from a message against the tree.
fn agrees(message: &Message<'_>, tree: &Tree) {
    assert_eq!(tree.get("jsonrpc").and_then(Tree::as_str), Some("2.0"));
    refuses_lookalikes(tree, &["jsonrpc", "id", "method", "params", "result", "error"]);
    let said = |name: &str| usize::from(tree.get(name).is_some());
    assert_eq!(said("method") + said("result") + said("error"), 1);
    match message {
        Message::Request { id, method, params } => {
            assert_eq!(Tree::parse(id.as_json()).as_ref(), tree.get("id"), "the id is echoed as another");
            assert!(matches!(tree.get("id"), Some(Tree::String(_) | Tree::Number(_))));
            assert_eq!(Some(&**method), tree.get("method").and_then(Tree::as_str));
            params_agree(params, tree.get("params").unwrap_or(&Tree::Null));
        }
        Message::Notification { method, params } => {
            assert_eq!(tree.get("id"), None);
            assert_eq!(Some(&**method), tree.get("method").and_then(Tree::as_str));
            params_agree(params, tree.get("params").unwrap_or(&Tree::Null));
        }
        Message::Response => assert!(tree.get("method").is_none()),
    }
}

fn params_agree(params: &Params<'_>, tree: &Tree) {
    assert!(matches!(tree, Tree::Null | Tree::Object(_)));
    refuses_lookalikes(tree, &["name", "uri", "taskId", "ref", "arguments", "notifications", "_meta"]);
    let inside = [
        ("ref", &["type", "name", "uri"][..]),
        ("notifications", &["resourceSubscriptions"]),
        ("_meta", &["io.modelcontextprotocol/protocolVersion"]),
    ];
    for (object, known) in inside {
        refuses_lookalikes(tree.get(object).unwrap_or(&Tree::Null), known);
    }
    let text = |name| tree.get(name).and_then(Tree::as_str);
    assert_eq!(params.name.as_deref(), text("name"));
    assert_eq!(params.uri.as_deref(), text("uri"));
    assert_eq!(params.task_id.as_deref(), text("taskId"));
    let watched = tree.get("notifications").and_then(|watched| watched.get("resourceSubscriptions"));
    let watched = watched.map(Tree::elements).unwrap_or_default().iter().filter_map(Tree::as_str);
    assert!(params.subscriptions.iter().map(|uri| &**uri).eq(watched), "other resources are watched");
    let version = tree.get("_meta").and_then(|meta| meta.get("io.modelcontextprotocol/protocolVersion"));
    assert_eq!(params.protocol_version.as_deref(), version.and_then(Tree::as_str));
    let referred = |member| tree.get("ref").and_then(|reference| reference.get(member)).and_then(Tree::as_str);
    match &params.reference {
        Some(Reference::Prompt(name)) => {
            assert_eq!((referred("type"), referred("name")), (Some("ref/prompt"), Some(&**name)));
        }
        Some(Reference::Resource(uri)) => {
            assert_eq!((referred("type"), referred("uri")), (Some("ref/resource"), Some(&**uri)));
        }
        None => assert_eq!(tree.get("ref"), None),
    }
    let arguments = tree.get("arguments").map(Tree::members).unwrap_or_default();
    let read = params.arguments.members();
    assert_eq!(read.len(), arguments.len(), "arguments are lost or made up");
    for ((key, value), (name, expected)) in read.iter().zip(arguments) {
        assert_eq!(key.as_bytes(), name.as_bytes());
        assert_eq!(&self::tree(*value), expected, "the argument {name:?}");
    }
}

/// An accepted object has no key that a reader which folds case or drops NULs takes for one of these.
fn refuses_lookalikes(object: &Tree, known: &[&str]) {
    for (key, _) in object.members() {
        let read_as = folded(key);
        assert!(known.iter().all(|name| key == name || read_as != name.to_lowercase()), "{key:?}");
    }
}
