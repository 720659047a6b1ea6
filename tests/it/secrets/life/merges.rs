//! Real merges of real branches through the installed driver.

use crate::secrets::guard::{CONFIG, Desk, PLAIN, SECRET, identity};

/// A desk with the driver installed.
fn desk() -> Desk {
    let desk = Desk::with_config();
    desk.env.line("secrets install-hooks").success();
    desk.commit("hooks");
    desk
}

impl Desk {
    /// Makes a commit on a branch of its own, from `main`.
    fn branch(&self, name: &str, change: impl FnOnce(&Self)) {
        self.git(&["checkout", "-q", "main"]);
        self.git(&["checkout", "-qb", name]);
        change(self);
        self.git(&["commit", "-q", "--no-verify", "-am", name]);
    }

    fn set(&self, path: &str, value: &str) {
        self.env.pforge(&["secrets", "set", "-f", CONFIG, path, value]).success();
    }

    fn secrets(&self, args: &[&str]) {
        self.env.pforge(&[&["secrets"], args].concat()).success();
    }
}

#[test]
fn two_branches_that_change_different_values_merge() {
    let desk = desk();
    desk.branch("one", |desk| {
        desk.set("github_app.id", "1");
        desk.set("server_unencrypted.workers", "9");
    });
    desk.branch("two", |desk| {
        desk.set("github_app.webhook_secret", "two");
        desk.set("added.by.two", "two");
        desk.secrets(&["unset", "-f", CONFIG, "hosts[0]"]);
    });
    let (ours, before) = (desk.read(CONFIG), desk.sops_decrypts(CONFIG));
    desk.git(&["merge", "-q", "-m", "merged", "one"]);
    let expected = before.replace("id: 231585", "id: 1").replace("workers: 2", "workers: 9");
    assert_eq!(desk.sops_decrypts(CONFIG), expected);
    assert_eq!(desk.git(&["status", "--porcelain"]), "");
    // Only what theirs brought is new beside time and MAC, and their ciphertext is kept.
    let merged = desk.read(CONFIG);
    let theirs = desk.git(&["show", &format!("one:{CONFIG}")]);
    let changed: Vec<(&str, &str)> = ours.lines().zip(merged.lines()).filter(|(one, other)| one != other).collect();
    assert!(changed.len() <= 4 && ours.lines().count() == merged.lines().count(), "{changed:?}");
    let id = theirs.lines().find(|line| line.trim_start().starts_with("id:")).expect("an id");
    assert!(merged.contains(id), "their ciphertext is kept");
    desk.env.pforge(&["secrets", "check", "--require-mac", CONFIG]).success();
}

#[test]
fn the_same_value_changed_twice_is_a_conflict_with_a_name() {
    let desk = desk();
    desk.branch("one", |desk| {
        desk.set("github_app.webhook_secret", "hunter2-do-not-tell-one");
        desk.set("github_app.id", "1");
    });
    desk.branch("two", |desk| desk.set("github_app.webhook_secret", "hunter2-do-not-tell-two"));
    let (code, text) = desk.try_git(&["merge", "-m", "merged", "one"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("both sides changed github_app.webhook_secret; ours is kept"), "{text}");
    assert!(!text.contains(SECRET), "{text}");
    assert!(desk.git(&["status", "--porcelain"]).starts_with("UU"));
    // What stands there is a whole document: ours at the conflict, merged elsewhere.
    let plain = desk.sops_decrypts(CONFIG);
    assert!(plain.contains("hunter2-do-not-tell-two") && plain.contains("id: 1\n"), "{plain}");
    // The advice works.
    let hint = text.lines().find_map(|line| line.strip_prefix("hint: ")).expect("a hint");
    let mut shell = std::process::Command::new("sh");
    let folder = std::path::Path::new(crate::support::env::PFORGE).parent().expect("a folder").display().to_string();
    shell.args(["-c", hint]).current_dir(desk.env.root()).env("PATH", format!("{folder}:/usr/bin:/bin"));
    let output = shell.env("SOPS_AGE_KEY", identity("A").0).output().expect("sh");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hunter2-do-not-tell-one", "{hint}: {output:?}");
}

#[test]
fn recipients_merge_as_a_set() {
    let desk = desk();
    let (bob, carol) = (identity("B").1, identity("C").1);
    desk.branch("one", |desk| desk.secrets(&["recipients", "add", &bob, "-f", CONFIG]));
    desk.branch("two", |desk| {
        desk.secrets(&["recipients", "add", &carol, "-f", CONFIG]);
        desk.set("github_app.id", "2");
    });
    let before = desk.sops_decrypts(CONFIG);
    desk.git(&["merge", "-q", "-m", "merged", "one"]);
    assert_eq!(desk.sops_decrypts(CONFIG), before);
    for name in ["A", "B", "C"] {
        let mut command = crate::support::sops::sops();
        command.args(["decrypt", CONFIG]).current_dir(desk.env.root()).env("SOPS_AGE_KEY", identity(name).0);
        assert!(command.output().expect("sops").status.success(), "{name}");
    }
}

#[test]
fn who_was_removed_on_one_side_is_out_and_knows_no_key() {
    let desk = desk();
    let bob = identity("B").1;
    desk.secrets(&["recipients", "add", &bob, "-f", CONFIG]);
    desk.commit("bob comes");
    desk.branch("one", |desk| desk.secrets(&["recipients", "remove", &bob, "-f", CONFIG]));
    desk.branch("two", |desk| desk.set("github_app.id", "2"));
    let before = desk.sops_decrypts(CONFIG);
    let text = desk.git(&["merge", "-q", "-m", "merged", "one"]);
    assert!(text.contains("was removed by their side"), "{text}");
    assert_eq!(desk.sops_decrypts(CONFIG), before);
    let ours = desk.git(&["show", &format!("HEAD^1:{CONFIG}")]);
    let merged = desk.read(CONFIG);
    assert!(!merged.contains(&bob));
    let ciphertexts = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.contains("ENC[")).map(|line| line.trim().to_owned()).collect()
    };
    let kept: Vec<String> = ciphertexts(&ours).into_iter().filter(|line| merged.contains(line.as_str())).collect();
    assert!(kept.is_empty(), "the data key is another one: {kept:?}");
}

