use std::cell::{Cell, RefCell};

use smallvec::SmallVec;

use super::facts::Facts;
use super::truth::Truth;
use super::walk::Unasked;
use crate::document::condition::Condition;
use crate::message::Arguments;
use crate::pins::Lock;
use crate::schema;

/// How many bytes of text the regular expressions of one policy may look at for one body. A linear-time engine of this
/// size needs a few hundred instructions per byte, and the worker serves nobody else meanwhile.
const REGEX_BYTES: usize = 16 * 1024;

/// How many bytes of URIs the rules of one policy may look at for one body: each is held against every wildcard.
const URI_BYTES: usize = 32 * 1024;

/// How many bytes of arguments the conditions of one policy may walk over for one body: each walks over what it has to
/// step into, and all else that takes time counts as so many bytes, of some 30 instructions each. As far as the
/// [records](crate::audit::Walks) may.
const WALKED_BYTES: usize = 8 << 20;

/// What an element or a name takes that is looked at, in bytes, however short it is.
pub(super) const ITEM: usize = 32;

/// What judging one body by one policy may still cost. Where it does not suffice, conditions are wrong, which refuses.
#[derive(Debug)]
pub struct Effort {
    regex_bytes: Cell<usize>,
    uri_bytes: Cell<usize>,
    walked_bytes: Cell<usize>,
    /// What conditions have come to that do not look at arguments, each by its address: a body may ask them many times.
    known: RefCell<SmallVec<[Known; 4]>>,
    schema: schema::Effort,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            regex_bytes: Cell::new(REGEX_BYTES),
            uri_bytes: Cell::new(URI_BYTES),
            walked_bytes: Cell::new(WALKED_BYTES),
            known: RefCell::default(),
            schema: schema::Effort::default(),
        }
    }
}

/// The address of a condition, and what it came to.
type Known = (usize, Result<Truth, Unasked>);

impl Effort {
    /// What a condition comes to that does not look at arguments. Asked once for a body: the policy stands still meanwhile.
    pub(super) fn once(
        &self,
        condition: &Condition,
        ask: impl FnOnce() -> Result<Truth, Unasked>,
    ) -> Result<Truth, Unasked> {
        let address = core::ptr::from_ref(condition).addr();
        let known = self.known.try_borrow().ok();
        if let Some((_, truth)) = known.iter().flat_map(|known| known.iter()).find(|(of, _)| *of == address) {
            return *truth;
        }
        drop(known);
        let truth = ask();
        if let Ok(mut known) = self.known.try_borrow_mut() {
            known.push((address, truth));
        }
        truth
    }
}

/// What the conditions of one call look at.
pub(super) struct Context<'c, 'a, W> {
    pub(super) arguments: &'c Arguments<'a>,
    /// The tools of the server behind, if they are pinned.
    pub(super) lock: Option<&'c Lock>,
    pub(super) facts: &'c dyn Facts,
    pub(super) effort: &'c Effort,
    pub(super) watch: &'c W,
}

impl<W> Context<'_, '_, W> {
    /// Whether a regular expression may look at so many more bytes.
    pub(super) fn affords_regex(&self, bytes: usize) -> bool {
        spend(&self.effort.regex_bytes, bytes)
    }

    /// Whether a condition may walk over so many more bytes.
    pub(super) fn affords_walk(&self, bytes: usize) -> bool {
        spend(&self.effort.walked_bytes, bytes)
    }

    /// What schemas may still cost.
    pub(super) fn schema_effort(&self) -> &schema::Effort {
        &self.effort.schema
    }

    /// Whether rules may look at a URI of so many more bytes.
    pub(super) fn affords_uri(&self, bytes: usize) -> bool {
        spend(&self.effort.uri_bytes, bytes)
    }
}

fn spend(budget: &Cell<usize>, bytes: usize) -> bool {
    let left = budget.get().checked_sub(bytes);
    budget.set(left.unwrap_or_default());
    left.is_some()
}
