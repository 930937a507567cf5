//! One JSON object for programs.

use serde_json::{Value, json};

use super::{
    super::{Checked, Count},
    pretty,
};

pub(crate) fn json(all: &[Checked], count: Count) -> String {
    let findings: Vec<Value> =
        all.iter().flat_map(|checked| checked.findings.iter().map(|f| finding(checked, f))).collect();
    pretty(&json!({
        "errors": count.errors,
        "warnings": count.warnings,
        "notes": count.notes,
        "findings": findings,
    }))
}

fn finding(checked: &Checked, finding: &super::super::Finding) -> Value {
    let mut value = json!({
        "file": checked.text.name,
        "severity": finding.severity.word(),
        "code": finding.code,
        "message": finding.message,
        "help": finding.help,
        "pointer": finding.pointer,
    });
    if let Some(span) = &finding.span {
        let (start, end) = (checked.text.position(span.start), checked.text.position(span.end));
        value["line"] = start.line.into();
        value["column"] = start.column.into();
        value["end_line"] = end.line.into();
        value["end_column"] = end.column.into();
        value["offset"] = span.start.into();
    }
    value
}
