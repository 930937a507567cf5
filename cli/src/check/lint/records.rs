//! What would be recorded, and is not.

use policy::config::Config;

use super::Subject;
use crate::check::{code::IDLE_RECORD, finding::Findings};

/// Only for configurations: a bare policy does not know where it will stand.
pub(super) fn check(subject: &Subject<'_>, config: &Config, findings: &mut Findings<'_>) {
    if subject.at.is_empty() || config.audit.is_some() {
        return;
    }
    for rule in subject.rules().filter(|rule| !rule.record.is_empty()) {
        let message = "nothing is recorded: the configuration has no `audit`".to_owned();
        let help =
            "add `\"audit\": {\"digest_key\": …}` beside `policies`, and the record to Envoy's access log".to_owned();
        findings.of_key(&IDLE_RECORD, format!("{}/record", subject.rule(rule)), message, Some(help));
    }
}
