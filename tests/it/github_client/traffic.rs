//! Retries, redirects, pages, conditional requests: what holds for every call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use pforge::github::{Auth, Call, Client, Error, Target, Tuning};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use url::Url;

use super::fake::{Fake, Logs, TestClock, config, message, quick, reply};

fn seven() -> Auth {
    Auth::installation(Target::Id(7))
}

#[tokio::test]
async fn each_request_says_what_it_wants_and_who_sends_it() {
    let clock = TestClock::real();
    let fake = Fake::github(clock.clone(), |seen| (seen.path == "/x").then(|| reply(200, json!({})))).await;
    let client = fake.client(&clock);
    client.request(seven(), Method::POST, "/x?a=1", Some(&json!({ "k": "v" }))).await.unwrap();
    let seen = fake.seen();
    for request in &seen {
        assert_eq!(request.header("accept"), "application/vnd.github+json");
        assert_eq!(request.header("x-github-api-version"), "2022-11-28");
        assert_eq!(request.header("user-agent"), concat!("pforge/", env!("CARGO_PKG_VERSION")));
        assert_eq!(request.header("content-type"), "application/json");
    }
    assert_eq!((seen[1].query.as_str(), seen[1].json()), ("a=1", json!({ "k": "v" })));
}

#[tokio::test]
async fn an_enterprise_server_has_its_prefix() {
    let clock = TestClock::real();
    let fake = Fake::start(|seen| match seen.path.as_str() {
        "/api/v3/app" => reply(200, json!({ "id": 1, "name": "a" })),
        _ => message(404, "Not Found"),
    })
    .await;
    for base in ["api/v3", "api/v3/"] {
        let config = config(fake.url.join(base).unwrap(), &clock);
        Client::new(config).unwrap().app().await.unwrap();
    }
}

#[tokio::test]
async fn a_passing_failure_is_retried_when_that_can_do_no_harm() {
    let clock = TestClock::real();
    // The status is in the path; the third of the same call succeeds.
    let fake = Fake::github(clock.clone(), |seen| {
        let status = seen.path.strip_prefix("/x/")?.split('/').next()?.parse().ok()?;
        Some(if seen.before < 2 { reply(status, json!("<html>")) } else { reply(200, json!({})) })
    })
    .await;
    let client = fake.client(&clock);
    for status in [502, 503, 504] {
        for (method, repeatable, requests) in [
            (Method::GET, None, 3),
            (Method::PUT, None, 3),
            (Method::DELETE, None, 3),
            (Method::POST, None, 1),
            (Method::PATCH, None, 1),
            (Method::POST, Some(true), 3),
            (Method::PUT, Some(false), 1),
        ] {
            let path = format!("/x/{status}/{}", repeatable.map_or(2, u8::from));
            let mut call = Call::new(method.clone(), &path, seven());
            if let Some(repeatable) = repeatable {
                call = call.repeatable(repeatable);
            }
            let outcome = client.send(&call).await;
            assert_eq!(fake.count(method.as_str(), &path), requests, "{method} {path}");
            assert_eq!(outcome.is_ok(), requests == 3, "{method} {path}");
            if let Err(error) = outcome {
                assert!(error.is_transient() && error.status() == Some(status), "{error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_failure_that_names_a_long_wait_is_for_the_caller() {
    let clock = TestClock::real();
    let fake = Fake::start(|_| message(503, "Down for maintenance").with("retry-after", 600)).await;
    let error = fake.client(&clock).app().await.unwrap_err();
    assert_eq!((error.retry_after(), fake.seen().len()), (Some(Duration::from_secs(600)), 1));
}

#[tokio::test]
async fn other_failures_are_not_retried() {
    for status in [400, 404, 409, 422, 500] {
        let clock = TestClock::real();
        let fake = Fake::github(clock.clone(), move |seen| {
            (seen.path == "/x").then(|| {
                reply(status, json!({ "message": "no", "errors": [{ "resource": "R", "field": "f", "code": "c" }] }))
            })
        })
        .await;
        let error = fake.client(&clock).request(seven(), Method::GET, "/x?q=1", None).await.unwrap_err();
        assert_eq!(error.to_string(), format!("GET /x: {status} no; R.f: c"));
        assert_eq!(fake.count("GET", "/x"), 1);
    }
}

/// A server that reads and hangs up; counts how often.
async fn hangs_up() -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
        }
    });
    (url, count)
}

