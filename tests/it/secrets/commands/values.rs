//! `secrets get`, `set` and `unset`.

use std::fs;

use super::{CONFIG, Desk, SECRET, next_second};

#[test]
fn a_value_is_printed_as_it_is() {
    let desk = Desk::with_config();
    for (path, expected) in [
        ("github_app.webhook_secret", SECRET),
        ("github_app.id", "7\n"),
        ("github_app.private_key", "first line\nsecond line\n"),
        ("hosts[0]", "one"),
        ("hosts[1].ports[1]", "81\n"),
        ("hosts", "- one\n- name: two\n  ports:\n    - 80\n    - 81\n"),
        ("fastapi", "PANGEO_FORGE_API_KEY: 0123abcd\n"),
        ("nothing", "null\n"),
    ] {
        assert_eq!(desk.run(&["get", path]).success().stdout, expected, "{path}");
    }
    let json = desk.run(&["get", "hosts[1]", "--json"]).success().json();
    assert_eq!(json["value"]["ports"][0], 80);
    assert_eq!((&json["file"], &json["path"]), (&CONFIG.into(), &"hosts[1]".into()));
    let output = desk.run(&["get", "github_app.nope"]);
    assert_eq!(
        output.to_string(),
        format!(
            "$ pforge secrets get github_app.nope\nexit 5\n--- stderr\nerror: {CONFIG}: there is no github_app.nope\n"
        )
    );
    assert_eq!(desk.run(&["get", "a..b"]).code, Some(2));
}

#[test]
fn one_changed_value_is_three_changed_lines() {
    let desk = Desk::with_config();
    next_second();
    let output = desk.fed(&["set", "github_app.webhook_secret", "--stdin"], "another\n").success();
    assert_eq!(output.stderr, format!("{CONFIG}: github_app.webhook_secret is changed\n"));
    assert_eq!(desk.changed_lines(CONFIG), (3, 3));
    let plain = desk.sops_decrypts(CONFIG, &["A"]).expect("sops opens it");
    assert!(plain.contains("webhook_secret: another\n"), "{plain}");

    let before = desk.read(CONFIG);
    let output = desk.fed(&["set", "github_app.webhook_secret", "--stdin"], "another").success();
    assert_eq!(
        (output.stderr, desk.read(CONFIG)),
        (format!("{CONFIG}: github_app.webhook_secret is that already\n"), before)
    );

    let output = desk.run(&["set", "github_app.webhook_secret", "third"]).success();
    assert!(output.stderr.contains("hint: a value on the command line is seen"), "{output}");
}

#[test]
fn types_stay_and_sections_are_made() {
    let desk = Desk::with_config();
    desk.run(&["set", "github_app.id", "8"]).success();
    desk.run(&["set", "on", "false"]).success();
    desk.run(&["set", "ratio", "2"]).success();
    desk.run(&["set", "fastapi.PANGEO_FORGE_API_KEY", "12"]).success();
    desk.run(&["set", "new.deep.text", "12"]).success();
    desk.run(&["set", "new.deep.number", "12", "--type", "int"]).success();
    desk.run(&["set", "new.list", "[1, {\"a\": null}]", "--type", "json"]).success();
    desk.run(&["set", "hosts[2]", "three"]).success();
    let plain = desk.sops_decrypts(CONFIG, &["A"]).expect("sops opens it");
    for expected in [
        "    id: 8\n",
        "\"on\": false\n",
        "ratio: 2\n",
        "    PANGEO_FORGE_API_KEY: \"12\"\n",
        "new:\n    deep:\n        text: \"12\"\n        number: 12\n    list:\n        - 1\n        - a: null\n",
        "        - 81\n    - three\n",
    ] {
        assert!(plain.contains(expected), "{expected}\n---\n{plain}");
    }
    assert!(desk.read(CONFIG).lines().any(|line| line.starts_with("ratio: ENC[") && line.ends_with("type:float]")));
    for wrong in [
        &["set", "github_app.id", "eight"][..],
        &["set", "github_app.id", "8.5"],
        &["set", "on", "maybe"],
        &["set", "github_app", "x"],
        &["set", "x", "[1", "--type", "json"],
        &["set", "x"],
    ] {
        let output = desk.run(wrong);
        assert_eq!(output.code, Some(2), "{output}");
    }
    assert_ne!(desk.run(&["set", "github_app.id.deeper", "x"]).code, Some(0));
}

