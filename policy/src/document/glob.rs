//! Names with wildcards.

use core::fmt;
use std::str::Chars;

/// A name with wildcards: `*` is any run of characters, also an empty one, and `?` exactly one character.
///
/// A backslash takes the meaning from `*`, `?` or `\` after it; no other character can follow one. A name without
/// wildcards is an exact name. Matching is case-sensitive and takes at most (characters of the name) × (characters of
/// the glob) steps.
///
/// ```
/// use policy::document::glob::Glob;
///
/// let glob = Glob::parse("delete_*")?;
/// assert!(glob.matches("delete_run") && !glob.matches("undelete_run"));
/// # Ok::<(), policy::document::glob::GlobError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    tokens: Vec<Token>,
    source: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// `?`
    One,
    /// `*`; never twice in a row.
    Run,
}

/// Why a text is not a name or glob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GlobError {
    /// Nothing has an empty name.
    Empty,
    /// Longer than [`MAX_BYTES`].
    TooLong,
    /// A backslash before something that has no special meaning, or at the end.
    BadEscape,
}

/// The longest glob, in bytes.
pub const MAX_BYTES: usize = 1024;

impl Glob {
    /// Reads a glob or an exact name.
    ///
    /// # Errors
    /// If the text is empty, too long, or has a backslash before an ordinary character.
    pub fn parse(source: &str) -> Result<Self, GlobError> {
        Self::compile(source, Token::One)
    }

    /// Reads a glob or exact text in which `?` stands for itself: in a URI it starts the query.
    ///
    /// # Errors
    /// Those of [`Glob::parse`].
    pub fn parse_uri(source: &str) -> Result<Self, GlobError> {
        Self::compile(source, Token::Literal('?'))
    }

