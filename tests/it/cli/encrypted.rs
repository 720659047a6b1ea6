//! An encrypted config file.

use crate::support::env::Env;

const ENCRYPTED: &str = include_str!("../../fixtures/config/encrypted.yaml");
const IDENTITY: &str = include_str!("../../fixtures/sops/keys/age-A.txt");
const STRANGER: &str = include_str!("../../fixtures/sops/keys/age-X.txt");

fn encrypted() -> Env {
    let env = Env::configured();
    env.write("secrets/config.pforge-local-alice.yaml", ENCRYPTED);
    env
}

#[test]
fn every_place_for_identities_works() {
    let shown = |env: &Env| env.line("config show").success().stdout;
    let mut by_value = encrypted();
    by_value.set("SOPS_AGE_KEY", IDENTITY);
    assert!(shown(&by_value).contains("(encrypted)"));

    let mut by_file = encrypted();
    let path = by_file.write("key.txt", IDENTITY).display().to_string();
    by_file.set("SOPS_AGE_KEY_FILE", &path);
    assert!(shown(&by_file).contains("github_app.id"));

    let by_home = encrypted();
    by_home.write("../home/.config/sops/age/keys.txt", IDENTITY);
    assert!(shown(&by_home).contains("github_app.id"));

    let mut by_command = encrypted();
    let path = by_command.write("elsewhere.txt", IDENTITY).display().to_string();
    by_command.set("SOPS_AGE_KEY_CMD", &format!("cat '{path}'"));
    assert!(shown(&by_command).contains("github_app.id"));

    let beside = encrypted();
    beside.write("key.txt", IDENTITY);
    assert!(shown(&beside).contains("github_app.id"));
}

#[test]
fn nothing_decrypted_is_left_on_the_disk() {
    let mut env = encrypted();
    env.set("SOPS_AGE_KEY", IDENTITY).line("config show").success();
    let held = std::process::Command::new("grep")
        .args(["-rl", "marker-"])
        .arg(env.root().parent().expect("parent"))
        .output()
        .expect("grep");
    assert_eq!(String::from_utf8_lossy(&held.stdout), "");
}

#[test]
fn what_cannot_be_opened_says_why() {
    let mut env = encrypted();
    insta::assert_snapshot!("encrypted without identity", env.line("serve --listen 127.0.0.1:0"));
    env.set("SOPS_AGE_KEY", STRANGER);
    env.set("SOPS_AGE_KEY_FILE", "/nonexistent/key.txt");
    insta::assert_snapshot!("encrypted for others", env.line("serve --listen 127.0.0.1:0"));
    env.set("SOPS_AGE_KEY", IDENTITY);
    env.write(
        "secrets/config.pforge-local-alice.yaml",
        &ENCRYPTED.replacen("id: ENC[AES256_GCM,data:", "id: ENC[AES256_GCM,data:AAAA", 1),
    );
    insta::assert_snapshot!("encrypted and changed", env.line("serve --listen 127.0.0.1:0"));
    let added = ENCRYPTED.replacen("fastapi:", "added_unencrypted: 1\nfastapi:", 1);
    env.write("secrets/config.pforge-local-alice.yaml", &added);
    insta::assert_snapshot!("encrypted and added to", env.line("serve --listen 127.0.0.1:0"));
    env.write("secrets/config.pforge-local-alice.yaml", ENCRYPTED);
    let path = env.write("key.txt", IDENTITY).display().to_string();
    env.set("SOPS_AGE_KEY", &path);
    env.write("key.txt", STRANGER);
    insta::assert_snapshot!("encrypted and a path for a key", env.line("serve --listen 127.0.0.1:0"));
}
