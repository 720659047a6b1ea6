//! When two values are the same to the one who edits them.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::secrets::tree::{Comment, Item, Map, Node, Scalar, Seq, Value};

/// Integers up to here are floats without loss.
const EXACT: u64 = 1 << 53;

/// Whether two leaves are the same. A float without a fraction is printed as an integer and read
/// back as one, so it is the same as that integer; a point in time is the same only in the same
/// zone.
pub(in crate::secrets) fn scalars(a: &Scalar, b: &Scalar) -> bool {
    match (a, b) {
        (Scalar::Float(a), Scalar::Float(b)) => {
            a == b && a.is_sign_negative() == b.is_sign_negative() || a.is_nan() && b.is_nan()
        }
        (Scalar::Time(a), Scalar::Time(b)) => a == b && a.offset() == b.offset(),
        (Scalar::Float(float), Scalar::Int(int)) | (Scalar::Int(int), Scalar::Float(float)) => {
            whole(*float) == Some(*int)
        }
        (a, b) => a == b,
    }
}

/// The integer that a float is printed as.
fn whole(float: f64) -> Option<i64> {
    let int = float as i64;
    (int.unsigned_abs() <= EXACT && int as f64 == float).then_some(int)
}

/// Whether two values are the same in all that is written of them: order and comments count,
/// ciphertext, place and style do not.
pub(in crate::secrets) fn nodes(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(a), Value::Scalar(b)) => scalars(a, b),
        (Value::Map(a), Value::Map(b)) => maps(a, b),
        (Value::Seq(a), Value::Seq(b)) => seqs(a, b),
        _ => false,
    }
}

/// [`nodes`] for mappings.
pub(in crate::secrets) fn maps(a: &Map, b: &Map) -> bool {
    items(&a.items, &b.items, |a, b| a.key == b.key && nodes(&a.value, &b.value))
}

/// [`nodes`] for sequences.
pub(in crate::secrets) fn seqs(a: &Seq, b: &Seq) -> bool {
    items(&a.items, &b.items, nodes)
}

fn items<T>(a: &[Item<T>], b: &[Item<T>], same: impl Fn(&T, &T) -> bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| item(a, b, &same))
}

fn item<T>(a: &Item<T>, b: &Item<T>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (a, b) {
        (Item::Comment(a), Item::Comment(b)) => a.text == b.text,
        (Item::Value(a), Item::Value(b)) => same(a, b),
        _ => false,
    }
}

/// Whether two items of a sequence are the same.
pub(in crate::secrets) fn seq_items(a: &Item<Node>, b: &Item<Node>) -> bool {
    item(a, b, nodes)
}

/// A number that is equal for items that are the same.
pub(in crate::secrets) fn token(item: &Item<Node>) -> u64 {
    let mut state = DefaultHasher::new();
    hash_item(item, &mut state, hash_node);
    state.finish()
}

/// A number that is equal for comments of the same text before things of the same `anchor`.
pub(in crate::secrets) fn comment_token(comment: &Comment, anchor: impl Hash) -> u64 {
    let mut state = DefaultHasher::new();
    comment.text.expose().hash(&mut state);
    anchor.hash(&mut state);
    state.finish()
}

/// A number that is equal for collections that are likely versions of the same thing: mappings
/// that begin with the same entry, a `name` say. `None` for what is not a collection.
pub(in crate::secrets) fn likeness(item: &Item<Node>) -> Option<u64> {
    let Item::Value(node) = item else { return None };
    let mut state = DefaultHasher::new();
    match &node.value {
        Value::Scalar(_) => return None,
        Value::Seq(_) => 0u8.hash(&mut state),
        Value::Map(map) => {
            1u8.hash(&mut state);
            if let Some(first) = map.entries().next() {
                first.key.hash(&mut state);
                if let Value::Scalar(scalar) = &first.value.value {
                    hash_scalar(scalar, &mut state);
                }
            }
        }
    }
    Some(state.finish())
}

fn hash_item<T>(item: &Item<T>, state: &mut DefaultHasher, value: impl Fn(&T, &mut DefaultHasher)) {
    match item {
        Item::Comment(comment) => {
            0u8.hash(state);
            comment.text.expose().hash(state);
        }
        Item::Value(it) => {
            1u8.hash(state);
            value(it, state);
        }
    }
}

fn hash_node(node: &Node, state: &mut DefaultHasher) {
    match &node.value {
        Value::Scalar(scalar) => {
            0u8.hash(state);
            hash_scalar(scalar, state);
        }
        Value::Map(map) => {
            (1u8, map.items.len()).hash(state);
            for item in &map.items {
                hash_item(item, state, |entry, state| {
                    entry.key.hash(state);
                    hash_node(&entry.value, state);
                });
            }
        }
        Value::Seq(seq) => {
            (2u8, seq.items.len()).hash(state);
            for item in &seq.items {
                hash_item(item, state, hash_node);
            }
        }
    }
}

fn hash_scalar(scalar: &Scalar, state: &mut DefaultHasher) {
    match scalar {
        Scalar::Null => 0u8.hash(state),
        Scalar::Bool(it) => (1u8, it).hash(state),
        Scalar::Int(it) => (2u8, it).hash(state),
        Scalar::Uint(it) => (3u8, it).hash(state),
        Scalar::Float(it) => match whole(*it) {
            Some(int) => (2u8, int).hash(state),
            None if it.is_nan() => 4u8.hash(state),
            None => (5u8, it.to_bits()).hash(state),
        },
        Scalar::Time(it) => {
            (6u8, it.timestamp(), it.timestamp_subsec_nanos(), it.offset().local_minus_utc()).hash(state)
        }
        Scalar::Text(it) => (7u8, it.expose()).hash(state),
    }
}
