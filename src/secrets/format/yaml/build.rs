//! Mappings and sequences in the making: where their comments end up, and what they must not hold.

use std::collections::HashSet;

use super::fault::Fault;
use super::tokens::{Comments, Lines};
use crate::secrets::tree::{Comment, Entry, Item, Map, Node, Scalar, Seq, Span, Value};

/// A node with what belongs to it only until its parent has it.
#[derive(Clone)]
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) kind: Kind,
    pub(super) comments: Comments,
    /// Its first byte, with its properties.
    pub(super) start: usize,
    /// The byte after its last one.
    pub(super) end: usize,
    /// The number of its anchor.
    pub(super) anchor: Option<usize>,
}

/// What SOPS asks of a node to decide who takes its comments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Collection,
    Alias,
}

impl Parsed {
    /// A scalar that stands from `start` to `end`.
    pub(super) fn scalar(scalar: Scalar, start: usize, end: usize) -> Box<Self> {
        Self::new(Value::Scalar(scalar), Kind::Scalar, start, end)
    }

    /// A null that is not written, at `at`.
    pub(super) fn nothing(at: usize) -> Box<Self> {
        Self::scalar(Scalar::Null, at, at)
    }

    fn new(value: Value, kind: Kind, start: usize, end: usize) -> Box<Self> {
        let node = Node { value, span: Some(Span { start, end }), sealed: None };
        Box::new(Self { node, kind, comments: Comments::default(), start, end, anchor: None })
    }

    /// The node with its comments inside, as SOPS has a collection whose comments nothing else took.
    pub(super) fn enclose(mut self, text: &str) -> Node {
        match &mut self.node.value {
            Value::Map(map) => surround(text, &mut map.items, &self.comments),
            Value::Seq(seq) => surround(text, &mut seq.items, &self.comments),
            Value::Scalar(_) => {}
        }
        self.node
    }
}

fn surround<T>(text: &str, items: &mut Vec<Item<T>>, comments: &Comments) {
    if !comments.head.is_empty() || !comments.line.is_empty() {
        let mut all = Vec::with_capacity(items.len() + comments.head.len() + comments.line.len());
        push_comments(text, &mut all, &comments.head);
        push_comments(text, &mut all, &comments.line);
        all.append(items);
        *items = all;
    }
    push_comments(text, items, &comments.foot);
}

/// Appends the items that comment lines become.
pub(super) fn push_comments<T>(text: &str, items: &mut Vec<Item<T>>, lines: &Lines) {
    for &(start, end) in lines.iter().flatten() {
        items.push(Item::Comment(Comment {
            text: text[start + 1..end].into(),
            span: Some(Span { start, end }),
            sealed: None,
        }));
    }
}

/// A sequence in the making.
pub(super) struct Items<'a> {
    text: &'a str,
    items: Vec<Item<Node>>,
    start: usize,
    pub(super) end: usize,
}

impl<'a> Items<'a> {
    pub(super) fn new(text: &'a str, start: usize) -> Self {
        Self { text, items: Vec::new(), start, end: start }
    }

    #[expect(clippy::boxed_local, reason = "on the stack, nodes would limit how deep they may nest")]
    pub(super) fn push(&mut self, item: Box<Parsed>) {
        self.end = item.end;
        push_comments(self.text, &mut self.items, &item.comments.head);
        push_comments(self.text, &mut self.items, &item.comments.line);
        self.items.push(Item::Value(item.node));
        push_comments(self.text, &mut self.items, &item.comments.foot);
    }

    pub(super) fn finish(self, flow: bool) -> Box<Parsed> {
        let value = Value::Seq(Seq { items: self.items, flow });
        Parsed::new(value, Kind::Collection, self.start, self.end)
    }
}

/// A mapping in the making. The comments behind its last entry may still change.
pub(super) struct Entries<'a> {
    text: &'a str,
    items: Vec<Item<Entry>>,
    pub(super) foot: Lines,
    pub(super) has_entry: bool,
    start: usize,
    pub(super) end: usize,
}

