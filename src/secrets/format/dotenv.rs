//! dotenv files as SOPS reads and writes them: `KEY=value` line by line, nothing trimmed, nothing
//! unquoted. A line break inside a value is spelled `\n`; there is no other escape.

use super::place::syntax;
use super::{Format, spell};
use crate::secrets::error::Error;
use crate::secrets::text::Text;
use crate::secrets::tree::{Comment, Entry, Item, Map, Node, Scalar, Span, Tree, Value};

/// Reads a document with spans. Empty lines are dropped.
pub(super) fn read(bytes: &[u8]) -> Result<Tree, Error> {
    let mut map = Map::default();
    let mut start = 0;
    for line in bytes.split(|&byte| byte == b'\n') {
        let end = start + line.len();
        match line.first() {
            None => {}
            Some(b'#') => map.items.push(Item::Comment(Comment {
                text: line[1..].to_vec().into(),
                span: Some(Span { start, end }),
                sealed: None,
            })),
            Some(_) => map.items.push(Item::Value(entry(bytes, start, line)?)),
        }
        start = end + 1;
    }
    Ok(Tree { documents: vec![map] })
}

fn entry(bytes: &[u8], start: usize, line: &[u8]) -> Result<Entry, Error> {
    let refused = |what: &str| Err(syntax(Format::Dotenv, bytes, start, what));
    let Some(equals) = line.iter().position(|&byte| byte == b'=') else {
        return refused("there is no = in the line, which is neither empty nor begins with #");
    };
    let Ok(key) = std::str::from_utf8(&line[..equals]) else {
        return refused("the key is not UTF-8");
    };
    let value = Span { start: start + equals + 1, end: start + line.len() };
    Ok(Entry {
        key: key.to_owned(),
        key_span: Some(Span { start, end: start + equals }),
        value: Node {
            value: Value::Scalar(Scalar::Text(unescape(&line[equals + 1..]))),
            span: Some(value),
            sealed: None,
        },
    })
}

/// Writes the first document of a tree. Nested values have no place in it.
pub(super) fn write(tree: &Tree) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    for item in tree.documents.first().map_or(&[][..], |document| &document.items) {
        match item {
            Item::Comment(comment) => {
                for line in comment.text.expose().split(|&byte| byte == b'\n') {
                    out.push(b'#');
                    out.extend(line);
                    out.push(b'\n');
                }
            }
            Item::Value(entry) => {
                let refused = |what: &str| Err(Error::Refused { place: entry.key.clone(), what: what.to_owned() });
                let Value::Scalar(scalar) = &entry.value.value else {
                    return refused("is not a single value, which a dotenv file cannot hold");
                };
                if entry.key.contains(['=', '\n']) || entry.key.starts_with('#') {
                    return refused("is not a name that a dotenv file can hold");
                }
                out.extend(entry.key.as_bytes());
                out.push(b'=');
                escape_into(&mut out, &spell::flat(scalar));
                out.push(b'\n');
            }
        }
    }
    Ok(out)
}

/// `text` with `\n` for each line break.
fn escape_into(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'\n' => out.extend(b"\\n"),
            other => out.push(other),
        }
    }
}

