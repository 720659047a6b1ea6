//! Edits of encrypted files: what real sops reads afterwards, and how few lines they touch.

mod shapes;
mod vectors;

use std::fs;
use std::process::Command;

use chrono::{DateTime, TimeDelta, Utc};
use pforge::secrets::tree::Node;
use pforge::secrets::{Format, Identities, MacPolicy, Sealed, Selector, Style, Tree, align, generate, merge};

use crate::support::sops::sops;

/// Someone who encrypts and decrypts with real sops.
struct Person {
    secret: String,
    recipient: String,
    identities: Identities,
}

impl Person {
    fn new() -> Self {
        let (secret, recipient) = generate();
        let mut identities = Identities::default();
        identities.add("test", secret.expose().as_bytes());
        Self { secret: secret.expose().to_owned(), recipient, identities }
    }

    fn sops(&self, format: Format, bytes: &[u8], args: &[&str]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("file.{}", end_of(format)));
        fs::write(&file, bytes).unwrap();
        let mut command = sops();
        let output = command.env("SOPS_AGE_KEY", &self.secret).args(args).arg(&file).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(bytes));
        output.stdout
    }

    /// What real sops makes of a plaintext.
    fn encrypted(&self, format: Format, plain: &str, args: &[&str]) -> Vec<u8> {
        let args = [args, &["-e", "--age", &self.recipient]].concat();
        self.sops(format, plain.as_bytes(), &args)
    }

    /// What real sops reads.
    fn decrypted(&self, format: Format, bytes: &[u8]) -> String {
        String::from_utf8(self.sops(format, bytes, &["-d"])).unwrap()
    }

    /// The file after `change` was made to its plaintext; real sops reads it just as we do.
    fn edited(&self, format: Format, bytes: &[u8], change: impl FnOnce(&mut Tree)) -> Vec<u8> {
        let sealed = Sealed::read(format, bytes.to_vec()).unwrap();
        let opened = sealed.open(&self.identities, MacPolicy::Verify).unwrap();
        let mut new = opened.tree.clone();
        change(&mut new);
        let edited = sealed.reseal(&opened, &new, later(1)).unwrap().expect("something changed");
        let wanted = format.write_plain(&new, Style::default()).unwrap();
        assert_eq!(self.decrypted(format, &edited), wanted.expose_str().unwrap());
        edited
    }

    /// The plaintext that a person edits.
    fn plain(&self, format: Format, bytes: &[u8]) -> String {
        let sealed = Sealed::read(format, bytes.to_vec()).unwrap();
        let opened = sealed.open(&self.identities, MacPolicy::Verify).unwrap();
        opened.write(format, Style::default()).unwrap().expose_str().unwrap().to_owned()
    }

    /// The file with `plain` encrypted over it; `None` when it says what it said.
    fn encrypted_over(&self, format: Format, bytes: &[u8], plain: &str) -> Option<Vec<u8>> {
        let sealed = Sealed::read(format, bytes.to_vec()).unwrap();
        let opened = sealed.open(&self.identities, MacPolicy::Verify).unwrap();
        let mut new = format.read_plain(plain.as_bytes()).unwrap();
        align(&opened.tree, &mut new);
        let result = sealed.reseal(&opened, &new, later(1)).unwrap();
        if let Some(bytes) = &result {
            assert_eq!(self.decrypted(format, bytes), plain);
        }
        result
    }
}

/// A time that differs, in its seconds, from when sops wrote the file. `steps` come one after the other.
fn later(steps: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::minutes(steps)
}

fn end_of(format: Format) -> &'static str {
    match format {
        Format::Yaml => "yaml",
        Format::Json => "json",
        Format::Dotenv => "env",
        Format::Ini => "ini",
        Format::Binary => "bin",
    }
}

fn selector(path: &str) -> Selector {
    path.parse().unwrap()
}

fn set(path: &str, value: impl Into<Node>) -> impl FnOnce(&mut Tree) {
    let (path, value) = (selector(path), value.into());
    move |tree| path.set(tree, value).unwrap()
}

fn unset(path: &str) -> impl FnOnce(&mut Tree) {
    let path = selector(path);
    move |tree| path.unset(tree).unwrap()
}

