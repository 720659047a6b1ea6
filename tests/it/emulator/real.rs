//! Unmodified programs of others against the emulator. A missing one is a failure.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use http::Method;
use pforge::emulator::Seed;
use pforge::emulator::person::OpenPull;
use pforge::emulator::state::Level;
use serde_json::Value;

use crate::emulator::support::{APP_ID, Api, Emulator, PATIENCE, REPO, SECRET, files, installed, permissions};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn told(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Validates recorded exchanges against GitHub's description; at least `least` must have been judged.
pub fn judge(exchanges: &[Value], least: usize) {
    conformance(&[], "trimmed.jsonschema.json.gz", exchanges, " exchanges of ", least);
}

/// Validates payloads against GitHub's webhook schemas; at least `least` kinds of events must have been judged.
pub fn judge_deliveries(deliveries: &[Value], least: usize) {
    conformance(&["--deliveries"], "webhooks.schema.json.gz", deliveries, " events of ", least);
}

/// As [`judge_deliveries`], by GitHub's newest description, which knows every event.
pub fn judge_described(deliveries: &[Value], least: usize) {
    conformance(&["--deliveries"], "described.schema.json.gz", deliveries, " events of ", least);
}

fn conformance(mode: &[&str], schema: &str, lines: &[Value], counted: &str, least: usize) {
    let python = std::env::var_os("PFORGE_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.ndjson");
    let text: String = lines.iter().map(|e| format!("{e}\n")).collect();
    std::fs::write(&path, text).unwrap();
    let output = Command::new(&python)
        .arg(root().join("tests/real/conformance.py"))
        .args(mode)
        .arg(root().join("tests/fixtures/github").join(schema))
        .arg(&path)
        .output()
        .unwrap_or_else(|e| panic!("{} is required (PFORGE_TEST_PYTHON): {e}", python.display()));
    let text = told(&output);
    assert!(output.status.success(), "{text}");
    let summary = text.lines().find(|l| l.contains(counted)).unwrap_or_default();
    let judged: usize = summary.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    assert!(judged >= least, "only {judged} were judged:\n{text}");
}

#[tokio::test]
async fn the_judge_finds_what_is_wrong() {
    let (seed, pem) = installed(permissions(&[]), &[], None);
    let emulator = Emulator::start(seed).await;
    let app = crate::emulator::support::as_app(&emulator.base, &pem, &APP_ID.to_string());
    assert_eq!(app.get("/app").await.status, 200);
    let good = emulator.person.calls().await.unwrap();
    judge(&good, 1);
    let breaks: [fn(&mut Value); 4] = [
        |e| e["response"]["id"] = "seven".into(),
        |e| e["response"]["created_at"] = "yesterday".into(),
        |e| e["response"] = Value::Object(serde_json::Map::new()),
        |e| e["status"] = 299.into(),
    ];
    for broken in breaks {
        let mut bad = good.clone();
        broken(&mut bad[0]);
        let caught = std::panic::catch_unwind(|| judge(&bad, 1));
        assert!(caught.is_err(), "{bad:?}");
    }
    emulator.stop().await;
}

/// Where `package` is installed.
fn node_modules(package: &str) -> PathBuf {
    let modules = std::env::var_os("PFORGE_TEST_NODE_MODULES")
        .map_or_else(|| root().join("tests/real/octokit/node_modules"), PathBuf::from);
    assert!(
        modules.join(package).is_dir(),
        "{package}: run `npm ci --ignore-scripts` in tests/real/octokit, or set PFORGE_TEST_NODE_MODULES"
    );
    modules
}

/// Probot shows the form, a person presses the buttons, Probot converts the code and writes its `.env`.
#[tokio::test]
async fn probot_registers_itself_through_a_manifest() {
    let modules = node_modules("probot");
    let emulator = Emulator::start(Seed::demo()).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("package.json"), r#"{"name": "app", "type": "module"}"#).unwrap();
    std::fs::write(folder.path().join("app.js"), "export default () => {};\n").unwrap();
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut probot = tokio::process::Command::new("node")
        .arg(modules.join("probot/bin/probot.js"))
        .args(["run", "./app.js"])
        .current_dir(folder.path())
        .env("GHE_HOST", emulator.base.trim_start_matches("http://"))
        .env("GHE_PROTOCOL", "http")
        .env("NO_SMEE_SETUP", "true")
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("node is required");
    let api = Api::new(&format!("http://127.0.0.1:{port}"), None);
    let begun = std::time::Instant::now();
    let page = loop {
        if let Ok(answer) = api.request(Method::GET, "/probot").send().await
            && answer.status().is_success()
        {
            break answer.text().await.unwrap();
        }
        assert!(begun.elapsed() < PATIENCE, "Probot does not start");
        tokio::task::yield_now().await;
    };
    let between = |start: &str, end: char| page.split(start).nth(1).unwrap_or_default().split(end).next().unwrap();
    let action = between("action=\"", '"');
    assert!(action.starts_with(&format!("{}/settings/apps/new", emulator.base)), "{action}\n{page}");
    let manifest = between("value='", '\'').replace("&quot;", "\"");
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap_or_else(|e| panic!("{e}: {page}"));
    manifest["name"] = "probot peer".into();
    manifest["url"] = "https://example.com".into();
    let code = emulator.person.press(None, &manifest).await.unwrap();
    let setup = api.request(Method::GET, &format!("/probot/setup?code={code}")).send().await.unwrap();
    assert!(!setup.status().is_server_error(), "{}", setup.status());
    let env = std::fs::read_to_string(folder.path().join(".env")).unwrap();
    for name in ["APP_ID=", "PRIVATE_KEY=", "WEBHOOK_SECRET="] {
        assert!(env.contains(name), "{name}");
    }
    judge(&emulator.person.calls().await.unwrap(), 1);
    probot.kill().await.unwrap();
    emulator.stop().await;
}

#[tokio::test]
async fn octokit_runs_unmodified() {
    let modules = node_modules("@octokit/app");
    let write = ["checks", "contents", "pull_requests", "issues"].map(|name| (name, Level::Write));
    let (seed, pem) = installed(permissions(&write), &["check_run"], None);
    let emulator = Emulator::start(seed).await;
    let sha = emulator.person.push(REPO, "main", &files(&[("docs/a.txt", "hello\n")]), None).await.unwrap();
    for prefix in ["", "/api/v3"] {
        let mut command = tokio::process::Command::new("node");
        command
            .arg(root().join("tests/real/octokit/app.mjs"))
            .env("BASE", format!("{}{prefix}", emulator.base))
            .env("APP_ID", APP_ID.to_string())
            .env("PRIVATE_KEY", pem.expose())
            .env("WEBHOOK_SECRET", SECRET)
            .env("REPO", REPO)
            .env("SHA", &sha)
            .env("NODE_MODULES", &modules)
            .kill_on_drop(true);
        let output = command.output().await.expect("node is required");
        assert!(output.status.success(), "{}", told(&output));
    }
    let unknown = emulator.person.unknown().await.unwrap();
    assert!(unknown.is_empty(), "{unknown:?}");
    judge(&emulator.person.calls().await.unwrap(), 20);
    emulator.stop().await;
}

/// A Python client of others; `PFORGE_TEST_PYTHON` has the packages of `tests/real/requirements.txt`.
async fn python(script: &str) {
    let python = std::env::var_os("PFORGE_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    for prefix in ["", "/api/v3"] {
        let write = ["checks", "contents", "pull_requests", "issues"].map(|name| (name, Level::Write));
        let (seed, pem) = installed(permissions(&write), &["check_run"], None);
        let emulator = Emulator::start(seed).await;
        let person = &emulator.person;
        let sha = person.push(REPO, "main", &files(&[("docs/a.txt", "hello\n")]), None).await.unwrap();
        let open = OpenPull {
            branch: "recipe".into(),
            title: "Recipe".into(),
            files: files(&[("recipe.py", "x = 1\n")]),
            ..OpenPull::default()
        };
        let pull = person.open_pull(REPO, &open).await.unwrap();
        let output = tokio::process::Command::new(&python)
            .arg(root().join("tests/real").join(script))
            .env("BASE", format!("{}{prefix}", emulator.base))
            .env("APP_ID", APP_ID.to_string())
            .env("PRIVATE_KEY", pem.expose())
            .env("REPO", REPO)
            .env("SHA", &sha)
            .env("PULL", pull.number.to_string())
            .kill_on_drop(true)
            .output()
            .await
            .expect("python is required (PFORGE_TEST_PYTHON)");
        assert!(output.status.success(), "{}", told(&output));
        let unknown = person.unknown().await.unwrap();
        assert!(unknown.is_empty(), "{unknown:?}");
        judge(&person.calls().await.unwrap(), 5);
        emulator.stop().await;
    }
}

#[tokio::test]
async fn gidgethub_runs_unmodified() {
    python("gidgethub_app.py").await;
}

#[tokio::test]
async fn pygithub_runs_unmodified() {
    python("pygithub_app.py").await;
}
