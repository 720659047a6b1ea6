//! A document of any format as SOPS sees it: an ordered tree of keys, values and comments.
//!
//! The same type holds a document in clear and an encrypted one. In an encrypted tree the leaves
//! are texts of the form `ENC[…]`, and the `sops` section is an ordinary entry. In an opened tree
//! each leaf is its plaintext and remembers in [`Node::sealed`] the ciphertext that it came from,
//! so that an edit can put the unchanged ones back as they were.

use std::fmt;

use chrono::{DateTime, FixedOffset};

use super::text::Text;

/// Bytes of the source text, `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

/// A document file. Only YAML holds several documents; every other format holds one.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// In file order.
    pub documents: Vec<Map>,
}

/// A mapping.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// Entries and comments in order.
    pub items: Vec<Item<Entry>>,
    /// Whether it is written in flow style (`{a: 1}`) in the source.
    pub flow: bool,
}

/// A sequence.
#[derive(Clone, Debug, Default)]
pub struct Seq {
    /// Values and comments in order.
    pub items: Vec<Item<Node>>,
    /// Whether it is written in flow style (`[1, 2]`) in the source.
    pub flow: bool,
}

/// A comment or what a collection is there for.
#[derive(Clone, Debug)]
pub enum Item<T> {
    /// A comment line.
    Comment(Comment),
    /// An entry of a mapping or a value of a sequence.
    Value(T),
}

/// One comment line.
#[derive(Clone, Debug, Default)]
pub struct Comment {
    /// What stands after the `#`, with its leading space.
    pub text: Text,
    /// From the `#` to the end of the line; of an encrypted comment in a list, the list item.
    pub span: Option<Span>,
    /// The ciphertext that it was decrypted from.
    pub sealed: Option<Box<str>>,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands, with its quotes.
    pub key_span: Option<Span>,
    /// The value.
    pub value: Node,
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where a scalar stands, with quotes, block header and tag, or where a collection stands,
    /// from its first key, dash or bracket to the end of its last part. `None` when it was not
    /// read from a text, or does not stand there itself (an expanded alias).
    pub span: Option<Span>,
    /// The ciphertext that a leaf was decrypted from.
    pub sealed: Option<Box<str>>,
}

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// A leaf.
    Scalar(Scalar),
    /// A mapping.
    Map(Map),
    /// A sequence.
    Seq(Seq),
}

/// A leaf, typed as go-yaml types it; redacted in `Debug`.
#[derive(Clone, PartialEq)]
pub enum Scalar {
    /// Never encrypted, never part of the MAC.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer beyond `i64`, which SOPS refuses.
    Uint(u64),
    /// A floating point number.
    Float(f64),
    /// A point in time.
    Time(DateTime<FixedOffset>),
    /// Text.
    Text(Text),
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool",
            Self::Int(_) => "Int",
            Self::Uint(_) => "Uint",
            Self::Float(_) => "Float",
            Self::Time(_) => "Time",
            Self::Text(text) => return write!(f, "Text({text:?})"),
        })
    }
}

impl From<Scalar> for Node {
    fn from(scalar: Scalar) -> Self {
        Self { value: Value::Scalar(scalar), span: None, sealed: None }
    }
}

impl Map {
    /// The entry called `key`; the first one, should there be several.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entry called `key`, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.items.iter_mut().find_map(|item| match item {
            Item::Value(entry) if entry.key == key => Some(&mut entry.value),
            _ => None,
        })
    }

    /// The entries without the comments.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.items.iter().filter_map(|item| match item {
            Item::Value(entry) => Some(entry),
            Item::Comment(_) => None,
        })
    }

    /// Takes the entry called `key` out.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let at = self.items.iter().position(|item| matches!(item, Item::Value(entry) if entry.key == key))?;
        match self.items.remove(at) {
            Item::Value(entry) => Some(entry),
            Item::Comment(_) => None,
        }
    }

    /// Appends an entry.
    pub fn push(&mut self, key: impl Into<String>, value: impl Into<Node>) {
        self.items.push(Item::Value(Entry { key: key.into(), key_span: None, value: value.into() }));
    }
}

impl Node {
    /// A text leaf.
    pub fn text(text: impl Into<Text>) -> Self {
        Scalar::Text(text.into()).into()
    }

    /// The text, when it is a text leaf of UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(Scalar::Text(text)) => text.expose_str(),
            _ => None,
        }
    }

    /// Makes it new where it is put: without ciphertext and without a place in a text, all of it.
    pub(super) fn forget(&mut self) {
        fn comment(comment: &mut Comment) {
            (comment.sealed, comment.span) = (None, None);
        }
        (self.sealed, self.span) = (None, None);
        match &mut self.value {
            Value::Scalar(_) => {}
            Value::Map(map) => {
                for item in &mut map.items {
                    match item {
                        Item::Comment(it) => comment(it),
                        Item::Value(entry) => {
                            entry.key_span = None;
                            entry.value.forget();
                        }
                    }
                }
            }
            Value::Seq(seq) => {
                for item in &mut seq.items {
                    match item {
                        Item::Comment(it) => comment(it),
                        Item::Value(node) => node.forget(),
                    }
                }
            }
        }
    }
}

impl From<Map> for Node {
    fn from(map: Map) -> Self {
        Self { value: Value::Map(map), span: None, sealed: None }
    }
}

impl From<Seq> for Node {
    fn from(seq: Seq) -> Self {
        Self { value: Value::Seq(seq), span: None, sealed: None }
    }
}
