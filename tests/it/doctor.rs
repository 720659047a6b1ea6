//! `doctor`: what it finds and what it mends.

use std::os::unix::fs::PermissionsExt;

use pforge::emulator::keys::AppKey;
use pforge::emulator::person::OpenPull;
use pforge::emulator::state::Level;
use serde_json::Value;

use crate::dev::{config, run, site};
use crate::emulator::support::{Emulator, PATIENCE, REPO, Sink, files};
use crate::support::env::Env;

/// The findings of a run, as `check severity`, and its exit code.
fn findings(env: &Env, line: &str) -> (Vec<String>, Value, Option<i32>) {
    let output = run(env, &format!("{line} --json"));
    let document: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output}"));
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let all = document["findings"].as_array().unwrap();
    let short = all.iter().map(|finding| format!("{} {}", word(finding, "check"), word(finding, "severity"))).collect();
    (short, document, output.code)
}

fn fact(document: &Value, check: &str, severity: &str) -> String {
    let all = document["findings"].as_array().unwrap();
    let found = all.iter().find(|finding| finding["check"] == check && finding["severity"] == severity);
    found.unwrap_or_else(|| panic!("no {severity} of {check} in {document:#}"))["fact"].as_str().unwrap().to_owned()
}

async fn world(hook: &str, granted: &[(&str, Level)]) -> (Emulator, Env) {
    let (emulator, mut env) = site(hook, granted).await;
    let database = env.sqlite("database.sqlite");
    env.set("DATABASE_URL", &database).set("PFORGE_SERVER", "http://127.0.0.1:9");
    (emulator, env)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_found_and_what_is_safe_is_mended() {
    let (emulator, env) = world("http://127.0.0.1:9/github/hooks/", &[("checks", Level::Write)]).await;
    let path = env.root().join("secrets/config.pforge-local-alice.yaml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (short, document, code) = findings(&env, "doctor");
    for expected in
        ["config ok", "clock ok", "app ok", "installed ok", "files warning", "database warning", "server note"]
    {
        assert!(short.iter().any(|one| one == expected), "{expected} is not in {short:?}\n{document:#}");
    }
    // pull_request needs its permission, which the App does not have.
    assert!(fact(&document, "permissions", "error").contains("pull_request needs the permission pull_requests"));
    assert_eq!(code, Some(4), "a permission is the worst that is wrong");
    let (short, document, _) = findings(&env, "doctor --fix");
    assert!(short.iter().any(|one| one == "files ok") && short.iter().any(|one| one == "database ok"), "{short:?}");
    assert_eq!(document["mended"].as_array().unwrap().len(), 2);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_clock_is_measured_and_a_lost_key_named() {
    let (emulator, env) = world("http://127.0.0.1:9/github/hooks/", &[("checks", Level::Write)]).await;
    emulator.person.skew_clock(-3600).await.unwrap();
    let (_, document, _) = findings(&env, "doctor");
    let told = fact(&document, "clock", "error");
    let ms: i64 = told.split(' ').next().unwrap().parse().unwrap();
    assert!(told.contains("ahead of GitHub") && (ms - 3_600_000).abs() < 2000, "{told}");
    emulator.person.skew_clock(0).await.unwrap();
    // The key of another App.
    let other = AppKey::generate().unwrap();
    env.write("secrets/config.pforge-local-alice.yaml", &config(&other.pem));
    let (_, document, code) = findings(&env, "doctor");
    assert!(!fact(&document, "app", "error").is_empty());
    assert_eq!(code, Some(4));
    emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_deliveries_and_refused_signatures_are_counted() {
    let receiver = Sink::start(401).await;
    let (emulator, env) = world(&receiver.url, &[("pull_requests", Level::Read)]).await;
    let pull = OpenPull { branch: "x".into(), title: "X".into(), files: files(&[("x", "x")]), ..OpenPull::default() };
    emulator.person.open_pull(REPO, &pull).await.unwrap();
    emulator.person.settled(PATIENCE).await.unwrap();
    let (_, document, _) = findings(&env, "doctor");
    assert!(fact(&document, "secret", "error").contains("refused the last delivery with 401"), "{document:#}");
    assert!(fact(&document, "deliveries", "warning").contains("were never taken"), "{document:#}");
    emulator.stop().await;
}

#[test]
fn without_anything_it_says_where_to_begin() {
    let env = Env::new();
    let output = env.line("doctor");
    assert_eq!(output.code, Some(3), "{output}");
    assert!(output.stdout.contains("✗ config"), "{output}");
    assert!(output.stdout.contains("try: pforge"), "{output}");
}
