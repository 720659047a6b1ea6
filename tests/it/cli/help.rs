//! The help of every command.

use crate::support::env::Env;

/// Every command, as its words.
pub const COMMANDS: [&str; 83] = [
    "new-app",
    "app show",
    "app diff",
    "app import",
    "proxy start",
    "proxy new-channel",
    "proxy set-url",
    "proxy show",
    "proxy restore",
    "relay",
    "deliveries list",
    "deliveries show",
    "deliveries redeliver",
    "deliveries replay",
    "deliveries tail",
    "deliveries explain",
    "deliveries diff",
    "deliveries fixture",
    "trigger",
    "gh-as-app",
    "token jwt",
    "token installation",
    "token exec",
    "token revoke",
    "token credential",
    "checks list",
    "checks complete",
    "checks cancel",
    "dev",
    "doctor",
    "man",
    "serve",
    "init-db",
    "emulate",
    "openapi",
    "completions",
    "api-key",
    "secrets keygen",
    "secrets encrypt",
    "secrets decrypt",
    "secrets edit",
    "secrets get",
    "secrets set",
    "secrets unset",
    "secrets rotate",
    "secrets status",
    "secrets check",
    "secrets exec",
    "secrets diff",
    "secrets merge",
    "secrets textconv",
    "secrets install-hooks",
    "secrets recipients list",
    "secrets recipients add",
    "secrets recipients remove",
    "db migrate",
    "db status",
    "db rollback",
    "db new",
    "db wait",
    "jobs list",
    "jobs show",
    "jobs retry",
    "jobs drop",
    "config show",
    "bakeries add",
    "bakeries list",
    "bakeries remove",
    "bakeries show",
    "bakery report",
    "feedstocks add",
    "feedstocks datasets",
    "feedstocks list",
    "feedstocks remove",
    "feedstocks show",
    "review down",
    "review up",
    "runs cancel",
    "runs list",
    "runs logs",
    "runs retry",
    "runs show",
    "runs watch",
];

#[test]
fn every_command_has_help_with_examples() {
    let env = Env::new();
    insta::assert_snapshot!("help", env.line("--help").success());
    for command in COMMANDS {
        let output = env.line(&format!("{command} --help")).success();
        assert!(output.stdout.contains("Example"), "{command} has no example");
        // The options that every command takes are in the snapshot of `pforge --help`.
        let text = output.to_string();
        let own = text.split("\nGlobal options:\n").next().expect("a part");
        let after = output.stdout.rsplit("\n\n").take_while(|part| !part.starts_with("Global")).collect::<Vec<_>>();
        let after: Vec<_> = after.into_iter().rev().collect();
        insta::assert_snapshot!(format!("help {command}"), format!("{own}\n…\n\n{}", after.join("\n\n")));
    }
    for noun in [
        "app",
        "proxy",
        "deliveries",
        "checks",
        "token",
        "db",
        "jobs",
        "config",
        "secrets",
        "secrets recipients",
        "bakeries",
        "bakery",
        "feedstocks",
        "review",
        "runs",
    ] {
        let output = env.line(&format!("{noun} --help")).success();
        insta::assert_snapshot!(format!("help {noun}"), output);
    }
}

#[test]
fn the_list_of_commands_is_whole() {
    let env = Env::new();
    let listed = |words: &str| -> Vec<String> {
        let help = env.line(&format!("{words} --help")).stdout;
        let part = help.split("Commands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
        // What is indented deeper is the rest of the line above.
        let lines = part.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
        lines.filter_map(|line| Some(format!("{words} {}", line.split(' ').next()?).trim().to_owned())).collect()
    };
    let (mut open, mut found) = (listed(""), Vec::new());
    while let Some(command) = open.pop() {
        match listed(&command).as_slice() {
            [] => found.push(command),
            verbs => open.extend_from_slice(verbs),
        }
    }
    let mut known = COMMANDS.map(str::to_owned).to_vec();
    // Belongs to another test file.
    found.retain(|command| command != "demo");
    found.sort();
    known.sort();
    assert_eq!(found, known);
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let env = Env::new();
    for line in [
        "",
        "serv",
        "jobs show",
        "jobs show seventeen",
        "jobs list --state lost",
        "db new Bad-Name",
        "init-db http://x nonsense",
        "--color blue config show",
    ] {
        let output = env.line(line);
        assert_eq!(output.code, Some(2), "{output}");
        assert_eq!(output.stdout, "", "{output}");
    }
    insta::assert_snapshot!("usage suggestion", env.line("serv"));
    insta::assert_snapshot!("usage json", env.line("jobs show seventeen --json"));
}
