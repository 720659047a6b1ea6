//! What a person reads when GitHub refuses.

use pforge::emulator::faults::Fault;
use serde_json::json;

use super::world::{SLUG, World};
use crate::support::env::Output;

/// The refusal has this exit code and these parts, and the first line is GitHub's answer.
fn told(output: &Output, code: i32, parts: &[&str]) {
    assert_eq!(output.code, Some(code), "{output}");
    for part in parts {
        assert!(output.stderr.contains(part), "{part:?} is missing\n{output}");
    }
    assert!(!output.stderr.contains("eyJ") && !output.stderr.contains("ghs_"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_place_that_lacks_a_permission_is_named() {
    let world = World::start(&["alice"]).await;
    let id = world.installation("alice");
    let open = &["gh-as-app", "/repos/alice/mock/issues", "-f", "title=x"];

    let output = world.pforge(open);
    assert!(output.stdout.contains("Resource not accessible by integration"), "GitHub's words are data: {output}");
    let settings = format!("try: open {}/settings/apps/{SLUG}/permissions", world.url);
    told(
        &output,
        4,
        &[
            "error: Resource not accessible by integration (HTTP 403)",
            "POST /repos/alice/mock/issues",
            "this needs issues:write (or pull_requests:write), and the App does not ask for issues:write",
            &settings,
        ],
    );

    let more = json!({ "checks": "write", "contents": "read", "metadata": "read", "issues": "write" });
    world.person.edit_app(SLUG, json!({ "permissions": more })).await.unwrap();
    let output = world.pforge(open);
    let approval = format!("try: open {}/settings/installations/{id}/permissions/update", world.url);
    told(&output, 4, &["the App asks for it, and alice has not approved it yet", &approval]);

    world.person.approve(id).await.unwrap();
    world.pforge(open).success();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_app_is_not_is_told_with_the_page() {
    let world = World::start(&["alice"]).await;
    let id = world.installation("alice");
    let install = format!("try: open {}/apps/{SLUG}/installations/new", world.url);
    told(&world.pforge(&["gh-as-app", "/repos/bob/none"]), 4, &["not installed on bob/none", &install]);
    let select = format!("try: open {}/settings/installations/{id}", world.url);
    let other = world.pforge(&["gh-as-app", "/repos/alice/other"]);
    told(&other, 4, &["not installed on alice/other", "with selected repositories", &select]);
    let nothing = world.pforge(&["gh-as-app", "/repos/alice/mock/check-runs/7"]);
    told(
        &nothing,
        5,
        &["Not Found (HTTP 404)", "needs checks:read, which the installation on alice has", "does not exist"],
    );
    let wrong = world.pforge(&["gh-as-app", "/repos/alice/mock/check-runs", "-f", "name=x"]);
    told(&wrong, 1, &["(HTTP 422)", "head_sha"]);

    world.person.suspend(id, true).await.unwrap();
    told(&world.pforge(&["gh-as-app", "/repos/alice/mock"]), 4, &["suspended", &select]);
    let token = world.pforge(&["token", "installation"]);
    told(&token, 4, &["suspended", &select]);
    world.person.uninstall(id).await.unwrap();
    told(&world.pforge(&["token", "installation"]), 4, &["not installed on any account", &install]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_and_a_wrong_clock_are_told_apart() {
    let world = World::start(&["alice"]).await;
    for skew in [3600, -3600] {
        world.person.skew_clock(skew).await.unwrap();
        let healed = world.pforge(&["gh-as-app", "/repos/alice/mock", "--jq", ".name"]).success();
        assert_eq!(healed.stdout, "mock\n");
        assert!(healed.stderr.contains("clock"), "an hour is worth a word: {healed}");
    }
    world.person.skew_clock(0).await.unwrap();
    let other = pforge::emulator::keys::AppKey::generate().unwrap();
    let pem = other.pem.expose().trim().replace('\n', "\n        ");
    let config = include_str!("../../fixtures/config/plain.yaml");
    let start = config.find("-----BEGIN").unwrap();
    let end = config.find("-----END RSA PRIVATE KEY-----").unwrap() + "-----END RSA PRIVATE KEY-----".len();
    let config = format!("{}{pem}{}", &config[..start], &config[end..]);
    world.env.write("secrets/config.pforge-local-alice.yaml", &config);
    told(&world.pforge(&["gh-as-app", "/app"]), 4, &["(HTTP 401)", "fingerprint"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_outages_are_not_the_apps_fault() {
    let world = World::start(&["alice"]).await;
    let limited = Fault {
        path: Some("/repos/*".into()),
        method: Some("POST".into()),
        status: Some(403),
        body: Some(json!({ "message": "You have exceeded a secondary rate limit." })),
        headers: [("retry-after".to_owned(), "600".to_owned())].into(),
        count: Some(1),
        ..Fault::default()
    };
    world.person.fault(&limited).await.unwrap();
    let output = world.pforge(&["gh-as-app", "/repos/alice/mock/check-runs", "-f", "name=x"]);
    told(&output, 6, &["secondary rate limit", "10 min from now"]);
    world.person.fault(&Fault { path: Some("/app".into()), status: Some(502), ..Fault::default() }).await.unwrap();
    told(&world.pforge(&["gh-as-app", "/app"]), 6, &["(HTTP 502)", "githubstatus"]);
    let mut nowhere = world.env.command(&["gh-as-app", "/app"]);
    nowhere.env("GITHUB_API_URL", "http://api.nowhere.invalid");
    let output = tokio::task::block_in_place(|| world.env.run(nowhere, &[]));
    told(&output, 6, &["GET /app"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_one_json_document_for_scripts() {
    let world = World::start(&["alice"]).await;
    let output = world.pforge(&["gh-as-app", "/repos/bob/none", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&output.stderr).unwrap();
    assert_eq!(error["error"]["kind"], "authentication", "{output}");
    assert_eq!(error["error"]["exit_code"], 4);
    assert!(error["error"]["try"][0].as_str().unwrap().starts_with("open http"), "{output}");
}
