use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;
use crate::apps::recipes::settings::{Checkout, SandboxKind};

/// A shell script in place of pangeo-forge-runner.
struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("tempdir");
        let path = folder.path().join("runner");
        fs::write(&path, format!("#!/bin/sh\nhere={}\n{script}\n", folder.path().display())).expect("script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    fn settings(&self, seconds: u64) -> RunnerSettings {
        RunnerSettings {
            // Through sh: a freshly written script cannot be executed while another thread forks.
            command: vec!["sh".to_owned(), self.path("runner").display().to_string()],
            timeout_seconds: seconds,
            checkout: Checkout::Runner,
            sandbox: SandboxKind::None,
            ..RunnerSettings::default()
        }
    }

    async fn expand(&self) -> Result<Meta, RunnerFailure> {
        CommandRunner::new(&self.settings(20), None).expand_meta(&request(Some("recipes/x"))).await
    }
}

fn request(subdir: Option<&str>) -> ExpandRequest {
    ExpandRequest {
        repo_html_url: "https://github.com/fork/staged-recipes".to_owned(),
        head_sha: "0a1b".to_owned(),
        feedstock_subdir: subdir.map(str::to_owned),
        base_full_name: "org/staged-recipes".to_owned(),
        installation_id: None,
    }
}

fn replay(name: &str, exit: i32) -> String {
    format!("cat {}/tests/fixtures/runner/{name}; exit {exit}", env!("CARGO_MANIFEST_DIR"))
}

fn reason(result: Result<Meta, RunnerFailure>) -> String {
    match result {
        Err(RunnerFailure::Feedstock(reason)) => reason,
        other => panic!("expected the feedstock's failure, got {other:?}"),
    }
}

/// Whether a process is there and not just waiting to be reaped.
fn alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn arguments_are_the_documented_ones() {
    let fake = Fake::new("for word; do echo \"$word\" >> $here/argv; done; exit 1");
    reason(fake.expand().await);
    let runner = CommandRunner::new(&fake.settings(20), None);
    reason(runner.expand_meta(&request(None)).await);
    let common = "expand-meta\n--repo=https://github.com/fork/staged-recipes\n--ref=0a1b\n--json\n";
    assert_eq!(fake.read("argv"), format!("{common}--feedstock-subdir=recipes/x\n{common}"));
}

#[tokio::test]
async fn recorded_output_is_understood_among_noise() {
    let noisy = format!("echo 'Looking in links: /x'; echo '{{\"message\": \"no status\"}}'; {}", {
        replay("expand-dict.jsonl.txt", 0)
    });
    let meta = Fake::new(&noisy).expand().await.expect("success");
    assert_eq!(meta.recipes.iter().map(|recipe| recipe.id.as_str()).collect::<Vec<_>>(), ["alpha", "beta"]);
    assert_eq!(meta.bakery, None);
    let reason = reason(Fake::new(&replay("expand-bad.jsonl.txt", 1)).expand().await);
    assert!(reason.starts_with("traitlets.traitlets.TraitError: The 'recipes' trait"), "{reason}");
}

#[tokio::test]
async fn the_exit_code_decides() {
    let cases = [
        (replay("expand-ok.jsonl.txt", 3), "ended with exit status: 3"),
        ("echo plain >&2; echo >&2; exit 1".to_owned(), "plain"),
        ("echo usage: x; exit 2".to_owned(), "usage: x"),
        ("exit 0".to_owned(), "ended without a result"),
        ("kill -9 $$".to_owned(), "signal: 9"),
        (r#"echo '{"status":"completed","meta":{"recipes":5}}'"#.to_owned(), "result is not usable"),
    ];
    for (script, words) in cases {
        let reason = reason(Fake::new(&script).expand().await);
        assert!(reason.contains(words), "{script}: {reason}");
    }
    let missing = RunnerSettings { command: vec!["/nonexistent/runner".into()], ..Fake::new("").settings(1) };
    let result = CommandRunner::new(&missing, None).expand_meta(&request(None)).await;
    assert!(matches!(&result, Err(RunnerFailure::Broken(why)) if why.contains("/nonexistent/runner")), "{result:?}");
}

#[tokio::test]
async fn the_environment_is_clean_and_named_values_are_not_repeated() {
    let fake = Fake::new("env > $here/env; pwd > $here/pwd; echo \"died of $TOKEN\" >&2; exit 1");
    let mut settings = fake.settings(20);
    settings.env = vec!["TOKEN".to_owned()];
    settings.set_env = [("SAID".to_owned(), "so".to_owned())].into();
    settings.take_environment(|name| match name {
        "TOKEN" => Some("hunter2".to_owned()),
        "LANG" => Some("C.UTF-8".to_owned()),
        _ => None,
    });
    let reason = reason(CommandRunner::new(&settings, None).expand_meta(&request(None)).await);
    assert_eq!(reason, "died of ***");
    let environment = fake.read("env");
    let names = environment.lines().filter_map(|line| Some(line.split_once('=')?.0));
    let mut names: Vec<&str> = names.filter(|name| !matches!(*name, "PWD" | "SHLVL" | "_" | "OLDPWD")).collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "PATH", "PIP_QUIET", "SAID", "TMPDIR", "TOKEN"]);
    let home = fake.read("pwd");
    assert!(environment.contains(&format!("HOME={}", home.trim())), "{environment}");
    assert!(!PathBuf::from(home.trim()).exists(), "the folder is removed");
}

#[tokio::test]
async fn a_hanging_runner_is_killed_with_its_grandchildren() {
    let fake = Fake::new("sh -c 'sleep 600 & echo $! > '$here'/grandchild; wait' & echo $! > $here/child; wait");
    let begun = Instant::now();
    let result = CommandRunner::new(&fake.settings(1), None).expand_meta(&request(None)).await;
    assert!(matches!(result, Err(RunnerFailure::TimedOut(_))), "{result:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    for name in ["child", "grandchild"] {
        let pid = fake.read(name);
        let until = Instant::now() + Duration::from_secs(5);
        while alive(&pid) {
            assert!(Instant::now() < until, "{name} {pid} lives on");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_grandchild_that_holds_the_pipe_does_not_hold_the_answer() {
    let fake = Fake::new(&format!("sleep 600 & {}", replay("expand-ok.jsonl.txt", 0)));
    let begun = Instant::now();
    let meta = fake.expand().await.expect("success");
    assert_eq!(meta.recipes[0].id, "tiny");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn giving_up_waiting_kills_too() {
    let fake = Fake::new("echo $$ > $here/pid; sleep 600");
    let runner = CommandRunner::new(&fake.settings(600), None);
    let request = request(None);
    let work = runner.expand_meta(&request);
    let started = async {
        while fs::read_to_string(fake.path("pid")).unwrap_or_default().trim().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        result = work => panic!("ended: {result:?}"),
        () = started => {}
    }
    let pid = fake.read("pid");
    let until = Instant::now() + Duration::from_secs(5);
    while alive(&pid) {
        assert!(Instant::now() < until, "{pid} lives on");
        tokio::task::yield_now().await;
    }
}
