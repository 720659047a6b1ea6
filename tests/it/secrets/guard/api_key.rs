//! `pforge api-key`.

use std::os::unix::fs::PermissionsExt;

use super::{CONFIG, Desk, PLAIN, SECRET};
use crate::support::env::{Env, Output};

/// The key in an opened config.
fn key(text: &str) -> String {
    let config: serde_yaml::Value = serde_yaml::from_str(text).expect("YAML");
    config["fastapi"]["PANGEO_FORGE_API_KEY"].as_str().expect("a text").to_owned()
}

fn is_a_key(key: &str) -> bool {
    key.len() == 32 && key.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

fn tells_nothing(output: &Output, key: &str) {
    assert!(!(output.stdout.clone() + &output.stderr).contains(key), "{output}");
}

#[test]
fn an_encrypted_config_gets_another_key_and_nothing_else() {
    let desk = Desk::with_config();
    let (sealed, before) = (desk.read(CONFIG), desk.sops_decrypts(CONFIG));
    let output = desk.env.line("api-key pforge-local-alice").success();
    assert_eq!(output.stdout, "");
    let after = desk.sops_decrypts(CONFIG);
    let new = key(&after);
    assert!(is_a_key(&new), "{new}");
    assert_eq!(after, before.replace("hunter2-do-not-tell-k", &new));
    tells_nothing(&output, &new);
    tells_nothing(&output, SECRET);
    let resealed = desk.read(CONFIG);
    let changed = sealed.lines().zip(resealed.lines()).filter(|(one, other)| one != other);
    assert!(changed.count() <= 3 && sealed.lines().count() == resealed.lines().count());
    // Again: another one; shown when asked for.
    let shown = desk.env.line("api-key local --show").success();
    assert_eq!(shown.stdout.trim_end(), key(&desk.sops_decrypts(CONFIG)));
    assert_ne!(shown.stdout.trim_end(), new);
    let report = desk.env.line("api-key local --json").success().json();
    assert_eq!((&report["rotated"], &report["encrypted"]), (&true.into(), &true.into()));
    assert!(report["key"].is_null());
}

#[test]
fn a_plain_config_keeps_its_look() {
    let env = Env::new();
    let look = "# mine\nother:   {a: 1}\n\nfastapi: # keys\n  x: 'y'\n\n  PANGEO_FORGE_API_KEY: \"old\" # of the API\nmore:\n- 1\n";
    let path = env.write(CONFIG, look);
    env.line("api-key local").success();
    let after = std::fs::read_to_string(&path).expect("read");
    let new = key(&after);
    assert!(is_a_key(&new));
    assert_eq!(after.replace(&format!("\"{new}\""), "\"old\"").replace(&new, "\"old\""), look);
    // Without the section: it comes last.
    env.write(CONFIG, "a: 1\n");
    env.line("api-key local").success();
    let text = std::fs::read_to_string(&path).expect("read");
    assert!(text.starts_with("a: 1\nfastapi:\n") && is_a_key(&key(&text)), "{text}");
    env.write(CONFIG, "# nothing yet");
    env.line("api-key local").success();
    let text = std::fs::read_to_string(&path).expect("read");
    assert!(text.starts_with("# nothing yet\nfastapi:\n") && is_a_key(&key(&text)), "{text}");
}

#[test]
fn the_old_form_becomes_the_new_one() {
    let env = Env::new();
    let path = env.write(
        CONFIG,
        "fastapi:\n  ENCRYPTION_SALT: s\n  PANGEO_FORGE_API_KEY: old\n  ADMIN_API_KEY_SHA256: h\ngithub_app:\n  id: 5\n",
    );
    let output = env.line("api-key local").success();
    assert!(output.stderr.contains("ENCRYPTION_SALT and ADMIN_API_KEY_SHA256"), "{output}");
    let text = std::fs::read_to_string(&path).expect("read");
    let new = key(&text);
    assert_eq!(text.replace(&new, "K"), "fastapi:\n  PANGEO_FORGE_API_KEY: K\ngithub_app:\n  id: 5\n");
}

#[test]
fn a_missing_file_is_made() {
    let desk = Desk::new();
    let output = desk.env.line("api-key prod").success();
    let path = "secrets/config.pangeo-forge.yaml";
    assert!(is_a_key(&key(&desk.sops_decrypts(path))));
    assert!(output.stderr.contains("encrypted"), "{output}");
    let mode = std::fs::metadata(desk.env.root().join(path)).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // Nobody is named: in clear, private, and said so.
    let env = Env::new();
    let output = env.line("api-key pforge-local-bob").success();
    assert!(output.stderr.contains("warning: secrets/config.pforge-local-bob.yaml is in clear"), "{output}");
    let path = env.root().join("secrets/config.pforge-local-bob.yaml");
    assert_eq!(std::fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
    let new = key(&std::fs::read_to_string(&path).expect("read"));
    tells_nothing(&output, &new);
    env.line("config show").success();
}

#[test]
fn what_cannot_be_changed_is_left_alone() {
    let env = Env::new();
    for (text, code) in [("fastapi: 5\n", 3), ("fastapi: [1\n", 1), ("- a\n", 1)] {
        let path = env.write(CONFIG, text);
        let output = env.line("api-key local");
        assert_eq!(output.code, Some(code), "{output}");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
    }
    assert_eq!(env.line("api-key ../x").code, Some(2));
    let mut desk = Desk::with_config();
    let sealed = desk.read(CONFIG);
    desk.env.unset("SOPS_AGE_KEY");
    let output = desk.env.line("api-key local");
    assert_eq!(output.code, Some(7), "{output}");
    assert_eq!(desk.read(CONFIG), sealed);
    assert!(PLAIN.contains(SECRET));
}

#[test]
fn a_server_accepts_the_key() {
    let env = Env::configured();
    let key = env.line("api-key local --show").success().stdout;
    let server = env.start(&["serve", "--listen", "127.0.0.1:0"]);
    let init = |key: &str| {
        let mut command = env.command(&["init-db", server.url(), "alice/mock-feedstock"]);
        command.env("PANGEO_FORGE_API_KEY", key);
        env.run(command, &[])
    };
    assert_eq!(init("another").code, Some(4));
    init(key.trim_end()).success();
}
