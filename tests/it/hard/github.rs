//! GitHub refuses, limits, fails, or is not there.

use pforge::emulator::faults::Fault;
use serde_json::json;

use super::stage::{SLUG, Stage};

const CHECK: &str = "gh-as-app POST /repos/pangeo-forge/staged-recipes/check-runs -f name=n -f head_sha=main";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_clock_is_healed_by_githubs_and_told() {
    let stage = Stage::set().await;
    for (name, skew) in [("the clock is an hour behind", 3600), ("the clock is an hour ahead", -3600)] {
        stage.emulator.person.skew_clock(skew).await.unwrap();
        insta::assert_snapshot!(name, stage.shown(&["gh-as-app /app --jq .slug", "app show"]));
    }
    stage.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_revoked() {
    let stage = Stage::set().await;
    let person = &stage.emulator.person;
    let lines = ["gh-as-app /app", "app show", "proxy start --via poll --to http://127.0.0.1:9/"];
    person.revoke_keys(SLUG).await.unwrap();
    insta::assert_snapshot!("the App has no key", stage.shown(&lines[..1]));
    person.add_key(SLUG).await.unwrap();
    insta::assert_snapshot!("the App has another key", stage.shown(&lines));
    stage.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_installation() {
    let stage = Stage::set().await;
    stage.emulator.person.suspend(stage.installation, true).await.unwrap();
    let repo = "pangeo-forge/staged-recipes";
    insta::assert_snapshot!(
        "the installation is suspended",
        stage.shown(&[
            &format!("gh-as-app /repos/{repo}"),
            &format!("token installation --repo {repo}"),
            &format!("checks list --repo {repo}"),
            "app show",
        ])
    );
    stage.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_permission() {
    let stage = Stage::set().await;
    let person = &stage.emulator.person;
    insta::assert_snapshot!("the App does not ask for it", stage.shown(&[CHECK]));
    person.edit_app(SLUG, json!({"permissions": {"issues": "write", "checks": "write"}})).await.unwrap();
    let token = "token installation --repo pangeo-forge/staged-recipes --permission checks=write";
    insta::assert_snapshot!("the account has not approved it", stage.shown(&[CHECK, token, "app show"]));
    person.approve(stage.installation).await.unwrap();
    assert_eq!(stage.run(token).code, Some(0), "approved");
    let elsewhere = ["gh-as-app /repos/pangeo-forge/secret", "gh-as-app /repos/somebody/else"];
    insta::assert_snapshot!("not installed there", stage.shown(&elsewhere));
    stage.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secondary_rate_limit() {
    let stage = Stage::set().await;
    let person = &stage.emulator.person;
    person.fault(&Fault::secondary_rate_limit(1)).await.unwrap();
    let waited = stage.run("gh-as-app /app --jq .slug").success();
    assert_eq!((waited.stdout.as_str(), waited.stderr.as_str()), ("seeded\n", ""), "a short one is waited for");
    for line in ["gh-as-app /app", "app show"] {
        person.fault(&Fault { count: None, ..Fault::secondary_rate_limit(3600) }).await.unwrap();
        let begun = std::time::Instant::now();
        let told = stage.shown(&[line]);
        assert!(begun.elapsed().as_secs() < 30, "a long one is told at once");
        insta::assert_snapshot!(format!("secondary rate limit, {line}"), told);
        person.clear_faults().await.unwrap();
    }
    stage.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_gateways_are_tried_again_and_then_told() {
    let stage = Stage::set().await;
    let person = &stage.emulator.person;
    let fault = |count| Fault { path: Some("/app".into()), status: Some(502), count, ..Fault::default() };
    person.fault(&fault(Some(2))).await.unwrap();
    let healed = stage.run("gh-as-app /app --jq .slug").success();
    assert_eq!((healed.stdout.as_str(), healed.stderr.as_str()), ("seeded\n", ""));
    let before = stage.asked("/app").await;
    person.fault(&fault(None)).await.unwrap();
    insta::assert_snapshot!("bad gateways", stage.shown(&["gh-as-app /app", "app show"]));
    assert!(stage.asked("/app").await >= before + 4, "both were tried again");
    person.clear_faults().await.unwrap();
    person.fault(&Fault { drop: true, ..fault(None) }).await.unwrap();
    let dropped = stage.run("app show");
    assert_eq!(dropped.code, Some(6), "{dropped}");
    assert!(dropped.stderr.contains("tried"), "{dropped}");
    stage.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_does_not_exist_or_does_not_listen() {
    let mut stage = Stage::set().await;
    stage.env.set("GITHUB_API_URL", "http://nonexistent.invalid");
    insta::assert_snapshot!("no such host", stage.shown(&["gh-as-app /app", "proxy show"]));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stage.env.set("GITHUB_API_URL", &format!("http://{free}"));
    insta::assert_snapshot!("nobody listens", stage.shown(&["proxy show"]));
    stage.emulator.stop().await;
}
