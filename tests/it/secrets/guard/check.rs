//! `pforge secrets check`.

use serde_json::Value;

use super::{CONFIG, Desk, PLAIN, SECRET, fixtures, identity};
use crate::support::env::Env;

const NO_DOCUMENT: &str = "Not valid JSON or YAML, is not properly encrypted";
const NO_SOPS: &str = "sops metadata key not found in file, is not properly encrypted";
const LEAF: &str = "ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]";

/// The first cases are those of pre-commit-hook-ensure-sops, with its literal messages.
#[test]
fn every_case_has_its_message() {
    let keys = |keys: &str| format!("Unencrypted values found nested under keys: {keys}");
    let rule = |text: &str, rule: &str| format!("{text}sops: {{{rule}}}\n");
    let cases: Vec<(&str, String, Option<String>)> = vec![
        ("encrypted.yaml", format!("a: {LEAF}\nsops:\n"), None),
        ("plain-leaf.yaml", "a: b\nsops:\n".into(), Some(keys("a"))),
        ("no-sops.yaml", format!("a: {LEAF}\n"), Some(NO_SOPS.into())),
        ("scalar", "this_is_not_valid_yaml".into(), Some(NO_DOCUMENT.into())),
        ("scalar.yaml", "this_is_not_valid_yaml".into(), Some(NO_SOPS.into())),
        (
            "nested.yaml",
            format!(
                "a: {{b: [1, '{LEAF}']}}\nc: true\nd: null\ne: {{}}\nf: []\ng: ''\nh: {LEAF}\ni: {{j: x}}\nsops: {{}}\n"
            ),
            Some(keys("a,c,d,i")),
        ),
        ("encrypted.json", format!("{{\n\t\"a\": \"{LEAF}\",\n\t\"sops\": {{}}\n}}"), None),
        ("plain.json", "{\"a\": 1, \"sops\": null}".into(), Some(keys("a"))),
        ("no-sops.json", "{\"a\": 1}".into(), Some(NO_SOPS.into())),
        ("broken.json", "{".into(), Some(NO_DOCUMENT.into())),
        ("json.txt", "{\"a\": 1}".into(), Some(NO_SOPS.into())),
        ("yaml.txt", "a: 1\n".into(), Some(NO_DOCUMENT.into())),
        // What made it crash.
        ("plain.yml", "a: b\nsops:\n".into(), Some(keys("a"))),
        ("encrypted.yml", format!("a: {LEAF}\nsops:\n"), None),
        ("tab.yaml", "a:\n\t- b\nsops:\n".into(), Some(NO_DOCUMENT.into())),
        ("broken.yaml", "a: [1\n".into(), Some(NO_DOCUMENT.into())),
        ("twice.yaml", "a: 1\na: 2\nsops: {}\n".into(), Some(NO_DOCUMENT.into())),
        ("empty.yaml", String::new(), Some(NO_SOPS.into())),
        ("comment.yaml", "# nothing\n".into(), Some(NO_SOPS.into())),
        ("number.yaml", "5\n".into(), Some(NO_SOPS.into())),
        ("names-sops.yaml", "about sops\n".into(), Some(NO_SOPS.into())),
        ("list.yaml", "- a\n".into(), Some(NO_SOPS.into())),
        ("list.json", "[1]".into(), Some(NO_SOPS.into())),
        ("empty.json", String::new(), Some(NO_DOCUMENT.into())),
        ("two.yaml", format!("a: {LEAF}\nsops:\n---\nb: 1\n"), Some(keys("b"))),
        ("two-whole.yaml", format!("a: {LEAF}\nsops:\n---\nb: {LEAF}\nsops:\n"), None),
        // Other formats.
        ("plain.env", "A=1\n".into(), Some(NO_SOPS.into())),
        ("leaf.env", format!("A={LEAF}\nB=x\nsops_version=3.11.0\n"), Some(keys("B"))),
        ("plain.ini", "[a]\nb = 1\n".into(), Some(NO_SOPS.into())),
        // The file's own rule.
        ("regex.yaml", rule(&format!("a: x\ndata: {{b: '{LEAF}'}}\n"), "encrypted_regex: ^data$"), None),
        ("regex-plain.yaml", rule("a: x\ndata: {b: c}\n", "encrypted_regex: ^data$"), Some(keys("data"))),
        ("not-regex.yaml", rule(&format!("kind: x\ndata: {LEAF}\n"), "unencrypted_regex: ^kind$"), None),
        ("suffix.yaml", rule(&format!("a: x\na_secret: {LEAF}\n"), "encrypted_suffix: _secret"), None),
        ("suffix-plain.yaml", rule("a: x\na_secret: x\n", "encrypted_suffix: _secret"), Some(keys("a_secret"))),
        ("clear.yaml", rule(&format!("a_clear: x\nb: {LEAF}\n"), "unencrypted_suffix: _clear"), None),
        ("comment-rule.yaml", rule(&format!("# secret\na: {LEAF}\nb: x\n"), "encrypted_comment_regex: secret"), None),
        ("comment-rule-plain.yaml", rule("# secret\na: x\nb: x\n", "encrypted_comment_regex: secret"), Some(keys("a"))),
        (
            "not-comment-rule.yaml",
            rule(&format!("# public\na: x\nb: {LEAF}\n"), "unencrypted_comment_regex: public"),
            None,
        ),
    ];
    let env = Env::new();
    let mut names = Vec::new();
    let mut expected = String::new();
    for (name, text, message) in &cases {
        env.write(name, text);
        let output = env.pforge(&["secrets", "check", name]);
        let line = message.as_ref().map_or(String::new(), |message| format!("{name}: {message}\n"));
        assert_eq!(
            (output.stdout.as_str(), output.code),
            (line.as_str(), Some(i32::from(message.is_some()))),
            "{output}"
        );
        names.push(*name);
        expected += &line;
    }
    // All at once: every message, in the order of the files.
    let output = env.pforge(&[&["secrets", "check"], names.as_slice()].concat());
    assert_eq!((output.stdout, output.code), (expected, Some(1)));
}

