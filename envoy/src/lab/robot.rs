//! The simulated robots: one for every address that anybody names.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Why a robot did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("`{0}` is missing, or is not text")]
    Argument(&'static str),
    #[error("there is no protocol `{0}` on this robot")]
    NoProtocol(String),
    #[error("there is no run `{0}` on this robot")]
    NoRun(String),
    #[error("a run that is {state} cannot {action}")]
    WrongState { state: RunState, action: String },
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunState {
    Idle,
    Running,
    Paused,
    Stopped,
}

impl std::fmt::Display for RunState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        })
    }
}

/// All robots, by address.
#[derive(Debug, Default)]
pub(super) struct Laboratory {
    robots: BTreeMap<String, Robot>,
}

#[derive(Debug)]
struct Robot {
    protocols: Vec<String>,
    /// The protocol and the state of each run; a run's id is its place, counted from one.
    runs: Vec<(String, RunState)>,
    lights: bool,
}

impl Default for Robot {
    fn default() -> Self {
        let protocols = vec!["serial-dilution".to_owned(), "pcr-prep".to_owned()];
        Self { protocols, runs: Vec::new(), lights: false }
    }
}

type Answer = Result<Value, Problem>;

impl Laboratory {
    /// Runs one tool; `None` if there is no such tool.
    pub(super) fn call(&mut self, tool: &str, arguments: &Value) -> Option<Answer> {
        if let Some(answer) = documentation(tool, arguments) {
            return Some(answer);
        }
        let act: fn(&mut Robot, &Value) -> Answer = match tool {
            "upload_protocol" => Robot::upload_protocol,
            "get_protocols" => |robot, _| Ok(json!({ "protocols": robot.protocols })),
            "create_run" => Robot::create_run,
            "control_run" => Robot::control_run,
            "get_runs" => Robot::get_runs,
            "get_run_status" => Robot::get_run_status,
            "robot_health" => |robot, _| Ok(json!({ "healthy": true, "lights": robot.lights })),
            "control_lights" => Robot::control_lights,
            "home_robot" => |_, arguments| Ok(json!({ "homed": arguments["target"].as_str().unwrap_or("robot") })),
            _ => return None,
        };
        Some(text(arguments, "robot_ip").and_then(|address| {
            let robot = self.robots.entry(address.to_owned()).or_default();
            act(robot, arguments)
        }))
    }
}

/// The tools that answer from a book, without any robot.
fn documentation(tool: &str, arguments: &Value) -> Option<Answer> {
    let about =
        |key| text(arguments, key).map(|word| json!({ "about": word, "endpoints": ["GET /runs", "POST /runs"] }));
    Some(match tool {
        "search_endpoints" => about("query"),
        "get_endpoint_details" => about("path"),
        "list_by_category" => about("category"),
        "get_api_overview" => Ok(json!({ "endpoints": 2 })),
        "poll_error_endpoint_and_fix" => {
            Ok(json!({ "fixed": arguments["json_filename"].as_str().unwrap_or("latest.json") }))
        }
        _ => return None,
    })
}

impl Robot {
    fn upload_protocol(&mut self, arguments: &Value) -> Answer {
        let path = text(arguments, "file_path")?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let id = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
        self.protocols.push(id.clone());
        Ok(json!({ "protocol_id": id }))
    }

    fn create_run(&mut self, arguments: &Value) -> Answer {
        let protocol = text(arguments, "protocol_id")?;
        if !self.protocols.iter().any(|known| known == protocol) {
            return Err(Problem::NoProtocol(protocol.to_owned()));
        }
        self.runs.push((protocol.to_owned(), RunState::Idle));
        Ok(json!({ "run_id": format!("run-{}", self.runs.len()), "protocol_id": protocol, "status": "idle" }))
    }

