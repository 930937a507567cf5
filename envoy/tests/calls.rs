//! What becomes of tool calls, seen from the agent and from the server.

use anyhow::Result;
use envoy::{
    client::Outcome,
    lab::Answers,
    policed::{Policed, held},
};
use serde_json::{Value, json};

const WAYS: [Answers; 2] = [Answers::Events, Answers::Json];

fn policy() -> Value {
    json!({
        "version": "1",
        "default": "deny",
        "hide": ["home_*"],
        "tools": {
            "get_runs": {},
            "robot_health": {
                "require": [{
                    "conditions": [{ "path": "args.robot_ip", "op": "cidr", "value": "10.0.0.0/8" }],
                    "on_deny": "Only lab robots.",
                }],
            },
            "control_lights": { "action": "deny", "reason": "The lights stay as they are." },
        },
    })
}

fn robot() -> Value {
    json!({ "robot_ip": "10.0.0.7" })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_call_is_answered_by_the_server() -> Result<()> {
    for answers in WAYS {
        for configuration in [policy(), held(&policy())] {
            let policed = Policed::start(&configuration, answers).await?;
            let client = policed.client().await?;
            let outcome = client.call("get_runs", robot()).await?;
            assert_eq!(outcome, Outcome::Done(r#"{"runs":[]}"#.into()));
            assert_eq!(policed.lab.times_executed("get_runs"), 1);
            client.close().await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_no_rule_names_is_denied_by_default() -> Result<()> {
    for configuration in [policy(), held(&policy())] {
        let policed = Policed::start(&configuration, Answers::Events).await?;
        let client = policed.client().await?;
        let outcome = client.call("create_run", json!({ "robot_ip": "10.0.0.7", "protocol_id": "pcr-prep" })).await?;
        assert_eq!(outcome.rule(), Some("(default deny)"), "{outcome:?}");
        assert_eq!(policed.lab.executed(), []);
        // The session goes on.
        assert!(client.call("get_runs", robot()).await?.reached_the_tool());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_tool_tells_the_agent_why() -> Result<()> {
    let policed = Policed::start(&policy(), Answers::Json).await?;
    let client = policed.client().await?;
    let outcome = client.call("control_lights", json!({ "robot_ip": "10.0.0.7", "on": true })).await?;
    let Outcome::Refused(refusal) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refusal.text, "The lights stay as they are.");
    assert!(refusal.rule.is_some_and(|rule| rule.starts_with("/tools/control_lights")));
    assert_eq!(policed.lab.executed(), []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_argument_outside_the_rule_is_denied_and_one_inside_passes() -> Result<()> {
    let policed = Policed::start(&held(&policy()), Answers::Events).await?;
    let client = policed.client().await?;
    // Other spellings of an address that some resolver would take, and a value of another type.
    for outside in [json!("192.168.0.1"), json!("10.7"), json!("010.0.0.7"), json!("robot.local"), json!(167772167)] {
        let outcome = client.call("robot_health", json!({ "robot_ip": outside })).await?;
        let Outcome::Refused(refusal) = outcome else { panic!("{outside}: {outcome:?}") };
        assert_eq!(refusal.text, "Only lab robots.");
        assert_eq!(refusal.rule.as_deref(), Some("/tools/robot_health/require/args.robot_ip-cidr"));
    }
    assert_eq!(policed.lab.executed(), []);
    assert!(client.call("robot_health", robot()).await?.reached_the_tool());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_tool_is_unknown_when_called() -> Result<()> {
    let policed = Policed::start(&held(&policy()), Answers::Events).await?;
    let client = policed.client().await?;
    let hidden = client.call("home_robot", robot()).await?;
    assert_eq!(hidden, Outcome::Error { code: -32602, message: "Unknown tool: home_robot".into() });
    assert_eq!(policed.lab.executed(), []);
    Ok(())
}
