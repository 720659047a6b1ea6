//! What SOPS 3.11 makes of texts, written down as it did it.

use std::fmt::Write as _;

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use proptest::test_runner::TestCaseError;

use super::{read, write, write_exact, write_sealed};
use crate::secrets::error::Error;
use crate::secrets::format::Style;
use crate::secrets::text::Text;
use crate::secrets::tree::{Comment, Entry, Item, Map, Node, Scalar, Seq, Span, Tree, Value};

fn tree(text: &str) -> Tree {
    read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

fn printed(tree: &Tree) -> String {
    String::from_utf8(write(tree, Style::default()).expect("every tree can be written")).expect("UTF-8")
}

#[test]
fn comments_are_where_sops_puts_them() {
    let cases = [
        // Own lines, before what follows.
        ("# a\nk: 1\n", "# a\nk: 1\n"),
        ("# a\n\n# b\nk: 1\n", "# a\n# b\nk: 1\n"),
        ("k: 1\n# a\nl: 2\n", "k: 1\n# a\nl: 2\n"),
        // On the line of a value: a line of its own, before the entry.
        ("k: 1 # a\nl: 2\n", "# a\nk: 1\nl: 2\n"),
        ("k: |  # a\n  t\n", "# a\nk: |\n    t\n"),
        ("k: # a\n  l: 2\n", "# a\nk:\n    l: 2\n"),
        ("# h\nk: # a\n  # b\n  l: 2 # c\n", "# h\n# a\nk:\n    # b\n    # c\n    l: 2\n"),
        // Brackets have theirs inside.
        ("k: {a: 1} # c\n", "k:\n    # c\n    a: 1\n"),
        ("k: [a] # c\n", "k:\n    # c\n    - a\n"),
        ("k: [\n  # c\n  a, # d\n]\n", "k:\n    # c\n    # d\n    - a\n"),
        // At the end of a collection.
        ("k:\n  l: 1\n  # a\nm: 2\n", "k:\n    l: 1\n    # a\nm: 2\n"),
        ("k:\n  l: 1\n\n  # a\nm: 2\n", "k:\n    l: 1\n    # a\nm: 2\n"),
        ("k:\n  l: 1\n# a\nm: 2\n", "k:\n    l: 1\n# a\nm: 2\n"),
        ("k:\n  l: 1\n# a\n\nm: 2\n", "k:\n    l: 1\n# a\nm: 2\n"),
        ("k:\n  # a\nl: 1\n", "k: null\n# a\nl: 1\n"),
        // Lists.
        (
            "k:\n  # a\n  - 1\n  # b\n  - 2 # c\n  # d\nl: 1\n",
            "k:\n    # a\n    - 1\n    # b\n    # c\n    - 2\n    # d\nl: 1\n",
        ),
        ("k:\n- # a\n  l: 1\n", "k:\n    # a\n    - l: 1\n"),
        ("k:\n  - l: 1 # b\n    # c\n    m: 2\n", "k:\n    # b\n    - l: 1\n      # c\n      m: 2\n"),
        // Documents.
        ("a: 1\n# x\n---\n# y\nb: 2\n", "a: 1\n# x\n---\n# y\nb: 2\n"),
        // Line ends of Windows, a byte order mark.
        ("\u{feff}k: 1 # a\r\n# b\r\nl: 2\r\n", "# a\nk: 1\n# b\nl: 2\n"),
    ];
    for (text, expected) in cases {
        assert_eq!(printed(&tree(text)), expected, "{text:?}");
    }
}

#[test]
fn everything_is_printed_as_by_sops() {
    let cases = [
        (
            "a: {b: {}, c: [], d: [[1, [2]], {e: f}]}",
            "a:\n    b: {}\n    c: []\n    d:\n        - - 1\n          - - 2\n        - e: f\n",
        ),
        ("a:\n- b: {c: d}\n", "a:\n    - b:\n        c: d\n"),
        ("a: >\n x\n y\n\n z\n", "a: |\n    x y\n    z\n"),
        ("a: |+\n x\n\nb: 1\n", "a: |+\n    x\n\nb: 1\n"),
        ("a: \"\\n\"\n", "a: |4+\n\n"),
        ("a: \" x\\ny\"\nb: [\" x\\ny\"]\n", "a: |4-\n     x\n    y\nb:\n    - |2-\n       x\n      y\n"),
        ("a: &x {b: 1}\nc: *x\nd: {<<: *x}\n", "a:\n    b: 1\nc:\n    b: 1\nd:\n    !!merge <<:\n        b: 1\n"),
        ("a: !!binary aGk=\nb: !!binary /w==\n", "a: hi\nb: !!binary /w==\n"),
        ("? \"a\\nb\"\n: 1\n? \"a\\nb2\"\n: {c: 1}\n", "? |-\n    a\n    b\n: 1\n? |-\n    a\n    b2\n:   c: 1\n"),
        ("---\n", "{}\n"),
        ("null", "{}\n"),
        ("{}\n---\na: 1\n", "{}\n---\na: 1\n"),
    ];
    for (text, expected) in cases {
        assert_eq!(printed(&tree(text)), expected, "{text:?}");
    }
    let indented = write(&tree("a: {b: {c: 1}, d: [1]}"), Style { indent: Some(3) }).expect("written");
    assert_eq!(indented, b"a:\n   b:\n      c: 1\n   d:\n      - 1\n");
    for (indent, spaces) in [(0, 4), (1, 2), (2, 2), (9, 9), (10, 2)] {
        let text = write(&tree("a: {b: 1}"), Style { indent: Some(indent) }).expect("written");
        assert_eq!(text, format!("a:\n{:spaces$}b: 1\n", "").into_bytes(), "{indent}");
    }
}

#[test]
fn what_sops_cannot_open_again_is_sealed_another_way() {
    let text = |tree: &Tree| String::from_utf8(write_sealed(tree, Style::default()).expect("written")).expect("UTF-8");
    assert_eq!(text(&tree("a: -0.0\n")), "a: -0.0\n");
    assert_eq!(text(&tree("\"<<\": x\n")), "\"<<\": x\n");
    assert_eq!(text(&tree("<<: {a: 1}\n")), "!!merge <<:\n    a: 1\n");
    assert_eq!(printed(&tree("a: -0.0\n\"<<\": x\n")), "a: -0\n!!merge <<: x\n");
    // A comment on the line of the colon would be read as the key's.
    let comment = "? \"a\\nb\"\n:\n  # c\n  d: 1\n";
    assert_eq!(text(&tree(comment)), "? |-\n    a\n    b\n:\n    # c\n    d: 1\n");
    assert_eq!(text(&tree(&text(&tree(comment)))), text(&tree(comment)));
    // Nothing but a comment is no reason for another line: brackets belong behind the colon.
    let empty = text(&tree("? \"a\\nb\"\n: [ # c\n  ]\n"));
    assert!(empty.contains("\n: []\n"), "{empty}");
    // Its emitter has room for one head; the other would be lost.
    let two_heads = tree("k:\n  # a\n  - l: 1 # b\n");
    assert_eq!(printed(&two_heads), "k:\n    # b\n    - l: 1\n");
    assert_eq!(text(&two_heads), "k:\n    # a\n    # b\n    - l: 1\n");
    // A block text cannot begin with a tab, nor hold what older YAML takes for line breaks.
    assert_eq!(printed(&tree("a: \"\\tx\\ny\"\nb: \"x\\Ly\"\n")), "a: \"\\tx\\ny\"\nb: \"x\\Ly\"\n");
}

#[test]
fn a_comment_that_waits_is_not_put_between_a_key_and_its_brackets() {
    // At the end of a list in brackets, behind a collection, a comment waits for the next value. SOPS
    // prints it before the brackets of an empty one and puts those into the first column.
    let cases = [
        ("a: [{a: a}\n # c\n]\nb: {}\nd: 1\n", "a:\n    - a: a\nb: {}\n# c\n\nd: 1\n"),
        ("a: [{a: a}\n # c\n]\nb: []\n", "a:\n    - a: a\nb: []\n# c\n"),
        ("a: [[{a: a}\n # c\n], {}]\n", "a:\n    - - a: a\n    - {}\n    # c\n"),
        ("a: [[{a: a}\n # c\n], []\n # d\n]\n", "a:\n    - - a: a\n    - []\n    # c\n    # d\n"),
        // What it prints before a collection with values can be read.
        ("a: [{a: a}\n # c\n]\nb: [1]\n", "a:\n    - a: a\nb:\n# c\n    - 1\n"),
    ];
    for (text, expected) in cases {
        let written = printed(&tree(text));
        assert_eq!(written, expected, "{text:?}");
        assert_eq!(write_sealed(&tree(text), Style::default()).expect("written"), expected.as_bytes(), "{text:?}");
        tree(&written);
    }
}

#[test]
fn what_is_written_exactly_keeps_comments_inside_of_list_items() {
    let same = [
        "a:\n  - # a\n    x: 1\n",
        "a:\n  - # a\n    # b\n    - x\n  - c\n",
        "a:\n  # c\n  - # a\n    - # b\n      - x\n      # d\n  - 1\n",
        "a:\n  - - # a\n      x: 1\n      # b\n    - {}\n",
        "a:\n  - # a\n    - {}\n  - b\n",
    ];
    for text in same {
        let written = write_exact(&tree(text), Style { indent: Some(2) }).expect("written");
        assert_eq!(String::from_utf8(written).expect("UTF-8"), text);
    }
    // As SOPS writes it, it moves out.
    assert_eq!(printed(&tree(same[0])), "a:\n    # a\n    - x: 1\n");
}

#[test]
fn what_sops_refuses_is_refused_and_not_repeated() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let deep_block = (0..5000).fold(String::new(), |mut text, level| {
        let _ = writeln!(text, "{:level$}k:", "");
        text
    });
    let bomb = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |mut text, level| {
        let _ = writeln!(text, "a{level}: &a{level} [*a{0}, *a{0}, *a{0}]", level - 1);
        text
    });
    let cases = [
        ("", "is empty", 0),
        ("# hunter2\n", "comments", 0),
        ("- hunter2\n", "a list", 1),
        ("hunter2\n", "a value", 1),
        ("a: 1\nb: hunter2\na: 2\n", "twice", 3),
        ("x: [{a: 1, a: hunter2}]\n", "twice", 1),
        ("a: 1\n---\nb: 1\n\"b\": 2\n", "twice", 4),
        ("1: hunter2\n", "a key", 1),
        ("a: {true: 1}\n", "a key", 1),
        ("~: 1\n", "a key", 1),
        ("2024-01-01: 1\n", "a key", 1),
        ("? [a]\n: 1\n", "a key", 1),
        ("a:\n\tb: hunter2\n", "tab", 2),
        ("a: \"hunter2\n", "", 0),
        ("a: [hunter2\n", "closed", 0),
        ("a: 'x' hunter2\n", "", 1),
        ("a: b: hunter2\n", "':", 1),
        ("a: *nowhere\n", "anchor", 1),
        ("a: &a [*a]\n", "inside", 1),
        ("a: !!int hunter2\n", "!!int", 1),
        ("a: !!binary $$$\n", "!!binary", 1),
        ("%YAML 1.2\n---\na: 1\n", "version", 1),
        ("a: \u{1}hunter2\n", "", 1),
        (&deep, "deep", 1),
        (&deep_block, "deep", 0),
        (&bomb, "aliases", 0),
    ];
    for (text, expected, at) in cases {
        let error = read(text.as_bytes()).expect_err(text);
        let said = error.to_string();
        assert!(said.contains(expected), "{said}: {}", &text[..text.len().min(40)]);
        assert!(!said.contains("hunter2"), "{said}");
        match error {
            Error::Syntax { line, column, .. } => {
                assert!(line > 0 && column > 0, "{said}");
                assert!(at == 0 || at == line, "{said}");
            }
            Error::Refused { .. } => assert_eq!(at, 0, "{said}"),
            other => panic!("{other}"),
        }
    }
    let error = read(b"a: 1\nb: \xff\n").expect_err("not UTF-8");
    assert!(matches!(error, Error::Syntax { line: 2, column: 4, .. }), "{error}");
    assert!(matches!(
        tree("a: 18446744073709551615").documents[0].get("a").map(|node| &node.value),
        Some(Value::Scalar(Scalar::Uint(u64::MAX)))
    ));
}

