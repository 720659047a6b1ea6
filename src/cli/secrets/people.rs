//! Who can open a file, changed.

use std::collections::BTreeSet;
use std::path::Path;

use super::file;
use super::names::Names;
use super::recipient_list::{self, identity_of};
use super::recipients::shown;
use crate::cli::error::{Error, Kind, Result};
use crate::secrets::tree::{Item, Map, Node, Seq, Value};
use crate::secrets::{Recipient, Sealed, Tree};

/// The recipients of `sealed`, per key group.
///
/// # Errors
/// When one of them is only a label that cannot be encrypted for.
pub fn groups(path: &Path, sealed: &Sealed) -> Result<Vec<Vec<Recipient>>> {
    let parse = |label: &str| {
        label.parse().map_err(|error| file::about(path, &error).because("so nothing can be encrypted for it anew"))
    };
    let groups = sealed.metadata().groups.iter();
    groups.map(|group| group.iter().map(|one| parse(&one.recipient)).collect()).collect()
}

/// `groups` with `added` in the only one of them.
///
/// # Errors
/// When there are several.
pub fn with(path: &Path, mut groups: Vec<Vec<Recipient>>, added: &[Recipient]) -> Result<Vec<Vec<Recipient>>> {
    let count = groups.len();
    match groups.as_mut_slice() {
        _ if added.is_empty() => {}
        [group] => group.extend(absent(group, added)),
        _ => {
            return Err(Error::failure(format!("{} has {count} key groups, and none is named", shown(path)))
                .because("change its creation rule in .sops.yaml, decrypt it and encrypt it again"));
        }
    }
    Ok(groups)
}

/// `groups` without `removed`.
///
/// # Errors
/// When that leaves nobody in one of them.
pub fn without(path: &Path, mut groups: Vec<Vec<Recipient>>, removed: &[String]) -> Result<Vec<Vec<Recipient>>> {
    for group in &mut groups {
        group.retain(|one| !removed.contains(&identity_of(&one.to_string())));
        if group.is_empty() {
            return Err(Error::failure(format!("nobody could open {} any more", shown(path)))
                .because("the last recipient of a file, or of a key group, cannot be removed")
                .hint(format!("pforge secrets recipients add age1… {}", shown(path))));
        }
    }
    Ok(groups)
}

/// Those of `wanted` that are not in `group`.
pub fn absent(group: &[Recipient], wanted: &[Recipient]) -> Vec<Recipient> {
    let there: BTreeSet<String> = group.iter().map(|one| identity_of(&one.to_string())).collect();
    wanted.iter().filter(|one| !there.contains(&identity_of(&one.to_string()))).cloned().collect()
}

/// The recipient that `word` means: itself, or the one that is called so.
///
/// # Errors
/// When nobody, or more than one, is called so.
pub fn meant(names: &Names, word: &str) -> Result<String> {
    if recipient_list::looks_like_one(word) {
        return recipient_list::recipient("the command line", word).map(|one| identity_of(&one.to_string()));
    }
    match names.called(word).as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => {
            Err(Error::new(Kind::NotFound, format!("{word:?} is neither a recipient nor a name in the list of them"))
                .hint("pforge secrets recipients list --all"))
        }
        several => Err(Error::usage(format!("{word:?} is the name of several recipients")).because(several.join(", "))),
    }
}

/// The paths of the values that are encrypted, in order.
pub fn secrets(tree: &Tree) -> Vec<String> {
    let mut paths = Vec::new();
    for document in &tree.documents {
        in_map(document, "", &mut paths);
    }
    paths
}

fn in_map(map: &Map, above: &str, paths: &mut Vec<String>) {
    for entry in map.entries() {
        let path = if above.is_empty() { entry.key.clone() } else { format!("{above}.{}", entry.key) };
        in_node(&entry.value, path, paths);
    }
}

fn in_node(node: &Node, path: String, paths: &mut Vec<String>) {
    match &node.value {
        Value::Scalar(_) if node.sealed.is_some() => paths.push(path),
        Value::Scalar(_) => {}
        Value::Map(map) => in_map(map, &path, paths),
        Value::Seq(Seq { items, .. }) => {
            let values = items.iter().filter_map(|item| match item {
                Item::Value(node) => Some(node),
                Item::Comment(_) => None,
            });
            for (at, node) in values.enumerate() {
                in_node(node, format!("{path}[{at}]"), paths);
            }
        }
    }
}