/// Lines taken away and lines put in, as `git diff --numstat` counts them.
fn changed(old: &[u8], new: &[u8]) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old"), old).unwrap();
    fs::write(folder.path().join("new"), new).unwrap();
    let mut git = Command::new("git");
    let git = git.current_dir(folder.path()).args(["diff", "--no-index", "--numstat", "--text", "old", "new"]);
    let output = String::from_utf8(git.output().unwrap().stdout).unwrap();
    let mut numbers = output.split_whitespace().map(|number| number.parse::<usize>().unwrap_or(0));
    let (added, removed) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (removed, added)
}

/// A configuration as one grows: 60 lines once it is encrypted.
fn config() -> String {
    let mut plain =
        String::from("# The App that deploys\ngithub_app:\n    app_id: 12345\n    webhook_secret: hunter2\n");
    plain += "    private_key: |\n        -----BEGIN KEY-----\n        MIIabc\n        -----END KEY-----\n";
    plain += "hosts:\n    - one.example\n    - two.example\n    - one.example\n";
    for number in 0..20 {
        plain += &format!("service_{number}:\n    token: token-{number}\n");
        if number % 5 == 0 {
            plain += "    # rotate this one\n    ratio: 1.5\n";
        }
    }
    plain
}

#[test]
fn one_value_is_three_lines() {
    let person = Person::new();
    let file = person.encrypted(Format::Yaml, &config(), &[]);
    let text = String::from_utf8(file).unwrap();
    // By hand: blank lines, quotes, a trailing space.
    let text = text.replace("\nservice_", "\n\nservice_").replacen("app_id: ENC", "app_id:  ENC", 1);
    let text = text.replacen("token: ENC", "'token': ENC", 1).replacen("\nsops:\n", "\n\n# about sops \nsops:\n", 1);
    assert!(text.lines().count() >= 60);
    let edited = person.edited(Format::Yaml, text.as_bytes(), set("service_7.token", Node::text("new")));
    assert_eq!(changed(text.as_bytes(), &edited), (3, 3));
    let edited = String::from_utf8(edited).unwrap();
    let changed: Vec<_> =
        text.lines().zip(edited.lines()).filter(|(old, new)| old != new).map(|(old, _)| old.trim()).collect();
    for (line, key) in changed.iter().zip(["token: ENC[", "lastmodified: \"", "mac: ENC["]) {
        assert!(line.starts_with(key), "{line}");
    }
}

#[test]
fn encrypting_over_a_file_keeps_what_did_not_change() {
    let person = Person::new();
    let plain = "# head\na: 1\nf: 1.0\nn: -0.0\nd: 2024-02-29\ndup:\n    - x\n    - x\n    # between\n    - w\n    - x\nlist:\n    - name: a\n      value: 1\n    - name: b\n      value: 2\nempty: \"\"\nnothing: null\n";
    let file = person.encrypted(Format::Yaml, plain, &[]);
    let shown = person.plain(Format::Yaml, &file);
    assert_eq!(person.encrypted_over(Format::Yaml, &file, &shown), None);
    for (what, from, to, lines) in [
        ("a value", "a: 1\n", "a: 2\n", (3, 3)),
        ("a list item before equal ones", "dup:\n    - x\n", "dup:\n    - z\n    - x\n", (2, 3)),
        ("an equal list item fewer", "    - w\n    - x\n", "    - w\n", (3, 2)),
        ("a list item", "    - w\n", "    - \"yes\"\n", (3, 3)),
        ("a value in a mapping in a list", "      value: 2\n", "      value: 3\n", (3, 3)),
        ("a mapping in a list", "list:\n", "list:\n    - name: new\n      value: 0\n", (2, 4)),
        ("a comment", "# head\n", "# heads\n", (2, 2)),
        ("a key", "empty: \"\"\n", "empty: \"\"\nmore: {}\n", (1, 2)),
        ("two keys swapped", "empty: \"\"\nnothing: null\n", "nothing: null\nempty: \"\"\n", (2, 2)),
    ] {
        let new = shown.replacen(from, to, 1);
        assert_ne!(new, shown, "{what}");
        let result = person.encrypted_over(Format::Yaml, &file, &new).unwrap();
        let (removed, added) = changed(&file, &result);
        // The MAC may be the same although a line changed: comments, nulls and empty texts do not count.
        assert!(removed <= lines.0 + 1 && added <= lines.1 + 1, "{what}: {removed} {added}");
        assert!(removed >= lines.0 && added >= lines.1, "{what}: {removed} {added}");
    }
}