#[test]
fn nesting_is_fine_to_a_depth() {
    for text in [format!("a: {}1{}", "[".repeat(150), "]".repeat(150)), {
        (0..150).fold(String::new(), |mut text, level| {
            let _ = writeln!(text, "{:level$}k:", "");
            text
        })
    }] {
        let tree = tree(&text);
        assert_eq!(printed(&self::tree(&printed(&tree))), printed(&tree));
    }
}

/// What each span covers.
fn spans(text: &str) -> Vec<String> {
    fn show(text: &str, span: Option<Span>) -> String {
        span.map_or_else(|| "-".to_owned(), |span| text[span.start..span.end].to_owned())
    }
    fn map(text: &str, map: &Map, out: &mut Vec<String>) {
        for item in &map.items {
            match item {
                Item::Comment(comment) => out.push(show(text, comment.span)),
                Item::Value(entry) => {
                    out.push(show(text, entry.key_span));
                    node(text, &entry.value, out);
                }
            }
        }
    }
    fn node(text: &str, value: &Node, out: &mut Vec<String>) {
        out.push(show(text, value.span));
        match &value.value {
            Value::Scalar(_) => {}
            Value::Map(inner) => map(text, inner, out),
            Value::Seq(seq) => {
                for item in &seq.items {
                    match item {
                        Item::Comment(comment) => out.push(show(text, comment.span)),
                        Item::Value(value) => node(text, value, out),
                    }
                }
            }
        }
    }
    let mut out = Vec::new();
    for document in &tree(text).documents {
        map(text, document, &mut out);
    }
    out
}

