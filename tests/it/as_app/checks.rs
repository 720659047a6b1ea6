//! `checks`: stuck runs are found and ended.

use serde_json::{Value, json};

use super::world::World;

/// Makes a run that began `started_at`; its id.
fn run(world: &World, repo: &str, sha: &str, name: &str, started_at: &str) -> i64 {
    let (head, name, at) = (format!("head_sha={sha}"), format!("name={name}"), format!("started_at={started_at}"));
    let path = format!("/repos/{repo}/check-runs");
    let line = ["gh-as-app", &path, "-f", &head, "-f", &name, "-f", &at, "-f", "status=in_progress", "--jq", ".id"];
    world.pforge(&line).success().stdout.trim().parse().unwrap()
}

fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|run| run["id"].as_i64().unwrap()).collect()
}

const LONG_AGO: &str = "2020-01-01T00:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn stale_runs_are_found_everywhere_and_ended() {
    let world = World::start(&["alice", "octo"]).await;
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let pull = pforge::emulator::person::OpenPull {
        branch: "topic".to_owned(),
        title: "a pull request".to_owned(),
        files: [("a".to_owned(), Some("b".to_owned()))].into(),
        ..Default::default()
    };
    let pull = world.person.open_pull("octo/two", &pull).await.unwrap();
    let (mock, one) = (world.head("alice/mock"), world.head("octo/one"));
    let stuck = run(&world, "alice/mock", &mock, "stuck", LONG_AGO);
    let fresh = run(&world, "octo/one", &one, "fresh", &now);
    let topic = run(&world, "octo/two", &pull.head.sha, "topic", LONG_AGO);

    let all = world.pforge(&["checks", "list", "--json"]).success().json();
    let mut found = ids(&all);
    found.sort_unstable();
    assert_eq!(found, [stuck, fresh, topic], "{all}");
    let stale = world.pforge(&["checks", "list", "--stale", "--json"]).success().json();
    assert_eq!(ids(&stale).len(), 2, "{stale}");
    assert!(stale.as_array().unwrap().iter().all(|run| run["stale"] == true), "{stale}");
    let table = world.pforge(&["checks", "list", "--repo", "octo/one"]).success();
    assert!(table.stdout.contains("in_progress") && table.stdout.contains("fresh"), "{table}");
    let number = pull.number.to_string();
    let of_pull = world.pforge(&["checks", "list", "-R", "octo/two", "--pr", &number, "--json"]).success().json();
    assert_eq!(ids(&of_pull), [topic]);
    assert_eq!(
        ids(&world.pforge(&["checks", "list", "-R", "octo/one", "--ref", "main", "--json"]).success().json()),
        [fresh]
    );

    let rehearsal = world.pforge(&["checks", "cancel", "--stale", "--dry-run"]).success();
    assert_eq!(rehearsal.stdout.lines().count(), 2, "{rehearsal}");
    let unasked = world.pforge(&["checks", "cancel", "--stale"]);
    assert_eq!(unasked.code, Some(2), "nobody is there to be asked: {unasked}");
    assert_eq!(ids(&world.pforge(&["checks", "list", "--stale", "--json"]).success().json()).len(), 2);

    let cancelled =
        world.pforge(&["checks", "cancel", "--stale", "--yes", "--reason", "The worker was lost."]).success();
    assert_eq!(cancelled.stdout.lines().filter(|line| line.starts_with("http")).count(), 2, "{cancelled}");
    let after = world.pforge(&["gh-as-app", &format!("/repos/octo/two/check-runs/{topic}")]).success().json();
    assert_eq!((after["status"].as_str(), after["conclusion"].as_str()), (Some("completed"), Some("cancelled")));
    assert_eq!(after["output"]["summary"], "The worker was lost.");
    let left = world.pforge(&["checks", "list", "--status", "in_progress", "--json"]).success().json();
    assert_eq!(ids(&left), [fresh]);
    world.pforge(&["checks", "cancel", "--stale"]).success();
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_ended_by_id_and_by_address() {
    let world = World::start(&["alice", "octo"]).await;
    let sha = world.head("octo/two");
    let (first, second) = (run(&world, "octo/two", &sha, "a", LONG_AGO), run(&world, "octo/two", &sha, "b", LONG_AGO));
    let annotations: Vec<Value> = (1..=120)
        .map(|line| json!({"path": "a.py", "start_line": line, "end_line": line, "annotation_level": "notice", "message": "m"}))
        .collect();
    world.env.write("annotations.json", &serde_json::to_string(&annotations).unwrap());
    let line = [
        "checks",
        "complete",
        &first.to_string(),
        "--conclusion",
        "neutral",
        "--title",
        "By hand",
        "--summary",
        "**why**",
        "--annotations",
        "annotations.json",
        "--json",
    ];
    let done = world.pforge(&line).success().json();
    assert_eq!((&done[0]["conclusion"], &done[0]["repo"]), (&json!("neutral"), &json!("octo/two")), "{done}");
    let path = format!("/repos/octo/two/check-runs/{first}");
    let shown = world.pforge(&["gh-as-app", &format!("{path}/annotations"), "--jq", "length"]).success();
    assert_eq!(shown.stdout, "120\n", "GitHub takes 50 at a time");
    let title = world.pforge(&["gh-as-app", &path, "--jq", ".output.title"]).success();
    assert_eq!(title.stdout, "By hand\n");

    let address = format!("{}/octo/two/runs/{second}", world.url);
    let done = world.pforge(&["checks", "complete", &address]).success();
    assert_eq!(done.stdout.trim(), address);
    assert!(done.stderr.contains(": success"), "{done}");

    let unknown = world.pforge(&["checks", "complete", "999999"]);
    assert_eq!(unknown.code, Some(5), "{unknown}");
    assert!(unknown.stderr.contains("there is no check run 999999"), "{unknown}");
    assert_eq!(world.pforge(&["checks", "complete", "1", "--conclusion", "stale"]).code, Some(2));
}
