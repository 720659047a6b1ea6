//! Three-way merge of plaintext trees.

mod order;
mod sequence;

use std::collections::HashMap;

use order::{Keyed, weave};

use super::edit::same;
use super::select::{Step, dotted};
use super::tree::{Entry, Map, Node, Tree, Value};

/// A merged tree and the places where both sides changed the same thing differently.
#[derive(Debug)]
pub struct Merged {
    /// The result; at a conflict it holds ours.
    pub tree: Tree,
    /// Paths as a [`super::Selector`] reads them; in a document after the first one, after
    /// `document 2: `.
    pub conflicts: Vec<String>,
}

/// Merges what `ours` and `theirs` made of `base`, per key; leaves keep the ciphertext of the
/// side that they are taken from.
///
/// Values of a sequence are merged when the sides changed different ones. Entries stand in the
/// order of ours, with what theirs added after what it follows there; if only theirs changed the
/// order, in that of theirs. A comment goes where its side put it.
pub fn merge(base: &Tree, ours: &Tree, theirs: &Tree) -> Merged {
    let mut merger = Merger::default();
    let count = base.documents.len().max(ours.documents.len()).max(theirs.documents.len());
    let mut documents = Vec::new();
    for index in 0..count {
        merger.document = index;
        let sides = Sides {
            base: base.documents.get(index),
            ours: ours.documents.get(index),
            theirs: theirs.documents.get(index),
        };
        documents.extend(merger.document(sides));
    }
    Merged { tree: Tree { documents }, conflicts: merger.conflicts }
}

/// The same thing in three versions; `None` where it is missing.
#[derive(Clone, Copy)]
struct Sides<'a, T> {
    base: Option<&'a T>,
    ours: Option<&'a T>,
    theirs: Option<&'a T>,
}

#[derive(Default)]
struct Merger {
    /// The number of the document, from 0.
    document: usize,
    path: Vec<Step>,
    conflicts: Vec<String>,
}

impl Merger {
    fn conflict(&mut self) {
        let path = dotted(&self.path);
        self.conflicts.push(match (self.document, path.is_empty()) {
            (0, _) => path,
            (index, true) => format!("document {}", index + 1),
            (index, false) => format!("document {}: {path}", index + 1),
        });
    }