#[test]
fn spans_cover_what_they_say() {
    assert_eq!(spans("\"é\": 'x' # c\n"), ["# c", "\"é\"", "'x'"]);
    assert_eq!(spans("a: !!str 1\n"), ["a", "!!str 1"]);
    assert_eq!(spans("a: &x 1\nb: *x\n"), ["a", "&x 1", "b", "-"]);
    assert_eq!(spans("a:\nb: \n"), ["a", "", "b", ""]);
    assert_eq!(
        spans("a: |  # c\n  x\n\n  y\n\n\nb: >+\n  z\n\n"),
        ["# c", "a", "|  # c\n  x\n\n  y", "b", ">+\n  z\n"]
    );
    assert_eq!(
        spans("a:\n  - 1\n  -  b: 2\n     c: 3\n"),
        ["a", "- 1\n  -  b: 2\n     c: 3", "1", "b: 2\n     c: 3", "b", "2", "c", "3"]
    );
    assert_eq!(spans("a: [x, {y: \"z\"}, ]\n"), ["a", "[x, {y: \"z\"}, ]", "x", "{y: \"z\"}", "y", "\"z\""]);
    assert_eq!(spans("a: |-\n  x"), ["a", "|-\n  x"]);
}

fn scalars() -> impl Strategy<Value = Scalar> {
    let text = prop_oneof![
        any::<String>(),
        "[ \\t\\n#:'\"\\[\\]{},&*!|>%@`?a-cy0-9.~_=<-]{0,12}",
        "(a|b|\\n| |\\t|\u{2028}|\u{85}|\u{feff}|😀|#|:){0,10}",
        prop::sample::select(vec![
            "<<",
            "yes",
            "null",
            "~",
            "0o7",
            "1_0",
            "12:30",
            "2024-02-29",
            ".inf",
            "1e400",
            "-",
            "---"
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![
        6 => text.prop_map(|text| Scalar::Text(text.into())),
        1 => prop::collection::vec(any::<u8>(), 0..120).prop_map(|bytes| Scalar::Text(Text::from(bytes))),
        1 => Just(Scalar::Null),
        1 => any::<bool>().prop_map(Scalar::Bool),
        1 => any::<i64>().prop_map(Scalar::Int),
        // A whole number is printed like an integer, as SOPS does it.
        1 => any::<f64>().prop_filter("a fraction", |float| float.fract() != 0.0 || !float.is_finite()).prop_map(Scalar::Float),
    ]
}

fn nodes() -> impl Strategy<Value = Node> {
    scalars().prop_map(Node::from).prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|values| Node::from(Seq {
                items: values.into_iter().map(Item::Value).collect(),
                flow: false
            })),
            maps(inner).prop_map(Node::from),
        ]
    })
}