impl<'a> Entries<'a> {
    pub(super) fn new(text: &'a str, start: usize) -> Self {
        Self { text, items: Vec::new(), foot: Lines::new(), has_entry: false, start, end: start }
    }

    /// Appends an entry; in `block` style what stands at the foot of a key belongs to the entry
    /// before it.
    #[expect(clippy::boxed_local, reason = "on the stack, nodes would limit how deep they may nest")]
    pub(super) fn push(&mut self, mut key: Box<Parsed>, mut value: Box<Parsed>, block: bool) -> Result<(), Fault> {
        let Value::Scalar(Scalar::Text(name)) = &key.node.value else {
            return Err(Fault::new(key.start, "a key is no text; quote it"));
        };
        let Some(name) = name.expose_str().map(str::to_owned) else {
            return Err(Fault::new(key.start, "a key is not UTF-8"));
        };
        if block && self.has_entry && !key.comments.foot.is_empty() {
            self.foot = std::mem::take(&mut key.comments.foot);
        }
        if key.comments.foot.is_empty() {
            key.comments.foot = std::mem::take(&mut value.comments.foot);
        }
        let foot = std::mem::replace(&mut self.foot, std::mem::take(&mut key.comments.foot));
        push_comments(self.text, &mut self.items, &foot);
        push_comments(self.text, &mut self.items, &key.comments.head);
        push_comments(self.text, &mut self.items, &key.comments.line);
        self.end = value.end.max(key.end);
        self.has_entry = true;
        let key_span = key.node.span;
        if value.kind == Kind::Collection {
            let value = value.enclose(self.text);
            self.items.push(Item::Value(Entry { key: name, key_span, value }));
        } else {
            push_comments(self.text, &mut self.items, &value.comments.head);
            push_comments(self.text, &mut self.items, &value.comments.line);
            self.items.push(Item::Value(Entry { key: name, key_span, value: value.node }));
            push_comments(self.text, &mut self.items, &value.comments.foot);
        }
        Ok(())
    }

    /// # Errors
    /// When a key is there twice.
    pub(super) fn finish(mut self, flow: bool) -> Result<Box<Parsed>, Fault> {
        push_comments(self.text, &mut self.items, &self.foot);
        if let Some(entry) = duplicate(&self.items) {
            let at = entry.key_span.map_or(self.start, |span| span.start);
            return Err(Fault::new(at, format!("the key {:?} is there twice", entry.key)));
        }
        let value = Value::Map(Map { items: self.items, flow });
        Ok(Parsed::new(value, Kind::Collection, self.start, self.end))
    }
}

/// The first entry whose key came before.
fn duplicate(items: &[Item<Entry>]) -> Option<&Entry> {
    let entries = || {
        items.iter().filter_map(|item| match item {
            Item::Value(entry) => Some(entry),
            Item::Comment(_) => None,
        })
    };
    if items.len() <= 12 {
        return entries()
            .enumerate()
            .find(|(at, entry)| entries().take(*at).any(|earlier| earlier.key == entry.key))
            .map(|(_, entry)| entry);
    }
    let mut seen = HashSet::with_capacity(items.len());
    entries().find(|entry| !seen.insert(entry.key.as_str()))
}

/// How much an alias to `node` adds, in values; a longer text counts for more than one.
pub(super) fn weigh(node: &Node) -> usize {
    let weigh_item = |item: &Item<Node>| match item {
        Item::Value(node) => weigh(node),
        Item::Comment(_) => 1,
    };
    match &node.value {
        Value::Scalar(Scalar::Text(text)) => 1 + text.len() / 64,
        Value::Scalar(_) => 1,
        Value::Map(map) => {
            let entry = |entry: &Entry| entry.key.len() / 64 + weigh(&entry.value);
            1 + map.items.len() + map.entries().map(entry).sum::<usize>()
        }
        Value::Seq(seq) => 1 + seq.items.iter().map(weigh_item).sum::<usize>(),
    }
}
