//! Who may do what: JWTs, tokens, permissions, repositories, suspension, in GitHub's own words.

use chrono::Utc;
use http::Method;
use pforge::emulator::keys::AppKey;
use pforge::emulator::state::Level;
use serde_json::json;

use crate::emulator::support::{APP_ID, Api, Emulator, REPO, as_app, as_installation, installed, permissions, sign};

#[tokio::test]
async fn jwts_are_judged_in_githubs_words() {
    let (seed, pem) = installed(permissions(&[]), &[], None);
    let emulator = Emulator::start(seed).await;
    let (now, id) = (Utc::now().timestamp(), APP_ID);
    let stranger = AppKey::generate().unwrap().pem;
    let undecodable = "A JSON web token could not be decoded";
    let bearer = |jwt: String| Some(format!("Bearer {jwt}"));
    let cases = [
        (bearer(sign(&pem, &json!({"iss": id, "iat": now - 60, "exp": now + 540}))), 200, ""),
        (bearer(sign(&pem, &json!({"iss": id.to_string(), "iat": now - 60, "exp": now + 540}))), 200, ""),
        (
            bearer(sign(&pem, &json!({"iss": id, "iat": now - 60, "exp": now + 900}))),
            401,
            "'Expiration time' claim ('exp') is too far in the future",
        ),
        (
            bearer(sign(&pem, &json!({"iss": id, "iat": now + 120, "exp": now + 300}))),
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        ),
        (bearer(sign(&pem, &json!({"iss": 1, "iat": now - 60, "exp": now + 540}))), 404, "Integration not found"),
        (bearer(sign(&stranger, &json!({"iss": id, "iat": now - 60, "exp": now + 540}))), 401, undecodable),
        (Some("Bearer nonsense".to_owned()), 401, undecodable),
        (None, 401, undecodable),
    ];
    for (authorization, status, message) in cases {
        let answer = Api::new(&emulator.base, authorization).get("/app").await;
        assert_eq!((answer.status, answer.message()), (status, message));
    }
    emulator.stop().await;
}

#[tokio::test]
async fn tokens_reach_what_they_were_given() {
    let granted = permissions(&[("checks", Level::Write), ("issues", Level::Read)]);
    let (seed, pem) = installed(granted, &[], None);
    let emulator = Emulator::start(seed).await;
    let app = as_app(&emulator.base, &pem, &APP_ID.to_string());
    let api = as_installation(&app, json!({})).await;
    let repo = format!("/repos/{REPO}");
    let denied = "Resource not accessible by integration";
    let cases = [
        (Method::GET, repo.clone(), 200, "", "metadata=read"),
        (Method::GET, format!("{repo}/pulls"), 403, denied, "pull_requests=read"),
        (Method::POST, format!("{repo}/issues/1/comments"), 403, denied, "issues=write; pull_requests=write"),
        (Method::GET, format!("{repo}/commits/main/check-runs"), 200, "", "checks=read"),
        (Method::GET, format!("{repo}/contents/README.md"), 403, denied, "contents=read"),
        (Method::GET, "/repos/pangeo-forge/secret".into(), 404, "Not Found", "metadata=read"),
        (Method::GET, "/repos/pangeo-forge/nothing".into(), 404, "Not Found", "metadata=read"),
        (Method::GET, "/app".into(), 401, "A JSON web token could not be decoded", ""),
    ];
    for (method, path, status, message, accepted) in cases {
        let answer = api.send(api.request(method, &path)).await;
        let found = (answer.status, answer.message(), answer.header("x-accepted-github-permissions"));
        assert_eq!(found, (status, message, accepted), "{path}");
    }
    assert_eq!(app.get(&repo).await.message(), denied, "a JWT is no token");
    assert_eq!(
        Api::new(&emulator.base, Some("token ghs_nonsense".into())).get(&repo).await.message(),
        "Bad credentials"
    );
    assert_eq!(Api::new(&emulator.base, None).get(&repo).await.status, 200, "public");
    assert_eq!(Api::new(&emulator.base, None).get("/repos/pangeo-forge/secret").await.status, 404);
    emulator.stop().await;
}

