//! What operators see of the filter: counters under `wasmcustom.mcp_policy.`.
//!
//! They are never freed by Envoy, so none is named by anything that a client chose.

use policy::decision::RefusalKind;
use policy::quota::QuotaError;

use crate::host::{Counter, Result};

/// One counter for each thing that can happen to a message or listing.
pub(crate) struct Metrics {
    /// Messages that the policy let pass.
    pub(crate) allowed: Counter,
    denied: Counter,
    hidden: Counter,
    limited: Counter,
    approval_required: Counter,
    /// Requests that are not one clear MCP message.
    pub(crate) invalid: Counter,
    /// Bodies judged in observe mode: more than zero says that it is on.
    pub(crate) observed: Counter,
    /// Requests and answers that the filter could not judge.
    pub(crate) failed: Counter,
    /// The sum of those below, and of what the store refused.
    uncounted: Counter,
    counters_full: Counter,
    counters_contended: Counter,
    counters_damaged: Counter,
    /// Calls that found no room of their own, and were counted in a slot that several share.
    pub(crate) counters_shared: Counter,
    /// Questions to the rate-limit service that got no clear answer.
    pub(crate) global_failed: Counter,
    /// Lists from which entries were taken.
    pub(crate) lists_filtered: Counter,
    /// Lists and events that could not be read.
    pub(crate) lists_withheld: Counter,
    /// Pinned tools that were found to be defined otherwise.
    pub(crate) tools_changed: Counter,
    /// Records for the access log that Envoy did not take.
    pub(crate) audit_lost: Counter,
}

impl Metrics {
    pub(crate) fn define() -> Result<Self> {
        Ok(Self {
            allowed: Counter::define("mcp_policy.allowed")?,
            denied: Counter::define("mcp_policy.denied")?,
            hidden: Counter::define("mcp_policy.hidden")?,
            limited: Counter::define("mcp_policy.limited")?,
            approval_required: Counter::define("mcp_policy.approval_required")?,
            invalid: Counter::define("mcp_policy.invalid")?,
            observed: Counter::define("mcp_policy.observed")?,
            failed: Counter::define("mcp_policy.failed")?,
            uncounted: Counter::define("mcp_policy.uncounted")?,
            counters_full: Counter::define("mcp_policy.counters_full")?,
            counters_contended: Counter::define("mcp_policy.counters_contended")?,
            counters_damaged: Counter::define("mcp_policy.counters_damaged")?,
            counters_shared: Counter::define("mcp_policy.counters_shared")?,
            global_failed: Counter::define("mcp_policy.global_failed")?,
            lists_filtered: Counter::define("mcp_policy.lists_filtered")?,
            lists_withheld: Counter::define("mcp_policy.lists_withheld")?,
            tools_changed: Counter::define("mcp_policy.tools_changed")?,
            audit_lost: Counter::define("mcp_policy.audit_lost")?,
        })
    }

    /// Something could not be counted, or not be given back.
    pub(crate) fn uncounted(&self, error: &QuotaError) {
        self.uncounted.increment();
        match error {
            QuotaError::Full { .. } => self.counters_full.increment(),
            QuotaError::Contended => self.counters_contended.increment(),
            QuotaError::Corrupt { .. } => self.counters_damaged.increment(),
            QuotaError::Store(_) | QuotaError::NoWallTime | QuotaError::Disagree { .. } => {}
        }
    }

    pub(crate) fn refusal(&self, kind: RefusalKind) -> Counter {
        match kind {
            RefusalKind::Denied => self.denied,
            RefusalKind::Hidden => self.hidden,
            RefusalKind::Limited => self.limited,
            RefusalKind::ApprovalRequired => self.approval_required,
        }
    }
}
