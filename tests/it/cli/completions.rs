//! The committed completion scripts.

use std::path::Path;

use crate::support::env::Env;

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
fn the_shell_is_detected() {
    let mut env = Env::new();
    let output = env.set("SHELL", "/usr/bin/fish").line("completions").success();
    assert!(output.stdout.contains("complete -c pforge"), "{output}");
    insta::assert_snapshot!(output.stderr, @"hint: this is for fish; to try it: pforge completions fish | source");
    insta::assert_snapshot!(env.unset("SHELL").line("completions"));
}

#[test]
fn bash_completes_a_verb() {
    let env = Env::new();
    let script = env.pforge(&["completions", "bash"]).success().stdout;
    let path = env.write("pforge.bash", &script);
    let probe = format!(
        "source {}; COMP_WORDS=(pforge db mi); COMP_CWORD=2; _pforge pforge mi db; printf '%s' \"${{COMPREPLY[*]}}\"",
        path.display()
    );
    let output = std::process::Command::new("bash").args(["--norc", "-c", &probe]).output().expect("bash");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "migrate", "{}", String::from_utf8_lossy(&output.stderr));
}
