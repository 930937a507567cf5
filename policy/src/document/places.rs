//! Where the parts of a document stand in its text.

use super::fields::MAX_DOCUMENT;
use super::tree::{self, Kind, Node, push_step};

/// Where everything in a document stands, for those who have something to say of one that loads.
///
/// ```
/// let text = br#"{"version": "1", "default": "deny"}"#;
/// let places = policy::document::Places::of(text).unwrap();
/// assert_eq!((places.key("/default"), places.value("/default")), (Some(17), Some(28)));
/// assert_eq!(places.value("/tools"), None);
/// ```
#[derive(Debug)]
pub struct Places<'t> {
    root: Node<'t>,
}

impl<'t> Places<'t> {
    /// Reads the text. None if it is no strict JSON, or larger than a document can be.
    pub fn of(text: &'t [u8]) -> Option<Self> {
        if text.len() > MAX_DOCUMENT {
            return None;
        }
        Some(Self { root: tree::read(text).ok()? })
    }

    /// Where the value at a JSON Pointer (RFC 6901) begins, in bytes from the start of the text.
    pub fn value(&self, pointer: &str) -> Option<usize> {
        Some(self.find(pointer)?.1.offset)
    }

    /// Where the name of the member at a JSON Pointer begins; an element of an array has none, so where that begins.
    pub fn key(&self, pointer: &str) -> Option<usize> {
        let (key, node) = self.find(pointer)?;
        Some(key.unwrap_or(node.offset))
    }

    fn find(&self, pointer: &str) -> Option<(Option<usize>, &Node<'t>)> {
        let mut at = (None, &self.root);
        // What stands before the first slash is nothing.
        for step in pointer.split('/').skip(1) {
            at = match &at.1.kind {
                Kind::Object(members) => {
                    let key = step.replace("~1", "/").replace("~0", "~");
                    let member = members.iter().find(|member| member.key == key)?;
                    (Some(member.offset), &member.value)
                }
                Kind::Array(elements) => (None, elements.get(step.parse::<usize>().ok()?)?),
                _ => return None,
            };
        }
        Some(at)
    }
}

/// A slash and the name as a JSON Pointer has it.
pub fn pointer_step(name: &str) -> String {
    let mut pointer = String::new();
    push_step(&mut pointer, name);
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_found_by_their_pointer() {
        let text = br#"{"a/b": [1, {"~": "x"}], "ab": {}}"#;
        let places = Places::of(text).unwrap();
        for (pointer, key, value) in
            [("", 0, 0), ("/a~1b", 1, 8), ("/a~1b/0", 9, 9), ("/a~1b/1/~0", 13, 18), ("/ab", 25, 31)]
        {
            assert_eq!((places.key(pointer), places.value(pointer)), (Some(key), Some(value)), "{pointer}");
        }
        for pointer in ["/x", "/a~1b/2", "/a~1b/x", "/ab/x", "/a~1b/0/x"] {
            assert_eq!(places.value(pointer), None, "{pointer}");
        }
        assert!(Places::of(b"{").is_none());
    }
}
