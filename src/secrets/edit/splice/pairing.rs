//! What became of each item of a collection.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::secrets::edit::{matching, same};
use crate::secrets::tree::{Entry, Item, Node};

/// What became of an item, by its index in the old collection, the new one, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is still there; its value may be another one.
    Kept(usize, usize),
    /// It is gone.
    Removed(usize),
    /// It is new.
    Added(usize),
}

/// The fates of the items of a mapping, in order. Entries are known by their key, comments by
/// their text or, between the same neighbours, by being comments.
pub(super) fn of_map(old: &[Item<Entry>], new: &[Item<Entry>]) -> Vec<Fate> {
    let token = |item: &Item<Entry>| {
        let mut state = DefaultHasher::new();
        match item {
            Item::Comment(comment) => (0u8, comment.text.expose()).hash(&mut state),
            Item::Value(entry) => (1u8, &entry.key).hash(&mut state),
        }
        state.finish()
    };
    let tokens = |items: &[Item<Entry>]| items.iter().map(token).collect::<Vec<_>>();
    let counterparts = matching::in_order(&tokens(old), &tokens(new));
    let both_comments =
        |(was, is): (usize, usize)| matches!((&old[was], &new[is]), (Item::Comment(_), Item::Comment(_)));
    fates(old.len(), &counterparts, |old_gap, new_gap| positional(&old_gap, &new_gap, both_comments))
}

/// The fates of the items of a sequence, in order.
pub(super) fn of_seq(old: &[Item<Node>], new: &[Item<Node>]) -> Vec<Fate> {
    let tokens = |items: &[Item<Node>]| items.iter().map(same::token).collect::<Vec<_>>();
    let counterparts = matching::in_order(&tokens(old), &tokens(new));
    let same_kind = |(was, is): (usize, usize)| match (&old[was], &new[is]) {
        (Item::Comment(_), Item::Comment(_)) => true,
        (Item::Value(was), Item::Value(is)) => std::mem::discriminant(&was.value) == std::mem::discriminant(&is.value),
        _ => false,
    };
    fates(old.len(), &counterparts, |old_gap, new_gap| {
        // What begins alike divides the gap once more.
        let likeness = |items: &[Item<Node>], gap: &[usize], side: usize| -> Vec<(usize, u64)> {
            // What is no collection is like nothing: each gets a number of its own.
            let own = |at: &usize| (*at * 2 + side) as u64;
            gap.iter()
                .map(|at| {
                    (
                        usize::from(same::likeness(&items[*at]).is_some()),
                        same::likeness(&items[*at]).unwrap_or_else(|| own(at)),
                    )
                })
                .collect()
        };
        let (was, is) = (likeness(old, &old_gap, 0), likeness(new, &new_gap, 1));
        let anchors = matching::in_order(&was, &is);
        let mut pairs = Vec::new();
        let (mut from_old, mut from_new) = (0, 0);
        for at in 0..=new_gap.len() {
            let end = match anchors.get(at) {
                Some(None) => continue,
                Some(Some(end)) => *end,
                None => old_gap.len(),
            };
            pairs.extend(positional(&old_gap[from_old..end], &new_gap[from_new..at], same_kind));
            if at < new_gap.len() {
                pairs.push((old_gap[end], new_gap[at]));
            }
            (from_old, from_new) = (end + 1, at + 1);
        }
        pairs
    })
}

/// Pairs in the same position, as far as they may be.
fn positional(old: &[usize], new: &[usize], may: impl Fn((usize, usize)) -> bool) -> Vec<(usize, usize)> {
    let (mut was, mut pairs) = (old.iter().copied().peekable(), Vec::new());
    for is in new {
        if let Some(at) = was.next_if(|at| may((*at, *is))) {
            pairs.push((at, *is));
        }
    }
    pairs
}

