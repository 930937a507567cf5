//! A policy as it is enforced: checked, compiled, with nothing left to look up or to fail.

use std::collections::BTreeMap;

use super::condition::Condition;
use super::glob::Glob;
use super::path::Path;
use crate::quota::{Unit, Window};
use crate::schema::Schema;

/// One checked `policy.json`.
#[derive(Debug)]
pub struct Policy {
    /// What becomes of what no rule names, and of methods that are not otherwise judged.
    pub default: Default,
    /// What `tools/call` and `tools/list` are judged by.
    pub tools: Section,
    /// Added to every tool that is not already denied. Its `action` is always allow.
    pub all_tools: Rule,
    /// Whether lists leave out what would be denied outright.
    pub listing: Listing,
    /// What `resources/*` is judged by; rules are keyed by URI in normal form.
    pub resources: Section,
    /// What `prompts/*` is judged by.
    pub prompts: Section,
    /// Rules for methods, either way: allow or deny only.
    pub methods: Section,
}

impl Policy {
    /// The rules for tools that go by the schemas of a lock, each with the one tool that it is for if it is for one.
    pub(crate) fn rules_by_lock(&self) -> impl Iterator<Item = (Option<&str>, &ArgumentSchema)> {
        let exact = self.tools.exact.iter().map(|(name, rule)| (Some(&**name), rule));
        let others = self.tools.globs.iter().map(|(_, rule)| rule).chain([&self.all_tools]).map(|rule| (None, rule));
        exact.chain(others).filter_map(|(name, rule)| Some((name, rule.schema_by_lock()?)))
    }

    /// Whether calls of the tool are held against the schema of a lock.
    pub(crate) fn goes_by_lock(&self, tool: &str) -> bool {
        let by_lock = |rule: &Rule| rule.schema_by_lock().is_some();
        by_lock(&self.all_tools) || self.tools.rule(tool).is_some_and(by_lock)
    }

    /// Every rule.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Rule> {
        let sections = [&self.tools, &self.resources, &self.prompts, &self.methods];
        sections.into_iter().flat_map(Section::rules).chain([&self.all_tools])
    }
}

/// What becomes of what no rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// It passes.
    Allow,
    /// It is refused as `(default deny)`.
    Deny,
}

/// Which tools a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// All that are not hidden.
    All,
    /// Only those that are neither hidden nor denied outright; the others are answered like hidden ones.
    Allowed,
}

/// The rules for one kind of target: tools, resources, prompts or methods.
#[derive(Debug)]
pub struct Section {
    /// What becomes of a target that no rule names.
    pub default: Default,
    /// Targets that do not exist for the client. Has no exceptions.
    pub hide: Vec<Glob>,
    /// Rules for one target each, by its exact name.
    pub exact: BTreeMap<Box<str>, Rule>,
    /// Rules for many targets, the glob with most literal characters first.
    ///
    /// INVARIANT: no name matches two globs with equally many literal characters.
    pub globs: Vec<(Glob, Rule)>,
}

impl Section {
    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.exact.values().chain(self.globs.iter().map(|(_, rule)| rule))
    }
}

/// What a policy says of one target.
#[derive(Debug)]
pub struct Rule {
    /// Where the rule stands in the document, as a JSON Pointer such as `/tools/create_run`.
    pub pointer: Box<str>,
    /// What the rule does before its predicates and limits are looked at.
    pub action: Action,
    /// What the arguments must look like, before anything else reads them.
    pub schema: Option<Box<ArgumentSchema>>,
    /// Refuses unless all are true.
    pub require: Vec<Predicate>,
    /// Refuses unless all are false.
    pub deny_if: Vec<Predicate>,
    /// How often the target may be called.
    pub limits: Vec<Limit>,
    /// The values that the audit record of a call holds.
    pub record: Vec<Path>,
}

impl Rule {
    /// A rule that does this, and looks at nothing.
    pub fn of(pointer: Box<str>, action: Action) -> Self {
        Self { pointer, action, schema: None, require: vec![], deny_if: vec![], limits: vec![], record: vec![] }
    }
}

impl Rule {
    fn schema_by_lock(&self) -> Option<&ArgumentSchema> {
        self.schema.as_deref().filter(|schema| matches!(schema.source, SchemaSource::Lock))
    }
}

/// What the arguments of a tool must look like.
#[derive(Debug)]
pub struct ArgumentSchema {
    /// Where it is reported, such as `/tools/create_run/schema`.
    pub pointer: Box<str>,
    /// Where the schema comes from.
    pub source: SchemaSource,
}

