//! `secrets recipients` and `secrets rotate`.

use super::{CONFIG, Desk, SECRET, identity};

#[test]
fn recipients_are_listed_with_their_names() {
    let desk = Desk::with_config();
    let (a, b) = (identity("A").1, identity("B").1);
    let output = desk.run(&["recipients", "list"]).success();
    let rows: Vec<Vec<&str>> = output.stdout.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows, [vec![CONFIG, "alice", a.as_str(), "you"], vec!["bob", b.as_str()]]);
    let json = desk.run(&["recipients", "list", "--all", "--json"]).success().json();
    let all = &json["files"][0]["recipients"];
    assert_eq!((&all[0]["yours"], &all[1]["yours"], &all[1]["name"]), (&true.into(), &false.into(), &"bob".into()));
    desk.write("plain.yaml", "a: 1\n");
    assert_eq!(desk.run(&["recipients", "list", "plain.yaml"]).code, Some(1));
}

#[test]
fn adding_somebody_changes_nothing_else() {
    let desk = Desk::with_config();
    let c = identity("C").1;
    desk.write("secrets/other.env", "A=1\n");
    desk.run(&["encrypt", "-i", "secrets/other.env"]).success();
    let output = desk.run(&["recipients", "add", &c, "--name", "carol"]).success();
    assert_eq!(
        output.stderr,
        format!(
            "{CONFIG}: carol can open it\nsecrets/age-recipients.txt: added\n\
             hint: --all lets them open secrets/other.env, too\n"
        )
    );
    let (added, removed) = desk.changed_lines(CONFIG);
    assert!((6..=12).contains(&added) && removed == 0, "+{added} -{removed}");
    assert!(desk.sops_decrypts(CONFIG, &["C"]).is_some() && desk.sops_decrypts(CONFIG, &["B"]).is_some());
    assert!(desk.read("secrets/age-recipients.txt").ends_with(&format!(" # bob\n{c} # carol\n")));
    let output = desk.run(&["recipients", "add", &c, "--all"]).success();
    assert!(output.stderr.contains(&format!("{CONFIG}: can open it already, skipped")), "{output}");
    assert!(desk.sops_decrypts("secrets/other.env", &["C"]).is_some());
    let output = desk.run(&["recipients", "add", "carol"]);
    assert_eq!(output.code, Some(3), "{output}");
}

#[test]
fn removing_somebody_takes_the_key_and_says_what_they_know() {
    let desk = Desk::with_config();
    desk.write("secrets/other.env", "A=1\n");
    desk.run(&["encrypt", "-i", "secrets/other.env"]).success();
    let sealed = desk.read(CONFIG);
    let output = desk.run(&["recipients", "remove", "bob"]).success();
    assert!(output.stderr.starts_with(&format!(
        "{CONFIG}: bob can open it no more; the data key is new\nsecrets/age-recipients.txt: bob removed\nwarning: bob may"
    )), "{output}");
    for path in
        ["github_app.webhook_secret", "github_app.private_key", "fastapi.PANGEO_FORGE_API_KEY", "hosts[1].ports[0]"]
    {
        assert!(output.stderr.contains(&format!("  {CONFIG}  {path}\n")), "{path}: {output}");
    }
    assert_eq!(desk.sops_decrypts(CONFIG, &["B"]), None);
    assert!(desk.sops_decrypts(CONFIG, &["A"]).expect("alice opens it").contains(SECRET));
    assert!(!desk.read("secrets/age-recipients.txt").contains("bob"));
    assert!(
        output.stderr.ends_with("warning: bob can still open secrets/other.env; --all does these, too\n"),
        "{output}"
    );
    let kept = desk.read(CONFIG).lines().filter(|line| line.contains("ENC[") && sealed.contains(*line)).count();
    assert_eq!(kept, 0, "every value is encrypted anew");

    let output = desk.run(&["recipients", "remove", &identity("A").1]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("nobody could open"), "{output}");
    assert_eq!(desk.run(&["recipients", "remove", "dora"]).code, Some(5));
    assert_eq!(desk.run(&["recipients", "remove", &identity("C").1]).code, Some(5));
}

#[test]
fn nobody_locks_themselves_out_by_accident() {
    let desk = Desk::with_config();
    let before = desk.read(CONFIG);
    let output = desk.run(&["recipients", "remove", "alice"]);
    assert_eq!((output.code, desk.read(CONFIG)), (Some(2), before), "{output}");
    desk.run(&["recipients", "remove", "alice", "--yes"]).success();
    assert!(desk.sops_decrypts(CONFIG, &["A"]).is_none() && desk.sops_decrypts(CONFIG, &["B"]).is_some());
}

#[test]
fn a_creation_rule_is_changed_with_its_comments() {
    let desk = Desk::new();
    let (a, b, c) = (identity("A").1, identity("B").1, identity("C").1);
    let rules = format!(
        "# who\n\ncreation_rules:\n  - path_regex: \\.env$  # all of them\n    age:\n      - {a}  # alice\n      - {b}\n"
    );
    desk.write(".sops.yaml", &rules);
    desk.write("x.env", "A=1\n");
    desk.run(&["encrypt", "-i", "x.env"]).success();
    desk.run(&["recipients", "add", &c, "x.env"]).success();
    assert_eq!(desk.read(".sops.yaml"), format!("{rules}      - {c}\n"));
    desk.run(&["recipients", "remove", &c, "x.env"]).success();
    assert_eq!(desk.read(".sops.yaml"), rules);
    desk.run(&["recipients", "add", &c, "x.env", "--no-list"]).success();
    assert_eq!(desk.read(".sops.yaml"), rules);
}

#[test]
fn rotating_encrypts_everything_anew() {
    let desk = Desk::with_config();
    let (sealed, plain) = (desk.read(CONFIG), desk.sops_decrypts(CONFIG, &["A"]));
    let output = desk.run(&["rotate"]).success();
    assert_eq!(output.stderr, format!("{CONFIG}: rotated, for alice, bob\n"));
    assert_eq!(desk.sops_decrypts(CONFIG, &["B"]), plain);
    assert_eq!(desk.read(CONFIG).lines().filter(|line| line.contains("ENC[") && sealed.contains(*line)).count(), 0);
    desk.run(&["rotate", "--rm-age", "bob", "--add-age", &identity("C").1, CONFIG]).success();
    assert!(desk.sops_decrypts(CONFIG, &["B"]).is_none() && desk.sops_decrypts(CONFIG, &["C"]).is_some());
}