/// Lists fates from the counterparts of the new items; `pair` finds more of them in a gap.
fn fates(
    old_len: usize,
    counterparts: &[Option<usize>],
    pair: impl Fn(Vec<usize>, Vec<usize>) -> Vec<(usize, usize)>,
) -> Vec<Fate> {
    let mut fates = Vec::with_capacity(old_len.max(counterparts.len()));
    let (mut old_at, mut new_at) = (0, 0);
    for end in 0..=counterparts.len() {
        let old_end = match counterparts.get(end) {
            Some(None) => continue,
            Some(Some(at)) => *at,
            None => old_len,
        };
        if old_at < old_end || new_at < end {
            let pairs = match old_at < old_end && new_at < end {
                true => pair((old_at..old_end).collect(), (new_at..end).collect()),
                false => Vec::new(),
            };
            for (was, is) in pairs.into_iter().chain([(old_end, end)]) {
                fates.extend((old_at..was).map(Fate::Removed));
                fates.extend((new_at..is).map(Fate::Added));
                if was < old_end {
                    fates.push(Fate::Kept(was, is));
                }
                (old_at, new_at) = (was + 1, is + 1);
            }
        }
        if end < counterparts.len() {
            fates.push(Fate::Kept(old_end, end));
        }
        (old_at, new_at) = (old_end + 1, end + 1);
    }
    fates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::tree::{Comment, Map, Scalar};

    fn map(keys: &str) -> Map {
        let mut map = Map::default();
        for key in keys.split_whitespace() {
            match key.strip_prefix('#') {
                Some(text) => map.items.push(Item::Comment(Comment { text: text.into(), span: None, sealed: None })),
                None => map.push(key, Scalar::Null),
            }
        }
        map
    }

    #[test]
    fn every_item_has_one_fate() {
        for (old, new, expected) in [
            ("a b c", "a b c", "aa bb cc"),
            ("a b c", "a c", "aa -b cc"),
            ("a c", "a b c d", "aa +b cc +d"),
            ("#x a", "#y a", "#x#y aa"),
            ("#x #z a", "#y a", "#x#y -#z aa"),
            ("a #x", "b #y #x", "-a +b +#y #x#x"),
            ("", "a", "+a"),
            ("a", "", "-a"),
            ("", "", ""),
        ] {
            let (old, new) = (map(old), map(new));
            let name = |item: &Item<Entry>| match item {
                Item::Comment(comment) => format!("#{}", comment.text.expose_str().unwrap()),
                Item::Value(entry) => entry.key.clone(),
            };
            let fates = of_map(&old.items, &new.items).into_iter().map(|fate| match fate {
                Fate::Kept(was, is) => format!("{}{}", name(&old.items[was]), name(&new.items[is])),
                Fate::Removed(was) => format!("-{}", name(&old.items[was])),
                Fate::Added(is) => format!("+{}", name(&new.items[is])),
            });
            assert_eq!(fates.collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn changed_values_of_a_sequence_are_found_between_their_neighbours() {
        let list = |text: &str| -> Vec<Item<Node>> {
            let items = text.split_whitespace().map(|word| {
                Item::Value(match word.split_once(':') {
                    Some((name, extra)) => {
                        let mut map = Map::default();
                        map.push("name", Node::text(name));
                        map.push("extra", Node::text(extra));
                        map.into()
                    }
                    None => Node::text(word),
                })
            });
            items.collect()
        };
        for (old, new, expected) in [
            ("a b c", "a x c", vec![Fate::Kept(0, 0), Fate::Kept(1, 1), Fate::Kept(2, 2)]),
            ("a:1 b:1 c:1", "b:2 c:1", vec![Fate::Removed(0), Fate::Kept(1, 0), Fate::Kept(2, 1)]),
            ("a:1 b:1", "n:0 a:2 b:2 x", vec![Fate::Added(0), Fate::Kept(0, 1), Fate::Kept(1, 2), Fate::Added(3)]),
            ("a b", "x:1", vec![Fate::Removed(0), Fate::Removed(1), Fate::Added(0)]),
        ] {
            assert_eq!(of_seq(&list(old), &list(new)), expected, "{old} {new}");
        }
    }
}
