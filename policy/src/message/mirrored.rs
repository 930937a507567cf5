use std::borrow::Cow;

use super::Arguments;
use crate::json::{Reader, SyntaxError, Value};

/// Values that must each equal some scalar among the arguments of a call.
#[derive(Debug, Default)]
pub(super) struct Mirrored<'h> {
    values: Vec<Expected<'h>>,
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
            Ok(Value::Number(number)) => number.to_exact_f64(),
            _ => None,
        };
        self.values.push(Expected { text, number, found: false });
    }

    /// Whether every value has been found. Reads the arguments once, whatever the number of values.
    pub(super) fn are_in(mut self, arguments: &Arguments<'_>) -> bool {
        if self.values.is_empty() {
            return true;
        }
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
        let (text, number) = match value {
            Value::String(text) => (text.decode_bytes(), None),
            Value::Number(number) => (number.as_str().as_bytes().into(), number.to_exact_f64()),
            Value::Bool(true) => (b"true"[..].into(), None),
            Value::Bool(false) => (b"false"[..].into(), None),
            Value::Null | Value::Array(_) | Value::Object(_) => return,
        };
        for expected in &mut self.values {
            expected.found |= expected.text == text || number.is_some() && expected.number == number;
        }
    }
}
