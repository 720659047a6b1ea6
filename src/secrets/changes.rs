//! What is different between two versions of a document, place by place.

use std::collections::HashMap;
use std::fmt;

use super::edit::{matching, same};
use super::leaf;
use super::select::{Step, dotted};
use super::text::Text;
use super::tree::{Entry, Item, Map, Node, Scalar, Seq, Tree, Value};

/// What became of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another value.
    Changed,
    /// It is spelled as before, but of another type.
    Retyped,
    /// A collection holds the same things in another order.
    Reordered,
    /// Comments of a collection are others.
    Comments,
}

impl Kind {
    /// As an adjective of the place.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Retyped => "retyped",
            Self::Reordered => "reordered",
            Self::Comments => "comments changed",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One difference.
#[derive(Debug)]
pub struct Change<'a> {
    /// The place, as [`super::Selector`] reads it; in a document after the first one, after
    /// `document 2: `. Empty for the top level of a document. An item of a list that is gone is
    /// called by its old number.
    pub path: String,
    /// What became of it.
    pub kind: Kind,
    /// What stood there.
    pub old: Option<&'a Node>,
    /// What stands there.
    pub new: Option<&'a Node>,
}

/// The differences between `old` and `new`, in document order. Of a part that is new or gone,
/// each leaf is listed.
pub fn changes<'a>(old: &'a Tree, new: &'a Tree) -> Vec<Change<'a>> {
    let mut found = Finder::default();
    for index in 0..old.documents.len().max(new.documents.len()) {
        found.path = Path { document: index, steps: Vec::new() };
        match (old.documents.get(index), new.documents.get(index)) {
            (Some(old), Some(new)) => found.maps(old, new),
            (Some(old), None) => found.all_of_map(old, Side::Old),
            (None, Some(new)) => found.all_of_map(new, Side::New),
            (None, None) => {}
        }
    }
    found.changes
}

/// The leaves of a document with their places: scalars, and collections that are empty.
pub fn leaves(tree: &Tree) -> Vec<(String, &Node)> {
    let mut found = Finder::default();
    for (index, document) in tree.documents.iter().enumerate() {
        found.path = Path { document: index, steps: Vec::new() };
        found.all_of_map(document, Side::New);
    }
    found.changes.into_iter().filter_map(|change| Some((change.path, change.new?))).collect()
}

#[derive(Clone, Copy)]
enum Side {
    Old,
    New,
}

#[derive(Default)]
struct Path {
    document: usize,
    steps: Vec<Step>,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = dotted(&self.steps);
        match (self.document, path.is_empty()) {
            (0, _) => f.write_str(&path),
            (index, true) => write!(f, "document {}", index + 1),
            (index, false) => write!(f, "document {}: {path}", index + 1),
        }
    }
}

#[derive(Default)]
struct Finder<'a> {
    path: Path,
    changes: Vec<Change<'a>>,
}

impl<'a> Finder<'a> {
    fn tell(&mut self, kind: Kind, old: Option<&'a Node>, new: Option<&'a Node>) {
        self.changes.push(Change { path: self.path.to_string(), kind, old, new });
    }

    fn step(&mut self, step: Step, then: impl FnOnce(&mut Self)) {
        self.path.steps.push(step);
        then(self);
        self.path.steps.pop();
    }

