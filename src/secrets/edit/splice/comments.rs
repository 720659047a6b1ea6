//! Encrypted comments in YAML lists. SOPS writes them as items of the list and reads them as
//! comments, too; a file may have them either way, and an edit leaves them the way they are.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::secrets::tree::{Comment, Item, Map, Node, Scalar, Tree, Value};

/// `new` with those encrypted comments as comments that are comments in `old`.
pub(super) fn kept_as_they_are<'a>(old: &Tree, new: &'a Tree) -> Cow<'a, Tree> {
    let mut texts = HashSet::new();
    for map in &old.documents {
        collect(map, &mut texts);
    }
    if texts.is_empty() {
        return Cow::Borrowed(new);
    }
    let mut new = new.clone();
    for map in &mut new.documents {
        restore(map, &texts);
    }
    Cow::Owned(new)
}

fn collect<'a>(map: &'a Map, texts: &mut HashSet<&'a [u8]>) {
    for entry in map.entries() {
        collect_node(&entry.value, texts);
    }
}

fn collect_node<'a>(node: &'a Node, texts: &mut HashSet<&'a [u8]>) {
    match &node.value {
        Value::Scalar(_) => {}
        Value::Map(map) => collect(map, texts),
        Value::Seq(seq) => {
            for item in &seq.items {
                match item {
                    Item::Comment(comment) if comment.text.expose().starts_with(b"ENC[") => {
                        texts.insert(comment.text.expose());
                    }
                    Item::Comment(_) => {}
                    Item::Value(node) => collect_node(node, texts),
                }
            }
        }
    }
}

fn restore(map: &mut Map, texts: &HashSet<&[u8]>) {
    for item in &mut map.items {
        if let Item::Value(entry) = item {
            restore_node(&mut entry.value, texts);
        }
    }
}

fn restore_node(node: &mut Node, texts: &HashSet<&[u8]>) {
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::Map(map) => restore(map, texts),
        Value::Seq(seq) => {
            for item in &mut seq.items {
                let Item::Value(node) = item else { continue };
                match &node.value {
                    Value::Scalar(Scalar::Text(text)) if texts.contains(text.expose()) => {
                        *item = Item::Comment(Comment { text: text.clone(), span: None, sealed: None });
                    }
                    _ => restore_node(node, texts),
                }
            }
        }
    }
}
