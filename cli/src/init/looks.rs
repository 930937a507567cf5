//! What an argument is for, told from its name and format, and what a cautious policy refuses of it. This goes beyond the
//! schema; docs/cli.md says how far.

use serde_json::{Value, json};

use super::schema::Described;

/// What is refused, as an op with its value, and what the agent is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    pub(super) op: &'static str,
    pub(super) value: Value,
    pub(super) told: String,
}

/// A step to the folder above, a NUL, a backslash, and the same percent-encoded.
const PATH: &str = r"(?i)(^|/)\.\.(/|$)|[\x00\\]|%(00|2e|2f|5c)";

/// What does not begin with `http://` or `https://`: an expression says what is, so it says where a text leaves them.
const NOT_HTTP: &str = "[^h]|h[^t]|ht[^t]|htt[^p]|http[^s:]|https[^:]|https?:[^/]|https?:/[^/]|h?t?t?p?s?:?/?$";

/// Hosts that are the server itself, its network, or the metadata service of its cloud, however they are written.
const INSIDE: &str = r"localhost|[^/?#]*\.(localhost|internal|local)\.?([:/?#]|$)|0|127\.|10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|169\.254\.|100\.100\.100\.200|[0-9]+([:/?#]|$)|\[(::|f[cd]|fe[89ab])|metadata([:/?#.]|$)";

/// The same for a host alone; networks of one's own are what such arguments are for.
const OWN_HOST: &str = r"(?i)^\[?(localhost|.*\.localhost|0|127\.|169\.254\.|100\.100\.100\.200|[0-9]+$|::1?([/\]%]|$)|::ffff:|fe[89ab][0-9a-f]:|fd00:ec2:|metadata(\.|$))|[/@\\\x00-\x20]";

/// Networks that an address must not lie in: this host, its link, and with it the metadata services of clouds.
const OWN_NETWORKS: [&str; 7] =
    ["127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8", "::1", "::", "fe80::/10", "fd00:ec2::/32"];

/// What to refuse of a string by the name it has.
pub(super) fn by_name(name: &str, described: &Described<'_>) -> Option<Refused> {
    let words: Vec<String> = words(name);
    let last = words.last()?.as_str();
    let about = described.text("description").unwrap_or_default().to_lowercase();
    let refused = if url(&words, &about) {
        let value = format!("(?i)^({NOT_HTTP}|https?://([^/?#]*[@\\\\]|{INSIDE}))");
        let told = format!("`{name}` must be an http or https URL of a public host.");
        Refused { op: "regex", value: json!(value), told }
    } else if last == "ip" || last == "ipv4" || words.ends_with(&["ip".to_owned(), "address".to_owned()]) {
        let told = format!("`{name}` must be an IP address, and not of this host or its link.");
        if ["host name", "hostname", "dns", "or host", "domain", "comma"].iter().any(|word| about.contains(word)) {
            Refused {
                op: "regex",
                value: json!(OWN_HOST),
                told: format!("`{name}` must not be this host or its link."),
            }
        } else {
            Refused { op: "cidr", value: json!(OWN_NETWORKS), told }
        }
    } else if matches!(last, "host" | "hostname") {
        Refused { op: "regex", value: json!(OWN_HOST), told: format!("`{name}` must not be this host or its link.") }
    } else if path(&words) {
        Refused {
            op: "regex",
            value: json!(PATH),
            told: format!("`{name}` must not hold `..`, a backslash or an encoded character."),
        }
    } else {
        return None;
    };
    let own = described.own_values().filter_map(Value::as_str);
    (!own.into_iter().any(|value| refused.refuses(value))).then_some(refused)
}

impl Refused {
    /// Whether a value that the schema itself names would be refused.
    fn refuses(&self, value: &str) -> bool {
        match self.op {
            "regex" => {
                self.value.as_str().and_then(|text| regex_lite::Regex::new(text).ok()).is_none_or(|r| r.is_match(value))
            }
            _ => {
                value.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback() || address.is_unspecified())
                    || value.parse::<std::net::IpAddr>().is_err()
            }
        }
    }
}

fn words(name: &str) -> Vec<String> {
    crate::classify::words(name)
}

/// Names of URLs of the web. `database_url` and `repo_url` are none: they have schemes of their own.
fn url(words: &[String], about: &str) -> bool {
    const OTHER: [&str; 12] =
        ["://", "file:", "s3:", "data:", "git", "ssh", "database", "connection", "chrome", "about:", "proxy", "local"];
    let about = about.replace("https://", "").replace("http://", "");
    let last = words.last().map(String::as_str).unwrap_or_default();
    let kind = words.iter().rev().nth(1).map(String::as_str);
    let web = matches!(
        kind,
        None | Some(
            "page"
                | "web"
                | "website"
                | "webhook"
                | "callback"
                | "target"
                | "site"
                | "article"
                | "start"
                | "image"
                | "avatar"
                | "link"
        )
    );
    matches!(last, "url" | "urls") && web && words.len() <= 2 && !OTHER.iter().any(|scheme| about.contains(scheme))
}

fn path(words: &[String]) -> bool {
    let last = words.last().map(String::as_str).unwrap_or_default();
    let before = words.iter().rev().nth(1).map(String::as_str).unwrap_or_default();
    let kind = matches!(
        last,
        "path" | "paths" | "filepath" | "filename" | "filenames" | "dir" | "directory" | "folder" | "cwd" | "workdir"
    );
    kind && !matches!(before, "x" | "json" | "xml" | "css" | "field" | "key" | "attribute" | "class")
}

/// What a `format` does not allow, where an expression can say so and every value of the format escapes it.
pub(super) fn by_format(name: &str, format: &str) -> Option<Refused> {
    let (expression, what) = match format {
        "ipv4" | "ip-address" => (r"[^0-9.]|^[^.]*$", "an IPv4 address"),
        "ipv6" => (r"[^0-9A-Fa-f:.]|^[^:]*$", "an IPv6 address"),
        "ip" => (r"[^0-9A-Fa-f:.]|^[^:.]*$", "an IP address"),
        "uri" | "url" | "iri" => (r"[\x00-\x1f]|^[^:]*$", "a URI"),
        "email" | "idn-email" => (r"[\x00-\x1f]|^[^@]*$", "an email address"),
        "uuid" => (r"[^0-9A-Fa-f-]", "a UUID"),
        "date" => (r"[^0-9-]", "a date"),
        "date-time" => (r"[^0-9TtZz:.+ -]", "a date and time"),
        "hostname" => (r"[^A-Za-z0-9.-]", "a host name"),
        _ => return None,
    };
    Some(Refused { op: "regex", value: json!(expression), told: format!("`{name}` must be {what}.") })
}
