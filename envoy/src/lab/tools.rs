//! What the server says of its tools.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool};
use serde_json::{Value, json};

/// The fourteen tools, in the order in which they are listed.
pub const TOOL_NAMES: [&str; 14] = [
    "search_endpoints",
    "get_endpoint_details",
    "list_by_category",
    "get_api_overview",
    "upload_protocol",
    "get_protocols",
    "create_run",
    "control_run",
    "get_runs",
    "get_run_status",
    "robot_health",
    "control_lights",
    "home_robot",
    "poll_error_endpoint_and_fix",
];

/// Every tool with its input schema.
pub(super) fn tools() -> Vec<Tool> {
    TOOL_NAMES.iter().map(|name| tool(name)).collect()
}

fn tool(name: &'static str) -> Tool {
    let (description, properties, required): (_, Value, &[&str]) = match name {
        "search_endpoints" => (
            "Finds endpoints of the robot's HTTP API by a word in their name, path or tags.",
            json!({
                "query": text("What to look for"),
                "method": choice(&["GET", "POST", "PUT", "DELETE", "PATCH"]),
                "tag": text("Only this part of the API"),
                "include_deprecated": { "type": "boolean", "default": false },
            }),
            &["query"],
        ),
        "get_endpoint_details" => (
            "Describes one endpoint of the robot's HTTP API.",
            json!({ "method": text("HTTP method"), "path": text("Path of the endpoint") }),
            &["method", "path"],
        ),
        "list_by_category" => (
            "Lists the endpoints of one part of the API.",
            json!({ "category": text("Part of the API") }),
            &["category"],
        ),
        "get_api_overview" => ("Summarises the robot's HTTP API.", json!({}), &[]),
        "upload_protocol" => (
            "Copies a protocol file onto a robot.",
            json!({
                "robot_ip": robot_ip(),
                "file_path": text("The protocol, a .py or .json file"),
                "protocol_kind": choice(&["standard", "quick-transfer"]),
                "key": text("A mark of the client's own"),
                "run_time_parameters": { "type": "object" },
            }),
            &["robot_ip", "file_path"],
        ),
        "get_protocols" => (
            "Lists the protocols on a robot.",
            json!({ "robot_ip": robot_ip(), "protocol_kind": choice(&["standard", "quick-transfer"]) }),
            &["robot_ip"],
        ),
        "create_run" => (
            "Prepares a run of a protocol on a robot.",
            json!({
                "robot_ip": robot_ip(),
                "protocol_id": text("Which protocol"),
                "run_time_parameters": { "type": "object" },
            }),
            &["robot_ip", "protocol_id"],
        ),
        "control_run" => (
            "Starts, pauses, stops or resumes a run: the robot moves.",
            json!({
                "robot_ip": robot_ip(),
                "run_id": text("Which run"),
                "action": choice(&["play", "pause", "stop", "resume-from-recovery"]),
            }),
            &["robot_ip", "run_id", "action"],
        ),
        "get_runs" => ("Lists the runs of a robot.", json!({ "robot_ip": robot_ip() }), &["robot_ip"]),
        "get_run_status" => (
            "Reports how far a run is.",
            json!({ "robot_ip": robot_ip(), "run_id": text("Which run") }),
            &["robot_ip", "run_id"],
        ),
        "robot_health" => ("Asks a robot whether it is well.", json!({ "robot_ip": robot_ip() }), &["robot_ip"]),
        "control_lights" => (
            "Switches a robot's lights.",
            json!({ "robot_ip": robot_ip(), "on": { "type": "boolean" } }),
            &["robot_ip", "on"],
        ),
        "home_robot" => (
            "Moves a robot, or one pipette, to its home position.",
            json!({
                "robot_ip": robot_ip(),
                "target": choice(&["robot", "pipette"]),
                "mount": choice(&["left", "right"]),
            }),
            &["robot_ip"],
        ),
        _ => (
            "Reads an error report and rewrites the protocol that caused it.",
            json!({
                "json_filename": text("Name of the report"),
                "original_protocol_path": text("The protocol that failed"),
            }),
            &[],
        ),
    };
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    let Value::Object(schema) = schema else {
        return Tool::new(name, description, Arc::<JsonObject>::default());
    };
    Tool::new(name, description, schema)
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn robot_ip() -> Value {
    text("The robot's address")
}

fn choice(values: &[&str]) -> Value {
    json!({ "type": "string", "enum": values })
}
