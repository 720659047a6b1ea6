//! The committed completion scripts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::support::env::{Env, PFORGE};

const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "pforge.bash"),
    ("zsh", "_pforge"),
    ("fish", "pforge.fish"),
    ("powershell", "_pforge.ps1"),
    ("elvish", "pforge.elv"),
];

#[test]
fn the_committed_scripts_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let bless = std::env::var_os("PFORGE_BLESS").is_some_and(|value| value == "1");
    for (shell, file) in SCRIPTS {
        let script = Env::new().pforge(&["completions", shell]).success().stdout;
        if bless {
            std::fs::write(folder.join(file), &script).expect("write");
        }
        let committed = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        assert!(committed == script, "completions/{file} is stale: run this test with PFORGE_BLESS=1");
    }
}

#[test]
fn the_committed_manual_pages_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions/man");
    let bless = std::env::var_os("PFORGE_BLESS").is_some_and(|value| value == "1");
    let env = Env::new();
    let output = env.pforge(&["man", "--output", "man"]).success();
    assert!(output.stderr.contains("pages in man"), "{output}");
    if bless {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("mkdir");
    }
    let pages = |folder: &Path| -> BTreeMap<OsString, String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| (entry.file_name(), std::fs::read_to_string(entry.path()).expect("a page"))).collect()
    };
    let made = pages(&env.root().join("man"));
    assert!(made.len() > 60, "{} pages", made.len());
    if bless {
        made.iter().for_each(|(name, page)| std::fs::write(folder.join(name), page).expect("write"));
    }
    let committed = pages(&folder);
    let stale: Vec<_> = made.iter().filter(|(name, page)| committed.get(*name) != Some(page)).map(|(n, _)| n).collect();
    assert!(stale.is_empty() && committed.len() == made.len(), "stale: {stale:?}; run this test with PFORGE_BLESS=1");
}

#[test]
fn the_shell_is_detected() {
    let mut env = Env::new();
    let output = env.set("SHELL", "/usr/bin/fish").line("completions").success();
    assert!(output.stdout.contains("--command pforge"), "{output}");
    insta::assert_snapshot!(output.stderr, @"hint: this is for fish; to try it: pforge completions fish | source");
    insta::assert_snapshot!(env.unset("SHELL").line("completions"));
}

/// What bash offers for the last of these words.
fn offered(env: &Env, words: &[&str]) -> String {
    let script = env.pforge(&["completions", "bash"]).success().stdout;
    let path = env.write("pforge.bash", &script);
    let folder = Path::new(PFORGE).parent().expect("a folder").display();
    let last = words.len() - 1;
    let probe = format!(
        "export PATH={folder}:$PATH; source {}; COMP_WORDS=({}); COMP_CWORD={last}; _clap_complete_pforge pforge '{}' '{}'; \
         printf '%s ' \"${{COMPREPLY[@]}}\"",
        path.display(),
        words.join(" "),
        words[last],
        words[last - 1],
    );
    let mut bash = std::process::Command::new("bash");
    bash.args(["--norc", "-c", &probe]).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", env.root());
    let output = bash.current_dir(env.root()).output().expect("bash");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn bash_completes_verbs_and_deployments() {
    let env = Env::new();
    assert_eq!(offered(&env, &["pforge", "db", "mi"]), "migrate");
    env.write("secrets/config.pforge-local-alice.yaml", "");
    env.write("secrets/config.pangeo-forge.yaml", "");
    assert_eq!(offered(&env, &["pforge", "--deployment", "pfo"]), "pforge-local-alice");
    assert_eq!(offered(&env, &["pforge", "api-key", "pan"]), "pangeo-forge");
}

/// The other shells ask the same way; what differs is how the answer is written.
#[test]
fn every_shell_gets_an_answer() {
    let env = Env::new();
    env.write("secrets/config.mine.yaml", "");
    for (shell, _) in SCRIPTS {
        let mut command = env.command(&["--", "pforge", "api-key", "mi"]);
        command.env("PFORGE_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", "2");
        let output = env.run(command, &["(completion)"]).success();
        assert!(output.stdout.starts_with("mine"), "{shell}: {output}");
    }
}
