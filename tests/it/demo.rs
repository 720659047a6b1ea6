//! The demo, as a person and as a program would run it: both diagrams, and what may go wrong.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Arrows of the two diagrams.
const ARROWS: [u64; 2] = [29, 14];
/// The promise for the undisturbed story. A debug build on a busy machine may take some times that.
const PROMISE: Duration = Duration::from_secs(20);

/// The demo in an empty environment: no config, no home, no network settings.
fn demo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pforge"));
    command.env_clear().arg("demo").args(args).stdin(Stdio::null()).current_dir(std::env::temp_dir());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn run(args: &[&str]) -> Output {
    demo(args).output().unwrap()
}

/// The documents of a demo that must succeed.
fn told(args: &[&str]) -> Vec<Value> {
    let output = run(args);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert_eq!(err, "", "what is told is data; nothing goes wrong");
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The numbers of a diagram's arrows, in the order in which they were told.
fn numbers(events: &[Value], diagram: u64) -> Vec<u64> {
    let ours = events.iter().filter(|event| event["type"] == "arrow" && event["diagram"] == diagram);
    ours.map(|event| event["number"].as_u64().unwrap()).collect()
}

/// Every arrow was told, each with what proves it, and the end says so.
fn complete(events: &[Value]) {
    for (diagram, count) in (1..).zip(ARROWS) {
        let mut numbers = numbers(events, diagram);
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers, (1..=count).collect::<Vec<u64>>(), "diagram {diagram}");
    }
    for event in events.iter().filter(|event| event["type"] == "arrow" || event["type"] == "aside") {
        assert_eq!(event["ok"], true, "{event}");
        assert!(!event["evidence"].as_array().unwrap().is_empty(), "a line that shows nothing proves nothing: {event}");
    }
    for event in events.iter().filter(|event| event["type"] == "arrow") {
        let named = ["section", "from", "to", "what"].iter().all(|name| !event[*name].as_str().unwrap().is_empty());
        assert!(named, "{event}");
    }
    let summary = events.iter().find(|event| event["type"] == "summary").expect("a summary");
    assert_eq!((&summary["ok"], &summary["arrows"]), (&Value::Bool(true), &(ARROWS.iter().sum::<u64>()).into()));
    assert_eq!(summary["recipe_runs"]["production"], 4, "two recipes, twice: {summary}");
    assert!(summary["dataset"]["variable"].as_str().unwrap().starts_with("sst(time: "), "{summary}");
}

/// What was seen of the aside called `name`.
fn aside<'a>(events: &'a [Value], name: &str) -> &'a Value {
    let found = events.iter().find(|event| event["type"] == "aside" && event["name"] == name);
    &found.unwrap_or_else(|| panic!("{name} is not told"))["evidence"]
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").arg(name).arg(child.id().to_string()).status().unwrap().success());
}

