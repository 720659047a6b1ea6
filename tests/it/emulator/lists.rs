//! Pages, filters, conditional requests, rate limits, unknown routes.

use http::Method;
use pforge::emulator::person::OpenPull;
use pforge::emulator::state::Level;
use serde_json::{Value, json};

use crate::emulator::support::{
    APP_ID, Api, Emulator, PATIENCE, REPO, Sink, as_app, as_installation, files, installed, permissions,
};

fn next(answer: &crate::emulator::support::Answer) -> Option<String> {
    let link = answer.header("link").split(", ").find(|l| l.ends_with("rel=\"next\""))?;
    link.split(['<', '>']).nth(1).map(str::to_owned)
}

async fn all(api: &Api, first: &str, pick: impl Fn(&Value) -> Vec<Value>) -> (usize, Vec<Value>) {
    let (mut pages, mut found, mut path) = (0, Vec::new(), Some(first.to_owned()));
    while let Some(current) = path {
        let answer = api.get(&current).await;
        assert_eq!(answer.status, 200, "{current}");
        pages += 1;
        found.extend(pick(&answer.body));
        path = next(&answer);
    }
    (pages, found)
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let sink = Sink::start(200).await;
    let (seed, pem) = installed(
        permissions(&[("checks", Level::Write), ("contents", Level::Read), ("pull_requests", Level::Write)]),
        &["issue_comment"],
        Some(&sink.url),
    );
    let emulator = Emulator::start(seed).await;
    let person = &emulator.person;
    let many: Vec<(String, String)> = (0..65).map(|n| (format!("d/{n:03}.txt"), format!("{n}\n"))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let open = OpenPull { branch: "big".into(), title: "Big".into(), files: files(&many), ..OpenPull::default() };
    let pull = person.open_pull(REPO, &open).await.unwrap();
    for n in 0..7 {
        person.comment(REPO, pull.number, &format!("comment {n}"), None).await.unwrap();
    }
    person.settled(PATIENCE).await.unwrap();
    let app = as_app(&emulator.base, &pem, &APP_ID.to_string());
    let api = as_installation(&app, json!({})).await;
    let array = |body: &Value| body.as_array().unwrap().clone();
    let (pages, found) = all(&api, &format!("/repos/{REPO}/pulls/{}/files", pull.number), array).await;
    assert_eq!((pages, found.len()), (3, 65));
    let (pages, found) =
        all(&api, &format!("/api/v3/repos/{REPO}/issues/{}/comments?per_page=3", pull.number), array).await;
    assert_eq!((pages, found.len()), (3, 7));

    let (pages, found) = all(&app, "/app/hook/deliveries?per_page=3", array).await;
    // A suite was requested and seven comments were told.
    assert_eq!((pages, found.len()), (3, 8));
    let ids: Vec<i64> = found.iter().map(|d| d["id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "{ids:?}");
    assert_eq!(app.get("/app/hook/deliveries?cursor=nonsense").await.status, 400);
    emulator.stop().await;
}

#[tokio::test]
async fn check_runs_are_filtered() {
    let (seed, pem) = installed(permissions(&[("checks", Level::Write), ("contents", Level::Read)]), &[], None);
    let emulator = Emulator::start(seed).await;
    let api = as_installation(&as_app(&emulator.base, &pem, &APP_ID.to_string()), json!({})).await;
    let sha = api.get(&format!("/repos/{REPO}/commits/main")).await.body["sha"].clone();
    for (name, conclusion) in [("a", None), ("a", Some("success")), ("b", None)] {
        let body = json!({"name": name, "head_sha": sha, "conclusion": conclusion});
        assert_eq!(api.post(&format!("/repos/{REPO}/check-runs"), body).await.status, 201);
    }
    for (query, count) in [
        ("", 2),
        ("filter=latest", 2),
        ("filter=all", 3),
        ("filter=all&check_name=a", 2),
        ("status=completed", 1),
        ("app_id=4242", 2),
        ("app_id=1", 0),
    ] {
        let found = api.get(&format!("/repos/{REPO}/commits/main/check-runs?{query}")).await.body;
        assert_eq!(
            (&found["total_count"], found["check_runs"].as_array().unwrap().len()),
            (&json!(count), count),
            "{query}"
        );
    }
    emulator.stop().await;
}

#[tokio::test]
async fn calls_are_counted_and_unchanged_answers_are_short() {
    let (mut seed, pem) = installed(permissions(&[]), &[], None);
    seed.rate_limit = Some(3);
    let emulator = Emulator::start(seed).await;
    let api = as_installation(&as_app(&emulator.base, &pem, &APP_ID.to_string()), json!({})).await;
    let path = format!("/repos/{REPO}");
    let first = api.get(&path).await;
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), ("3", "2"));
    let again = api.send(api.request(Method::GET, &path).header("if-none-match", first.header("etag"))).await;
    assert_eq!((again.status, again.body), (304, Value::Null));
    assert_eq!(api.get("/rate_limit").await.body["resources"]["core"]["remaining"], 1);
    assert_eq!(api.get(&path).await.status, 200);
    let over = api.get(&path).await;
    assert_eq!((over.status, over.header("x-ratelimit-remaining")), (403, "0"));
    assert!(over.message().starts_with("API rate limit exceeded for installation ID"), "{}", over.message());
    emulator.stop().await;
}

#[tokio::test]
async fn links_lead_where_the_caller_came_from_or_to_the_public_address() {
    let (seed, _) = installed(permissions(&[]), &[], None);
    let public = url::Url::parse("https://github.example/").unwrap();
    for (public, root) in [(None, "http://some.host:1234"), (Some(public), "https://github.example")] {
        let emulator = Emulator::start_at(seed.clone(), public).await;
        let api = Api::new(&emulator.base, None);
        for prefix in ["", "/api/v3"] {
            let request = api.request(Method::GET, &format!("{prefix}/repos/{REPO}")).header("host", "some.host:1234");
            let repo = api.send(request).await.body;
            assert_eq!(repo["url"], format!("{root}{prefix}/repos/{REPO}"));
            assert_eq!(repo["html_url"], format!("{root}/{REPO}"));
        }
        emulator.stop().await;
    }
}

#[tokio::test]
async fn unknown_routes_are_remembered() {
    let (seed, _) = installed(permissions(&[]), &[], None);
    let emulator = Emulator::start(seed).await;
    let answer = Api::new(&emulator.base, None).post("/api/v3/gists", json!({"query": "{}"})).await;
    assert_eq!((answer.status, answer.message()), (501, "the emulator does not implement POST /gists"));
    let unknown = emulator.person.unknown().await.unwrap();
    assert_eq!(unknown.len(), 1);
    assert_eq!((&unknown[0]["path"], &unknown[0]["request"]["query"]), (&json!("/api/v3/gists"), &json!("{}")));
    emulator.stop().await;
}
