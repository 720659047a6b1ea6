//! From a merged recipe to its feedstock, killed between any two calls.

mod bench;
mod crash;
mod gate;
mod look;
mod process;
mod trouble;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use pforge::apps::recipes::rows::feedstocks;
use pforge::emulator::person::{Files, OpenPull};
use pforge::store::jobs::{JobRow, JobState};
use serde_json::{Value, json};

use self::look::{Look, the_comment, writes};
use super::stage::{ORG, STAGED, Stage};
use super::world::{META, pull};
use crate::support::pg::{TestDb, on_both};

const SST: &str = "pangeo-forge/sst-feedstock";

on_both!(
    row_35_a_merged_recipe_becomes_a_feedstock,
    row_36_a_merged_cleanup_leads_to_nothing,
    every_folder_becomes_a_feedstock_with_all_that_is_in_it,
    with_labels_the_merge_is_seen_and_anything_else_is_no_recipe,
);

fn created(jobs: &[JobRow]) -> Vec<&JobRow> {
    jobs.iter().filter(|job| job.kind == "recipes.create_feedstock").collect()
}

async fn row_35_a_merged_recipe_becomes_a_feedstock(database: TestDb) {
    let stage = Stage::start(database).await;
    let look = Look::new(&stage.client);
    let opened = stage.open_recipe("sst").await;
    stage.person.merge(STAGED, opened.number).await.unwrap();
    stage.settled().await;

    let calls = stage.person.calls().await.unwrap();
    let feedstock = |rest: &str| format!("/repos/{SST}/{rest}");
    let staged = |rest: &str| format!("/repos/{STAGED}/{rest}");
    let file = |method: &str, at: &str, name: &str| format!("{method} {at}/{name}");
    let (to, from) = (feedstock("contents/feedstock"), staged("contents/recipes/sst"));
    let expected = [
        format!("POST /orgs/{ORG}/repos"),
        format!("PUT {}", feedstock("collaborators/contributor")),
        format!("PUT {}", feedstock("collaborators/octocat")),
        format!("POST {}", feedstock("git/refs")),
        file("PUT", &to, "meta.yaml"),
        file("PUT", &to, "recipe.py"),
        file("PUT", &to, "requirements.txt"),
        format!("POST {}", feedstock("pulls")),
        format!("PUT {}", feedstock("pulls/1/merge")),
        format!("DELETE {}", feedstock("git/refs/heads/create-feedstock")),
        format!("POST {}", staged("git/refs")),
        file("DELETE", &from, "meta.yaml"),
        file("DELETE", &from, "recipe.py"),
        file("DELETE", &from, "requirements.txt"),
        format!("POST {}", staged("pulls")),
        format!("PUT {}", staged("pulls/2/merge")),
        format!("DELETE {}", staged("git/refs/heads/cleanup-sst-pr-1")),
    ];
    assert_eq!(writes(&calls), expected);
    let body =
        |path: &str| calls.iter().find(|c| c["method"] != "GET" && c["path"] == path).unwrap()["request"].clone();
    assert_eq!(
        body(&format!("/orgs/{ORG}/repos")),
        json!({
            "name": "sst-feedstock", "description": "Pangeo Forge feedstock for sst.",
            "homepage": "https://pangeo-forge.org", "private": false, "has_issues": true, "has_projects": false,
            "has_wiki": false, "auto_init": true, "gitignore_template": "Python", "license_template": "apache-2.0",
        })
    );
    let pull = body(&feedstock("pulls"));
    assert_eq!(
        (&pull["title"], &pull["head"], &pull["base"]),
        (&json!(format!("Create {SST}")), &json!("create-feedstock"), &json!("main"))
    );
    assert_eq!(body(&staged("pulls"))["title"], format!("Cleanup {SST}"));
    assert_eq!(body(&format!("{to}/recipe.py"))["message"], "Adding feedstock/recipe.py");

    // What is there in the end.
    assert!(feedstocks::by_spec(&stage.world.db, SST).await.unwrap().is_some());
    let files = ["feedstock/meta.yaml", "feedstock/recipe.py", "feedstock/requirements.txt"];
    let there = look.tree(SST, "main").await;
    assert!(files.iter().all(|file| there.contains(&(*file).to_owned())), "{there:?}");
    assert_eq!(look.tree(STAGED, "main").await, ["README.md"]);
    assert_eq!(
        (look.branches(SST).await, look.branches(STAGED).await),
        (vec!["main".to_owned()], vec!["main".to_owned()])
    );
    assert_eq!(look.invited(SST).await, ["contributor"]);

    // The merge of the feedstock's pull request starts the production run; that of the cleanup nothing.
    let jobs = stage.world.jobs().await;
    assert!(jobs.iter().any(|job| job.kind == "recipes.deploy_prod" && job.key == Some(format!("{SST}#1"))));
    assert_eq!(created(&jobs).len(), 1);
    let job = created(&jobs)[0];
    assert_eq!(
        (job.state, job.attempts, job.outcome.as_deref()),
        (JobState::Done, 1, Some(&*format!("1 feedstock created: {SST}")))
    );
    let comment = the_comment(&stage.person, opened.number).await;
    for words in ["**Done.**", "Invited to push: `contributor`", "`octocat: GitHub knows no such account`", "/pull/2)"]
    {
        assert!(comment.contains(words), "{comment}");
    }
    assert!(!comment.contains("[ ]") && comment.contains(&format!("[{SST}](")), "{comment}");
}

