use std::borrow::Cow;

use crate::message::{Params, Reference};

/// What a method's rules are looked up by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'m> {
    /// A tool is called.
    Tool(&'m str),
    /// A prompt is fetched or completed.
    Prompt(Cow<'m, str>),
    /// A resource is read or watched.
    Resource(Cow<'m, str>),
    /// A variable of a resource's URI template (RFC 6570) is completed.
    Template(Cow<'m, str>),
    /// Several resources are watched at once.
    Resources(&'m [Cow<'m, str>]),
    /// The method is part of every session and passes; lists are filtered on their way back.
    Passes,
    /// Any other method is judged by its own name.
    Method,
}

impl<'m> Target<'m> {
    /// The target of a request or notification.
    pub fn of(method: &str, params: &'m Params<'_>) -> Self {
        let name = || params.name.as_deref().unwrap_or_default();
        let uri = || Self::Resource(params.uri.as_deref().unwrap_or_default().into());
        match method {
            "tools/call" => Self::Tool(name()),
            "prompts/get" => Self::Prompt(name().into()),
            // Clients of the revision that has dropped these methods probe for them: what to say is the server's business.
            "resources/subscribe" | "resources/unsubscribe"
                if params.uri.is_none() && params.protocol_version.is_some() =>
            {
                Self::Passes
            }
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => uri(),
            "completion/complete" => match &params.reference {
                Some(Reference::Prompt(name)) => Self::Prompt(Cow::Borrowed(name)),
                Some(Reference::Resource(uri)) => Self::Template(Cow::Borrowed(uri)),
                None => Self::Method,
            },
            "initialize" | "ping" | "server/discover" | "logging/setLevel" => Self::Passes,
            "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list" => Self::Passes,
            // Without resources it only watches lists, which are filtered when they are fetched.
            "subscriptions/listen" if params.subscriptions.is_empty() => Self::Passes,
            "subscriptions/listen" => Self::Resources(&params.subscriptions),
            _ if method.starts_with("notifications/") || method.starts_with("tasks/") => Self::Passes,
            _ => Self::Method,
        }
    }
}
