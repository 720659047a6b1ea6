//! The section as a part of a document: found, made, changed, put back.

use chrono::{DateTime, Utc};

use super::{Metadata, SERVICES, Wrapped, flat};
use crate::secrets::error::Error;
use crate::secrets::format::Format;
use crate::secrets::leaf::rfc3339_seconds;
use crate::secrets::rules::Rule;
use crate::secrets::tree::{Entry, Item, Map, Node, Scalar, Seq, Tree, Value};

/// The top-level entry that holds the section.
const KEY: &str = "sops";
/// How the top-level entries that are the section begin, in dotenv.
const PREFIX: &str = "sops_";
/// The version that new documents name: one that every later SOPS takes for its own.
const VERSION: &str = "3.11.0";

/// Whether a top-level entry called `key` is the section, or a part of it.
fn is_key(format: Format, key: &str) -> bool {
    if format == Format::Dotenv { key.starts_with(PREFIX) } else { key == KEY }
}

/// Whether a top-level item is the section, or a part of it.
pub(in crate::secrets) fn is_part(format: Format, item: &Item<Entry>) -> bool {
    matches!(item, Item::Value(entry) if is_key(format, &entry.key))
}

/// The first top-level entry that SOPS would take for metadata, in any of the documents.
pub(in crate::secrets) fn reserved(format: Format, tree: &Tree) -> Option<&str> {
    // What a binary document holds is a value, not a document.
    let documents = if format == Format::Binary { &[][..] } else { &tree.documents };
    documents.iter().flat_map(Map::entries).map(|entry| entry.key.as_str()).find(|key| is_key(format, key))
}

/// The section of an encrypted document, nested in every format.
///
/// # Errors
/// [`Error::NotEncrypted`] when there is none; [`Error::Metadata`].
pub(in crate::secrets) fn find(format: Format, document: &Map) -> Result<Map, Error> {
    if format == Format::Dotenv {
        let mut parts = document.entries().filter(|entry| is_key(format, &entry.key)).peekable();
        parts.peek().ok_or(Error::NotEncrypted)?;
        return flat::nest(parts, PREFIX);
    }
    match document.get(KEY).map(|node| &node.value) {
        None | Some(Value::Scalar(Scalar::Null)) => Err(Error::NotEncrypted),
        Some(Value::Map(map)) if format == Format::Ini => flat::nest(map.entries(), ""),
        Some(Value::Map(map)) => Ok(map.clone()),
        Some(_) => Err(Error::Metadata("it is not a mapping".to_owned())),
    }
}

/// Puts `section` into the encrypted document `new`: where it stands in `old`, or last.
pub(in crate::secrets) fn put(format: Format, new: &mut Map, section: &Map, old: Option<&Map>) {
    let entries = match format {
        Format::Dotenv => ordered(flat::flatten(section, PREFIX, false), old.unwrap_or(&Map::default())),
        Format::Ini => {
            let map = |node: &Node| match &node.value {
                Value::Map(map) => Some(map.clone()),
                _ => None,
            };
            let old_section = old.and_then(|old| old.get(KEY)).and_then(map).unwrap_or_default();
            let items = ordered(flat::flatten(section, "", true), &old_section).into_iter().map(Item::Value).collect();
            vec![around(Map { items, flow: false }, old)]
        }
        Format::Yaml | Format::Json | Format::Binary => vec![around(section.clone(), old)],
    };
    let at = old.map_or(new.items.len(), |old| position(format, old, new));
    new.items.splice(at..at, entries.into_iter().map(Item::Value));
}

fn around(section: Map, old: Option<&Map>) -> Entry {
    let old = old.and_then(|old| old.entries().find(|entry| entry.key == KEY));
    let span = old.and_then(|entry| entry.value.span);
    let value = Node { span, ..Node::from(section) };
    Entry { key: KEY.to_owned(), key_span: old.and_then(|entry| entry.key_span), value }
}

