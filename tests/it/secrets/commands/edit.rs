//! `secrets edit`, with programs for editors.

use std::fs;

use super::{CONFIG, Desk, SECRET, next_second};
use crate::support::env::Output;

impl Desk {
    /// Edits with a shell script, which finds the draft in `$1`.
    fn edit(&mut self, script: &str, args: &[&str]) -> Output {
        let editor = self.program("ed", script);
        let runtime = self.path("run");
        fs::create_dir_all(&runtime).expect("mkdir");
        self.env.set("EDITOR", &format!("'{}' ", editor.display())).set("TMPDIR", &runtime.display().to_string());
        let args: Vec<&str> = ["edit"].iter().chain(args).copied().collect();
        let output = self.run(&args);
        let left: Vec<_> = fs::read_dir(runtime).expect("list").collect();
        assert!(left.is_empty(), "drafts are left: {left:?}");
        output
    }
}

const REJECTED: &str = "secrets/config.pforge-local-alice.yaml.rejected";

#[test]
fn one_edited_value_is_three_changed_lines() {
    let mut desk = Desk::with_config();
    next_second();
    let script = "stat -c %a $1 $(dirname $1) > modes; basename $1 > name; cp $1 seen; sed -i s/id:.7/id:\\ 8/ $1";
    let output = desk.edit(script, &[]).success();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", format!("{CONFIG}: saved\n").as_str()));
    assert_eq!(desk.changed_lines(CONFIG), (3, 3));
    assert_eq!(
        (desk.read("modes"), desk.read("name")),
        ("600\n700\n".into(), "config.pforge-local-alice.yaml\n".into())
    );
    let (seen, now) = (desk.read("seen"), desk.sops_decrypts(CONFIG, &["A"]).expect("sops opens it"));
    assert_eq!(now, seen.replace("id: 7", "id: 8"));
}

#[test]
fn nothing_changed_is_nothing_written() {
    let mut desk = Desk::with_config();
    let before = desk.read(CONFIG);
    let output = desk.edit(":", &[]).success();
    assert!(
        output
            .stderr
            .starts_with(&format!("{CONFIG}: unchanged, nothing is written\nwarning: the editor was back at once")),
        "{output}"
    );
    let output = desk.edit("sleep 1.1", &[]).success();
    assert_eq!((output.stderr, desk.read(CONFIG)), (format!("{CONFIG}: unchanged, nothing is written\n"), before));
}

#[test]
fn a_text_that_cannot_be_saved_is_kept_and_taken_up() {
    let mut desk = Desk::with_config();
    let before = desk.read(CONFIG);
    for (script, says) in [
        ("echo 'a: [' >> $1", "is not valid yaml, line 2"),
        ("printf 'sops:\\n  x: 1\\n' >> $1", "has a top-level entry \"sops\""),
    ] {
        let output = desk.edit(script, &[]);
        assert_eq!((output.code, desk.read(CONFIG)), (Some(1), before.clone()), "{output}");
        assert!(output.stderr.contains(says), "{output}");
        assert!(
            output.stderr.contains(&format!(
                "  caused by: your text is kept, encrypted for the same people, in {REJECTED}\n  \
             try: pforge secrets edit {CONFIG} --resume\n"
            )),
            "{output}"
        );
        assert!(!desk.read(REJECTED).contains(SECRET));
        let (kept, ok) = desk.sops(&["decrypt", "--input-type", "binary", "--output-type", "binary", REJECTED], &["B"]);
        assert!(ok && String::from_utf8(kept).expect("UTF-8").contains(SECRET), "bob opens it with sops");
    }
    let output = desk.edit(":", &[]).success();
    assert!(output.stderr.contains("--resume takes it up"), "{output}");
    let output =
        desk.edit("grep -v -e '^sops' -e '^  x:' $1 > t; echo 'b: 2' >> t; cat t > $1; rm t", &["--resume"]).success();
    assert!(output.stderr.ends_with("saved\n"), "{output}");
    assert!(!desk.path(REJECTED).exists());
    assert!(desk.sops_decrypts(CONFIG, &["A"]).expect("sops opens it").ends_with("b: 2\n"));
}

#[test]
fn an_editor_that_fails_loses_nothing() {
    let mut desk = Desk::with_config();
    let before = desk.read(CONFIG);
    let output = desk.edit("exit 3", &[]);
    assert_eq!((output.code, desk.read(CONFIG)), (Some(1), before.clone()), "{output}");
    assert!(!desk.path(REJECTED).exists());
    let output = desk.edit("echo 'b: 2' >> $1; exit 3", &[]);
    assert_eq!((output.code, desk.read(CONFIG)), (Some(1), before), "{output}");
    desk.edit("touch $1", &["--resume"]).success();
    assert!(desk.sops_decrypts(CONFIG, &["A"]).expect("sops opens it").ends_with("b: 2\n"));
    desk.env.set("EDITOR", "no-such-editor");
    assert_eq!(desk.run(&["edit"]).code, Some(1));
    desk.env.set("EDITOR", "/usr/bin/vi");
    assert_eq!(
        desk.run(&["edit"]).stderr,
        "error: there is no terminal for the editor /usr/bin/vi\n  \
         caused by: EDITOR may name a program that needs none\n  try: pforge secrets set PATH --stdin\n"
    );
    desk.env.unset("EDITOR").set("PATH", "/nonexistent");
    assert_eq!(desk.run(&["edit"]).code, Some(3));
}