async fn row_36_a_merged_cleanup_leads_to_nothing(database: TestDb) {
    let stage = Stage::start(database).await;
    let before = created(&stage.world.jobs().await).len();
    let mut delivery = pull(STAGED, "abc1");
    delivery["action"] = json!("closed");
    delivery["pull_request"]["merged"] = json!(true);
    delivery["pull_request"]["merge_commit_sha"] = json!("abc2");
    delivery["pull_request"]["title"] = json!(format!("Cleanup {SST}"));
    let skip = json!({ "status": "skip", "message": "This is an automated cleanup PR. Skipping." });
    assert_eq!(stage.world.deliver("pull_request", "cleanup", &delivery).await, (202, skip.clone()));
    assert_eq!(created(&stage.world.jobs().await).len(), before);

    // So it is with our own, whose webhook is a real one.
    let opened = stage.open_recipe("sst").await;
    stage.person.merge(STAGED, opened.number).await.unwrap();
    stage.settled().await;
    let deliveries = stage.person.deliveries().await.unwrap();
    let cleanup = |d: &&Value| {
        d["payload"]["pull_request"]["title"] == format!("Cleanup {SST}") && d["payload"]["action"] == "closed"
    };
    let answers: Vec<Value> = deliveries.iter().filter(cleanup).map(|d| d["response"].clone()).collect();
    assert_eq!(answers.len(), 1);
    let answer = answers[0].as_str().map_or_else(|| answers[0].clone(), |text| serde_json::from_str(text).unwrap());
    assert_eq!(answer, skip);
    assert_eq!(created(&stage.world.jobs().await).len(), before + 1);
}

async fn every_folder_becomes_a_feedstock_with_all_that_is_in_it(database: TestDb) {
    let stage = Stage::start(database).await;
    let (look, person) = (Look::new(&stage.client), &stage.person);
    let some = |files: &[(&str, &str)]| -> Files {
        files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))).collect()
    };
    // The branch that recipes go to here is not the default one.
    let old = some(&[("recipes/old/meta.yaml", META), ("recipes/old/recipe.py", "a = 1\n")]);
    let tip = person.push(STAGED, "devel", &old, None).await.unwrap();
    look.ask(Method::POST, &format!("/repos/{STAGED}/git/refs"), json!({ "ref": "refs/heads/work", "sha": tip })).await;
    let mut files = some(&[
        ("recipes/new/meta.yaml", META),
        ("recipes/new/a/tool.py", "a = 1\n"),
        ("recipes/new/b/tool.py", "b = 2\n"),
        ("recipes/second/meta.yaml", META),
        ("recipes/second/été & co.py", "c = 3\n"),
        ("recipes/README.md", "Recipes.\n"),
    ]);
    files.extend(old.into_keys().map(|path| (path, None)));
    person.push(STAGED, "work", &files, Some("contributor")).await.unwrap();
    let bytes: Vec<u8> = (0..=255).collect();
    let put = json!({ "message": "binary", "content": STANDARD.encode(&bytes), "branch": "work" });
    look.ask(Method::PUT, &format!("/repos/{STAGED}/contents/recipes/new/grid.bin"), put).await;
    let new = OpenPull {
        branch: "work".into(),
        title: "Two recipes".into(),
        base: Some("devel".into()),
        user: Some("contributor".into()),
        ..OpenPull::default()
    };
    let opened = person.open_pull(STAGED, &new).await.unwrap();
    person.merge(STAGED, opened.number).await.unwrap();
    stage.settled().await;

    let in_feedstock = async |name: &str| {
        let tree = look.tree(&format!("{ORG}/{name}-feedstock"), "main").await;
        tree.into_iter().filter(|path| path.starts_with("feedstock/")).collect::<Vec<_>>()
    };
    let expected = ["a/tool.py", "b/tool.py", "grid.bin", "meta.yaml"].map(|name| format!("feedstock/{name}"));
    assert_eq!(in_feedstock("new").await, expected);
    assert_eq!(in_feedstock("second").await, ["feedstock/meta.yaml", "feedstock/été & co.py"]);
    let copied = stage.client.repository("pangeo-forge/new-feedstock", None).file("feedstock/grid.bin", "main").await;
    assert_eq!(copied.unwrap(), Some(bytes));
    assert_eq!(look.tree(STAGED, "devel").await, ["README.md", "recipes/README.md"]);
    assert!(!look.repositories().await.iter().any(|name| name.contains("old")));
    let comment = the_comment(person, opened.number).await;
    assert_eq!((comment.matches("### Feedstock").count(), comment.matches("[x]").count()), (2, 10), "{comment}");
    assert_eq!(created(&stage.world.jobs().await)[0].state, JobState::Done);
}

async fn with_labels_the_merge_is_seen_and_anything_else_is_no_recipe(database: TestDb) {
    let stage = Stage::with(database, |plan| plan.settings.run_only_on = vec!["live".into()]).await;
    let recipe = |branch: &str, path: &str, labels: &[&str]| OpenPull {
        branch: branch.into(),
        title: format!("Add {path}"),
        files: [(path.to_owned(), Some(META.to_owned()))].into(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        ..OpenPull::default()
    };
    for (branch, path, labels) in [
        ("one", "recipes/sst/meta.yaml", &["live"][..]),
        ("two", "docs/recipes/x/meta.yaml", &["live"]),
        ("three", "recipes/other/meta.yaml", &[]),
    ] {
        let opened = stage.person.open_pull(STAGED, &recipe(branch, path, labels)).await.unwrap();
        stage.person.merge(STAGED, opened.number).await.unwrap();
        stage.settled().await;
    }
    let jobs = stage.world.jobs().await;
    let mut outcomes: Vec<_> = created(&jobs).into_iter().map(|job| job.outcome.clone().unwrap()).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["1 feedstock created: pangeo-forge/sst-feedstock", "Not a recipes PR. Skipping."]);
    // The feedstock's own pull request carries the label, or its merge would be nobody's concern.
    assert!(jobs.iter().any(|job| job.kind == "recipes.deploy_prod"));
}
