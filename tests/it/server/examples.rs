//! All example payloads of `@octokit/webhooks-examples`, signed and posted.

use std::io::Read;
use std::sync::Arc;

use pforge::apps::recipes::{Parts, Recipes};
use serde_json::Value;

use super::harness::{Request, Server};

const EXAMPLES: &[u8] = include_bytes!("../../fixtures/github/webhooks-examples-7.6.1.json.gz");

/// Event and body of each example.
fn examples() -> Vec<(String, Vec<u8>)> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(EXAMPLES).read_to_string(&mut text).expect("gzip");
    let groups: Vec<Value> = serde_json::from_str(&text).expect("json");
    let of = |group: &Value| {
        let name = group["name"].as_str().expect("name").to_owned();
        let bodies: Vec<_> = group["examples"].as_array().expect("examples").clone();
        bodies.into_iter().map(move |body| (name.clone(), serde_json::to_vec_pretty(&body).expect("json")))
    };
    groups.iter().flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_is_answered_and_stored_byte_for_byte() {
    let server = Server::start().await;
    let examples = examples();
    assert_eq!(examples.len(), 329);
    for batch in examples.chunks(16) {
        let one = async |(event, body): &(String, Vec<u8>)| {
            let request = Request::delivery(body.clone()).with("X-GitHub-Event", event.as_str());
            let reply = server.send(&request).await;
            assert_eq!(reply.status, 202, "{event}");
            let payload: Value = serde_json::from_slice(body).expect("json");
            assert_eq!(reply.json()["action"], payload["action"], "{event}");
            let row = server.stored(&request.guid()).await.expect("stored").row;
            assert_eq!(row.repo.as_deref(), payload["repository"]["full_name"].as_str(), "{event}");
            assert_eq!(row.installation_id, payload["installation"]["id"].as_i64(), "{event}");
            let bytes =
                pforge::store::deliveries::payload(&server.db, &request.guid()).await.expect("read").expect("row");
            assert!(bytes.1 == *body, "{event}: the bytes");
        };
        futures_util::future::join_all(batch.iter().map(one)).await;
    }
    assert_eq!(server.rows().await, 329);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_gets_an_answer_of_the_recipes_contract() {
    let server = Server::with(|config| {
        let (db, clock) = (config.db.clone(), config.clock.clone());
        config.apps = vec![Arc::new(Recipes::new(Parts::new(db, clock)))];
    })
    .await;
    let examples = examples();
    for (number, (event, body)) in examples.iter().enumerate() {
        // Both spellings of the path.
        let path = if number % 2 == 0 { "/github/hooks/" } else { "/github/hooks" };
        let request = Request::delivery(body.clone()).with("X-GitHub-Event", event.as_str());
        let request = Request { path: path.into(), ..request };
        let reply = server.send(&request).await;
        let expected: &[u16] = match event.as_str() {
            "pull_request" | "check_suite" => &[202],
            "issue_comment" => &[202, 400],
            "check_run" => &[202, 501],
            _ => &[501],
        };
        assert!(expected.contains(&reply.status), "{event}: {} {}", reply.status, reply.json());
        if reply.status == 501 {
            assert_eq!(reply.json()["detail"], "No handling implemented for this event type.");
        }
        let row = server.stored(&request.guid()).await.expect("stored").row;
        assert_eq!(row.answer_status, reply.status, "{event}");
    }
    assert_eq!(server.rows().await, examples.len());
    let missing = Request { path: "/github/hooks/".into(), ..Request::delivery("{}") }.without("X-Hub-Signature-256");
    let text = "Request does not include a GitHub hash signature header.";
    assert_eq!(server.send(&missing).await.json()["detail"], text);
    let wrong = missing.with("X-Hub-Signature-256", "sha256=00");
    assert_eq!(server.send(&wrong).await.json()["detail"], "Request hash signature invalid.");
    server.stop().await;
}
