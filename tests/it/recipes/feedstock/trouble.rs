//! Names that are taken, permissions that are missing, accounts where an App makes no repositories,
//! changes that come between, and a GitHub that does not answer: mended, or told.

use pforge::apps::recipes::Settings;
use pforge::emulator::faults::Fault;
use pforge::store::jobs::JobState;
use serde_json::json;

use super::bench::{Bench, Plan};
use crate::recipes::stage::STAGED;
use crate::support::pg::{TestDb, on_both};

on_both!(
    a_name_that_is_taken_stops_everything_before_anything_is_made,
    another_change_of_the_same_files_comes_between,
    lost_answers_and_limits_change_nothing,
);

async fn a_name_that_is_taken_stops_everything_before_anything_is_made(database: TestDb) {
    let plan = Plan { repositories: vec!["taken-feedstock"], ..Plan::default() };
    let bench = Bench::with(database, plan, &["free", "taken"]).await;
    let job = bench.run().await;
    assert_eq!((job.state, job.attempts), (JobState::Dead, 1), "{job:?}");
    assert_eq!(bench.look.repositories().await, ["pangeo-forge/staged-recipes", "pangeo-forge/taken-feedstock"]);
    assert_eq!(bench.look.tree("pangeo-forge/taken-feedstock", "main").await, ["x"]);
    assert_eq!(bench.look.branches(STAGED).await, ["main"]);
    let comment = bench.comment().await;
    for words in [
        "**Stopped:**",
        "the repository pangeo-forge/taken-feedstock is there already",
        "open a pull request there",
        &format!("`pforge jobs retry {}`", job.id),
    ] {
        assert!(comment.contains(words), "{comment}");
    }
    assert!(!comment.contains("[x]"), "{comment}");
    // Put back without a change it says the same, in the same comment.
    bench.retry().await;
    assert_eq!(bench.run().await.state, JobState::Dead);
    assert_eq!(bench.comment().await, comment);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_app_may_not_a_person_makes_the_repository() {
    let may_not = Plan { administration: false, ..Plan::default() };
    let user = Plan { owner: "someone", ..Plan::default() };
    for (plan, reason) in [
        (may_not, "Resource not accessible by integration"),
        (user, "an App cannot make repositories in the account of a user"),
    ] {
        let owner = plan.owner;
        let (spec, administration) = (format!("{owner}/sst-feedstock"), plan.administration);
        let bench = Bench::with(TestDb::sqlite().await, plan, &["sst"]).await;
        let job = bench.run().await;
        assert_eq!((job.state, job.attempts), (JobState::Dead, 1), "{job:?}");
        let comment = bench.comment().await;
        for words in [reason, &format!("1. Create the repository `{spec}` with a README."), "pforge jobs retry"] {
            assert!(comment.contains(words), "{comment}");
        }
        // Put back too early, and then made without a commit.
        bench.retry().await;
        assert_eq!(bench.run().await.state, JobState::Dead);
        let readme = [("README.md".to_owned(), Some("# sst\n".to_owned()))].into();
        bench.person.create_repo(owner, "sst-feedstock", &readme).await.unwrap();
        bench.retry().await;
        let job = bench.run().await;
        assert_eq!(job.state, JobState::Done, "{job:?}");
        let comment = bench.comment().await;
        assert!(comment.contains("**Done.**"), "{comment}");
        // To invite people is administration, too.
        assert_eq!(comment.contains("invite by hand: `contributor: "), !administration, "{comment}");
        assert!(bench.look.tree(&spec, "main").await.contains(&"feedstock/recipe.py".to_owned()));
        assert_eq!(bench.look.tree(&bench.staged, "main").await, ["README.md"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_a_user_feedstocks_are_generated_from_a_template() {
    let settings = Settings { feedstock_template: Some("someone/template".into()), ..Settings::default() };
    let plan = Plan { owner: "someone", settings, repositories: vec!["template"], ..Plan::default() };
    let bench = Bench::with(TestDb::sqlite().await, plan, &["sst"]).await;
    let job = bench.run().await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{job:?}");
    let files = bench.look.tree("someone/sst-feedstock", "main").await;
    assert_eq!(files, ["feedstock/meta.yaml", "feedstock/recipe.py", "feedstock/requirements.txt", "x"]);
    assert_eq!(bench.look.invited("someone/sst-feedstock").await, ["contributor"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lasts_is_told_while_it_waits() {
    let bench = Bench::start(TestDb::sqlite().await).await;
    let review = "At least 1 approving review is required by reviewers with write access.";
    let protected = Fault {
        method: Some("PUT".into()),
        path: Some("/repos/*/pulls/1/merge".into()),
        status: Some(405),
        body: Some(json!({ "message": review })),
        ..Fault::default()
    };
    bench.person.fault(&protected).await.unwrap();
    let workers = bench.workers();
    let comment = bench.told("**Waiting**").await;
    assert!(comment.contains(review) && comment.contains("[ ] It is merged"), "{comment}");
    assert!(bench.job().await.attempts >= 3);
    // Somebody approves, and merges it at once.
    bench.person.clear_faults().await.unwrap();
    bench.person.merge("pangeo-forge/sst-feedstock", 1).await.unwrap();
    let job = bench.ended().await;
    workers.abort();
    assert_eq!(job.state, JobState::Done, "{job:?}");
    let comment = bench.comment().await;
    assert!(comment.contains("**Done.**") && !comment.contains("Waiting"), "{comment}");
}

async fn another_change_of_the_same_files_comes_between(database: TestDb) {
    let bench = Bench::start(database).await;
    let before_the_merge = format!("PUT /repos/{STAGED}/pulls/2/merge");
    bench.gate.hold(&before_the_merge, false);
    let workers = bench.workers();
    bench.gate.held(&before_the_merge).await;
    let change = [
        ("README.md".to_owned(), Some("# changed\n".to_owned())),
        ("recipes/sst/recipe.py".to_owned(), Some("daily = 7\n".to_owned())),
    ];
    bench.person.push(STAGED, "main", &change.into(), None).await.unwrap();
    bench.gate.release();
    let job = bench.ended().await;
    workers.abort();
    assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{job:?}");
    let cleanup = "Cleanup pangeo-forge/sst-feedstock closed";
    assert_eq!(
        bench.look.pulls(STAGED).await,
        ["#1 Add recipes closed merged".to_owned(), format!("#2 {cleanup} unmerged"), format!("#3 {cleanup} merged")]
    );
    // What was changed is nowhere else: it stays, and that is told.
    assert_eq!(bench.look.tree(STAGED, "main").await, ["README.md", "recipes/sst/recipe.py"]);
    assert_eq!(bench.look.branches(STAGED).await, ["main"]);
    let comment = bench.comment().await;
    assert!(comment.contains("[#3](") && comment.contains("after the merge: `recipes/sst/recipe.py`"), "{comment}");
}

async fn lost_answers_and_limits_change_nothing(database: TestDb) {
    let calm = Bench::start(TestDb::sqlite().await).await;
    calm.run().await;
    let bench = Bench::start(database).await;
    let at = |method: &str, path: &str| Fault {
        method: Some(method.into()),
        path: Some(path.into()),
        count: Some(1),
        ..Fault::default()
    };
    let lost = |method: &str, path: &str| Fault { status: Some(502), after: true, ..at(method, path) };
    let feedstock = "/repos/pangeo-forge/sst-feedstock";
    let staged = format!("/repos/{STAGED}");
    let moved = json!({ "message": "Base branch was modified. Review and try the merge again." });
    let not_merged = json!({ "sha": null, "merged": false, "message": "Pull Request is not mergeable" });
    for fault in [
        lost("POST", "/repos/*/issues/*/comments"),
        lost("POST", "/orgs/*"),
        lost("PUT", &format!("{feedstock}/collaborators/*")),
        lost("POST", &format!("{feedstock}/git/refs")),
        lost("PUT", &format!("{feedstock}/contents/*")),
        lost("POST", &format!("{feedstock}/pulls")),
        Fault { status: Some(200), body: Some(not_merged), ..at("PUT", &format!("{feedstock}/pulls/1/merge")) },
        lost("PUT", &format!("{feedstock}/pulls/1/merge")),
        lost("DELETE", &format!("{feedstock}/git/refs/*")),
        lost("POST", &format!("{staged}/git/refs")),
        lost("DELETE", &format!("{staged}/contents/*")),
        Fault { status: Some(503), ..at("GET", &format!("{staged}/contents/*")) },
        lost("POST", &format!("{staged}/pulls")),
        Fault { status: Some(405), body: Some(moved), ..at("PUT", &format!("{staged}/pulls/2/merge")) },
        lost("PUT", &format!("{staged}/pulls/2/merge")),
        Fault {
            method: Some("DELETE".into()),
            path: Some(format!("{staged}/git/refs/*")),
            ..Fault::secondary_rate_limit(1)
        },
    ] {
        bench.person.fault(&fault).await.unwrap();
    }
    let job = bench.run().await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    assert!(job.attempts > 4, "{job:?}");
    assert_eq!(bench.state().await, calm.state().await);
}
