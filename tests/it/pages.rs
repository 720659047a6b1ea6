//! The pages of `docs/` that are sessions: what they show is what happens.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pforge::emulator::Person;
use pforge::emulator::person::OpenPull;
use pforge::emulator::state::Level;

use crate::app::Desk;
use crate::emulator::support::{Emulator, files, permissions};
use crate::support::page::{After, check, replaced};
use crate::support::stage::{REPO, Stage, seed, steady};

const META: &str = "title: Mock\nrecipes:\n- id: mock\n  object: \"recipe:recipe\"\nbakery:\n  id: local-test-bakery\n";

/// What the sessions use that no page shows. `cue NAME` has alice do something on GitHub.
const PROLOGUE: &str = r"
exec 3>&1 > prologue.log 2>&1
export DATABASE_URL=sqlite:///$PWD/database.sqlite PFORGE_RECONCILE=off
cue() { touch ../cues/$1; until [ -e ../cues/$1.done ]; do sleep 0.05; done; }
until_done() { until [ $(pforge jobs list | grep -c done) -ge $1 ]; do sleep 0.05; done; }
serve() {
  rm -f hidden.log; pforge serve > hidden.log 2>&1 3>&- & SERVER=$!
  until grep -qs docs hidden.log; do sleep 0.05; done
}
away() { kill $SERVER; wait $SERVER; }
guid() { pforge deliveries list --local --event $1 --json | grep -o '[0-9a-f]\{8\}-[0-9a-f-]\{27\}' | tail -1; }
missed() { pforge deliveries list --status missing-locally --event $1 --json | grep -o '[0-9a-f]\{8\}-[0-9a-f-]\{27\}' | head -1; }
git init -q . && git -c user.name=Alice -c user.email=alice@example.org commit -q --allow-empty -m begun
";

/// Does what the session cues, in any order, until it is dropped.
async fn alice(person: Person, cues: PathBuf) {
    let mut branches = BTreeMap::new();
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        for entry in std::fs::read_dir(&cues).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let done = cues.join(format!("{name}.done"));
            if name.ends_with(".done") || done.exists() {
                continue;
            }
            if name == "pull" {
                let files = files(&[("feedstock/meta.yaml", META), ("feedstock/recipe.py", "recipe = 1\n")]);
                let (branch, title) = ("mock".to_owned(), "A mock recipe".to_owned());
                let pull = OpenPull { branch, title, files, ..OpenPull::default() };
                person.open_pull(REPO, &pull).await.unwrap();
            } else if name == "issue" {
                person.open_issue(REPO, "The dates are wrong", &[]).await.unwrap();
            } else if name == "broken" {
                let files = files(&[("feedstock/recipe.py", "raise KeyError(\"time\")\nrecipe = None\n")]);
                person.push(REPO, "mock", &files, None).await.unwrap();
            } else {
                let count = branches.entry("mock").and_modify(|count| *count += 1).or_insert(2);
                let files = files(&[("feedstock/recipe.py", &format!("recipe = {count}\n"))]);
                person.push(REPO, "mock", &files, None).await.unwrap();
            }
            std::fs::write(done, "").unwrap();
        }
    }
}

