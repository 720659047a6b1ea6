//! Values as they may be shown: by fingerprint, unless somebody asks to see them.

use serde_json::{Value as Json, json};

use crate::secrets::tree::{Node, Scalar, Value};
use crate::secrets::{Format, Style};
use crate::util::Secret;

/// How values are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// By type and fingerprint.
    Masked,
    /// As they are.
    Values,
}

impl Show {
    /// How a value of a file is shown: as it is when it is asked for, or is no secret because it
    /// stands in clear in a file that is encrypted.
    pub fn of(node: &Node, encrypted: bool, asked: bool) -> Self {
        if asked || encrypted && node.sealed.is_none() { Self::Values } else { Self::Masked }
    }

    /// One line for a leaf, or for a collection as a whole.
    pub fn line(self, node: &Node) -> String {
        match &node.value {
            Value::Map(map) if map.items.is_empty() => "{}".to_owned(),
            Value::Seq(seq) if seq.items.is_empty() => "[]".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
            Value::Seq(_) => "a list".to_owned(),
            Value::Scalar(Scalar::Null) => "null".to_owned(),
            Value::Scalar(Scalar::Text(text)) if text.is_empty() => "\"\"".to_owned(),
            Value::Scalar(scalar) => match self {
                Self::Values => printable(spelled(scalar)),
                Self::Masked => format!("{} {}", kind(scalar), fingerprint(scalar)),
            },
        }
    }

    /// The value for `--json`.
    pub fn json(self, node: &Node) -> Json {
        match &node.value {
            Value::Map(_) => json!({ "type": "mapping" }),
            Value::Seq(_) => json!({ "type": "list" }),
            Value::Scalar(Scalar::Null) => json!({ "type": "null" }),
            Value::Scalar(scalar) => match self {
                Self::Values => json!({ "type": kind(scalar), "value": spelled(scalar) }),
                Self::Masked => json!({ "type": kind(scalar), "fingerprint": fingerprint(scalar) }),
            },
        }
    }
}

fn kind(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::Null => "null",
        Scalar::Bool(_) => "bool",
        Scalar::Int(_) | Scalar::Uint(_) => "int",
        Scalar::Float(_) => "float",
        Scalar::Time(_) => "time",
        Scalar::Text(_) => "text",
    }
}

fn fingerprint(scalar: &Scalar) -> String {
    Secret::new(spelled(scalar)).fingerprint()
}

/// The value as `sops decrypt --extract` prints it.
fn spelled(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Text(text) => String::from_utf8_lossy(text.expose()).into_owned(),
        other => {
            let text = Format::Yaml.write_value(&other.clone().into(), Style::default()).unwrap_or_default();
            String::from_utf8_lossy(text.expose()).trim_end().to_owned()
        }
    }
}

/// A text on one line, with nothing in it that a terminal obeys.
fn printable(text: String) -> String {
    if text.contains(char::is_control) { Json::from(text).to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::{Node, Scalar, Show};

    #[test]
    fn a_masked_value_is_known_by_type_and_fingerprint_only() {
        for (node, masked, shown) in [
            (Node::text("hunter2"), "text sha256:f52fbd32", "hunter2"),
            (Node::text("a\n\u{1b}[0m"), "text sha256:1512b041", "\"a\\n\\u001b[0m\""),
            (Node::text(""), "\"\"", "\"\""),
            (Scalar::Int(5).into(), "int sha256:ef2d127d", "5"),
            (Scalar::Float(1e6).into(), "float sha256:afbb41aa", "1e+06"),
            (Scalar::Bool(true).into(), "bool sha256:b5bea41b", "true"),
            (Scalar::Null.into(), "null", "null"),
        ] {
            assert_eq!((Show::Masked.line(&node).as_str(), Show::Values.line(&node).as_str()), (masked, shown));
        }
    }

    #[test]
    fn what_is_clear_in_an_encrypted_file_is_no_secret() {
        let mut node = Node::text("x");
        assert_eq!(Show::of(&node, true, false), Show::Values);
        assert_eq!(Show::of(&node, false, false), Show::Masked);
        node.sealed = Some("ENC[…]".into());
        assert_eq!(Show::of(&node, true, false), Show::Masked);
        assert_eq!(Show::of(&node, true, true), Show::Values);
    }
}