#[tokio::test]
async fn tokens_are_scoped_down_never_up_and_age() {
    let (seed, pem) = installed(permissions(&[("checks", Level::Write), ("contents", Level::Read)]), &[], None);
    let emulator = Emulator::start(seed).await;
    let app = as_app(&emulator.base, &pem, &APP_ID.to_string());
    let id = app.get("/app/installations").await.body[0]["id"].clone();
    let path = format!("/app/installations/{id}/access_tokens");
    for (body, status) in [
        (json!({}), 201),
        (json!({"permissions": {"checks": "read"}}), 201),
        (json!({"permissions": {"metadata": "read"}}), 201),
        (json!({"repositories": ["staged-recipes"]}), 201),
        (json!({"permissions": {"contents": "write"}}), 422),
        (json!({"permissions": {"issues": "read"}}), 422),
        (json!({"permissions": {"checks": "all"}}), 422),
        (json!({"repositories": ["secret"]}), 422),
        (json!({"repositories": ["nothing"]}), 422),
        (json!({"repository_ids": [1]}), 422),
        (json!({"repositories": 7}), 422),
    ] {
        assert_eq!(app.post(&path, body.clone()).await.status, status, "{body}");
    }
    let narrow = as_installation(&app, json!({"permissions": {"checks": "read"}})).await;
    let made = narrow.post(&format!("/repos/{REPO}/check-runs"), json!({"name": "x", "head_sha": "main"})).await;
    assert_eq!(made.status, 403);
    let token = narrow.authorization.clone().unwrap();
    assert_eq!(token.len(), "token ghs_".len() + 36);

    emulator.person.skew_clock(3601).await.unwrap();
    assert_eq!(narrow.get("/installation/repositories").await.message(), "Bad credentials");
    let late = app.get("/app").await;
    assert_eq!(late.status, 401, "the App's clock is an hour behind");
    assert!(!late.header("date").is_empty());
    emulator.stop().await;
}

#[tokio::test]
async fn a_suspended_installation_is_of_no_use() {
    let (seed, pem) = installed(permissions(&[]), &[], None);
    let emulator = Emulator::start(seed).await;
    let app = as_app(&emulator.base, &pem, &APP_ID.to_string());
    let api = as_installation(&app, json!({})).await;
    let id = app.get("/app/installations").await.body[0]["id"].clone();
    let suspended = format!("/app/installations/{id}/suspended");
    let tokens = format!("/app/installations/{id}/access_tokens");
    assert_eq!(app.call(Method::PUT, &suspended, json!({})).await.status, 204);
    assert_eq!(app.post(&tokens, json!({})).await.message(), "This installation has been suspended");
    assert_eq!(api.get("/installation/repositories").await.status, 403);
    assert!(app.get(&format!("/app/installations/{id}")).await.body["suspended_at"].is_string());
    assert_eq!(app.send(app.request(Method::DELETE, &suspended)).await.status, 204);
    assert_eq!(api.get("/installation/repositories").await.status, 200);
    emulator.stop().await;
}

#[tokio::test]
async fn long_tokens_work_too() {
    let (mut seed, pem) = installed(permissions(&[]), &[], None);
    seed.long_tokens = true;
    let emulator = Emulator::start(seed).await;
    let app = as_app(&emulator.base, &pem, &APP_ID.to_string());
    let api = as_installation(&app, json!({})).await;
    let token = api.authorization.clone().unwrap();
    assert!(token.starts_with("token ghs_4242_") && token.len() > 500, "{}", token.len());
    assert_eq!(api.get("/installation/repositories").await.status, 200);
    emulator.stop().await;
}

#[tokio::test]
async fn a_user_agent_is_demanded_and_nothing_else() {
    let (seed, _) = installed(permissions(&[]), &[], None);
    let emulator = Emulator::start(seed).await;
    let bare = reqwest::Client::new();
    let answer = bare.get(format!("{}/meta", emulator.base)).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 403);
    for accept in ["", "*/*", "application/vnd.github+json", "application/vnd.github.antiope-preview+json"] {
        let request = bare.get(format!("{}/meta", emulator.base)).header("user-agent", "x").header("accept", accept);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{accept:?}");
        assert!(answer.headers().contains_key("x-github-request-id"));
        assert!(answer.headers().contains_key("x-github-media-type"));
    }
    emulator.stop().await;
}
