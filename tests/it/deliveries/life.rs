//! The life of a few deliveries, seen by every command.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use pforge::emulator::faults::Fault;
use pforge::emulator::person::RawDelivery;
use serde_json::{Value, json};

use super::stage::{PATIENCE, REPO, Said, Stage, note};
use crate::support::world::eventually;

/// `event.action` of the rows of a list.
fn names(said: &Said) -> Vec<String> {
    let items = said.json();
    let name = |item: &Value| match item["action"].as_str() {
        Some(action) => format!("{}.{action}", item["event"].as_str().unwrap()),
        None => item["event"].as_str().unwrap().to_owned(),
    };
    items["items"].as_array().unwrap().iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_tells_of_both_sides() {
    let stage = Stage::start().await;
    let pull = stage.open("first").await;
    let done = |run: &Value| run["name"] == "synchronize" && run["status"] == "completed";
    stage.person.wait_for_check_run(REPO, &pull.head.sha, PATIENCE, done).await.unwrap();
    eventually("the job to be over", async || {
        let row = stage.run("deliveries list --status done --json").ok().json();
        row["items"].as_array().is_some_and(|items| !items.is_empty()).then_some(())
    })
    .await;
    // Nobody listens at this address while the next commit is pushed.
    stage.point_to("http://127.0.0.1:9/github/hooks/").await;
    stage.person.push(REPO, "first", &note("second"), None).await.unwrap();
    stage.person.settled(PATIENCE).await.unwrap();
    stage.point_to(&format!("{}/github/hooks/", stage.serve.url)).await;

    let list = stage.run("deliveries list --json").ok().json();
    let find = |name: &str, action: &str| -> Value {
        let items = list["items"].as_array().unwrap();
        let found = items.iter().find(|item| item["event"] == name && item["action"] == action);
        found.unwrap_or_else(|| panic!("no {name}.{action}: {list:#}")).clone()
    };
    let (opened, missed) = (find("pull_request", "opened"), find("pull_request", "synchronize"));
    assert_eq!((&opened["delivered"], &opened["local"]["status"]), (&json!(true), &json!("done")));
    assert_eq!((&missed["delivered"], &missed["local"]), (&json!(false), &Value::Null));
    assert_eq!(missed["repo"], REPO, "the name is read from the payload");
    let (opened, missed) = (opened["guid"].as_str().unwrap(), missed["guid"].as_str().unwrap());

    filters(&stage);
    explained(&stage, opened, missed);
    shown(&stage, opened, missed);
    redelivered(&stage, missed).await;
    compared(&stage, opened, missed);
    not_found(&stage);
    assert_eq!(stage.person.unknown().await.unwrap(), Vec::<Value>::new());
}

fn filters(stage: &Stage) {
    for (filter, expected) in [
        ("--event pull_request", &["pull_request.synchronize", "pull_request.opened"][..]),
        ("--event pull_request.opened", &["pull_request.opened"]),
        ("--event pull_request --action synchronize", &["pull_request.synchronize"]),
        ("--event pull_request --status missing-locally", &["pull_request.synchronize"]),
        ("--event pull_request --status failed --repo alice/mock-feedstock", &["pull_request.synchronize"]),
        ("--event pull_request --status ok", &["pull_request.opened"]),
        ("--status done", &["pull_request.opened"]),
        ("--status dead", &[]),
        ("--status queued", &[]),
        ("--status refused", &["push"]),
        ("--repo alice/other", &[]),
        ("--event pull_request --local", &["pull_request.opened"]),
        ("--event pull_request --github", &["pull_request.synchronize", "pull_request.opened"]),
        ("--event pull_request --since 1h", &["pull_request.synchronize", "pull_request.opened"]),
        ("--until 1h", &[]),
        ("--since 2100-01-01", &[]),
        ("--event pull_request --text no-such-words", &[]),
        ("--event pull_request --text First", &["pull_request.opened"]),
    ] {
        let said = stage.run(&format!("deliveries list --json {filter}")).ok();
        assert_eq!(names(&said), expected, "{filter}: {}", said.err);
        assert_eq!(said.err, "", "{filter}");
    }
    let said = stage.run("deliveries list --event pull_request").ok();
    let lines: Vec<String> = stage.filter(&said.out).lines().map(str::to_owned).collect();
    assert!(lines[0].starts_with("TIME"), "{said:#?}");
    let cells = |line: &str| -> Vec<String> {
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    };
    let (missed, opened) = (cells(&lines[1]), cells(&lines[2]));
    assert_eq!(missed[2..4], ["pull_request.synchronize", REPO], "{said:#?}");
    assert_eq!(missed.last().unwrap(), "missing");
    assert_eq!(
        [&opened[2], &opened[3], &opened[4], &opened[5], &opened[6]],
        ["pull_request.opened", REPO, "202", "[TIME]", "done"]
    );
    let code = |line: &str| stage.run(line).code;
    assert_eq!(code("deliveries list --status missing-locally --local"), Some(2));
    assert_eq!(code("deliveries list --text x --github"), Some(2));
    assert_eq!(code("deliveries list --after nonsense"), Some(2));
    assert_eq!(code("deliveries list --since yesterday"), Some(2));
}

fn explained(stage: &Stage, opened: &str, missed: &str) {
    let said = stage.run(&format!("deliveries explain {opened}")).ok();
    let text = stage.filter(&said.out);
    insta::assert_snapshot!("explain", text);
    assert!(said.out.lines().count() <= 24, "more than a screen:\n{}", said.out);
    let story = stage.run(&format!("deliveries explain {opened} --json")).ok().json();
    let calls = story["jobs"][0]["trace"][0]["calls"].as_array().unwrap();
    let made: Vec<_> = calls.iter().filter(|call| call["method"] == "POST" && call["status"] == 201).collect();
    let check = made
        .iter()
        .find(|call| call["path"] == "/repos/alice/mock-feedstock/check-runs")
        .expect("a check run was made");
    assert!(check["url"].as_str().unwrap().contains("/runs/"), "{check}");
    // `synchronize`, and the recipe's own.
    assert_eq!(story["check_runs"].as_array().unwrap().len(), 2, "{story:#}");
    let said = stage.run(&format!("deliveries explain {}", &missed[..8])).ok();
    assert!(said.out.contains("not received  no attempt reached this server"), "{}", said.out);
}

fn shown(stage: &Stage, opened: &str, missed: &str) {
    let said = stage.run(&format!("deliveries show {opened}")).ok();
    for part in [
        "pull_request.opened  alice/mock-feedstock",
        "  X-Hub-Signature-256: sha256=********",
        "\"title\": \"The first branch\"",
        "response to #",
        "\njob ",
    ] {
        assert!(said.out.contains(part), "lacks {part:?}:\n{}", said.out);
    }
    let raw = stage.run(&format!("deliveries show {opened} --raw")).ok();
    assert_eq!(raw.err, "", "the stored bytes need no remark");
    let payload = stage.run(&format!("deliveries show {opened} --payload")).ok();
    assert_eq!(payload.json(), raw.json());
    let headers = stage.run(&format!("deliveries show {opened} --headers")).ok();
    assert!(headers.out.contains("X-GitHub-Event: pull_request\n"), "{}", headers.out);
    let remote = stage.run(&format!("deliveries show {missed} --raw")).ok();
    assert_eq!(remote.json()["action"], "synchronize");
    assert!(remote.err.contains("not the bytes that were sent"), "{}", remote.err);
    for line in ["--json", "--json --local", "--json --github", "--headers", ""] {
        let said = stage.run(&format!("deliveries show {opened} {line}")).ok();
        let signed = said.out.match_indices("sha256=").all(|(at, _)| said.out[at..].starts_with("sha256=********"));
        assert!(signed, "a signature is shown: {}", said.out);
    }
    // By GitHub's number.
    let story = stage.run(&format!("deliveries show {opened} --json")).ok().json();
    let number = story["attempts"][0]["id"].to_string();
    assert_eq!(stage.run(&format!("deliveries show {number} --json")).ok().json()["guid"], opened);
}

async fn redelivered(stage: &Stage, missed: &str) {
    let log = stage.client.hook_deliveries(None).await.unwrap().items;
    let failed = log.iter().find(|attempt| attempt.guid == missed).unwrap();
    let path = Some("/repos/*/contents/*".to_owned());
    let fault = Fault { path, status: Some(502), count: Some(1), ..Fault::default() };
    stage.person.fault(&fault).await.unwrap();
    stage.client.redeliver(failed.id).await.unwrap();
    stage.person.settled(PATIENCE).await.unwrap();
    let row = eventually("the work of the redelivery to be done", async || {
        let said = stage.run("deliveries list --event pull_request.synchronize --json").ok().json();
        let row = said["items"][0].clone();
        (row["local"]["status"] == "done").then_some(row)
    });
    let row = row.await;
    assert_eq!((row["github"].as_array().unwrap().len(), &row["redelivered"]), (2, &json!(true)), "{row:#}");
    let said = stage.run("deliveries list --event pull_request.synchronize").ok();
    assert!(said.out.contains("×2 redelivered"), "{}", said.out);
    let said = stage.run(&format!("deliveries explain {missed}")).ok();
    assert!(said.out.contains("failed to connect") && said.out.contains("redelivered"), "{}", said.out);
    let calls: Vec<&str> = said.out.lines().filter(|line| line.contains("/contents/")).collect();
    assert!(calls.len() == 2 && calls[0].contains("  502  ") && calls[1].contains("  2. try"), "{}", said.out);
}

fn compared(stage: &Stage, opened: &str, missed: &str) {
    let said = stage.run(&format!("deliveries diff {opened} {missed} --headers"));
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.out.contains("~ action  \"opened\" → \"synchronize\"\n"), "{}", said.out);
    assert!(said.out.contains("header ~ X-GitHub-Delivery"), "{}", said.out);
    let told = stage.run(&format!("deliveries diff {opened} {missed} --json"));
    let changes = told.json();
    let first = changes["payload"].as_array().unwrap().iter().find(|change| change["path"] == "action").unwrap();
    assert_eq!(
        (&first["old"], &first["new"], &changes["same"]),
        (&json!("opened"), &json!("synchronize"), &json!(false))
    );
    let said = stage.run(&format!("deliveries diff {opened} {}", &opened[..9])).ok();
    assert_eq!(said.out, "");
}

