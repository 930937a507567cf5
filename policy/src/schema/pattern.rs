//! `pattern` and `patternProperties`: what ECMA-262 means by them (with its flag `u`), matched in linear time.

use core::fmt::Write;
use core::iter::Peekable;
use core::str::Chars;

/// The compiled form takes at most so many KiB. Matching takes time for each byte of text and each state of the expression, so
/// a large one is refused: for lengths there are `minLength` and `maxLength`.
pub(crate) const MAX_WEIGHT: usize = 64;

/// White space and line ends of ECMA-262, for the inside of a class.
const SPACE: &str = r"\s\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}";

/// A compiled pattern with its text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(super) source: Box<str>,
    regex: regex_lite::Regex,
    weight: usize,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What cannot be used of it, in words.
    pub(crate) fn new(source: &str) -> Result<Self, Box<str>> {
        let translated = translate(source)?;
        let mut weight = 1;
        loop {
            // The engine does not tell how large an expression is, only whether it is too large.
            let limit = usize::saturating_mul(weight, 1024);
            match regex_lite::RegexBuilder::new(&translated).size_limit(limit).build() {
                Ok(regex) => return Ok(Self { source: source.into(), regex, weight }),
                Err(error) if !error.to_string().contains("size limit") => return Err(error.to_string().into()),
                Err(_) if weight >= MAX_WEIGHT => {
                    return Err("it is too large: use `minLength` and `maxLength` for lengths".into());
                }
                Err(_) => weight = usize::saturating_mul(weight, 2),
            }
        }
    }

    /// What matching a byte of text may cost, as a multiple of what it costs with the smallest expressions: KiB of the compiled
    /// form.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// Whether the pattern matches anywhere.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Writes the pattern as the engine has it.
fn translate(source: &str) -> Result<String, Box<str>> {
    let mut out = String::with_capacity(source.len());
    let mut rest = source.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => escape(&mut rest, &mut out, false)?,
            '[' => class(&mut rest, &mut out)?,
            '.' => out.push_str(r"[^\n\r\x{2028}\x{2029}]"),
            '(' if rest.peek() == Some(&'?') => {
                rest.next();
                group(&mut rest, &mut out)?;
            }
            '{' => {
                out.push('{');
                counted(&mut rest, &mut out)?;
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

/// What follows `{`, up to its end.
fn counted(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), Box<str>> {
    for character in rest {
        match character {
            '}' => {
                out.push('}');
                return Ok(());
            }
            // The engine would pass over blanks, which make it a text elsewhere.
            '0'..='9' | ',' => out.push(character),
            _ => return Err("only numbers can stand in `{…}`: write `\\{` for the brace itself".into()),
        }
    }
    Err("a `{` has no end: write `\\{` for the brace itself".into())
}

/// What follows `(?`.
fn group(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), Box<str>> {
    match rest.next() {
        Some(':') => out.push_str("(?:"),
        Some('<') if !matches!(rest.peek(), Some('=' | '!')) => out.push_str("(?<"),
        Some('=' | '!' | '<') => return Err("look-around cannot be matched in linear time".into()),
        _ => return Err("only groups `(?:…)` and `(?<name>…)` can stand here".into()),
    }
    Ok(())
}

/// What follows `[`, with its end.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), Box<str>> {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if rest.peek() == Some(&']') {
        return Err("a class needs something in it".into());
    }
    // The engine takes any number of them for themselves there, where ECMA-262 may have a range begin.
    if rest.next_if_eq(&'-').is_some() {
        out.push_str(r"\-");
    }
    while let Some(character) = rest.next() {
        match character {
            ']' => {
                out.push(']');
                return Ok(());
            }
            '\\' => escape(rest, out, true)?,
            // These have a meaning of their own in the engine's classes.
            '[' | '&' | '~' | '^' => {
                out.push('\\');
                out.push(character);
            }
            '-' if rest.peek() == Some(&']') => out.push_str(r"\-"),
            other => out.push(other),
        }
    }
    Err("a class has no end".into())
}

/// What follows a backslash.
fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String, in_class: bool) -> Result<(), Box<str>> {
    let Some(character) = rest.next() else { return Err("nothing follows the backslash".into()) };
    match character {
        'd' | 'D' | 'w' | 'W' | 't' | 'n' | 'r' | 'v' | 'f' => {
            out.push('\\');
            out.push(character);
        }
        's' if in_class => out.push_str(SPACE),
        's' => push(out, format_args!("[{SPACE}]")),
        'S' if !in_class => push(out, format_args!("[^{SPACE}]")),
        'b' if in_class => out.push_str(r"\x08"),
        'b' | 'B' if !in_class => {
            out.push('\\');
            out.push(character);
        }
        '0' if !rest.peek().is_some_and(char::is_ascii_digit) => out.push_str(r"\x00"),
        'c' => match rest.next() {
            Some(letter) if letter.is_ascii_alphabetic() => {
                push(out, format_args!(r"\x{{{:x}}}", u32::from(letter) % 32));
            }
            _ => return Err("a letter must follow `\\c`".into()),
        },
        'x' => {
            let code = hexadecimal(rest, 2)?;
            push(out, format_args!(r"\x{{{code:x}}}"));
        }
        'u' => {
            let code = code_point(rest)?;
            push(out, format_args!(r"\x{{{code:x}}}"));
        }
        '1'..='9' | 'k' => return Err("back references cannot be matched in linear time".into()),
        'p' | 'P' => return Err("classes by Unicode property are not known".into()),
        letter if letter.is_ascii_alphanumeric() => return Err(format!("the escape `\\{letter}` is not known").into()),
        // `\<` and `\>` are something else to the engine.
        other if other.is_ascii_punctuation() && !matches!(other, '<' | '>') => {
            out.push('\\');
            out.push(other);
        }
        other => out.push(other),
    }
    Ok(())
}

