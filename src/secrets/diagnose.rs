//! Why the MAC of a document is wrong: hypotheses, tried one after the other.

use std::fmt;
use std::ops::Range;

use super::changes::{Change, Kind, changes};
use super::document::{Opened, Sealed};
use super::error::MacFault;
use super::leaf::{self, Plain};
use super::mac::{self, Mac};
use super::select::{Step, dotted};
use super::text::Text;
use super::tree::{Item, Map, Node, Scalar, Tree, Value};

/// What was done to a document. Names places, never values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The keys at a place stand in another order.
    KeysReordered(String),
    /// The items of a list stand in another order.
    ItemsReordered(String),
    /// Something was put there.
    Added(String),
    /// Something was taken away.
    Removed(String),
    /// A value that is not encrypted was changed.
    ClearChanged(String),
    /// An encrypted value was replaced by another one that was made for the same place.
    Replaced(String),
    /// `lastmodified` was changed.
    LastModified,
    /// `mac` is that of another version.
    OtherMac,
    /// All keys are in alphabetical order now. A guess.
    Sorted,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeysReordered(place) if place.is_empty() => f.write_str("keys at the top level were reordered"),
            Self::KeysReordered(place) => write!(f, "keys under {place} were reordered"),
            Self::ItemsReordered(place) => write!(f, "list {place} was reordered"),
            Self::Added(place) => write!(f, "{place} was added by hand"),
            Self::Removed(place) => write!(f, "{place} was removed by hand"),
            Self::ClearChanged(place) => write!(f, "the clear value {place} was edited by hand"),
            Self::Replaced(place) => write!(f, "the encrypted value {place} was replaced by that of another version"),
            Self::LastModified => f.write_str("lastmodified was changed"),
            Self::OtherMac => f.write_str("mac is that of another version, as after a merge by hand"),
            Self::Sorted => f.write_str("perhaps a formatter sorted the keys: all are in alphabetical order"),
        }
    }
}

/// How many bytes a search hashes before it gives up: about a quarter of a second.
const EFFORT: usize = 64 << 20;

/// Collections of up to so many parts are tried in every order.
const PERMUTED: usize = 6;

/// Collections of up to so many parts are tried with each part moved to each place.
const MOVED: usize = 100;

impl Sealed {
    /// Why the MAC is wrong, as far as the document itself tells: one change of order or one thing
    /// that was added, found by undoing it.
    pub fn causes(&self, opened: &Opened) -> Vec<Cause> {
        if opened.mac != Err(MacFault::Differs) {
            return Vec::new();
        }
        let Some(expected) = self.stored_mac(opened) else { return Vec::new() };
        let flat = Flat::of(&opened.tree, self.metadata.mac_only_encrypted);
        let found = flat.search(|leaves| {
            let mut mac = Mac::new(self.metadata.mac_only_encrypted);
            leaves.for_each(|bytes| mac.add(bytes));
            mac::equal(&mac.finish(), expected.expose())
        });
        found.or_else(|| flat.is_sorted().then_some(Cause::Sorted)).into_iter().collect()
    }

    /// The MAC that the values should have.
    fn stored_mac(&self, opened: &Opened) -> Option<Text> {
        match opened.key.decrypt(self.metadata.mac.as_deref()?, &self.metadata.mac_aad()) {
            Ok(Plain::Scalar(Scalar::Text(mac))) => Some(mac),
            _ => None,
        }
    }

    /// Why the MAC is wrong, by comparison with another version of the document, whose MAC is
    /// right. Empty when the two do not differ in anything that the MAC covers.
    pub fn causes_since(&self, opened: &Opened, whole: &Self, was: &Opened) -> Vec<Cause> {
        let mut causes = compare(&was.tree, &opened.tree);
        if self.metadata.mac == whole.metadata.mac {
            if self.metadata.lastmodified != whole.metadata.lastmodified {
                causes.insert(0, Cause::LastModified);
            }
        } else if opened.mac == Err(MacFault::Unreadable) || causes.is_empty() {
            causes.insert(0, Cause::OtherMac);
        }
        causes
    }
}

