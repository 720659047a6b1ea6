//! The metadata in dotenv and INI: nested names joined by `__map_` and `__list_N`.

use std::collections::BTreeMap;

use crate::secrets::error::Error;
use crate::secrets::tree::{Entry, Item, Map, Node, Scalar, Seq, Value};

const MAP: &str = "__map_";
const LIST: &str = "__list_";

/// What is below a name, while it is put together. Lists come in the order of their names, which
/// is not that of their numbers.
enum Nested {
    Leaf(Node),
    Map(Vec<(String, Nested)>),
    List(BTreeMap<usize, Nested>),
}

enum Step<'k> {
    Key(&'k str),
    Index(usize),
}

/// The section that `entries` spell; `prefix` is taken off their names.
///
/// # Errors
/// [`Error::Metadata`] for names that contradict each other.
pub(super) fn nest<'e>(entries: impl Iterator<Item = &'e Entry>, prefix: &str) -> Result<Map, Error> {
    let mut root = Nested::Map(Vec::new());
    for entry in entries {
        let name = entry.key.strip_prefix(prefix).unwrap_or(&entry.key);
        let wrong = || Error::Metadata(format!("its entry {name:?} is spelled wrong"));
        let steps = steps(name).ok_or_else(wrong)?;
        let mut at = &mut root;
        for (step, next) in steps.iter().zip(steps.iter().skip(1).map(Some).chain([None])) {
            let empty = || match next {
                Some(Step::Key(_)) => Nested::Map(Vec::new()),
                Some(Step::Index(_)) => Nested::List(BTreeMap::new()),
                None => Nested::Leaf(unescaped(&entry.value)),
            };
            at = match (at, step) {
                (Nested::Map(map), Step::Key(key)) => {
                    let found = map.iter().position(|(name, _)| name == key);
                    let found = found.unwrap_or_else(|| {
                        map.push(((*key).to_owned(), empty()));
                        map.len() - 1
                    });
                    &mut map[found].1
                }
                (Nested::List(list), Step::Index(index)) => list.entry(*index).or_insert_with(empty),
                _ => return Err(wrong()),
            };
        }
        match at {
            // The last one of a name counts.
            Nested::Leaf(leaf) => *leaf = unescaped(&entry.value),
            _ => return Err(wrong()),
        }
    }
    let Value::Map(mut map) = built(root).value else { return Ok(Map::default()) };
    typed(&mut map);
    Ok(map)
}

/// Gives the two entries that are no texts their types.
fn typed(section: &mut Map) {
    if let Some(flag) = section.get_mut("mac_only_encrypted")
        && let Some(text) = flag.as_str()
    {
        flag.value = Value::Scalar(Scalar::Bool(text == "true"));
    }
    if let Some(threshold) = section.get_mut("shamir_threshold")
        && let Some(number) = threshold.as_str().and_then(|text| text.parse().ok())
    {
        threshold.value = Value::Scalar(Scalar::Int(number));
    }
}

/// The entries that spell `section`, sorted as SOPS sorts them. What is empty or null is left out.
pub(super) fn flatten(section: &Map, prefix: &str, escape: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    flatten_map(section, prefix, escape, &mut entries);
    entries.sort_by(|one, other| one.key.cmp(&other.key));
    entries
}

fn steps(name: &str) -> Option<Vec<Step<'_>>> {
    let next = |rest: &str| match (rest.find(MAP), rest.find(LIST)) {
        (Some(map), Some(list)) => map.min(list),
        (map, list) => map.or(list).unwrap_or(rest.len()),
    };
    let (first, mut rest) = name.split_at(next(name));
    let mut steps = vec![Step::Key(first)];
    while !rest.is_empty() {
        let list = rest.starts_with(LIST);
        rest = &rest[if list { LIST.len() } else { MAP.len() }..];
        let (part, after) = rest.split_at(next(rest));
        steps.push(if list { Step::Index(part.parse().ok()?) } else { Step::Key(part) });
        rest = after;
    }
    Some(steps)
}

fn built(nested: Nested) -> Node {
    match nested {
        Nested::Leaf(node) => node,
        Nested::Map(entries) => {
            let mut map = Map::default();
            for (key, value) in entries {
                map.push(key, built(value));
            }
            map.into()
        }
        Nested::List(items) => {
            Seq { items: items.into_values().map(|item| Item::Value(built(item))).collect(), flow: false }.into()
        }
    }
}

/// Line breaks are two characters in both formats; dotenv's reader has put them back already.
fn unescaped(node: &Node) -> Node {
    match node.as_str() {
        Some(text) if text.contains("\\n") => {
            Node { value: Node::text(text.replace("\\n", "\n")).value, ..node.clone() }
        }
        _ => node.clone(),
    }
}

fn flatten_map(map: &Map, prefix: &str, escape: bool, entries: &mut Vec<Entry>) {
    for entry in map.entries() {
        flatten_node(&entry.value, format!("{prefix}{}", entry.key), escape, entries);
    }
}

fn flatten_node(node: &Node, key: String, escape: bool, entries: &mut Vec<Entry>) {
    let text = match &node.value {
        Value::Map(map) => return flatten_map(map, &format!("{key}{MAP}"), escape, entries),
        Value::Seq(seq) => {
            let values = seq.items.iter().filter_map(|item| match item {
                Item::Value(node) => Some(node),
                Item::Comment(_) => None,
            });
            for (index, node) in values.enumerate() {
                flatten_node(node, format!("{key}{LIST}{index}"), escape, entries);
            }
            return;
        }
        Value::Scalar(Scalar::Bool(value)) => value.to_string(),
        Value::Scalar(Scalar::Int(value)) => value.to_string(),
        Value::Scalar(_) => match node.as_str() {
            Some(text) if escape => text.replace('\n', "\\n"),
            Some(text) => text.to_owned(),
            None => return,
        },
    };
    entries.push(Entry { key, key_span: None, value: Node { span: node.span, ..Node::text(text) } });
}