#[test]
fn tells_both_diagrams_then_stays_up_and_ends_on_a_signal() {
    let begun = Instant::now();
    let mut child = demo(&["--json", "--keep"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut events = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        events.push(serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        if events.last().unwrap()["type"] == "ready" {
            break;
        }
    }
    let (ready, told) = events.split_last().expect("it says something");
    assert!(begun.elapsed() < 4 * PROMISE, "took {:?}", begun.elapsed());
    complete(told);
    for (diagram, expected) in [
        // A typo is mended, two recipes are tested, and the recipe is there before it is removed.
        (
            1,
            [&[1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8][..], &TEST, &TEST, &[16, 17, 18, 19, 20, 22, 21], &PRODUCTION]
                .concat(),
        ),
        (2, (1..=14).collect()),
    ] {
        assert_eq!(numbers(told, diagram), expected);
    }
    for (name, seen) in [
        ("forge", "nothing of it kept"),
        ("redeliver", "no new job"),
        ("stranger", "refused, and told why"),
        ("unknown", "answered with sst-daily, sst-climatology"),
        ("settle", "GitHub understood every call"),
    ] {
        assert!(aside(told, name).as_array().unwrap().iter().any(|each| each == seen), "{name}: {}", aside(told, name));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let page = runtime.block_on(async {
        let url = format!("{}/recipe_runs/", ready["url"].as_str().unwrap());
        reqwest::get(url).await.unwrap().json::<Value>().await.unwrap()
    });
    let production = page.as_array().unwrap().iter().filter(|run| run["is_test"] == false);
    for run in production {
        let path = run["dataset_public_url"].as_str().unwrap().strip_prefix("file://").unwrap();
        assert!(std::path::Path::new(path).join(".zmetadata").exists(), "{run}");
    }
    signal(&child, "-TERM");
    assert!(child.wait().unwrap().success());
    let gone = std::net::TcpStream::connect(ready["url"].as_str().unwrap().trim_start_matches("http://"));
    assert!(gone.is_err(), "the server outlives the demo");
}

/// The arrows of a test run, and of the production runs.
const TEST: [u64; 7] = [9, 10, 11, 12, 13, 14, 15];
const PRODUCTION: [u64; 7] = [23, 24, 25, 26, 27, 28, 29];

#[test]
fn a_broken_recipe_is_told_and_mended() {
    let events = told(&["--json", "--fail", "recipe"]);
    complete(&events);
    let numbers = numbers(&events, 1);
    assert_eq!(numbers.windows(TEST.len()).filter(|window| *window == TEST).count(), 3, "{numbers:?}");
    let first = events.iter().filter(|event| event["type"] == "arrow" && event["diagram"] == 1);
    let told: Vec<&Value> = first.filter(|event| event["number"] == 15).collect();
    assert_eq!(told[0]["evidence"][0], "a comment with the trace", "{told:?}");
    assert_eq!(told[0]["evidence"][1], "😕");
    assert_eq!(told[0]["evidence"][2], "check run sst-daily: failure");
    assert_eq!(told[1]["evidence"][1], "check run sst-daily: success");
}

#[test]
fn a_github_that_fails_gets_one_feedstock() {
    let events = told(&["--json", "--fail", "github"]);
    complete(&events);
    let once = aside(&events, "once");
    assert_eq!(
        (&once[0], &once[2]),
        (&"GitHub answered 502, 502, 403".into(), &"one repository, one pull request".into())
    );
}

#[test]
fn a_server_that_is_killed_goes_on_where_it_was() {
    let events = told(&["--json", "--fail", "crash"]);
    complete(&events);
    assert!(aside(&events, "crash")[0].as_str().unwrap().ends_with(" is gone"));
    assert_eq!(aside(&events, "crash")[1], "the repository is there, no pull request");
    assert_eq!(aside(&events, "once")[0], "attempt 2");
    assert_eq!(aside(&events, "once")[1], "one repository, one pull request");
}

#[test]
fn an_interruption_ends_it_and_its_server() {
    let mut child = demo(&["--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let serves = lines.find(|line| line.contains(r#""name":"serve""#)).expect("a server is started");
    let serves: Value = serde_json::from_str(&serves).unwrap();
    let address = serves["evidence"][0].as_str().unwrap().trim_start_matches("http://").trim_end_matches(" answers");
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let deadline = Instant::now() + PROMISE;
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "the server outlives the demo");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_command_that_is_none_is_refused() {
    for (command, said) in [("'", "is not a command"), ("nobody-has-this bake", "nobody-has-this is not there")] {
        let output = run(&["--runner", command]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
}

/// Nobody waits for what does not come any more.
#[test]
fn a_runner_that_does_nothing_is_found_out() {
    let output = run(&["--runner", "/bin/true"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the runner said nothing, and run 2 is over"), "{said}");
}

/// What the README shows is what the demo prints.
#[test]
fn the_readme_shows_what_the_demo_prints() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let shown = readme
        .split_once("$ cargo run --release -- demo\n")
        .and_then(|(_, rest)| rest.split_once("```"))
        .map(|(block, _)| block)
        .expect("README.md shows the demo");
    let output = run(&[]);
    let printed = text(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty(), "{printed}{}", text(&output.stderr));
    assert!(!printed.contains('✗') && !printed.contains('\u{1b}'), "{printed}");
    assert_eq!(steady(shown).trim(), steady(&printed).trim());
}

/// Without what differs from run to run: ports, ids, commits, folders, times.
fn steady(text: &str) -> String {
    let rules = [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"sha256:[0-9a-f]{8}", "sha256:FINGERPRINT"),
        (r"\(#\d+\)", "(#N)"),
        (r"\b[0-9a-f]{7}:", "COMMIT:"),
        (r"file:///\S*/data/", "file:///FOLDER/data/"),
        (r"\b\d+ (jobs|deliveries|checks)\b", "N $1"),
        (r"in [0-9.]+ m?s\b", "in TIME"),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, with)| {
        regex::Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    })
}