/// What was done to `whole` to make `broken` of it. What the MAC does not cover (comments, null,
/// types) is left out.
pub fn compare(whole: &Tree, broken: &Tree) -> Vec<Cause> {
    let cause = |change: Change<'_>| {
        let Change { path, kind, old, new } = change;
        let silent = |node: Option<&Node>| node.is_none_or(|node| !weighs(node));
        let in_seq = path.ends_with(']');
        Some(match kind {
            Kind::Comments | Kind::Retyped => return None,
            Kind::Added if silent(new) => return None,
            Kind::Removed if silent(old) => return None,
            Kind::Added => Cause::Added(path),
            Kind::Removed => Cause::Removed(path),
            Kind::Reordered => {
                if new.is_some_and(|node| matches!(node.value, Value::Seq(_))) {
                    Cause::ItemsReordered(path)
                } else {
                    Cause::KeysReordered(path)
                }
            }
            Kind::Changed if silent(new) && !in_seq => Cause::Removed(path),
            Kind::Changed if new.is_some_and(|node| node.sealed.is_some()) => Cause::Replaced(path),
            Kind::Changed => Cause::ClearChanged(path),
        })
    };
    changes(whole, broken).into_iter().filter_map(cause).collect()
}

/// Whether the MAC covers anything of it.
fn weighs(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => leaf::bytes(scalar).is_some_and(|(_, bytes)| !bytes.is_empty()),
        Value::Map(map) => map.entries().any(|entry| weighs(&entry.value)),
        Value::Seq(seq) => seq.items.iter().any(|item| matches!(item, Item::Value(node) if weighs(node))),
    }
}

/// A document as the MAC sees it: the bytes of its leaves in order, and which runs of them are
/// the parts of which collection.
#[derive(Default)]
struct Flat {
    /// Which one, of the documents after the first one.
    document: String,
    leaves: Vec<Text>,
    collections: Vec<Collection>,
}

struct Collection {
    place: String,
    is_seq: bool,
    /// Name and leaves of each part.
    parts: Vec<(String, Range<usize>)>,
}

impl Flat {
    fn of(tree: &Tree, only_encrypted: bool) -> Self {
        let mut flat = Self::default();
        for (index, document) in tree.documents.iter().enumerate() {
            flat.document = if index == 0 { String::new() } else { format!("document {}", index + 1) };
            flat.map(document, &mut Vec::new(), only_encrypted);
        }
        flat
    }

    fn map(&mut self, map: &Map, path: &mut Vec<Step>, only_encrypted: bool) {
        let parts = map.entries().map(|entry| (Step::Key(entry.key.clone()), &entry.value));
        self.collection(false, parts, path, only_encrypted);
    }

    fn collection<'a>(
        &mut self,
        is_seq: bool,
        parts: impl Iterator<Item = (Step, &'a Node)>,
        path: &mut Vec<Step>,
        only_encrypted: bool,
    ) {
        let mut ranges = Vec::new();
        for (step, node) in parts {
            path.push(step);
            let start = self.leaves.len();
            self.node(node, path, only_encrypted);
            ranges.push((self.place(path), start..self.leaves.len()));
            path.pop();
        }
        self.collections.push(Collection { place: self.place(path), is_seq, parts: ranges });
    }

    fn place(&self, path: &[Step]) -> String {
        match (self.document.is_empty(), path.is_empty()) {
            (false, true) => self.document.clone(),
            (false, false) => format!("{}: {}", self.document, dotted(path)),
            (true, _) => dotted(path),
        }
    }

