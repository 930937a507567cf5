//! `format`: each in one pass over the text, as the RFC has it.

mod host;
mod time;
mod uri;

use core::net::{Ipv4Addr, Ipv6Addr};

/// A format that is asserted.
#[derive(Debug)]
pub(crate) struct Format {
    pub(super) name: &'static str,
    holds: fn(&str) -> bool,
}

impl Format {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
        FORMATS.iter().map(|format| format.name)
    }

    pub(super) fn holds(&self, text: &str) -> bool {
        (self.holds)(text)
    }
}

static FORMATS: [Format; 13] = [
    Format { name: "date-time", holds: time::date_time },
    Format { name: "date", holds: time::date },
    Format { name: "time", holds: time::time },
    Format { name: "duration", holds: time::duration },
    Format { name: "email", holds: host::email },
    Format { name: "hostname", holds: host::hostname },
    Format { name: "ipv4", holds: |text| text.parse::<Ipv4Addr>().is_ok() },
    Format { name: "ipv6", holds: |text| text.parse::<Ipv6Addr>().is_ok() },
    Format { name: "uri", holds: uri::uri },
    Format { name: "uri-reference", holds: uri::reference },
    Format { name: "uuid", holds: uuid },
    Format { name: "json-pointer", holds: json_pointer },
    Format { name: "relative-json-pointer", holds: relative_json_pointer },
];

/// RFC 4122: digits in groups of 8, 4, 4, 4 and 12.
fn uuid(text: &str) -> bool {
    let mut groups = text.split('-');
    let sound = [8, 4, 4, 4, 12].iter().all(|digits| {
        groups.next().is_some_and(|group| group.len() == *digits && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    sound && groups.next().is_none()
}

/// RFC 6901.
fn json_pointer(text: &str) -> bool {
    let mut rest = text.split('~');
    let begins = text.is_empty() || text.starts_with('/');
    rest.next();
    begins && rest.all(|after| after.starts_with(['0', '1']))
}

/// Steps up, then a pointer or `#`.
fn relative_json_pointer(text: &str) -> bool {
    let rest = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let digits = text.len().saturating_sub(rest.len());
    digits > 0 && !(digits > 1 && text.starts_with('0')) && (rest == "#" || json_pointer(rest))
}
