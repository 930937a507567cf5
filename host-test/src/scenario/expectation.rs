//! What must come of a step, as it is written.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// What must come of a step. Either one word, `passes`, `dropped` or `limited`, or some of these.
///
/// Unless `upstream` says otherwise, a request that is `denied`, `limited`, `hidden`, `refused` or `dropped` must not reach the server,
/// and any other must reach it as it was sent. Unless `status` says otherwise, it is 200.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expectation {
    /// `passes`: the server gets the request as it was sent, and the client gets the server's answer.
    pub passes: bool,
    /// `dropped`: the client gets 202 without a body, and the server nothing.
    pub dropped: bool,
    /// A call is denied in words that the agent reads; the rule that decided.
    pub denied: Option<String>,
    /// A call is denied by a limit, and the client is told what is left.
    pub limited: Option<Limited>,
    /// When a call that is limited may come back, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// What is left of the limit that refuses.
    pub remaining: Option<f64>,
    /// The tool or prompt of this name, or the resource, is unknown.
    pub hidden: Option<String>,
    /// It is not a request that MCP has: this HTTP status, and a JSON-RPC error without an id.
    pub refused: Option<u16>,
    /// A part of what the client is told.
    pub because: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// Headers that the client gets; null: does not get.
    pub headers: BTreeMap<String, Option<String>>,
    /// The only message that the client gets has all that stands here; arrays must be as long.
    pub message: Option<Value>,
    /// The only message that the client gets is just this.
    pub exactly: Option<Value>,
    /// The events that the client gets, each with all that stands here.
    pub events: Option<Vec<Value>>,
    /// The body that the client gets, to the byte.
    pub text: Option<String>,
    /// Texts that are in the body.
    pub holds: Vec<String>,
    /// Texts that are not.
    pub lacks: Vec<String>,
    /// Texts that the client has got before the server sends the last piece of its answer.
    pub meanwhile: Vec<String>,
    /// Texts that it has not got by then.
    pub not_yet: Vec<String>,
    /// What the server gets.
    pub upstream: Option<Upstream>,
}

/// Which limit refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limited {
    /// Any.
    Somehow,
    /// The one with this rule.
    By(String),
}

/// What the server gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Upstream {
    /// Nothing of the request's body, and where heads are held nothing at all.
    Nothing,
    /// Method, path, host, body and the client's headers, but for those that the filter is documented to change.
    AsSent,
    /// What is said here.
    Shape(UpstreamShape),
}

/// Parts of what the server gets.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamShape {
    /// Its path.
    #[serde(default)]
    pub path: Option<String>,
    /// Headers; null: does not get.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// The message has all that stands here.
    #[serde(default)]
    pub message: Option<Value>,
    /// The message is just this.
    #[serde(default)]
    pub exactly: Option<Value>,
}

/// [`Expectation`] in its long form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    #[serde(default)]
    denied: Option<String>,
    #[serde(default)]
    limited: Option<String>,
    #[serde(default)]
    retry_after_ms: Option<u64>,
    #[serde(default)]
    remaining: Option<f64>,
    #[serde(default)]
    hidden: Option<String>,
    #[serde(default)]
    refused: Option<u16>,
    #[serde(default)]
    because: Option<String>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    #[serde(default)]
    message: Option<Value>,
    #[serde(default)]
    exactly: Option<Value>,
    #[serde(default)]
    events: Option<Vec<Value>>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    holds: Vec<String>,
    #[serde(default)]
    lacks: Vec<String>,
    #[serde(default)]
    meanwhile: Vec<String>,
    #[serde(default)]
    not_yet: Vec<String>,
    #[serde(default)]
    upstream: Option<Upstream>,
}

impl From<Long> for Expectation {
    fn from(long: Long) -> Self {
        let Long { denied, hidden, refused, because, status, headers, message, exactly, events, text, .. } = long;
        let Long { holds, lacks, meanwhile, not_yet, upstream, limited, retry_after_ms, remaining, .. } = long;
        Self {
            passes: false,
            dropped: false,
            denied,
            limited: limited.map(Limited::By),
            retry_after_ms,
            remaining,
            hidden,
            refused,
            because,
            status,
            headers,
            message,
            exactly,
            events,
            text,
            holds,
            lacks,
            meanwhile,
            not_yet,
            upstream,
        }
    }
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap;
        impl<'de> Visitor<'de> for WordOrMap {
            type Value = Expectation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`passes`, `dropped`, `limited` or what must come of the step")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Expectation, E> {
                match word {
                    "passes" => Ok(Expectation { passes: true, ..Expectation::default() }),
                    "dropped" => Ok(Expectation { dropped: true, ..Expectation::default() }),
                    "limited" => Ok(Expectation { limited: Some(Limited::Somehow), ..Expectation::default() }),
                    _ => Err(E::unknown_variant(word, &["passes", "dropped", "limited"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expectation, A::Error> {
                Long::deserialize(MapAccessDeserializer::new(map)).map(Expectation::from)
            }
        }
        deserializer.deserialize_any(WordOrMap)
    }
}

impl<'de> Deserialize<'de> for Upstream {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap;
        impl<'de> Visitor<'de> for WordOrMap {
            type Value = Upstream;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`nothing`, `as sent` or what the server gets")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Upstream, E> {
                match word {
                    "nothing" => Ok(Upstream::Nothing),
                    "as sent" => Ok(Upstream::AsSent),
                    _ => Err(E::unknown_variant(word, &["nothing", "as sent"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Upstream, A::Error> {
                UpstreamShape::deserialize(MapAccessDeserializer::new(map)).map(Upstream::Shape)
            }
        }
        deserializer.deserialize_any(WordOrMap)
    }
}

impl Expectation {
    /// Whether the filter answers in the server's place.
    #[must_use]
    pub fn stops(&self) -> bool {
        let Self { denied, limited, hidden, refused, .. } = self;
        self.dropped || denied.is_some() || limited.is_some() || hidden.is_some() || refused.is_some()
    }
}
