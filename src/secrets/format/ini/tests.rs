//! What `sops` 3.11 does with the same text, and where pforge differs.

use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::{read_plain, read_sealed, write_plain, write_sealed};
use crate::secrets::error::Error;
use crate::secrets::tree::{Comment, Item, Map, Node, Scalar, Tree, Value};

fn rewritten(text: &str) -> Result<String, Error> {
    write_plain(&read_plain(text.as_bytes())?).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn documents_come_out_as_sops_prints_them() {
    for (text, expected) in [
        ("", ""),
        ("x=1", "x = 1\n"),
        ("[a]\n", "[a]\n"),
        ("a=1\n[b]\n\n\nlong : 2\n[c]", "a = 1\n\n[b]\nlong = 2\n\n[c]\n"),
        ("[DEFAULT]\nx=1\n", "[DEFAULT]\nx = 1\n"),
        ("[a]\nx=1\n[a]\ny=2", "[a]\nx = 1\n\n[a]\ny = 2\n"),
        ("\u{feff}[ a ] ; c\n\tkey =\n k2\t= v \n", "; c\n[ a ]\nkey = \nk2  = v\n"),
        ("# a\n;b\n\n  #c\nx=1 ; d\n; lost", "; a\n; b\n# c\n; d\nx = 1\n"),
        ("x=\"with quotes\"\ny='single'\nz='a\"b'\n", "x = with quotes\ny = single\nz = a\"b\n"),
        ("x=`a;b#c`\ny=\"\"\"a\nb\"\"\"\nz=\" x \"\n", "x = `a;b#c`\ny = \"\"\"a\nb\"\"\"\nz = \" x \"\n"),
        ("x = a \\\n   b\ny = 1\n", "x = a b\ny = 1\n"),
        ("x = a \\\n\ny = 1\n", "x = \"a \"\ny = 1\n"),
        ("`a=b` = 1\n\"c:d\" = 2\n\"\"\"e`f\"\"\" = 3\n", "`a=b`     = 1\n`c:d`     = 2\n\"\"\"e`f\"\"\" = 3\n"),
        ("ключ = значение\nk = v\n", "ключ = значение\nk        = v\n"),
        ("x = %(y)s\\n\r\ny = 2\r\n", "x = %(y)s\\n\ny = 2\n"),
        ("x = a ;\ny = ; note\nz =\n", "x = a\n; note\ny = \nz = \n"),
    ] {
        assert_eq!(rewritten(text).unwrap(), expected, "{text:?}");
    }
}

#[test]
fn what_sops_writes_so_that_it_reads_back_differently_is_spelled_another_way() {
    for (text, expected) in [
        ("x = `C:\\dir\\`\n", "x = `C:\\dir\\`\n"),
        ("x = '\"y\"'\n", "x = `\"y\"`\n"),
        ("`#x` = 1\n", "`#x` = 1\n"),
        ("`[x` = 1\n", "`[x` = 1\n"),
        ("\n\u{feff}x = 1\n", "`\u{feff}x` = 1\n"),
        (";\n; b\nx = 1\n", "; b\nx = 1\n"),
    ] {
        let written = rewritten(text).unwrap();
        assert_eq!(written, expected, "{text:?}");
        assert_eq!(rewritten(&written).unwrap(), expected, "{text:?}");
    }
}

#[test]
fn a_comment_in_clear_does_not_begin_with_a_line_that_sops_would_stop_at() {
    for (text, plain) in
        [(";\r\n; b\r\nx = 1\r\n", "; \n; b\nx = 1\n"), ("; ##\n;\u{a0}\n; b\nx = 1\n", "# #\n; \n; b\nx = 1\n")]
    {
        assert_eq!(rewritten(text).unwrap(), plain, "{text:?}");
        let sealed = write_sealed(&read_plain(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(String::from_utf8(sealed).unwrap(), "; b\nx = 1\n", "{text:?}");
    }
}

#[test]
fn what_sops_refuses_is_refused() {
    for text in
        ["x", "[a\n", "[]\n", "= 1\n", "\"\" = 1\n", "\"x = 1\n", "`x` y\n", "x = `a\n", "x = \"\"\"a\nb\n", "x\ny=1\n"]
    {
        assert!(matches!(read_plain(text.as_bytes()), Err(Error::Syntax { line: 1, .. })), "{text:?}");
        assert!(read_sealed(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(read_plain(b"\xff\xfex\x00").is_err());
    assert!(read_plain(b"\xff = 1").is_err());
}

#[test]
fn a_plaintext_that_sops_would_read_in_part_is_refused() {
    for (line, what) in [
        ("x = http://h/?a=b#frag", "backquotes"),
        ("x = a;b", "backquotes"),
        ("x = #fff", "backquotes"),
        ("x = \"a ; b\"", "backquotes"),
        ("x = 'a # b'", "backquotes"),
        ("x = `a` b", "drop"),
        ("x = \"\"\"a\nb\"\"\" c", "drop"),
        ("\"x\" y = 1", "drop"),
        ("x = 1\nx = 2", "twice"),
        ("- = 1", "number"),
    ] {
        let text = format!("[s]\nk = v\n{line}\n");
        match read_plain(text.as_bytes()) {
            Err(Error::Syntax { line: at, what: message, .. }) => {
                assert_eq!(at, if what == "twice" { 4 } else { 3 }, "{line}");
                assert!(message.contains(what) && message.contains("SOPS would"), "{line}: {message}");
                assert!(!message.contains("frag"), "{line}: {message}");
            }
            other => panic!("{line}: {other:?}"),
        }
        assert!(read_sealed(text.as_bytes()).is_ok(), "{line}");
    }
}

#[test]
fn an_encrypted_document_is_read_just_as_sops_does() {
    let tree = read_sealed(b"[s]\nx = 1 ; a\ny = a#b\nx = 2\n- = 3\n- = 4\n").unwrap();
    let Some(Node { value: Value::Map(section), .. }) = tree.documents[0].get("s") else { panic!() };
    let entries: Vec<_> = section.entries().map(|entry| (entry.key.as_str(), entry.value.as_str().unwrap())).collect();
    assert_eq!(entries, [("x", "2"), ("y", "a"), ("#1", "3"), ("#2", "4")]);
}

#[test]
fn spans_are_those_of_keys_values_comments_and_headers() {
    let text =
        "; one\n# two\nx = \"v\" ; three\n\n[s] ; four\n  `k=` =  a\\\n  b  \n; five\ne =\nm = \"\"\"p\nq\"\"\"\n";
    let tree = read_plain(text.as_bytes()).unwrap();
    let mut found = Vec::new();
    let mut note = |span: Option<crate::secrets::tree::Span>| found.push(span.map(|span| &text[span.start..span.end]));
    for section in tree.documents[0].entries() {
        note(section.key_span);
        note(section.value.span);
        let Value::Map(map) = &section.value.value else { panic!() };
        for item in &map.items {
            match item {
                Item::Comment(comment) => note(comment.span),
                Item::Value(entry) => {
                    note(entry.key_span);
                    note(entry.value.span);
                }
            }
        }
    }
    let whole = "`k=` =  a\\\n  b  \n; five\ne =\nm = \"\"\"p\nq\"\"\"";
    assert_eq!(
        found,
        [
            None,
            Some("x = \"v\""),
            Some("x"),
            Some("\"v\""),
            None,
            Some("[s]"),
            Some(whole),
            Some("; four"),
            Some("`k=`"),
            Some("a\\\n  b"),
            Some("e"),
            Some(""),
            Some("; five"),
            Some("m"),
            Some("\"\"\"p\nq\"\"\""),
        ]
    );
}

#[test]
fn what_an_ini_file_cannot_hold_is_refused_by_its_path() {
    let nested = |key: &str, value: Node| {
        let mut section = Map::default();
        section.push(key, value);
        let mut map = Map::default();
        map.push("s", section);
        Tree { documents: vec![map] }
    };
    let mut flat = Map::default();
    flat.push("x", Node::text("1"));
    for (tree, expected) in [
        (Tree { documents: vec![flat] }, "x"),
        (nested("k", Map::default().into()), "s.k"),
        (nested("-", Node::text("1")), "s.-"),
        (nested(" k", Node::text("1")), "s. k"),
        (nested("", Node::text("1")), "s."),
        (nested("k", Node::text("`\"\"\"\n")), "s.k"),
    ] {
        match write_plain(&tree) {
            Err(Error::Refused { place, .. }) => assert_eq!(place, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn values_that_are_not_text_are_spelled_as_sops_does() {
    let mut section = Map::default();
    section.items.push(Item::Comment(Comment { text: " of the section".into(), ..Comment::default() }));
    section.push("n", Scalar::Null);
    section.push("f", Scalar::Float(20.0));
    section.push("b", Scalar::Bool(true));
    section.items.push(Item::Comment(Comment { text: " lost".into(), ..Comment::default() }));
    section.items.push(Item::Comment(Comment { text: " of b".into(), ..Comment::default() }));
    section.push("i", Scalar::Int(-5));
    let mut map = Map::default();
    map.push("s", section);
    let bytes = write_plain(&Tree { documents: vec![map] }).unwrap();
    let expected = ";  of the section\n[s]\nn = <nil>\nf = 20.0\n; of b\nb = true\ni = -5\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

/// The sections of a document, with their keys.
type Sections = Vec<(String, Vec<(String, Vec<u8>)>)>;

fn sections(tree: &Tree) -> Sections {
    tree.documents[0]
        .entries()
        .map(|section| {
            let Value::Map(map) = &section.value.value else { panic!() };
            let keys = map.entries().map(|entry| match &entry.value.value {
                Value::Scalar(Scalar::Text(text)) => (entry.key.clone(), text.expose().to_vec()),
                other => panic!("{other:?}"),
            });
            (section.key.clone(), keys.collect())
        })
        .collect()
}

fn documents() -> impl Strategy<Value = Sections> {
    let name = prop_oneof!["[a-z]{1,6}", "[a-c .#;\"'`=:\\[\\]\\\\é-]{1,5}"];
    let value = prop_oneof![
        "[ a-c#;\"'`=:\\\\\n\r\té-]{0,8}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..8),
    ];
    let section = (name.clone(), proptest::collection::btree_map(name, value, 0..5));
    proptest::collection::vec(section, 0..4)
        .prop_map(|sections| sections.into_iter().map(|(name, keys)| (name, keys.into_iter().collect())).collect())
}

proptest! {
    #[test]
    fn what_is_written_is_read(sections_in in documents()) {
        let mut map = Map::default();
        map.push(super::DEFAULT, Map::default());
        for (name, keys) in &sections_in {
            let mut section = Map::default();
            for (key, value) in keys {
                section.push(key.clone(), Node::text(value.clone()));
            }
            map.push(name.clone(), section);
        }
        let tree = Tree { documents: vec![map] };
        if let Ok(bytes) = write_plain(&tree) {
            for reread in [read_plain(&bytes).unwrap(), read_sealed(&bytes).unwrap()] {
                prop_assert_eq!(sections(&reread), sections(&tree));
                prop_assert_eq!(&write_plain(&reread).unwrap(), &bytes);
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "([ax=:;#\"'`\\[\\]\\\\ \r\n-]|\"\"\"| = ){0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        for bytes in [text.into_bytes(), bytes] {
            let _ = read_sealed(&bytes);
            if let Ok(tree) = read_plain(&bytes) && let Ok(written) = write_plain(&tree) {
                prop_assert_eq!(sections(&read_plain(&written).unwrap()), sections(&tree));
            }
        }
    }
}