    fn document(&mut self, sides: Sides<'_, Map>) -> Option<Map> {
        let is_same = |a: Option<&Map>, b: Option<&Map>| match (a, b) {
            (Some(a), Some(b)) => same::maps(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        match (sides.ours, sides.theirs) {
            (Some(ours), Some(theirs)) => {
                let none = Map::default();
                Some(self.map(sides.base.unwrap_or(&none), ours, theirs))
            }
            (ours, theirs) if is_same(sides.base, theirs) => ours.cloned(),
            (ours, theirs) if is_same(sides.base, ours) => theirs.cloned(),
            (ours, _) => {
                self.conflict();
                ours.cloned()
            }
        }
    }

    fn step<T>(&mut self, step: Step, then: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = then(self);
        self.path.pop();
        result
    }

    /// What becomes of a value; `None` when it is gone.
    fn node(&mut self, sides: Sides<'_, Node>) -> Option<Node> {
        if let (Some(Node { value: Value::Map(ours), .. }), Some(Node { value: Value::Map(theirs), .. })) =
            (sides.ours, sides.theirs)
        {
            let none = Map::default();
            let base = match sides.base {
                Some(Node { value: Value::Map(base), .. }) => base,
                _ => &none,
            };
            return Some(self.map(base, ours, theirs).into());
        }
        let is_same = |a: Option<&Node>, b: Option<&Node>| match (a, b) {
            (Some(a), Some(b)) => same::nodes(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        if is_same(sides.ours, sides.theirs) || is_same(sides.base, sides.theirs) {
            return sides.ours.cloned();
        }
        if is_same(sides.base, sides.ours) {
            return sides.theirs.cloned();
        }
        if let (
            Some(Node { value: Value::Seq(base), .. }),
            Some(Node { value: Value::Seq(ours), .. }),
            Some(Node { value: Value::Seq(theirs), .. }),
        ) = (sides.base, sides.ours, sides.theirs)
            && let Some(merged) = self.seq(base, ours, theirs)
        {
            return Some(merged.into());
        }
        self.conflict();
        sides.ours.cloned()
    }

    fn map(&mut self, base: &Map, ours: &Map, theirs: &Map) -> Map {
        let (base_by, ours_by, theirs_by) = (Keyed::of(base), Keyed::of(ours), Keyed::of(theirs));
        let mut results = HashMap::new();
        let added = theirs_by.order.iter().filter(|key| ours_by.get(key).is_none());
        for key in ours_by.order.iter().chain(added) {
            let (was, our, their) = (base_by.get(key), ours_by.get(key), theirs_by.get(key));
            let sides = Sides {
                base: was.map(|entry| &entry.value),
                ours: our.map(|entry| &entry.value),
                theirs: their.map(|entry| &entry.value),
            };
            let merged = self.step(Step::Key(key.0.to_owned()), |merger| merger.node(sides));
            if let (Some(value), Some(entry)) = (merged, our.or(their)) {
                results.insert(*key, Entry { key: entry.key.clone(), key_span: entry.key_span, value });
            }
        }
        // The one whose order counts leads; what only the other has is put in.
        let swap = !ours_by.reorders(&base_by) && theirs_by.reorders(&base_by);
        let (lead, other) = if swap { (theirs, ours) } else { (ours, theirs) };
        Map { items: weave(base, lead, other, results), flow: ours.flow }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::secrets::tree::{Comment, Item, Scalar, Seq};

    /// A tree from JSON: a key or list item that begins with `#` is a comment. Leaves are sealed
    /// as `side`.
    fn node(json: &Json, side: &str) -> Node {
        let comment = |text: &str| Comment { text: text.into(), span: None, sealed: Some(side.into()) };
        match json {
            Json::Object(object) => {
                let mut map = Map::default();
                for (key, value) in object {
                    match key.strip_prefix('#') {
                        Some(text) => map.items.push(Item::Comment(comment(text))),
                        None => map.push(key.as_str(), node(value, side)),
                    }
                }
                map.into()
            }
            Json::Array(array) => {
                let items = array.iter().map(|json| match json.as_str().and_then(|text| text.strip_prefix('#')) {
                    Some(text) => Item::Comment(comment(text)),
                    None => Item::Value(node(json, side)),
                });
                Seq { items: items.collect(), flow: false }.into()
            }
            Json::Number(number) => Node { sealed: Some(side.into()), ..Scalar::Int(number.as_i64().unwrap()).into() },
            other => Node { sealed: Some(side.into()), ..Node::text(other.as_str().unwrap()) },
        }
    }

    fn tree(json: &Json, side: &str) -> Tree {
        let documents = match json {
            Json::Array(documents) => documents.clone(),
            one => vec![one.clone()],
        };
        let maps = documents.iter().map(|json| match node(json, side).value {
            Value::Map(map) => map,
            _ => panic!("a document is a mapping"),
        });
        Tree { documents: maps.collect() }
    }

    /// The same the other way round, with the side that each leaf is from when `sides`.
    fn shown(node: &Node, sides: bool) -> Json {
        match &node.value {
            Value::Scalar(_) if sides => Json::from(node.sealed.as_deref().unwrap()),
            Value::Scalar(Scalar::Int(int)) => Json::from(*int),
            Value::Scalar(_) => Json::from(node.as_str().unwrap()),
            Value::Map(map) => {
                let items = map.items.iter().map(|item| match item {
                    Item::Comment(comment) => (format!("#{}", comment.text.expose_str().unwrap()), json!(0)),
                    Item::Value(entry) => (entry.key.clone(), shown(&entry.value, sides)),
                });
                Json::Object(items.collect())
            }
            Value::Seq(seq) => {
                let items = seq.items.iter().map(|item| match item {
                    Item::Comment(comment) => Json::from(format!("#{}", comment.text.expose_str().unwrap())),
                    Item::Value(node) => shown(node, sides),
                });
                Json::Array(items.collect())
            }
        }
    }

    fn merged(base: Json, ours: Json, theirs: Json) -> Merged {
        merge(&tree(&base, "base"), &tree(&ours, "ours"), &tree(&theirs, "theirs"))
    }

    fn first(merged: &Merged, sides: bool) -> String {
        shown(&merged.tree.documents[0].clone().into(), sides).to_string()
    }

    #[test]
    fn merges_entries_comments_and_lists() {
        for (what, base, ours, theirs, expected) in [
            (
                "different entries",
                json!({"a": 1, "b": 2}),
                json!({"a": 3, "b": 2}),
                json!({"a": 1, "b": 4}),
                json!({"a": 3, "b": 4}),
            ),
            (
                "nested",
                json!({"m": {"a": 1, "b": 2}}),
                json!({"m": {"a": 3, "b": 2}}),
                json!({"m": {"a": 1}}),
                json!({"m": {"a": 3}}),
            ),
            (
                "both the same",
                json!({"a": 1}),
                json!({"a": 2, "n": 1}),
                json!({"a": 2, "n": 1}),
                json!({"a": 2, "n": 1}),
            ),
            ("removed by both", json!({"a": 1, "b": 2}), json!({"b": 2}), json!({"b": 2}), json!({"b": 2})),
            ("removed by one", json!({"a": 1, "b": 2}), json!({"b": 2}), json!({"a": 1, "b": 3}), json!({"b": 3})),
            (
                "insertions",
                json!({"a": 1, "b": 2}),
                json!({"x": 0, "a": 1, "b": 2}),
                json!({"a": 1, "n": 5, "b": 2, "z": 6}),
                json!({"x": 0, "a": 1, "n": 5, "b": 2, "z": 6}),
            ),
            (
                "inserted after ours",
                json!({"a": 1}),
                json!({"a": 1, "o": 2}),
                json!({"a": 1, "t": 3}),
                json!({"a": 1, "t": 3, "o": 2}),
            ),
            ("inserted first", json!({"a": 1}), json!({"a": 1}), json!({"t": 3, "a": 1}), json!({"t": 3, "a": 1})),
            (
                "maps made by both",
                json!({}),
                json!({"m": {"a": 1}}),
                json!({"m": {"b": 2}}),
                json!({"m": {"b": 2, "a": 1}}),
            ),
            (
                "ours order",
                json!({"a": 1, "b": 2}),
                json!({"b": 2, "a": 1}),
                json!({"a": 1, "b": 3}),
                json!({"b": 3, "a": 1}),
            ),
            (
                "theirs order",
                json!({"a": 1, "b": 2}),
                json!({"a": 4, "b": 2}),
                json!({"b": 2, "a": 1}),
                json!({"b": 2, "a": 4}),
            ),
            (
                "comments",
                json!({"# x": 0, "a": 1, "# y": 0, "b": 2}),
                json!({"# x": 0, "a": 3, "# ours": 0, "n": 1, "# y": 0, "b": 2}),
                json!({"a": 1, "# y": 0, "# theirs": 0, "b": 2, "# end": 0}),
                json!({"a": 3, "# ours": 0, "n": 1, "# y": 0, "# theirs": 0, "b": 2, "# end": 0}),
            ),
            (
                "comment of an insertion",
                json!({"a": 1, "b": 2}),
                json!({"a": 1, "o": 1, "b": 2}),
                json!({"a": 1, "# n": 0, "n": 1, "b": 2}),
                json!({"a": 1, "# n": 0, "n": 1, "o": 1, "b": 2}),
            ),
            (
                "list of one side",
                json!({"l": [1, 2]}),
                json!({"l": [1, 2], "a": 1}),
                json!({"l": [1, 2, 3]}),
                json!({"l": [1, 2, 3], "a": 1}),
            ),
            (
                "list items apart",
                json!({"l": [1, 2, 3]}),
                json!({"l": [0, 1, 2, 3]}),
                json!({"l": [1, 2, "# c", 3, 4]}),
                json!({"l": [0, 1, 2, "# c", 3, 4]}),
            ),
            (
                "list items side by side",
                json!({"l": [1, 2]}),
                json!({"l": [3, 2]}),
                json!({"l": [1, 4]}),
                json!({"l": [3, 4]}),
            ),
            (
                "maps in lists",
                json!({"l": [{"a": 1, "b": 2}]}),
                json!({"l": [{"a": 3, "b": 2}]}),
                json!({"l": [{"a": 1, "b": 4}]}),
                json!({"l": [{"a": 3, "b": 4}]}),
            ),
            (
                "list item removed",
                json!({"l": [1, 2, 3]}),
                json!({"l": [2, 3]}),
                json!({"l": [1, 2]}),
                json!({"l": [2]}),
            ),
        ] {
            let result = merged(base, ours, theirs);
            assert_eq!(first(&result, false), expected.to_string(), "{what}");
            assert!(result.conflicts.is_empty(), "{what}: {:?}", result.conflicts);
        }
    }

    #[test]
    fn both_changed_the_same_thing() {
        for (what, base, ours, theirs, expected, conflicts) in [
            (
                "value",
                json!({"m": {"a.b": 1}}),
                json!({"m": {"a.b": 2}}),
                json!({"m": {"a.b": 3}}),
                json!({"m": {"a.b": 2}}),
                vec![r#"m."a.b""#],
            ),
            ("added", json!({}), json!({"a": 2}), json!({"a": 3, "b": 1}), json!({"a": 2, "b": 1}), vec!["a"]),
            ("deleted by us", json!({"a": 1}), json!({}), json!({"a": 3}), json!({}), vec!["a"]),
            (
                "deleted by them",
                json!({"a": {"b": 1}}),
                json!({"a": {"b": 2}}),
                json!({}),
                json!({"a": {"b": 2}}),
                vec!["a"],
            ),
            ("kind", json!({"a": 1}), json!({"a": {"b": 1}}), json!({"a": [1]}), json!({"a": {"b": 1}}), vec!["a"]),
            (
                "appended",
                json!({"l": [1, 2]}),
                json!({"l": [1, 2, 3]}),
                json!({"l": [0, 1, 2, 4]}),
                json!({"l": [1, 2, 3]}),
                vec!["l"],
            ),
            ("list item", json!({"l": [1]}), json!({"l": [2]}), json!({"l": [3]}), json!({"l": [2]}), vec!["l"]),
            (
                "map in a list",
                json!({"l": [0, {"a": 1, "b": 1}]}),
                json!({"l": [0, {"a": 2, "b": 1}]}),
                json!({"l": [0, {"a": 3, "b": 2}]}),
                json!({"l": [0, {"a": 2, "b": 2}]}),
                vec!["l[1].a"],
            ),
            (
                "two",
                json!({"a": 1, "b": 1}),
                json!({"a": 2, "b": 2}),
                json!({"a": 3, "b": 3}),
                json!({"a": 2, "b": 2}),
                vec!["a", "b"],
            ),
        ] {
            let result = merged(base, ours, theirs);
            assert_eq!(first(&result, false), expected.to_string(), "{what}");
            assert_eq!(result.conflicts, conflicts, "{what}");
        }
    }

    #[test]
    fn leaves_keep_the_ciphertext_of_their_side() {
        let base = json!({"a": 1, "b": 2, "l": [1, 2], "c": 1});
        let result = merged(
            base,
            json!({"a": 3, "b": 2, "l": [0, 1, 2], "c": 1}),
            json!({"a": 1, "b": 4, "l": [1, 2, 3], "c": 1}),
        );
        let expected = json!({"a": "ours", "b": "theirs", "l": ["ours", "ours", "ours", "theirs"], "c": "ours"});
        assert_eq!(first(&result, true), expected.to_string());
    }

    #[test]
    fn documents_are_merged_one_by_one() {
        let result =
            merged(json!([{"a": 1}, {"b": 1}]), json!([{"a": 1}, {"b": 2}]), json!([{"a": 2}, {"b": 3}, {"c": 1}]));
        assert_eq!(result.tree.documents.len(), 3);
        assert_eq!(first(&result, false), r#"{"a":2}"#);
        assert_eq!(result.conflicts, ["document 2: b"]);
        let result = merged(json!([{"a": 1}, {"b": 1}]), json!([{"a": 1}]), json!([{"a": 2}, {"b": 1}]));
        assert_eq!((result.tree.documents.len(), result.conflicts.len()), (1, 0));
        let result = merged(json!([{"a": 1}, {"b": 1}]), json!([{"a": 1}]), json!([{"a": 2}, {"b": 2}]));
        assert_eq!((result.tree.documents.len(), result.conflicts), (1, vec!["document 2".to_owned()]));
    }

    #[test]
    fn one_side_alone_is_taken_whole() {
        let base = json!({"# c": 0, "a": 1, "l": [1, {"x": 1}], "m": {"k": 1}});
        let side = json!({"m": {"n": 2, "# d": 0, "k": 1}, "# e": 0, "l": [{"x": 2}, 1, 1], "z": 1});
        for (ours, theirs) in [(&base, &side), (&side, &base)] {
            let result = merged(base.clone(), ours.clone(), theirs.clone());
            assert!(result.conflicts.is_empty(), "{:?}", result.conflicts);
            let zeroed = first(&result, false);
            assert_eq!(zeroed, side.to_string());
        }
    }
}
