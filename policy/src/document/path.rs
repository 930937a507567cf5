//! Where a condition looks: `args.a.b`, `args.list[0]`, `args.list[*].x`, `args["odd.key"]`, `identity.grant`,
//! `identity.claims.team`, `request.headers.x-env`, `time.hour`, `time.weekday`.

use core::fmt;

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// What the steps start from.
    pub root: Root,
    /// The way from there. At least one for arguments and claims, none for the others.
    pub steps: Vec<Step>,
    /// The path as written, for reports.
    pub source: Box<str>,
}

/// What a path starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// `args`: the arguments of the call.
    Arguments,
    /// `identity.claims`: the verified claims of the caller. The first step is the claim's name.
    Claims,
    /// `request.headers.NAME`: a request header, its name in lower case.
    Header(Box<str>),
    /// `identity.grant`: the value of the credential that the call is made under.
    Grant,
    /// `time.hour`: 0 to 23, UTC.
    Hour,
    /// `time.weekday`: ISO 8601, 1 (Monday) to 7 (Sunday), UTC.
    Weekday,
}

/// One step of a path into a JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.key` or `["key"]`: a member of an object.
    Key(Box<str>),
    /// `[0]`: an element of an array, counted from 0.
    Index(usize),
    /// `[*]`: every element of an array under `require`, any under `deny_if`.
    Every,
}

/// The one argument that a limit adds: a path without `[*]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentPath {
    /// The way from the arguments. At least one; none is [`Step::Every`].
    pub steps: Vec<Step>,
    /// The path as written, for reports.
    pub source: Box<str>,
}

/// Why a text is not a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// It starts with none of the roots.
    UnknownRoot,
    /// Nothing follows `args` or `identity.claims`.
    NoStep,
    /// Something follows a root that has no inside.
    StepsAfterLeaf,
    /// A step is empty, or holds a character that must stand in `["…"]`.
    BadKey,
    /// `[…]` holds neither an index, nor `*`, nor a quoted key.
    BadBracket,
    /// The name after `request.headers` is not an HTTP field name (RFC 9110 section 5.1).
    BadHeader,
    /// `[*]` where one value is wanted.
    ManyValues,
    /// A path that does not start with `args` where an argument is wanted.
    NotAnArgument,
    /// More steps than [`MAX_STEPS`].
    TooManySteps,
}

/// The most steps of a path: as deep as a message may be nested by default.
pub const MAX_STEPS: usize = 64;

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// If the text is not a path.
    pub fn parse(source: &str) -> Result<Self, PathError> {
        let path = |root, steps| Ok(Self { root, steps, source: source.into() });
        let leaf = |rest: &str, root| if rest.is_empty() { path(root, vec![]) } else { Err(PathError::StepsAfterLeaf) };
        if let Some(rest) = after(source, "args") {
            path(Root::Arguments, some_steps(rest)?)
        } else if let Some(rest) = after(source, "identity.claims") {
            let steps = some_steps(rest)?;
            if matches!(steps.first(), Some(Step::Key(_))) { path(Root::Claims, steps) } else { Err(PathError::NoStep) }
        } else if let Some(rest) = after(source, "request.headers") {
            path(Root::Header(header(rest)?), vec![])
        } else if let Some(rest) = after(source, "identity.grant") {
            leaf(rest, Root::Grant)
        } else if let Some(rest) = after(source, "time.hour") {
            leaf(rest, Root::Hour)
        } else if let Some(rest) = after(source, "time.weekday") {
            leaf(rest, Root::Weekday)
        } else {
            Err(PathError::UnknownRoot)
        }
    }
}

impl Path {
    /// Whether both lead to the same, however they are written.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.root == other.root && self.steps == other.steps
    }
}

impl ArgumentPath {
    /// Reads the path of one argument, such as `args.amount`.
    ///
    /// # Errors
    /// If the text is not a path, does not start with `args`, or holds `[*]`.
    pub fn parse(source: &str) -> Result<Self, PathError> {
        let Path { root, steps, source } = Path::parse(source).map_err(|error| match error {
            PathError::UnknownRoot => PathError::NotAnArgument,
            other => other,
        })?;
        if root != Root::Arguments {
            return Err(PathError::NotAnArgument);
        }
        if steps.contains(&Step::Every) {
            return Err(PathError::ManyValues);
        }
        Ok(Self { steps, source })
    }
}

