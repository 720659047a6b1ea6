//! Random documents and random edits: what is spliced reads as it should.

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use proptest::{prop_assert, proptest};

use super::super::{are_same, splice};
use crate::secrets::format::{Format, Style};
use crate::secrets::tree::{Comment, Entry, Item, Map, Node, Scalar, Seq, Tree, Value};

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        4 => "[a-z]{1,6}".prop_map(|text| Scalar::Text(text.as_str().into())),
        2 => prop::sample::select(vec!["", " x ", "yes", "12", "a: b", "#c", "- x", "it's \"q\"", "a\nb\n", "\n x", "é😀", "ENC[a,b:c=]", "x\\n", "{", "[1]", "*a", "tab\tx", "a\n\n\n"])
            .prop_map(|text| Scalar::Text(text.into())),
        2 => any::<i16>().prop_map(|int| Scalar::Int(int.into())),
        1 => prop::sample::select(vec![0.5, 1.0, -3.25, 1e21]).prop_map(Scalar::Float),
        1 => any::<bool>().prop_map(Scalar::Bool),
        1 => Just(Scalar::Null),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[a-h]", 1 => prop::sample::select(vec!["a b", "x: y", "", "no", "ü", "#k", "1"]).prop_map(str::to_owned)]
}

fn item<T>(value: impl Strategy<Value = T> + 'static) -> impl Strategy<Value = Item<T>>
where
    T: std::fmt::Debug + Clone + 'static,
{
    prop_oneof![
        6 => value.prop_map(Item::Value),
        1 => "[a-z]{1,3}".prop_map(|text| Item::Comment(Comment { text: format!(" {text}").into(), span: None, sealed: None })),
    ]
}

fn map_of(value: impl Strategy<Value = Node> + 'static) -> impl Strategy<Value = Map> {
    let entry = (key(), value).prop_map(|(key, value)| Entry { key, key_span: None, value });
    prop::collection::vec(item(entry), 0..7).prop_map(|items| {
        let mut map = Map::default();
        for item in items {
            if !matches!(&item, Item::Value(entry) if map.get(&entry.key).is_some()) {
                map.items.push(item);
            }
        }
        map
    })
}

fn node() -> impl Strategy<Value = Node> {
    scalar().prop_map(Node::from).prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            3 => scalar().prop_map(Node::from),
            2 => map_of(inner.clone()).prop_map(Node::from),
            1 => prop::collection::vec(item(inner), 0..5).prop_map(|items| Seq { items, flow: false }.into()),
        ]
    })
}

/// A document that is edited; its last entry, as in an encrypted one, is always there.
fn document() -> impl Strategy<Value = Map> {
    map_of(node()).prop_map(|mut map| {
        let mut sops = Map::default();
        sops.push("mac", Node::text("ENC[x]"));
        map.push("sops", sops);
        map
    })
}

/// One edit: which of the values, counted depth first, what is done, and with what.
fn edit() -> impl Strategy<Value = (usize, u8, Node, String)> {
    (0usize..40, 0u8..5, node(), key())
}

fn edit_items<T>(items: &mut Vec<Item<T>>, at: usize, what: u8, new: T) {
    match what {
        0 => {
            items.remove(at);
        }
        1 => items.insert(at, Item::Value(new)),
        2 => items.insert(at + 1, Item::Value(new)),
        3 => items.insert(at, Item::Comment(Comment { text: " new".into(), span: None, sealed: None })),
        _ => {
            let last = items.len() - 1;
            items.swap(at, at.saturating_sub(1).min(last));
        }
    }
}

