//! `record`: which values of a call the audit record holds.

use super::conditions::some_elements;
use super::error::ErrorKind;
use super::fields::{Check, Place};
use super::path::{Path, Root};

/// The most paths of one rule: every record of a call to it has something to say of each.
const MAX_PATHS: usize = 32;
/// The longest path, in bytes.
const MAX_PATH: usize = 256;

/// Headers that hold credentials by their definition, or, for the last, what is as good as one.
const CREDENTIALS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "mcp-session-id"];

/// Reads the paths. `arguments` says whether the rule's target is called with any.
pub(crate) fn paths(check: &mut Check, place: &Place<'_>, arguments: bool) -> Vec<Path> {
    let mut paths: Vec<Path> = Vec::new();
    for element in some_elements(check, place).unwrap_or_default() {
        if paths.len() == MAX_PATHS {
            check.wrong(place, ErrorKind::Misplaced("more than 32 paths are too many to record of one call"));
            break;
        }
        let Some(text) = check.text(&element) else { continue };
        let Some(path) = check.note(&element, Path::parse(text).map_err(ErrorKind::Path)) else { continue };
        if let Some(why) = unrecordable(&path, arguments) {
            check.wrong(&element, ErrorKind::Misplaced(why));
        } else if paths.iter().any(|known| known.is_same_as(&path)) {
            check.wrong(&element, ErrorKind::Repeated(text.into()));
        } else {
            paths.push(path);
        }
    }
    paths
}

/// Why the value at a path is not recorded, if it is not.
fn unrecordable(path: &Path, arguments: bool) -> Option<&'static str> {
    match &path.root {
        _ if path.source.len() > MAX_PATH => Some("more than 256 bytes are too long for a path that is recorded"),
        Root::Arguments if !arguments => Some("there are no arguments here, only tools and prompts have them"),
        Root::Hour | Root::Weekday => Some("this does nothing, as every record has its time"),
        Root::Grant => Some("every record has a digest of the grant; the grant itself is never recorded"),
        Root::Header(name) if CREDENTIALS.contains(&&**name) => {
            Some("this header holds a credential, which is never recorded")
        }
        _ => None,
    }
}
