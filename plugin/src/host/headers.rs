use std::borrow::Cow;

use super::{Result, Status, check, imports, take};

/// A header map that is passing. It can be read and changed only in its own phase.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(crate) enum HeaderMap {
    Request = 0,
    Response = 2,
}

/// All headers of a map, as they came: repeated ones are there more than once.
#[derive(Debug, Default)]
pub(crate) struct Headers {
    /// The ABI's serialised pairs: their number, the lengths of all names and values, then names and values, each
    /// with a NUL behind it.
    pairs: Vec<u8>,
}

impl Headers {
    /// Reads the whole map in one host call.
    pub(crate) fn read(map: HeaderMap) -> Result<Self> {
        // SAFETY: the pointers are those that `take` gives, valid during the call.
        let pairs = take(|data, length| unsafe { imports::proxy_get_header_map_pairs(map as u32, data, length) })?;
        let headers = Self { pairs };
        // Outside its phase the map reads as empty: nothing can be judged by that.
        if headers.iter().next().is_none() { Err(Status::NOT_FOUND) } else { Ok(headers) }
    }

    /// Names (in lower case) and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let (count, rest) = self.pairs.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        let count = u32::from_le_bytes(*count) as usize;
        let (lengths, mut data) = rest.split_at_checked(count.saturating_mul(8)).unwrap_or_default();
        let mut field = move |length: &[u8; 4]| {
            let length = u32::from_le_bytes(*length) as usize;
            let (field, rest) = data.split_at_checked(length)?;
            data = rest.get(1..)?;
            Some(field)
        };
        lengths.as_chunks::<8>().0.iter().map_while(move |lengths| {
            let (name, value) = lengths.split_first_chunk::<4>()?;
            Some((field(name)?, field(value.first_chunk::<4>()?)?))
        })
    }

    /// All values of a header, by its lower-case name.
    pub(crate) fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.iter().filter(move |(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
    }

    /// Whether the header is there at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The value of a header that is there exactly once and is UTF-8.
    pub(crate) fn once(&self, name: &str) -> policy::decision::Header<'_> {
        use policy::decision::Header;
        let mut values = self.iter().filter(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (None, _) => Header::Absent,
            (Some(value), None) => match core::str::from_utf8(value) {
                Ok(text) => Header::Once(Cow::Borrowed(text)),
                Err(_) => Header::Unclear,
            },
            (Some(_), Some(_)) => Header::Unclear,
        }
    }

    /// The first value of a header, if it is UTF-8. For headers that Envoy itself makes sure are single.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        let value = self.iter().find(|(key, _)| *key == name.as_bytes())?.1;
        core::str::from_utf8(value).ok()
    }
}

/// Sets a header, whatever values it had.
pub(crate) fn set_header(map: HeaderMap, name: &str, value: &str) -> Result<()> {
    // SAFETY: pointers and lengths are those of live slices, which the host only reads.
    check(unsafe {
        imports::proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Removes all values of a header. One that is not there is no error.
pub(crate) fn remove_header(map: HeaderMap, name: &str) -> Result<()> {
    // SAFETY: pointer and length are those of a live slice, which the host only reads.
    check(unsafe { imports::proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}
