//! What status, diff and textconv show, and what they never do.

use serde_json::json;

use super::{CONFIG, Desk, SECRET, identity};

#[test]
fn status_tells_who_can_open_what() {
    let mut desk = Desk::with_config();
    desk.env.write("secrets/plain.yaml", "a: 1\n");
    let status = desk.env.line("secrets status --json").success().json();
    assert_eq!(status["encrypted"], false);
    let file = &status["files"][0];
    assert_eq!((&file["file"], &file["encrypted"]), (&json!(CONFIG), &json!(true)));
    let alice = json!([[{ "recipient": identity("A").1, "name": "alice", "yours": true }]]);
    assert_eq!((&file["key_groups"], &file["your_key"]), (&alice, &json!(true)));
    assert_eq!((&file["mac"], &file["version"]), (&json!("verified"), &json!("3.11.0")));
    assert_eq!(file["rule"], json!({ "name": "unencrypted_suffix", "value": "_unencrypted" }));
    assert_eq!(status["files"][1], json!({ "file": "secrets/plain.yaml", "encrypted": false, "damage": null }));
    // As `sops filestatus`.
    let one = desk.env.pforge(&["secrets", "status", "--json", CONFIG]).success().json();
    assert_eq!(one["encrypted"], true);

    let text = desk.env.line("secrets status").success();
    assert!(text.stdout.contains("alice") && text.stdout.contains("in clear"), "{text}");
    desk.edit(|text| text.replace("127.0.0.1:8000", "x"));
    let text = desk.env.line("secrets status").success();
    assert!(text.stdout.contains("wrong") && text.stderr.contains("server_unencrypted.listen"), "{text}");
    desk.env.unset("SOPS_AGE_KEY");
    let stranger = desk.env.pforge(&["secrets", "status", "--json", CONFIG]).success().json();
    assert_eq!((&stranger["files"][0]["your_key"], &stranger["files"][0]["mac"]), (&json!(false), &json!("unchecked")));
    assert_eq!(desk.env.line("secrets status missing.yaml").code, Some(5));
}

/// The config with something of everything changed.
fn changed() -> Desk {
    let desk = Desk::with_config();
    let set = |path: &str, value: &str| {
        desk.env.pforge(&["secrets", "set", "-f", CONFIG, path, value]).success();
    };
    set("github_app.webhook_secret", "hunter2-do-not-tell-b");
    set("github_app.new", "hunter2-do-not-tell-n");
    set("server_unencrypted.workers", "3");
    desk.env.pforge(&["secrets", "unset", "-f", CONFIG, "hosts[1]"]).success();
    desk
}

#[test]
fn diff_names_keys_and_masks_values() {
    let desk = changed();
    let output = desk.env.line("secrets diff").success();
    assert!(!(output.stdout.clone() + &output.stderr).contains(SECRET), "{output}");
    let rows: Vec<Vec<&str>> =
        output.stdout.lines().skip(1).map(|line| line.split_whitespace().take(2).collect()).collect();
    let expected = [
        ["changed", "github_app.webhook_secret"],
        ["added", "github_app.new"],
        ["removed", "hosts[1]"],
        ["changed", "server_unencrypted.workers"],
    ];
    assert_eq!(rows, expected.map(Vec::from), "{output}");
    // What stands in clear is no secret.
    assert!(
        output.stdout.lines().any(|line| line.ends_with("2  3")
            || line.ends_with("2    3")
            || line.split_whitespace().rev().take(2).eq(["3", "2"])),
        "{output}"
    );

    let shown = desk.env.line("secrets diff --show").success();
    assert!(shown.stdout.contains("hunter2-do-not-tell-a") && shown.stdout.contains("hunter2-do-not-tell-b"));
    let report = desk.env.line("secrets diff --json").success();
    assert!(!report.stdout.contains(SECRET), "{report}");
    let report = report.json();
    assert_eq!(report["changes"][0]["path"], "github_app.webhook_secret");
    assert_eq!(report["changes"][0]["old"]["type"], "text");
    assert_eq!(report["changes"][3]["new"], json!({ "type": "int", "value": "3" }));

    assert_eq!(desk.env.line("secrets diff --exit-code").code, Some(1));
    desk.commit("changed");
    let same = desk.env.line("secrets diff --exit-code").success();
    assert!(same.stderr.contains("No differences."), "{same}");
    let older = desk.env.pforge(&["secrets", "diff", &format!("HEAD~1:{CONFIG}")]).success();
    assert_eq!(older.stdout.lines().count(), 5, "{older}");
    assert_eq!(desk.env.pforge(&["secrets", "diff", &format!("nothing:{CONFIG}")]).code, Some(5));
}

#[test]
fn diff_tells_of_recipients_and_of_files_in_clear() {
    let desk = Desk::with_config();
    let bob = identity("B").1;
    desk.env.pforge(&["secrets", "recipients", "add", &bob, "-f", CONFIG]).success();
    let output = desk.env.line("secrets diff").success();
    assert!(output.stdout.lines().any(|line| line.starts_with("added") && line.contains(&bob)), "{output}");
    // Nothing tells what is secret in a file that is not encrypted.
    desk.env.write("secrets/plain.yaml", &format!("a: {SECRET}\n"));
    let output = desk.env.pforge(&["secrets", "diff", CONFIG, "secrets/plain.yaml"]).success();
    assert!(output.stdout.contains("added") && !output.stdout.contains(SECRET), "{output}");
}

#[test]
fn textconv_prints_keys_and_falls_back_to_the_text() {
    let mut desk = Desk::with_config();
    let text = |desk: &Desk, more: &[&str]| {
        desk.env.pforge(&[&["secrets", "textconv", CONFIG], more].concat()).success().stdout
    };
    let masked = text(&desk, &[]);
    assert!(!masked.contains(SECRET) && !masked.contains("ENC["), "{masked}");
    assert!(masked.starts_with("github_app.id: int sha256:"), "{masked}");
    assert!(masked.contains("\nserver_unencrypted.listen: 127.0.0.1:8000\n"), "{masked}");
    assert!(masked.ends_with(&format!("\nsops.recipient: alice ({})\n", identity("A").1)), "{masked}");
    assert_eq!(text(&desk, &["--show"]), desk.sops_decrypts(CONFIG));
    desk.edit(|text| text.replace("127.0.0.1:8000", "x"));
    assert!(text(&desk, &[]).starts_with("# the integrity check fails: "));
    desk.env.unset("SOPS_AGE_KEY");
    assert_eq!(text(&desk, &[]), desk.read(CONFIG));
    desk.env.write(CONFIG, "no: [yaml");
    assert_eq!(text(&desk, &[]), "no: [yaml");
}
