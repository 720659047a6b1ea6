//! A server that is killed (−9) each time when GitHub has just done what it was asked, and nobody
//! knows.

use pforge::emulator::Person;
use pforge::store::jobs::JobState;
use serde_json::Value;

use super::bench::{Bench, Plan, client, github, merged_recipes};
use super::gate::Gate;
use super::look::{Look, the_comment};
use crate::recipes::github::private_key;
use crate::recipes::stage::STAGED;
use crate::support::pg::TestDb;
use crate::support::world::{Api, Site, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_is_killed_makes_nothing_twice() {
    let calm = Bench::start(TestDb::sqlite().await).await;
    assert_eq!(calm.run().await.state, JobState::Done);
    let (url, _stop) = github(&Plan::default()).await;
    let (gate, person, look) = (Gate::start(&url).await, Person::new(&url).unwrap(), Look::new(&client(&url)));
    let (number, body) = merged_recipes(&person, STAGED, &["sst"]).await;
    let site = Site::new(&gate.url, 7, &private_key(), None);
    let serve = || tokio::task::block_in_place(|| site.serve(&["--lease", "2s", "--workers", "1"]));
    let feedstock = "/repos/pangeo-forge/sst-feedstock";
    let mut first = true;
    for call in [
        "POST /orgs/pangeo-forge/repos".to_owned(),
        format!("PUT {feedstock}/contents/feedstock/recipe.py"),
        format!("PUT {feedstock}/pulls/1/merge"),
        format!("POST /repos/{STAGED}/pulls"),
    ] {
        gate.hold(&call, true);
        let mut server = serve();
        if first {
            let answer = Api::new(&server.url).deliver("pull_request", "g-1", body.clone().into_bytes()).await.unwrap();
            assert_eq!(answer.status(), 202);
            first = false;
        }
        gate.held(&call).await;
        tokio::task::block_in_place(|| server.kill());
    }
    let server = serve();
    let api = Api::new(&server.url);
    let ended = async || {
        let job = api.get("/jobs?limit=10").await["items"][0].clone();
        (job["state"] == "done" || job["state"] == "dead").then_some(job)
    };
    let job: Value = eventually("the job to end", ended).await;
    assert_eq!((&job["state"], &job["attempts"]), (&"done".into(), &5.into()), "{job}");

    let expected = calm.state().await;
    let both = ["pangeo-forge/staged-recipes", "pangeo-forge/sst-feedstock"];
    assert_eq!(look.repositories().await.len(), both.len());
    for repo in both {
        let at = &expected["repositories"][repo];
        assert_eq!(serde_json::json!(look.tree(repo, "main").await), at["files"], "{repo}");
        assert_eq!(serde_json::json!(look.history(repo, "main").await), at["history"], "{repo}");
        assert_eq!(serde_json::json!(look.pulls(repo).await), at["pulls"], "{repo}");
        assert_eq!(serde_json::json!(look.branches(repo).await), at["branches"], "{repo}");
        assert_eq!(serde_json::json!(look.invited(repo).await), at["invited"], "{repo}");
    }
    assert!(the_comment(&person, number).await.contains("**Done.**"));

    // What was made can be read.
    let id = job["id"].to_string();
    let shown = site.command().args(["jobs", "show", &id]).env("PFORGE_SERVER", &server.url).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    for line in ["  feedstocks\n", "    - folder", "      spec", "      cleanup\n", "        pull"] {
        assert!(shown.contains(line), "{shown}");
    }
}
