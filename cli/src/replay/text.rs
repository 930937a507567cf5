//! A report for people.

use anstyle::{AnsiColor, Style};

use super::report::{Change, Decided, Kind, Report};

const DENIED: Style = AnsiColor::Red.on_default().bold();
const ALLOWED: Style = AnsiColor::Yellow.on_default().bold();
const UNDECIDABLE: Style = AnsiColor::Cyan.on_default().bold();

/// Totals, then what changes, then what to know of it.
pub(super) fn of(report: &Report) -> String {
    let Report { bodies, calls, first, last, as_recorded, refused_otherwise, .. } = report;
    let mut out = format!("{calls} calls in {bodies} bodies, from {first} to {last}\n");
    for (what, count) in [
        ("as recorded", *as_recorded),
        ("refused otherwise", *refused_otherwise),
        ("newly denied", report.newly_denied),
        ("newly allowed", report.newly_allowed),
        ("undecidable", report.undecidable),
    ] {
        out.push_str(&format!("{count:>8}  {what}\n"));
    }
    let mut kind = None;
    for change in &report.changes {
        if kind != Some(change.group.change) {
            kind = Some(change.group.change);
            let (style, title) = match change.group.change {
                Kind::NewlyDenied => (DENIED, "newly denied"),
                Kind::NewlyAllowed => (ALLOWED, "newly allowed"),
                Kind::Undecidable => (UNDECIDABLE, "undecidable"),
            };
            out.push_str(&format!("\n{style}{title}{style:#}\n"));
        }
        out.push_str(&line(change));
    }
    let damaged = match report.damaged_lines {
        0 => None,
        1 => Some("1 line cannot be read, and is left out".to_owned()),
        lines => Some(format!("{lines} lines cannot be read, and are left out")),
    };
    let notes: Vec<&String> = damaged.iter().chain(&report.notes).collect();
    if !notes.is_empty() {
        out.push('\n');
    }
    for note in notes {
        out.push_str(&format!("note: {note}\n"));
    }
    out
}

fn line(Change { group, calls, first, last }: &Change) -> String {
    let about = if group.method == "tools/call" { String::new() } else { format!("{} ", plain(&group.method)) };
    let name = if group.name.is_empty() { String::new() } else { format!("{} ", plain(&group.name)) };
    let what = match (&group.becomes, group.change) {
        (_, Kind::NewlyAllowed) => format!("was {}", group.was),
        (Some(becomes), _) => becomes.to_string(),
        (None, _) => needs(&group.needs),
    };
    format!("{calls:>8}  {about}{name}grant {}: {what}\n          {first} to {last}\n", plain(&group.grant))
}

/// What is missing, and how to have it recorded.
fn needs(needs: &[String]) -> String {
    let paths: Vec<String> = needs
        .iter()
        .filter(|needs| !needs.starts_with('('))
        .map(|path| serde_json::Value::from(path.as_str()).to_string())
        .collect();
    let all = needs.iter().map(|needs| plain(needs)).collect::<Vec<_>>().join(", ");
    let hint = if paths.is_empty() {
        String::new()
    } else {
        format!("; add `\"record\": [{}]` to the rule", paths.join(", "))
    };
    format!("needs {all}{hint}")
}

impl std::fmt::Display for Decided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.outcome.replace('_', " "))?;
        match (&self.rule, &*self.policy) {
            (None, _) => Ok(()),
            (Some(rule), "") => write!(f, " by {}", plain(rule)),
            (Some(rule), policy) => write!(f, " by {} {}", plain(policy), plain(rule)),
        }
    }
}

/// What clients wrote, without what a terminal would follow.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() || is_format(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

/// Whether a terminal shows nothing for it, or turns what follows around.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
