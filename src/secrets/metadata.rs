//! The `sops` section of a document: who may open it, what is encrypted, the MAC.

mod flat;
pub(super) mod section;
mod version;

use chrono::{DateTime, FixedOffset};

use super::error::Error;
use super::leaf::{rfc3339_seconds, time};
use super::rules::{NAMES, Rule};
use super::tree::{Item, Map, Node, Scalar, Seq, Value};

/// The section, checked.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The key groups; one for a file without Shamir.
    pub groups: Vec<Vec<Wrapped>>,
    /// How many groups open the file; meaningful with several groups only.
    pub threshold: usize,
    /// What is encrypted.
    pub rule: Rule,
    /// Whether the MAC covers encrypted leaves only.
    pub mac_only_encrypted: bool,
    /// The encrypted MAC; `None` when the file has none.
    pub mac: Option<String>,
    /// When it was last changed; the MAC is bound to it.
    pub lastmodified: DateTime<FixedOffset>,
    /// The version of SOPS that wrote it.
    pub version: String,
    /// Other key services that hold the data key, too, as the section names them (`kms`, `pgp`, …).
    pub services: Vec<&'static str>,
}

/// A copy of the data key (or of a share of it) for one recipient.
#[derive(Clone, Debug)]
pub struct Wrapped {
    /// The recipient as the file names it: a label only.
    pub recipient: String,
    /// The armored age file.
    pub enc: String,
}

/// The lists of keys of the services that pforge lacks.
const SERVICES: [&str; 6] = ["kms", "gcp_kms", "azure_kv", "hc_vault", "hckms", "pgp"];

impl Metadata {
    /// The names of all recipients, in file order.
    pub fn recipients(&self) -> Vec<String> {
        self.groups.iter().flatten().map(|wrapped| wrapped.recipient.clone()).collect()
    }

    /// The additional data of the MAC.
    pub(super) fn mac_aad(&self) -> String {
        rfc3339_seconds(&self.lastmodified)
    }

    /// Whether a section says how many groups are needed. Where it does not, SOPS takes whatever
    /// shares it can get.
    pub(super) fn names_threshold(section: &Map) -> bool {
        section.get("shamir_threshold").is_some_and(|node| threshold(node).is_ok_and(|needed| needed > 0))
    }

    /// Checks a section as SOPS does.
    ///
    /// # Errors
    /// [`Error::Metadata`].
    pub(super) fn read(section: &Map) -> Result<Self, Error> {
        let text = |name: &str| section.get(name).map(|node| string(name, node)).transpose().map(Option::flatten);

        let lastmodified = text("lastmodified")?.ok_or_else(|| damaged("it has no lastmodified"))?;
        // Go takes a comma before the fraction, too.
        let lastmodified =
            time(&lastmodified.replace(',', ".")).ok_or_else(|| damaged("its lastmodified is not an RFC 3339 time"))?;
        let mut services = Vec::new();
        let groups = groups(section, &mut services)?;
        let mut rules = Vec::new();
        for name in NAMES {
            if let Some(value) = text(name)? {
                rules.push((name, value));
            }
        }
        let rule = match &rules[..] {
            [] => Rule::default(),
            [(name, value)] => Rule::new(name, value)?,
            _ => return Err(damaged("it has more than one rule for what is encrypted")),
        };
        let version = text("version")?.ok_or_else(|| damaged("it has no version"))?;
        version::check(&version).map_err(|reason| Error::Metadata(format!("its version {reason}")))?;
        let threshold = section.get("shamir_threshold").map_or(Ok(0), threshold)?;
        Ok(Self {
            threshold: if threshold == 0 { groups.len() } else { threshold },
            groups,
            rule,
            mac_only_encrypted: section.get("mac_only_encrypted").map_or(Ok(false), flag)?,
            mac: text("mac")?,
            lastmodified,
            version,
            services,
        })
    }
}

fn damaged(what: &str) -> Error {
    Error::Metadata(what.to_owned())
}