#[tokio::test]
async fn a_call_that_may_have_arrived_is_repeated_only_if_harmless() {
    let clock = TestClock::real();
    for (method, expected) in [(Method::GET, 3), (Method::POST, 1)] {
        let (url, count) = hangs_up().await;
        let client = Client::with_tuning(config(url, &clock), quick()).unwrap();
        let error = client.request(Auth::Jwt, method.clone(), "/app", None).await.unwrap_err();
        assert!(matches!(&error, Error::Transport { path, .. } if path == "/app"), "{error:?}");
        assert!(error.is_transient());
        assert_eq!(count.load(Ordering::SeqCst), expected, "{method}");
    }
}

#[tokio::test]
async fn a_call_that_was_never_sent_is_repeated_also_if_it_creates() {
    let (logs, _guard) = Logs::catch();
    let clock = TestClock::real();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let url = Url::parse(&format!("http://{address}")).unwrap();
    let tuning = Tuning { attempts: 100, ..quick() };
    let client = Client::with_tuning(config(url, &clock), tuning).unwrap();
    let call = tokio::spawn(async move { client.request(Auth::Jwt, Method::POST, "/x", None).await });
    let met = async {
        while !logs.text().contains("github call failed") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), met).await.expect("the client met a closed port");
    let fake = Fake::on(TcpListener::bind(address).await.unwrap(), |_| reply(201, json!({})));
    call.await.unwrap().unwrap();
    assert_eq!(fake.count("POST", "/x"), 1);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_left() {
    let clock = TestClock::real();
    let fake = Fake::start(|_| reply(200, json!({})).after(Duration::from_secs(60))).await;
    let tuning = Tuning { timeout: Duration::from_millis(150), ..quick() };
    let client = fake.client_with(&clock, tuning);
    let error = client.app().await.unwrap_err();
    assert!(error.to_string().contains("timed out"), "{error}");
    assert!(!error.to_string().contains("127.0.0.1"), "no addresses in errors: {error}");
    assert_eq!(fake.count("GET", "/app"), 3);
    client.redeliver(1).await.unwrap_err();
    assert_eq!(fake.count("POST", "/app/hook/deliveries/1/attempts"), 1);
}