    fn maps(&mut self, old: &'a Map, new: &'a Map) {
        let (was, is) = (keyed(old), keyed(new));
        let here: HashMap<Key<'_>, &Entry> = is.iter().copied().collect();
        let there: HashMap<Key<'_>, &Entry> = was.iter().copied().collect();
        let kept = |(key, _): &&(Key<'a>, &Entry)| there.contains_key(key) && here.contains_key(key);
        if was.iter().filter(kept).map(|(key, _)| key).ne(is.iter().filter(kept).map(|(key, _)| key)) {
            self.tell(Kind::Reordered, None, None);
        }
        if comments(old).count() != comments(new).count()
            || matching::comments(&old.items, &new.items).len() != comments(new).count()
        {
            self.tell(Kind::Comments, None, None);
        }
        // What is gone is told where it stood: before the next entry that is still there.
        let mut gone = was.iter().peekable();
        for (key, entry) in &is {
            if there.contains_key(key) {
                while let Some((lost, old)) = gone.next_if(|(lost, _)| lost != key) {
                    if !here.contains_key(lost) {
                        self.step(Step::Key(lost.0.to_owned()), |finder| finder.all(&old.value, Side::Old));
                    }
                }
                gone.next();
            }
            self.step(Step::Key(key.0.to_owned()), |finder| match there.get(key) {
                Some(old) => finder.nodes(&old.value, &entry.value),
                None => finder.all(&entry.value, Side::New),
            });
        }
        for (lost, old) in gone {
            if !here.contains_key(lost) {
                self.step(Step::Key(lost.0.to_owned()), |finder| finder.all(&old.value, Side::Old));
            }
        }
    }

    fn nodes(&mut self, old: &'a Node, new: &'a Node) {
        match (&old.value, &new.value) {
            (Value::Map(old), Value::Map(new)) => self.maps(old, new),
            (Value::Seq(was), Value::Seq(is)) => self.seqs((old, was), (new, is)),
            (Value::Scalar(was), Value::Scalar(is)) => {
                if !same::scalars(was, is) {
                    let kind = if spelled(was) == spelled(is) { Kind::Retyped } else { Kind::Changed };
                    self.tell(kind, Some(old), Some(new));
                }
            }
            _ => self.tell(Kind::Changed, Some(old), Some(new)),
        }
    }

    fn seqs(&mut self, (old_node, old): (&'a Node, &'a Seq), (new_node, new): (&'a Node, &'a Seq)) {
        let (was, is) = (values(old), values(new));
        let tokens = |seq: &'a Seq| -> Vec<u64> {
            seq.items.iter().filter(|item| matches!(item, Item::Value(_))).map(same::token).collect()
        };
        let (was_tokens, is_tokens) = (tokens(old), tokens(new));
        if was_tokens != is_tokens && sorted(&was_tokens) == sorted(&is_tokens) {
            return self.tell(Kind::Reordered, Some(old_node), Some(new_node));
        }
        let counterparts = matching::in_order(&was_tokens, &is_tokens);
        let (mut at, mut to) = (0, 0);
        // Between two items that stayed, the others belong together one by one.
        for end in counterparts.iter().copied().chain([Some(was.len())]).enumerate() {
            let (next, Some(old_end)) = end else { continue };
            let run = (old_end - at).min(next - to);
            for offset in 0..run {
                let (old, new) = (was[at + offset], is[to + offset]);
                self.step(Step::Index(to + offset), |finder| finder.nodes(old, new));
            }
            for (lost, node) in was.iter().enumerate().take(old_end).skip(at + run) {
                self.step(Step::Index(lost), |finder| finder.all(node, Side::Old));
            }
            for (found, node) in is.iter().enumerate().take(next).skip(to + run) {
                self.step(Step::Index(found), |finder| finder.all(node, Side::New));
            }
            (at, to) = (old_end + 1, next + 1);
        }
    }

    fn all(&mut self, node: &'a Node, side: Side) {
        match &node.value {
            Value::Map(map) if map.entries().next().is_some() => self.all_of_map(map, side),
            Value::Seq(seq) if seq.items.iter().any(|item| matches!(item, Item::Value(_))) => {
                for (index, node) in values(seq).into_iter().enumerate() {
                    self.step(Step::Index(index), |finder| finder.all(node, side));
                }
            }
            _ => match side {
                Side::Old => self.tell(Kind::Removed, Some(node), None),
                Side::New => self.tell(Kind::Added, None, Some(node)),
            },
        }
    }

    fn all_of_map(&mut self, map: &'a Map, side: Side) {
        for entry in map.entries() {
            self.step(Step::Key(entry.key.clone()), |finder| finder.all(&entry.value, side));
        }
    }
}

/// A key and which of its occurrences it is: JSON may repeat keys.
type Key<'a> = (&'a str, usize);

fn keyed(map: &Map) -> Vec<(Key<'_>, &Entry)> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut key = |entry| {
        let Entry { key, .. }: &Entry = entry;
        let count = seen.entry(key).or_default();
        *count += 1;
        ((key.as_str(), *count - 1), entry)
    };
    map.entries().map(&mut key).collect()
}

fn comments(map: &Map) -> impl Iterator<Item = &Item<Entry>> {
    map.items.iter().filter(|item| matches!(item, Item::Comment(_)))
}

