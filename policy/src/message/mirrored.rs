use std::borrow::Cow;

use super::Arguments;
use crate::json::{Reader, SyntaxError, Value};
use crate::sort::sort_by;

/// Values that must each equal some scalar among the arguments of a call.
///
/// A body may hold a great many scalars, so each is looked up among the values and not held against them all.
#[derive(Debug, Default)]
pub(super) struct Mirrored<'h> {
    /// Sorted, and each once, as soon as all are there.
    values: Vec<Expected<'h>>,
    /// Those that are numbers, likewise, and whether each has been found: `42.0` equals 42.
    numbers: Vec<(f64, bool)>,
}

#[derive(Debug)]
struct Expected<'h> {
    text: Cow<'h, [u8]>,
    number: Option<f64>,
    found: bool,
}

impl<'h> Mirrored<'h> {
    pub(super) fn expect(&mut self, text: Cow<'h, [u8]>) {
        let number = Reader::new(&text, 0).and_then(|mut reader| {
            let value = reader.value()?;
            reader.end().map(|()| value)
        });
        let number = match number {
            Ok(Value::Number(number)) => Some(comparable(number.to_f64())),
            _ => None,
        };
        self.values.push(Expected { text, number, found: false });
    }

    /// Whether every value has been found. Reads the arguments once, whatever the number of values.
    pub(super) fn are_in(mut self, arguments: &Arguments<'_>) -> bool {
        if self.values.is_empty() {
            return true;
        }
        self.values = sort_by(self.values, |a, b| a.text.cmp(&b.text));
        self.values.dedup_by(|a, b| a.text == b.text);
        let numbers = self.values.iter().filter_map(|value| Some((value.number?, false)));
        self.numbers = sort_by(numbers.collect(), |(a, _), (b, _)| a.total_cmp(b));
        self.numbers.dedup_by(|(a, _), (b, _)| a == b);
        for (_, value) in arguments.members() {
            // Cannot fail: the reader has checked them.
            let _checked = match value {
                Value::Object(raw) | Value::Array(raw) => self.search(&mut raw.reader()),
                scalar => {
                    self.compare(scalar);
                    Ok(())
                }
            };
        }
        let numbers = &self.numbers;
        let is_found = |number: f64| numbers.iter().any(|(other, found)| *found && *other == number);
        self.values.iter().all(|value| value.found || value.number.is_some_and(is_found))
    }

    fn search(&mut self, reader: &mut Reader<'_>) -> Result<(), SyntaxError> {
        match reader.peek() {
            Some(b'{') => reader.object(|reader, _| self.search(reader)),
            Some(b'[') => reader.array(|reader| self.search(reader)),
            _ => {
                let value = reader.value()?;
                self.compare(&value);
                Ok(())
            }
        }
    }

    fn compare(&mut self, value: &Value<'_>) {
        let text = match value {
            Value::String(text) => text.decode_bytes(),
            Value::Number(number) => {
                if !self.numbers.is_empty() {
                    self.find(comparable(number.to_f64()));
                }
                number.as_str().as_bytes().into()
            }
            Value::Bool(true) => b"true"[..].into(),
            Value::Bool(false) => b"false"[..].into(),
            Value::Null | Value::Array(_) | Value::Object(_) => return,
        };
        let place = self.values.binary_search_by(|expected| (*expected.text).cmp(&*text));
        if let Some(expected) = place.ok().and_then(|place| self.values.get_mut(place)) {
            expected.found = true;
        }
    }

    fn find(&mut self, number: f64) {
        let place = self.numbers.binary_search_by(|(other, _)| other.total_cmp(&number));
        if let Some((_, found)) = place.ok().and_then(|place| self.numbers.get_mut(place)) {
            *found = true;
        }
    }
}

/// Both zeros as one.
fn comparable(number: f64) -> f64 {
    number + 0.0
}
