//! Filling templates in.

/// Puts values in the place of their `{{names}}`. A value of several lines stands at the place of its name: its lines
/// are indented like the line that the name is in.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len());
    for line in template.lines() {
        let indent = line.len().saturating_sub(line.trim_start().len());
        let indent = line.get(..indent).unwrap_or_default();
        let mut filled = String::new();
        let mut rest = line;
        // Values are not looked at again: what looks like a name in a policy is none.
        while let Some((before, name, after)) = next_name(rest) {
            let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value);
            filled.push_str(before);
            filled.push_str(&value.trim_end().replace('\n', &format!("\n{indent}")));
            rest = after;
        }
        filled.push_str(rest);
        // A value that is nothing takes its line with it.
        if !filled.trim().is_empty() || line.trim().is_empty() {
            out.push_str(&filled);
            out.push('\n');
        }
    }
    out
}

/// A line as what comes before its first `{{name}}`, the name, and what comes after.
fn next_name(line: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = line.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

/// A text as YAML takes it whatever is in it: a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_their_names_did() {
        let template = "a: {{x}}\nlist:\n  {{many}}\n  {{nothing}}\nb: {{x}}{{x}}\n";
        let values = [("x", "1"), ("many", "- one\n- two\n"), ("nothing", "")];
        assert_eq!(fill(template, &values), "a: 1\nlist:\n  - one\n  - two\nb: 11\n");
    }

    #[test]
    fn what_looks_like_a_name_in_a_value_is_none() {
        assert_eq!(fill("{{a}}, {{b}}\n", &[("a", "{{b}}"), ("b", "2")]), "{{b}}, 2\n");
    }

    #[test]
    fn any_text_can_be_quoted() {
        assert_eq!(quoted("a\"b: {\n"), r#""a\"b: {\n""#);
    }
}
