//! Streams: data on standard output, everything else on standard error.

use std::io::Read;
use std::process::{Command, Stdio};

use crate::support::env::{Env, PFORGE};

/// Commands that print data, each with what it needs prepared.
const PRINTING: [&str; 5] = ["config show", "db status", "db migrate", "openapi", "db wait"];

#[test]
fn json_is_one_document_and_nothing_else() {
    let env = Env::configured();
    for line in PRINTING {
        let output = env.line(&format!("{line} --json -vv")).success();
        assert!(output.json().is_object(), "{output}");
    }
}

#[test]
fn an_error_under_json_is_one_object_on_standard_error() {
    let output = Env::new().line("db status --json");
    assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""), "{output}");
    let error: serde_json::Value = serde_json::from_str(&output.stderr).expect("JSON");
    assert_eq!(error["error"]["kind"], "configuration");
    assert_eq!(error["error"]["exit_code"], 3);
    assert!(error["error"]["try"].as_array().is_some_and(|tries| !tries.is_empty()));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let env = Env::configured();
    for line in ["openapi", "config show", "completions bash", "--help"] {
        let args: Vec<&str> = line.split(' ').collect();
        let mut command = env.command(&args);
        // The reading end is closed before the command begins.
        let (reader, writer) = std::io::pipe().expect("pipe");
        drop(reader);
        let mut child = command.stdout(writer).spawn().expect("starts");
        drop(command);
        let mut stderr = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("stderr");
        let code = child.wait().expect("wait").code();
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn quiet_leaves_data_and_errors() {
    let env = Env::configured();
    let output = env.line("db migrate --quiet").success();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert!(!env.line("db status -q").success().stdout.is_empty());
    assert!(env.line("db rollback -q").stderr.starts_with("error: "));
}

#[test]
fn colour_is_only_where_it_is_wanted() {
    let mut env = Env::configured();
    let escapes = |env: &Env, line: &str| env.line(line).stdout.contains('\u{1b}');
    assert!(!escapes(&env, "db status"));
    assert!(escapes(&env, "db status --color always"));
    env.set("CLICOLOR_FORCE", "1");
    assert!(escapes(&env, "db status"));
    assert!(escapes(&env, "--help"));
    env.set("NO_COLOR", "1");
    assert!(!escapes(&env, "db status"));
    assert!(!escapes(&env, "--help"));
    assert!(!env.line("db status --json --color always").stdout.contains('\u{1b}'));
}

#[test]
fn the_version_is_the_crates() {
    let output = Command::new(PFORGE).arg("--version").env_clear().stdin(Stdio::null()).output().expect("runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("pforge {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_interrupt_ends_a_command_with_its_own_code() {
    let env = Env::new();
    let args = ["db", "wait", "--timeout", "1h", "--database-url", "postgres://forge@127.0.0.1:1/forge", "-v"];
    let mut child = env.command(&args).spawn().expect("starts");
    // SIGINT kills at once until the handler is there; that also ends with no code but a signal.
    let begun = std::time::Instant::now();
    let code = loop {
        assert!(begun.elapsed().as_secs() < 30, "it does not end");
        let status = child.try_wait().expect("wait");
        if let Some(status) = status {
            break status.code();
        }
        let caught = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let mask = caught.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim().to_owned();
        if u64::from_str_radix(&mask, 16).unwrap_or(0) & 0b10 != 0 {
            Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert_eq!(code, Some(130));
}