fn maps(values: impl Strategy<Value = Node>) -> impl Strategy<Value = Map> {
    let key = prop_oneof!["[a-z]{1,8}", any::<String>(), "[ \\n\\t:#a-z-]{0,140}"];
    let entry = (prop::collection::vec("[ -~]{0,8}", 0..2), key, values);
    prop::collection::vec(entry, 0..5).prop_map(|entries| {
        let mut map = Map::default();
        for (comments, key, value) in entries {
            if map.get(&key).is_none() {
                // Other comments than those before an entry may be read elsewhere, as by SOPS.
                if matches!(value.value, Value::Scalar(_)) && !map.items.is_empty() {
                    let line = |text: String| Item::Comment(Comment { text: text.into(), ..Comment::default() });
                    map.items.extend(comments.into_iter().map(line));
                }
                map.items.push(Item::Value(Entry { key, key_span: None, value }));
            }
        }
        map
    })
}

/// Whether two trees are the same but for their spans. A base 64 text is a text again.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(Scalar::Float(a)), Value::Scalar(Scalar::Float(b))) => a == b || (a.is_nan() && b.is_nan()),
        (Value::Scalar(a), Value::Scalar(b)) => a == b,
        (Value::Map(a), Value::Map(b)) => same_maps(a, b),
        (Value::Seq(a), Value::Seq(b)) => {
            a.items.len() == b.items.len()
                && a.items.iter().zip(&b.items).all(|pair| match pair {
                    (Item::Value(a), Item::Value(b)) => same(a, b),
                    _ => false,
                })
        }
        _ => false,
    }
}