#[test]
fn no_file_is_a_usage_error_and_an_unreadable_one_a_failure() {
    let env = Env::new();
    assert_eq!(env.line("secrets check").code, Some(2));
    std::fs::create_dir(env.root().join("folder.yaml")).expect("mkdir");
    std::fs::write(env.root().join("bytes.yaml"), [0xff, 0xfe, 0, 1]).expect("write");
    let output = env.line("secrets check missing.yaml folder.yaml bytes.yaml");
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert!(lines[0].starts_with("missing.yaml: Cannot be read: "), "{output}");
    assert!(lines[1].starts_with("folder.yaml: Cannot be read: "), "{output}");
    assert_eq!((lines[2], output.code), (format!("bytes.yaml: {NO_DOCUMENT}").as_str(), Some(1)), "{output}");
}

/// An environment with every identity of the vectors.
fn keys() -> Env {
    let mut env = Env::new();
    let all: String = ["A", "B", "C", "D"].iter().map(|name| identity(name).0).collect();
    env.set("SOPS_AGE_KEY", &all);
    env.set("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &fixtures().join("keys/ssh-ssh").display().to_string());
    env.write("../home/.ssh/id_rsa", &std::fs::read_to_string(fixtures().join("keys/ssh-sshrsa")).expect("a key"));
    env
}

#[test]
fn what_sops_wrote_passes_and_what_was_tampered_with_does_not() {
    let manifest = std::fs::read(fixtures().join("manifest.json")).expect("manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let vectors = manifest["vectors"].as_array().expect("vectors");
    let text = |vector: &Value, key: &str| vector[key].as_str().unwrap_or_default().to_owned();
    // Other identities, and a flag: those are not faults of the file.
    let others = ["wrong-identity", "no-identity", "ignore-mac"];
    let vectors: Vec<&Value> = vectors
        .iter()
        .filter(|vector| vector["kind"] != "refuse-encrypt")
        .filter(|vector| !others.iter().any(|name| text(vector, "enc").contains(name)))
        .collect();
    assert!(vectors.len() > 130, "{}", vectors.len());
    let files: Vec<String> = vectors
        .iter()
        .map(|vector| {
            let plain = fixtures().join(text(vector, "enc"));
            let path =
                if plain.exists() { plain } else { fixtures().join(text(vector, "dir")).join(text(vector, "enc")) };
            path.display().to_string()
        })
        .collect();
    let mut args = vec!["secrets", "check", "--json"];
    args.extend(files.iter().map(String::as_str));
    let output = keys().pforge(&args);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    let verdicts = output.json();
    let mut wrong = Vec::new();
    for (vector, verdict) in vectors.iter().zip(verdicts["files"].as_array().expect("files")) {
        let whole = vector["expect"]["decrypt_exit"] == 0;
        if verdict["ok"] != whole || whole && verdict["mac"] != "verified" {
            wrong.push(format!("{}: {verdict}", text(vector, "id")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_json_names_every_place_and_no_value() {
    let env = Env::new();
    env.write("a.yaml", &format!("a: {{b.c: {SECRET}, d: [{SECRET}]}}\ne: {SECRET}\nsops:\n"));
    let output = env.line("secrets check --json a.yaml");
    assert!(!output.stdout.contains(SECRET), "{output}");
    let file = output.json()["files"][0].clone();
    assert_eq!(file["keys"], serde_json::json!(["a", "e"]));
    assert_eq!(file["paths"], serde_json::json!(["a.\"b.c\"", "a.d[0]", "e"]));
    assert_eq!((output.json()["ok"].clone(), file["mac"].clone()), (false.into(), "unchecked".into()));
}

#[test]
fn a_mac_is_required_on_demand_only() {
    let mut desk = Desk::with_config();
    assert_eq!(desk.env.pforge(&["secrets", "check", "--require-mac", CONFIG]).success().stdout, "");
    desk.env.unset("SOPS_AGE_KEY");
    assert_eq!(desk.env.pforge(&["secrets", "check", CONFIG]).success().stdout, "");
    let output = desk.env.pforge(&["secrets", "check", "--require-mac", CONFIG]);
    assert_eq!(output.stdout, format!("{CONFIG}: Integrity cannot be checked: no identity opens it\n"));
    assert_eq!(output.code, Some(1));
}

#[test]
fn staged_is_what_git_commits() {
    let desk = Desk::new();
    let check = || desk.env.line("secrets check --staged");
    desk.git(&["add", "-A"]);
    check().success();
    // The index counts, not the work tree.
    desk.env.write(CONFIG, PLAIN);
    check().success();
    desk.git(&["add", CONFIG]);
    desk.env.pforge(&["secrets", "encrypt", "-i", CONFIG]).success();
    let output = check();
    assert_eq!((output.stdout.as_str(), output.code), (format!("{CONFIG}: {NO_SOPS}\n").as_str(), Some(1)));
    desk.git(&["add", CONFIG]);
    check().success();
    // Paths without "secret" are nobody's business here, nor is what only speaks of secrets.
    desk.env.write("config.yaml", PLAIN);
    desk.env.write("src/secrets.rs", "fn main() {}\n");
    desk.env.write("secrets/README.md", "How to\n");
    desk.env.write("secrets/alice.pub", "ssh-ed25519 AAAA alice\n");
    desk.git(&["add", "-A"]);
    check().success();
    desk.env.write("my-secret.txt", "hunter2");
    desk.env.write("deep/secrets/prod.env", "A=1\n");
    desk.git(&["add", "-A"]);
    let output = check();
    let lines = format!("deep/secrets/prod.env: {NO_SOPS}\nmy-secret.txt: {NO_DOCUMENT}\n");
    assert_eq!((output.stdout, output.code), (lines, Some(1)));
    // From below, the same files.
    let below = desk.env.run(
        {
            let mut command = desk.env.command(&["secrets", "check", "--staged"]);
            command.current_dir(desk.env.root().join("deep"));
            command
        },
        &[],
    );
    assert_eq!(below.stdout.lines().count(), 2, "{below}");
    let elsewhere = Env::new().line("secrets check --staged");
    assert_eq!(elsewhere.code, Some(1), "{elsewhere}");
    assert!(elsewhere.stderr.contains("git does not tell what is staged"), "{elsewhere}");
}