#[test]
fn branches_that_change_different_values_merge() {
    let person = Person::new();
    let file = person.encrypted(Format::Yaml, &config(), &[]);
    let ours = person.edited(Format::Yaml, &file, set("service_3.token", Node::text("ours")));
    let theirs = person.edited(Format::Yaml, &file, |tree| {
        set("github_app.webhook_secret", Node::text("theirs"))(tree);
        set("hosts[3]", Node::text("three.example"))(tree);
        unset("service_9")(tree);
    });
    let open = |bytes: &[u8]| {
        let sealed = Sealed::read(Format::Yaml, bytes.to_vec()).unwrap();
        let opened = sealed.open(&person.identities, MacPolicy::Verify).unwrap();
        (sealed, opened)
    };
    let (base, (sealed, opened), (_, other)) = (open(&file).1, open(&ours), open(&theirs));
    let merged = merge(&base.tree, &opened.tree, &other.tree);
    assert!(merged.conflicts.is_empty());
    let result = sealed.reseal(&opened, &merged.tree, later(2)).unwrap().unwrap();
    let expected = config()
        .replace("token-3\n", "ours\n")
        .replace("hunter2", "theirs")
        .replace("service_9:\n    token: token-9\n", "")
        .replacen("    - one.example\nservice_0", "    - one.example\n    - three.example\nservice_0", 1);
    assert_eq!(person.decrypted(Format::Yaml, &result), expected);
    // What they changed is taken over as they encrypted it.
    let lines =
        |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    let theirs = lines(&theirs);
    let secret = theirs.iter().find(|line| line.contains("webhook_secret")).unwrap();
    assert!(lines(&result).contains(secret));
    assert_eq!(changed(&ours, &result), (5, 4));
}

#[test]
fn another_recipient_is_lines_added_and_none_changed() {
    let (person, other) = (Person::new(), Person::new());
    let two_spaces = ["--indent", "2"];
    for (format, plain, args, lines) in [
        (Format::Yaml, "a: one\n", &[][..], 0),
        (Format::Yaml, "a: one\n", &two_spaces, 0),
        (Format::Json, "{\"a\": \"one\"}", &[], 4),
        (Format::Dotenv, "A=one\n", &[], 2),
        (Format::Ini, "[main]\na = one\n", &[], 2),
    ] {
        let file = person.encrypted(format, plain, args);
        let sealed = Sealed::read(format, file.clone()).unwrap();
        let opened = sealed.open(&person.identities, MacPolicy::Verify).unwrap();
        let shared = sealed.add_recipients(&opened, &[other.recipient.parse().unwrap()]).unwrap();
        let (removed, added) = changed(&file, &shared);
        // In YAML an armored key has lines of its own; how many differs.
        let lines = if format == Format::Yaml { added.max(8) } else { lines };
        assert_eq!((removed, added), (0, lines), "{}", String::from_utf8_lossy(&shared));
        assert_eq!(other.decrypted(format, &shared), person.decrypted(format, &file));
    }
}

#[test]
fn a_new_data_key_keeps_blank_lines_and_quotes() {
    let (person, other) = (Person::new(), Person::new());
    let file = String::from_utf8(person.encrypted(Format::Yaml, &config(), &["--indent", "2"])).unwrap();
    let file = file.replace("\nservice_", "\n\nservice_").replacen("app_id: ENC", "'app_id':   ENC", 1);
    let sealed = Sealed::read(Format::Yaml, file.clone().into_bytes()).unwrap();
    let opened = sealed.open(&person.identities, MacPolicy::Verify).unwrap();
    let groups = vec![vec![other.recipient.parse().unwrap()]];
    let rotated = sealed.rotate(&opened, &groups, later(1)).unwrap();
    assert_eq!(other.decrypted(Format::Yaml, &rotated), config());
    let shape = |text: &str| {
        let lines = text.lines().map(|line| line.split("ENC[").next().unwrap_or_default().to_owned());
        lines.take_while(|line| line != "sops:").collect::<Vec<_>>()
    };
    assert_eq!(shape(std::str::from_utf8(&rotated).unwrap()), shape(&file));
    let ciphertexts =
        |text: &str| text.split("data:").skip(1).map(str::to_owned).collect::<std::collections::HashSet<_>>();
    assert!(ciphertexts(&file).is_disjoint(&ciphertexts(std::str::from_utf8(&rotated).unwrap())));
}