#[test]
fn without_a_key_it_is_merged_as_text_and_said_so() {
    let mut desk = desk();
    desk.branch("one", |desk| desk.set("github_app.id", "1"));
    desk.branch("two", |desk| desk.set("server_unencrypted.workers", "3"));
    desk.env.unset("SOPS_AGE_KEY");
    let (code, text) = desk.try_git(&["merge", "-m", "merged", "one"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cannot be opened") && text.contains("merged as text"), "{text}");
    let merged = desk.read(CONFIG);
    assert!(merged.contains("<<<<<<< ours") && merged.contains("lastmodified"), "{merged}");
    // With a key again: what is advised works.
    desk.env.set("SOPS_AGE_KEY", &identity("A").0);
    let output = desk.env.pforge(&["secrets", "decrypt", CONFIG]);
    assert!(output.stderr.contains("conflict markers") && output.stderr.contains("git checkout --merge"), "{output}");
    desk.git(&["checkout", "--merge", CONFIG]);
    let plain = desk.sops_decrypts(CONFIG);
    assert!(plain.contains("id: 1\n") && plain.contains("workers: 3\n"), "{plain}");
}

#[test]
fn what_was_tampered_with_is_not_sealed_again() {
    let desk = desk();
    desk.branch("one", |desk| desk.edit(|text| text.replace("127.0.0.1:8000", "0.0.0.0:80")));
    desk.branch("two", |desk| desk.set("github_app.id", "2"));
    let (code, text) = desk.try_git(&["merge", "-m", "merged", "one"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("their version cannot be opened: its integrity check failed"), "{text}");
    let checked = desk.env.pforge(&["secrets", "check", CONFIG]);
    assert_eq!(checked.code, Some(1), "{checked}");
}

#[test]
fn files_in_clear_merge_as_git_merges_them() {
    let desk = desk();
    desk.git(&["checkout", "-q", "main"]);
    let plain = "secrets/plain.yaml";
    desk.env.write(plain, PLAIN);
    desk.commit("a plain one");
    let change = |from: &'static str, to: &'static str| {
        move |desk: &Desk| {
            desk.env.write(plain, &PLAIN.replace(from, to));
            desk.commit("change");
            desk.env.write("x", to);
            desk.git(&["add", "x"]);
        }
    };
    desk.branch("one", change("231585", "1"));
    desk.git(&["rm", "-q", "--cached", "x"]);
    desk.git(&["commit", "-qm", "x"]);
    std::fs::remove_file(desk.env.root().join("x")).expect("remove");
    desk.branch("two", change("workers: 2", "workers: 3"));
    desk.git(&["merge", "-q", "-m", "merged", "one"]);
    assert_eq!(desk.read(plain), PLAIN.replace("231585", "1").replace("workers: 2", "workers: 3"));
}

#[test]
fn both_sides_that_add_the_same_file_merge() {
    let desk = desk();
    let path = "secrets/config.new.yaml";
    let add = |text: &'static str| {
        move |desk: &Desk| {
            desk.env.write(path, text);
            desk.secrets(&["encrypt", "-i", path]);
            desk.git(&["add", path]);
        }
    };
    desk.branch("one", add("a: 1\nb: 2\n"));
    desk.branch("two", add("a: 1\nc: 3\n"));
    desk.git(&["merge", "-q", "-m", "merged", "one"]);
    let plain = desk.sops_decrypts(path);
    assert!(["a: 1\n", "b: 2\n", "c: 3\n"].iter().all(|line| plain.contains(line)), "{plain}");
}
