//! Dynamic metadata, as Envoy serialises it: `envoy.config.core.v3.Metadata`, whose values are
//! `google.protobuf.Struct`.
//!
//! It is read from its bytes because the attribute of a single value has lost its type: the string `"12345678"` and
//! some number are the same eight bytes there.

/// How deep claims may be nested.
const MAX_DEPTH: usize = 32;

/// One value of the metadata: an encoded `google.protobuf.Value`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a>(&'a [u8]);

/// The value at `path`, whose first part is the name of the filter that wrote it.
pub(crate) fn find<'a>(metadata: &'a [u8], path: &[&str]) -> Option<Value<'a>> {
    let [filter, key, rest @ ..] = path else {
        return None;
    };
    Value(entry(entry(metadata, filter)?, key)?).at(rest)
}

impl<'a> Value<'a> {
    /// The text, if the value is a string.
    pub(crate) fn as_str(&self) -> Option<&'a str> {
        match Fields(self.0).last()? {
            (3, Wire::Bytes(text)) => core::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// The value as JSON; none if it is not one.
    pub(crate) fn to_json(self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.write(&mut out, MAX_DEPTH)?;
        Some(out)
    }

    /// The value at a way into objects.
    pub(crate) fn at<K: AsRef<str>>(self, keys: &[K]) -> Option<Self> {
        keys.iter().try_fold(self, |value, key| entry(value.fields()?, key.as_ref()).map(Value))
    }

    /// Whether the value is this text, or a list that holds it.
    pub(crate) fn is_or_holds(&self, text: &str) -> bool {
        match Fields(self.0).last() {
            Some((6, Wire::Bytes(values))) => Fields(values).any(|value| match value {
                (1, Wire::Bytes(value)) => Value(value).as_str() == Some(text),
                _ => false,
            }),
            _ => self.as_str() == Some(text),
        }
    }

    fn fields(&self) -> Option<&'a [u8]> {
        match Fields(self.0).last()? {
            (5, Wire::Bytes(fields)) => Some(fields),
            _ => None,
        }
    }

    fn write(&self, out: &mut Vec<u8>, room: usize) -> Option<()> {
        let room = room.checked_sub(1)?;
        match Fields(self.0).last()? {
            (1, Wire::Varint(_)) => out.extend_from_slice(b"null"),
            (2, Wire::Fixed64(bits)) => {
                let number = f64::from_bits(bits);
                number.is_finite().then(|| out.extend_from_slice(number.to_string().as_bytes()))?;
            }
            (3, Wire::Bytes(text)) => policy::json::write_string(out, core::str::from_utf8(text).ok()?),
            (4, Wire::Varint(bool)) => out.extend_from_slice(if bool == 0 { b"false" } else { b"true" }),
            (5, Wire::Bytes(fields)) => {
                out.push(b'{');
                for (nth, field) in Fields(fields).enumerate() {
                    let (1, Wire::Bytes(field)) = field else {
                        return None;
                    };
                    let (key, value) = key_and_value(field)?;
                    if nth > 0 {
                        out.push(b',');
                    }
                    policy::json::write_string(out, core::str::from_utf8(key).ok()?);
                    out.push(b':');
                    Value(value).write(out, room)?;
                }
                out.push(b'}');
            }
            (6, Wire::Bytes(values)) => {
                out.push(b'[');
                for (nth, value) in Fields(values).enumerate() {
                    let (1, Wire::Bytes(value)) = value else {
                        return None;
                    };
                    if nth > 0 {
                        out.push(b',');
                    }
                    Value(value).write(out, room)?;
                }
                out.push(b']');
            }
            _ => return None,
        }
        Some(())
    }
}

/// The value of a map's entry: field 1 of both `Metadata` and `Struct` is such a map. The last one of a key counts.
fn entry<'a>(map: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let mut found = None;
    for field in Fields(map) {
        if let (1, Wire::Bytes(field)) = field
            && let Some((name, value)) = key_and_value(field)
            && name == key.as_bytes()
        {
            found = Some(value);
        }
    }
    found
}

fn key_and_value(entry: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut key, mut value) = (None, None);
    for field in Fields(entry) {
        match field {
            (1, Wire::Bytes(bytes)) => key = Some(bytes),
            (2, Wire::Bytes(bytes)) => value = Some(bytes),
            _ => return None,
        }
    }
    Some((key?, value?))
}

/// The fields of an encoded message, up to the first that is malformed.
struct Fields<'a>(&'a [u8]);

enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Wire<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => {
                let (bytes, rest) = self.0.split_first_chunk::<8>()?;
                self.0 = rest;
                Wire::Fixed64(u64::from_le_bytes(*bytes))
            }
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Wire::Bytes(bytes)
            }
            _ => return None,
        };
        Some((tag >> 3, wire))
    }
}

impl Fields<'_> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}
