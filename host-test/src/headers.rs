//! Header maps as Envoy holds them.

use std::fmt;

/// Headers or trailers: names in lower case, in the order of arrival, with repeated names kept apart, except
/// for the few that Envoy keeps once and joins with a comma.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderMap {
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Names that Envoy stores in one place: a second value is appended to the first.
const SINGLE: &[&str] = &[
    ":authority",
    ":method",
    ":path",
    ":protocol",
    ":scheme",
    ":status",
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "grpc-message",
    "grpc-status",
    "if-match",
    "if-none-match",
    "keep-alive",
    "location",
    "origin",
    "pragma",
    "proxy-connection",
    "referer",
    "server",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-envoy-max-retries",
    "x-envoy-retry-on",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

impl HeaderMap {
    /// The map of these pairs, added one by one.
    pub fn new<K: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: &[(K, V)]) -> Self {
        let mut map = HeaderMap::default();
        for (name, value) in pairs {
            map.add(name.as_ref(), value.as_ref());
        }
        map
    }

    /// The first value of a name, if it is there and is UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_bytes(name.as_bytes()).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The first value of a name.
    pub fn get_bytes(&self, name: &[u8]) -> Option<&[u8]> {
        self.entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// All values of a name, in order; those that are not UTF-8 with replacement characters.
    pub fn get_all(&self, name: &str) -> Vec<String> {
        let values = self.entries.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        values.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// Name and value of each entry.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn byte_size(&self) -> usize {
        self.entries.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    pub(crate) fn entries(&self) -> &[(Vec<u8>, Vec<u8>)] {
        &self.entries
    }

    pub(crate) fn add(&mut self, name: &[u8], value: &[u8]) {
        let name = name.to_ascii_lowercase();
        if SINGLE.iter().any(|single| single.as_bytes() == name)
            && let Some((_, first)) = self.entries.iter_mut().find(|(key, _)| *key == name)
        {
            first.push(b',');
            first.extend_from_slice(value);
            return;
        }
        self.entries.push((name, value.to_vec()));
    }

    pub(crate) fn replace(&mut self, name: &[u8], value: &[u8]) {
        self.remove(name);
        self.add(name, value);
    }

    pub(crate) fn remove(&mut self, name: &[u8]) {
        self.entries.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

impl fmt::Debug for HeaderMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        f.debug_map().entries(self.entries.iter().map(|(key, value)| (text(key), text(value)))).finish()
    }
}