    fn compile(source: &str, question_mark: Token) -> Result<Self, GlobError> {
        if source.is_empty() {
            return Err(GlobError::Empty);
        }
        if source.len() > MAX_BYTES {
            return Err(GlobError::TooLong);
        }
        let mut tokens = Vec::with_capacity(source.len());
        let mut characters = source.chars();
        while let Some(character) = characters.next() {
            let token = match character {
                '*' if tokens.last() == Some(&Token::Run) => continue,
                '*' => Token::Run,
                '?' => question_mark,
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '?' | '\\')) => Token::Literal(escaped),
                    _ => return Err(GlobError::BadEscape),
                },
                other => Token::Literal(other),
            };
            tokens.push(token);
        }
        Ok(Self { tokens, source: source.into() })
    }

    /// Whether the whole name matches.
    pub fn matches(&self, name: &str) -> bool {
        let mut tokens = self.tokens.as_slice();
        let mut rest = name.chars();
        // Where to go on when the last `*` has to take one more character. Earlier ones never need to.
        let mut retry: Option<(&[Token], Chars<'_>)> = None;
        loop {
            match tokens {
                [Token::Run, tail @ ..] => {
                    retry = Some((tail, rest.clone()));
                    tokens = tail;
                    continue;
                }
                [token, tail @ ..] => {
                    if let Some(character) = rest.next()
                        && (*token == Token::One || *token == Token::Literal(character))
                    {
                        tokens = tail;
                        continue;
                    }
                }
                [] if rest.as_str().is_empty() => return true,
                [] => {}
            }
            let Some((after, from)) = &mut retry else { return false };
            if from.next().is_none() {
                return false;
            }
            (tokens, rest) = (*after, from.clone());
        }
    }

    /// How many characters stand for themselves. Of two globs that match a name, the one with more wins.
    pub fn literals(&self) -> usize {
        self.tokens.iter().filter(|token| matches!(token, Token::Literal(_))).count()
    }

    /// The one name that matches, if there are no wildcards.
    pub fn exact(&self) -> Option<String> {
        self.tokens
            .iter()
            .map(|token| match token {
                Token::Literal(character) => Some(*character),
                Token::One | Token::Run => None,
            })
            .collect()
    }

    /// The characters that stand for themselves, in their order.
    pub fn literal_characters(&self) -> impl Iterator<Item = char> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Literal(character) => Some(*character),
            Token::One | Token::Run => None,
        })
    }

    /// How many characters the shortest name has that matches.
    pub fn shortest(&self) -> usize {
        self.tokens.iter().filter(|token| **token != Token::Run).count()
    }

    /// Whether this surely matches every name that `other` matches: what `other` leaves open, this leaves open in the same
    /// place. A few globs that do so in another way (`?*` and `*?`) are not seen.
    pub fn covers(&self, other: &Self) -> bool {
        // Cell j of row i: whether the first i tokens of `self` cover the first j of `other`.
        let mut row = vec![false; other.tokens.len().saturating_add(1)];
        if let Some(start) = row.first_mut() {
            *start = true;
        }
        for token in &self.tokens {
            let mut next = Vec::with_capacity(row.len());
            next.push(*token == Token::Run && row.first() == Some(&true));
            for (covered, (before, without)) in other.tokens.iter().zip(row.iter().zip(row.iter().skip(1))) {
                let grown = next.last() == Some(&true);
                next.push(match token {
                    Token::Run => *without || grown,
                    Token::One => *before && *covered != Token::Run,
                    Token::Literal(_) => *before && covered == token,
                });
            }
            if !next.contains(&true) {
                return false;
            }
            row = next;
        }
        row.last() == Some(&true)
    }

    /// The glob as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether some name matches both.
    pub fn overlaps(&self, other: &Self) -> bool {
        if differ(self.tokens.iter(), other.tokens.iter())
            || differ(self.tokens.iter().rev(), other.tokens.iter().rev())
        {
            return false;
        }
        // Cell j of row i: whether the last i tokens of `self` and the last j of `other` have a name in common.
        let facing = || other.tokens.iter().rev().copied();
        let mut row = vec![true];
        for token in facing() {
            let rest = row.last().copied().unwrap_or(false);
            row.push(rest && token == Token::Run);
        }
        for token in self.tokens.iter().rev() {
            let mut next = Vec::with_capacity(row.len());
            let mut both = false;
            for (without, facing) in row.iter().zip(core::iter::once(None).chain(facing().map(Some))) {
                let without_facing = next.last().copied().unwrap_or(false);
                next.push(match (*token, facing) {
                    // A run ends here, or takes what the other glob wants.
                    (Token::Run, _) | (_, Some(Token::Run)) => *without || without_facing,
                    (_, None) => false,
                    (Token::Literal(a), Some(Token::Literal(b))) => a == b && both,
                    (Token::One, Some(_)) | (_, Some(Token::One)) => both,
                });
                both = *without;
            }
            row = next;
        }
        row.last().copied().unwrap_or(false)
    }
}

/// Whether two globs differ in a character before either has a run: most do, and share no name then.
fn differ<'t>(one: impl Iterator<Item = &'t Token>, other: impl Iterator<Item = &'t Token>) -> bool {
    let fixed = one.zip(other).take_while(|pair| !matches!(pair, (Token::Run, _) | (_, Token::Run)));
    fixed.into_iter().any(|pair| matches!(pair, (Token::Literal(a), Token::Literal(b)) if a != b))
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Display for GlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a name must not be empty",
            Self::TooLong => "a name must not be longer than 1024 bytes",
            Self::BadEscape => "a backslash must be followed by `*`, `?` or another backslash",
        })
    }
}

