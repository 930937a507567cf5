use std::borrow::Cow;

/// What is known of a call beside its body. The plugin answers from Envoy; tests answer from a table.
pub trait Facts {
    /// The value of the grant, as `identity.grant` sees it. None for the anonymous grant.
    fn grant(&self) -> Option<&str>;
    /// A claim of the verified token, as JSON.
    fn claim(&self, name: &str) -> Option<&[u8]>;
    /// A request header by its lower-case name.
    fn header(&self, name: &str) -> Header<'_>;
    /// Seconds since 1970-01-01 UTC.
    fn unix_seconds(&self) -> u64;
}

/// What a request header holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Header<'a> {
    /// It is not there.
    Absent,
    /// It is there once.
    Once(Cow<'a, str>),
    /// It is there more than once, or is not UTF-8: servers differ in what they make of it.
    Unclear,
}
