//! JSON Schema for the arguments of calls: compiled once when a configuration is loaded, applied to hostile input in bounded
//! time.
//!
//! A validator of this project's own, as none that is kept up fits a filter: they add one to five megabytes to the module,
//! match patterns by backtracking, or have no bound on how often parts of an instance are looked at again. This one
//! - reads the arguments in place, once, into a flat table of at most [`MAX_VALUES`] values;
//! - has an [`Effort`] for each body that everything it does is paid from, and refuses what that does not suffice for: nested
//!   `anyOf`, `uniqueItems` over large arrays, references that meet again and again;
//! - matches patterns in linear time, with what ECMA-262 means by them. Look-around, back references and Unicode properties
//!   are errors when the schema is loaded;
//! - fetches nothing: a reference that leaves the schema is an error when it is loaded, as is one that runs in circles;
//! - gives up on what servers read differently: a number that changes in a double, a member whose name some server takes for
//!   one that the schema names;
//! - says where and by which keyword it refuses, in the schema's words, never in those of the arguments.
//!
//! Drafts 2020-12 (without `$schema` too), 2019-09, 07 and 06. `format` is asserted. Not supported, and an error when
//! loaded: schemas with a base of their own inside of another (`$id`).
//!
//! ```
//! use policy::schema::{Effort, Schema};
//!
//! let schema = Schema::load(br#"{"properties": {"robot_ip": {"type": "string", "format": "ipv4"}}, "required": ["robot_ip"]}"#)?;
//! let effort = Effort::default();
//! assert!(schema.check(br#"{"robot_ip": "10.0.0.7"}"#, &effort).is_ok());
//! let refused = schema.check(br#"{"robot_ip": "nowhere"}"#, &effort).unwrap_err();
//! assert_eq!(refused.to_string(), "args.robot_ip: must be of the format `ipv4` (`format`)");
//! # Ok::<(), policy::document::Errors>(())
//! ```

mod compile;
mod draft;
mod effort;
mod equality;
mod evaluate;
mod format;
mod instance;
mod json;
mod keyword;
mod multiple;
pub(crate) mod pattern;
mod references;
mod sorted;
#[cfg(test)]
mod tests;
mod words;

use core::fmt;

pub use effort::Effort;
pub use instance::MAX_VALUES;

use crate::document::Errors;
use crate::document::fields::{self, Check, Place};
use crate::json::Reader;
use crate::message::Arguments;
use instance::Instance;
use keyword::{Keyword, Node};

/// What is asked of a schema's own text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// A keyword or format that is not known is an error: somebody wrote the schema into a policy, and would not notice that
    /// a part of it does nothing.
    Written,
    /// Keywords and formats that are not known are annotations, as the specification has it: the schema is a server's.
    Pinned,
}

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    nodes: Vec<Node>,
    /// Some part says what becomes of members or elements that no other part has looked at.
    tracks: bool,
}

/// Why arguments are refused: where in them, and by which keyword. Holds nothing of what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Such as `args.robots[0].ip`.
    path: String,
    /// What must hold there, in the schema's words.
    wanted: String,
    /// The keyword; none where the arguments were not judged to their end.
    keyword: Option<&'static str>,
}

impl Schema {
    /// Reads a schema from a document of its own, as strictly as one that is written into a policy.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text.
    pub fn load(text: &[u8]) -> Result<Self, Errors> {
        fields::load(text, |check, place| Self::compile(check, place, Strictness::Written))
    }

    /// Reads the schema that a server declares: what is not known in it is passed over.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text.
    pub fn load_of_server(text: &[u8]) -> Result<Self, Errors> {
        fields::load(text, |check, place| Self::compile(check, place, Strictness::Pinned))
    }

    /// Reads a schema that is a part of a document. None only if something was noted.
    pub(crate) fn compile(check: &mut Check, place: &Place<'_>, strictness: Strictness) -> Option<Self> {
        compile::compile(check, place, strictness)
    }

    /// Holds a JSON text against the schema.
    ///
    /// # Errors
    /// Where and why it does not match, or could not be judged.
    pub fn check(&self, text: &[u8], effort: &Effort) -> Result<(), Mismatch> {
        let instance = Reader::new(text, 256).map_err(|_| Mismatch::unreadable()).and_then(|mut reader| {
            let value = reader.value().map_err(|_| Mismatch::unreadable())?;
            reader.end().map_err(|_| Mismatch::unreadable())?;
            Instance::of_value(value, effort)
        })?;
        evaluate::evaluate(self, instance, effort)
    }

    /// Holds the arguments of a call against the schema.
    ///
    /// # Errors
    /// Where and why they do not match, or could not be judged.
    pub fn check_arguments(&self, arguments: &Arguments<'_>, effort: &Effort) -> Result<(), Mismatch> {
        evaluate::evaluate(self, Instance::of_arguments(arguments, effort)?, effort)
    }

    /// Whether nothing can ever match: the schema `false`.
    pub fn is_never(&self) -> bool {
        matches!(self.keywords(ROOT), [Keyword::Never])
    }

    /// Whether the other schema asks for the same in the same words; descriptions do not count.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }

    /// Whether everything matches, as the schema asks for nothing.
    pub(crate) fn is_always(&self) -> bool {
        self.keywords(ROOT).is_empty()
    }

    fn keywords(&self, id: Id) -> &[Keyword] {
        self.nodes.get(id.0).map(|node| node.keywords.as_slice()).unwrap_or_default()
    }
}

/// A part of a schema, by its place in [`Schema::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(usize);

const ROOT: Id = Id(0);

impl Mismatch {
    fn unreadable() -> Self {
        Self::given_up("args".to_owned(), "cannot be read".to_owned())
    }

    fn given_up(path: String, wanted: String) -> Self {
        Self { path, wanted, keyword: None }
    }

    /// Where, in the notation of conditions: `args.robots[0].ip`. A name that the schema does not have is `["…"]`. At most
    /// 200 characters long.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The keyword that refuses; none where the arguments could not be judged to their end.
    pub fn keyword(&self) -> Option<&'static str> {
        self.keyword
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.wanted)?;
        match self.keyword {
            Some(keyword) => write!(f, " (`{keyword}`)"),
            None => Ok(()),
        }
    }
}
