//! The order of a merged mapping: one side leads, what only the other has is put in.

use std::collections::{HashMap, HashSet};

use crate::secrets::edit::matching;
use crate::secrets::tree::{Comment, Entry, Item, Map};

/// A key and which of its occurrences it is: JSON may repeat keys.
pub(super) type Key<'a> = (&'a str, usize);

/// The entries of a mapping by key.
pub(super) struct Keyed<'a> {
    entries: HashMap<Key<'a>, &'a Entry>,
    /// The keys in order.
    pub(super) order: Vec<Key<'a>>,
}

impl<'a> Keyed<'a> {
    /// The entries of `map`.
    pub(super) fn of(map: &'a Map) -> Self {
        let (order, entries) = entries(&map.items).map(|(_, key, entry)| (key, (key, entry))).unzip();
        Self { entries, order }
    }

    /// The entry with this key.
    pub(super) fn get(&self, key: &Key<'_>) -> Option<&'a Entry> {
        self.entries.get(key).copied()
    }

    /// Whether the entries that `base` has too stand in another order here.
    pub(super) fn reorders(&self, base: &Self) -> bool {
        let was = base.order.iter().filter(|key| self.get(key).is_some());
        let is = self.order.iter().filter(|key| base.get(key).is_some());
        was.ne(is)
    }
}

/// The entries `results` and the comments of both sides, in the order of `lead`. What only
/// `other` has comes after what it follows there; a comment stays before its entry.
pub(super) fn weave<'a>(
    base: &Map,
    lead: &'a Map,
    other: &'a Map,
    mut results: HashMap<Key<'a>, Entry>,
) -> Vec<Item<Entry>> {
    let removed = removed_comments(base, lead, other);
    let mut added = additions(base, lead, other);
    let mut items = Vec::new();
    let mut put = |items: &mut Vec<Item<Entry>>, item: Part<'a>| match item {
        Part::Entry(key, _) => items.extend(results.remove(&key).map(Item::Value)),
        Part::Comment(comment) => items.push(Item::Comment(comment.clone())),
    };
    for item in added.remove(&0).unwrap_or_default() {
        put(&mut items, item);
    }
    for (at, item) in keyed(&lead.items) {
        if !removed.contains(&at) {
            put(&mut items, item);
        }
        for item in added.remove(&(at + 1)).unwrap_or_default() {
            put(&mut items, item);
        }
    }
    items
}

/// The comments of `lead` that were in `base` and that `other` has no more.
fn removed_comments(base: &Map, lead: &Map, other: &Map) -> HashSet<usize> {
    let kept: HashSet<usize> = matching::comments(&base.items, &other.items).into_iter().map(|(was, _)| was).collect();
    let known = matching::comments(&base.items, &lead.items).into_iter();
    known.filter(|(was, _)| !kept.contains(was)).map(|(_, at)| at).collect()
}

/// What only `other` has, by the number of items of `lead` that come before it.
fn additions<'a>(base: &Map, lead: &Map, other: &'a Map) -> HashMap<usize, Vec<Part<'a>>> {
    let known: HashSet<usize> = matching::comments(&base.items, &other.items).into_iter().map(|(_, at)| at).collect();
    let shared: HashMap<usize, usize> =
        matching::comments(&lead.items, &other.items).into_iter().map(|(lead, other)| (other, lead)).collect();
    let places: HashMap<Key<'_>, usize> = entries(&lead.items).map(|(at, key, _)| (key, at)).collect();
    let in_other: Vec<Part<'a>> = keyed(&other.items).map(|(_, item)| item).collect();

    // For each item of `other`, where in `lead` the entry stands that it stands before.
    let mut before = vec![None; in_other.len()];
    let mut next = None;
    for (at, item) in in_other.iter().enumerate().rev() {
        before[at] = next;
        if let Part::Entry(key, _) = item {
            next = places.get(key).copied();
        }
    }
    let mut added: HashMap<usize, Vec<Part<'a>>> = HashMap::new();
    let mut place = 0;
    for (at, item) in in_other.into_iter().enumerate() {
        let found = match &item {
            Part::Entry(key, _) => places.get(key),
            Part::Comment(_) => shared.get(&at),
        };
        match (found, &item) {
            (Some(found), _) => place = found + 1,
            (None, Part::Entry(..)) => added.entry(place).or_default().push(item),
            (None, Part::Comment(_)) if known.contains(&at) => {}
            (None, Part::Comment(_)) => added.entry(before[at].unwrap_or(place)).or_default().push(item),
        }
    }
    added
}

/// An item of a mapping.
#[derive(Clone, Copy)]
enum Part<'a> {
    Entry(Key<'a>, &'a Entry),
    Comment(&'a Comment),
}

/// The items with their index.
fn keyed(items: &[Item<Entry>]) -> impl Iterator<Item = (usize, Part<'_>)> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    items.iter().enumerate().map(move |(at, item)| match item {
        Item::Comment(comment) => (at, Part::Comment(comment)),
        Item::Value(entry) => {
            let count = seen.entry(&entry.key).or_default();
            *count += 1;
            (at, Part::Entry((entry.key.as_str(), *count - 1), entry))
        }
    })
}

/// The entries with their index among the items.
fn entries(items: &[Item<Entry>]) -> impl Iterator<Item = (usize, Key<'_>, &Entry)> {
    keyed(items).filter_map(|(at, item)| match item {
        Part::Entry(key, entry) => Some((at, key, entry)),
        Part::Comment(_) => None,
    })
}