#[test]
fn a_part_is_edited_alone() {
    let mut desk = Desk::with_config();
    desk.edit("cp $1 seen; basename $1 > name; printf 'new\\n' > $1", &[CONFIG, "github_app.webhook_secret"]).success();
    assert_eq!((desk.read("seen"), desk.read("name")), (SECRET.to_owned(), "webhook_secret.txt\n".to_owned()));
    assert_eq!(desk.run(&["get", "github_app.webhook_secret"]).success().stdout, "new");
    desk.edit("cp $1 seen; sed -i 's/- one/- ONE/' $1", &[CONFIG, "hosts"]).success();
    assert!(desk.read("seen").starts_with("hosts:\n    - one\n"));
    assert_eq!(desk.run(&["get", "hosts[0]"]).success().stdout, "ONE");
    let output = desk.edit("echo x > $1", &[CONFIG, "github_app.id"]);
    assert_eq!(output.code, Some(2), "{output}");
    assert_eq!(desk.run(&["edit", CONFIG, "nope"]).code, Some(5));
    let output = desk.run(&["edit", "github_app.id"]);
    assert_eq!(output.code, Some(5));
    assert!(output.stderr.ends_with(&format!("  try: pforge secrets edit {CONFIG} github_app.id\n")), "{output}");
}

#[test]
fn a_new_file_begins_with_an_example() {
    let mut desk = Desk::new();
    let output = desk.edit("cp $1 seen; sed -i s/id:.0/id:\\ 9/ $1", &[CONFIG]).success();
    assert!(output.stderr.starts_with(&format!("{CONFIG} is new, for alice, bob (from secrets/age-recipients.txt)\n")));
    assert!(desk.read("seen").contains("    app_name: pforge-local-alice\n"));
    assert_eq!((desk.run(&["get", "github_app.id"]).success().stdout, desk.mode(CONFIG)), ("9\n".into(), 0o600));
    desk.edit(":", &["x.json"]).success();
    assert!(!desk.path("x.json").exists(), "an example that is left as it is makes no file");
    desk.edit("echo 'a: [' > $1", &["y.yaml"]);
    assert!(!desk.path("y.yaml").exists() && desk.path("y.yaml.rejected").exists());
}

#[test]
fn another_change_meanwhile_is_kept() {
    let mut desk = Desk::with_config();
    let pforge = crate::support::env::PFORGE;
    let output =
        desk.edit(&format!("sed -i 's/ratio: 1.5/ratio: 2.5/' $1; {pforge} -q secrets set on false"), &[]).success();
    assert!(output.stderr.contains("was changed meanwhile; both changes are kept"), "{output}");
    let plain = desk.sops_decrypts(CONFIG, &["A"]).expect("sops opens it");
    assert!(plain.contains("ratio: 2.5\n") && plain.contains("\"on\": false\n"), "{plain}");

    let output = desk.edit(&format!("sed -i 's/ratio: 2.5/ratio: 3.5/' $1; {pforge} -q secrets set ratio 4.5"), &[]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("caused by: both changed ratio\n") && desk.path(REJECTED).exists(), "{output}");
    assert_eq!(desk.run(&["get", "ratio"]).success().stdout, "4.5\n");
}

#[test]
fn a_request_to_end_leaves_no_draft() {
    let mut desk = Desk::with_config();
    let before = desk.read(CONFIG);
    // The editor tells pforge, its parent, to end, and waits for its own end.
    let output = desk.edit("dirname $1 > where; echo 'b: 2' >> $1; kill $PPID; sleep 30", &[]);
    assert_eq!((output.code, desk.read(CONFIG)), (Some(130), before), "{output}");
    assert!(!fs::exists(desk.read("where").trim()).expect("a path"), "the draft is gone");
    assert!(desk.path(REJECTED).exists(), "what was typed is not lost");
    // Ctrl-C belongs to the editor.
    let output = desk.edit("kill -INT $PPID; sleep 0.2; echo 'c: 3' >> $1", &[]).success();
    assert!(output.stderr.ends_with("saved\n"), "{output}");
}

#[test]
fn only_encrypted_files_are_edited() {
    let mut desk = Desk::new();
    desk.write("x.yaml", "a: 1\n");
    let output = desk.edit("echo b: 2 >> $1", &["x.yaml"]);
    assert_eq!((output.code, desk.read("x.yaml")), (Some(1), "a: 1\n".into()), "{output}");
}