fn same_maps(a: &Map, b: &Map) -> bool {
    a.items.len() == b.items.len()
        && a.items.iter().zip(&b.items).all(|pair| match pair {
            (Item::Comment(a), Item::Comment(b)) => a.text == b.text,
            (Item::Value(a), Item::Value(b)) => a.key == b.key && same(&a.value, &b.value),
            _ => false,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sealed_is_read_again(documents in prop::collection::vec(maps(nodes()), 1..3), indent in 2_usize..9) {
        let tree = Tree { documents };
        let text = write_sealed(&tree, Style { indent: Some(indent) }).expect("every tree can be written");
        let shown = String::from_utf8_lossy(&text).into_owned();
        let again = read(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{shown}")))?;
        let all = tree.documents.len() == again.documents.len()
            && tree.documents.iter().zip(&again.documents).all(|(a, b)| same_maps(a, b));
        if !all {
            return Err(TestCaseError::fail(shown));
        }
    }

    #[test]
    fn no_text_is_too_strange(text in "[ \\n\\t#:'\"\\[\\]{},&*!|>%@`?a0.~<\\\\é\u{2028}\u{85}\u{feff}\r-]{0,60}") {
        // It is read or refused; what is read can be written, and that be read.
        if let Ok(tree) = read(text.as_bytes()) {
            let text = write_sealed(&tree, Style::default()).expect("every tree can be written");
            let again = read(&text).map_err(|error| {
                TestCaseError::fail(format!("{error}\n{}", String::from_utf8_lossy(&text)))
            });
            again?;
        }
    }
}
