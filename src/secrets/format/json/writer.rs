//! Writing as Go's `json.Marshal` and `json.Indent` do: HTML characters escaped, floats without
//! an exponent from 1e-6 up to below 1e21. Comments have no place in JSON and are left out.

use crate::secrets::decimal;
use crate::secrets::error::Error;
use crate::secrets::format::Style;
use crate::secrets::leaf::rfc3339_nano;
use crate::secrets::tree::{Item, Map, Node, Scalar, Seq, Tree, Value};

/// Writes the first document of a tree.
pub(in crate::secrets::format) fn write(tree: &Tree, style: Style) -> Result<Vec<u8>, Error> {
    let indent = style.indent.map_or_else(|| "\t".to_owned(), |spaces| " ".repeat(spaces));
    let mut writer = Writer { out: Vec::new(), indent, path: Vec::new() };
    match tree.documents.first() {
        Some(map) => writer.map(map, 0)?,
        None => writer.out.extend(b"{}"),
    }
    writer.out.push(b'\n');
    Ok(writer.out)
}

/// Writes one value.
pub(in crate::secrets::format) fn write_value(node: &Node, style: Style) -> Result<Vec<u8>, Error> {
    let indent = style.indent.map_or_else(|| "\t".to_owned(), |spaces| " ".repeat(spaces));
    let mut writer = Writer { out: Vec::new(), indent, path: Vec::new() };
    writer.node(node, 0)?;
    writer.out.push(b'\n');
    Ok(writer.out)
}

struct Writer<'a> {
    out: Vec<u8>,
    indent: String,
    /// The keys that lead to what is being written.
    path: Vec<&'a str>,
}

impl<'a> Writer<'a> {
    fn node(&mut self, node: &'a Node, depth: usize) -> Result<(), Error> {
        match &node.value {
            Value::Scalar(scalar) => self.scalar(scalar),
            Value::Map(map) => self.map(map, depth),
            Value::Seq(seq) => self.seq(seq, depth),
        }
    }

    fn map(&mut self, map: &'a Map, depth: usize) -> Result<(), Error> {
        self.out.push(b'{');
        let mut is_first = true;
        for entry in map.entries() {
            self.next(is_first, depth + 1);
            is_first = false;
            self.text(entry.key.as_bytes());
            self.out.extend(b": ");
            self.path.push(&entry.key);
            self.node(&entry.value, depth + 1)?;
            self.path.pop();
        }
        self.close(b'}', is_first, depth);
        Ok(())
    }

    fn seq(&mut self, seq: &'a Seq, depth: usize) -> Result<(), Error> {
        self.out.push(b'[');
        let mut is_first = true;
        for item in &seq.items {
            if let Item::Value(node) = item {
                self.next(is_first, depth + 1);
                is_first = false;
                self.node(node, depth + 1)?;
            }
        }
        self.close(b']', is_first, depth);
        Ok(())
    }

    fn next(&mut self, is_first: bool, depth: usize) {
        if !is_first {
            self.out.push(b',');
        }
        self.line(depth);
    }

    fn close(&mut self, bracket: u8, is_empty: bool, depth: usize) {
        if !is_empty {
            self.line(depth);
        }
        self.out.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        self.out.push(b'\n');
        for _ in 0..depth {
            self.out.extend(self.indent.as_bytes());
        }
    }

    fn scalar(&mut self, scalar: &Scalar) -> Result<(), Error> {
        match scalar {
            Scalar::Null => self.out.extend(b"null"),
            Scalar::Bool(value) => self.out.extend(value.to_string().as_bytes()),
            Scalar::Int(value) => self.out.extend(value.to_string().as_bytes()),
            Scalar::Uint(value) => self.out.extend(value.to_string().as_bytes()),
            Scalar::Float(value) if value.is_finite() => self.out.extend(float(*value).as_bytes()),
            Scalar::Float(_) => {
                let what = "is an infinite number or none, which JSON cannot hold".to_owned();
                return Err(Error::Refused { place: self.path.join("."), what });
            }
            Scalar::Time(time) => self.text(rfc3339_nano(time).as_bytes()),
            Scalar::Text(text) => self.text(text.expose()),
        }
        Ok(())
    }

    fn text(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                self.character(c);
            }
            for _ in chunk.invalid() {
                self.out.extend(b"\\ufffd");
            }
        }
        self.out.push(b'"');
    }

    fn character(&mut self, c: char) {
        match c {
            '"' => self.out.extend(b"\\\""),
            '\\' => self.out.extend(b"\\\\"),
            '\u{8}' => self.out.extend(b"\\b"),
            '\u{c}' => self.out.extend(b"\\f"),
            '\n' => self.out.extend(b"\\n"),
            '\r' => self.out.extend(b"\\r"),
            '\t' => self.out.extend(b"\\t"),
            _ if c < ' ' || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => {
                self.out.extend(format!("\\u{:04x}", u32::from(c)).as_bytes());
            }
            _ => self.out.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// The shortest text that reads back as `value`, which is finite.
fn float(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return decimal::plain(value);
    }
    let text = decimal::scientific(value);
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}
