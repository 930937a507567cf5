//! The calls that are made, in order, and what the policies of `examples/` say of each.

use serde_json::{Value, json};

use super::{CATALOGUE_PATH, transcript::Fate};

/// One call.
#[derive(Debug, Clone)]
pub struct Step {
    /// The tool.
    pub tool: &'static str,
    /// What sets this call apart from its neighbours, for the reader.
    pub note: String,
    /// Its arguments.
    pub arguments: Value,
    /// What must become of it.
    pub expected: Expected,
}

/// What must become of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// In one word.
    pub fate: Fate,
    /// The rule that must have decided, where the agent is told one.
    pub rule: Option<&'static str>,
}

const ROBOT: &str = "10.0.0.7";

/// The calls of the session at `path`.
#[must_use]
pub fn steps(path: &str) -> Vec<Step> {
    if path == CATALOGUE_PATH { catalogue() } else { recommended() }
}

fn catalogue() -> Vec<Step> {
    let mut steps: Vec<Step> = (1..=12)
        .map(|number| {
            let arguments = json!({ "robot_ip": ROBOT, "protocol_id": "serial-dilution" });
            let note = format!("{number} of 12");
            if number <= 10 {
                step("create_run", &note, arguments, Fate::Allowed, None)
            } else {
                step("create_run", &note, arguments, Fate::Limited, Some("/tools/create_run/limits/create_run_rate"))
            }
        })
        .collect();
    let play = json!({ "robot_ip": ROBOT, "run_id": "run-1", "action": "play" });
    steps.push(step("control_run", "play", play, Fate::Allowed, None));
    steps.push(step("robot_health", "", json!({ "robot_ip": ROBOT }), Fate::Denied, Some("(default deny)")));
    steps
}

fn recommended() -> Vec<Step> {
    let lab_robots = Some("/tools/robot_health/require/args.robot_ip-cidr");
    let protocols = Some("/tools/upload_protocol/require/args.file_path-regex");
    vec![
        step("robot_health", "in the lab", json!({ "robot_ip": ROBOT }), Fate::Allowed, None),
        step("robot_health", "metadata service", json!({ "robot_ip": "169.254.169.254" }), Fate::Denied, lab_robots),
        step(
            "upload_protocol",
            "shell in the name",
            json!({ "robot_ip": ROBOT, "file_path": "/srv/protocols/a.py;reboot" }),
            Fate::Denied,
            protocols,
        ),
        step(
            "upload_protocol",
            "plain name",
            json!({ "robot_ip": ROBOT, "file_path": "/srv/protocols/plate-wash.py" }),
            Fate::Allowed,
            None,
        ),
        step("poll_error_endpoint_and_fix", "", json!({}), Fate::Hidden, None),
    ]
}

fn step(tool: &'static str, note: &str, arguments: Value, fate: Fate, rule: Option<&'static str>) -> Step {
    Step { tool, note: note.into(), arguments, expected: Expected { fate, rule } }
}
