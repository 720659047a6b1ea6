//! A value from the command line, and its type.
//!
//! A text stays a text: `"0123"` never becomes a number behind the person's back. What was a
//! number or a boolean stays one when the new text reads as one, and anything else needs `--type`.

use std::str::FromStr;

use serde_json::Value as Json;

use crate::cli::error::{Error, Result};
use crate::secrets::Text;
use crate::secrets::tree::{Item, Map, Node, Scalar, Seq, Value};

/// The type of a value, as `--type` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Type {
    /// Text, whatever it looks like.
    Text,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// true or false.
    Bool,
    /// Nothing; never encrypted.
    Null,
    /// JSON: any of these, a list, or a section.
    Json,
}

impl Type {
    /// Its name in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "a whole number",
            Self::Float => "a number",
            Self::Bool => "true or false",
            Self::Null => "null",
            Self::Json => "JSON",
        }
    }
}

/// Reads `text` as `wanted`, or as what stands in its place now, or as text.
///
/// # Errors
/// A usage error when it does not read so; `place` names the path. The text is never repeated.
pub fn node(place: &str, text: Text, wanted: Option<Type>, now: Option<&Node>) -> Result<Node> {
    if let Some(wanted) = wanted {
        return typed(text, wanted)
            .ok_or_else(|| Error::usage(format!("the value for {place} is not {}", wanted.name())));
    }
    let kind = match now.map(|node| &node.value) {
        Some(Value::Map(_) | Value::Seq(_)) => {
            return Err(Error::usage(format!("{place} holds a whole section, which one text would replace"))
                .because("with --type json the value may be a section or a list itself")
                .hint(format!("pforge secrets edit FILE {place}")));
        }
        Some(Value::Scalar(Scalar::Int(_) | Scalar::Uint(_))) => Type::Int,
        Some(Value::Scalar(Scalar::Float(_))) => Type::Float,
        Some(Value::Scalar(Scalar::Bool(_))) => Type::Bool,
        Some(Value::Scalar(Scalar::Time(_))) => return Ok(time_or_text(text)),
        _ => Type::Text,
    };
    typed(text, kind).ok_or_else(|| {
        Error::usage(format!("{place} is {}, and the new value is not", kind.name()))
            .because("--type text changes its type")
    })
}

/// `text` without the line break that editors and `echo` put at the end of a single line. A text
/// of several lines, such as a PEM file, keeps its last one.
pub fn without_line_break(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.iter().filter(|byte| **byte == b'\n').count() == 1 && bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    bytes
}

fn typed(text: Text, kind: Type) -> Option<Node> {
    let shown = || text.expose_str().map(str::trim);
    Some(match kind {
        Type::Text => Node::text(text),
        Type::Int => Scalar::Int(number(shown()?)?).into(),
        Type::Float => Scalar::Float(number::<f64>(shown()?).filter(|number| number.is_finite())?).into(),
        Type::Bool => Scalar::Bool(shown()?.parse().ok()?).into(),
        Type::Null => match shown()? {
            "" | "null" => Scalar::Null.into(),
            _ => return None,
        },
        Type::Json => from_json(serde_json::from_slice(text.expose()).ok()?)?,
    })
}

/// A number in digits; Rust also reads `inf` and a leading `+`.
fn number<T: FromStr>(text: &str) -> Option<T> {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-').then(|| text.parse().ok())?
}

fn time_or_text(text: Text) -> Node {
    let time = text.expose_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text.trim()).ok());
    time.map_or_else(|| Node::text(text), |time| Scalar::Time(time).into())
}

/// `None` for an integer beyond 64 bits, which no format keeps.
fn from_json(value: Json) -> Option<Node> {
    Some(match value {
        Json::Null => Scalar::Null.into(),
        Json::Bool(value) => Scalar::Bool(value).into(),
        Json::Number(value) => match value.as_i64() {
            Some(value) => Scalar::Int(value).into(),
            None if value.is_u64() => return None,
            None => Scalar::Float(value.as_f64()?).into(),
        },
        Json::String(value) => Node::text(value),
        Json::Array(values) => {
            let items = values.into_iter().map(|value| from_json(value).map(Item::Value)).collect::<Option<_>>()?;
            Seq { items, flow: false }.into()
        }
        Json::Object(entries) => {
            let mut map = Map::default();
            for (key, value) in entries {
                map.push(key, from_json(value)?);
            }
            map.into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Node, Scalar, Text, Type, Value, node, without_line_break};

    fn read(text: &str, wanted: Option<Type>, now: Option<Scalar>) -> Option<String> {
        let now = now.map(Node::from);
        match node("x", Text::from(text), wanted, now.as_ref()).ok()?.value {
            Value::Scalar(Scalar::Text(text)) => Some(format!("text {}", text.expose_str().expect("UTF-8"))),
            Value::Scalar(Scalar::Int(value)) => Some(format!("int {value}")),
            Value::Scalar(Scalar::Float(value)) => Some(format!("float {value}")),
            Value::Scalar(Scalar::Bool(value)) => Some(format!("bool {value}")),
            Value::Scalar(Scalar::Null) => Some("null".to_owned()),
            Value::Map(map) => Some(format!("{} entries", map.entries().count())),
            other => panic!("unexpected: {other:?}"),
        }
    }

    #[test]
    fn a_text_is_a_text_unless_told() {
        type Case = (&'static str, Option<Type>, Option<Scalar>, Option<&'static str>);
        let cases: [Case; 20] = [
            ("7", None, None, Some("text 7")),
            ("true", None, Some(Scalar::Null), Some("text true")),
            ("7", None, Some(Scalar::Text("x".into())), Some("text 7")),
            ("7", None, Some(Scalar::Int(1)), Some("int 7")),
            ("-7", None, Some(Scalar::Int(1)), Some("int -7")),
            ("7.5", None, Some(Scalar::Int(1)), None),
            ("seven", None, Some(Scalar::Int(1)), None),
            ("7", None, Some(Scalar::Float(1.5)), Some("float 7")),
            ("inf", None, Some(Scalar::Float(1.5)), None),
            ("false", None, Some(Scalar::Bool(true)), Some("bool false")),
            ("no", None, Some(Scalar::Bool(true)), None),
            ("no", Some(Type::Text), Some(Scalar::Bool(true)), Some("text no")),
            ("7", Some(Type::Int), None, Some("int 7")),
            ("9223372036854775808", Some(Type::Int), None, None),
            ("7", Some(Type::Float), None, Some("float 7")),
            ("null", Some(Type::Null), None, Some("null")),
            ("7", Some(Type::Json), None, Some("int 7")),
            ("18446744073709551615", Some(Type::Json), None, None),
            ("\"7\"", Some(Type::Json), None, Some("text 7")),
            ("[1", Some(Type::Json), None, None),
        ];
        for (text, wanted, now, expected) in cases {
            let shown = format!("{text} {wanted:?} {now:?}");
            assert_eq!(read(text, wanted, now).as_deref(), expected, "{shown}");
        }
        assert_eq!(read("{\"a\": [1, {}], \"b\": 1}", Some(Type::Json), None).as_deref(), Some("2 entries"));
    }

    #[test]
    fn one_line_loses_its_break() {
        for (text, expected) in
            [("a\n", "a"), ("a\r\n", "a"), ("a", "a"), ("\n", ""), ("a\nb\n", "a\nb\n"), ("a\n\n", "a\n\n"), ("", "")]
        {
            assert_eq!(without_line_break(text.into()), expected.as_bytes(), "{text:?}");
        }
    }
}
