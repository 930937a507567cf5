/// What a listing lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `tools/list`
    Tools,
    /// `resources/list`
    Resources,
    /// `resources/templates/list`
    ResourceTemplates,
    /// `prompts/list`
    Prompts,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Resources, Self::ResourceTemplates, Self::Prompts];

    /// The member of `result` that holds the entries.
    pub fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Resources => "resources",
            Self::ResourceTemplates => "resourceTemplates",
            Self::Prompts => "prompts",
        }
    }

    /// The member of an entry that rules go by.
    pub fn identifier(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::ResourceTemplates => "uriTemplate",
        }
    }
}

/// What the policies let through to a client.
///
/// Any `Fn(Kind, &str) -> bool` answers for the entries of listings and lets all else pass.
pub trait Shown {
    /// Whether the entry stays in its listing. `name` is the tool's or prompt's `name`, the resource's `uri` or the
    /// template's `uriTemplate`, unescaped.
    fn shows(&self, kind: Kind, name: &str) -> bool;

    /// As [`shows`](Self::shows), for who also goes by what the entry says: the whole entry, as it stands in the listing.
    fn shows_entry(&self, kind: Kind, name: &str, entry: &[u8]) -> bool {
        let _ = entry;
        self.shows(kind, name)
    }

    /// Whether an `endpoint` event (HTTP+SSE transport of 2024-11-05) may send the client to this URI reference, given
    /// as the server wrote it. It must lie under the same policy as the stream it comes on.
    fn shows_endpoint(&self, uri: &str) -> bool {
        let _ = uri;
        true
    }

    /// Whether the server may send the client a request or notification of this method, or ask for it by a result.
    /// `method` is unescaped. Asked only if [`judges_methods`](Self::judges_methods).
    fn passes_method(&self, method: &str) -> bool {
        let _ = method;
        true
    }

    /// Whether [`shows_entry`](Self::shows_entry) ever says no, or wants to know. If not, listings are not looked at and need not be readable.
    fn judges_listings(&self) -> bool {
        true
    }

    /// Whether [`passes_method`](Self::passes_method) ever says no. If not, what servers ask is not looked at.
    fn judges_methods(&self) -> bool {
        false
    }
}

impl<F: Fn(Kind, &str) -> bool> Shown for F {
    fn shows(&self, kind: Kind, name: &str) -> bool {
        self(kind, name)
    }
}
