//! SARIF 2.1.0 (OASIS), which code scanning services take.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};

use super::{
    super::{Checked, code, code::Severity, finding::Finding, text::Text},
    pretty,
};

pub(crate) fn sarif(all: &[Checked]) -> String {
    // Rules in the order of their names; a result points to its own by number.
    let codes = all.iter().flat_map(|checked| &checked.findings).map(|finding| (finding.code, finding.severity));
    let codes: BTreeMap<&str, Severity> = codes.collect();
    let rules: Vec<Value> = codes.iter().map(|(code, severity)| rule(code, *severity)).collect();
    let results = all.iter().flat_map(|checked| {
        let index = |finding: &Finding| codes.keys().position(|code| *code == finding.code);
        checked.findings.iter().map(move |finding| result(&checked.text, finding, index(finding)))
    });
    let results: Vec<Value> = results.collect();
    pretty(&json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "mcp-policy", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(name: &str, severity: Severity) -> Value {
    let about = code::ALL.iter().find(|code| code.name == name).map(|code| code.about);
    let about = about.unwrap_or("the filter refuses the document");
    json!({
        "id": name,
        "shortDescription": { "text": about },
        "defaultConfiguration": { "level": severity.word() },
    })
}

fn result(text: &Text, finding: &Finding, index: Option<usize>) -> Value {
    let said = match &finding.help {
        Some(help) => format!("{} (help: {help})", finding.message),
        None => finding.message.clone(),
    };
    let mut physical = json!({ "artifactLocation": { "uri": uri(&text.name) } });
    if let Some(span) = &finding.span {
        let (start, end) = (text.position(span.start), text.position(span.end));
        physical["region"] = json!({
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        });
    }
    let mut location = json!({ "physicalLocation": physical });
    if !finding.pointer.is_empty() {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": finding.pointer }]);
    }
    json!({
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity.word(),
        "message": { "text": said },
        "locations": [location],
    })
}

/// The name of a file as a URI reference (RFC 3986); one that is absolute as `file:`.
fn uri(name: &str) -> String {
    let mut uri = if Path::new(name).is_absolute() { "file://".to_owned() } else { String::new() };
    for byte in name.strip_prefix("./").unwrap_or(name).bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_uris() {
        for (name, expected) in [
            ("policies/lab.json", "policies/lab.json"),
            ("./my policy:1.json", "my%20policy%3A1.json"),
            ("/srv/é.json", "file:///srv/%C3%A9.json"),
            ("<stdin>", "%3Cstdin%3E"),
        ] {
            assert_eq!(uri(name), expected);
        }
    }
}
