//! Answers on their way back: no client finds in them what the policy hides, however sloppily it reads.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use policy::listing::{EventStream, Filtered, Kind, Shown, Unreadable, filter_message};

use self::reference::{Seen, interpret};
use crate::tree::{Tree, folded};

#[path = "../../policy/src/listing/tests/reference.rs"]
mod reference;

/// Small, so that short inputs reach it.
const MAX_DEPTH: usize = 16;
/// Likewise, in bytes.
const MAX_EVENT_BYTES: usize = 300;

const ELICITATION: &str = "elicitation/create";
/// The code of an error that asks for it (MCP 2025-11-25).
const URL_ELICITATION_REQUIRED: f64 = -32042.0;

/// Hides what is called `hidden…`, and endpoints elsewhere than under `/mcp`. May deny `elicitation/create` and `denied/…`.
#[derive(Clone, Copy)]
struct Lab {
    judges_methods: bool,
}

impl Shown for Lab {
    fn shows(&self, _: Kind, name: &str) -> bool {
        !name.starts_with("hidden")
    }

    fn shows_endpoint(&self, uri: &str) -> bool {
        uri.starts_with("/mcp")
    }

    fn passes_method(&self, method: &str) -> bool {
        !self.judges_methods || method != ELICITATION && !method.starts_with("denied/")
    }

    fn judges_methods(&self) -> bool {
        self.judges_methods
    }
}

/// Checks a text as one message, and as a stream of events.
///
/// # Panics
/// If a property does not hold.
pub fn check(text: &[u8]) {
    for judges_methods in [false, true] {
        let lab = Lab { judges_methods };
        check_message(text, lab);
        check_stream(text, lab);
    }
}

fn check_message(text: &[u8], lab: Lab) {
    let passed = match filter_message(text, MAX_DEPTH, &lab) {
        Ok(Filtered::Unchanged) => text.to_vec(),
        Ok(Filtered::Changed(changed)) => {
            assert!(changed.len() < text.len(), "nothing is gone");
            assert!(Tree::parse(&changed).is_some_and(|tree| tree.is_strict(MAX_DEPTH)), "not JSON any more");
            assert_eq!(filter_message(&changed, MAX_DEPTH, &lab), Ok(Filtered::Unchanged));
            changed
        }
        Err(problem) => {
            assert!(problem.offset <= text.len(), "{problem} in {} bytes", text.len());
            return;
        }
    };
    shows_nothing_hidden(&passed, lab);
}

fn check_stream(text: &[u8], lab: Lab) {
    // Each way of telling of an event that cannot be read goes with one way of judging, to save time.
    let reply = lab.judges_methods.then_some(&b"{\"id\":1}"[..]);
    let whole = pushed([text], MAX_EVENT_BYTES, lab, reply);
    let same = |out: &[u8], how| assert!(out == whole, "{how}: {}\n{}", out.escape_ascii(), whole.escape_ascii());
    same(&pushed(text.chunks(1), MAX_EVENT_BYTES, lab, reply), "byte by byte");
    same(&pushed(<[_; 2]>::from(text.split_at(place(text))), MAX_EVENT_BYTES, lab, reply), "in two pieces");
    // What stands in the place of an event may be longer.
    same(&pushed([&whole[..]], usize::MAX, lab, reply), "filtered twice");
    for event in interpret(&whole) {
        if let Seen::Message { data, .. } = event {
            shows_nothing_hidden(data.as_bytes(), lab);
        }
    }
}

/// Some place in the text, the same each time.
fn place(text: &[u8]) -> usize {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    usize::try_from(hasher.finish() % (text.len() as u64 + 1)).unwrap_or_default()
}

fn pushed<'t>(
    chunks: impl IntoIterator<Item = &'t [u8]>,
    max_event_bytes: usize,
    lab: Lab,
    reply: Option<&[u8]>,
) -> Vec<u8> {
    let mut events = EventStream::new(max_event_bytes, MAX_DEPTH);
    let mut out = Vec::new();
    for chunk in chunks {
        let mut unreadable = |_: &Unreadable| reply.map(<[u8]>::to_vec);
        out.extend_from_slice(&events.push(chunk, &lab, &mut unreadable));
        assert!(events.held_bytes() <= max_event_bytes);
    }
    out
}

/// Looks for what is hidden or denied with the eyes of a client that takes any of several equal keys, and folds their case.
fn shows_nothing_hidden(text: &[u8], lab: Lab) {
    let Some(tree) = Tree::parse(text) else { return };
    for message in tree.elements().iter().chain([&tree]) {
        asks_nothing_denied(message, lab);
        for result in named(message, "result") {
            for kind in Kind::ALL {
                for entry in named(result, kind.member()).flat_map(Tree::elements) {
                    for name in named(entry, kind.identifier()).filter_map(Tree::as_str) {
                        assert!(lab.shows(kind, name), "{name:?} is still listed");
                    }
                }
            }
        }
    }
}

/// What servers ask of clients: by a request, in a result, by an error, and each of these in a task.
fn asks_nothing_denied(message: &Tree, lab: Lab) {
    let asked = |object| named(object, "method").filter_map(Tree::as_str);
    let parts = || named(message, "result").chain(named(message, "params"));
    let results = parts().chain(parts().flat_map(|part| named(part, "result")));
    let inputs = results.flat_map(|result| named(result, "inputRequests")).flat_map(Tree::members);
    for method in asked(message).chain(inputs.flat_map(|(_, request)| asked(request))) {
        assert!(lab.passes_method(method), "{method:?} is still asked for");
    }
    for error in named(message, "error").chain(parts().flat_map(|part| named(part, "error"))) {
        let code = named(error, "code").any(|code| *code == Tree::Number(URL_ELICITATION_REQUIRED));
        assert!(!code || lab.passes_method(ELICITATION), "an error still asks for it");
    }
}

/// The members that some client takes for `name`.
fn named<'t>(object: &'t Tree, name: &str) -> impl Iterator<Item = &'t Tree> {
    let name = name.to_lowercase();
    object.members().iter().filter(move |(key, _)| folded(key) == name).map(|(_, value)| value)
}