fn apply_to_map(map: &mut Map, steps: &mut usize, what: u8, new: &Node, key: &str) -> bool {
    for at in 0..map.items.len() {
        if *steps == 0 {
            let is_sops = matches!(&map.items[at], Item::Value(entry) if entry.key == "sops" || entry.key == "mac");
            let is_there = map.get(key).is_some();
            if !(is_sops || is_there && (1..=2).contains(&what)) {
                edit_items(&mut map.items, at, what, Entry { key: key.to_owned(), key_span: None, value: new.clone() });
            } else if let Item::Value(Entry { value, key, .. }) = &mut map.items[at]
                && key != "sops"
            {
                *value = new.clone();
            }
            return true;
        }
        *steps -= 1;
        if let Item::Value(entry) = &mut map.items[at]
            && apply(&mut entry.value, steps, what, new, key)
        {
            return true;
        }
    }
    false
}

fn apply(node: &mut Node, steps: &mut usize, what: u8, new: &Node, key: &str) -> bool {
    match &mut node.value {
        Value::Scalar(_) if *steps == 0 => {
            *node = new.clone();
            true
        }
        Value::Scalar(_) => false,
        Value::Map(map) => apply_to_map(map, steps, what, new, key),
        Value::Seq(seq) => {
            for at in 0..seq.items.len() {
                if *steps == 0 {
                    edit_items(&mut seq.items, at, what, new.clone());
                    return true;
                }
                *steps -= 1;
                if let Item::Value(node) = &mut seq.items[at]
                    && apply(node, steps, what, new, key)
                {
                    return true;
                }
            }
            false
        }
    }
}

/// The lines that a diff would show.
fn changed_lines(old: &[u8], new: &[u8]) -> usize {
    // A comment may have to change its indentation to stay where it belongs.
    let line = |line: &[u8]| match line.trim_ascii_start() {
        comment @ [b'#', ..] => comment.to_vec(),
        _ => line.to_vec(),
    };
    let lines = |text: &[u8]| text.split(|&byte| byte == b'\n').map(line).collect::<Vec<_>>();
    let (old, new) = (lines(old), lines(new));
    let kept = crate::secrets::edit::matching::in_order(&old, &new).iter().flatten().count();
    old.len() + new.len() - 2 * kept
}

/// Makes an encrypted-like text look hand-made: blank lines, trailing spaces, other line ends.
fn roughen(text: &[u8], format: Format, how: u8) -> Vec<u8> {
    let text = String::from_utf8(text.to_vec()).unwrap();
    let has_blocks = text.contains(": |") || text.contains("- |");
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let is_top = line.starts_with(|char: char| char.is_ascii_alphabetic());
        if how & 1 == 1 && is_top && !has_blocks && format == Format::Yaml {
            out.push('\n');
        }
        out.push_str(line);
    }
    if how & 2 == 2 && !has_blocks && format != Format::Dotenv {
        out = out.replace('\n', "\r\n");
    }
    if how & 4 == 4 && !has_blocks {
        out.truncate(out.trim_end().len());
    }
    out.into_bytes()
}

fn spliced(
    format: Format,
    old: Map,
    edits: &[(usize, u8, Node, String)],
    indent: usize,
    how: u8,
) -> Result<(), String> {
    let style = Style { indent: Some(indent) };
    let read = |bytes: &[u8]| {
        format.read_sealed(bytes).map_err(|error| format!("{error}\n{}", String::from_utf8_lossy(bytes)))
    };
    let old = Tree { documents: vec![old] };
    let bytes = if how & 8 == 8 { format.write_exact(&old, style) } else { format.write_sealed(&old, style) }.unwrap();
    let bytes = roughen(&bytes, format, how);
    let old = read(&bytes)?;
    let mut new = old.clone();
    for (steps, what, value, key) in edits {
        apply_to_map(&mut new.documents[0], &mut steps.clone(), *what, value, key);
    }
    // What the format cannot hold as it is (a comment where there is no place for it) is put aside.
    let whole = format.write_exact(&new, style).unwrap();
    let new = read(&whole)?;
    let result = splice(format, &bytes, &old, &new).unwrap();
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !are_same(&read(&result)?, &new) {
        return Err(format!("old\n{}\nresult\n{}\nwanted\n{}", show(&bytes), show(&result), show(&whole)));
    }
    let (by_splice, by_whole) = (changed_lines(&bytes, &result), changed_lines(&bytes, &whole));
    // Blank lines that stay may be matched with others of what is new.
    if by_splice > by_whole + 2 {
        return Err(format!(
            "{by_splice} > {by_whole}: old\n{}\nresult\n{}\nwanted\n{}",
            show(&bytes),
            show(&result),
            show(&whole)
        ));
    }
    Ok(())
}

