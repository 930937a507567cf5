mod checked;
mod strings;

use super::error::{Problem, SyntaxError};
use super::keys::{Key, duplicate};
use super::number::Number;
use super::text::Text;

/// One value of a JSON text. Strings, objects and arrays are borrowed as they stand.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(Number<'a>),
    /// A string.
    String(Text<'a>),
    /// An array, checked but not taken apart.
    Array(Raw<'a>),
    /// An object, checked but not taken apart.
    Object(Raw<'a>),
}

/// The bytes of an object or array that a [`Reader`] has checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Raw<'a> {
    /// The value as it stands, brackets included.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Bytes from the start of the text to the opening bracket.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// A reader of just this value, to walk into it.
    pub fn reader(&self) -> Reader<'a> {
        // Its depth has been checked.
        Reader {
            rest: self.bytes,
            end: self.offset.saturating_add(self.bytes.len()),
            room: usize::MAX,
            checked: true,
            keys: vec![],
        }
    }
}

/// A cursor over one JSON text.
///
/// Reads no byte twice. Objects cost a comparison of their keys; time is linear in the text but for objects of many
/// members (n log n), memory is bounded by the keys of the objects that are open.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Offset of the end of the text.
    end: usize,
    /// How many more levels may be opened.
    room: usize,
    /// The text has been read before, so that no key is there twice.
    checked: bool,
    /// The keys of all open objects, the innermost object's last.
    keys: Vec<Key<'a>>,
}

/// Room for the keys of most messages, so that reading them takes one allocation.
const KEYS: usize = 32;

type Result<T> = core::result::Result<T, SyntaxError>;

impl<'a> Reader<'a> {
    /// Starts at the beginning of `text`. Objects and arrays may be nested `max_depth` levels deep.
    ///
    /// # Errors
    /// If the text starts with a byte order mark.
    pub fn new(text: &'a [u8], max_depth: usize) -> Result<Self> {
        if text.starts_with(b"\xEF\xBB\xBF") {
            return Err(SyntaxError { offset: 0, problem: Problem::ByteOrderMark });
        }
        Ok(Self { rest: text, end: text.len(), room: max_depth, checked: false, keys: Vec::with_capacity(KEYS) })
    }