/// Plays `page` with an App that has these permissions. `prologue` comes after [`PROLOGUE`].
async fn play(page: &str, least: usize, granted: &[(&str, Level)], prologue: &str, after: After<'_>) {
    let (stage, seed) = Stage::with_app(permissions(granted));
    let github = Emulator::start(seed).await;
    let cues = stage.work().join("../cues");
    std::fs::create_dir(&cues).unwrap();
    let alice = tokio::spawn(alice(github.person.clone(), cues));
    tokio::task::block_in_place(|| {
        let begin = format!("{PROLOGUE}{prologue}\nexec >&3 3>&-\n");
        let shell = |script: &str| stage.run(&format!("{begin}{script}"), &github.base);
        let steady = |text: &str| {
            // How far a job is when it is asked for is chance.
            let rules = [
                (r"\bjob \d+ (\S+) (ready|running|done|dead)\b", "job N $1 STATE"),
                (r"\bjobs show \d+", "jobs show N"),
                // What a second changes in a payload.
                (r"(?m)^~ \S+_at .*\n", ""),
                (r"\d+ differences", "N differences"),
                // How many looks a run took to its end.
                (r"(?m)^AT [·→] run \d+ .*\n", ""),
                (r"/tmp/pforge-runner-\w+", "/tmp/FOLDER"),
                // Nothing, when it was less than GitHub counts.
                (r", within GitHub's TIME", ""),
                // Of two that print at once, one is first.
                (r"(?m)^(AT job .* started)\n(AT → .*)$", "$2\n$1"),
                (r"(?m)^(a token of \d+ characters)\n(token .*)$", "$2\n$1"),
            ];
            replaced(&steady(text), &rules)
        };
        check(page, least, shell, steady, after);
    });
    alice.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn deliveries() {
    let granted = [("checks", Level::Write), ("contents", Level::Read), ("pull_requests", Level::Read)];
    let prologue = "serve; pforge init-db http://127.0.0.1:8000 alice/mock-feedstock\n\
        cue pull; until_done 1; cue push1; until_done 2; away; cue push2; serve\n\
        OPENED=$(guid pull_request.opened); MISSED=$(missed pull_request.synchronize)";
    let after = |command: &str| {
        let then = |text: &str| Some(text.to_owned());
        match command {
            "pforge deliveries tail > tail.log 2>&1 &" => then(
                "until grep -qs Following tail.log; do sleep 0.05; done; cue push3; \
                 until grep -q 'done in' tail.log && grep -q check_suite tail.log; do sleep 0.05; done; \
                 kill $!; wait $!",
            ),
            // The server ends, and comes back.
            "pforge deliveries redeliver --failed --event pull_request" => {
                then("until_done 4; away; cue push4; PFORGE_RECONCILE=5m")
            }
            "pforge serve > serve.log 2>&1 &" => {
                then("until grep -qs fetched serve.log; do sleep 0.05; done; until_done 5")
            }
            _ => None,
        }
    };
    play("docs/deliveries.md", 11, &granted, prologue, &after).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn as_the_app() {
    let granted = [("checks", Level::Write), ("contents", Level::Read), ("issues", Level::Read)];
    let after = |command: &str| {
        // A program begins a run, and dies.
        command.contains("useHttpPath").then(|| {
            "pforge gh-as-app /repos/alice/mock-feedstock/check-runs -f name=synchronize -f status=in_progress \
             -f head_sha=$SHA --silent"
                .to_owned()
        })
    };
    play("docs/as-the-app.md", 12, &granted, "cue issue", &after).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn trigger() {
    let granted = [("checks", Level::Write), ("contents", Level::Read), ("pull_requests", Level::Read)];
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scenarios/recipe.yaml");
    let prologue = format!(
        "mkdir -p examples/scenarios; cp {example} examples/scenarios/\n\
         printf 'name: x\\nsteps:\\n  - event: push\\n    expects: {{}}\\n' > scenario.yaml\n\
         pforge trigger pull_request.opened --dry-run > payload.json\n\
         serve; pforge init-db http://127.0.0.1:8000 alice/mock-feedstock"
    );
    let after = |command: &str| {
        let then = |text: &str| Some(text.to_owned());
        match command {
            "pforge trigger push" => then("serve; GUID=$(guid pull_request.opened)"),
            _ if command.contains("pull_request.number=7") => then("away"),
            _ => None,
        }
    };
    play("docs/trigger.md", 9, &granted, &prologue, &after).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn doctor() {
    let granted = [("checks", Level::Write), ("contents", Level::Read), ("pull_requests", Level::Read)];
    play("docs/dev-and-doctor.md", 1, &granted, "chmod 644 secrets/*.yaml", &|_| None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn new_app() {
    let desk = Arc::new(Desk::at(seed()).await);
    let stage = Stage::new();
    let (person, page) = (Arc::clone(&desk), stage.page());
    let person = tokio::spawn(async move { person.person_creates(&page, "pforge-local-alice", "alice").await });
    let keys = "mkdir secrets && pforge secrets keygen -o ~/.config/sops/age/keys.txt >> secrets/age-recipients.txt 2> keys.log\n";
    tokio::task::block_in_place(|| {
        let shell = |script: &str| stage.run(&format!("{keys}{script}"), &desk.github.base);
        check("docs/new-app.md", 3, shell, steady, &|_| None);
    });
    person.await.unwrap();
}

/// What the sessions about recipes do on GitHub beside what alice does in all of them.
const RECIPES: &str = r"
asked() { until pforge runs show $1 > asked.log 2>&1; do sleep 0.05; done; }
";

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn recipes() {
    let granted = ["checks", "contents", "deployments", "issues", "pull_requests"].map(|name| (name, Level::Write));
    let after = |command: &str| {
        let then = |text: &str| Some(text.to_owned());
        match command {
            // Her home is another one here.
            _ if command.starts_with("cat recipes.yaml") => then("sed -i s#/home/alice#$HOME# bakeries/*.yaml"),
            "pforge serve > serve.log 2>&1 &" => then("until grep -qs docs serve.log; do sleep 0.05; done"),
            // Somebody opens a pull request.
            _ if command.starts_with("pforge bakeries add") => then("cue pull; asked 1"),
            // And pushes a recipe with a mistake.
            "pforge runs logs 1" => then("cue broken; asked 2"),
            _ => None,
        }
    };
    play("docs/recipes.md", 14, &granted, RECIPES, &after).await;
}
