use super::asked::{self, INPUT_REQUESTS};
use super::cuts::{Cuts, Elements};
use super::entries;
use super::mention::mentions;
use super::{Kind, Reason, Shown, Unreadable};
use crate::json::{Key, Raw, Reader, Value, lookalike};

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filtered {
    /// It goes on as it came.
    Unchanged,
    /// This goes on in its place.
    Changed(Vec<u8>),
}

/// Takes the entries that are not shown out of one JSON-RPC message or batch, nested at most `max_depth` levels, and
/// denied requests and notifications out of a batch.
///
/// All else stays byte for byte, the white space before kept entries and after the last one included. Messages with
/// nothing to take out, and a text of nothing but white space, are unchanged. So is an object or array that is not strict
/// JSON, if no reading of it could find a listing or a denied method: results of calls come this way too, and some hold
/// lone surrogates or NaN.
///
/// # Errors
/// - If a client could find a listing in `text` that this function cannot read beyond doubt: the text is not strict JSON;
///   a key can be taken for `result`, for a listing's member or for an entry's identifier; a listing is neither an array
///   nor null; an entry is not an object with an identifier that is a string. Likewise for methods, if they are judged.
/// - [`Reason::DeniedRequest`] if nothing is left: the text is a request or notification of a denied method, or a batch of
///   nothing else.
/// - [`Reason::DeniedInput`] if a response asks the client for a denied method. Whoever sent the request still waits for an
///   answer.
pub fn filter_message(text: &[u8], max_depth: usize, shown: &dyn Shown) -> Result<Filtered, Unreadable> {
    match read(text, max_depth, shown)? {
        Reading::Nothing | Reading::Sloppy | Reading::Strict => Ok(Filtered::Unchanged),
        Reading::Filtered(text) => Ok(Filtered::Changed(text)),
    }
}

/// What a text has been read as.
#[derive(Debug)]
pub(super) enum Reading {
    /// White space, or nobody wants to know.
    Nothing,
    /// It is not strict JSON, and goes on all the same.
    Sloppy,
    /// Strict JSON with nothing to take out.
    Strict,
    /// Strict JSON; this is left of it.
    Filtered(Vec<u8>),
}

/// [`filter_message`], for whoever needs to know more.
pub(super) fn read(text: &[u8], max_depth: usize, shown: &dyn Shown) -> Result<Reading> {
    let mut walk = Walk::new(shown);
    if is_blank(text) || !walk.listings && !walk.methods {
        return Ok(Reading::Nothing);
    }
    match walk.text(text, max_depth) {
        Ok(()) if walk.cuts.is_empty() => Ok(Reading::Strict),
        Ok(()) => Ok(Reading::Filtered(walk.cuts.apply(text))),
        Err(unreadable) => match (unreadable.reason, text.trim_ascii_start()) {
            (Reason::Syntax(_), [b'{' | b'[', ..]) if !mentions(text, shown) => Ok(Reading::Sloppy),
            _ => Err(unreadable),
        },
    }
}

/// Whether JSON sees nothing but white space.
pub(super) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

pub(super) type Result<T, E = Unreadable> = core::result::Result<T, E>;

/// The way through a text, and what of it does not go on.
struct Walk<'s> {
    shown: &'s dyn Shown,
    listings: bool,
    methods: bool,
    cuts: Cuts,
}

/// What is denied of a message.
#[derive(Debug, Clone, Copy, Default)]
struct Denied {
    /// Its own method.
    request: bool,
    /// What a task in its params asks for.
    task: bool,
    /// What it asks for as a response.
    input: bool,
    /// Some client takes it for a response.
    answers: bool,
}

impl<'s> Walk<'s> {
    fn new(shown: &'s dyn Shown) -> Self {
        let (listings, methods) = (shown.judges_listings(), shown.judges_methods());
        Self { shown, listings, methods, cuts: Cuts::default() }
    }

    fn text(&mut self, text: &[u8], max_depth: usize) -> Result<()> {
        let mut reader = Reader::new(text, max_depth)?;
        let first = reader.peek();
        let offset = reader.offset();
        let passes = match first {
            Some(b'[') => self.batch(&mut reader)?,
            _ => self.message(&mut reader)?,
        };
        reader.end()?;
        if passes { Ok(()) } else { Err(unreadable(offset, Reason::DeniedRequest)) }
    }