    /// Bytes read so far.
    pub fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    /// What is left of the text.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next byte that is not white space, without reading it.
    pub fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    /// Reads and checks the next value.
    ///
    /// # Errors
    /// If what follows is not one strict JSON value.
    pub fn value(&mut self) -> Result<Value<'a>> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => self.raw().map(Value::Object),
            Some(b'[') => self.raw().map(Value::Array),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word(b"true", Value::Bool(true)),
            Some(b'f') => self.word(b"false", Value::Bool(false)),
            Some(b'n') => self.word(b"null", Value::Null),
            Some(_) => self.fail(Problem::UnexpectedByte),
            None => self.fail(Problem::UnexpectedEnd),
        }
    }

    /// Reads an object. `member` is called with each key and must read the value.
    ///
    /// # Errors
    /// Those of `member`; and if what follows is not an object, or two of its keys are equal.
    pub fn object<E: From<SyntaxError>>(
        &mut self,
        mut member: impl FnMut(&mut Self, &Key<'a>) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        self.open(b'{')?;
        let first = self.keys.len();
        if self.peek() == Some(b'}') {
            self.close();
            return Ok(());
        }
        let mut marks = Marks::default();
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected().into());
            }
            let offset = self.offset();
            let key = Key::new(self.string()?.decode_bytes(), offset);
            self.take(b':')?;
            member(self, &key)?;
            if !self.checked {
                marks.add(key.as_bytes());
                self.keys.push(key);
            }
            match self.peek() {
                Some(b',') => self.advance(1),
                Some(b'}') => break,
                _ => return Err(self.unexpected().into()),
            }
        }
        if marks.collide
            && let Some(offset) = self.keys.get_mut(first..).and_then(duplicate)
        {
            return Err(SyntaxError { offset, problem: Problem::DuplicateKey }.into());
        }
        self.keys.truncate(first);
        self.close();
        Ok(())
    }

    /// Reads an array. `element` is called before each element and must read it.
    ///
    /// # Errors
    /// Those of `element`; and if what follows is not an array.
    pub fn array<E: From<SyntaxError>>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        self.open(b'[')?;
        if self.peek() == Some(b']') {
            self.close();
            return Ok(());
        }
        loop {
            element(self)?;
            match self.peek() {
                Some(b',') => self.advance(1),
                Some(b']') => {
                    self.close();
                    return Ok(());
                }
                _ => return Err(self.unexpected().into()),
            }
        }
    }

    /// Checks that nothing but white space is left.
    ///
    /// # Errors
    /// If something follows.
    pub fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fail(Problem::TrailingData),
        }
    }

    /// Checks the next value and passes it.
    ///
    /// # Errors
    /// If what follows is not one strict JSON value.
    pub fn skip(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'{' | b'[') if self.checked => self.pass_checked(),
            Some(b'{') => self.object(|reader, _| reader.skip()),
            Some(b'[') => self.array(Self::skip),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            _ => self.value().map(drop),
        }
    }

    /// Passes an object or array that `peek` has seen.
    fn raw(&mut self) -> Result<Raw<'a>> {
        let (start, offset) = (self.rest, self.offset());
        self.skip()?;
        let length = start.len().saturating_sub(self.rest.len());
        Ok(Raw { bytes: start.get(..length).unwrap_or_default(), offset })
    }

    fn open(&mut self, bracket: u8) -> Result<()> {
        if self.peek() != Some(bracket) {
            return Err(self.unexpected());
        }
        let Some(room) = self.room.checked_sub(1) else {
            return self.fail(Problem::TooDeep);
        };
        self.room = room;
        self.advance(1);
        Ok(())
    }

    /// Passes the closing bracket that `peek` has seen.
    fn close(&mut self) {
        self.room = self.room.saturating_add(1);
        self.advance(1);
    }

    fn take(&mut self, byte: u8) -> Result<()> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected());
        }
        self.advance(1);
        Ok(())
    }

    fn word(&mut self, word: &'static [u8], value: Value<'a>) -> Result<Value<'a>> {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                Ok(value)
            }
            None => self.fail(Problem::UnexpectedByte),
        }
    }

    fn number(&mut self) -> Result<Number<'a>> {
        let start = self.rest;
        if self.rest.first() == Some(&b'-') {
            self.advance(1);
        }
        match self.rest.first() {
            Some(b'0') => self.advance(1),
            Some(b'1'..=b'9') => self.digits(),
            _ => return self.fail(Problem::BadNumber),
        }
        if let [b'.', rest @ ..] = self.rest {
            self.rest = rest;
            self.some_digits()?;
        }
        let mut scaled = false;
        if let [b'e' | b'E', rest @ ..] = self.rest {
            self.rest = rest.strip_prefix(b"+").or(rest.strip_prefix(b"-")).unwrap_or(rest);
            self.some_digits()?;
            scaled = true;
        }
        let length = start.len().saturating_sub(self.rest.len());
        let number = Number::new(start.get(..length).unwrap_or_default());
        // Without an exponent, 300 digits stay below the largest double, 1.8e308.
        if (scaled || length > 300) && !number.to_f64().is_finite() {
            return self.fail(Problem::NumberOutOfRange);
        }
        Ok(number)
    }

    fn some_digits(&mut self) -> Result<()> {
        if !self.rest.first().is_some_and(u8::is_ascii_digit) {
            return self.fail(Problem::BadNumber);
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while let [b'0'..=b'9', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn fail<T>(&self, problem: Problem) -> Result<T> {
        Err(SyntaxError { offset: self.offset(), problem })
    }

    fn unexpected(&self) -> SyntaxError {
        let problem = if self.rest.is_empty() { Problem::UnexpectedEnd } else { Problem::UnexpectedByte };
        SyntaxError { offset: self.offset(), problem }
    }
}

/// Tells in most cases that the keys of an object differ, without comparing them.
#[derive(Default)]
struct Marks {
    seen: u64,
    /// Two keys fell on one mark: they may be equal.
    collide: bool,
}

impl Marks {
    fn add(&mut self, key: &[u8]) {
        let ends = match key {
            [first, .., last] => u64::from(*first).wrapping_mul(7) ^ u64::from(*last).wrapping_mul(31),
            [only] => u64::from(*only),
            [] => 0,
        };
        let mark = 1 << (ends.wrapping_add(key.len() as u64) & 63);
        self.collide |= self.seen & mark != 0;
        self.seen |= mark;
    }
}

#[cfg(test)]
mod tests;