#[test]
fn files_keep_their_last_line_break_where_it_counts() {
    let desk = Desk::with_config();
    desk.write("token", "abc\n");
    desk.write("pem", "a\nb\n");
    desk.run(&["set", "token", "--from-file", "token"]).success();
    desk.run(&["set", "exact", "--exact", "--from-file", "token"]).success();
    desk.run(&["set", "pem", "--from-file", "pem"]).success();
    for (path, expected) in [("token", "abc"), ("exact", "abc\n"), ("pem", "a\nb\n")] {
        assert_eq!(desk.run(&["get", path]).success().stdout, expected, "{path}");
    }
    assert_eq!(desk.run(&["set", "x", "--from-file", "nowhere"]).code, Some(5));
}

#[test]
fn a_value_is_taken_out() {
    let desk = Desk::with_config();
    desk.run(&["unset", "hosts[1].ports[0]"]).success();
    desk.run(&["unset", "github_app.private_key"]).success();
    let output = desk.run(&["unset", "github_app.private_key"]);
    assert_eq!(output.code, Some(5), "{output}");
    desk.run(&["unset", "github_app.private_key", "--idempotent"]).success();
    let plain = desk.sops_decrypts(CONFIG, &["A"]).expect("sops opens it");
    assert!(!plain.contains("private_key") && plain.contains("ports:\n        - 81\n"), "{plain}");
}

#[test]
fn plain_files_are_changed_in_place_too() {
    let desk = Desk::new();
    let plain = "# top\n\nfastapi:   # the server\n  KEY: 'old' # note\n  more: 1\n\nother: {a: 1}\n";
    desk.write(CONFIG, plain);
    desk.run(&["set", "fastapi.KEY", "new"]).success();
    let now = desk.read(CONFIG);
    assert!(now == plain.replace("'old'", "'new'") || now == plain.replace("'old'", "new"), "{now}");
    assert_eq!(desk.run(&["get", "fastapi.KEY"]).success().stdout, "new");
    desk.run(&["unset", "fastapi.more"]).success();
    assert_eq!(desk.read(CONFIG), now.replace("  more: 1\n", ""));
}

#[test]
fn the_clipboard_gets_the_value_and_loses_it_again() {
    let mut desk = Desk::with_config();
    let bin = desk.path("bin");
    desk.program("bin/wl-copy", "cat > clip; cat clip >> history; echo >> history");
    desk.program("bin/wl-paste", "cat clip");
    desk.env.set("WAYLAND_DISPLAY", "w").set("PATH", &format!("{}:/usr/bin:/bin", bin.display()));
    let output = desk.run(&["get", "github_app.webhook_secret", "--copy", "--clear-after", "10ms"]).success();
    assert_eq!(output.stdout, "");
    assert!(output.stderr.starts_with("Copied sha256:") && output.stderr.contains(" through wl-copy."), "{output}");
    assert!(output.stderr.ends_with("The clipboard is cleared.\n"), "{output}");
    assert_eq!((desk.read("clip"), desk.read("history")), (String::new(), format!("{SECRET}\n\n")));

    desk.run(&["get", "github_app.webhook_secret", "--copy", "--clear-after", "0s"]).success();
    assert_eq!(desk.read("clip"), SECRET);

    // What somebody copied meanwhile is theirs.
    desk.program("bin/wl-paste", "echo -n theirs");
    let output = desk.run(&["get", "github_app.webhook_secret", "--copy", "--clear-after", "10ms"]).success();
    assert!(output.stderr.contains("something else by now"), "{output}");
    assert_eq!(desk.read("clip"), SECRET);

    fs::remove_file(bin.join("wl-copy")).expect("remove");
    let output = desk.run(&["get", "github_app.webhook_secret", "--copy"]);
    assert_eq!(output.code, Some(1), "{output}");
}
