//! Names taken apart into words, whatever style they are written in.

/// The words of a name in lower case: `github__createIssue`, `github.create-issue` and `GITHUB_CREATE_ISSUE` are the same.
/// Versions (`v2`, `3`) are no words.
pub(super) fn split(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        if character.is_uppercase() {
            let before = at.checked_sub(1).and_then(|before| characters.get(before));
            let after = characters.get(at.saturating_add(1));
            // `getIssue` after a small letter; `HTTPServer` before the last capital of a run.
            let small_before = before.is_some_and(|c| c.is_alphanumeric() && !c.is_uppercase());
            let last_of_run = before.is_some_and(|c| c.is_uppercase()) && after.is_some_and(|c| c.is_lowercase());
            if small_before || last_of_run {
                words.push(String::new());
            }
        }
        if let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.trim_start_matches('v').chars().all(|c| c.is_ascii_digit()));
    words
}

/// How a verb is bent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `delete`
    Base,
    /// `deletes`, which is also how a plural looks.
    Third,
    /// `deleted`
    Past,
    /// `deleting`
    Gerund,
}

/// Forms that no rule gives, and nouns that are only made of a verb.
const IRREGULAR: &[(&str, &str, Form)] = &[
    ("sent", "send", Form::Past),
    ("paid", "pay", Form::Past),
    ("bought", "buy", Form::Past),
    ("sold", "sell", Form::Past),
    ("ran", "run", Form::Past),
    ("written", "write", Form::Past),
    ("wrote", "write", Form::Past),
    ("made", "make", Form::Past),
    ("found", "find", Form::Past),
    ("built", "build", Form::Past),
    ("spent", "spend", Form::Past),
    ("withdrawn", "withdraw", Form::Past),
    ("withdrawal", "withdraw", Form::Base),
    ("deletion", "delete", Form::Base),
    ("removal", "remove", Form::Base),
    ("destruction", "destroy", Form::Base),
    ("destruct", "destroy", Form::Base),
    ("termination", "terminate", Form::Base),
    ("revocation", "revoke", Form::Base),
    ("cancellation", "cancel", Form::Base),
    ("execution", "execute", Form::Third),
];

/// What a word may be a form of, the likeliest first.
pub(super) fn lemmas(word: &str) -> Vec<(String, Form)> {
    let mut found = vec![(word.to_owned(), Form::Base)];
    found.extend(IRREGULAR.iter().filter(|(is, ..)| *is == word).map(|(_, of, form)| ((*of).to_owned(), *form)));
    let mut stems = |end: &str, form: Form, instead: &[&str]| {
        let Some(stem) = word.strip_suffix(end).filter(|stem| stem.chars().count() >= 2) else { return };
        found.extend(instead.iter().map(|tail| (format!("{stem}{tail}"), form)));
        let mut last = stem.chars().rev();
        if form != Form::Third && last.next() == last.next() {
            // `dropped`, `running`
            let mut single = stem.to_owned();
            single.pop();
            found.push((single, form));
        }
    };
    stems("ies", Form::Third, &["y"]);
    stems("es", Form::Third, &["", "e"]);
    stems("s", Form::Third, &[""]);
    stems("ied", Form::Past, &["y"]);
    stems("ed", Form::Past, &["", "e"]);
    stems("ing", Form::Gerund, &["", "e"]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_gives_the_same_words() {
        for name in [
            "create_issue",
            "create-issue",
            "createIssue",
            "CreateIssue",
            "CREATE_ISSUE",
            "create.issue",
            "create/issue v2",
        ] {
            assert_eq!(split(name), ["create", "issue"], "{name}");
        }
        assert_eq!(split("executeSQL"), ["execute", "sql"]);
        assert_eq!(split("getHTTPServer"), ["get", "http", "server"]);
        assert_eq!(split("getS3Object"), ["get", "s3", "object"]);
        assert_eq!(split("__"), [""; 0]);
    }

    #[test]
    fn bent_verbs_lead_back_to_their_base() {
        for (word, base) in [
            ("deletes", "delete"),
            ("deleted", "delete"),
            ("deleting", "delete"),
            ("dropped", "drop"),
            ("running", "run"),
            ("copies", "copy"),
            ("paid", "pay"),
            ("fetches", "fetch"),
            ("deletion", "delete"),
        ] {
            assert!(lemmas(word).iter().any(|(lemma, _)| lemma == base), "{word}");
        }
    }
}
