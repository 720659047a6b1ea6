//! The tour of the README, from an empty folder to a mended check run, by commands only: what it
//! shows is what happens.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pforge::emulator::person::OpenPull;

use crate::app::Desk;
use crate::emulator::real::judge;
use crate::emulator::support::files;
use crate::support::page::check;
use crate::support::stage::{REPO, Stage, seed, steady};

/// What alice does in her browser: she creates the App, installs it, and opens a pull request once the script has made the file `open`.
async fn alice(desk: Arc<Desk>, page: String, folder: PathBuf) {
    desk.person_creates(&page, "pforge-local-alice", "alice").await;
    while !folder.join("open").exists() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let meta = "title: Mock\nrecipes:\n- id: mock\n  object: \"recipe:recipe\"\n";
    let files = files(&[("feedstock/meta.yaml", meta), ("feedstock/recipe.py", "recipe = 1\n")]);
    let pull = OpenPull { branch: "mock".into(), title: "A mock recipe".into(), files, ..OpenPull::default() };
    desk.github.person.open_pull(REPO, &pull).await.unwrap();
}

/// What must have happened before the next command.
fn after(command: &str) -> Option<String> {
    let wait = |what: &str| format!("until {what}; do sleep 0.05; done");
    if command.starts_with("pforge serve") {
        return Some(wait("grep -qs docs serve.log"));
    }
    let jobs = "pforge jobs list 2>&1 | grep -q 'done'";
    command.starts_with("pforge proxy start").then(|| {
        [&wait("grep -qs Waiting proxy.log"), "touch open", &wait("grep -qs '← 202' proxy.log"), &wait(jobs)].join("; ")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_readme_shows_what_happens() {
    let desk = Arc::new(Desk::at(seed()).await);
    let stage = Stage::new();
    let person = tokio::spawn(alice(Arc::clone(&desk), stage.page(), stage.work()));
    tokio::task::block_in_place(|| {
        let shell = |script: &str| stage.run(script, &desk.github.base);
        check("README.md#A tour", 12, shell, steady, &after);
    });
    person.await.unwrap();
    // Whatever was asked and answered is as GitHub describes it.
    judge(&desk.github.person.calls().await.unwrap(), 30);
    assert_eq!(desk.github.person.unknown().await.unwrap(), Vec::<serde_json::Value>::new());
    let empty = Stage::new();
    tokio::task::block_in_place(|| {
        let shell = |script: &str| empty.run(script, &desk.github.base);
        check("README.md#When something is wrong", 1, shell, steady, &|_| None);
    });
}