/// `text` with a line break for each `\n`.
fn unescape(text: &[u8]) -> Text {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        match after.split_first() {
            Some((b'n', after)) if byte == b'\\' => {
                out.push(b'\n');
                rest = after;
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    fn rewritten(text: &[u8]) -> Result<Vec<u8>, Error> {
        write(&read(text)?)
    }

    #[test]
    fn lines_come_out_as_they_were_but_empty_ones() {
        for (text, expected) in [
            (&b""[..], &b""[..]),
            (b"\n\nA=1\n\n", b"A=1\n"),
            (b"# c\n#no space\nA = \"x\" # y", b"# c\n#no space\nA = \"x\" # y\n"),
            (b"export A=b=c\n=\n", b"export A=b=c\n=\n"),
            (b"A=1\r\n# c\r\n", b"A=1\r\n# c\r\n"),
            (b"A=x\\ny\\\\n\\t\\", b"A=x\\ny\\\\n\\t\\\n"),
            (b"A=\xff\xfe\n#\xff", b"A=\xff\xfe\n#\xff\n"),
        ] {
            assert_eq!(rewritten(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn backslash_n_is_a_line_break() {
        let tree = read(b"A=C:\\new\\\\n\n").unwrap();
        assert_eq!(tree.documents[0].get("A").unwrap().as_str(), Some("C:\new\\\n"));
    }

    #[test]
    fn spans_are_those_of_keys_values_and_comments() {
        let text = "# c\n\nexport A = x\nB=\n";
        let tree = read(text.as_bytes()).unwrap();
        let at = |span: Option<Span>| span.map(|span| &text[span.start..span.end]);
        let parts: Vec<_> = tree.documents[0]
            .items
            .iter()
            .map(|item| match item {
                Item::Comment(comment) => (at(comment.span), None),
                Item::Value(entry) => (at(entry.key_span), at(entry.value.span)),
            })
            .collect();
        assert_eq!(parts, [(Some("# c"), None), (Some("export A "), Some(" x")), (Some("B"), Some(""))]);
    }

    #[test]
    fn what_is_not_an_entry_is_refused_by_its_line() {
        for (text, at) in [(&b"A=1\nNOEQ"[..], 2), (b"  # c\n", 1), (b"\r\n", 1), (b"\n\n\xff=1", 3)] {
            match read(text) {
                Err(Error::Syntax { line, column: 1, .. }) => assert_eq!(line, at, "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_a_dotenv_file_cannot_hold_is_refused_by_its_key() {
        for (key, value) in [
            ("a", Node::from(Map::default())),
            ("a=b", Node::text("1")),
            ("a\nb", Node::text("1")),
            ("#a", Node::text("1")),
        ] {
            let mut map = Map::default();
            map.push(key, value);
            match write(&Tree { documents: vec![map] }) {
                Err(Error::Refused { place, .. }) => assert_eq!(place, key),
                other => panic!("{key}: {other:?}"),
            }
        }
    }

    #[test]
    fn values_that_are_not_text_are_spelled_as_sops_does() {
        let mut map = Map::default();
        map.push("n", Scalar::Null);
        map.push("f", Scalar::Float(1e6));
        map.push("b", Scalar::Bool(false));
        map.push("i", Scalar::Int(7));
        map.items.push(Item::Comment(Comment { text: " a\n b".into(), ..Comment::default() }));
        let other = Map { items: vec![Item::Comment(Comment::default())], flow: false };
        let bytes = write(&Tree { documents: vec![map, other] }).unwrap();
        assert_eq!(bytes, b"n=<nil>\nf=1E+06\nb=false\ni=7\n# a\n# b\n");
    }

    fn items() -> impl Strategy<Value = Vec<Item<Entry>>> {
        let comment = proptest::collection::vec(any::<u8>().prop_filter("one line", |&byte| byte != b'\n'), 0..8)
            .prop_map(|text| Item::Comment(Comment { text: text.into(), ..Comment::default() }));
        let value = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..8),
            "[ a\\\\\n\r=#\"']{0,8}".prop_map(String::into_bytes)
        ];
        let entry = ("[^=#\n][^=\n]{0,5}|", value)
            .prop_map(|(key, value)| Item::Value(Entry { key, key_span: None, value: Node::text(value) }));
        proptest::collection::vec(prop_oneof![comment, entry], 0..8)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(items in items()) {
            let tree = Tree { documents: vec![Map { items, flow: false }] };
            let bytes = write(&tree).unwrap();
            let reread = read(&bytes).unwrap();
            prop_assert_eq!(reread.documents[0].items.len(), tree.documents[0].items.len());
            for (was, is) in tree.documents[0].items.iter().zip(&reread.documents[0].items) {
                match (was, is) {
                    (Item::Comment(was), Item::Comment(is)) => prop_assert_eq!(was.text.expose(), is.text.expose()),
                    (Item::Value(was), Item::Value(is)) => {
                        prop_assert_eq!(&was.key, &is.key);
                        // Two characters that spell a line break have become one.
                        let spelled = unescape(&spelled(was));
                        prop_assert_eq!(spelled.expose(), &spelled_text(is)[..]);
                    }
                    _ => panic!("a comment became an entry, or the other way round"),
                }
            }
            prop_assert_eq!(write(&reread).unwrap(), bytes);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(tree) = read(&bytes) {
                prop_assert_eq!(rewritten(&write(&tree).unwrap()).unwrap(), write(&tree).unwrap());
            }
        }
    }

    fn spelled_text(entry: &Entry) -> Vec<u8> {
        match &entry.value.value {
            Value::Scalar(scalar) => spell::flat(scalar).into_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn spelled(entry: &Entry) -> Vec<u8> {
        let mut out = Vec::new();
        escape_into(&mut out, &spelled_text(entry));
        out
    }
}
