//! Which leaves of a new plaintext are those of the old one.

use std::collections::{HashMap, VecDeque};

use super::{matching, same};
use crate::secrets::tree::{Comment, Entry, Item, Map, Node, Seq, Tree, Value};

/// Gives every leaf and comment of `new` that is unchanged, at its place, the ciphertext and span of
/// its counterpart in `old`: entries are matched by key, values of sequences and comments by the
/// longest common subsequence. A float that is written as before stays a float.
///
/// Ciphertext never crosses from one collection to another: it is bound to its path.
pub fn align(old: &Tree, new: &mut Tree) {
    for (old, new) in old.documents.iter().zip(&mut new.documents) {
        align_map(old, new);
    }
}

/// Whether nothing changed, which is also what the other functions here return.
fn align_node(old: &Node, new: &mut Node) -> bool {
    let unchanged = match (&old.value, &mut new.value) {
        (Value::Scalar(was), Value::Scalar(is)) if same::scalars(was, is) => {
            if was != is {
                *is = was.clone();
            }
            new.sealed.clone_from(&old.sealed);
            true
        }
        (Value::Map(was), Value::Map(is)) => align_map(was, is),
        (Value::Seq(was), Value::Seq(is)) => align_seq(was, is),
        _ => false,
    };
    if unchanged {
        new.span = old.span;
    }
    unchanged
}

fn align_map(old: &Map, new: &mut Map) -> bool {
    new.flow = old.flow;
    let mut unchanged = old.items.len() == new.items.len();
    for (was, is) in matching::comments(&old.items, &new.items) {
        unchanged &= was == is;
        if let (Item::Comment(was), Item::Comment(is)) = (&old.items[was], &mut new.items[is]) {
            align_comment(was, is);
        }
    }
    // JSON may repeat a key; the entries of one key belong together in their order.
    let mut by_key: HashMap<&str, VecDeque<(usize, &Entry)>> = HashMap::new();
    for (at, item) in old.items.iter().enumerate() {
        if let Item::Value(entry) = item {
            by_key.entry(&entry.key).or_default().push_back((at, entry));
        }
    }
    for (at, item) in new.items.iter_mut().enumerate() {
        match item {
            Item::Comment(comment) => {
                unchanged &= matches!(old.items.get(at), Some(Item::Comment(was)) if was.text == comment.text)
            }
            Item::Value(entry) => match by_key.get_mut(entry.key.as_str()).and_then(VecDeque::pop_front) {
                Some((was_at, was)) => {
                    entry.key_span = was.key_span;
                    unchanged &= align_node(&was.value, &mut entry.value) & (was_at == at);
                }
                None => unchanged = false,
            },
        }
    }
    unchanged
}

fn align_seq(old: &Seq, new: &mut Seq) -> bool {
    new.flow = old.flow;
    let mut unchanged = old.items.len() == new.items.len();
    let counterparts = counterparts(old, new);
    for (at, (item, was_at)) in new.items.iter_mut().zip(counterparts).enumerate() {
        unchanged &= was_at == Some(at);
        match (was_at.map(|at| &old.items[at]), item) {
            (Some(Item::Comment(was)), Item::Comment(is)) => unchanged &= align_comment(was, is),
            (Some(Item::Value(was)), Item::Value(is)) => unchanged &= align_node(was, is),
            _ => unchanged = false,
        }
    }
    unchanged
}

fn align_comment(old: &Comment, new: &mut Comment) -> bool {
    let same = old.text == new.text;
    if same {
        new.sealed.clone_from(&old.sealed);
        new.span = old.span;
    }
    same
}

/// For each item of `new` the one of `old` that it was: the same one, in order or moved, else a
/// collection between the same neighbours, which may be the same in parts.
fn counterparts(old: &Seq, new: &Seq) -> Vec<Option<usize>> {
    let old_tokens: Vec<u64> = old.items.iter().map(same::token).collect();
    let new_tokens: Vec<u64> = new.items.iter().map(same::token).collect();
    let anchors = matching::in_order(&old_tokens, &new_tokens);
    let mut counterparts = anchors.clone();
    matching::add_moved(&old_tokens, &new_tokens, &mut counterparts);

    let mut free = vec![true; old.items.len()];
    for at in counterparts.iter().flatten() {
        free[*at] = false;
    }
    let (mut old_start, mut new_start) = (0, 0);
    for new_end in 0..=new.items.len() {
        let old_end = match anchors.get(new_end) {
            Some(Some(at)) => *at,
            Some(None) => continue,
            None => old.items.len(),
        };
        let old_gap = (old_start..old_end).filter(|at| free[*at]);
        let new_gap = (new_start..new_end).filter(|at| counterparts[*at].is_none());
        let pairs = alike(old, &old_gap.collect::<Vec<_>>(), new, &new_gap.collect::<Vec<_>>());
        for (was, is) in pairs {
            counterparts[is] = Some(was);
        }
        (old_start, new_start) = (old_end + 1, new_end + 1);
    }
    counterparts
}