fn values(seq: &Seq) -> Vec<&Node> {
    fn value(item: &Item<Node>) -> Option<&Node> {
        match item {
            Item::Value(node) => Some(node),
            Item::Comment(_) => None,
        }
    }
    seq.items.iter().filter_map(value).collect()
}

fn sorted(tokens: &[u64]) -> Vec<u64> {
    let mut tokens = tokens.to_vec();
    tokens.sort_unstable();
    tokens
}

/// The bytes that SOPS makes of a leaf, whatever its type.
fn spelled(scalar: &Scalar) -> Option<Text> {
    leaf::bytes(scalar).map(|(_, bytes)| Text::from(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::{changes, leaves};
    use crate::secrets::format::Format;
    use crate::secrets::tree::Tree;

    fn tree(text: &str) -> Tree {
        Format::Yaml.read_plain(text.as_bytes()).expect("YAML")
    }

    #[test]
    fn every_kind_of_change_has_its_place() {
        let cases: [(&str, &str, &[&str]); 21] = [
            ("a: 1\n", "a: 1\n", &[]),
            ("a: 1\n", "a: 2\n", &["changed a"]),
            ("a: 1\n", "a: '1'\n", &["retyped a"]),
            ("a: true\n", "a: 'True'\n", &["retyped a"]),
            // SOPS itself makes the one of the other.
            ("a: 1.0\n", "a: 1\n", &[]),
            ("a: 1\n", "a: 1\nb: {c: 2, d: [3, {}]}\n", &["added b.c", "added b.d[0]", "added b.d[1]"]),
            ("a: 1\nb: 2\nc: 3\n", "a: 1\nc: 4\n", &["removed b", "changed c"]),
            ("a: 1\nb: 2\n", "b: 2\na: 1\n", &["reordered "]),
            ("a: {b: 1, c: 2}\n", "a: {c: 2, b: 1}\n", &["reordered a"]),
            ("a: {b: 1, c: 2}\n", "a: {c: 2, x: 0, b: 3}\n", &["reordered a", "added a.x", "changed a.b"]),
            ("l: [1, 2, 3]\n", "l: [3, 2, 1]\n", &["reordered l"]),
            ("l: [1, 2, 3]\n", "l: [1, 3]\n", &["removed l[1]"]),
            ("l: [1, 3]\n", "l: [1, 2, 3]\n", &["added l[1]"]),
            ("l: [1, 2, 3]\n", "l: [1, 5, 3, 4]\n", &["changed l[1]", "added l[3]"]),
            ("l: [1]\n", "l: []\n", &["removed l[0]"]),
            ("l: [{a: 1, b: 2}, 3]\n", "l: [{a: 1, b: 4}, 3]\n", &["changed l[0].b"]),
            ("a: 1\n", "a: {b: 1}\n", &["changed a"]),
            ("a.b: 1\n", "a.b: 2\n", &["changed \"a.b\""]),
            ("a: 1\n# x\nb: 2\n", "a: 1\n# y\nb: 2\n", &["comments changed "]),
            ("a: 1\n", "a: 1\n---\nb: 2\n", &["added document 2: b"]),
            ("a: 1\n---\nb: 2\nc: 3\n", "a: 1\n---\nc: 3\nb: 2\n", &["reordered document 2"]),
        ];
        for (old, new, expected) in cases {
            let (old, new) = (tree(old), tree(new));
            let found: Vec<String> =
                changes(&old, &new).iter().map(|change| format!("{} {}", change.kind, change.path)).collect();
            assert_eq!(found, expected, "{old:?} {new:?}");
        }
    }

    #[test]
    fn what_is_changed_back_is_changed_alike() {
        let (old, new) = (tree("a: 1\nl: [1, 2]\n"), tree("b: 1\nl: [2]\n"));
        let count = |old, new| changes(old, new).len();
        assert_eq!(count(&old, &new), count(&new, &old));
        for change in changes(&old, &new) {
            assert!(change.old.is_some() != change.new.is_some(), "{change:?}");
        }
    }

    #[test]
    fn leaves_are_scalars_and_empty_collections() {
        let tree = tree("a: {b: 1, c: []}\n# x\nd: [x, {}, [y]]\n---\ne: null\n");
        let places: Vec<String> = leaves(&tree).into_iter().map(|(path, _)| path).collect();
        assert_eq!(places, ["a.b", "a.c", "d[0]", "d[1]", "d[2][0]", "document 2: e"]);
    }
}
