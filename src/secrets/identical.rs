//! Whether two plaintexts are one and the same: values, types, comments, order. Ciphertexts, places
//! and style do not count.

use super::leaf;
use super::tree::{Comment, Item, Map, Node, Tree, Value};

/// Whether nothing would change if one took the place of the other.
pub(super) fn trees(one: &Tree, other: &Tree) -> bool {
    all(&one.documents, &other.documents, maps)
}

fn maps(one: &Map, other: &Map) -> bool {
    all(&one.items, &other.items, |one, other| match (one, other) {
        (Item::Comment(one), Item::Comment(other)) => comments(one, other),
        (Item::Value(one), Item::Value(other)) => one.key == other.key && nodes(&one.value, &other.value),
        _ => false,
    })
}

fn nodes(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::Scalar(one), Value::Scalar(other)) => leaf::same(one, other),
        (Value::Map(one), Value::Map(other)) => maps(one, other),
        (Value::Seq(one), Value::Seq(other)) => all(&one.items, &other.items, |one, other| match (one, other) {
            (Item::Comment(one), Item::Comment(other)) => comments(one, other),
            (Item::Value(one), Item::Value(other)) => nodes(one, other),
            _ => false,
        }),
        _ => false,
    }
}

fn comments(one: &Comment, other: &Comment) -> bool {
    one.text == other.text
}

fn all<T>(one: &[T], other: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
}
