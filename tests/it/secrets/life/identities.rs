//! A server with an encrypted config, and every place where its key may be.

use crate::secrets::guard::{fixtures, identity};
use crate::support::env::Env;

const CONFIG: &str = include_str!("../../../fixtures/config/encrypted.yaml");
const PLAIN: &str = include_str!("../../../fixtures/config/plain.yaml");

fn serves(name: &str, env: &Env) {
    let server = env.start(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(server.ready["type"], "ready", "{name}");
    assert_eq!(server.stop().2, Some(0), "{name}");
}

/// Puts the key into a place.
type Place<'a> = &'a dyn Fn(&mut Env);

fn configured() -> Env {
    let env = Env::configured();
    env.write("secrets/config.pforge-local-alice.yaml", CONFIG);
    env
}

#[test]
fn a_server_opens_its_config_with_an_age_identity_from_anywhere() {
    let key = identity("A").0;
    let cases: [(&str, Place<'_>); 6] = [
        ("SOPS_AGE_KEY", &|env| {
            env.set("SOPS_AGE_KEY", &key);
        }),
        ("SOPS_AGE_KEY_FILE", &|env| {
            let path = env.write("mine.txt", &key).display().to_string();
            env.set("SOPS_AGE_KEY_FILE", &path);
        }),
        ("SOPS_AGE_KEY_CMD", &|env| {
            let path = env.write("mine.txt", &key).display().to_string();
            env.set("SOPS_AGE_KEY_CMD", &format!("sh -c 'cat \"$0\"' '{path}'"));
        }),
        ("XDG_CONFIG_HOME", &|env| {
            env.write("config/sops/age/keys.txt", &key);
            let folder = env.root().join("config").display().to_string();
            env.set("XDG_CONFIG_HOME", &folder);
        }),
        ("~/.config", &|env| drop(env.write("../home/.config/sops/age/keys.txt", &key))),
        ("key.txt", &|env| drop(env.write("key.txt", &key))),
    ];
    for (name, place) in cases {
        let mut env = configured();
        // Another identity, and one that is broken, are in nobody's way.
        env.write("../home/.ssh/id_rsa", "no key");
        place(&mut env);
        serves(name, &env);
    }
}

#[test]
fn a_server_opens_its_config_with_an_ssh_key() {
    for (kind, file) in [("ssh-ssh", "id_ed25519"), ("ssh-sshrsa", "id_rsa")] {
        let private = std::fs::read_to_string(fixtures().join("keys").join(kind)).expect("a key");
        let public = std::fs::read_to_string(fixtures().join(format!("keys/{kind}.pub"))).expect("a key");
        let encrypted = || {
            let env = Env::configured();
            let path = "secrets/config.pforge-local-alice.yaml";
            env.write(path, PLAIN);
            env.pforge(&["secrets", "encrypt", "-i", "--age", public.trim(), path]).success();
            env
        };
        let env = encrypted();
        env.write(&format!("../home/.ssh/{file}"), &private);
        serves(kind, &env);
        let mut env = encrypted();
        let path = env.write("elsewhere", &private).display().to_string();
        env.set("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &path);
        serves(kind, &env);
        let mut env = encrypted();
        let path = env.write("elsewhere", &private).display().to_string();
        env.set("SOPS_AGE_SSH_PRIVATE_KEY_CMD", &format!("cat '{path}'"));
        serves(kind, &env);
    }
}

#[test]
fn a_command_is_told_for_whom_and_its_failure_is_told_only_when_nothing_else_helps() {
    let mut env = configured();
    let path = env.write("mine.txt", &identity("A").0).display().to_string();
    let public = identity("A").1;
    env.set("SOPS_AGE_KEY_CMD", &format!("sh -c 'test \"$SOPS_AGE_RECIPIENT\" = {public} && cat \"$0\"' '{path}'"));
    env.line("config show").success();
    env.set("SOPS_AGE_KEY_CMD", "sh -c 'exit 3'");
    let output = env.line("config show");
    assert_eq!(output.code, Some(7), "{output}");
    assert!(output.stderr.contains("$SOPS_AGE_KEY_CMD failed: exit status: 3"), "{output}");
    env.set("SOPS_AGE_KEY", &identity("A").0);
    let output = env.line("config show").success();
    assert!(!output.stderr.contains("exit status"), "{output}");
}

#[test]
fn a_tampered_config_is_not_served() {
    let mut env = configured();
    env.set("SOPS_AGE_KEY", &identity("A").0);
    env.write("secrets/config.pforge-local-alice.yaml", &format!("added_unencrypted: 1\n{CONFIG}"));
    let output = env.line("serve --listen 127.0.0.1:0");
    assert_eq!((output.code, output.stdout.as_str()), (Some(7), ""), "{output}");
    assert!(output.stderr.contains("added_unencrypted was added by hand"), "{output}");
}