/// `entries` in the order of those of the same name in `old`; new ones follow the one that they
/// would follow in a new document.
fn ordered(entries: Vec<Entry>, old: &Map) -> Vec<Entry> {
    let rank = |key: &str| old.entries().position(|entry| entry.key == key);
    let mut before = 0;
    let mut ranked: Vec<_> = entries
        .into_iter()
        .map(|mut entry| {
            if let Some(rank) = rank(&entry.key) {
                before = rank;
            }
            if let Some(old) = old.entries().find(|old| old.key == entry.key) {
                entry.key_span = old.key_span;
                entry.value.span = old.value.span;
            }
            (before, entry)
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, entry)| entry).collect()
}

/// The index in `new` where the section goes: first or last if it is that in `old`, else behind
/// the entry that it stands behind.
fn position(format: Format, old: &Map, new: &Map) -> usize {
    let Some(at) = old.items.iter().position(|item| is_part(format, item)) else { return new.items.len() };
    if at == 0 {
        return 0;
    }
    if old.items[at..].iter().all(|item| is_part(format, item)) {
        return new.items.len();
    }
    let entry = |item: &Item<Entry>| matches!(item, Item::Value(_));
    let comments = old.items[..at].iter().rev().take_while(|item| !entry(item)).count();
    let behind = match at.checked_sub(comments + 1).map(|at| &old.items[at]) {
        None => Some(0),
        Some(Item::Value(before)) => new
            .items
            .iter()
            .position(|item| matches!(item, Item::Value(entry) if entry.key == before.key))
            .map(|at| at + 1),
        Some(Item::Comment(_)) => None,
    };
    let Some(behind) = behind else { return new.items.len() };
    behind + new.items[behind..].iter().take(comments).take_while(|item| !entry(item)).count()
}

/// The section of a new document, in the order of SOPS 3.11.
pub(in crate::secrets) fn new(format: Format, groups: &[Vec<Wrapped>], threshold: Option<usize>, rule: &Rule) -> Map {
    let mut section = Map::default();
    put_keys(format, &mut section, groups, threshold);
    section.push("lastmodified", Node::text(""));
    section.push("mac", Node::text(""));
    if let Some((name, value)) = rule.named() {
        section.push(name, Node::text(value));
    }
    section.push("version", Node::text(VERSION));
    section
}

/// Says that the MAC covers encrypted leaves only.
pub(in crate::secrets) fn set_mac_only_encrypted(section: &mut Map) {
    let flag = Entry { key: "mac_only_encrypted".to_owned(), key_span: None, value: Scalar::Bool(true).into() };
    let version = section.items.iter().position(|item| matches!(item, Item::Value(entry) if entry.key == "version"));
    section.items.insert(version.unwrap_or(section.items.len()), Item::Value(flag));
}

/// Writes a new MAC and the time that it is bound to.
pub(in crate::secrets) fn set_mac(section: &mut Map, mac: &str, lastmodified: DateTime<Utc>) {
    set(section, "lastmodified", &rfc3339_seconds(&lastmodified.fixed_offset()));
    set(section, "mac", mac);
}

fn set(section: &mut Map, name: &str, text: &str) {
    match section.get_mut(name) {
        Some(node) => node.value = Node::text(text).value,
        None => {
            // Before the version, which SOPS writes last.
            let value = Node::text(text);
            let entry = Entry { key: name.to_owned(), key_span: None, value };
            let version =
                section.items.iter().position(|item| matches!(item, Item::Value(entry) if entry.key == "version"));
            section.items.insert(version.unwrap_or(section.items.len()), Item::Value(entry));
        }
    }
}

