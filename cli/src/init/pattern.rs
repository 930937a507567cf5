//! `pattern` of JSON Schema (ECMA 262) as an expression of a policy, where both mean the same.

/// The expression, if every part of the pattern means the same to both. What differs, or may: `\s` (Unicode there), `\b`
/// and look-around, back references, Unicode escapes, and classes that hold brackets or repeated signs.
pub(super) fn same(pattern: &str) -> Option<&str> {
    let mut characters = pattern.chars().peekable();
    let mut class: Option<Option<char>> = None;
    while let Some(character) = characters.next() {
        match (character, class) {
            ('\\', _) => match characters.next()? {
                'd' | 'D' | 'w' | 'W' | 't' | 'n' | 'r' => {}
                escaped if ".-/_^$*+?()[]{}|\\@#&~:".contains(escaped) => {
                    // The policy's engine takes `\/`, `\@`, `\:` and `\_` for what they are only where it knows them.
                    if "_@:/".contains(escaped) && regex_lite::Regex::new(&format!("\\{escaped}")).is_err() {
                        return None;
                    }
                }
                _ => return None,
            },
            // Sets and intersections of sets, to one of the two.
            (']', Some(None)) | ('[', Some(_)) => return None,
            ('&' | '~' | '-', Some(Some(before))) if before == character => return None,
            (']', Some(_)) => class = None,
            ('^', Some(None)) => class = Some(Some('^')),
            (other, Some(_)) if !other.is_ascii() => return None,
            (other, Some(_)) => class = Some(Some(other)),
            ('[', None) => class = Some(None),
            ('(', None) if characters.peek() == Some(&'?') => {
                characters.next();
                if characters.next()? != ':' {
                    return None;
                }
            }
            // Without a number before it, it is a brace to one of the two.
            ('{', None) if !characters.peek()?.is_ascii_digit() => return None,
            ('}', None) => {}
            (other, None) if !other.is_ascii() || other.is_control() => return None,
            _ => {}
        }
    }
    (class.is_none() && pattern.len() <= 512 && regex_lite::Regex::new(pattern).is_ok()).then_some(pattern)
}

/// The expression of what a pattern does not allow, where it is a run of one set of characters: `^[a-z]+$`.
pub(super) fn against(pattern: &str) -> Option<String> {
    let pattern = same(pattern)?;
    let inner = pattern.strip_prefix("^[")?;
    let (set, rest) = inner.split_once(']')?;
    if set.is_empty() || set.starts_with('^') || set.contains('\\') && set.ends_with('\\') {
        return None;
    }
    match rest {
        "*$" => Some(format!("[^{set}]")),
        "+$" => Some(format!("[^{set}]|^$")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_patterns_are_taken_and_those_that_differ_are_not() {
        for pattern in ["^[a-z0-9_-]+$", r"^\d{4}-\d{2}$", "^(?:a|b)$", r"^v\d+\.\d+$", "^#[0-9A-Fa-f]{6}$"] {
            assert_eq!(same(pattern), Some(pattern), "{pattern}");
        }
        for pattern in [
            r"^\S+$",
            r"\bword\b",
            "(?=a)",
            "(?<!a)b",
            r"(a)\1",
            r"\p{L}",
            r"^\u00e9$",
            "[[a]",
            "[a&&b]",
            "[]a]",
            "é",
            "a{,3}",
            "(?i)a",
            "[",
        ] {
            assert_eq!(same(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn a_run_of_one_set_can_be_turned_around() {
        assert_eq!(against("^[a-z_]+$").as_deref(), Some("[^a-z_]|^$"));
        assert_eq!(against("^[a-z]*$").as_deref(), Some("[^a-z]"));
        for pattern in ["^[a-z]", "[a-z]+$", "^[^a]+$", "^[a-z]{2}$", "^[a]+|[b]+$"] {
            assert_eq!(against(pattern), None, "{pattern}");
        }
    }
}
