//! The policies of `examples/`: each tool gets what its risk asks for, and arguments that do harm are refused.

use serde_json::{Value, json};

use crate::lab::{Lab, call, is_forwarded, message};

fn example(name: &str) -> Lab {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Lab::new(&serde_json::from_str(&text).unwrap())
}

/// How many of `tries` calls in a row are forwarded, each answered before the next.
fn admitted(lab: &Lab, tool: &str, arguments: &Value, tries: usize) -> usize {
    let admits = |_: &usize| {
        let mut stream = lab.post(call(tool, arguments));
        let forwarded = is_forwarded(&stream);
        if forwarded {
            stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
            stream.response_body("{}", true);
        }
        forwarded
    };
    (0..tries).filter(admits).count()
}

fn is_unknown(lab: &Lab, tool: &str) -> bool {
    let stream = lab.post(call(tool, &json!({})));
    !is_forwarded(&stream) && message(&stream)["error"]["code"] == -32602
}

const ROBOT: &str = "10.1.2.3";
const RUN: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn the_opentrons_catalogue_allows_two_tools_ten_times_a_minute() {
    let lab = example("opentrons/catalogue.json");
    for tool in ["create_run", "control_run"] {
        assert_eq!(admitted(&lab, tool, &json!({}), 12), 10, "{tool}");
    }
    for tool in ["robot_health", "home_robot", "upload_protocol", "get_runs"] {
        assert_eq!(admitted(&lab, tool, &json!({}), 1), 0, "{tool}");
    }
}

#[test]
fn the_mlflow_catalogue_allows_one_tool() {
    let lab = example("mlflow/catalogue.json");
    assert_eq!(admitted(&lab, "get_run", &json!({"run_id": RUN}), 50), 50);
    for tool in ["get_runs", "delete_run", "register_model", "health"] {
        assert_eq!(admitted(&lab, tool, &json!({}), 1), 0, "{tool}");
    }
}

#[test]
fn each_of_the_fourteen_opentrons_tools_gets_the_rule_of_its_risk() {
    let lab = example("opentrons/policy.json");
    let arguments = json!({"robot_ip": ROBOT, "run_id": "run-1", "protocol_id": "p-1", "action": "pause",
        "file_path": "/srv/protocols/a.py", "on": true});
    let reads = [
        "search_endpoints",
        "get_endpoint_details",
        "list_by_category",
        "get_api_overview",
        "get_protocols",
        "get_runs",
        "robot_health",
        "get_run_status",
    ];
    let writes = ["upload_protocol", "control_lights"];
    let moves = ["create_run", "control_run", "home_robot"];
    for (tools, most) in [(&reads[..], 40), (&writes[..], 30), (&moves[..], 10)] {
        for tool in tools {
            assert_eq!(admitted(&lab, tool, &arguments, 40), most, "{tool}");
        }
    }
    assert!(is_unknown(&lab, "poll_error_endpoint_and_fix"));
    assert_eq!(reads.len() + writes.len() + moves.len() + 1, 14);
}

#[test]
fn harmful_arguments_of_opentrons_tools_are_refused() {
    let lab = example("opentrons/policy.json");
    for (tool, arguments) in [
        ("robot_health", json!({"robot_ip": "169.254.169.254"})),
        ("robot_health", json!({"robot_ip": "robot.local"})),
        ("robot_health", json!({"robot_ip": "012.1.2.3"})),
        ("robot_health", json!({})),
        ("get_runs", json!({"robot_ip": "10.1.2.3; reboot"})),
        ("upload_protocol", json!({"robot_ip": ROBOT, "file_path": "/srv/protocols/a.py; rm -rf /"})),
        ("upload_protocol", json!({"robot_ip": ROBOT, "file_path": "/srv/protocols/../../etc/passwd"})),
        ("upload_protocol", json!({"robot_ip": ROBOT, "file_path": "/etc/shadow"})),
        ("get_run_status", json!({"robot_ip": ROBOT, "run_id": "../protocols"})),
        ("control_run", json!({"robot_ip": ROBOT, "run_id": "run-1", "action": "explode"})),
        ("control_run", json!({"robot_ip": ROBOT, "run_id": "run-1"})),
        ("create_run", json!({"robot_ip": ROBOT, "protocol_id": "a/b"})),
    ] {
        assert_eq!(admitted(&lab, tool, &arguments, 1), 0, "{tool} {arguments}");
    }
}

#[test]
fn each_of_the_forty_mlflow_tools_gets_the_rule_of_its_risk() {
    let lab = example("mlflow/policy.json");
    let arguments = json!({"run_id": RUN, "run_ids": [RUN], "experiment_id": "1", "name": "m", "model_name": "m",
        "model_uri": "runs:/abc/model", "stage": "Staging", "artifact_path": "a/b.txt", "version": "1"});
    let reads = "get_experiments search_experiments get_experiment_by_name get_experiment_metrics \
        get_experiment_params get_experiment_tags get_runs get_run get_parent_run get_run_metrics query_runs \
        search_runs_by_tags get_run_metric get_run_artifacts get_run_artifact get_artifact_content get_best_run \
        compare_runs search_logged_models get_logged_model get_registered_models get_registered_model \
        get_model_versions get_model_version get_model_version_by_alias get_latest_versions health";
    let writes = "register_model set_registered_model_tag set_model_alias set_run_tag set_experiment_tag \
        update_model_version copy_model_version transition_model_version_stage";
    let destructive = "delete_experiment delete_run delete_model_alias delete_model_version delete_registered_model";
    let mut count = 0;
    for (tools, most) in [(reads, 40), (writes, 30)] {
        for tool in tools.split_whitespace() {
            assert_eq!(admitted(&lab, tool, &arguments, 40), most, "{tool}");
            count += 1;
        }
    }
    for tool in destructive.split_whitespace() {
        assert!(is_unknown(&lab, tool), "{tool}");
        count += 1;
    }
    assert_eq!(count, 40);
}

#[test]
fn harmful_arguments_of_mlflow_tools_are_refused() {
    let lab = example("mlflow/policy.json");
    for (tool, arguments) in [
        ("get_run", json!({"run_id": "../x"})),
        ("get_run_artifact", json!({"run_id": RUN, "artifact_path": "../../etc/passwd"})),
        ("get_run_artifacts", json!({"run_id": RUN, "path": "/etc"})),
        ("get_runs", json!({"experiment_id": "1", "limit": 5000})),
        ("get_runs", json!({"experiment_id": "1", "limit": "5000"})),
        ("compare_runs", json!({"experiment_id": "1", "run_ids": vec![RUN; 11]})),
        ("register_model", json!({"model_name": "m", "model_uri": "http://evil/model"})),
        ("transition_model_version_stage", json!({"name": "m", "version": "1", "stage": "Production"})),
    ] {
        assert_eq!(admitted(&lab, tool, &arguments, 1), 0, "{tool} {arguments}");
    }
}