#[tokio::test]
async fn pages_are_merged_whatever_their_shape_and_address() {
    let clock = TestClock::real();
    let fake = Fake::github(clock.clone(), |seen| {
        let host = format!("http://{}", seen.header("host"));
        let link =
            |page: u32| format!(r#"<{host}/repositories/1/{page}?per_page=100>; rel="next", <{host}/z>; rel="last""#);
        match seen.path.as_str() {
            "/list" => Some(reply(200, json!([1, 2])).with("link", link(2))),
            "/repositories/1/2" => Some(reply(200, json!([3])).with("link", link(3))),
            "/repositories/1/3" => Some(reply(200, json!([4]))),
            "/runs" => Some(reply(200, json!({ "total_count": 3, "check_runs": [1, 2] })).with("link", link(4))),
            "/repositories/1/4" => Some(reply(200, json!({ "total_count": 3, "check_runs": [3] }))),
            "/mixed" => Some(reply(200, json!({ "check_runs": [1] })).with("link", link(3))),
            _ => None,
        }
    })
    .await;
    let client = fake.client(&clock);
    let call = |path: &str| Call::get(path, seven());
    assert_eq!(client.pages(&call("/list")).await.unwrap(), json!([1, 2, 3, 4]));
    assert_eq!(client.pages(&call("/runs")).await.unwrap(), json!({ "total_count": 3, "check_runs": [1, 2, 3] }));
    assert_eq!(client.list::<u32>(&call("/runs")).await.unwrap(), [1, 2, 3]);
    assert!(matches!(client.pages(&call("/mixed")).await, Err(Error::Decode { .. })));
    assert!(fake.seen().iter().skip(1).all(|seen| seen.bearer() == "ghs_token_1"));
}

#[tokio::test]
async fn a_next_page_on_another_host_is_refused() {
    let clock = TestClock::real();
    let foreign = Fake::start(|_| reply(200, json!([2]))).await;
    let next = format!("<{}x?page=2>; rel=\"next\"", foreign.url);
    let fake = Fake::github(clock.clone(), move |seen| {
        (seen.path == "/x").then(|| reply(200, json!([1])).with("link", next.clone()))
    })
    .await;
    let error = fake.client(&clock).pages(&Call::get("/x", seven())).await.unwrap_err();
    assert!(matches!(&error, Error::Invalid(text) if text.contains("another host")), "{error:?}");
    assert!(foreign.seen().is_empty(), "the token must not travel");
    let given = Call::get(foreign.url.join("x").unwrap(), seven());
    assert!(matches!(fake.client(&clock).send(&given).await, Err(Error::Invalid(_))));
    assert!(foreign.seen().is_empty());
}

#[tokio::test]
async fn too_many_pages_are_an_error_and_never_cut() {
    let clock = TestClock::real();
    let fake = Fake::github(clock.clone(), |seen| {
        let next = format!("<http://{}/x>; rel=\"next\"", seen.header("host"));
        (seen.path == "/x").then(|| reply(200, json!([1])).with("link", next))
    })
    .await;
    let client = fake.client_with(&clock, Tuning { max_pages: 4, ..quick() });
    let error = client.pages(&Call::get("/x", seven())).await.unwrap_err();
    assert!(error.to_string().contains("more than 4 pages"), "{error}");
    assert_eq!(fake.count("GET", "/x"), 4);
}

#[tokio::test]
async fn a_redirect_is_followed_as_github_asks() {
    let clock = TestClock::real();
    let files = Fake::start(|_| reply(200, json!("file"))).await;
    let elsewhere = files.url.join("archive?sig=1").unwrap();
    let fake = Fake::github(clock.clone(), move |seen| match seen.path.as_str() {
        "/old" => Some(reply(301, json!({})).with("location", "/new")),
        "/new" => Some(reply(307, json!({})).with("location", format!("http://{}/newest", seen.header("host")))),
        "/newest" => Some(reply(201, json!({}))),
        "/archive" => Some(reply(302, json!({})).with("location", &elsewhere)),
        "/loop" => Some(reply(302, json!({})).with("location", "/loop")),
        _ => None,
    })
    .await;
    let client = fake.client(&clock);
    client.request(seven(), Method::POST, "/old", Some(&json!({ "k": 1 }))).await.unwrap();
    let last = fake.seen().last().unwrap().clone();
    assert!(last.is("POST", "/newest") && last.json() == json!({ "k": 1 }) && last.bearer() == "ghs_token_1");

    client.request(seven(), Method::GET, "/archive", None).await.unwrap();
    assert_eq!(files.seen()[0].query, "sig=1");
    assert_eq!(files.seen()[0].header("authorization"), "", "the token must not travel");
    let error = client.request(seven(), Method::POST, "/archive", Some(&json!({}))).await.unwrap_err();
    assert_eq!((error.status(), files.seen().len()), (Some(302), 1));
    assert!(client.request(seven(), Method::GET, "/loop", None).await.is_err());
}

#[tokio::test]
async fn polling_asks_only_what_changed() {
    let clock = TestClock::real();
    let fake = Fake::github(clock.clone(), |seen| match (seen.path.as_str(), seen.header("if-none-match")) {
        ("/x", "\"1\"") if seen.before < 2 => Some(reply(304, Value::Null)),
        ("/x", _) => Some(reply(200, json!([seen.before])).with("etag", format!("\"{}\"", seen.before + 1))),
        _ => None,
    })
    .await;
    let client = fake.client(&clock);
    let call = Call::get("/x", seven()).conditional();
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(client.fetch::<Vec<u32>>(&call).await.unwrap());
    }
    assert_eq!(answers, [[0], [0], [2]]);
    assert_eq!(fake.seen().last().unwrap().header("if-none-match"), "\"1\"");
    // Not for other calls, nor for other installations.
    client.fetch::<Vec<u32>>(&Call::get("/x", seven())).await.unwrap();
    client.fetch::<Vec<u32>>(&Call::get("/x", Auth::installation(Target::Id(8))).conditional()).await.unwrap();
    let tags: Vec<String> =
        fake.seen().iter().filter(|s| s.path == "/x").map(|s| s.header("if-none-match").to_owned()).collect();
    assert_eq!(tags[3..], ["", ""]);
}

#[tokio::test]
async fn success_without_the_documented_shape_is_told() {
    let clock = TestClock::real();
    let fake = Fake::start(|_| reply(200, json!({ "id": "seven" }))).await;
    let error = fake.client(&clock).app().await.unwrap_err();
    assert!(error.to_string().starts_with("GET /app: unexpected answer: "), "{error}");
}
