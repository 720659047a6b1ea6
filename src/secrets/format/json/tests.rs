//! What `sops` 3.11 does with the same text.

use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::{read, write};
use crate::secrets::error::Error;
use crate::secrets::format::Style;
use crate::secrets::tree::{Item, Map, Node, Scalar, Seq, Tree, Value};

fn rewritten(text: &[u8]) -> Result<String, Error> {
    let bytes = write(&read(text)?, Style { indent: Some(0) })?;
    Ok(String::from_utf8(bytes).unwrap().replace('\n', ""))
}

#[test]
fn values_come_out_as_go_prints_them() {
    for (text, expected) in [
        (&br#"{"a":1,"b":-0,"c":1.50,"d":1E3}"#[..], r#"{"a": 1,"b": -0,"c": 1.5,"d": 1000}"#),
        (
            br#"{"a":1e-6,"b":1e-7,"c":1e20,"d":1e21}"#,
            r#"{"a": 0.000001,"b": 1e-7,"c": 100000000000000000000,"d": 1e+21}"#,
        ),
        (
            br#"{"a":9007199254740993,"b":12345678901234567890123}"#,
            r#"{"a": 9007199254740992,"b": 1.2345678901234568e+22}"#,
        ),
        (br#"{"a":1e-400,"b":-2.5e-8}"#, r#"{"a": 0,"b": -2.5e-8}"#),
        (br#"{"a":[true,false,null,{},[]]}"#, r#"{"a": [true,false,null,{},[]]}"#),
        (br#"{"a":1,"a":{"b":1,"b":2}}"#, r#"{"a": 1,"a": {"b": 1,"b": 2}}"#),
        (br#" { "" : "\u00e9\ud83d\ude00\/" } "#, "{\"\": \"é😀/\"}"),
        (
            br#"{"a":"<>&\u2028\u007f\b\f\u000b\u0000"}"#,
            "{\"a\": \"\\u003c\\u003e\\u0026\\u2028\u{7f}\\b\\f\\u000b\\u0000\"}",
        ),
        (
            br#"{"a":"\ud83d","b":"\ude00\ud83d","c":"\ud83dx","d":"\ud83d\ud83d\ude00"}"#,
            "{\"a\": \"\u{fffd}\",\"b\": \"\u{fffd}\u{fffd}\",\"c\": \"\u{fffd}x\",\"d\": \"\u{fffd}😀\"}",
        ),
        (b"{\"a\":\"\xff\xe2\x82x\xed\xa0\x80\"}", "{\"a\": \"\u{fffd}\u{fffd}\u{fffd}x\u{fffd}\u{fffd}\u{fffd}\"}"),
        (b"\t\r\n{}", "{}"),
    ] {
        assert_eq!(rewritten(text).unwrap(), expected, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn text_that_is_not_utf8_is_written_as_an_escape() {
    let mut map = Map::default();
    map.push("a", Node::text(b"x\xff\xe2\x82".to_vec()));
    let bytes = write(&Tree { documents: vec![map] }, Style::default()).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), "{\n\t\"a\": \"x\\ufffd\\ufffd\\ufffd\"\n}\n");
}

#[test]
fn what_go_refuses_is_refused_where_it_stands() {
    for (text, line, column) in [
        ("", 1, 1),
        (" \n", 2, 1),
        ("[1]", 1, 1),
        ("\"x\"", 1, 1),
        ("\u{feff}{}", 1, 1),
        ("{\"a\":1,}", 1, 8),
        ("{\"a\":[1,]}", 1, 9),
        ("{\"a\" 1}", 1, 6),
        ("{\"a\":1 \"b\":2}", 1, 8),
        ("{a:1}", 1, 2),
        ("{'a':1}", 1, 2),
        ("{\"a\":01}", 1, 7),
        ("{\"a\":1.}", 1, 8),
        ("{\"a\":.5}", 1, 6),
        ("{\"a\":+1}", 1, 6),
        ("{\"a\":-}", 1, 7),
        ("{\"a\":1e}", 1, 8),
        ("{\"a\":1e400}", 1, 6),
        ("{\"a\":NaN}", 1, 6),
        ("{\"a\":tru}", 1, 6),
        ("{\"a\":nullx}", 1, 10),
        ("{\"a\":\"é\n\"}", 1, 8),
        ("{\"a\":\"\\x\"}", 1, 7),
        ("{\"a\":\"\\u12G4\"}", 1, 7),
        ("{\"a\":\"x", 1, 6),
        ("{\"a\":", 1, 6),
        ("{\"a\":1", 1, 7),
        ("{\"a\":1,\n\"b\":[1", 2, 7),
        ("{\"a\":1\u{a0}}", 1, 7),
    ] {
        match read(text.as_bytes()) {
            Err(Error::Syntax { line: l, column: c, .. }) => assert_eq!((l, c), (line, column), "{text:?}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn nothing_may_follow_the_document() {
    assert!(read(b"{\"a\":1}\n \n").is_ok());
    assert!(read(b"{\"a\":1}\n{}").is_err());
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(nested(150).as_bytes()).is_ok());
    assert!(read(nested(100_000).as_bytes()).is_err());
}

#[test]
fn an_infinite_number_is_refused_by_its_path() {
    let mut inner = Map::default();
    inner.push("b", Scalar::Float(f64::INFINITY));
    let mut map = Map::default();
    map.push("a", inner);
    let error = write(&Tree { documents: vec![map] }, Style::default()).unwrap_err();
    assert!(matches!(error, Error::Refused { place, .. } if place == "a.b"));
}

#[test]
fn indentation_is_a_tab_or_spaces_or_nothing() {
    let tree = read(br#"{"a":{"b":[1]},"c":{}}"#).unwrap();
    for (indent, expected) in [
        (None, "{\n\t\"a\": {\n\t\t\"b\": [\n\t\t\t1\n\t\t]\n\t},\n\t\"c\": {}\n}\n"),
        (Some(2), "{\n  \"a\": {\n    \"b\": [\n      1\n    ]\n  },\n  \"c\": {}\n}\n"),
        (Some(0), "{\n\"a\": {\n\"b\": [\n1\n]\n},\n\"c\": {}\n}\n"),
    ] {
        assert_eq!(String::from_utf8(write(&tree, Style { indent }).unwrap()).unwrap(), expected);
    }
}

/// Each key and value read alone from its span is what it is in the tree.
fn check_spans(text: &[u8], node: &Node) {
    let span = node.span.unwrap();
    let alone = [b"{\"x\":", &text[span.start..span.end], b"}"].concat();
    let reread = read(&alone).unwrap();
    assert!(same(&reread.documents[0].get("x").unwrap().value, &node.value));
    match &node.value {
        Value::Scalar(_) => {}
        Value::Map(map) => check_spans_of(text, map),
        Value::Seq(seq) => seq.items.iter().for_each(|item| match item {
            Item::Value(node) => check_spans(text, node),
            Item::Comment(_) => panic!("JSON has no comments"),
        }),
    }
}

fn check_spans_of(text: &[u8], map: &Map) {
    for entry in map.entries() {
        let span = entry.key_span.unwrap();
        let alone = [b"{", &text[span.start..span.end], b":1}"].concat();
        assert_eq!(read(&alone).unwrap().documents[0].entries().next().unwrap().key, entry.key);
        check_spans(text, &entry.value);
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Scalar(Scalar::Float(a)), Value::Scalar(Scalar::Float(b))) => a.to_bits() == b.to_bits(),
        (Value::Scalar(a), Value::Scalar(b)) => a == b,
        (Value::Map(a), Value::Map(b)) => same_maps(a, b),
        (Value::Seq(a), Value::Seq(b)) => {
            a.items.len() == b.items.len()
                && a.items.iter().zip(&b.items).all(|pair| match pair {
                    (Item::Value(a), Item::Value(b)) => same(&a.value, &b.value),
                    _ => false,
                })
        }
        _ => false,
    }
}

fn same_maps(a: &Map, b: &Map) -> bool {
    a.items.len() == b.items.len()
        && a.entries().zip(b.entries()).all(|(a, b)| a.key == b.key && same(&a.value.value, &b.value.value))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-c\"\\\\/<>&\u{2028}\t\r\n\u{0}-\u{1f}]{0,8}"]
}

fn value() -> impl Strategy<Value = Node> {
    let scalar = prop_oneof![
        Just(Scalar::Null),
        any::<bool>().prop_map(Scalar::Bool),
        any::<f64>().prop_filter("JSON has no such number", |number| number.is_finite()).prop_map(Scalar::Float),
        (-1000_i32..1000).prop_map(|number| Scalar::Float(f64::from(number))),
        text().prop_map(|text| Scalar::Text(text.into())),
    ];
    scalar.prop_map(Node::from).prop_recursive(4, 40, 6, |value| {
        prop_oneof![
            map(value.clone()).prop_map(Node::from),
            proptest::collection::vec(value, 0..6).prop_map(|values| {
                Node::from(Seq { items: values.into_iter().map(Item::Value).collect(), flow: false })
            }),
        ]
    })
}

fn map(value: impl Strategy<Value = Node>) -> impl Strategy<Value = Map> {
    proptest::collection::vec((text(), value), 0..6).prop_map(|entries| {
        let mut map = Map::default();
        for (key, value) in entries {
            map.push(key, value);
        }
        map
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_with_its_spans(map in map(value()), indent in proptest::option::of(0_usize..5)) {
        let tree = Tree { documents: vec![map] };
        let bytes = write(&tree, Style { indent }).unwrap();
        let reread = read(&bytes).unwrap();
        assert!(same_maps(&reread.documents[0], &tree.documents[0]));
        check_spans_of(&bytes, &reread.documents[0]);
        prop_assert_eq!(write(&reread, Style { indent }).unwrap(), bytes);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), text in "[{}\\[\\]\",:0-9eE+.\\\\u truefalsn-]{0,60}") {
        for bytes in [bytes, text.into_bytes()] {
            if let Ok(tree) = read(&bytes) {
                check_spans_of(&bytes, &tree.documents[0]);
            }
        }
    }
}
