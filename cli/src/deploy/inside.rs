//! The policy or configuration as it stands inside another document.

use std::path::Path;

use policy::config::{Config, RequestHeaders};

use crate::{
    document::{self, Source},
    failure::Failure,
};

/// A policy or configuration that checks, and its text.
#[derive(Debug)]
pub(crate) struct Inside {
    name: String,
    text: String,
    config: Config,
    is_bare: bool,
}

/// Around a bare policy, where Envoy lets the filter hold heads of requests.
const BEFORE: &str = "{\n\"policies\": { \"policy\":\n";
const AFTER: &str = "\n},\n\"routes\": [{ \"policy\": \"policy\" }],\n\"request_headers\": \"hold\"\n}";

impl Inside {
    /// Reads a bare policy or a configuration; `-` is standard input.
    ///
    /// # Errors
    /// If it cannot be read, or does not check.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let source = Source::read(path)?;
        let config = document::check(&source)?;
        let text = embeddable(&source.text);
        // It checks, so it is an object; a bare policy is one with a version.
        let is_bare =
            serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|value| value.get("version").is_some());
        Ok(Self { name: source.name, text, config, is_bare })
    }

    /// The text for an Envoy that lets the filter hold heads of requests: a bare policy gets an envelope that says so.
    pub(crate) fn for_hold(&self) -> String {
        if self.is_bare { format!("{BEFORE}{}{AFTER}", self.text) } else { self.text.clone() }
    }

    /// The text for a proxy that does not let it.
    ///
    /// # Errors
    /// If the configuration wants that.
    pub(crate) fn for_stream(&self, proxy: &str) -> Result<&str, Failure> {
        if self.config.request_headers == RequestHeaders::Hold {
            return Err(Failure::new(format!(
                "`{}` has `\"request_headers\": \"hold\"`, which {proxy} cannot grant: leave it out",
                self.name
            )));
        }
        Ok(&self.text)
    }

    /// What the configuration says.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }
}

/// A JSON text that can stand in YAML, literally or as a value: nothing that is not ASCII, no tabs, no carriage returns.
fn embeddable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut out = String::with_capacity(text.len());
    for character in text.trim().chars() {
        match character {
            // JSON has these between its tokens only.
            '\t' => out.push_str("  "),
            '\r' => {}
            ' '..='~' | '\n' => out.push(character),
            // And all others within strings only.
            other => other.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn what_stands_inside_means_the_same() {
        let text = "\r\n{\t\"version\": \"1\",\r\n \"description\": \"für \u{1f916} \u{85}\u{2028} \\u00e9\"}\n";
        let embedded = embeddable(text.as_bytes());
        assert!(embedded.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')), "{embedded}");
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&embedded), read(text));
    }

    #[test]
    fn the_envelope_of_a_bare_policy_checks() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"version": "1", "default": "deny"}"#).unwrap();
        let inside = Inside::read(file.path()).unwrap();
        let config = policy::config::load(inside.for_hold().as_bytes()).unwrap();
        assert_eq!(config.request_headers, RequestHeaders::Hold);
        assert_eq!(inside.for_stream("Istio").unwrap(), r#"{"version": "1", "default": "deny"}"#);
    }

    #[test]
    fn a_configuration_is_left_as_it_is_and_hold_is_refused_where_it_cannot_be() {
        let text = r#"{"policies": {"p": {"version": "1", "default": "deny"}}, "routes": [{"policy": "p"}], "request_headers": "hold"}"#;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let inside = Inside::read(file.path()).unwrap();
        assert_eq!(inside.for_hold(), text);
        assert!(inside.for_stream("Istio").unwrap_err().to_string().contains("leave it out"));
    }
}
