//! The names of what a check finds: they stay the same, so that programs and people can go by them.

use policy::document::ErrorKind;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// The filter refuses the document, or a server is not what was pinned.
    Error,
    /// It loads, and likely does not do what was meant.
    Warning,
    /// Something to know, which may well be meant.
    Note,
}

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) name: &'static str,
    pub(crate) severity: Severity,
    /// What findings of this kind have in common, as the documentation says it.
    pub(crate) about: &'static str,
}

const fn error(name: &'static str, about: &'static str) -> Code {
    Code { name, severity: Severity::Error, about }
}

const fn warning(name: &'static str, about: &'static str) -> Code {
    Code { name, severity: Severity::Warning, about }
}

const fn note(name: &'static str, about: &'static str) -> Code {
    Code { name, severity: Severity::Note, about }
}

pub(crate) static UNMATCHABLE_NAME: Code =
    warning("unmatchable-name", "no tool name that MCP allows (1 to 128 of A-Z a-z 0-9 _ . -) matches");
pub(crate) static UNREACHABLE_RULE: Code = warning("unreachable-rule", "`hide` covers everything that the rule is for");
pub(crate) static UNREACHABLE_CHECK: Code =
    warning("unreachable-check", "a `deny_if` without conditions has refused the call before");
pub(crate) static IDLE_LIMIT: Code =
    warning("idle-limit", "another limit on the same calls always refuses before this one could");
pub(crate) static CONTRADICTION: Code = warning(
    "contradiction",
    "no value can meet the condition, by itself or together with an earlier one that must hold too",
);
pub(crate) static UNGUARDED_NEGATION: Code =
    warning("unguarded-negation", "`neq` or `not_in` refuses calls that lack the value, without saying so by `exists`");
pub(crate) static OPEN_REGEX: Code =
    warning("open-regex", "a `regex` under `require` that reads like a whole value, but is found anywhere in it");
pub(crate) static UNKNOWN_TOOL: Code = warning("unknown-tool", "with `--tools`: no tool of the list has the name");
pub(crate) static UNKNOWN_ARGUMENT: Code =
    warning("unknown-argument", "with `--tools`: no tool that the rule is for has the argument in its input schema");
pub(crate) static DESTRUCTIVE_DEFAULT: Code = warning(
    "destructive-default",
    "with `--tools`: a tool that seems to destroy something or to move money is allowed by default only",
);
pub(crate) static UNNAMED_TOOL: Code =
    warning("unnamed-tool", "with `--tools`: no rule names the tool, and the default allows it");
pub(crate) static DENIED_BY_DEFAULT: Code =
    note("denied-by-default", "with `--tools`: no rule names the tool, and the default denies it");
pub(crate) static IDLE_HIDE: Code =
    note("idle-hide", "with `--tools`: a glob of `hide` matches no tool of the list, so far");
pub(crate) static IDLE_RECORD: Code =
    note("idle-record", "a rule has `record`, and the configuration around it no `audit`");

pub(crate) static REFUSES_WITHOUT_ARGUMENT: Code = warning(
    "refuses-without-argument",
    "with `--tools`: some tools that a glob or `all_tools` is for lack an argument that it wants, so their calls are refused",
);
pub(crate) static PASSES_WITHOUT_ARGUMENT: Code = warning(
    "passes-without-argument",
    "with `--tools`: some tools that a glob or `all_tools` is for lack an argument that its `deny_if` looks at, so it checks \
     nothing of them; an `exists` beside it says that this is meant",
);
pub(crate) static CHANGED_TOOL: Code = error(
    "changed-tool",
    "with a lock: the server defines a tool otherwise than it is pinned, so its calls are denied",
);
pub(crate) static UNREADABLE_LIST: Code =
    error("unreadable-list", "with a lock: the server's list is none that the filter could read, or has a tool twice");
pub(crate) static UNPINNED_TOOL: Code =
    warning("unpinned-tool", "with a lock: the server lists tools that are not pinned, so they are hidden");
pub(crate) static GONE_TOOL: Code = warning("gone-tool", "with a lock: the server does not list a tool that is pinned");
pub(crate) static UNCHECKED_LOCK: Code =
    warning("unchecked-lock", "with `--server`: nothing says which lock is that of the server");

/// The kinds of findings besides errors of the loader.
pub(crate) static ALL: [&Code; 21] = [
    &UNMATCHABLE_NAME,
    &UNREACHABLE_RULE,
    &UNREACHABLE_CHECK,
    &IDLE_LIMIT,
    &CONTRADICTION,
    &UNGUARDED_NEGATION,
    &OPEN_REGEX,
    &UNKNOWN_TOOL,
    &UNKNOWN_ARGUMENT,
    &DESTRUCTIVE_DEFAULT,
    &UNNAMED_TOOL,
    &REFUSES_WITHOUT_ARGUMENT,
    &PASSES_WITHOUT_ARGUMENT,
    &CHANGED_TOOL,
    &UNREADABLE_LIST,
    &UNPINNED_TOOL,
    &GONE_TOOL,
    &UNCHECKED_LOCK,
    &DENIED_BY_DEFAULT,
    &IDLE_HIDE,
    &IDLE_RECORD,
];

/// The code of a file that cannot be read.
pub(crate) const UNREADABLE: &str = "unreadable";

/// The code of an error of the loader.
pub(crate) fn of_error(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Syntax(_) => "syntax",
        ErrorKind::TooLarge(_) => "too-large",
        ErrorKind::NothingConfigured => "nothing-configured",
        ErrorKind::WrongType { .. } => "wrong-type",
        ErrorKind::UnknownField { .. } => "unknown-field",
        ErrorKind::MissingField(_) => "missing-field",
        ErrorKind::UnknownWord { .. } => "unknown-word",
        ErrorKind::OutOfRange { .. } => "out-of-range",
        ErrorKind::Inexact => "inexact-number",
        ErrorKind::Repeated(_) => "repeated",
        ErrorKind::Path(_) => "bad-path",
        ErrorKind::Glob(_) => "bad-glob",
        ErrorKind::Cidr(_) => "bad-cidr",
        ErrorKind::Uri(_) => "bad-uri",
        ErrorKind::Regex(_) => "bad-regex",
        ErrorKind::Tie(_) => "glob-tie",
        ErrorKind::CounterMismatch { .. } => "counter-mismatch",
        ErrorKind::Misplaced(_) => "misplaced",
        // Kinds that are new and have no name here yet.
        _ => "invalid",
    }
}

impl Severity {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}
