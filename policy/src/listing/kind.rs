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

/// What the policies show to a client.
///
/// Any `Fn(Kind, &str) -> bool` answers for entries and lets every endpoint pass.
pub trait Shown {
    /// Whether the entry stays in its listing. `name` is the tool's or prompt's `name`, the resource's `uri` or the
    /// template's `uriTemplate`, unescaped.
    fn shows(&self, kind: Kind, name: &str) -> bool;

    /// Whether an `endpoint` event (HTTP+SSE transport of 2024-11-05) may send the client to this URI reference, given
    /// as the server wrote it. It must lie under the same policy as the stream it comes on.
    fn shows_endpoint(&self, uri: &str) -> bool {
        let _ = uri;
        true
    }
}

impl<F: Fn(Kind, &str) -> bool> Shown for F {
    fn shows(&self, kind: Kind, name: &str) -> bool {
        self(kind, name)
    }
}