/// Reads steps of the form `.a.b[0]["c"]`, as they stand after a root. At least one.
///
/// # Errors
/// If the text is not steps, or empty.
pub(crate) fn some_steps(text: &str) -> Result<Vec<Step>, PathError> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (step, tail) = if let Some(tail) = rest.strip_prefix('.') {
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            let (key, tail) = tail.split_at_checked(end).ok_or(PathError::BadKey)?;
            if key.is_empty()
                || key == "*"
                || key.contains(|c: char| c.is_whitespace() || c.is_control() || "]\"'".contains(c))
            {
                return Err(PathError::BadKey);
            }
            (Step::Key(key.into()), tail)
        } else if let Some(tail) = rest.strip_prefix("[\"") {
            quoted(tail)?
        } else if let Some(tail) = rest.strip_prefix('[') {
            let (inside, tail) = tail.split_once(']').ok_or(PathError::BadBracket)?;
            (index(inside)?, tail)
        } else {
            return Err(PathError::BadKey);
        };
        if steps.len() >= MAX_STEPS {
            return Err(PathError::TooManySteps);
        }
        steps.push(step);
        rest = tail;
    }
    if steps.is_empty() { Err(PathError::NoStep) } else { Ok(steps) }
}

fn index(inside: &str) -> Result<Step, PathError> {
    if inside == "*" {
        return Ok(Step::Every);
    }
    let canonical = inside == "0" || !inside.starts_with('0') && inside.bytes().all(|b| b.is_ascii_digit());
    match inside.parse::<u32>() {
        // What no array reaches would be a condition that never holds.
        Ok(index) if canonical => Ok(Step::Index(usize::try_from(index).map_err(|_| PathError::BadBracket)?)),
        _ => Err(PathError::BadBracket),
    }
}

/// Reads `key"]`; a backslash keeps the meaning of `"` and `\` after it.
fn quoted(text: &str) -> Result<(Step, &str), PathError> {
    let mut key = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next() {
            Some('"') => break,
            Some('\\') => match characters.next() {
                Some(escaped @ ('"' | '\\')) => key.push(escaped),
                _ => return Err(PathError::BadBracket),
            },
            Some(other) => key.push(other),
            None => return Err(PathError::BadBracket),
        }
    }
    let tail = characters.as_str().strip_prefix(']').ok_or(PathError::BadBracket)?;
    Ok((Step::Key(key.into()), tail))
}

/// What follows `root` in `source`, if that is where the root's name ends.
fn after<'a>(source: &'a str, root: &str) -> Option<&'a str> {
    source.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn header(rest: &str) -> Result<Box<str>, PathError> {
    let name = match rest.strip_prefix('.') {
        // A field name may hold dots, so it is the whole rest.
        Some(name) => name.to_owned(),
        None => match some_steps(rest)?.as_slice() {
            [Step::Key(name)] => name.to_string(),
            _ => return Err(PathError::BadHeader),
        },
    };
    header_name(&name).ok_or(PathError::BadHeader)
}

/// The header's name in lower case, if it is an HTTP field name (RFC 9110 section 5.1: a token).
pub(crate) fn header_name(name: &str) -> Option<Box<str>> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (!name.is_empty() && name.len() <= 256 && name.bytes().all(token)).then(|| name.to_ascii_lowercase().into())
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownRoot => {
                "a path starts with `args.`, `identity.grant`, `identity.claims.`, `request.headers.`, `time.hour` or \
                 `time.weekday`"
            }
            Self::NoStep => "a name must follow, such as `args.amount` or `identity.claims.team`",
            Self::StepsAfterLeaf => "nothing can follow `identity.grant`, `time.hour` or `time.weekday`",
            Self::BadKey => "an empty or unusual key is written in brackets and quotes: `args[\"odd.key\"]`",
            Self::BadBracket => "brackets hold an index, `*`, or a key in double quotes",
            Self::BadHeader => "a header's name must follow, such as `request.headers.x-env`",
            Self::ManyValues => "`[*]` gives many values where one is wanted",
            Self::NotAnArgument => "the path of an argument starts with `args.`, such as `args.amount`",
            Self::TooManySteps => "more than 64 steps",
        })
    }
}