/// The key groups; keys at the top stand before `key_groups`, as in SOPS.
fn groups(section: &Map, services: &mut Vec<&'static str>) -> Result<Vec<Vec<Wrapped>>, Error> {
    let (top, any) = group(section, services)?;
    if any {
        return Ok(vec![top]);
    }
    let groups = maps("key_groups", section)?;
    if groups.is_empty() {
        return Err(damaged("no keys found in it"));
    }
    groups.into_iter().map(|map| group(map, services).map(|(wrapped, _)| wrapped)).collect()
}

/// The age keys of a group, and whether it has any key.
fn group(map: &Map, services: &mut Vec<&'static str>) -> Result<(Vec<Wrapped>, bool), Error> {
    let mut others = false;
    for name in SERVICES {
        if !maps(name, map)?.is_empty() {
            others = true;
            if !services.contains(&name) {
                services.push(name);
            }
        }
    }
    let field = |entry: &Map, name: &str| match entry.get(name) {
        Some(node) => string(name, node).map(Option::unwrap_or_default),
        None => Ok(String::new()),
    };
    let wrapped = maps("age", map)?
        .into_iter()
        .map(|entry| Ok(Wrapped { recipient: field(entry, "recipient")?, enc: field(entry, "enc")? }))
        .collect::<Result<Vec<_>, Error>>()?;
    let any = others || !wrapped.is_empty();
    Ok((wrapped, any))
}

/// The mappings in the sequence `name`; none when it is missing or null.
fn maps<'m>(name: &str, map: &'m Map) -> Result<Vec<&'m Map>, Error> {
    let wrong = || Error::Metadata(format!("its {name} is not a list of mappings"));
    let items = match map.get(name).map(|node| &node.value) {
        None | Some(Value::Scalar(Scalar::Null)) => return Ok(Vec::new()),
        Some(Value::Seq(Seq { items, .. })) => items,
        Some(_) => return Err(wrong()),
    };
    let values = items.iter().filter_map(|item| match item {
        Item::Value(node) => Some(node),
        Item::Comment(_) => None,
    });
    values
        .map(|node| match &node.value {
            Value::Map(map) => Ok(map),
            _ => Err(wrong()),
        })
        .collect()
}

/// A text; the empty one counts as missing. Plain scalars are taken as they read.
fn string(name: &str, node: &Node) -> Result<Option<String>, Error> {
    let text = match &node.value {
        Value::Scalar(Scalar::Null) => return Ok(None),
        Value::Scalar(Scalar::Text(text)) => text.expose_str().map(str::to_owned),
        Value::Scalar(Scalar::Bool(value)) => Some(value.to_string()),
        Value::Scalar(Scalar::Int(value)) => Some(value.to_string()),
        Value::Scalar(Scalar::Uint(value)) => Some(value.to_string()),
        Value::Scalar(Scalar::Float(value)) => Some(value.to_string()),
        Value::Scalar(Scalar::Time(time)) => Some(time.to_rfc3339()),
        Value::Map(_) | Value::Seq(_) => None,
    };
    let text = text.ok_or_else(|| Error::Metadata(format!("its {name} is not a text")))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A number, 0 for what is none or less; JSON has floating point ones only.
fn threshold(node: &Node) -> Result<usize, Error> {
    match &node.value {
        Value::Scalar(Scalar::Null) => Ok(0),
        Value::Scalar(Scalar::Int(number)) => Ok(usize::try_from(*number).unwrap_or(0)),
        // The fraction is cut off.
        Value::Scalar(Scalar::Float(number)) => Ok(*number as usize),
        _ => Err(damaged("its shamir_threshold is not a number")),
    }
}

fn flag(node: &Node) -> Result<bool, Error> {
    let wrong = || damaged("its mac_only_encrypted is not true or false");
    match &node.value {
        Value::Scalar(Scalar::Null) => Ok(false),
        Value::Scalar(Scalar::Bool(value)) => Ok(*value),
        // Words of YAML 1.1, which go-yaml takes where it expects a boolean.
        Value::Scalar(Scalar::Text(text)) => match text.expose() {
            b"y" | b"Y" | b"yes" | b"on" => Ok(true),
            b"n" | b"N" | b"no" | b"off" => Ok(false),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests;