/// What follows `\u`: four digits, two such escapes of a surrogate pair, or digits in braces.
fn code_point(rest: &mut Peekable<Chars<'_>>) -> Result<u32, Box<str>> {
    if rest.next_if_eq(&'{').is_some() {
        let mut code: u32 = 0;
        while let Some(digit) = rest.next_if(char::is_ascii_hexdigit) {
            code = code.saturating_mul(16).saturating_add(digit.to_digit(16).unwrap_or_default());
        }
        let is_closed = rest.next() == Some('}');
        return if is_closed && char::from_u32(code).is_some() { Ok(code) } else { Err("this is no character".into()) };
    }
    let first = hexadecimal(rest, 4)?;
    if !(0xd800..0xe000).contains(&first) {
        return Ok(first);
    }
    let follows = first < 0xdc00 && rest.next() == Some('\\') && rest.next() == Some('u');
    let second = if follows { hexadecimal(rest, 4)? } else { 0 };
    if !(0xdc00..0xe000).contains(&second) {
        return Err("half of a surrogate pair is no character".into());
    }
    Ok((((first & 0x3ff) << 10) | (second & 0x3ff)).saturating_add(0x1_0000))
}

fn hexadecimal(rest: &mut Peekable<Chars<'_>>, digits: usize) -> Result<u32, Box<str>> {
    let mut code: u32 = 0;
    for _ in 0..digits {
        let digit = rest.next().and_then(|digit| digit.to_digit(16)).ok_or("hexadecimal digits must follow")?;
        code = code.saturating_mul(16).saturating_add(digit);
    }
    Ok(code)
}

fn push(out: &mut String, text: core::fmt::Arguments<'_>) {
    let _infallible = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).is_match(text)
    }

    #[test]
    fn patterns_mean_what_ecma_262_means() {
        for (pattern, text) in [
            (r"^[a-z0-9_\-]{1,64}$", "a-b"),
            (r"^\/srv\/[^/]+$", "/srv/x"),
            (r"^\s$", "\u{a0}"),
            (r"^[\s]$", "\u{feff}"),
            (r"^\S$", "a"),
            (r"^\cA$", "\u{1}"),
            (r"^[[&~^]$", "["),
            (r"^[a-]$", "-"),
            (r"^\u00e9\u{1F600}\uD83D\uDE00$", "é😀😀"),
            (r"^(?<year>\d{4})(?:-)$", "2024-"),
            (r"^[\b]\x41\0$", "\u{8}A\0"),
            (r"\bword\b", "a word"),
            (r"^\<a\>\@$", "<a>@"),
        ] {
            assert!(matches(pattern, text), "{pattern}");
        }
        for (pattern, text) in
            [(r"^.$", "\r"), (r"^.$", "\u{2028}"), (r"^\d$", "٤"), (r"^\w$", "é"), (r"^a$", "a\n"), (r"^\S$", "\u{a0}")]
        {
            assert!(!matches(pattern, text), "{pattern}");
        }
    }

    #[test]
    fn larger_patterns_weigh_more() {
        for (pattern, weight) in [("^/srv/", 1), ("^[a-z0-9_-]{1,64}$", 8), ("^(a?a?a?a?a?a?a?a?){20}$", 32)] {
            assert_eq!(Pattern::new(pattern).unwrap().weight(), weight, "{pattern}");
        }
    }

    #[test]
    fn what_takes_more_than_linear_time_or_is_not_known_is_refused() {
        for (pattern, why) in [
            (r"(?=a)", "look-around"),
            (r"(?<!a)b", "look-around"),
            (r"(a)\1", "back references"),
            (r"(?<n>a)\k<n>", "back references"),
            (r"\p{L}", "Unicode property"),
            (r"\Z", "not known"),
            (r"\A", "not known"),
            (r"(?i)a", "only groups"),
            (r"[]", "needs something"),
            (r"[a", "no end"),
            (r"a{1,60000}", "too large"),
            (r"\ud800", "surrogate"),
            (r"a\", "nothing follows"),
            (r"[\S]", "not known"),
        ] {
            let error = Pattern::new(pattern).unwrap_err();
            assert!(error.contains(why), "{pattern}: {error}");
        }
        assert!(Pattern::new("(").is_err() && Pattern::new("*a").is_err());
    }
}
