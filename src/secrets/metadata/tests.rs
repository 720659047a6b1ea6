use super::{Metadata, flat, section};
use crate::secrets::error::Error;
use crate::secrets::format::{Format, Style};
use crate::secrets::rules::Rule;
use crate::secrets::tree::{Item, Map, Value};

const HEAD: &str = "lastmodified: \"2026-01-02T03:04:05Z\"\nversion: 3.11.0\nmac: x\n";
const AGE: &str = "age:\n  - recipient: age1a\n    enc: blob a\n";

fn map(yaml: &str) -> Map {
    Format::Yaml.read_plain(yaml.as_bytes()).unwrap().documents.remove(0)
}

fn read(yaml: &str) -> Result<Metadata, Error> {
    Metadata::read(&map(yaml))
}

#[test]
fn sections_get_the_verdict_of_sops() {
    let with = |more: &str| format!("{HEAD}{AGE}{more}");
    let without = |line: &str| with("").replace(line, "");
    for (section, accepted) in [
        (with(""), true),
        (without("mac: x\n"), true),
        (without("lastmodified: \"2026-01-02T03:04:05Z\"\n"), false),
        (without("version: 3.11.0\n"), false),
        (with("").replace("3.11.0", "3.11"), false),
        (with("").replace("3.11.0", "garbage"), false),
        (with("").replace("3.11.0", "\"\""), false),
        (with("").replace("\"2026-01-02T03:04:05Z\"", "2026-01-02T03:04:05Z"), true),
        (with("").replace("\"2026-01-02T03:04:05Z\"", "\"2026-01-02T03:04:05.5+02:00\""), true),
        (with("").replace("\"2026-01-02T03:04:05Z\"", "yesterday"), false),
        (with("").replace("\"2026-01-02T03:04:05Z\"", "\"2026-01-02\""), false),
        (HEAD.to_owned(), false),
        (format!("{HEAD}age: []\nkms: []\npgp: []\n"), false),
        (format!("{HEAD}pgp:\n  - fp: AB\n    enc: x\n"), true),
        (with("kms: []\ngcp_kms: []\nazure_kv: []\nhc_vault: []\npgp: []\n"), true),
        (with("unencrypted_suffix: _u\n"), true),
        (with("unencrypted_suffix: \"\"\nencrypted_regex: \"\"\n"), true),
        (with("unencrypted_suffix: _u\nencrypted_regex: x\n"), false),
        (with("encrypted_regex: (\n"), false),
        (with("mac_only_encrypted: true\n"), true),
        (with("mac_only_encrypted: maybe\n"), false),
        (with("mac_only_encrypted: \"true\"\n"), false),
        (with("mac_only_encrypted: on\n"), true),
        (with("shamir_threshold: -1\n"), true),
        (with("shamir_threshold: \"2\"\n"), false),
        (with("").replace("03:04:05Z", "03:04:05,5Z"), true),
        (with("").replace("03:04:05Z", "03:04:05z"), false),
        (with("").replace("02T03", "02 03"), false),
        (with("mac_only_encrypted: 1\n"), false),
        (with("shamir_threshold: two\n"), false),
        (with("unknown: [1, {a: b}]\n"), true),
        (format!("{HEAD}age: text\n"), false),
        (format!("{HEAD}age: [text]\n"), false),
    ] {
        assert_eq!(read(&section).is_ok(), accepted, "{section}");
    }
}

#[test]
fn what_a_section_says() {
    let metadata =
        read(&format!("{HEAD}{AGE}kms:\n  - arn: x\nencrypted_regex: ^a\nmac_only_encrypted: true\n")).unwrap();
    assert_eq!(metadata.recipients(), ["age1a"]);
    assert_eq!(metadata.services, ["kms"]);
    assert!(matches!(&metadata.rule, Rule::EncryptedRegex(pattern) if pattern.source() == "^a"));
    assert!(metadata.mac_only_encrypted);
    assert_eq!(metadata.mac_aad(), "2026-01-02T03:04:05Z");
    let none = read(&format!("{HEAD}{AGE}")).unwrap();
    assert!(matches!(none.rule, Rule::UnencryptedSuffix(suffix) if suffix == "_unencrypted"));
    assert!(none.services.is_empty());
}

#[test]
fn key_groups_count_when_there_are_no_keys_at_the_top() {
    let groups = "shamir_threshold: 2\nkey_groups:\n  - hc_vault: []\n    age: [{recipient: a, enc: x}]\n  - pgp: [{fp: y}]\n    age: []\n  - age: [{enc: z, recipient: c}, {recipient: d}]\n";
    let metadata = read(&format!("{HEAD}{groups}")).unwrap();
    let sizes: Vec<_> = metadata.groups.iter().map(Vec::len).collect();
    assert_eq!((sizes, metadata.threshold), (vec![1, 0, 2], 2));
    assert_eq!(metadata.recipients(), ["a", "c", "d"]);
    assert_eq!(metadata.services, ["pgp"]);
    let top = read(&format!("{HEAD}{AGE}{groups}")).unwrap();
    assert_eq!(top.groups.len(), 1);
    let all = read(&format!("{HEAD}{}", groups.replace("shamir_threshold: 2\n", ""))).unwrap();
    assert_eq!(all.threshold, 3);
}

