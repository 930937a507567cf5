mod asking;
mod careless;
mod events;
mod messages;
mod methods;
mod reference;
mod splits;
mod streams;
mod trees;

use super::{Kind, Shown};

/// Hides what is called `hidden…`, and endpoints elsewhere than under `/mcp`.
struct Lab;

impl Shown for Lab {
    fn shows(&self, _: Kind, name: &str) -> bool {
        !name.starts_with("hidden")
    }

    fn shows_endpoint(&self, uri: &str) -> bool {
        uri.starts_with("/mcp")
    }
}

/// [`Lab`] that also denies `elicitation/create` and what is called `denied/…`.
struct Quiet;

impl Shown for Quiet {
    fn shows(&self, kind: Kind, name: &str) -> bool {
        Lab.shows(kind, name)
    }

    fn shows_endpoint(&self, uri: &str) -> bool {
        Lab.shows_endpoint(uri)
    }

    fn passes_method(&self, method: &str) -> bool {
        method != "elicitation/create" && !method.starts_with("denied/")
    }

    fn judges_methods(&self) -> bool {
        true
    }
}
