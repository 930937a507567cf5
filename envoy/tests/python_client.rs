//! The official Python SDK's client, which ends its session on any 4xx or 5xx.

use anyhow::Result;
use envoy::{
    examples,
    lab::{Answers, TOOL_NAMES},
    policed::{Policed, held},
    real::python_client,
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_stays_in_session_through_every_kind_of_refusal() -> Result<()> {
    let robot = json!({ "robot_ip": "10.0.0.7" });
    let run = json!({ "robot_ip": "10.0.0.7", "protocol_id": "pcr-prep" });
    for answers in [Answers::Events, Answers::Json] {
        let policed = Policed::start(&held(&examples::policy("opentrons/policy")?), answers).await?;
        let mut calls = vec![
            ("get_runs", robot.clone()),
            ("get_runs", json!({ "robot_ip": "192.168.0.1" })),
            ("poll_error_endpoint_and_fix", json!({})),
            ("self_destruct", json!({})),
        ];
        calls.resize(calls.len() + 11, ("create_run", run.clone()));
        calls.push(("get_runs", robot.clone()));
        let seen = python_client(&policed.envoy.url("/mcp"), &calls).await?;
        let expected: Vec<&str> =
            TOOL_NAMES.into_iter().filter(|name| *name != "poll_error_endpoint_and_fix").collect();
        assert_eq!(seen["tools"], json!(expected), "{answers:?}");
        let calls = &seen["calls"];
        assert_eq!(calls[0]["is_error"], false);
        assert_eq!(calls[1]["text"], "[POLICY DENIED] Only robots of the laboratory network.");
        assert_eq!(calls[1]["meta"]["rule"], "/tools/get_runs/require/args.robot_ip-cidr");
        let unknown = "Unknown tool: poll_error_endpoint_and_fix";
        assert_eq!(calls[2]["error"], json!({ "code": -32602, "message": unknown }));
        assert_eq!(calls[3]["meta"]["rule"], "(default deny)");
        assert_eq!(calls[13]["is_error"], false, "the tenth run is created");
        assert_eq!(calls[14]["meta"]["rule"], "/tools/create_run/limits/create_run_rate");
        assert_eq!(calls[15]["is_error"], false, "the session goes on");
        assert_eq!(policed.lab.times_executed("create_run"), 10);
        assert_eq!(policed.lab.executed().len(), 12);
    }
    Ok(())
}