/// Where a schema comes from.
#[derive(Debug)]
pub enum SchemaSource {
    /// It stands in the policy.
    Inline(Schema),
    /// It is the `inputSchema` that the route's lock has for the tool that is called.
    Lock,
}

impl ArgumentSchema {
    /// Whether it refuses whatever the arguments are: the schema `false`.
    pub fn is_never(&self) -> bool {
        matches!(&self.source, SchemaSource::Inline(schema) if schema.is_never())
    }
}

/// What a rule does before its predicates and limits are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Goes on to predicates and limits.
    Allow,
    /// Refuses, telling the agent the reason if there is one.
    Deny {
        /// What the agent is told.
        reason: Option<Box<str>>,
    },
    /// Asks for approval, once predicates and limits hold.
    RequireApproval {
        /// What the agent is told.
        reason: Option<Box<str>>,
    },
}

/// One entry of `require` or `deny_if`.
#[derive(Debug)]
pub struct Predicate {
    /// Where it is reported, such as `/tools/charge/deny_if/args.amount-gt`: rule, list, path and op of the first
    /// condition; the entry's index where there is no condition.
    pub pointer: Box<str>,
    /// All must hold for the predicate to be true.
    pub conditions: Vec<Condition>,
    /// What the agent is told when the predicate refuses.
    pub on_deny: Option<Box<str>>,
}

/// A cap on a counter within a window, or on what runs at once, per scope.
#[derive(Debug, Clone)]
pub struct Limit {
    /// Where it is reported, such as `/tools/create_run/limits/create_run_rate`, `/tools/create_run/rate_limit` or
    /// `/tools/get_run/concurrency`.
    pub pointer: Box<str>,
    /// The counter's name. A `rate_limit` and a `concurrency` without a name count under their rule's pointer.
    pub counter: Box<str>,
    /// The span the cap holds in.
    pub window: Window,
    /// What is counted.
    pub unit: Unit,
    /// The cap, in `unit`.
    pub max: u64,
    /// Whose count it is.
    pub scope: Scope,
    /// The argument whose value is added instead of 1. Some exactly when `unit` is millionths.
    pub increment_from: Option<super::path::ArgumentPath>,
    /// When what was taken is given back.
    pub refund: Refund,
    /// How long a call goes on counting after its client has hung up, in ms. Nothing unless the window is what runs.
    pub linger_ms: u64,
    /// Where the counter is kept.
    pub store: Store,
    /// What the agent is told when the limit refuses.
    pub on_deny: Box<str>,
}

/// Whose count a limit looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The credential the call is made under.
    Grant,
    /// The MCP session; all that the grant calls without one, where there is none.
    Session,
    /// The client's address without port, IPv6 by /64.
    ClientIp,
    /// Everyone's.
    Global,
    /// The value of this claim.
    Claim(Box<str>),
    /// The value of this request header, in lower case.
    Header(Box<str>),
}

/// As a policy writes it.
impl core::fmt::Display for Scope {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Grant => f.write_str("grant"),
            Self::Session => f.write_str("session"),
            Self::ClientIp => f.write_str("client_ip"),
            Self::Global => f.write_str("global"),
            Self::Claim(name) => write!(f, "claim:{name}"),
            Self::Header(name) => write!(f, "header:{name}"),
        }
    }
}

/// When what a call took is given back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refund {
    /// No byte of the body went upstream.
    pub unsent: bool,
    /// The server answered 5xx. An agent may be able to bring this about.
    pub upstream_5xx: bool,
    /// The server answered a JSON-RPC error. An agent can bring this about.
    pub jsonrpc_error: bool,
    /// The tool answered `isError`. An agent can bring this about.
    pub is_error: bool,
}

impl Refund {
    /// Whether it depends on what an answer says.
    pub fn reads_answers(&self) -> bool {
        self.jsonrpc_error || self.is_error
    }

    /// What either of the two gives back.
    pub(crate) fn union(&self, other: &Self) -> Self {
        Self {
            unsent: self.unsent | other.unsent,
            upstream_5xx: self.upstream_5xx | other.upstream_5xx,
            jsonrpc_error: self.jsonrpc_error | other.jsonrpc_error,
            is_error: self.is_error | other.is_error,
        }
    }
}

/// Where a counter is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// In Envoy's shared data: one Envoy process.
    Local,
    /// In a rate-limit service: a fleet.
    Global,
}
