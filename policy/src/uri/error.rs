//! Why a text is no URI that can be compared.

use core::fmt;

/// Why a text is no URI that can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriError {
    /// Longer than [`MAX_BYTES`](super::MAX_BYTES).
    TooLong,
    /// It does not start with a scheme and a colon.
    NoScheme,
    /// A character that a URI cannot hold unencoded (RFC 3986 section 2). URL parsers drop some of them.
    BadCharacter,
    /// A percent sign that is not followed by two hexadecimal digits.
    BadEncoding,
    /// `%2F`: some servers take it for a path separator.
    EncodedSlash,
    /// `%3F` or `%23` in a file's path: some servers decode before they look for the query.
    EncodedDelimiter,
    /// `%25` before two hexadecimal digits: some servers decode twice.
    EncodedTwice,
    /// `\` or `%5C`: some servers take it for a slash.
    Backslash,
    /// `%00`: some servers end the text there.
    Nul,
    /// The encoding of a control character: parsers that see it decoded drop tabs and line breaks.
    Control,
    /// A character that is not ASCII, or the encoding of one.
    NotAscii,
    /// A host or port is missing, malformed or not in its usual form.
    BadAuthority,
    /// User information: servers that look at the host only do not see it.
    UserInfo,
    /// A file of another host, or one without a root: servers read the path all the same, on their own machine.
    NotLocal,
    /// A wildcard in a scheme or host, where it would match another host as well.
    Wildcard,
    /// An expression of a URI template (RFC 6570) that is malformed, or stands where it could change more than a part of
    /// the path, of the query or of a name in a server's own scheme.
    Expression,
    /// A dot segment that readers resolve differently, or that only some take for one.
    DotSegment,
    /// More `..` than there are segments before it. RFC 3986 drops them, servers that read a URI as a path do not.
    AboveRoot,
    /// Two slashes in a row, outside `file:`: some servers read them as one.
    EmptySegment,
    /// A file's URI that ends in a slash: some servers drop it.
    TrailingSlash,
    /// A segment of a file's path that ends in a dot or a space: some file systems drop these.
    TrailingDot,
    /// `;` in the path of a file or of a web scheme: some servers cut the segment there.
    Parameter,
    /// A query in a file's URI: some servers take it for a part of the name, others drop it.
    FileQuery,
    /// `?` with nothing after it: the same resource as without.
    EmptyQuery,
    /// A fragment: it is the client's business, and servers drop it.
    Fragment,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "a URI must not be longer than 8192 bytes",
            Self::NoScheme => "a URI starts with a scheme and a colon, such as `file:` or `https:`",
            Self::BadCharacter => "a URI cannot hold this character unless it is percent-encoded",
            Self::BadEncoding => "a percent sign must be followed by two hexadecimal digits",
            Self::EncodedSlash => "an encoded slash is ambiguous",
            Self::EncodedDelimiter => "an encoded `?` or `#` in a file's path is ambiguous",
            Self::EncodedTwice => "`%25` before two hexadecimal digits is ambiguous, as some servers decode twice",
            Self::Backslash => "a backslash is ambiguous",
            Self::Nul => "a NUL character is ambiguous",
            Self::Control => "an encoded control character is ambiguous",
            Self::NotAscii => "a character that is not ASCII is ambiguous, even if it is encoded",
            Self::BadAuthority => {
                "the host or port is missing or malformed; hosts are written without percent-encoding, IPv4 addresses as \
                 four decimal numbers"
            }
            Self::UserInfo => "a URI with user information before an `@` is always refused",
            Self::NotLocal => "a file's URI starts with `file:///`; one of another host is always refused",
            Self::Wildcard => {
                "a wildcard also matches `/`, so none can stand before `://` or in a host, unless it is the whole host or, \
                 outside the web, ends it"
            }
            Self::Expression => {
                "an expression of a URI template is malformed, or could change the scheme, the host or where the query starts"
            }
            Self::DotSegment => {
                "a segment `.` or `..` is ambiguous if it is encoded, comes last, stands beside a wildcard, in a query or in a \
                 path without a root, or removes anything but a plain name"
            }
            Self::AboveRoot => "the segments `..` lead above the root",
            Self::EmptySegment => "two slashes in a row are ambiguous",
            Self::TrailingSlash => "a file's URI that ends in a slash is always refused; `/*` matches what is in a folder",
            Self::TrailingDot => "a file's name that ends in a dot or a space is ambiguous",
            Self::Parameter => "a `;` in the path is ambiguous unless it is percent-encoded",
            Self::FileQuery => "a `?` starts a query, and a file's URI with a query is always refused",
            Self::EmptyQuery => "a URI that ends in `?` is always refused",
            Self::Fragment => "a URI with a fragment is always refused: servers do not see it",
        })
    }
}

impl std::error::Error for UriError {}
