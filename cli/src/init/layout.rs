//! Writing JSON for people: what fits on a line is on one.

use serde_json::Value;

/// How wide a line may be.
const WIDTH: usize = 120;

/// A JSON value whose members keep their order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Leaf(Value),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Leaf(Value::String(text.into()))
    }

    pub(super) fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// On one line.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Leaf(value) => value.to_string(),
            Self::List(elements) => {
                format!("[{}]", elements.iter().map(Self::line).collect::<Vec<_>>().join(", "))
            }
            Self::Object(members) if members.is_empty() => "{}".to_owned(),
            Self::Object(members) => {
                let member = |(name, value): &(String, Json)| format!("{}: {}", quoted(name), value.line());
                format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// On as many lines as it takes, with a line break at the end.
    pub(super) fn pretty(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0, 0, true);
        text.push('\n');
        text
    }

    /// `used` is how much of the line is taken, `open` breaks the value whether it fits or not.
    fn write(&self, text: &mut String, depth: usize, used: usize, open: bool) {
        let line = self.line();
        let fits = used.saturating_add(line.chars().count()) <= WIDTH;
        let indent = "  ".repeat(depth.saturating_add(1));
        let (brackets, parts): (_, Vec<(String, &Json)>) = match self {
            Self::List(elements) if !fits => ("[]", elements.iter().map(|element| (String::new(), element)).collect()),
            Self::Object(members) if !fits || open && !members.is_empty() => {
                ("{}", members.iter().map(|(name, value)| (format!("{}: ", quoted(name)), value)).collect())
            }
            _ => return text.push_str(&line),
        };
        let (begin, end) = brackets.split_at(1);
        text.push_str(begin);
        for (at, (name, value)) in parts.iter().enumerate() {
            text.push_str(if at == 0 { "\n" } else { ",\n" });
            text.push_str(&indent);
            text.push_str(name);
            // A comma may follow.
            let used = indent.len().saturating_add(name.chars().count()).saturating_add(1);
            // The rules of a policy stand one below the other.
            value.write(text, depth.saturating_add(1), used, depth == 0 && name == "\"tools\": ");
        }
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
        text.push_str(end);
    }
}

fn quoted(name: &str) -> String {
    Value::String(name.to_owned()).to_string()
}
