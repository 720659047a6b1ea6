//! `dev`, and the webhook URL: registered, restored.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;

use pforge::emulator::Seed;
use pforge::emulator::person::OpenPull;
use pforge::emulator::seed::{SeedRepo, SeedUser};
use pforge::emulator::state::Level;
use pforge::util::Secret;
use serde_json::Value;

use crate::app::Desk;
use crate::emulator::support::{APP_ID, Emulator, REPO, files, installed, permissions};
use crate::support::env::{Env, Output};

/// What the App of these tests may do.
const CHECKS: &[(&str, Level)] = &[("checks", Level::Write)];

/// An emulator with an App whose webhook goes to `hook`, and a home with its config.
pub async fn site(hook: &str, granted: &[(&str, Level)]) -> (Emulator, Env) {
    let (seed, pem) = installed(permissions(granted), &["pull_request"], Some(hook));
    let emulator = Emulator::start(seed).await;
    let mut env = Env::new();
    env.write("secrets/config.pforge-local-alice.yaml", &config(&pem));
    env.set("GITHUB_API_URL", &emulator.base);
    (emulator, env)
}

pub fn config(pem: &Secret) -> String {
    let key = pem.expose().trim().replace('\n', "\n    ");
    format!(
        "fastapi:\n  PANGEO_FORGE_API_KEY: 0123456789abcdef0123456789abcdef\ngithub_app:\n  app_name: \
         pforge-local-alice\n  id: {APP_ID}\n  webhook_secret: It's a Secret to Everybody\n  private_key: |\n    {key}\n"
    )
}

