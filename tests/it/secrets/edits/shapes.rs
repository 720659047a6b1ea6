//! Files as people, formatters and editors leave them.

use pforge::secrets::Format;
use pforge::secrets::tree::{Map, Node, Scalar, Seq};

use super::{Person, changed, set, unset};

const YAML: &str = "# head\n\na: one\nnumber: 12\napp:\n    # about the key\n    key: secret\n    inner:\n        deep: x\n        deeper: z\nhosts:\n    - first\n    - second\nusers:\n    - name: ann\n      role: admin\n    - name: bob\n      role: reader\nlast_unencrypted: clear\n";

/// What is done to the text of a file that sops wrote.
type Shape = (&'static str, fn(&str) -> String);

const SHAPES: [Shape; 9] = [
    ("as sops wrote it", str::to_owned),
    ("with blank lines", |text| {
        text.replace("\napp:", "\n\n\napp:").replace("\nusers:", "\n\nusers:").replace("\nsops:", "\n\nsops:")
    }),
    ("with quotes", |text| quoted(text, '"')),
    ("with single quotes", |text| quoted(text, '\'')),
    ("two spaces", str::to_owned),
    ("lists not indented", |text| text.replace("\n    - ", "\n- ").replace("\n      role", "\n  role")),
    ("CR LF", |text| text.replace('\n', "\r\n")),
    ("a byte order mark and no last line break", |text| format!("\u{FEFF}{}", text.trim_end())),
    ("spaces at the end of lines, odd spaces in them", |text| {
        let lines = text.lines().map(|line| match line.starts_with(|char: char| char.is_ascii_alphabetic()) {
            true => format!("{}  ", line.replacen(": ", ":   ", 1)),
            false => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }),
];

fn quoted(text: &str, quote: char) -> String {
    let lines = text.lines().map(|line| match line.split_once("ENC[") {
        Some((start, rest)) if !line.trim_start().starts_with('#') => format!("{start}{quote}ENC[{rest}{quote}"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn mapping(entries: &[(&str, &str)]) -> Map {
    let mut map = Map::default();
    for (key, value) in entries {
        map.push(*key, Node::text(*value));
    }
    map
}

#[test]
fn yaml_in_every_shape() {
    let person = Person::new();
    for (shape, shaped) in SHAPES {
        let indent = if shape == "two spaces" { "2" } else { "4" };
        let file = person.encrypted(Format::Yaml, YAML, &["--indent", indent]);
        let file = shaped(&String::from_utf8(file).unwrap());
        type Change = Box<dyn FnOnce(&mut pforge::secrets::Tree)>;
        let list = pforge::secrets::tree::Item::Value;
        let new_list = Seq { items: vec![list(Node::text("x")), list(mapping(&[("k", "v")]).into())], flow: false };
        let changes: [(&str, Change, (usize, usize)); 13] = [
            ("set", Box::new(set("a", Node::text("two"))), (3, 3)),
            ("set to a number", Box::new(set("app.inner.deep", Scalar::Int(5))), (3, 3)),
            ("set to null", Box::new(set("app.key", Scalar::Null)), (3, 3)),
            ("set in a list", Box::new(set("users[1].role", Node::text("writer"))), (3, 3)),
            ("clear value", Box::new(set("last_unencrypted", Node::text("x: y"))), (3, 3)),
            ("insert", Box::new(set("app.fresh", Node::text("v"))), (2, 3)),
            ("insert deep", Box::new(set("app.inner.more.most", Node::text("v"))), (2, 4)),
            ("insert a list", Box::new(set("list", new_list)), (2, 5)),
            ("append", Box::new(set("hosts[2]", Node::text("third"))), (2, 3)),
            ("append a mapping", Box::new(set("users[2]", mapping(&[("name", "cy"), ("role", "none")]))), (2, 4)),
            ("unset", Box::new(unset("number")), (3, 2)),
            ("unset a mapping", Box::new(unset("app")), (8, 2)),
            ("unset a list item", Box::new(unset("users[0]")), (4, 2)),
        ];
        for (what, change, lines) in changes {
            let edited = person.edited(Format::Yaml, file.as_bytes(), change);
            assert_eq!(
                changed(file.as_bytes(), &edited),
                lines,
                "{shape}, {what}:\n{}",
                String::from_utf8_lossy(&edited)
            );
        }
    }
}

#[test]
fn json_in_every_shape() {
    let person = Person::new();
    let plain = r#"{"a": "one", "app": {"key": "secret", "flag": true, "none": null, "empty": {}}, "hosts": ["x", "y"], "n": 1.5}"#;
    let file = String::from_utf8(person.encrypted(Format::Json, plain, &[])).unwrap();
    let minified = serde_json::from_str::<serde_json::Value>(&file).unwrap().to_string();
    for (shape, file, is_one_line) in [
        ("tabs", file.clone(), false),
        ("two spaces", file.replace('\t', "  "), false),
        ("CR LF", file.replace('\n', "\r\n"), false),
        ("minified", minified, true),
    ] {
        let change = |what: &str, change: Box<dyn FnOnce(&mut pforge::secrets::Tree)>, lines: (usize, usize)| {
            let edited = person.edited(Format::Json, file.as_bytes(), change);
            let lines = if is_one_line { (1, 1) } else { lines };
            assert_eq!(
                changed(file.as_bytes(), &edited),
                lines,
                "{shape}, {what}:\n{}",
                String::from_utf8_lossy(&edited)
            );
            if is_one_line {
                assert!(!edited.contains(&b' ') || file.contains(' '), "{}", String::from_utf8_lossy(&edited));
            }
        };
        change("set", Box::new(set("app.key", Node::text("two"))), (3, 3));
        change("insert", Box::new(set("app.fresh", Node::text("v"))), (3, 4));
        change("insert a mapping", Box::new(set("fresh", mapping(&[("k", "v"), ("l", "w")]))), (2, 6));
        change("fill", Box::new(set("app.empty.k", Node::text("v"))), (3, 5));
        change("append", Box::new(set("hosts[2]", Node::text("z"))), (3, 4));
        change("unset", Box::new(unset("app.key")), (3, 2));
        change("unset the last", Box::new(unset("hosts[1]")), (4, 3));
        change("unset a list", Box::new(unset("hosts")), (6, 2));
    }
}

#[test]
fn dotenv_and_ini() {
    let person = Person::new();
    let file = person.encrypted(Format::Dotenv, "# head\nA=one\nB=two\nexport C=three\n", &[]);
    let file = String::from_utf8(file).unwrap().replace("B=", "\nB=").into_bytes();
    let check =
        |format: Format, file: &[u8], what: &str, change: Box<dyn FnOnce(&mut pforge::secrets::Tree)>, lines| {
            let edited = person.edited(format, file, change);
            assert_eq!(changed(file, &edited), lines, "{what}:\n{}", String::from_utf8_lossy(&edited));
        };
    check(Format::Dotenv, &file, "set", Box::new(set("A", Node::text("x\ny"))), (3, 3));
    check(Format::Dotenv, &file, "insert", Box::new(set("D", Node::text("four"))), (2, 3));
    check(Format::Dotenv, &file, "unset", Box::new(unset("B")), (3, 2));

    let plain = "[main]\n; about a\na = one\nlong_name = two\n\n[other]\nb = three\n";
    let file = person.encrypted(Format::Ini, plain, &[]);
    let file = String::from_utf8(file).unwrap().replace("[other]", "\n[other]").into_bytes();
    check(Format::Ini, &file, "set", Box::new(set("main.a", Node::text("x"))), (3, 3));
    check(Format::Ini, &file, "insert", Box::new(set("main.c", Node::text("x"))), (2, 3));
    check(Format::Ini, &file, "unset", Box::new(unset("main.long_name")), (3, 2));
    check(Format::Ini, &file, "section", Box::new(set("more.x", Node::text("y"))), (2, 5));
}

#[test]
fn a_binary_file_has_one_value() {
    let person = Person::new();
    let file = person.encrypted(Format::Binary, "some bytes\n", &[]);
    let edited = person.edited(Format::Binary, &file, set("data", Node::text("other bytes\n")));
    assert_eq!(changed(&file, &edited), (3, 3));
}