    /// Reads a batch; whether it goes on.
    fn batch(&mut self, reader: &mut Reader<'_>) -> Result<bool> {
        let mut messages = Elements::of_array_at(reader.offset());
        let mut left_out = false;
        reader.array(|reader| {
            let start = reader.offset();
            if reader.peek() == Some(b'[') {
                return Err(unreadable(reader.offset(), Reason::NestedBatch));
            }
            // What does not pass holds no result, and so no cuts of its own.
            let passes = self.message(reader)?;
            left_out |= !passes;
            messages.next(start, reader.offset(), passes, &mut self.cuts);
            Ok(())
        })?;
        Ok(messages.end(&mut self.cuts) || !left_out)
    }

    /// Reads a message; whether it goes on.
    fn message(&mut self, reader: &mut Reader<'_>) -> Result<bool> {
        let peeked = reader.peek();
        let offset = reader.offset();
        if peeked != Some(b'{') {
            reader.value()?;
            return Ok(true);
        }
        let mut denied = Denied::default();
        // Looked into whatever stands beside it: some clients take a message with `method` and `result` for a response.
        reader.object(|reader, key| self.member(reader, key, &mut denied))?;
        if denied.input || denied.answers && (denied.request || denied.task) {
            return Err(unreadable(offset, Reason::DeniedInput));
        }
        Ok(!denied.request && !denied.task)
    }

    fn member(&mut self, reader: &mut Reader<'_>, key: &Key<'_>, denied: &mut Denied) -> Result<()> {
        match key.as_bytes() {
            b"result" => {
                denied.answers = true;
                denied.input |= self.result(reader)?;
            }
            b"error" if self.methods => {
                denied.answers = true;
                denied.input |= asked::error(reader, self.shown)?;
            }
            b"method" if self.methods => denied.request |= asked::denies(reader, self.shown)?,
            b"params" if self.methods => {
                if let Value::Object(params) = reader.value()? {
                    denied.task |= asked::task(params, self.shown)?;
                }
            }
            _ => {
                let names = ["result", "error", "method", "params"];
                for name in names.iter().take(if self.methods { names.len() } else { 1 }) {
                    refuse_lookalike(key, name)?;
                }
                reader.value()?;
            }
        }
        Ok(())
    }

    /// Reads a result; whether it asks for a denied method.
    fn result(&mut self, reader: &mut Reader<'_>) -> Result<bool> {
        if reader.peek() != Some(b'{') {
            reader.value()?;
            return Ok(false);
        }
        let mut denied = false;
        reader.object(|reader, key| {
            if self.listings
                && let Some(kind) = listing_of(key)?
            {
                return entries::listing(reader, kind, self.shown, &mut self.cuts);
            }
            if self.methods && key.as_bytes() == INPUT_REQUESTS.as_bytes() {
                denied |= asked::input_requests(reader, self.shown)?;
            } else if self.methods && may_be(key, "error") {
                denied |= asked::error(reader, self.shown)?;
            } else if may_be(key, "result") {
                if let Value::Object(result) = reader.value()? {
                    denied |= self.result_of_task(result)?;
                }
            } else {
                if self.methods {
                    refuse_lookalike(key, INPUT_REQUESTS)?;
                }
                reader.value()?;
            }
            Ok(())
        })?;
        Ok(denied)
    }

    /// Reads what `tasks/get` tells of a task that is done: the result of the request that began it (tasks extension).
    ///
    /// Servers put members of their own into results too. So what does not look like a listing here is none.
    fn result_of_task(&mut self, result: Raw<'_>) -> Result<bool> {
        let mark = self.cuts.mark();
        let listings = result.reader().object(|reader, key| match listing_of(key)? {
            Some(kind) if self.listings => entries::listing(reader, kind, self.shown, &mut self.cuts),
            _ => Ok(reader.value().map(drop)?),
        });
        if listings.is_err() {
            self.cuts.take_back(mark);
        }
        if self.methods { asked::result(result, self.shown) } else { Ok(false) }
    }
}

/// The listing that is the value of a result's member.
fn listing_of(key: &Key<'_>) -> Result<Option<Kind>> {
    for kind in Kind::ALL {
        if key.as_bytes() == kind.member().as_bytes() {
            return Ok(Some(kind));
        }
        refuse_lookalike(key, kind.member())?;
    }
    Ok(None)
}

pub(super) fn unreadable(offset: usize, reason: Reason) -> Unreadable {
    Unreadable { offset, reason }
}

/// Whether some client takes the key for `name`. For members that servers also have of their own, under any name, so
/// that they are looked into and not refused.
pub(super) fn may_be(key: &Key<'_>, name: &str) -> bool {
    key.as_bytes() == name.as_bytes() || lookalike(key.as_bytes(), name)
}

pub(super) fn refuse_lookalike(key: &Key<'_>, name: &'static str) -> Result<()> {
    if lookalike(key.as_bytes(), name) {
        return Err(unreadable(key.offset(), Reason::LookalikeKey(name)));
    }
    Ok(())
}
