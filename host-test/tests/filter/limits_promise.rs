//! The filter under random calls, against a plain list of what was admitted when.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use crate::lab::{Lab, Request, call, is_forwarded, tools};

const WINDOW_MS: u64 = 60_000;
const HOUR_MS: u64 = 3_600_000;
const MAX: u64 = 5;

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    /// Time passes, in ms.
    Wait(u64),
    /// Somebody sets the wall clock: later or earlier, in ms.
    WallForward(u64),
    WallBack(u64),
    /// A worker is called with an amount.
    Call {
        worker: usize,
        tool: &'static str,
        amount: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tool = prop_oneof![Just("sliding"), Just("calendar")];
    let call = (0..2usize, tool, 0..4u64).prop_map(|(worker, tool, amount)| Step::Call { worker, tool, amount });
    let step = prop_oneof![
        3 => (0..15_000u64).prop_map(Step::Wait),
        1 => (0..150_000u64).prop_map(Step::Wait),
        1 => (0..2 * HOUR_MS).prop_map(Step::WallForward),
        1 => (0..2 * HOUR_MS).prop_map(Step::WallBack),
        8 => call,
    ];
    prop::collection::vec(step, 1..80)
}

/// A count as it should be: what was admitted when.
#[derive(Default)]
struct Model {
    sliding: Vec<(u64, u64)>,
    calendar: Vec<(u64, u64)>,
    /// The latest moment of the wall clock that anything was counted at.
    latest_wall: u64,
}

fn sum(admissions: &[(u64, u64)], counts: impl Fn(u64) -> bool) -> u64 {
    admissions.iter().filter(|(at, _)| counts(*at)).map(|(_, amount)| amount).sum()
}

impl Model {
    /// Holds an answer against what it has to be.
    fn check(&mut self, tool: &str, amount: u64, (now, wall): (u64, u64), admitted: bool) -> Result<(), TestCaseError> {
        // Periods do not come again: a clock that is set back stays in the latest.
        let wall = wall.max(self.latest_wall);
        let (admissions, at) = match tool {
            "sliding" => (&mut self.sliding, now),
            _ => (&mut self.calendar, wall),
        };
        if !admitted {
            let might_count = |then: u64| match tool {
                "sliding" => (now - then) * 15 < WINDOW_MS * 16,
                _ => then / HOUR_MS == wall / HOUR_MS,
            };
            prop_assert!(sum(admissions, might_count) + amount > MAX, "{tool} refused for no reason");
            return Ok(());
        }
        if amount > 0 {
            admissions.push((at, amount));
            self.latest_wall = wall;
        }
        let held = match tool {
            "sliding" => sum(admissions, |then| then + WINDOW_MS > now),
            _ => sum(admissions, |then| then / HOUR_MS == wall / HOUR_MS),
        };
        prop_assert!(held <= MAX, "{tool} admitted {held}");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_window_holds_more_than_the_maximum_and_no_call_is_refused_without_reason(steps in steps()) {
        let limit = |extra| {
            let mut limit = json!({"counter": "c", "max": MAX, "increment_from": "args.n"});
            limit.as_object_mut().unwrap().extend(serde_json::Map::clone(extra));
            json!({"limits": [limit]})
        };
        let (sliding, calendar) =
            (json!({"counter": "s", "window": "minute"}), json!({"window": "hour", "align": "calendar"}));
        let policy = tools(json!({
            "sliding": limit(sliding.as_object().unwrap()), "calendar": limit(calendar.as_object().unwrap())}));
        let lab = Lab::on_workers(2, &policy);
        let (mut model, mut now) = (Model::default(), 0);
        for step in steps {
            match step {
                Step::Wait(ms) => {
                    now += ms;
                    lab.advance(Duration::from_millis(ms));
                }
                Step::WallForward(ms) => lab.set_wall_clock(lab.wall_clock() + ms * 1_000_000),
                Step::WallBack(ms) => lab.turn_wall_clock_back(Duration::from_millis(ms)),
                Step::Call { worker, tool, amount } => {
                    let stream = Request::post().send(&lab.worker(worker), call(tool, &json!({"n": amount})));
                    model.check(tool, amount, (now, lab.wall_clock() / 1_000_000), is_forwarded(&stream))?;
                }
            }
        }
    }
}
