//! The samples that come with the repository, and that nothing there is taken for a deployment.

use std::path::Path;

use crate::secrets::guard::identity;
use crate::support::env::Env;
use crate::support::sops::sops;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const KEY: &str = "examples/secrets/throw-away-key.txt";
const SAMPLES: [&str; 3] = ["secrets/sample.config.yaml", "secrets/sample.env", "secrets/sample.json"];

/// A command in the repository itself.
fn run(env: &Env, args: &[&str]) -> crate::support::env::Output {
    let mut command = env.command(args);
    command.current_dir(ROOT);
    env.run(command, args)
}

#[test]
fn whoever_reads_the_repository_can_open_them() {
    let mut env = Env::new();
    let key = Path::new(ROOT).join(KEY).display().to_string();
    env.set("SOPS_AGE_KEY_FILE", &key);
    run(&env, &[&["secrets", "check", "--require-mac"], SAMPLES.as_slice()].concat()).success();
    for sample in SAMPLES {
        let opened = run(&env, &["secrets", "decrypt", sample]).success();
        let real = sops().args(["decrypt", sample]).current_dir(ROOT).env("SOPS_AGE_KEY_FILE", &key).output();
        assert_eq!(opened.stdout.as_bytes(), real.expect("sops").stdout, "{sample}");
        assert!(opened.stdout.contains("not-a-") || opened.stdout.contains("sample"), "{sample}");
    }
}

#[test]
fn they_are_no_deployment() {
    let output = run(&Env::new(), &["config", "show"]);
    assert_eq!(output.code, Some(3), "{output}");
    assert!(output.stderr.contains("no deployment is configured"), "{output}");
}

#[test]
fn nobody_encrypts_for_the_sample_unwarned() {
    let env = Env::new();
    let list = std::fs::read_to_string(Path::new(ROOT).join("secrets/age-recipients.txt")).expect("a list");
    env.write("secrets/age-recipients.txt", &list);
    env.write("secrets/a.yaml", "a: 1\n");
    let output = env.line("secrets encrypt -i secrets/a.yaml").success();
    assert!(output.stderr.contains("everybody can open what is for it"), "{output}");
    env.write("secrets/age-recipients.txt", &identity("A").1);
    env.write("secrets/a.yaml", "a: 1\n");
    let output = env.line("secrets encrypt -i secrets/a.yaml").success();
    assert!(!output.stderr.contains("warning"), "{output}");
}

#[cfg(unix)]
#[test]
fn a_crash_writes_no_secrets_to_the_disk() {
    let mut env = Env::new();
    env.set("SOPS_AGE_KEY_FILE", &Path::new(ROOT).join(KEY).display().to_string());
    let output = run(&env, &["secrets", "exec", "-f", "secrets/sample.env", "--", "sh", "-c", "ulimit -c"]).success();
    assert_eq!(output.stdout, "0\n", "{output}");
}
