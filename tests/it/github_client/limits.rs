//! Rate limits and the pace of writes.

use std::time::{Duration, Instant};

use http::Method;
use pforge::github::rate::Budget;
use pforge::github::{Answer, Auth, Client, Error, Target, Tuning};
use serde_json::json;

use super::fake::{Fake, TestClock, message, quick, reply};

async fn send(client: &Client, installation: i64, method: Method, path: &str) -> Result<Answer, Error> {
    client.request(Auth::installation(Target::Id(installation)), method, path, None).await
}

#[tokio::test]
async fn a_short_limit_is_waited_for_also_by_a_post() {
    for status in [403, 429] {
        let clock = TestClock::real();
        let fake = Fake::github(clock.clone(), move |seen| match (seen.path.as_str(), seen.before) {
            ("/x", 0) => Some(message(status, "You have exceeded a secondary rate limit.").with("retry-after", 1)),
            ("/x", _) => Some(reply(201, json!({}))),
            _ => None,
        })
        .await;
        let started = Instant::now();
        send(&fake.client(&clock), 7, Method::POST, "/x").await.unwrap();
        assert!(started.elapsed() >= Duration::from_secs(1), "waited {:?}", started.elapsed());
        assert_eq!(fake.count("POST", "/x"), 2);
    }
}

#[tokio::test]
async fn a_long_limit_is_for_the_caller_and_is_remembered() {
    let clock = TestClock::real();
    let fake = Fake::github(clock.clone(), |seen| match (seen.path.as_str(), seen.bearer()) {
        ("/x", "ghs_token_1") => {
            Some(message(403, "You have exceeded a secondary rate limit.").with("retry-after", 90))
        }
        ("/x" | "/y" | "/rate_limit", _) => Some(reply(200, json!({}))),
        _ => None,
    })
    .await;
    let client = fake.client(&clock);
    let started = Instant::now();
    let error = send(&client, 7, Method::GET, "/x").await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
    assert!(error.is_transient() && error.explanation().unwrap().contains("rate limit"), "{error:?}");

    // Whatever this installation wants, it is not asked for; and the error says why.
    let before = fake.seen().len();
    let error = send(&client, 7, Method::POST, "/y").await.unwrap_err();
    assert_eq!((fake.seen().len(), error.status()), (before, Some(403)));
    assert!(error.to_string().contains("not sent"), "{error}");
    let left = error.retry_after().unwrap();
    assert!(left > Duration::from_secs(80) && left <= Duration::from_secs(90), "{left:?}");

    // Others are not held, nor is the question how long it lasts.
    send(&client, 8, Method::GET, "/x").await.unwrap();
    send(&client, 7, Method::GET, "/rate_limit").await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_last_call_of_an_hour_holds_the_next_of_its_resource_only() {
    let clock = TestClock::real();
    let reset = clock.now().timestamp() + 1800;
    let fake = Fake::github(clock.clone(), move |seen| match seen.path.as_str() {
        "/search/issues" => {
            Some(reply(200, json!({})).with("x-ratelimit-remaining", 0).with("x-ratelimit-reset", reset))
        }
        "/x" if seen.before == 0 => Some(reply(200, json!({})).with("x-ratelimit-remaining", 1)),
        "/x" => Some(
            message(403, "API rate limit exceeded for installation ID 7.")
                .with("x-ratelimit-remaining", 0)
                .with("x-ratelimit-reset", reset),
        ),
        _ => None,
    })
    .await;
    let client = fake.client(&clock);
    send(&client, 7, Method::GET, "/search/issues").await.unwrap();
    let error = send(&client, 7, Method::GET, "/search/issues").await.unwrap_err();
    assert!(error.retry_after().unwrap() > Duration::from_secs(1700), "{error:?}");
    send(&client, 7, Method::GET, "/x").await.unwrap();
    let error = send(&client, 7, Method::GET, "/x").await.unwrap_err();
    assert!(error.retry_after().unwrap() > Duration::from_secs(1700), "{error:?}");
    send(&client, 7, Method::GET, "/x").await.unwrap_err();
    assert_eq!((fake.count("GET", "/search/issues"), fake.count("GET", "/x")), (1, 2));
}

#[tokio::test]
async fn an_ordinary_403_is_neither_waited_for_nor_remembered() {
    let clock = TestClock::real();
    let fake = Fake::github(clock.clone(), |seen| {
        (seen.path == "/x").then(|| {
            message(403, "Resource not accessible by integration")
                .with("x-ratelimit-remaining", 4999)
                .with("x-accepted-github-permissions", "checks=write")
        })
    })
    .await;
    let client = fake.client(&clock);
    for _ in 0..2 {
        let error = send(&client, 7, Method::POST, "/x").await.unwrap_err();
        assert!(!error.is_transient());
        let explanation = error.explanation().unwrap();
        assert!(explanation.contains("checks:write") && explanation.contains(fake.url.as_str()), "{explanation}");
    }
    assert_eq!(fake.count("POST", "/x"), 2);
}

#[tokio::test]
async fn creations_stay_within_the_budget_and_nothing_else_is_slowed() {
    let clock = TestClock::real();
    let fake = Fake::github(clock.clone(), |seen| (seen.path == "/x").then(|| reply(200, json!({})))).await;
    let tuning = Tuning { budget: Budget { per_minute: 20, per_hour: 500 }, patience: Duration::ZERO, ..quick() };
    let client = fake.client_with(&clock, tuning);
    send(&client, 7, Method::GET, "/x").await.unwrap();
    let started = Instant::now();
    for _ in 0..15 {
        send(&client, 7, Method::POST, "/x").await.unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(1), "far from the limit nothing waits");
    // Near it they would have to be spaced, for which there is no patience here.
    let error = send(&client, 7, Method::POST, "/x").await.unwrap_err();
    assert!(error.retry_after().unwrap() <= Duration::from_secs(1), "{error:?}");
    assert!(error.to_string().contains("20 creations a minute"), "{error}");
    send(&client, 7, Method::GET, "/x").await.unwrap();
    send(&client, 8, Method::POST, "/x").await.unwrap();
    assert_eq!(fake.count("POST", "/x"), 16);
}

#[tokio::test]
async fn no_more_than_the_allowed_requests_are_under_way() {
    let clock = TestClock::real();
    let fake = Fake::start(|_| reply(200, json!({ "id": 1, "name": "a" })).after(Duration::from_millis(50))).await;
    let client = fake.client_with(&clock, Tuning { concurrency: 3, ..quick() });
    let calls: Vec<_> = (0..9)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.app().await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((fake.seen().len(), fake.busiest()), (9, 3));
}
