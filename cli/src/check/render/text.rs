//! For people: the line, and what is wrong with it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{
    super::{
        Checked, Count,
        code::Severity,
        finding::Finding,
        text::{Text, continues},
    },
    summary,
};

/// A line of more bytes was not written by hand: it is cut here, as the renderer would take its time for each finding.
const LONG: usize = 2000;

/// How many bytes of such a line are shown before and after the place.
const CONTEXT: usize = 60;

/// Each finding with its line, and a last line that counts them.
pub(crate) fn text(all: &[Checked], count: Count) -> String {
    let renderer = Renderer::styled();
    let mut out = String::new();
    for checked in all {
        for finding in &checked.findings {
            out.push_str(&renderer.render(&[group(&checked.text, finding)]));
            out.push_str("\n\n");
        }
    }
    out.push_str(&summary(all, count));
    out.push('\n');
    out
}

fn group<'a>(text: &'a Text, finding: &'a Finding) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(&finding.message).id(finding.code);
    let mut group = Group::with_title(title);
    if let Some(span) = &finding.span {
        let at = text.position(span.start);
        let long = text.line(span.start).len() > LONG;
        let (line, marked) = excerpt(text, span, if long { CONTEXT } else { LONG });
        let snippet = Snippet::source(line).line_start(at.line).annotation(AnnotationKind::Primary.span(marked));
        group = if long {
            // The renderer counts columns in what it is given.
            group.element(Origin::path(&text.name).line(at.line).char_column(at.column)).element(snippet)
        } else {
            group.element(snippet.path(&text.name))
        };
    }
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
}

/// So many bytes of a line before and after a place, and which bytes of that to mark.
fn excerpt(text: &Text, span: &Range<usize>, context: usize) -> (String, Range<usize>) {
    let line = text.line(span.start);
    let at = span.start.clamp(line.start, line.end);
    let end = span.end.clamp(at, line.end).min(at + 2 * context);
    let from = boundary(text, at.saturating_sub(context).max(line.start), line.start);
    let to = boundary(text, (end + context).min(line.end), at);
    let end = boundary(text, end, at);
    let part = |range: Range<usize>| String::from_utf8_lossy(text.bytes.get(range).unwrap_or_default()).into_owned();
    let mut shown = if from > line.start { "…".to_owned() } else { String::new() };
    shown.push_str(&part(from..at));
    let start = shown.len();
    shown.push_str(&part(at..end));
    let marked = start..shown.len();
    shown.push_str(&part(end..to));
    if to < line.end {
        shown.push('…');
    }
    (shown, marked)
}

/// The nearest offset before that does not lie inside a character, or the least one.
fn boundary(text: &Text, mut at: usize, least: usize) -> usize {
    while at > least && text.bytes.get(at).is_some_and(|byte| continues(*byte)) {
        at -= 1;
    }
    at
}