#[test]
fn flat_names_are_the_nested_ones() {
    let nested = map(
        "shamir_threshold: 2\nkey_groups:\n  - age:\n      - recipient: a\n        enc: |\n          x\n          y\n      - recipient: b\n        enc: z\n    hc_vault: []\n  - age: [{recipient: c}]\nmac_only_encrypted: true\n",
    );
    let flat = flat::flatten(&nested, "sops_", true);
    let lines: Vec<_> = flat.iter().map(|entry| format!("{}={}", entry.key, entry.value.as_str().unwrap())).collect();
    let expected = [
        "sops_key_groups__list_0__map_age__list_0__map_enc=x\\ny\\n",
        "sops_key_groups__list_0__map_age__list_0__map_recipient=a",
        "sops_key_groups__list_0__map_age__list_1__map_enc=z",
        "sops_key_groups__list_0__map_age__list_1__map_recipient=b",
        "sops_key_groups__list_1__map_age__list_0__map_recipient=c",
        "sops_mac_only_encrypted=true",
        "sops_shamir_threshold=2",
    ];
    assert_eq!(lines, expected);
    let again = flat::nest(flat.iter(), "sops_").unwrap();
    assert_eq!(
        flat::flatten(&again, "sops_", true).iter().map(|entry| &entry.key).collect::<Vec<_>>(),
        flat.iter().map(|entry| &entry.key).collect::<Vec<_>>()
    );
    let age = again.get("key_groups").map(|node| &node.value);
    assert!(matches!(age, Some(Value::Seq(seq)) if seq.items.len() == 2));
}

#[test]
fn flat_lists_are_in_the_order_of_their_numbers() {
    let mut names = Map::default();
    for index in [10, 2, 0] {
        names.push(format!("age__list_{index}__map_recipient"), crate::secrets::tree::Node::text(index.to_string()));
    }
    let nested = flat::nest(names.entries(), "").unwrap();
    let Some(Value::Seq(seq)) = nested.get("age").map(|node| &node.value) else { panic!("a list") };
    let order: Vec<_> = seq
        .items
        .iter()
        .map(|item| match item {
            Item::Value(node) => match &node.value {
                Value::Map(map) => map.get("recipient").unwrap().as_str().unwrap().to_owned(),
                _ => panic!("a mapping"),
            },
            Item::Comment(_) => panic!("no comment"),
        })
        .collect();
    assert_eq!(order, ["0", "2", "10"]);
}

#[test]
fn contradictory_flat_names_are_refused() {
    for names in
        [&["a", "a__map_b"][..], &["a__map_b", "a__list_0"], &["a__list_x"], &["a__list_-1"], &["a__list_0", "a"]]
    {
        let mut map = Map::default();
        names.iter().for_each(|name| map.push(*name, crate::secrets::tree::Node::text("x")));
        assert!(matches!(flat::nest(map.entries(), ""), Err(Error::Metadata(_))), "{names:?}");
    }
}

/// A document in which `section` replaces the section of `old`.
fn put(format: Format, old: &str, plain: &str, change: impl Fn(&mut Map)) -> String {
    let old = format.read_sealed(old.as_bytes()).unwrap().documents.remove(0);
    let mut tree = format.read_sealed(plain.as_bytes()).unwrap();
    let mut found = section::find(format, &old).unwrap();
    change(&mut found);
    section::put(format, &mut tree.documents[0], &found, Some(&old));
    String::from_utf8(format.write_sealed(&tree, Style::default()).unwrap()).unwrap()
}

#[test]
fn the_section_stays_where_it_is() {
    for (old, plain, expected) in [
        ("a: 1\nsops:\n    mac: x\n", "a: 1\nb: 2\n", "a: 1\nb: 2\nsops:\n    mac: x\n"),
        ("sops:\n    mac: x\na: 1\n", "b: 2\na: 1\n", "sops:\n    mac: x\nb: 2\na: 1\n"),
        ("a: 1\nsops:\n    mac: x\nb: 2\n", "a: 1\nc: 3\nb: 2\n", "a: 1\nsops:\n    mac: x\nc: 3\nb: 2\n"),
        ("a: 1\nsops:\n    mac: x\nb: 2\n", "b: 2\n", "b: 2\nsops:\n    mac: x\n"),
    ] {
        assert_eq!(put(Format::Yaml, old, plain, |_| ()), expected);
    }
    let flat = put(Format::Dotenv, "sops_version=1\nA=1\nsops_mac=x\n", "A=1\nB=2\n", |section| {
        section.push("age", crate::secrets::tree::Node::text("y"));
    });
    assert_eq!(flat, "sops_age=y\nsops_version=1\nsops_mac=x\nA=1\nB=2\n");
}

#[test]
fn keys_are_written_as_the_file_writes_them() {
    let wrapped = |name: &str| super::Wrapped { recipient: name.to_owned(), enc: "new\n".to_owned() };
    let sorted = "a: 1\nsops:\n    age:\n        - enc: old\n          recipient: a\n    mac: x\n    unknown: 1\n";
    let added = put(Format::Yaml, sorted, "a: 1\n", |section| section::add_keys(section, &[wrapped("b")]));
    assert_eq!(added, sorted.replace("    mac", "        - enc: |\n            new\n          recipient: b\n    mac"));
    let replaced = put(Format::Yaml, sorted, "a: 1\n", |section| {
        section::put_keys(Format::Yaml, section, &[vec![wrapped("a")], vec![wrapped("b")]], Some(2));
    });
    let order: Vec<_> = replaced
        .lines()
        .filter_map(|line| line.trim().strip_suffix(':').or(line.trim().split_once(": ").map(|(key, _)| key)))
        .collect();
    assert_eq!(order[..4], ["a", "sops", "shamir_threshold", "key_groups"], "{replaced}");
    assert!(replaced.ends_with("    mac: x\n    unknown: 1\n"), "{replaced}");
}
