//! Changes to messages, as transmission errors and attackers make them.

use proptest::prelude::*;

/// What tends to break readers of JSON.
const FRAGMENTS: [&[u8]; 20] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\0",
    b"\xff",
    b"\\u0000",
    b"\\ud800",
    b"1e999",
    b"-0",
    b"null",
    b"\"name\":\"get_run\",",
    b"\"method\":\"ping\",",
    b"\"id\":true,",
    b"\xef\xbb\xbf",
    b"\n",
];

/// A change to some bytes.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Flip(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, usize),
    Copy(prop::sample::Index, prop::sample::Index, usize),
}

/// Any change.
pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Flip(at, byte)),
        (any::<prop::sample::Index>(), 1..12_usize).prop_map(|(at, length)| Edit::Remove(at, length)),
        (any::<prop::sample::Index>(), 0..FRAGMENTS.len()).prop_map(|(at, which)| Edit::Insert(at, which)),
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..40_usize)
            .prop_map(|(from, to, length)| Edit::Copy(from, to, length)),
    ]
}

/// The bytes with all changes, one after the other.
pub(crate) fn edited(mut body: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        if body.is_empty() {
            break;
        }
        match edit {
            Edit::Flip(at, byte) => {
                let at = at.index(body.len());
                body[at] = *byte;
            }
            Edit::Remove(at, length) => {
                let at = at.index(body.len());
                body.drain(at..body.len().min(at + length));
            }
            Edit::Insert(at, which) => {
                let at = at.index(body.len());
                body.splice(at..at, FRAGMENTS[*which].iter().copied());
            }
            Edit::Copy(from, to, length) => {
                let (from, to) = (from.index(body.len()), to.index(body.len()));
                let copy = body[from..body.len().min(from + length)].to_vec();
                body.splice(to..to, copy);
            }
        }
    }
    body
}
