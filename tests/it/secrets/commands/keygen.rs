//! `secrets keygen`, beside age-keygen.

use std::process::Command;

use super::Desk;
use crate::support::sops::age_keygen;

#[test]
fn the_file_is_one_of_age_keygen_and_never_overwritten() {
    let desk = Desk::new();
    let output = desk.run(&["keygen", "-o", "key.txt"]).success();
    let public = output.stdout.trim().to_owned();
    assert!(public.starts_with("age1") && output.stderr.contains(&format!("Public key: {public}")), "{output}");
    assert_eq!(desk.mode("key.txt"), 0o600);
    let text = desk.read("key.txt");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("# created: 20") && lines[1] == format!("# public key: {public}"), "{lines:?}");
    assert!(lines[2].starts_with("AGE-SECRET-KEY-1") && lines.len() == 3);
    let real = age_keygen().arg("-y").arg(desk.path("key.txt")).output().expect("age-keygen");
    assert_eq!(String::from_utf8_lossy(&real.stdout).trim(), public);

    let again = desk.run(&["keygen", "-o", "key.txt"]);
    assert_eq!(
        again.to_string(),
        "$ pforge secrets keygen -o key.txt\nexit 1\n--- stderr\n\
         error: key.txt is there already, and is left as it is\n  \
         caused by: what is encrypted for an identity that is overwritten is lost\n  \
         try: pforge secrets keygen -o key.txt.new\n"
    );
    assert_eq!(desk.read("key.txt"), text);
}

#[test]
fn without_a_file_it_prints_the_identity_to_programs_only() {
    let desk = Desk::new();
    let output = desk.run(&["keygen"]).success();
    assert_eq!(output.stdout.lines().filter(|line| line.starts_with("AGE-SECRET-KEY-1")).count(), 1);
    let json = desk.run(&["keygen", "--json"]);
    assert_eq!((json.code, json.stdout.as_str()), (Some(2), ""), "{json}");
    let json = desk.run(&["keygen", "-o", "k", "--json"]).success().json();
    assert_eq!(json["file"], "k");
    assert!(json["public_key"].as_str().expect("a key").starts_with("age1"));
}

#[test]
fn a_key_file_that_git_would_take_is_told() {
    let desk = Desk::new();
    let git = |args: &[&str]| Command::new("git").args(args).current_dir(desk.env.root()).status().expect("git");
    assert!(git(&["init", "-q"]).success());
    let output = desk.run(&["keygen", "-o", "key.txt"]).success();
    assert!(output.stderr.contains("warning: key.txt is in a git work tree, and nothing ignores it"), "{output}");
    desk.write(".gitignore", "*.key\n");
    let output = desk.run(&["keygen", "-o", "my.key"]).success();
    assert!(!output.stderr.contains("warning"), "{output}");
}
