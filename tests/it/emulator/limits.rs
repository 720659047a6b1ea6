//! What GitHub refuses in check runs, and how it says so.

use http::Method;
use pforge::emulator::state::Level;
use serde_json::{Value, json};

use crate::emulator::support::{APP_ID, Emulator, REPO, as_app, as_installation, installed, permissions};

fn annotation() -> Value {
    json!({"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"})
}

#[tokio::test]
async fn check_runs_have_limits() {
    let (seed, pem) = installed(permissions(&[("checks", Level::Write), ("contents", Level::Read)]), &[], None);
    let emulator = Emulator::start(seed).await;
    let api = as_installation(&as_app(&emulator.base, &pem, &APP_ID.to_string()), json!({})).await;
    let path = format!("/repos/{REPO}/check-runs");
    let sha = api.get(&format!("/repos/{REPO}/commits/main")).await.body["sha"].clone();
    let output = |extra: Value| {
        let mut output = json!({"title": "t", "summary": "s"});
        output.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "output": output })
    };
    let cases = [
        (json!({}), Ok(())),
        (output(json!({"annotations": vec![annotation(); 50]})), Ok(())),
        (output(json!({"summary": "é".repeat(65_535)})), Ok(())),
        (json!({"name": null}), Err("\"name\" wasn't supplied.")),
        (json!({"head_sha": null}), Err("\"head_sha\" wasn't supplied.")),
        (json!({"status": "completed"}), Err("\"conclusion\" wasn't supplied.")),
        (json!({"status": "done"}), Err("done is not a member of")),
        (json!({"conclusion": "stale"}), Err("stale is not a member of")),
        (
            output(json!({"annotations": vec![annotation(); 51]})),
            Err("No more than 50 items are allowed; 51 were supplied."),
        ),
        (output(json!({"annotations": [{"path": "a"}]})), Err("\"message\" wasn't supplied.")),
        (
            output(json!({"summary": "x".repeat(65_536)})),
            Err("Only 65535 characters are allowed; 65536 were supplied."),
        ),
        (output(json!({"text": "x".repeat(65_536)})), Err("Only 65535 characters are allowed; 65536 were supplied.")),
        (json!({"output": {"title": "t"}}), Err("\"summary\" wasn't supplied.")),
        (
            json!({"actions": vec![json!({"label": "l", "description": "d", "identifier": "i"}); 4]}),
            Err("No more than 3 items"),
        ),
        (
            json!({"actions": [{"label": "x".repeat(21), "description": "d", "identifier": "i"}]}),
            Err("Only 20 characters"),
        ),
        (json!({"started_at": "noon"}), Err("noon is not a valid date-time.")),
        (json!({"head_sha": "0123456789012345678901234567890123456789"}), Err("No commit found for SHA")),
    ];
    for (change, expected) in cases {
        let mut body = json!({"name": "n", "head_sha": sha});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = api.post(&path, body).await;
        let shown: String = change.to_string().chars().take(120).collect();
        match expected {
            Ok(()) => assert_eq!(answer.status, 201, "{shown} {}", answer.message()),
            Err(text) => {
                assert_eq!(answer.status, 422, "{shown}");
                assert!(answer.message().contains(text), "{shown}: {}", answer.message());
            }
        }
    }
    emulator.stop().await;
}

#[tokio::test]
async fn annotations_are_appended_and_conclusions_complete() {
    let (seed, pem) = installed(permissions(&[("checks", Level::Write), ("contents", Level::Read)]), &[], None);
    let emulator = Emulator::start(seed).await;
    let api = as_installation(&as_app(&emulator.base, &pem, &APP_ID.to_string()), json!({})).await;
    let path = format!("/repos/{REPO}/check-runs");
    let sha = api.get(&format!("/repos/{REPO}/commits/main")).await.body["sha"].clone();
    let output = json!({"title": "t", "summary": "s", "annotations": [annotation()]});
    let run = api.post(&path, json!({"name": "n", "head_sha": sha, "output": output})).await.body;
    let path = format!("{path}/{}", run["id"]);
    let done = api.call(Method::PATCH, &path, json!({"conclusion": "success", "output": output})).await.body;
    assert_eq!((&done["status"], &done["output"]["annotations_count"]), (&json!("completed"), &json!(2)));
    assert!(done["completed_at"].as_str().is_some_and(|t| t.ends_with('Z') && !t.contains('.')));
    assert_eq!(api.call(Method::PATCH, &format!("/repos/{REPO}/check-runs/1"), json!({"name": "x"})).await.status, 404);
    let problem = api.send(api.request(Method::PATCH, &path).body("{")).await;
    assert_eq!((problem.status, problem.message()), (400, "Problems parsing JSON"));
    emulator.stop().await;
}
