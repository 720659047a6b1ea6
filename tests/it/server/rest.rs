//! The REST API: shapes, bounds, keys.

use http::StatusCode;
use pforge::server::Cors;
use pforge::store::jobs::{self, NewJob};
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{API_KEY, HOOK, Request, Server};

const ADMIN: [(&str, &str); 9] = [
    ("GET", "/deliveries"),
    ("GET", "/deliveries/x"),
    ("GET", "/deliveries/x/payload"),
    ("GET", "/jobs"),
    ("GET", "/jobs/1"),
    ("GET", "/jobs/1/trace"),
    ("POST", "/jobs/1/retry"),
    ("DELETE", "/jobs/1"),
    ("GET", "/events"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admin_routes_want_the_key() {
    let server = Server::start().await;
    for (method, path) in ADMIN {
        let method = Method::from_bytes(method.as_bytes()).expect("method");
        for path in [path.to_owned(), format!("{path}/")] {
            let (status, body) = server.call(method.clone(), &path, None, None).await;
            assert_eq!((status.as_u16(), body), (403, json!({ "detail": "Not authenticated" })), "{path}");
            let (status, body) = server.call(method.clone(), &path, Some("wrong"), None).await;
            assert_eq!((status.as_u16(), body), (401, json!({ "detail": "Invalid API Key" })), "{path}");
        }
    }
    server.stop().await;
    let server = Server::with(|config| config.api_key = None).await;
    for key in ["", API_KEY] {
        assert_eq!(server.call(Method::GET, "/jobs", Some(key), None).await.0, 401, "no key is configured");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_are_listed_in_pages_and_shown() {
    let server = Server::start().await;
    let mut guids = Vec::new();
    for number in 0..5 {
        let body = format!(r#"{{"action":"a{}","repository":{{"full_name":"o/r{number}"}}}}"#, number % 2);
        let request = Request::delivery(body).with("Authorization", "secret").with("Cookie", "secret");
        server.send(&request).await;
        guids.insert(0, request.guid());
    }
    let (mut seen, mut path) = (Vec::new(), "/deliveries?limit=2".to_owned());
    loop {
        let (status, page) = server.get(&path).await;
        assert_eq!(status, 200);
        seen.extend(
            page["items"].as_array().expect("items").iter().map(|row| row["guid"].as_str().expect("guid").to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/deliveries/?limit=2&after={next}");
    }
    assert_eq!(seen, guids);
    let (_, page) = server.get("/deliveries?action=a1&event=ping").await;
    assert_eq!((page["items"].as_array().map(Vec::len), &page["next"]), (Some(2), &Value::Null));
    let (_, page) = server.get("/deliveries?repo=o/r3").await;
    assert_eq!(page["items"][0]["guid"], guids[1]);
    assert_eq!(server.get("/deliveries?status=ignored").await.1["items"].as_array().map(Vec::len), Some(5));
    assert_eq!(server.get("/deliveries?status=failed").await.1["items"], json!([]));
    let page = server.get("/deliveries?limit=2&since=2020-01-01T00:00:00Z&text=O/R3").await.1;
    assert_eq!(
        (&page["items"][0]["guid"], &page["items"][1], &page["next"]),
        (&json!(guids[1]), &Value::Null, &Value::Null)
    );
    assert_eq!(server.get("/deliveries?until=2020-01-01T00:00:00Z").await.1["items"], json!([]));
    assert_eq!(server.get(&format!("/deliveries?guid={}", &guids[1][..9])).await.1["items"][0]["guid"], guids[1]);
    for query in [
        "since=yesterday",
        "until=2020-01-01",
        "limit=0",
        "limit=1001",
        "limit=x",
        "after=x",
        "status=lost",
        "limit=-1",
    ] {
        let (status, body) = server.get(&format!("/deliveries?{query}")).await;
        assert_eq!((status.as_u16(), body["detail"][0]["loc"][0].as_str()), (422, Some("query")), "{query}");
    }
    let (status, detail) = server.get(&format!("/deliveries/{}", guids[0])).await;
    assert_eq!((status.as_u16(), &detail["history"][0]["number"], &detail["jobs"]), (200, &json!(1), &json!([])));
    let headers = detail["headers"].as_object().expect("headers");
    assert!(headers.contains_key("x-github-event"));
    for secret in ["x-hub-signature-256", "x-hub-signature", "authorization", "cookie"] {
        assert!(!headers.contains_key(secret), "{secret}");
    }
    let (status, body) = server.get("/deliveries/none").await;
    assert_eq!((status.as_u16(), body), (404, json!({ "detail": "delivery not found" })));
    assert_eq!(server.get("/deliveries/none/payload").await.0, 404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_comes_back_byte_for_byte() {
    let server = Server::start().await;
    let body = "{ \"a\" :1.0,\t\"b\": \"\\u00e9é<script>\" }\r\n";
    let request = Request::delivery(body).with("Content-Type", "application/json; charset=utf-8");
    server.send(&request).await;
    let client = reqwest::Client::builder().no_proxy().build().expect("client");
    let url = server.url(&format!("/deliveries/{}/payload", request.guid()));
    let response = client.get(url).header("x-api-key", API_KEY).send().await.expect("answer");
    assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.bytes().await.expect("bytes"), body);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_listed_retried_and_dropped() {
    let server = Server::start().await;
    let job = |token: &str| NewJob {
        kind: "tiny.work".into(),
        payload: json!({}),
        key: Some("a/b#1".into()),
        token: token.into(),
        run_at: None,
        max_attempts: 3,
    };
    let ids = jobs::enqueue(&server.db, &[job("a"), job("b"), job("c")], chrono::Utc::now()).await.expect("enqueue");
    let (_, page) = server.get("/jobs?limit=2&state=ready&kind=tiny.work&key=a/b%231").await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(2));
    let next = page["next"].as_str().expect("a cursor");
    let (_, page) = server.get(&format!("/jobs?limit=2&after={next}")).await;
    assert_eq!((&page["items"][0]["id"], &page["next"]), (&json!(ids[0]), &Value::Null));
    assert_eq!(server.get("/jobs?state=dead").await.1["items"], json!([]));
    for query in ["limit=1001", "state=lost", "delivery_id=x"] {
        assert_eq!(server.get(&format!("/jobs?{query}")).await.0, 422, "{query}");
    }
    let path = format!("/jobs/{}", ids[0]);
    assert_eq!(server.get(&path).await.1["token"], "a");
    let (_, trace) = server.get(&format!("{path}/trace")).await;
    assert_eq!(trace, json!({ "job": ids[0], "attempts": [] }));
    assert_eq!(server.get("/jobs/999999/trace").await.0, 404);
    let (status, row) = server.call(Method::POST, &format!("{path}/retry"), Some(API_KEY), None).await;
    assert_eq!((status.as_u16(), row["state"].as_str()), (200, Some("ready")));
    let (status, body) = server.call(Method::DELETE, &path, Some(API_KEY), None).await;
    assert_eq!((status.as_u16(), body), (200, json!({ "ok": true })));
    assert_eq!(server.call(Method::DELETE, &path, Some(API_KEY), None).await.0, 404);
    assert_eq!(server.call(Method::POST, &format!("{path}/retry"), Some(API_KEY), None).await.0, 404);
    assert_eq!(server.get("/jobs/999999").await.1, json!({ "detail": "job not found" }));
    assert_eq!(server.get("/jobs/x").await.0, 422);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_metrics() {
    let server = Server::start().await;
    let client = reqwest::Client::builder().no_proxy().build().expect("client");
    let text = async |path: &str| {
        let response = client.get(server.url(path)).send().await.expect("answer");
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.expect("text")
    };
    assert_eq!(text("/").await, r#"{"status":"ok"}"#);
    assert_eq!(text("/healthz").await, r#"{"status":"ok"}"#);
    assert_eq!(text("/health").await, r#"{"status":"healthy"}"#);
    assert_eq!(text("/health/").await, r#"{"status":"healthy"}"#);
    let ready: Value = serde_json::from_str(&text("/readyz").await).expect("json");
    assert_eq!(ready["status"], "ready");
    server.send(&Request::delivery("{}").with("X-GitHub-Event", "work")).await;
    server.send(&Request::delivery("{}").with("X-GitHub-Event", "invented")).await;
    server.send(&Request::delivery("{}").without("X-Hub-Signature-256")).await;
    let metrics = text("/metrics").await;
    for line in [
        r#"pforge_deliveries_total{app="tiny",event="other",answer="202"} 2"#,
        r#"pforge_deliveries_total{app="tiny",event="unverified",answer="401"} 1"#,
        "pforge_ingest_seconds_count 3",
        "pforge_queue_ready 1",
    ] {
        assert!(metrics.contains(line), "{line} is missing in:\n{metrics}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apps_routes_are_served_with_both_spellings() {
    let server = Server::start().await;
    for path in ["/things", "/things/"] {
        let (status, body) = server.call(Method::POST, path, Some(API_KEY), Some(r#"{"spec":"a/b","id":7}"#)).await;
        assert_eq!((status.as_u16(), body), (200, json!({ "spec": "a/b", "count": null })), "{path}");
        let (status, body) = server.call(Method::POST, path, Some(API_KEY), Some("{}")).await;
        let missing =
            json!({ "detail": [{ "loc": ["body", "spec"], "msg": "field required", "type": "value_error.missing" }] });
        assert_eq!((status.as_u16(), body), (422, missing), "{path}");
        assert_eq!(server.call(Method::POST, path, None, Some("nonsense")).await.0, 403, "the key is asked for first");
    }
    assert_eq!(server.get("/things?limit=7&sort=desc&order_by=spec").await.1, json!([0, 7, "spec", true]));
    assert_eq!(server.get("/things?limit=1&limit=2").await.1, json!([0, 2, "id", false]));
    for query in ["limit=101", "offset=-1", "order_by=secret", "sort=up"] {
        assert_eq!(server.get(&format!("/things/?{query}")).await.0, 422, "{query}");
    }
    let (status, body) = server.get("/things/x").await;
    assert!(status.is_client_error() && body["detail"].is_string(), "{status} {body}");
    let (status, body) = server.call(Method::PUT, "/things", None, None).await;
    assert_eq!((status.as_u16(), body), (405, json!({ "detail": "Method Not Allowed" })));
    assert_eq!(server.get("/nothing").await, (StatusCode::NOT_FOUND, json!({ "detail": "Not Found" })));
    let large = format!(r#"{{"spec":"{}"}}"#, "a".repeat(3 << 20));
    assert_eq!(server.call(Method::POST, "/things", Some(API_KEY), Some(&large)).await.0, 413);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_any_site_may_read_and_only_named_ones_with_what_the_browser_knows() {
    let get = Request { method: "GET", path: "/things".into(), headers: Vec::new(), body: Vec::new() };
    let preflight = Request { method: "OPTIONS", ..get.clone() }
        .with("Access-Control-Request-Method", "PATCH")
        .with("Access-Control-Request-Headers", "x-api-key");
    let named = || Cors::Only(vec!["https://example.org".parse().expect("an origin")]);
    for (cors, origin, allowed, credentials) in [
        (Cors::Any, "https://example.org", Some("*"), None),
        (named(), "https://example.org", Some("https://example.org"), Some("true")),
        (named(), "https://example.com", None, Some("true")),
        (Cors::Only(Vec::new()), "https://example.org", None, Some("true")),
    ] {
        let server = Server::with(|config| config.cors = cors).await;
        for request in [&get, &preflight] {
            let reply = server.send(&request.clone().with("Origin", origin)).await;
            assert_eq!(reply.status, 200, "{origin}");
            assert_eq!(reply.header("access-control-allow-origin"), allowed, "{origin}");
            assert_eq!(reply.header("access-control-allow-credentials"), credentials, "{origin}");
        }
        let reply = server.send(&preflight.clone().with("Origin", origin)).await;
        assert_eq!(reply.header("access-control-allow-methods"), Some("patch"));
        assert_eq!(reply.header("access-control-allow-headers"), Some("x-api-key"));
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_is_sent_to_https_where_that_is_wanted() {
    let server = Server::with(|config| config.https_only = true).await;
    let get = |path: &str| Request { method: "GET", path: path.into(), headers: Vec::new(), body: Vec::new() };
    let reply = server.send(&get("/things/?limit=1").with("X-Forwarded-Proto", "http")).await;
    assert_eq!((reply.status, reply.header("location")), (307, Some("https://pforge.test/things/?limit=1")));
    let reply = server.send(&Request::delivery("{}").with("X-Forwarded-Proto", "http")).await;
    assert_eq!((reply.status, reply.header("location")), (307, Some(&*format!("https://pforge.test{HOOK}"))));
    assert_eq!(server.send(&get("/").with("X-Forwarded-Proto", "https")).await.status, 200);
    assert_eq!(server.send(&get("/")).await.status, 200);
    assert_eq!(server.send(&get("/healthz/").with("X-Forwarded-Proto", "http")).await.status, 200);
    let mut evil = get("/").with("X-Forwarded-Proto", "http").bytes();
    let text = String::from_utf8(evil).expect("text").replace("Host: pforge.test", "Host: a b");
    evil = text.into_bytes();
    assert_eq!(super::harness::exchange(server.address, &evil).await.expect("answer").status, 400);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_have_ids() {
    let server = Server::start().await;
    let given = server.send(&Request::delivery("{}").with("X-Request-Id", "abc-1")).await;
    assert_eq!(given.header("x-request-id"), Some("abc-1"));
    let new = server.send(&Request::delivery("{}").with("X-Request-Id", "a b<script>")).await;
    assert_eq!(new.header("x-request-id").map(str::len), Some(36));
    server.stop().await;
}
