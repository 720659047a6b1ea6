//! The demo, as a person and as a program would run it.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The demo in an empty environment: no config, no home, no network settings.
fn demo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pforge"));
    command.env_clear().arg("demo").args(args).stdin(Stdio::null()).current_dir(std::env::temp_dir());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn run(args: &[&str]) -> Output {
    demo(args).output().unwrap()
}

#[test]
fn tells_every_step_and_succeeds_quickly() {
    let begun = Instant::now();
    let output = run(&[]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert_eq!(err, "", "what is told is data; nothing goes wrong");
    for told in [
        "✓ A maintainer creates the App",
        "✓ pforge serve starts",
        "✓ The webhook URL is registered",
        "✓ The App is installed",
        "✓ The feedstock is registered",
        "the key recipes is missing",
        "2 recipe runs queued for #1: sst-daily, sst-climatology",
        "wrong signature answered 401 · nothing of it stored",
        "stored as attempt 2 · no new job · still one check run",
        "All held: 10 steps",
    ] {
        assert!(out.contains(told), "lacks {told:?}:\n{out}");
    }
    assert!(!out.contains('✗') && !out.contains('\u{1b}'), "{out}");
    // The promise is ten seconds; a debug build on a busy machine keeps it with much to spare.
    assert!(begun.elapsed() < Duration::from_secs(10), "took {:?}", begun.elapsed());
}

#[test]
fn tells_a_program_in_one_document_a_line() {
    let output = run(&["--json"]);
    assert!(output.status.success());
    let lines: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summary, steps) = lines.split_last().unwrap();
    assert_eq!(summary["type"], "summary");
    assert_eq!((&summary["ok"], &summary["steps"]), (&Value::Bool(true), &Value::from(steps.len())));
    for (number, step) in steps.iter().enumerate() {
        assert_eq!((&step["type"], &step["step"]), (&Value::from("step"), &Value::from(number + 1)));
        assert_eq!(step["ok"], true, "{step}");
        assert!(!step["checks"].as_array().unwrap().is_empty(), "a step that checks nothing proves nothing: {step}");
    }
}

#[test]
fn stays_up_when_asked_and_ends_on_a_signal() {
    use std::io::{BufRead, BufReader};
    let mut child = demo(&["--json", "--keep"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ready: Value = lines
        .find(|line| line.contains("\"ready\""))
        .map(|line| serde_json::from_str(&line).unwrap())
        .expect("says where it is");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let page = runtime.block_on(async {
        let url = format!("{}/recipe_runs/", ready["url"].as_str().unwrap());
        reqwest::get(url).await.unwrap().json::<Value>().await.unwrap()
    });
    assert_eq!(page.as_array().unwrap().len(), 2, "{page}");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
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
    assert_eq!(steady(shown).trim(), steady(&text(&run(&[]).stdout)).trim());
}

/// Without what differs from run to run: ports, ids, fingerprints, times.
fn steady(text: &str) -> String {
    let rules = [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"sha256:[0-9a-f]{8}", "sha256:FINGERPRINT"),
        (r"installation \d+", "installation N"),
        (r"\(#\d+\)", "(#N)"),
        (r"in [0-9.]+ m?s\b", "in TIME"),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, with)| {
        regex::Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    })
}
