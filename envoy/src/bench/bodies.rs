//! The calls that are sent.

use serde_json::{Value, json};

/// The tool that the variants' rules are for.
pub(super) const TOOL: &str = "get_run";
/// One that is always allowed and never counted, with a name as long.
pub(super) const UNCOUNTED: &str = "get_all";

/// One size and shape of a `tools/call`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// 270 bytes: what agents mostly send.
    Small,
    /// 1 KiB.
    Kilobyte,
    /// 60 KiB, nearly all of it one string.
    OneString,
    /// 60 KiB in 700 small objects.
    ManyObjects,
}

impl Body {
    /// All of them, smallest first.
    pub const ALL: [Self; 4] = [Self::Small, Self::Kilobyte, Self::OneString, Self::ManyObjects];

    /// For the head of a column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "270 B",
            Self::Kilobyte => "1 KiB",
            Self::OneString => "60 KiB, one string",
            Self::ManyObjects => "60 KiB, 700 objects",
        }
    }

    fn length(self) -> usize {
        match self {
            Self::Small => 270,
            Self::Kilobyte => 1 << 10,
            Self::OneString | Self::ManyObjects => 60 << 10,
        }
    }

    /// The body, of exactly the length that its name says.
    #[must_use]
    pub fn bytes(self, tool: &str) -> Vec<u8> {
        let steps: Vec<Value> = match self {
            Self::ManyObjects => (0..700)
                .map(|step| json!({ "step": step, "well": "A1", "volume": 12.5, "mix": true, "tip": null }))
                .collect(),
            _ => Vec::new(),
        };
        let call = |note: String| {
            json!({
                "jsonrpc": "2.0",
                "id": 7,
                "method": "tools/call",
                "params": {
                    "name": tool,
                    "arguments": { "run_id": "0af7651916cd43dd8448eb211c80319c", "steps": steps, "note": note },
                },
            })
            .to_string()
        };
        let missing = self.length().saturating_sub(call(String::new()).len());
        call("x".repeat(missing)).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_has_the_length_that_it_promises() {
        for body in Body::ALL {
            assert_eq!(body.bytes(TOOL).len(), body.length(), "{body:?}");
        }
    }
}
