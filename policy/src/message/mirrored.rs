use std::borrow::Cow;

use super::Arguments;
use crate::json::{Reader, SyntaxError, Value};

/// Values that must each equal some scalar among the arguments of a call.
#[derive(Debug, Default)]
pub(super) struct Mirrored<'h> {
    /// Sorted by their texts once all are there: a body may hold a great many scalars.
    values: Vec<Expected<'h>>,
    /// Whether any of them is a number.
    numbers: bool,
}

#[derive(Debug)]
struct Expected<'h> {
    text: Cow<'h, [u8]>,
    /// The value as a number, if it is one: `42.0` equals 42.
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
            Ok(Value::Number(number)) => Some(number.to_f64()),
            _ => None,
        };
        self.numbers |= number.is_some();
        self.values.push(Expected { text, number, found: false });
    }

    /// Whether every value has been found. Reads the arguments once, whatever the number of values.
    pub(super) fn are_in(mut self, arguments: &Arguments<'_>) -> bool {
        if self.values.is_empty() {
            return true;
        }
        self.values.sort_unstable_by(|a, b| a.text.cmp(&b.text));
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
        self.values.iter().all(|value| value.found)
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
            Value::Number(number) => number.as_str().as_bytes().into(),
            Value::Bool(true) => b"true"[..].into(),
            Value::Bool(false) => b"false"[..].into(),
            Value::Null | Value::Array(_) | Value::Object(_) => return,
        };
        let first = self.values.partition_point(|expected| *expected.text < *text);
        let equal = self.values.iter_mut().skip(first).take_while(|expected| expected.text == text);
        equal.for_each(|expected| expected.found = true);
        if let (true, Value::Number(number)) = (self.numbers, value) {
            let number = number.to_f64();
            let equal = self.values.iter_mut().filter(|expected| expected.number == Some(number));
            equal.for_each(|expected| expected.found = true);
        }
    }
}
