//! Why a MAC is wrong, in words.

use super::{CONFIG, Desk, SECRET};

/// Exchanges the first lines that begin with `one` and `other`, each with what stands below it.
fn swapped(text: &str, one: &str, other: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let block = |begin: &str| {
        let start = lines.iter().position(|line| line.starts_with(begin)).expect("a line");
        let indent = |line: &str| line.len() - line.trim_start().len();
        let below = lines[start + 1..].iter().take_while(|line| indent(line) > indent(lines[start])).count();
        start..start + 1 + below
    };
    let (a, b) = (block(one), block(other));
    let (a, b) = if a.start < b.start { (a, b) } else { (b, a) };
    [&lines[..a.start], &lines[b.clone()], &lines[a.end..b.start], &lines[a], &lines[b.end..]].concat().concat()
}

fn without(text: &str, begin: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with(begin)).collect()
}

fn line(text: &str, begin: &str) -> String {
    text.lines().find(|line| line.starts_with(begin)).expect("a line").to_owned()
}

/// What `check` says of the config after the change.
fn told(desk: &Desk) -> String {
    let output = desk.env.pforge(&["secrets", "check", CONFIG]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(!output.stdout.contains(SECRET), "{output}");
    let begin = format!("{CONFIG}: Integrity check failed: ");
    let told = output.stdout.strip_prefix(&begin).unwrap_or_else(|| panic!("{output}"));
    told.trim_end().to_owned()
}

type Change = fn(&str) -> String;

#[test]
fn by_comparison_with_git() {
    let cases: [(&str, Change, &str); 9] = [
        ("top level", |text| swapped(text, "hosts:", "fastapi:"), "keys at the top level were reordered"),
        ("below", |text| swapped(text, "    id:", "    webhook_secret:"), "keys under github_app were reordered"),
        ("list", list_reversed, "list hosts was reordered"),
        (
            "clear value",
            |text| text.replace("127.0.0.1:8000", "0.0.0.0:80"),
            "the clear value server_unencrypted.listen was edited by hand",
        ),
        ("removed", |text| without(text, "    id:"), "github_app.id was removed by hand"),
        ("emptied", |text| text.replace(&line(text, "    id:"), "    id: \"\""), "github_app.id was removed by hand"),
        ("added", |text| format!("x_unencrypted: 1\n{text}"), "x_unencrypted was added by hand"),
        (
            "time",
            |text| text.replace(&line(text, "    lastmodified:"), "    lastmodified: \"2020-01-01T00:00:00Z\""),
            "lastmodified was changed",
        ),
        (
            "two",
            |text| text.replace("127.0.0.1:8000", "x").replace("workers: 2", "workers: 3"),
            "the clear value server_unencrypted.listen was edited by hand; the clear value server_unencrypted.workers was edited by hand",
        ),
    ];
    let desk = Desk::with_config();
    for (name, change, expected) in cases {
        desk.edit(change);
        assert_eq!(told(&desk), format!("{expected} (compared with HEAD)"), "{name}");
        // Others say so, too.
        let opened = desk.env.pforge(&["secrets", "decrypt", CONFIG]);
        assert_eq!(opened.code, Some(7), "{opened}");
        assert!(opened.stderr.contains(expected.split("; ").next().expect("a part")), "{name}: {opened}");
        assert!(!opened.stderr.contains(SECRET), "{opened}");
        desk.git(&["checkout", "-q", CONFIG]);
    }
}

/// The items of `hosts`, whose lines follow it.
fn list_reversed(text: &str) -> String {
    let items: Vec<&str> = text.split_inclusive('\n').filter(|line| line.trim_start().starts_with("- ENC")).collect();
    let reversed: String = items.iter().rev().copied().collect();
    text.replace(&items.concat(), &reversed)
}

#[test]
fn a_broken_version_that_was_committed_is_compared_with_the_last_whole_one() {
    let desk = Desk::with_config();
    let whole = desk.git(&["rev-parse", "--short", "HEAD"]);
    desk.edit(|text| text.replace("127.0.0.1:8000", "0.0.0.0:80"));
    desk.commit("by hand");
    let expected = "the clear value server_unencrypted.listen was edited by hand";
    assert_eq!(told(&desk), format!("{expected} (compared with {})", whole.trim()));
}

#[test]
fn a_merge_by_hand_is_seen() {
    let desk = Desk::with_config();
    let before = desk.read(CONFIG);
    desk.env.pforge(&["secrets", "set", "-f", CONFIG, "github_app.id", "5"]).success();
    let changed = desk.read(CONFIG);
    desk.commit("another id");
    // The value of one version, lastmodified and mac of the other one.
    desk.env.write(CONFIG, &before.replace(&line(&before, "    id:"), &line(&changed, "    id:")));
    assert!(told(&desk).contains("the encrypted value github_app.id was replaced by that of another version"));
    // The other way round: the MAC of the older version on the values of the newer one.
    let older = changed.replace(&line(&changed, "    mac:"), &line(&before, "    mac:"));
    desk.env.write(CONFIG, &older.replace(&line(&changed, "    lastmodified:"), &line(&before, "    lastmodified:")));
    assert!(told(&desk).contains("the encrypted value github_app.id was replaced by that of another version"));
}

#[test]
fn without_git_the_document_itself_tells() {
    let cases: [(&str, Change, &str); 7] = [
        ("top level", |text| swapped(text, "hosts:", "fastapi:"), "keys at the top level were reordered"),
        ("below", |text| swapped(text, "    id:", "    webhook_secret:"), "keys under github_app were reordered"),
        ("list", list_reversed, "list hosts was reordered"),
        ("added", |text| format!("x_unencrypted: 1\n{text}"), "x_unencrypted was added by hand"),
        (
            "twice",
            |text| {
                let item = line(text, "    - ");
                text.replacen(&item, &format!("{item}\n{item}"), 1)
            },
            "hosts[0] was added by hand",
        ),
        (
            "clear value",
            |text| text.replace("127.0.0.1:8000", "0.0.0.0:80"),
            "values were added, removed, reordered or edited by hand",
        ),
        (
            "time",
            |text| text.replace(&line(text, "    lastmodified:"), "    lastmodified: \"2020-01-01T00:00:00Z\""),
            "lastmodified or mac was changed, or mac is that of another file",
        ),
    ];
    let desk = Desk::with_config();
    let whole = desk.read(CONFIG);
    std::fs::remove_dir_all(desk.env.root().join(".git")).expect("remove");
    for (name, change, expected) in cases {
        desk.edit(change);
        assert_eq!(told(&desk), expected, "{name}");
        desk.env.write(CONFIG, &whole);
    }
}
