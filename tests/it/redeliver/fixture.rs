//! `pforge deliveries fixture`: a file that is replayed, with nobody's names in it.

use serde_json::{Value, json};

use super::stage::{REPO, Sink, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fixture_names_nobody_and_is_replayed_by_the_command_that_it_tells() {
    let stage = Stage::start(None).await;
    stage.pull("secret-branch").await;
    let all = stage.person.settled(super::stage::PATIENCE).await.unwrap();
    let pull = all.iter().find(|delivery| delivery["event"] == "pull_request").unwrap();
    let guid = pull["guid"].as_str().unwrap();
    let printed = stage.pforge(&["deliveries", "fixture", guid, "--github"]).success();
    let scrubbed = printed.json();
    assert!(printed.stderr.contains("pforge deliveries replay --file pull_request.opened.json"), "{printed}");
    for private in ["pangeo", "staged", "secret-branch", "developer"] {
        assert!(!printed.stdout.contains(private), "{private} in {printed}");
    }
    let original = &pull["payload"];
    assert_eq!(scrubbed["action"], original["action"]);
    assert_eq!(scrubbed["pull_request"]["state"], "open");
    let name = scrubbed["repository"]["full_name"].as_str().unwrap();
    assert!(scrubbed["pull_request"]["base"]["repo"]["url"].as_str().unwrap().ends_with(&format!("/repos/{name}")));

    std::fs::create_dir(stage.site.root.path().join("fixtures")).unwrap();
    let args =
        ["deliveries", "fixture", guid, "--github", "-o", "fixtures", "--keep", "repository.full_name", "--json"];
    let told = stage.pforge(&args).success().json();
    assert_eq!((&told["file"], &told["event"]), (&json!("fixtures/pull_request.opened.json"), &json!("pull_request")));
    let command = told["replay"].as_str().unwrap();
    let sink = Sink::start(200).await;
    let words: Vec<&str> = command.split(' ').skip(1).chain(["--to", &sink.url]).collect();
    stage.pforge(&words).success();
    let posted: Value = serde_json::from_slice(&sink.received()[0].1).unwrap();
    assert_eq!(posted["repository"]["full_name"], REPO);
    assert_eq!(posted["repository"]["name"], scrubbed["repository"]["name"], "the same every time");
    assert_eq!(sink.header("x-github-event"), ["pull_request"]);

    let absent = stage.pforge(&["deliveries", "fixture", guid, "--github", "--keep", "no.such"]);
    assert!(absent.code == Some(5) && absent.stderr.contains("the payload has no no.such"), "{absent}");
    let from_file = stage.pforge(&["deliveries", "fixture", "--file", "fixtures/pull_request.opened.json"]).success();
    assert!(!from_file.stdout.contains("pangeo"), "{from_file}");
}