    fn node(&mut self, node: &Node, path: &mut Vec<Step>, only_encrypted: bool) {
        match &node.value {
            Value::Map(map) => self.map(map, path, only_encrypted),
            Value::Seq(seq) => {
                let values = seq.items.iter().filter_map(|item| match item {
                    Item::Value(node) => Some(node),
                    Item::Comment(_) => None,
                });
                let parts = values.enumerate().map(|(index, node)| (Step::Index(index), node));
                self.collection(true, parts, path, only_encrypted);
            }
            Value::Scalar(scalar) => {
                if node.sealed.is_some() || !only_encrypted {
                    self.leaves.extend(leaf::bytes(scalar).map(|(_, bytes)| Text::from(bytes.to_vec())));
                }
            }
        }
    }

    /// Whether the keys of every mapping are in alphabetical order, and there is something to sort.
    fn is_sorted(&self) -> bool {
        let mut maps = self.collections.iter().filter(|collection| !collection.is_seq && collection.parts.len() > 1);
        let all = maps.clone().all(|map| map.parts.is_sorted_by_key(|(name, _)| name));
        all && maps.next().is_some()
    }

    /// Looks for the one change that, undone, makes `fits` true.
    fn search(&self, fits: impl Fn(&mut dyn Iterator<Item = &[u8]>) -> bool) -> Option<Cause> {
        // A leaf costs something even when it is empty.
        let size = self.leaves.iter().map(|leaf| leaf.len() + 16).sum::<usize>() + 1024;
        let mut tries = EFFORT / size + 1;
        // `None` when it has taken long enough.
        let mut attempt = |collection: &Collection, order: &mut dyn Iterator<Item = usize>| {
            tries = tries.checked_sub(1)?;
            let start = collection.parts.first().map(|(_, range)| range.start)?;
            let end = collection.parts.last().map(|(_, range)| range.end)?;
            let inside = order.flat_map(|at| collection.parts[at].1.clone());
            let mut leaves = (0..start).chain(inside).chain(end..self.leaves.len()).map(|at| self.leaves[at].expose());
            Some(fits(&mut leaves))
        };
        let many = |collection: &&Collection| collection.parts.len() > 1;
        for collection in self.collections.iter().filter(many) {
            for order in orders(&collection.parts) {
                if attempt(collection, &mut order.into_iter())? {
                    let place = collection.place.clone();
                    return Some(if collection.is_seq {
                        Cause::ItemsReordered(place)
                    } else {
                        Cause::KeysReordered(place)
                    });
                }
            }
        }
        for collection in &self.collections {
            for (at, (name, leaves)) in collection.parts.iter().enumerate() {
                if !leaves.is_empty()
                    && attempt(collection, &mut (0..collection.parts.len()).filter(|part| *part != at))?
                {
                    return Some(Cause::Added(name.clone()));
                }
            }
        }
        None
    }
}

/// The orders that a collection may have had: alphabetical, reversed, one part moved, and every
/// order of a few parts.
fn orders(parts: &[(String, Range<usize>)]) -> Vec<Vec<usize>> {
    let as_is: Vec<usize> = (0..parts.len()).collect();
    let mut sorted = as_is.clone();
    sorted.sort_by_key(|at| &parts[*at].0);
    let mut orders = vec![sorted, as_is.iter().rev().copied().collect()];
    if parts.len() <= PERMUTED {
        permutations(&mut as_is.clone(), 0, &mut orders);
    } else if parts.len() <= MOVED {
        for from in 0..parts.len() {
            for to in 0..parts.len() {
                let mut order = as_is.clone();
                let moved = order.remove(from);
                order.insert(to, moved);
                orders.push(order);
            }
        }
    }
    orders.retain(|order| *order != as_is);
    orders
}

