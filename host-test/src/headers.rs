//! Header maps as Envoy holds them.

use std::fmt;

/// Headers or trailers: names in lower case, in the order of arrival. In the maps of a stream, the names that Envoy
/// keeps once are joined with a comma; all other repeated names stay apart.
#[derive(Clone, Default)]
pub struct HeaderMap {
    kind: MapKind,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

impl PartialEq for HeaderMap {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Eq for HeaderMap {}

/// Which of Envoy's maps it is: each keeps other names once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MapKind {
    /// Keeps every value apart.
    #[default]
    Plain,
    Request,
    Response,
    ResponseTrailers,
}

// The names that Envoy 1.40 lists at its start ("HTTP header map info") as stored in one place, where a second
// value is appended to the first.
const SINGLE_IN_REQUESTS: &str = ":authority :method :path :protocol :scheme accept accept-encoding \
    access-control-request-headers access-control-request-method access-control-request-private-network \
    authentication authorization cache-control cdn-loop connection content-encoding content-length content-type \
    expect grpc-accept-encoding grpc-timeout if-match if-modified-since if-none-match if-range if-unmodified-since \
    keep-alive origin pragma proxy-connection proxy-status referer te transfer-encoding upgrade user-agent via \
    x-client-trace-id x-envoy-attempt-count x-envoy-decorator-operation x-envoy-downstream-service-cluster \
    x-envoy-downstream-service-node x-envoy-expected-rq-timeout-ms x-envoy-external-address x-envoy-force-trace \
    x-envoy-hedge-on-per-try-timeout x-envoy-internal x-envoy-ip-tags x-envoy-is-timeout-retry x-envoy-max-retries \
    x-envoy-original-host x-envoy-original-path x-envoy-original-url x-envoy-retriable-header-names \
    x-envoy-retriable-status-codes x-envoy-retry-grpc-on x-envoy-retry-on x-envoy-upstream-alt-stat-name \
    x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-alt-response x-envoy-upstream-rq-timeout-ms \
    x-envoy-upstream-stream-duration-ms x-forwarded-client-cert x-forwarded-for x-forwarded-host x-forwarded-port \
    x-forwarded-proto x-request-id";
const SINGLE_IN_RESPONSES: &str = ":status access-control-allow-credentials access-control-allow-headers \
    access-control-allow-methods access-control-allow-origin access-control-allow-private-network \
    access-control-expose-headers access-control-max-age age cache-control connection content-encoding \
    content-length content-type date etag expires grpc-message grpc-status keep-alive last-modified location \
    proxy-connection proxy-status server transfer-encoding upgrade vary via x-envoy-attempt-count \
    x-envoy-decorator-operation x-envoy-degraded x-envoy-immediate-health-check-fail x-envoy-ratelimited \
    x-envoy-upstream-canary x-envoy-upstream-healthchecked-cluster x-envoy-upstream-service-time x-request-id";
const SINGLE_IN_RESPONSE_TRAILERS: &str = "grpc-message grpc-status";

impl MapKind {
    fn keeps_once(self, name: &[u8]) -> bool {
        let names = match self {
            MapKind::Plain => "",
            MapKind::Request => SINGLE_IN_REQUESTS,
            MapKind::Response => SINGLE_IN_RESPONSES,
            MapKind::ResponseTrailers => SINGLE_IN_RESPONSE_TRAILERS,
        };
        names.split_ascii_whitespace().any(|single| single.as_bytes() == name)
    }
}

impl HeaderMap {
    /// The map of these pairs, added one by one.
    pub fn new<K: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: &[(K, V)]) -> Self {
        HeaderMap::of_kind(MapKind::Plain, pairs)
    }

    pub(crate) fn of_kind<K: AsRef<[u8]>, V: AsRef<[u8]>>(kind: MapKind, pairs: &[(K, V)]) -> Self {
        let mut map = HeaderMap { kind, entries: Vec::new() };
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
        if self.kind.keeps_once(&name)
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
