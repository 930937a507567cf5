//! Another reader and writer of protobuf, made from its specification, so that the messages are not only held against
//! the code that made them.

/// A field: its number, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    Number(u64, u64),
    Bytes(u64, Vec<u8>),
}

pub(super) fn text(number: u64, text: &str) -> Field {
    Field::Bytes(number, text.as_bytes().to_vec())
}

pub(super) fn message(number: u64, fields: &[Field]) -> Field {
    Field::Bytes(number, write(fields))
}

pub(super) fn read(mut bytes: &[u8]) -> Vec<Field> {
    let mut fields = vec![];
    while !bytes.is_empty() {
        let tag = take_varint(&mut bytes);
        fields.push(match tag & 7 {
            0 => Field::Number(tag >> 3, take_varint(&mut bytes)),
            2 => {
                let length = usize::try_from(take_varint(&mut bytes)).unwrap();
                let (content, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(tag >> 3, content.to_vec())
            }
            other => panic!("wire type {other}"),
        });
    }
    fields
}

fn take_varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

pub(super) fn write(fields: &[Field]) -> Vec<u8> {
    let mut bytes = vec![];
    for field in fields {
        match field {
            Field::Number(number, value) => {
                put_varint(&mut bytes, number << 3);
                put_varint(&mut bytes, *value);
            }
            Field::Bytes(number, content) => {
                put_varint(&mut bytes, number << 3 | 2);
                put_varint(&mut bytes, content.len() as u64);
                bytes.extend_from_slice(content);
            }
        }
    }
    bytes
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}