/// Pairs up the collections of a gap: those that begin alike, then those in the same position.
fn alike(old: &Seq, old_gap: &[usize], new: &Seq, new_gap: &[usize]) -> Vec<(usize, usize)> {
    let likeness = |seq: &Seq, gap: &[usize]| -> Vec<(usize, u64)> {
        gap.iter().filter_map(|at| Some((*at, same::likeness(&seq.items[*at])?))).collect()
    };
    let (old_gap, new_gap) = (likeness(old, old_gap), likeness(new, new_gap));
    let tokens = |gap: &[(usize, u64)]| -> Vec<u64> { gap.iter().map(|(_, token)| *token).collect() };
    let mut found = matching::in_order(&tokens(&old_gap), &tokens(&new_gap));
    let mut free = vec![true; old_gap.len()];
    for at in found.iter().flatten() {
        free[*at] = false;
    }
    let mut rest = (0..old_gap.len()).filter(|at| free[*at]);
    for counterpart in found.iter_mut().filter(|counterpart| counterpart.is_none()) {
        *counterpart = rest.next();
    }
    found.iter().zip(&new_gap).filter_map(|(was, (is, _))| Some((old_gap[(*was)?].0, *is))).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::secrets::tree::{Scalar, Span};

    /// A leaf that was decrypted from `sealed`.
    fn leaf(scalar: Scalar, sealed: &str) -> Node {
        Node { value: Value::Scalar(scalar), span: Some(Span { start: 1, end: 2 }), sealed: Some(sealed.into()) }
    }

    fn text(text: &str) -> Scalar {
        Scalar::Text(text.into())
    }

    fn comment<T>(text: &str, sealed: Option<&str>) -> Item<T> {
        Item::Comment(Comment { text: text.into(), span: None, sealed: sealed.map(Into::into) })
    }

    fn list(items: Vec<Item<Node>>) -> Map {
        let mut map = Map::default();
        map.push("list", Seq { items, flow: false });
        map
    }

    fn aligned(old: Map, new: Map) -> Map {
        let mut new = Tree { documents: vec![new] };
        align(&Tree { documents: vec![old] }, &mut new);
        new.documents.remove(0)
    }

    fn sealed(node: &Node) -> String {
        match &node.value {
            Value::Scalar(_) => node.sealed.as_deref().unwrap_or("-").to_owned(),
            Value::Map(map) => format!(
                "{{{}}}",
                map.items
                    .iter()
                    .map(|item| match item {
                        Item::Comment(comment) => format!("#{}", comment.sealed.as_deref().unwrap_or("-")),
                        Item::Value(entry) => format!("{}={}", entry.key, sealed(&entry.value)),
                    })
                    .collect::<Vec<_>>()
                    .join(" ")
            ),
            Value::Seq(seq) => format!(
                "[{}]",
                seq.items
                    .iter()
                    .map(|item| match item {
                        Item::Comment(comment) => format!("#{}", comment.sealed.as_deref().unwrap_or("-")),
                        Item::Value(node) => sealed(node),
                    })
                    .collect::<Vec<_>>()
                    .join(" ")
            ),
        }
    }

    fn shown(map: Map) -> String {
        sealed(&map.into())
    }

    #[test]
    fn unchanged_entries_keep_their_ciphertext_wherever_they_stand() {
        let mut old = Map::default();
        old.push("a", leaf(text("1"), "A"));
        old.push("b", leaf(text("2"), "B"));
        old.push("c", leaf(text("3"), "C"));
        let mut inner = Map::default();
        inner.push("a", leaf(text("9"), "DA"));
        old.push("d", inner);
        let mut new = Map::default();
        new.push("c", text("3"));
        new.push("b", text("two"));
        new.push("x", text("1"));
        let mut inner = Map::default();
        inner.push("a", text("9"));
        inner.push("b", text("2"));
        new.push("d", inner);
        new.push("a", text("1"));
        assert_eq!(shown(aligned(old, new)), "{c=C b=- x=- d={a=DA b=-} a=A}");
    }

    #[test]
    fn what_is_printed_the_same_is_the_same() {
        let time = |text: &str| Scalar::Time(DateTime::parse_from_rfc3339(text).unwrap());
        for (was, is, kept) in [
            (Scalar::Float(1.0), Scalar::Int(1), true),
            (Scalar::Float(-0.0), Scalar::Int(0), true),
            (Scalar::Float(1.5), Scalar::Float(1.5), true),
            (Scalar::Float(f64::NAN), Scalar::Float(f64::NAN), true),
            (Scalar::Float(0.0), Scalar::Float(-0.0), false),
            (Scalar::Float(1e300), Scalar::Int(i64::MAX), false),
            (Scalar::Float(1.5), Scalar::Int(1), false),
            (Scalar::Int(1), text("1"), false),
            (Scalar::Bool(true), text("true"), false),
            (text("1"), Scalar::Int(1), false),
            (time("2024-02-29T00:00:00Z"), time("2024-02-29T00:00:00Z"), true),
            (time("2024-02-29T00:00:00Z"), time("2024-02-29T01:00:00+01:00"), false),
            (text(""), text(""), true),
        ] {
            let (mut old, mut new) = (Map::default(), Map::default());
            old.push("k", leaf(was.clone(), "S"));
            new.push("k", is.clone());
            let result = aligned(old, new);
            let node = result.get("k").unwrap();
            assert_eq!(node.sealed.is_some(), kept, "{was:?} {is:?}");
            assert_eq!(node.span.is_some(), kept);
            if let (true, Scalar::Float(float)) = (kept, &was) {
                assert!(matches!(&node.value, Value::Scalar(Scalar::Float(f)) if f.to_bits() == float.to_bits()));
            }
        }
    }

    #[test]
    fn list_items_are_matched_by_value_and_equal_ones_by_position() {
        let value = |value: &str, sealed: &str| Item::Value(leaf(text(value), sealed));
        let old = || {
            list(vec![
                value("x", "X1"),
                comment(" note", Some("N")),
                value("y", "Y"),
                value("x", "X2"),
                value("z", "Z"),
            ])
        };
        let new = |values: &[&str]| {
            let items = values.iter().map(|v| match v.strip_prefix('#') {
                Some(text) => comment(text, None),
                None => Item::Value(Node::text(*v)),
            });
            list(items.collect())
        };
        for (values, expected) in [
            (vec!["x", "# note", "y", "x", "z"], "{list=[X1 #N Y X2 Z]}"),
            (vec!["new", "x", "# note", "y", "x", "z"], "{list=[- X1 #N Y X2 Z]}"),
            (vec!["x", "y", "x"], "{list=[X1 Y X2]}"),
            (vec!["x", "# note", "y", "x", "x", "z"], "{list=[X1 #N Y X2 - Z]}"),
            (vec!["y", "# other", "x"], "{list=[Y #- X2]}"),
        ] {
            assert_eq!(shown(aligned(old(), new(&values))), expected, "{values:?}");
        }
        // Moved, but the same ciphertext is still right in the same list.
        let moved = shown(aligned(old(), new(&["z", "x", "# note", "y", "x"])));
        assert_eq!(moved, "{list=[Z X1 #N Y X2]}");
    }

    #[test]
    fn a_changed_mapping_in_a_list_keeps_its_other_leaves() {
        let item = |name: &str, sealed: Option<&str>, extra: &str| {
            let mut map = Map::default();
            map.push("name", Node { sealed: sealed.map(|s| format!("{s}n").into()), ..Node::text(name) });
            map.push("extra", Node { sealed: sealed.map(|s| format!("{s}e").into()), ..Node::text(extra) });
            Item::Value(map.into())
        };
        let old = list(vec![item("a", Some("A"), "1"), item("b", Some("B"), "2"), item("c", Some("C"), "3")]);
        let new = list(vec![item("n", None, "0"), item("b", None, "changed"), item("c", None, "3")]);
        assert_eq!(shown(aligned(old, new)), "{list=[{name=- extra=-} {name=Bn extra=-} {name=Cn extra=Ce}]}");
    }

    #[test]
    fn comments_are_those_of_their_collection() {
        let mut old = Map { items: vec![comment(" note", Some("1"))], flow: false };
        old.push("a", text("1"));
        old.items.push(comment(" note", Some("2")));
        old.push("b", text("2"));
        old.items.push(comment(" end", Some("3")));
        let mut new = Map { items: vec![comment(" note", None)], flow: false };
        new.push("b", text("2"));
        new.items.push(comment(" end", None));
        new.items.push(comment(" fresh", None));
        assert_eq!(shown(aligned(old, new)), "{#2 b=- #3 #-}");
    }

    #[test]
    fn long_lists_that_have_little_in_common_take_little_time() {
        let started = std::time::Instant::now();
        let number = |n: i64| Item::Value(Node::from(Scalar::Int(n)));
        let shuffled = |n: i64| n * 7 % 60_000;
        for (old, new) in [
            ((0..60_000).collect::<Vec<_>>(), (0..60_000).rev().map(shuffled).collect::<Vec<_>>()),
            ((0..60_000).map(|n| shuffled(n * n) % 3).collect(), (0..50_000).map(|n| shuffled(n * 31) % 2).collect()),
        ] {
            let items = |numbers: Vec<i64>| list(numbers.into_iter().map(number).collect());
            aligned(items(old), items(new));
        }
        let seconds = started.elapsed().as_secs();
        assert!(seconds < 20, "{seconds} s");
    }
}