fn not_found(stage: &Stage) {
    let said = stage.run("deliveries show ffffffff");
    assert_eq!(said.code, Some(5), "{said:#?}");
    for part in [
        "error: no delivery ffffffff",
        "GitHub's log of the last 3 days",
        "not in the server's store",
        "try: pforge deliveries list",
    ] {
        assert!(said.err.contains(part), "lacks {part:?}: {}", said.err);
    }
    assert_eq!(stage.run("deliveries show fff").code, Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beginning_that_means_several_is_not_taken() {
    let stage = Stage::start().await;
    for guid in ["abcd0000-0000-4000-8000-000000000001", "abcd1111-0000-4000-8000-000000000002"] {
        let raw =
            RawDelivery { event: "ping".into(), guid: Some(guid.into()), payload: json!({}), ..RawDelivery::default() };
        stage.person.send_raw(&raw).await.unwrap();
    }
    stage.person.settled(PATIENCE).await.unwrap();
    for flags in ["", "--local", "--github"] {
        let said = stage.run(&format!("deliveries show abcd {flags}"));
        assert_eq!(said.code, Some(2), "{flags}: {said:#?}");
        assert!(
            said.err.contains("abcd is the beginning of 2 GUIDs") && said.err.contains("abcd1111-"),
            "{}",
            said.err
        );
        let said = stage.run(&format!("deliveries show ABCD1 --json {flags}")).ok();
        assert_eq!(said.json()["guid"], "abcd1111-0000-4000-8000-000000000002", "{flags}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_tells_as_it_happens() {
    let stage = Stage::start().await;
    let mut command = stage.site.command();
    command.env("PFORGE_SERVER", &stage.serve.url).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut tail =
        command.args(["deliveries", "tail", "--github", "--every", "100ms", "--json", "--repo", REPO]).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next = move || -> Value {
        tokio::task::block_in_place(|| serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap())
    };
    assert_eq!(next(), json!({ "type": "ready", "server": true, "github": true }));
    stage.open("first").await;
    let mut seen: Vec<Value> = Vec::new();
    let has = |seen: &[Value], kind: &str| {
        seen.iter().any(|line| line["type"] == kind && (kind == "job" || line["action"] == "opened"))
    };
    while !(has(&seen, "delivery") && has(&seen, "job") && has(&seen, "github")) {
        seen.push(next());
    }
    let guid = |kind: &str| {
        seen.iter().find(|line| line["type"] == kind && line["action"] == "opened").unwrap()["guid"].clone()
    };
    assert_eq!(guid("delivery"), guid("github"), "both sides tell of the same event");
    assert!(seen.iter().all(|line| line["type"] == "job" || line["repo"] == REPO), "{seen:#?}");
    let ended = std::process::Command::new("kill").arg(tail.id().to_string()).status().unwrap();
    assert!(ended.success());
    let code = tokio::task::block_in_place(|| tail.wait()).unwrap().code();
    assert_eq!(code, Some(0));
}
