//! What the client sends, judged by an independent server: Prism, made from GitHub's description.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use http::Method;
use pforge::github::api::apps::HookChange;
use pforge::github::api::checks::{Conclude, Finish, NewCheckRun, Output, Progress};
use pforge::github::{Auth, Client, Scope, Target};
use pforge::util::Secret;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::Url;

use super::fake::{TestClock, config};

/// Prism reads the description in a second on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Prism and what it says.
struct Prism {
    url: Url,
    log: Arc<Mutex<Vec<String>>>,
    _process: Child,
    _folder: tempfile::TempDir,
}

impl Prism {
    async fn start() -> Self {
        let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/prism");
        let modules = std::env::var_os("PFORGE_TEST_PRISM").map_or_else(|| real.join("node_modules"), PathBuf::from);
        assert!(
            modules.join("@stoplight/prism-cli").is_dir(),
            "Prism: run `npm ci --ignore-scripts` in tests/real/prism, or set PFORGE_TEST_PRISM"
        );
        let folder = tempfile::tempdir().unwrap();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/github/trimmed.jsonschema.json.gz");
        let mut process = Command::new("node")
            .arg(real.join("mock.mjs"))
            .arg(fixture)
            .arg(folder.path().join("spec.json"))
            .env("NODE_MODULES", &modules)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node is required");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let listening = async {
            loop {
                let line = lines.next_line().await.unwrap().expect("Prism ended");
                if let Some((_, url)) = line.split_once("listening on ") {
                    break Url::parse(&format!("{}/", url.trim())).unwrap();
                }
            }
        };
        let url = tokio::time::timeout(PATIENCE, listening).await.expect("Prism listens");
        let log = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                told.lock().unwrap().push(line);
            }
        });
        Self { url, log, _process: process, _folder: folder }
    }

    /// Waits until Prism has told of `count` calls, and gives all that it found wrong. It tells what is wrong with a
    /// call before it tells that it answered.
    async fn faults(&self, count: usize) -> Vec<String> {
        let answered = |line: &&String| line.contains("[NEGOTIATOR]") && line.contains("accept header");
        let told = async {
            while self.log.lock().unwrap().iter().filter(answered).count() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let shown = || self.log.lock().unwrap().join("\n");
        assert!(
            tokio::time::timeout(PATIENCE, told).await.is_ok(),
            "Prism told of fewer than {count} calls:\n{}",
            shown()
        );
        let wrong = |line: &&String| ["VALIDATOR", "terminated", "NO_PATH"].iter().any(|word| line.contains(word));
        let log = self.log.lock().unwrap();
        log.iter().filter(wrong).filter(|line| !line.contains("success")).cloned().collect()
    }
}

#[tokio::test]
async fn what_the_client_sends_is_valid() {
    let prism = Prism::start().await;
    let client = Client::new(config(prism.url.clone(), &TestClock::real())).unwrap();
    let page = client.hook_deliveries(None).await.unwrap();
    assert!(!page.items.is_empty());
    client.app().await.unwrap();
    client.account("octo-org").await.unwrap();
    client.hook_config().await.unwrap();
    let change = HookChange {
        url: Some("https://example.com/hooks".into()),
        content_type: Some("json".into()),
        verify_tls: Some(true),
        secret: Some(Secret::new("s")),
    };
    client.change_hook_config(&change).await.unwrap();
    client.convert_manifest("code").await.unwrap();
    client.installations().await.unwrap();
    client.repository_installation("o/r").await.unwrap().expect("an installation");
    let repository = Target::Repository { full_name: "o/r".into(), installation: None };
    for target in [Target::Id(7), repository.clone(), Target::Organization("o".into()), Target::User("u".into())] {
        client.installation_at(&target).await.unwrap().expect("an installation");
    }
    client.hook_delivery(7).await.unwrap();
    client.redeliver(7).await.unwrap();
    let scope = Scope {
        repositories: BTreeSet::from(["r".to_owned()]),
        permissions: BTreeMap::from([("checks".to_owned(), "write".to_owned())]),
    };
    let token = client.installation_token(&repository, &scope).await.unwrap();
    assert!(client.revoke_token(&token.token, false).await.unwrap());
    client.covered_repositories(7).await.unwrap();
    client.repositories_count(7).await.unwrap();

    let repository = client.repository("o/r", Some(7));
    let output = || Output { title: "t".into(), summary: "s".into(), text: Some("x".into()) };
    let new = NewCheckRun {
        name: "n".into(),
        head_sha: "ce013625030ba8dba906f756967f9e9ca394464a".into(),
        status: "in_progress",
        conclusion: None,
        started_at: Utc::now(),
        external_id: Some("e".into()),
        details_url: Some("https://example.com".into()),
        output: output(),
        actions: Vec::new(),
    };
    repository.create_check_run(&new).await.unwrap();
    let progress = Progress {
        status: Some("in_progress"),
        started_at: None,
        details_url: Some("https://example.com".into()),
        output: Some(output()),
    };
    repository.update_check_run(5, &progress).await.unwrap();
    let end = Conclude {
        status: "completed",
        conclusion: "success",
        completed_at: Utc::now(),
        output: output(),
        actions: Vec::new(),
    };
    repository.conclude_check_run(5, &end).await.unwrap();
    let annotation = json!({"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"});
    let finish = Finish {
        conclusion: "cancelled".into(),
        completed_at: Utc::now(),
        output: Some(output()),
        annotations: vec![annotation],
    };
    repository.finish_check_run(5, &finish).await.unwrap();
    repository.check_run(5).await.unwrap().expect("a check run");
    repository.check_runs("main", "n").await.unwrap();
    repository.check_runs_of_app("main", 7).await.unwrap();
    for path in ["a.txt", "folder/a.txt"] {
        assert_eq!(repository.file(path, "main").await.unwrap().as_deref(), Some(&b"hello\n"[..]));
    }
    repository.pull_files(1).await.unwrap();
    let faults = prism.faults(25).await;
    assert!(faults.is_empty(), "{faults:#?}");

    // It does find what is wrong.
    let wrong = client.request(Auth::Jwt, Method::PATCH, "/app/hook/config", Some(&json!({"url": 7}))).await;
    assert_eq!(wrong.unwrap_err().status(), Some(422));
    let faults = prism.faults(26).await;
    assert!(faults.iter().any(|fault| fault.contains("url must be string")), "{faults:#?}");
}
