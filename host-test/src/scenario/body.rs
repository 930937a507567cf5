//! The forms in which a scenario writes a body.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::document::{Answer, Repeat, Step};

/// The forms of a body that requests and answers have in common.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// JSON.
    Message(&'a Value),
    /// Bytes that are text.
    Text(&'a str),
    /// Bytes in base64.
    Base64(&'a str),
    /// Repeated text.
    Repeat(&'a Repeat),
}

impl<'a> Body<'a> {
    fn of(
        message: &'a Option<Value>,
        text: &'a Option<String>,
        base64: &'a Option<String>,
        repeat: &'a Option<Repeat>,
    ) -> Option<Self> {
        let message = message.as_ref().map(Body::Message);
        let text = || text.as_deref().map(Body::Text);
        let base64 = || base64.as_deref().map(Body::Base64);
        message.or_else(text).or_else(base64).or_else(|| repeat.as_ref().map(Body::Repeat))
    }
}

impl Body<'_> {
    /// The bytes of the body; none if it is not base64 although it should be.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        Some(match self {
            Body::Message(message) => message.to_string().into_bytes(),
            Body::Text(text) => text.as_bytes().to_vec(),
            Body::Base64(text) => BASE64_STANDARD.decode(text.split_whitespace().collect::<String>()).ok()?,
            Body::Repeat(repeat) => {
                [repeat.before.as_str(), &repeat.text.repeat(repeat.times), &repeat.after].concat().into_bytes()
            }
        })
    }
}

impl Step {
    /// The body, unless it is a `call` or a `request`.
    #[must_use]
    pub fn body(&self) -> Option<Body<'_>> {
        Body::of(&self.message, &self.text, &self.base64, &self.repeat)
    }
}

impl Answer {
    /// The body, unless it is a `result` or `events`.
    #[must_use]
    pub fn body(&self) -> Option<Body<'_>> {
        let stream = self.stream.as_deref().map(Body::Text);
        stream.or_else(|| Body::of(&self.message, &self.text, &self.base64, &self.repeat))
    }

    /// Whether its body is given as one.
    #[must_use]
    pub fn is_event_stream(&self) -> bool {
        self.events.is_some() || self.stream.is_some()
    }
}