impl std::error::Error for PathError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(source: &str) -> Vec<Step> {
        Path::parse(source).unwrap().steps
    }

    fn key(name: &str) -> Step {
        Step::Key(name.into())
    }

    #[test]
    fn every_form_of_argument_path_is_read() {
        assert_eq!(steps("args.a.b"), [key("a"), key("b")]);
        assert_eq!(steps("args.list[0]"), [key("list"), Step::Index(0)]);
        assert_eq!(steps("args.list[*].x"), [key("list"), Step::Every, key("x")]);
        assert_eq!(steps(r#"args["odd.key"]"#), [key("odd.key")]);
        assert_eq!(steps(r#"args["a\"b\\c]"].d[12][3]"#), [key("a\"b\\c]"), key("d"), Step::Index(12), Step::Index(3)]);
        assert_eq!(steps("args.run-id.größe"), [key("run-id"), key("größe")]);
        assert_eq!(steps(r#"args[""]"#), [key("")]);
    }

    #[test]
    fn every_other_root_is_read() {
        let root = |source| Path::parse(source).unwrap().root;
        assert_eq!(root("identity.grant"), Root::Grant);
        assert_eq!(root("identity.claims.team"), Root::Claims);
        assert_eq!(
            steps(r#"identity.claims["https://example.com/groups"][*]"#),
            [key("https://example.com/groups"), Step::Every]
        );
        assert_eq!(root("request.headers.X-Env"), Root::Header("x-env".into()));
        assert_eq!(root("request.headers.a.b"), Root::Header("a.b".into()));
        assert_eq!(root(r#"request.headers["x-env"]"#), Root::Header("x-env".into()));
        assert_eq!(root("time.hour"), Root::Hour);
        assert_eq!(root("time.weekday"), Root::Weekday);
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        for (source, error) in [
            ("", PathError::UnknownRoot),
            ("amount", PathError::UnknownRoot),
            ("argsamount", PathError::UnknownRoot),
            ("Args.amount", PathError::UnknownRoot),
            ("args", PathError::NoStep),
            ("args.", PathError::BadKey),
            ("args..a", PathError::BadKey),
            ("args.a.", PathError::BadKey),
            ("args.*", PathError::BadKey),
            ("args. a", PathError::BadKey),
            ("args.a]", PathError::BadKey),
            ("args.a[0]b", PathError::BadKey),
            ("args.a[", PathError::BadBracket),
            ("args.a[]", PathError::BadBracket),
            ("args.a[-1]", PathError::BadBracket),
            ("args.a[+1]", PathError::BadBracket),
            ("args.a[01]", PathError::BadBracket),
            ("args.a[99999999999]", PathError::BadBracket),
            ("args['a']", PathError::BadBracket),
            (r#"args["a"#, PathError::BadBracket),
            (r#"args["a"x]"#, PathError::BadBracket),
            (r#"args["\n"]"#, PathError::BadBracket),
            ("identity", PathError::UnknownRoot),
            ("identity.claims", PathError::NoStep),
            ("identity.claims[0]", PathError::NoStep),
            ("identity.grant.x", PathError::StepsAfterLeaf),
            ("time.hour[0]", PathError::StepsAfterLeaf),
            ("time.minute", PathError::UnknownRoot),
            ("request.headers", PathError::NoStep),
            ("request.headers.:path", PathError::BadHeader),
            ("request.headers.x y", PathError::BadHeader),
        ] {
            assert_eq!(Path::parse(source), Err(error), "{source}");
        }
        assert_eq!(Path::parse(&format!("args{}", ".a".repeat(65))), Err(PathError::TooManySteps));
    }

    #[test]
    fn an_increment_comes_from_one_argument() {
        assert_eq!(ArgumentPath::parse("args.items[0].price").unwrap().steps.len(), 3);
        assert_eq!(ArgumentPath::parse("args.items[*].price"), Err(PathError::ManyValues));
        assert_eq!(ArgumentPath::parse("identity.claims.n"), Err(PathError::NotAnArgument));
        assert_eq!(ArgumentPath::parse("amount"), Err(PathError::NotAnArgument));
    }
}
