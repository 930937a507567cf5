//! Calendar limits go by the moment when a call is counted, and by a day that is over when nobody asks for it any longer.

use std::time::Duration;

use serde_json::{Value, json};

use crate::lab::{Lab, Request, call, envelope, in_both_modes, is_forwarded, tools};

fn limited(limit: Value) -> Value {
    tools(json!({"create_run": {"limits": [limit]}}))
}

/// A client that sends heads and keeps their bodies back does not save up the periods of the heads.
#[test]
fn bodies_count_when_they_come_however_old_their_heads_are() {
    for (window, apart) in [("minute", 60), ("day", 86_400)] {
        let policy = limited(json!({"counter": "c", "window": window, "align": "calendar", "max": 1}));
        in_both_modes(&policy, &json!({}), |lab| {
            let worker = lab.worker(0);
            let mut open: Vec<_> = (0..10)
                .map(|_| {
                    lab.advance(Duration::from_secs(apart));
                    Request::post().open(&worker)
                })
                .collect();
            let forwarded = open.iter_mut().filter_map(|stream| {
                stream.request_body(call("create_run", &json!({})), true);
                is_forwarded(stream).then_some(())
            });
            assert_eq!(forwarded.count(), 1, "{window}");
        });
    }
}

#[test]
fn the_wait_is_counted_from_the_body() {
    let lab = Lab::new(&limited(json!({"counter": "c", "window": "minute", "align": "calendar", "max": 1})));
    // The lab begins at a full minute.
    assert!(lab.admits("create_run"));
    let mut late = Request::post().open(&lab.worker(0));
    lab.advance(Duration::from_secs(50));
    late.request_body(call("create_run", &json!({})), true);
    assert_eq!(lab.assert_denied(&late, "Try again in 10 s.")["retry_after_ms"], 10_000);
    let mut later = Request::post().open(&lab.worker(0));
    lab.advance(Duration::from_secs(10));
    later.request_body(call("create_run", &json!({})), true);
    assert!(is_forwarded(&later), "nothing was admitted in this minute yet");
}

#[test]
fn conditions_go_by_the_day_of_the_body() {
    let condition = json!({"path": "time.weekday", "op": "eq", "value": 1});
    let lab = Lab::new(&tools(
        json!({"create_run": {"deny_if": [{"conditions": [condition], "on_deny": "Not on this day."}]}}),
    ));
    let days = (0..7).filter(|_| {
        let mut stream = Request::post().open(&lab.worker(0));
        lab.advance(Duration::from_secs(86_400));
        stream.request_body(call("create_run", &json!({})), true);
        let forwarded = is_forwarded(&stream);
        assert_eq!(forwarded, lab.admits("create_run"), "as a call whose head comes now");
        forwarded
    });
    assert_eq!(days.count(), 6);
}

/// What a calendar limit counted is over when its period is, though the policy that asks now has no calendar.
#[test]
fn a_window_that_slides_now_forgets_the_calendar_days_that_are_over() {
    let lab = Lab::new(&limited(json!({"counter": "c", "window": "day", "align": "calendar", "max": 10})));
    assert_eq!((0..20).filter(|_| lab.admits("create_run")).count(), 10);
    lab.reconfigure(limited(json!({"counter": "c", "window": "minute", "max": 10})).to_string()).unwrap();
    assert!(!lab.admits("create_run"), "they came within this minute");
    for day in 1..4 {
        lab.advance(Duration::from_secs(86_400));
        assert_eq!((0..20).filter(|_| lab.admits("create_run")).count(), 10, "day {day}");
    }
}

#[test]
fn calendar_counts_that_are_over_leave_their_room() {
    let calendar = json!({"counter": "c", "window": "minute", "align": "calendar", "max": 5, "scope": "session"});
    let sliding = json!({"counter": "d", "window": "minute", "max": 5, "scope": "session"});
    let configuration = |limit| envelope(limited(limit), json!({"counters": {"max_bytes": "16KiB"}}));
    let lab = Lab::new(&configuration(calendar));
    let room = |lab: &Lab, names: &str| {
        let session = |n: &usize| {
            let request = Request::post().set("mcp-session-id", format!("{names}-{n}"));
            is_forwarded(&request.send(&lab.worker(0), call("create_run", &json!({}))))
        };
        (0..200).filter(session).count()
    };
    let first = room(&lab, "first");
    lab.reconfigure(configuration(sliding).to_string()).unwrap();
    lab.advance(Duration::from_secs(86_400));
    assert!(room(&lab, "second") >= first);
}