impl std::error::Error for GlobError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn glob(source: &str) -> Glob {
        Glob::parse(source).unwrap()
    }

    #[test]
    fn wildcards_stand_for_runs_and_single_characters() {
        for (source, name, matches) in [
            ("get_run", "get_run", true),
            ("get_run", "get_runs", false),
            ("get_run", "Get_run", false),
            ("get_*", "get_", true),
            ("get_*", "get_run", true),
            ("*", "", true),
            ("*_run", "get_run_run", true),
            ("*_run", "get_runs", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("g?t", "gét", true),
            ("g?t", "gt", false),
            ("??", "abc", false),
            (r"a\*", "a*", true),
            (r"a\*", "ab", false),
            (r"a\?\\", r"a?\", true),
        ] {
            assert_eq!(glob(source).matches(name), matches, "{source} {name}");
        }
    }

    #[test]
    fn a_question_mark_in_a_uri_is_the_query() {
        let uri = Glob::parse_uri("https://example.com/a?b=*").unwrap();
        assert!(uri.matches("https://example.com/a?b=1"));
        assert!(!uri.matches("https://example.com/aXb=1"));
    }

    #[test]
    fn more_literals_are_counted_and_wildcards_are_not() {
        assert_eq!(glob(r"a?\*b**").literals(), 3);
        assert_eq!(glob(r"a\*").exact().as_deref(), Some("a*"));
        assert_eq!(glob("a*").exact(), None);
    }

    #[test]
    fn a_glob_covers_what_it_leaves_open() {
        for (one, other, covers) in [
            ("*", "delete_*", true),
            ("delete_*", "delete_run", true),
            ("delete_*", "delete_r?n*", true),
            ("delete_run", "delete_run", true),
            ("*_run", "get_*_run", true),
            ("delete_?", "delete_*", false),
            ("delete_*", "*", false),
            ("delete_*", "delete", false),
            ("a*b*", "ab", true),
        ] {
            assert_eq!(glob(one).covers(&glob(other)), covers, "{one} {other}");
        }
        assert_eq!(
            (glob("get_?*").shortest(), glob(r"a\**").literal_characters().collect::<String>()),
            (5, "a*".to_owned())
        );
    }

    #[test]
    fn what_is_not_a_glob_is_refused() {
        assert_eq!(Glob::parse(""), Err(GlobError::Empty));
        assert_eq!(Glob::parse(r"a\"), Err(GlobError::BadEscape));
        assert_eq!(Glob::parse(r"\d"), Err(GlobError::BadEscape));
        assert_eq!(Glob::parse(&"a".repeat(1025)), Err(GlobError::TooLong));
    }

    #[test]
    fn many_runs_do_not_take_exponential_time() {
        assert!(!glob(&"*a".repeat(500)).matches(&"a".repeat(499)));
        assert!(glob(&"*a".repeat(500)).overlaps(&glob(&"a*".repeat(500))));
    }

    /// The definition, word for word.
    fn naive(glob: &[char], name: &[char]) -> bool {
        match (glob, name) {
            ([], []) => true,
            (['*', after @ ..], _) => naive(after, name) || matches!(name, [_, rest @ ..] if naive(glob, rest)),
            (['?', after @ ..], [_, rest @ ..]) => naive(after, rest),
            ([a, after @ ..], [b, rest @ ..]) => a == b && naive(after, rest),
            _ => false,
        }
    }

    /// All names over {a, b} of up to `length` characters.
    fn names(length: u32) -> impl Iterator<Item = String> {
        (0..=length).flat_map(|n| {
            (0..1_u32 << n).map(move |bits| (0..n).map(|i| if bits >> i & 1 == 0 { 'a' } else { 'b' }).collect())
        })
    }

    proptest! {
        #[test]
        fn matching_is_as_defined(source in "[ab*?]{1,8}", name in "[abé]{0,10}") {
            let (pattern, characters): (Vec<_>, Vec<_>) = (source.chars().collect(), name.chars().collect());
            prop_assert_eq!(glob(&source).matches(&name), naive(&pattern, &characters));
        }

        // Two globs of n tokens that overlap share a name of at most 2n characters: no character need be taken by two runs.
        #[test]
        fn globs_overlap_where_they_share_a_name(one in "[ab*?]{1,5}", other in "[ab*?]{1,5}") {
            let (one, other) = (glob(&one), glob(&other));
            let shared = names(10).any(|name| one.matches(&name) && other.matches(&name));
            prop_assert_eq!(one.overlaps(&other), shared);
            prop_assert_eq!(other.overlaps(&one), shared);
        }

        #[test]
        fn a_glob_that_covers_another_matches_all_its_names(one in "[ab*?]{1,5}", other in "[ab*?]{1,5}") {
            let (one, other) = (glob(&one), glob(&other));
            if one.covers(&other) {
                prop_assert!(names(8).all(|name| one.matches(&name) || !other.matches(&name)), "{} {}", one, other);
            }
        }
    }
}