    fn control_run(&mut self, arguments: &Value) -> Answer {
        let action = text(arguments, "action")?;
        let id = text(arguments, "run_id")?;
        let (_, state) = self.run(id)?;
        *state = match (action, *state) {
            ("play", RunState::Idle | RunState::Paused) | ("resume-from-recovery", RunState::Paused) => {
                RunState::Running
            }
            ("pause", RunState::Running) => RunState::Paused,
            ("stop", RunState::Idle | RunState::Running | RunState::Paused) => RunState::Stopped,
            (_, state) => {
                return Err(Problem::WrongState { state, action: action.to_owned() });
            }
        };
        Ok(json!({ "run_id": id, "status": state.to_string() }))
    }

    fn get_runs(&mut self, _arguments: &Value) -> Answer {
        let runs = self.runs.iter().enumerate().map(|(place, (protocol, state))| {
            json!({ "run_id": format!("run-{}", place + 1), "protocol_id": protocol, "status": state.to_string() })
        });
        Ok(json!({ "runs": runs.collect::<Vec<_>>() }))
    }

    fn get_run_status(&mut self, arguments: &Value) -> Answer {
        let id = text(arguments, "run_id")?;
        let (protocol, state) = self.run(id)?;
        Ok(json!({ "run_id": id, "protocol_id": protocol, "status": state.to_string() }))
    }

    fn control_lights(&mut self, arguments: &Value) -> Answer {
        self.lights = arguments["on"].as_bool().ok_or(Problem::Argument("on"))?;
        Ok(json!({ "lights": self.lights }))
    }

    fn run(&mut self, id: &str) -> Result<&mut (String, RunState), Problem> {
        id.strip_prefix("run-")
            .and_then(|number| number.parse::<usize>().ok()?.checked_sub(1))
            .and_then(|place| self.runs.get_mut(place))
            .ok_or_else(|| Problem::NoRun(id.to_owned()))
    }
}

fn text<'a>(arguments: &'a Value, key: &'static str) -> Result<&'a str, Problem> {
    arguments[key].as_str().ok_or(Problem::Argument(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(lab: &mut Laboratory, tool: &str, mut arguments: Value) -> Answer {
        arguments["robot_ip"] = json!("10.0.0.7");
        lab.call(tool, &arguments).unwrap()
    }

    #[test]
    fn a_run_is_created_played_and_stopped() {
        let mut lab = Laboratory::default();
        let run = call(&mut lab, "create_run", json!({ "protocol_id": "pcr-prep" })).unwrap();
        let id = run["run_id"].clone();
        for (action, status) in [("play", "running"), ("pause", "paused"), ("stop", "stopped")] {
            let answer = call(&mut lab, "control_run", json!({ "run_id": id, "action": action })).unwrap();
            assert_eq!(answer["status"], status);
        }
        let refused = call(&mut lab, "control_run", json!({ "run_id": id, "action": "play" })).unwrap_err();
        assert_eq!(refused.to_string(), "a run that is stopped cannot play");
        assert_eq!(call(&mut lab, "get_run_status", json!({ "run_id": id })).unwrap()["status"], "stopped");
    }

    #[test]
    fn robots_do_not_share_their_runs() {
        let mut lab = Laboratory::default();
        call(&mut lab, "create_run", json!({ "protocol_id": "pcr-prep" })).unwrap();
        let other = lab.call("get_runs", &json!({ "robot_ip": "10.0.0.8" })).unwrap().unwrap();
        assert_eq!(other["runs"], json!([]));
    }

    #[test]
    fn an_uploaded_protocol_can_be_run() {
        let mut lab = Laboratory::default();
        let uploaded = call(&mut lab, "upload_protocol", json!({ "file_path": "protocols/plate-wash.py" })).unwrap();
        call(&mut lab, "create_run", json!({ "protocol_id": uploaded["protocol_id"] })).unwrap();
    }

    #[test]
    fn every_listed_tool_exists() {
        let mut lab = Laboratory::default();
        for name in super::super::TOOL_NAMES {
            assert!(lab.call(name, &json!({})).is_some(), "{name}");
        }
        assert!(lab.call("self_destruct", &json!({})).is_none());
    }
}