fn permutations(order: &mut Vec<usize>, fixed: usize, found: &mut Vec<Vec<usize>>) {
    if fixed == order.len() {
        return found.push(order.clone());
    }
    for next in fixed..order.len() {
        order.swap(fixed, next);
        permutations(order, fixed + 1, found);
        order.swap(fixed, next);
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, Flat, compare, orders};
    use crate::secrets::format::Format;
    use crate::secrets::tree::Tree;

    fn tree(text: &str) -> Tree {
        Format::Yaml.read_plain(text.as_bytes()).expect("YAML")
    }

    /// The cause that the search finds when `broken` was `whole`.
    fn found(whole: &str, broken: &str) -> Option<String> {
        let wanted: Vec<u8> =
            Flat::of(&tree(whole), false).leaves.iter().flat_map(|leaf| leaf.expose().to_vec()).collect();
        let flat = Flat::of(&tree(broken), false);
        let cause = flat.search(|leaves| leaves.collect::<Vec<_>>().concat() == wanted);
        cause.map(|cause| cause.to_string())
    }

    #[test]
    fn one_change_is_found_by_undoing_it() {
        for (whole, broken, cause) in [
            ("a: 1\nb: 2\n", "b: 2\na: 1\n", Some("keys at the top level were reordered")),
            ("x: {c: 1, b: 2, a: 3}\ny: 4\n", "x: {a: 3, b: 2, c: 1}\ny: 4\n", Some("keys under x were reordered")),
            ("l: [1, 2, 3]\n", "l: [3, 1, 2]\n", Some("list l was reordered")),
            ("l: [1, 2]\n", "l: [1, 2, 3]\n", Some("l[2] was added by hand")),
            ("a: {b: 1}\n", "a: {b: 1, c: {d: 2, e: 3}}\n", Some("a.c was added by hand")),
            ("a: {b: 1}\n", "a: {b: 2}\n", None),
            ("a: 1\nb: 2\n", "a: 1\n", None),
            ("a: 1\n", "a: 1\nb: 2\nc: 3\n", None),
            (
                "a: 1\n---\nb: 2\nc: 3\nd: 4\n",
                "a: 1\n---\nd: 4\nc: 3\nb: 2\n",
                Some("keys under document 2 were reordered"),
            ),
        ] {
            assert_eq!(found(whole, broken).as_deref(), cause, "{broken}");
        }
    }

    #[test]
    fn sorted_documents_are_suspicious() {
        for (text, sorted) in [("a: 1\nb: {c: 1, d: 2}\n", true), ("b: 1\na: 2\n", false), ("a: 1\n", false)] {
            assert_eq!(Flat::of(&tree(text), false).is_sorted(), sorted, "{text}");
        }
    }

    #[test]
    fn comparison_leaves_out_what_the_mac_does_not_cover() {
        for (whole, broken, causes) in [
            ("a: 1\n", "a: 1\n# x\nb: null\nc: ''\nd: {}\n", vec![]),
            ("a: 1\n", "a: '1'\n", vec![]),
            ("a: 1\n", "a: 2\n", vec![Cause::ClearChanged("a".to_owned())]),
            ("a: 1\nb: x\n", "a: 1\nb: null\n", vec![Cause::Removed("b".to_owned())]),
            ("l: [1, 2]\n", "l: [2, 1]\n", vec![Cause::ItemsReordered("l".to_owned())]),
            ("m: {a: 1, b: 2}\n", "m: {b: 2, a: 1}\n", vec![Cause::KeysReordered("m".to_owned())]),
            ("a: 1\nb: 2\n", "b: 3\n", vec![Cause::Removed("a".to_owned()), Cause::ClearChanged("b".to_owned())]),
        ] {
            assert_eq!(compare(&tree(whole), &tree(broken)), causes, "{broken}");
        }
    }

    /// The work is bounded also for what has very many parts.
    #[test]
    fn a_large_document_ends_soon() {
        let text: String = (0..20_000).map(|at| format!("k{at}: v{at}\n")).collect();
        let flat = Flat::of(&tree(&text), false);
        let asked = std::cell::Cell::new(0_usize);
        let cause = flat.search(|leaves| {
            asked.set(asked.get() + leaves.map(<[u8]>::len).sum::<usize>());
            false
        });
        assert!(cause.is_none() && asked.get() <= super::EFFORT, "{}", asked.get());
        assert!(orders(&flat.collections[0].parts).len() <= 2);
    }
}
