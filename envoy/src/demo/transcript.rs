//! What was asked, what became of it, and whether that was right.

use std::fmt::Write;

use super::{CATALOGUE_PATH, Step};
use crate::client::Outcome;

/// What became of a call, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The tool ran.
    Allowed,
    /// Refused for now.
    Limited,
    /// Refused.
    Denied,
    /// Answered as if there were no such tool.
    Hidden,
    /// None of these: the tool or the server failed by itself.
    Failed,
}

impl Fate {
    /// Reads it off an outcome.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done(_) => Self::Allowed,
            Outcome::Refused(refusal) if refusal.retry_after_ms.is_some() => Self::Limited,
            Outcome::Refused(_) => Self::Denied,
            Outcome::Error { code: -32602, message } if message.starts_with("Unknown tool") => Self::Hidden,
            Outcome::Error { .. } | Outcome::Failed(_) => Self::Failed,
        }
    }

    /// The word, and the terminal's colour for it.
    fn shown(self) -> (&'static str, &'static str) {
        match self {
            Self::Allowed => ("allowed", "32"),
            Self::Limited => ("limited", "33"),
            Self::Denied => ("denied", "31"),
            Self::Hidden => ("hidden", "35"),
            Self::Failed => ("FAILED", "1;31"),
        }
    }
}

/// One line of the transcript.
#[derive(Debug)]
enum Line {
    Session(String),
    Call { call: String, fate: Fate, rule: String, text: String, mistake: Option<String> },
    End(String),
}

/// Everything that was asked, in order.
#[derive(Debug, Default)]
pub struct Transcript {
    lines: Vec<Line>,
    reached: usize,
    executed: Option<usize>,
}

impl Transcript {
    /// Begins the calls of one session.
    pub(super) fn session(&mut self, path: &str, tools: &[String]) {
        let policy = if path == CATALOGUE_PATH { "catalogue" } else { "policy" };
        self.lines.push(Line::Session(format!(
            "{path} under examples/opentrons/{policy}.json; tools/list shows {} of 14 tools",
            tools.len()
        )));
    }

    /// Adds a call.
    pub(super) fn call(&mut self, step: Step, outcome: &Outcome) {
        let fate = Fate::of(outcome);
        self.reached += usize::from(outcome.reached_the_tool());
        let rule = outcome.rule().unwrap_or_default();
        let text = match outcome {
            Outcome::Done(text) | Outcome::Failed(text) => text.clone(),
            Outcome::Refused(refusal) => refusal.text.clone(),
            Outcome::Error { code, message } => format!("{message} ({code})"),
        };
        let right = fate == step.expected.fate && step.expected.rule.is_none_or(|expected| expected == rule);
        let mistake = (!right).then(|| {
            let expected = step.expected;
            format!("expected {} {}", expected.fate.shown().0, expected.rule.unwrap_or_default())
        });
        self.lines.push(Line::Call {
            call: format!("{} {}", step.tool, step.note).trim_end().to_owned(),
            fate,
            rule: rule.to_owned(),
            text,
            mistake,
        });
    }

    /// Closes with what the server itself counted.
    pub(super) fn end(&mut self, executed: usize) {
        self.executed = Some(executed);
        let calls = self.lines.iter().filter(|line| matches!(line, Line::Call { .. })).count();
        self.lines.push(Line::End(format!(
            "{calls} calls; {} were answered by the robot's server, which saw {executed}: nothing of the others reached it",
            self.reached
        )));
    }

    /// Whether every outcome was as expected, and nothing that was refused reached the server.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        let right = |line: &Line| !matches!(line, Line::Call { mistake: Some(_), .. });
        self.lines.iter().all(right) && self.executed == Some(self.reached)
    }

    /// The transcript as aligned columns, with colours where they can be seen.
    #[must_use]
    pub fn text(&self, colours: bool) -> String {
        let widest = |column: fn(&Line) -> Option<&str>| {
            self.lines.iter().filter_map(column).map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let call_width = widest(|line| if let Line::Call { call, .. } = line { Some(call) } else { None });
        let rule_width = widest(|line| if let Line::Call { rule, .. } = line { Some(rule) } else { None });
        let paint = |text: &str, colour: &str| {
            if colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
        };
        let mut out = String::new();
        for line in &self.lines {
            // Writing to a String cannot fail.
            let _always_written = match line {
                Line::Session(text) => {
                    let heads = format!(
                        "  {:call_width$}  {:8} {:rule_width$}  what the agent is told",
                        "call", "outcome", "rule"
                    );
                    writeln!(out, "\n{}\n\n{}", paint(text, "1"), paint(&heads, "2"))
                }
                Line::End(text) => writeln!(out, "\n{text}"),
                Line::Call { call, fate, rule, text, mistake } => {
                    let (word, colour) = fate.shown();
                    let word = paint(&format!("{word:8}"), colour);
                    let text = mistake.as_ref().map_or_else(|| text.clone(), |mistake| format!("<- {mistake}; {text}"));
                    writeln!(out, "  {call:call_width$}  {word} {rule:rule_width$}  {text}")
                }
            };
        }
        out
    }
}
