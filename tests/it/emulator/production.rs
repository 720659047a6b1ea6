//! Deployments of an App; every exchange is judged by GitHub's description.

use pforge::emulator::state::Level;
use serde_json::json;

use crate::emulator::real::{judge, judge_deliveries};
use crate::emulator::support::{
    APP_ID, Emulator, PATIENCE, REPO, Sink, as_app, as_installation, files, installed, permissions,
};

#[tokio::test]
async fn deployments_are_made_and_told() {
    let sink = Sink::start(202).await;
    let may = permissions(&[("deployments", Level::Write), ("checks", Level::Write), ("contents", Level::Write)]);
    let (seed, pem) = installed(may, &["deployment", "deployment_status"], Some(&sink.url));
    let emulator = Emulator::start(seed).await;
    let person = &emulator.person;
    let sha = person.push(REPO, "main", &files(&[("a.txt", "1\n")]), None).await.unwrap();
    person.push(REPO, "behind", &files(&[("b.txt", "1\n")]), None).await.unwrap();
    person.push(REPO, "main", &files(&[("a.txt", "2\n")]), None).await.unwrap();
    let api = as_installation(&as_app(&emulator.base, &pem, &APP_ID.to_string()), json!({})).await;
    let deployments = format!("/repos/{REPO}/deployments");

    let ask = json!({
        "ref": sha, "environment": "recipe", "auto_merge": false, "required_contexts": [], "description": "Run",
        "payload": { "recipe_run_id": 7 },
    });
    let made = api.post(&deployments, ask).await;
    assert_eq!((made.status, &made.body["payload"]["recipe_run_id"]), (201, &json!(7)), "{:?}", made.body);
    let run = json!({ "name": "recipe", "head_sha": sha, "status": "in_progress" });
    assert_eq!(api.post(&format!("/repos/{REPO}/check-runs"), run).await.status, 201);
    let refused = api.post(&deployments, json!({ "ref": sha })).await;
    assert_eq!(
        (refused.status, refused.message()),
        (409, &*format!("Conflict: Commit status checks failed for {sha}."))
    );
    let merged = api.post(&deployments, json!({ "ref": "behind" })).await;
    assert_eq!((merged.status, merged.message()), (202, "Auto-merged main into behind on deployment."));
    assert_eq!(api.post(&deployments, json!({ "ref": "behind" })).await.status, 201);
    assert_eq!(api.post(&deployments, json!({ "ref": "nowhere" })).await.status, 422);

    let one = format!("{deployments}/{}", made.body["id"]);
    let statuses = format!("{one}/statuses");
    assert_eq!(api.post(&statuses, json!({ "state": "in_progress" })).await.status, 201);
    let done = json!({ "state": "success", "environment_url": "https://x.test/7", "log_url": "https://x.test/log" });
    assert_eq!(api.post(&statuses, done).await.body["environment_url"], "https://x.test/7");
    let odd = api.post(&statuses, json!({ "status": "failure" })).await;
    assert_eq!((odd.status, odd.message()), (422, "Invalid request.\n\n\"state\" wasn't supplied."));
    assert_eq!(api.get(&statuses).await.body[0]["state"], "success");
    assert_eq!(api.get(&one).await.body["sha"], sha);
    let found = api.get(&format!("{deployments}?sha={sha}&environment=recipe")).await.body;
    assert_eq!((found.as_array().map(Vec::len), &found[0]["id"]), (Some(1), &made.body["id"]));
    assert_eq!(api.get(&format!("{deployments}/1")).await.status, 404);

    person.settled(PATIENCE).await.unwrap();
    let told = ["deployment.created", "deployment.created", "deployment_status.created", "deployment_status.created"];
    let heard: Vec<String> = sink.events().into_iter().filter(|event| event.starts_with("deployment")).collect();
    assert_eq!(heard, told);
    judge(&person.calls().await.unwrap(), 15);
    judge_deliveries(&person.deliveries().await.unwrap(), 3);
    emulator.stop().await;
}
