//! The table of `--explain`.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::policy::Judged;
use crate::classify::Class;

/// The table, the gravest tools first.
pub(super) fn table(judged: &[Judged<'_>]) -> String {
    let mut rows: Vec<&Judged<'_>> = judged.iter().collect();
    rows.sort_by_key(|judged| std::cmp::Reverse(judged.verdict.class.severity()));
    let shown =
        |judged: &Judged<'_>| judged.name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let width = |values: &mut dyn Iterator<Item = usize>| values.max().unwrap_or_default();
    let names = width(&mut rows.iter().map(|row| shown(row).chars().count())).clamp(4, 60);
    let rules = width(&mut rows.iter().map(|row| row.rule().chars().count())).max(4);
    let mut text = format!("{:names$}  {:11}  {:8}  {:rules$}  evidence\n", "tool", "class", "severity", "rule");
    for row in &rows {
        let class = row.verdict.class;
        let style = style(class);
        let evidence: Vec<String> = row.verdict.evidence.iter().take(3).map(ToString::to_string).collect();
        let evidence = if evidence.is_empty() { "no verb that is known".to_owned() } else { evidence.join(", ") };
        // Writing to a string cannot fail.
        writeln!(
            text,
            "{:names$}  {style}{class:11}{style:#}  {:8}  {:rules$}  {evidence}",
            shown(row),
            class.severity_word(),
            row.rule()
        )
        .ok();
    }
    text
}

fn style(class: Class) -> Style {
    match class.severity() {
        0 => Style::new(),
        1 => AnsiColor::Cyan.on_default(),
        2 => AnsiColor::Yellow.on_default(),
        _ => AnsiColor::Red.on_default().bold(),
    }
}
