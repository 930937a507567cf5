//! Workflow commands of GitHub Actions, which it shows beside the change.

use super::{
    super::{Checked, Count, code::Severity, finding::Finding, text::Text},
    summary,
};

pub(crate) fn github(all: &[Checked], count: Count) -> String {
    let mut out = String::new();
    for checked in all {
        for finding in &checked.findings {
            out.push_str(&command(&checked.text, finding));
            out.push('\n');
        }
    }
    out.push_str(&summary(all, count));
    out.push('\n');
    out
}

fn command(text: &Text, finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let place = match &finding.span {
        Some(span) => {
            let (start, end) = (text.position(span.start), text.position(span.end));
            format!(",line={},endLine={},col={},endColumn={}", start.line, end.line, start.column, end.column)
        }
        None => String::new(),
    };
    let said = match &finding.help {
        Some(help) => format!("{}\nhelp: {help}", finding.message),
        None => finding.message.clone(),
    };
    let (file, title, said) = (property(&text.name), property(finding.code), data(&said));
    format!("::{word} file={file}{place},title={title}::{said}")
}

/// What follows `::` must not end the line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property ends at a comma or colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(data("50%,\r\n::x"), "50%25,%0D%0A::x");
        assert_eq!(property("a:b,c%3A\n"), "a%3Ab%2Cc%253A%0A");
    }
}
