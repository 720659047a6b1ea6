//! The text of a config file as plain values, whether it was encrypted or not.

use std::fs;
use std::path::Path;

use chrono::SecondsFormat;
use serde_yaml::{Mapping, Number, Value};
use zeroize::Zeroize;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::secrets::file;
use crate::secrets::tree::{Entry, Item, Map, Node, Scalar, Value as Part};
use crate::secrets::{self, Format, MacPolicy, Sealed, Text, Tree};

/// The values of a config file; their texts are zeroised on drop.
pub struct Document(Value);

impl Document {
    /// Reads the file at `path`, decrypting it in memory when it is encrypted; whether it was.
    ///
    /// # Errors
    /// A configuration error when it is wrong, one of integrity when it does not decrypt. No value
    /// of the file is ever repeated.
    pub fn load(cx: &Cx, path: &Path) -> Result<(Self, bool)> {
        let bytes = fs::read(path).map(Text::from).map_err(|error| {
            Error::config(format!("cannot read {}", path.display()))
                .caused_by(&error)
                .hint(format!("ls -l {}", path.display()))
        })?;
        let encrypted = !matches!(
            Sealed::read(Format::Yaml, bytes.expose().to_vec()),
            Err(secrets::Error::NotEncrypted | secrets::Error::Syntax { .. } | secrets::Error::Refused { .. })
        );
        let document = if encrypted {
            Self::of(&file::open(cx, path, Some(Format::Yaml), MacPolicy::Verify)?.opened.tree)
        } else {
            let text = bytes.expose_str().ok_or_else(|| Error::config("is not UTF-8"));
            text.and_then(Self::parse)
        };
        let document = document.map_err(|error| {
            let message = format!("{} {}", path.display(), error.message);
            Error { message, ..error }.hint(edit(path, encrypted))
        })?;
        Ok((document, encrypted))
    }

    /// Reads the text of a file that is not encrypted.
    ///
    /// # Errors
    /// When it is not YAML, or no mapping. Tells the place and nothing of what stands there.
    pub fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_yaml::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
            let place =
                error.location().map_or(String::new(), |at| format!(", line {}, column {}", at.line(), at.column()));
            // Only the place: the parser's message may repeat a key of the file.
            Error::config(format!("is not valid YAML{place}"))
        })?;
        let document = Self(value);
        match document.0 {
            Value::Mapping(_) => Ok(document),
            Value::Null => Err(Error::config("is empty")),
            _ => Err(Error::config("must hold sections, but is one value")),
        }
    }

    /// The values of an opened file.
    ///
    /// # Errors
    /// When it holds several documents, or a text that is not UTF-8.
    pub fn of(tree: &Tree) -> Result<Self> {
        match tree.documents.as_slice() {
            [] => Err(Error::config("is empty")),
            [map] => mapping(map).map(Self),
            several => Err(Error::config(format!("holds {} documents, but must hold one", several.len()))),
        }
    }

    /// The values.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

/// The command that edits the file at `path`.
pub fn edit(path: &Path, encrypted: bool) -> String {
    let editor = if encrypted { "pforge secrets edit" } else { "${EDITOR:-vi}" };
    format!("{editor} {}", path.display())
}

impl Drop for Document {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Sequence(items) => items.iter_mut().for_each(wipe),
        Value::Mapping(map) => map.iter_mut().for_each(|(_, value)| wipe(value)),
        Value::Tagged(tagged) => wipe(&mut tagged.value),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn mapping(map: &Map) -> Result<Value> {
    let entry = |entry: &Entry| Ok((Value::from(entry.key.as_str()), value(&entry.value)?));
    map.entries().map(entry).collect::<Result<Mapping>>().map(Value::Mapping)
}

fn value(node: &Node) -> Result<Value> {
    let item = |item: &Item<Node>| match item {
        Item::Value(node) => Some(value(node)),
        Item::Comment(_) => None,
    };
    match &node.value {
        Part::Map(map) => mapping(map),
        Part::Seq(seq) => seq.items.iter().filter_map(item).collect::<Result<_>>().map(Value::Sequence),
        Part::Scalar(scalar) => self::scalar(scalar),
    }
}

/// SOPS gives points in time a type of their own; in a config they are texts.
fn scalar(scalar: &Scalar) -> Result<Value> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(*value),
        Scalar::Int(value) => Value::Number((*value).into()),
        Scalar::Uint(value) => Value::Number((*value).into()),
        Scalar::Float(value) => Value::Number(Number::from(*value)),
        Scalar::Time(time) => Value::String(time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        Scalar::Text(text) => {
            let text = text.expose_str().ok_or_else(|| Error::config("holds a text that is not UTF-8"))?;
            Value::String(text.to_owned())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Document, Map, Node, Part, Scalar, Tree};
    use crate::secrets::tree::{Comment, Item, Seq};

    #[test]
    fn an_opened_file_reads_as_the_same_file_in_plain() {
        let mut map = Map::default();
        map.push("text", Node::text("0755"));
        map.push("int", Scalar::Int(-5));
        map.push("uint", Scalar::Uint(u64::MAX));
        map.push("float", Scalar::Float(0.5));
        map.push("bool", Scalar::Bool(true));
        map.push("null", Scalar::Null);
        let time = chrono::DateTime::parse_from_rfc3339("2024-02-29T00:00:00.5+01:00").expect("time");
        map.push("time", Scalar::Time(time));
        let items = vec![Item::Comment(Comment::default()), Item::Value(Node::text("a"))];
        map.push("list", Seq { items, flow: false });
        let plain = "text: '0755'\nint: -5\nuint: 18446744073709551615\nfloat: 0.5\nbool: true\nnull: null\n\
             time: '2024-02-29T00:00:00.500+01:00'\nlist: [a]\n"
            .replace("\nnull:", "\n'null':");
        let opened = Document::of(&Tree { documents: vec![map] }).expect("opened");
        assert_eq!(opened.value(), Document::parse(&plain).expect("plain").value());
    }

    #[test]
    fn what_is_no_config_is_refused() {
        let told = |document: crate::cli::error::Result<Document>| document.err().map(|error| error.message);
        assert_eq!(told(Document::parse("a: [1\n")).expect("error"), "is not valid YAML, line 2, column 1");
        assert_eq!(told(Document::parse("\u{feff}# nothing\n")).expect("error"), "is empty");
        assert_eq!(told(Document::of(&Tree::default())).expect("error"), "is empty");
        let two = Tree { documents: vec![Map::default(), Map::default()] };
        assert_eq!(told(Document::of(&two)).expect("error"), "holds 2 documents, but must hold one");
        let mut bytes = Map::default();
        bytes.push("a", Node::from(Scalar::Text(vec![0xff].into())));
        assert!(matches!(bytes.get("a").expect("a").value, Part::Scalar(_)));
        assert_eq!(
            told(Document::of(&Tree { documents: vec![bytes] })).expect("error"),
            "holds a text that is not UTF-8"
        );
    }
}
