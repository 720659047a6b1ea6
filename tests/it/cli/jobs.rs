//! The `jobs` commands against a running server.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use pforge::store::Db;
use pforge::store::jobs::{self, Finish, NewJob};
use serde_json::json;

use crate::support::env::Env;

/// A kind that no worker of the server takes.
const KIND: &str = "test.nothing";

/// Puts jobs 1 (dead), 2 (done) and 3 (ready) into the database of `env`.
fn plant(env: &Env) {
    let url = env.sqlite("database.sqlite").parse().expect("url");
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    runtime.block_on(async {
        let db = Db::connect(&url, Duration::from_secs(5)).await.expect("database");
        let now = Utc::now() - TimeDelta::days(3);
        let job = |number: u32| NewJob {
            kind: KIND.to_owned(),
            payload: json!({ "number": number }),
            key: Some(format!("alice/mock#{number}")),
            token: format!("token-{number}"),
            run_at: None,
            max_attempts: 3,
        };
        jobs::enqueue(&db, &[job(1), job(2)], now).await.expect("enqueue");
        let leased = jobs::claim(&db, "test", &[KIND], 2, Duration::from_secs(60), now).await.expect("claim");
        for (lease, row) in leased {
            let end = match row.id {
                1 => Finish::Dead("the recipe has no bakery".to_owned()),
                _ => Finish::Done("2 recipes queued".to_owned()),
            };
            assert!(jobs::finish(&db, &lease, &end, now).await.expect("finish"));
        }
        jobs::enqueue(&db, &[job(3)], now).await.expect("enqueue");
        db.close().await;
    });
}

#[test]
fn list_show_retry_drop() {
    let mut env = Env::configured();
    let server = env.start(&["serve", "--listen", "127.0.0.1:0"]);
    let address = server.url().to_owned();
    env.set("PFORGE_SERVER", &address);
    plant(&env);

    insta::assert_snapshot!("jobs list", env.line("jobs list"));
    insta::assert_snapshot!("jobs list dead", env.line("jobs list --state dead"));
    insta::assert_snapshot!("jobs list page", env.line("jobs list --limit 1"));
    let page = env.line("jobs list --key alice/mock#2 --json").success().json();
    assert_eq!((page["items"][0]["id"].as_i64(), &page["next"]), (Some(2), &json!(null)));

    insta::assert_snapshot!("jobs show", env.line("jobs show 1"));
    assert_eq!(env.line("jobs show 1 --json").success().json()["state"], "dead");

    insta::assert_snapshot!("jobs retry", env.line("jobs retry 1"));
    assert_eq!(env.line("jobs show 1 --json").success().json()["state"], "ready");
    insta::assert_snapshot!("jobs retry done", env.line("jobs retry 2"));
    let retried = env.line("jobs retry 2 --force --json").success().json();
    assert_eq!(retried["items"][0]["state"], "ready");

    insta::assert_snapshot!("jobs drop", env.line("jobs drop 1 2 --yes"));
    assert_eq!(env.line("jobs show 2").code, Some(5));
    assert_eq!(env.line("jobs list --json").success().json()["items"].as_array().map(Vec::len), Some(1));
}