/// Replaces all keys of the section. Where they stand, and the order of the names in an entry,
/// stay.
pub(in crate::secrets) fn put_keys(
    format: Format,
    section: &mut Map,
    groups: &[Vec<Wrapped>],
    threshold: Option<usize>,
) {
    let sorted = sorted_entries(section);
    let grouped =
        section.get("key_groups").is_some_and(|node| matches!(&node.value, Value::Seq(seq) if !seq.items.is_empty()));
    match groups {
        [group] if !grouped => replace(section, "age", age(group, sorted).into()),
        _ => {
            if groups.len() > 1 {
                let threshold = threshold.unwrap_or(groups.len());
                let threshold = i64::try_from(threshold).unwrap_or(i64::MAX);
                replace(section, "shamir_threshold", Scalar::Int(threshold).into());
            } else {
                section.remove("shamir_threshold");
            }
            section.remove("age");
            let groups = groups.iter().map(|group| {
                let mut map = Map::default();
                // Every sops up to 3.12 writes this in every group.
                let none: Node = if format == Format::Json || format == Format::Binary {
                    Scalar::Null.into()
                } else {
                    Seq::default().into()
                };
                map.push("hc_vault", none);
                map.push("age", age(group, sorted));
                Item::Value(Node::from(map))
            });
            let groups = Seq { items: groups.collect(), flow: false };
            replace(section, "key_groups", groups.into());
        }
    }
}

/// Adds keys to the only group.
pub(in crate::secrets) fn add_keys(section: &mut Map, added: &[Wrapped]) {
    let sorted = sorted_entries(section);
    let items = age(added, sorted).items;
    if let Some(Value::Seq(seq)) = age_list(section).map(|node| &mut node.value) {
        seq.items.extend(items);
        // An empty list is written as `[]`.
        seq.flow &= seq.items.len() > added.len();
    } else {
        replace(section, "age", age(added, sorted).into());
    }
}

/// The list of the age keys of the only group.
fn age_list(section: &mut Map) -> Option<&mut Node> {
    let holds = |map: &Map, name: &str| {
        map.get(name).is_some_and(|node| matches!(&node.value, Value::Seq(seq) if !seq.items.is_empty()))
    };
    let grouped = holds(section, "key_groups") && ["age"].iter().chain(&SERVICES).all(|name| !holds(section, name));
    if !grouped {
        return section.get_mut("age");
    }
    let Value::Seq(groups) = &mut section.get_mut("key_groups")?.value else { return None };
    groups.items.iter_mut().find_map(|item| match item {
        Item::Value(Node { value: Value::Map(group), .. }) => group.get_mut("age"),
        _ => None,
    })
}

fn age(group: &[Wrapped], sorted: bool) -> Seq {
    let entry = |wrapped: &Wrapped| {
        let mut map = Map::default();
        map.push("recipient", Node::text(wrapped.recipient.as_str()));
        map.push("enc", Node::text(wrapped.enc.as_str()));
        if sorted {
            map.items.reverse();
        }
        Item::Value(Node::from(map))
    };
    Seq { items: group.iter().map(entry).collect(), flow: false }
}

/// Whether the entries of keys are written as SOPS does since 3.13: `enc` first.
fn sorted_entries(section: &Map) -> bool {
    fn first(node: &Node) -> Option<bool> {
        match &node.value {
            Value::Map(map) => match map.entries().position(|entry| entry.key == "enc") {
                Some(at) => {
                    Some(map.entries().position(|entry| entry.key == "recipient").is_some_and(|other| at < other))
                }
                None => map.entries().find_map(|entry| first(&entry.value)),
            },
            Value::Seq(seq) => seq.items.iter().find_map(|item| match item {
                Item::Value(node) => first(node),
                Item::Comment(_) => None,
            }),
            Value::Scalar(_) => None,
        }
    }
    ["age", "key_groups"].iter().find_map(|name| section.get(name).and_then(first)).unwrap_or(false)
}

/// Replaces the value of `name`, or puts it where SOPS writes it: the keys come first.
fn replace(section: &mut Map, name: &str, value: Node) {
    match section.get_mut(name) {
        Some(node) => *node = value,
        None => {
            let entry = Entry { key: name.to_owned(), key_span: None, value };
            let at = section
                .entries()
                .take_while(|entry| matches!(entry.key.as_str(), "shamir_threshold" | "key_groups"))
                .count();
            section.items.insert(at, Item::Value(entry));
        }
    }
}

/// What [`Metadata`] needs to be told apart from when keys are replaced.
pub(in crate::secrets) fn refuse_services(metadata: &Metadata) -> Result<(), Error> {
    if metadata.services.is_empty() {
        return Ok(());
    }
    Err(Error::Unsupported(format!("a new copy of its data key for {}", metadata.services.join(", "))))
}
