//! `pforge secrets install-hooks` in real repositories.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::secrets::guard::{CONFIG, Desk, PLAIN, SECRET};

const HOOK: &str = ".git/hooks/pre-commit";

fn executable(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
    std::fs::write(path, text).expect("write");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("chmod");
}

#[test]
fn a_secret_in_clear_is_not_committed() {
    let desk = Desk::new();
    desk.env.line("secrets install-hooks").success();
    desk.git(&["add", "-A"]);
    desk.git(&["commit", "-qm", "recipients only"]);
    desk.env.write(CONFIG, PLAIN);
    desk.git(&["add", "-A"]);
    let (code, text) = desk.try_git(&["commit", "-qm", "oops"]);
    assert_eq!(code, Some(1), "{text}");
    let message = format!("{CONFIG}: sops metadata key not found in file, is not properly encrypted\n");
    assert!(text.starts_with(&message) || text.contains(&message), "{text}");
    assert!(!text.contains(SECRET), "{text}");
    // What is committed counts, not what stands in the work tree.
    desk.env.pforge(&["secrets", "encrypt", "-i", CONFIG]).success();
    assert_eq!(desk.try_git(&["commit", "-qm", "oops"]).0, Some(1));
    desk.git(&["commit", "-qam", "encrypted"]);
    desk.edit(|text| text.replace("127.0.0.1:8000", "0.0.0.0:80"));
    let (code, text) = desk.try_git(&["commit", "-qam", "by hand"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("Integrity check failed"), "{text}");
}

#[test]
fn installing_twice_is_installing_once_and_uninstalling_leaves_nothing() {
    let desk = Desk::with_config();
    desk.env.write(".gitattributes", "*.png binary");
    let state = || {
        let files = [".gitattributes", ".git/config"].map(|path| desk.read(path));
        let hook = std::fs::read_to_string(desk.env.root().join(HOOK)).ok();
        (files, hook, desk.env.root().join(".prettierignore").exists())
    };
    let before = state();
    let dry = desk.env.line("secrets install-hooks --dry-run --json").success().json();
    assert_eq!(dry["steps"][0]["state"], "written");
    assert_eq!(state(), before);
    desk.env.line("secrets install-hooks").success();
    let installed = state();
    assert!(installed.0[0].contains("secrets/**/*.yaml diff=pforge merge=pforge\n"), "{}", installed.0[0]);
    assert!(installed.0[0].starts_with("*.png binary\n"));
    assert_eq!(desk.read(".prettierignore").lines().nth(1), Some("secrets/"));
    let again = desk.env.line("secrets install-hooks --json").success().json();
    let steps = again["steps"].as_array().expect("steps");
    assert!(steps.len() == 6 && steps.iter().all(|step| step["state"] == "unchanged"), "{again}");
    assert_eq!(state(), installed);
    desk.env.line("secrets install-hooks --uninstall").success();
    let after = state();
    assert_eq!((after.0[0].trim_end(), &after.1, after.2), (before.0[0].trim_end(), &None, false));
    assert!(!after.0[1].contains("textconv") && !after.0[1].contains("driver"), "{}", after.0[1]);
}

#[test]
fn a_hook_that_was_there_runs_after_ours() {
    let desk = Desk::new();
    let hook = desk.env.root().join(HOOK);
    executable(&hook, "#!/bin/sh\necho theirs ran\nexit 9\n");
    let output = desk.env.line("secrets install-hooks").success();
    assert!(output.stderr.contains("pre-commit.before-pforge"), "{output}");
    desk.git(&["add", "-A"]);
    let (code, text) = desk.try_git(&["commit", "-qm", "one"]);
    assert!(code == Some(1) && text.contains("theirs ran"), "{text}");
    desk.env.write(CONFIG, PLAIN);
    desk.git(&["add", "-A"]);
    let (code, text) = desk.try_git(&["commit", "-qm", "two"]);
    assert!(code == Some(1) && text.contains("sops metadata key not found") && !text.contains("theirs ran"), "{text}");
    desk.env.line("secrets install-hooks --uninstall").success();
    assert!(std::fs::read_to_string(&hook).expect("theirs").contains("theirs ran"));
    // Another one in our place, while the first still waits: a person must decide.
    desk.env.line("secrets install-hooks").success();
    executable(&hook, "#!/bin/sh\n");
    let output = desk.env.line("secrets install-hooks").success();
    assert!(output.stderr.contains("remove one of them"), "{output}");
    assert_eq!(std::fs::read_to_string(&hook).expect("hook"), "#!/bin/sh\n");
}

#[test]
fn other_places_for_hooks_are_respected() {
    let desk = Desk::with_config();
    desk.git(&["config", "core.hooksPath", ".githooks"]);
    desk.env.line("secrets install-hooks").success();
    assert!(desk.env.root().join(".githooks/pre-commit").exists() && !desk.env.root().join(HOOK).exists());
    desk.env.line("secrets install-hooks --uninstall").success();
    // A folder that other repositories share is not ours to write to.
    let shared = desk.env.root().join("../shared");
    std::fs::create_dir(&shared).expect("mkdir");
    desk.git(&["config", "core.hooksPath", &shared.display().to_string()]);
    let output = desk.env.line("secrets install-hooks").success();
    assert!(output.stderr.contains("secrets check --staged"), "{output}");
    assert!(!shared.join("pre-commit").exists());
    desk.git(&["config", "--unset", "core.hooksPath"]);
    // From another work tree of the repository: the hook is the same for all.
    desk.commit("before");
    desk.git(&["worktree", "add", "-q", "../tree"]);
    desk.env.line("secrets install-hooks --repo ../tree").success();
    assert!(desk.env.root().join(HOOK).exists());
    let tree = desk.env.root().join("../tree");
    assert!(tree.join(".gitattributes").exists());
    std::fs::write(tree.join(CONFIG), PLAIN).expect("write");
    let (code, text) = desk.try_git(&["-C", "../tree", "commit", "-qam", "oops"]);
    assert!(code == Some(1) && text.contains("sops metadata key not found"), "{text}");
    // No repository at all.
    let nowhere = tempfile::tempdir().expect("tempdir");
    let output = desk.env.pforge(&["secrets", "install-hooks", "--repo", &nowhere.path().display().to_string()]);
    assert_eq!(output.code, Some(5), "{output}");
}

#[test]
fn git_diff_shows_keys_and_no_value() {
    let desk = Desk::with_config();
    desk.env.line("secrets install-hooks").success();
    desk.env
        .pforge(&["secrets", "set", "-f", CONFIG, "github_app.webhook_secret", "hunter2-do-not-tell-new"])
        .success();
    let diff = desk.git(&["diff", "--", CONFIG]);
    assert!(!diff.contains(SECRET) && !diff.contains("ENC["), "{diff}");
    let changed: Vec<&str> = diff
        .lines()
        .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"))
        .collect();
    assert_eq!(changed.len(), 2, "{diff}");
    assert!(changed.iter().all(|line| line[1..].starts_with("github_app.webhook_secret: text sha256:")), "{diff}");
    assert!(desk.git(&["log", "-p", "--", CONFIG]).contains("+github_app.id: int sha256:"));
    // Three lines of the file itself.
    let raw = desk.git(&["diff", "--no-textconv", "--numstat", "--", CONFIG]);
    assert!(raw.starts_with("3\t3\t") || raw.starts_with("2\t2\t"), "{raw}");
}

/// The manifest for pre-commit names what this binary understands.
#[test]
fn the_manifest_for_pre_commit_is_right() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml")).expect("manifest");
    let hooks: serde_yaml::Value = serde_yaml::from_str(&text).expect("YAML");
    let hook = &hooks[0];
    assert_eq!(hook["id"], "sops-encryption");
    assert_eq!(hook["name"], "Ensure secrets are encrypted with sops");
    assert_eq!(hook["files"], ".*secret.*");
    assert_eq!(hook["entry"], "pforge secrets check");
    let exclude = regex::Regex::new(hook["exclude"].as_str().expect("a pattern")).expect("a pattern");
    for (path, excluded) in [
        ("src/secrets.rs", true),
        ("docs/secrets.md", true),
        ("secrets/README.md", true),
        ("secrets/.sops.yaml", true),
        ("secrets/alice.pub", true),
        ("secrets/config.a.yaml", false),
        ("secrets/key.txt", false),
        ("secrets/prod.env", false),
    ] {
        assert_eq!(exclude.is_match(path), excluded, "{path}");
    }
}
