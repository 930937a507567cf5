//! Questions, answers, and the limits file.

mod answers;
mod digests;
mod exports;
mod questions;
mod wire;

use core::time::Duration;

use super::*;
use crate::config::GlobalCounters;
use crate::quota::{CalendarUnit, Charge, CounterName, Principal, ScopeValue, Unit, Window};

const KEY: &str = "a secret that all of a fleet have";
const ROBOT: Principal<'static> = Principal::Grant { source: "jwt_claim:sub", issuer: "https://idp", value: "robot-7" };

fn settings() -> GlobalCounters {
    GlobalCounters {
        cluster: "ratelimit".into(),
        domain: "mcp".into(),
        timeout: Duration::from_millis(50),
        allow_on_error: false,
        digest_key: DigestKey::new(KEY).unwrap(),
    }
}

/// Ten runs a minute, of which this is one.
fn charge() -> Charge<'static> {
    Charge {
        call: 0,
        counter: CounterName { policy: "lab", counter: "create_run_rate" },
        scope: ScopeValue::Grant,
        window: Window::calendar(CalendarUnit::Minute),
        unit: Unit::Calls,
        max: 10,
        amount: 1,
    }
}

fn question(charge: &Charge<'_>) -> Question {
    match ask(&settings(), ROBOT, charge) {
        Ask::Service(question) => question,
        other => panic!("{other:?}"),
    }
}
