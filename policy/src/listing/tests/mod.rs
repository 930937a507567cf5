mod events;
mod messages;
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