/// A command to its end, while the emulator goes on.
pub fn run(env: &Env, line: &str) -> Output {
    tokio::task::block_in_place(|| env.line(line))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_webhook_url_is_set_shown_and_put_back() {
    let (emulator, env) = site("https://old.example.org/github/hooks/", CHECKS).await;
    let set = run(&env, "proxy set-url https://smee.io/pGKLaDu6CJwiBjJU").success();
    assert_eq!(
        set.stdout,
        "200 {\"content_type\":\"json\",\"secret\":\"********\",\"url\":\"https://smee.io/pGKLaDu6CJwiBjJU\",\
         \"insecure_ssl\":\"0\"}\n"
    );
    assert_eq!(
        set.stderr, "was https://old.example.org/github/hooks/; to put it back: pforge proxy restore\n",
        "nothing to warn about"
    );
    let shown: Value = serde_json::from_str(&run(&env, "proxy show --json").success().stdout).unwrap();
    assert_eq!(shown["config"]["url"], "https://smee.io/pGKLaDu6CJwiBjJU");
    assert_eq!(shown["previous"][0], "https://old.example.org/github/hooks/");
    let restored = run(&env, "proxy restore").success();
    assert_eq!(restored.stdout, "https://old.example.org/github/hooks/\n");
    let again = run(&env, "proxy restore");
    assert_eq!(again.code, Some(5), "{again}");
    assert!(again.stderr.contains("no earlier webhook URL is remembered"), "{again}");
    emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_classic_mistakes_are_warned_about_and_local_addresses_refused() {
    let (emulator, env) = site("https://old.example.org/x", CHECKS).await;
    for (url, warned) in [
        ("https://abc.ngrok.app", "ngrok exposes the whole server"),
        ("https://smee.io/abc/github/hooks/", "a smee channel has no path behind it"),
    ] {
        let set = run(&env, &format!("proxy set-url {url}")).success();
        assert!(set.stderr.contains(warned), "{set}");
    }
    let before = emulator.person.calls().await.unwrap().len();
    for url in ["http://localhost:8000/github/hooks/", "http://127.0.0.1:8000/", "smee.io/abc"] {
        let refused = run(&env, &format!("proxy set-url {url}"));
        assert_eq!(refused.code, Some(2), "{refused}");
    }
    assert_eq!(emulator.person.calls().await.unwrap().len(), before, "GitHub was not asked");
    emulator.stop().await;
}

/// What the App of the recipes may do.
const RECIPES: &[(&str, Level)] =
    &[("checks", Level::Write), ("contents", Level::Write), ("issues", Level::Read), ("pull_requests", Level::Write)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxy_and_server_run_in_one_terminal_until_interrupted() {
    let (emulator, env) = site("http://127.0.0.1:9/nobody", RECIPES).await;
    let mut dev =
        tokio::task::block_in_place(|| env.start(&["dev", "--via", "poll", "--yes", "--listen", "127.0.0.1:0"]));
    assert_eq!(dev.ready["type"], "ready");
    assert_eq!(dev.ready["via"], "poll");
    let files = files(&[("recipes/x/meta.yaml", "title: X\n"), ("recipes/x/recipe.py", "x = 1\n")]);
    let pull = OpenPull { branch: "x".into(), title: "Add x".into(), files, ..OpenPull::default() };
    emulator.person.open_pull(REPO, &pull).await.unwrap();
    let (mut forwarded, mut worked) = (None, None);
    tokio::task::block_in_place(|| {
        while forwarded.is_none() || worked.is_none() {
            let line = dev.line();
            match line["type"].as_str().unwrap() {
                "forwarded" => forwarded = Some(line),
                "job" if line["what"] == "done" || line["what"] == "dead" => worked = Some(line),
                _ => {}
            }
        }
    });
    assert_eq!(forwarded.unwrap()["status"], 202);
    assert_eq!(worked.unwrap()["kind"], "recipes.synchronize");
    let (rest, stderr, code) = tokio::task::block_in_place(|| dev.stop());
    let stopped: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert_eq!((&stopped["type"], &stopped["failed"]), (&Value::from("stopped"), &Value::from(0)), "{stderr}");
    assert_eq!(code, Some(0), "{stderr}");
    emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn from_an_empty_folder_to_an_app_that_receives() {
    let readme = BTreeMap::from([("README.md".to_owned(), "hello\n".to_owned())]);
    let desk = Arc::new(
        Desk::at(Seed {
            users: vec![SeedUser { login: "alice".to_owned(), token: None }],
            repos: vec![SeedRepo { name: "alice/mock-feedstock".to_owned(), files: readme, ..SeedRepo::default() }],
            ..Seed::default()
        })
        .await,
    );
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port();
    let person = tokio::spawn({
        let desk = Arc::clone(&desk);
        let page = format!("http://localhost:{port}/authorize.html");
        async move { desk.person_creates(&page, "pforge-local-alice", "alice").await }
    });
    let (port, line) = (port.to_string(), ["dev", "--account", "alice", "--via", "poll", "--listen", "127.0.0.1:0"]);
    let line: Vec<&str> = line.into_iter().chain(["--port", &port]).collect();
    let mut dev = tokio::task::block_in_place(|| desk.env.start(&line));
    person.await.unwrap();
    assert_eq!(dev.ready["via"], "poll", "{}", dev.ready);
    desk.github.person.open_issue("alice/mock-feedstock", "unheard", &[]).await.unwrap();
    let pull = OpenPull { branch: "x".into(), title: "X".into(), files: files(&[("x", "x")]), ..OpenPull::default() };
    desk.github.person.open_pull("alice/mock-feedstock", &pull).await.unwrap();
    tokio::task::block_in_place(|| while dev.line()["type"] != "forwarded" {});
    let (_, stderr, code) = tokio::task::block_in_place(|| dev.stop());
    assert_eq!(code, Some(0), "{stderr}");
    let page = format!("--port {port}");
    for step in
        ["pforge secrets keygen -o", "pforge api-key pforge-local-alice", "pforge new-app alice local --yes", &page]
    {
        assert!(stderr.contains(step), "{step} is not told: {stderr}");
    }
    // Encrypted from the beginning, and a second run has nothing left to do.
    let config = std::fs::read_to_string(desk.env.root().join("secrets/config.pforge-local-alice.yaml")).unwrap();
    assert!(config.contains("ENC[AES256_GCM") && !config.contains("PRIVATE KEY"), "{config}");
    let again = tokio::task::block_in_place(|| desk.env.start(&["dev", "--via", "poll", "--listen", "127.0.0.1:0"]));
    let (_, stderr, code) = tokio::task::block_in_place(|| again.stop());
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("→ pforge"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_config_begins_anew() {
    let (emulator, env) = site("http://127.0.0.1:9/nobody", RECIPES).await;
    let line = ["dev", "--via", "poll", "--yes", "--watch", "--listen", "127.0.0.1:0"];
    let mut dev = tokio::task::block_in_place(|| env.start(&line));
    let config = env.root().join("secrets/config.pforge-local-alice.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n# changed\n")).unwrap();
    let types = tokio::task::block_in_place(|| {
        let mut types = Vec::new();
        while types.last().is_none_or(|last| last != "ready") {
            types.push(dev.line()["type"].as_str().unwrap().to_owned());
        }
        types
    });
    assert!(types.contains(&"stopped".to_owned()), "the first session ended: {types:?}");
    let (_, stderr, code) = tokio::task::block_in_place(|| dev.stop());
    assert!(stderr.contains("The config changed"), "{stderr}");
    assert_eq!(code, Some(0), "{stderr}");
    emulator.stop().await;
}