/// What people write and sops never does.
const BY_HAND: [&str; 12] = [
    "a: [x: 1, y, {z: 2}]\nb: [[1, 2], [3]]\nsops: {mac: 'ENC[x]'}\n",
    "a: &x 1\nb: *x\nc: &m {d: 1}\ne: *m\nf: [*x, 2]\nsops:\n  mac: ENC[x]\n",
    "? a\n: 1\n? |\n  long\n: - x\n  - z\nsops:\n  mac: ENC[x]\n",
    "%YAML 1.1\n---\na: !!str 1\nb: !t {c: d}\ne: !!binary aGk=\nsops:\n  mac: ENC[x]\n...\n",
    "a:\n- - - 1\n    - 2\n  - x: 1\n    z:\n    - 3\n-\n  q: 1\nsops:\n  mac: ENC[x]\n",
    "a: [ # one\n  1, # two\n  2\n  # three\n]\nb: {\n  c: 1,\n\n  d: 2, # e\n}\nsops:\n  mac: ENC[x]\n",
    "# h\n\n# a1\na: # a2\n  # a3\n  b: 1 # b1\n  # a4\n\n# c0\nc:   # c1\n  - 1 # i\n  # j\n\n  - 2\n# end\n\nsops:\n  mac: ENC[x] # mac\n# last\n",
    "a: >-\n  folded\n  text\n\n\nb: |+\n  kept\n\nc: |2\n    in\n\nd: \"multi\n  line\"\ne: plain\n  more\nsops:\n  mac: ENC[x]\n",
    "{a: 1, b: {c: [1, 2]}, sops: {mac: 'ENC[x]'}}\n",
    "a:\n  -\n    b: 1\n  - # c\n    d: 1\n  -   e: 1\n      f: 2\n  -\nsops:\n  mac: ENC[x]",
    "base: &b\n  k: 1\nuse:\n  <<: *b\n  l: 2\nlist:\n  - <<: *b\nsops:\n  mac: ENC[x]\n",
    "a: 1\n...\n---\nb: 2\nsops:\n  mac: ENC[x]\n",
];

proptest! {
    #[test]
    fn yaml_reads_as_it_should(old in document(), edits in prop::collection::vec(edit(), 1..4), indent in prop::sample::select(vec![2usize, 4]), how in 0u8..16) {
        let result = spliced(Format::Yaml, old, &edits, indent, how);
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }

    #[test]
    fn json_reads_as_it_should(old in document(), edits in prop::collection::vec(edit(), 1..4), how in 0u8..8) {
        let result = spliced(Format::Json, old, &edits, 2, how);
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }

    #[test]
    fn what_people_write_is_never_spoiled(at in 0..BY_HAND.len(), edits in prop::collection::vec(edit(), 1..4), crlf in any::<bool>()) {
        let text = if crlf { BY_HAND[at].replace('\n', "\r\n") } else { BY_HAND[at].to_owned() };
        let old = Format::Yaml.read_sealed(text.as_bytes()).unwrap();
        let mut new = old.clone();
        for (steps, what, value, key) in &edits {
            apply_to_map(&mut new.documents[0], &mut steps.clone(), *what, value, key);
        }
        let written = Format::Yaml.write_exact(&new, Style::default()).unwrap();
        let expected = Format::Yaml.read_sealed(&written).unwrap();
        let result = splice(Format::Yaml, text.as_bytes(), &old, &new).unwrap();
        let read = Format::Yaml.read_sealed(&result).unwrap();
        let shown = String::from_utf8_lossy(&result);
        prop_assert!(are_same(&read, &new) || are_same(&read, &expected), "{text}\n{shown}");
    }
}
