//! `.sops.yaml`: creation rules and styles.
//!
//! SOPS looks for it from the working directory upwards. Here the folder of the file comes first,
//! so that a command means the same wherever it is run.

use std::fs;
use std::path::{Path, PathBuf, absolute};

use serde::Deserialize;
use serde_yaml::Value;

use super::membership::Change;
use super::recipient_list::{entries, identity_of};
use super::rules::RuleFlags;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::secrets::tree::{self, Comment, Item, Node, Scalar};
use crate::secrets::{Format, Pattern, Style, Tree};

/// Its name. `.sops.yml` is not read, by SOPS neither.
const NAME: &str = ".sops.yaml";

/// The file, read.
#[derive(Debug)]
pub struct SopsConfig {
    /// Where it is.
    pub path: PathBuf,
    rules: Vec<CreationRule>,
    stores: Stores,
}

/// One creation rule.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CreationRule {
    path_regex: Option<String>,
    #[serde(flatten)]
    keys: Keys,
    key_groups: Option<Vec<Keys>>,
    /// How many key groups open a file.
    pub shamir_threshold: Option<usize>,
    /// What is encrypted.
    #[serde(flatten)]
    pub rule: RuleFlags,
}

/// Keys of a rule or of one of its groups. Of services other than age only the presence counts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Keys {
    age: Option<Texts>,
    merge: Option<Vec<Keys>>,
    pgp: Option<Value>,
    kms: Option<Value>,
    gcp_kms: Option<Value>,
    hckms: Option<Value>,
    azure_keyvault: Option<Value>,
    hc_vault: Option<Value>,
    hc_vault_transit_uri: Option<Value>,
}

/// A text or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Document {
    creation_rules: Option<Vec<CreationRule>>,
    stores: Option<Stores>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stores {
    yaml: Store,
    json: Store,
    json_binary: Store,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Store {
    indent: Option<usize>,
}

/// The file that applies to `file`: `flag`, else `$SOPS_CONFIG`, else the nearest one above the
/// file, else above the working directory.
///
/// # Errors
/// A configuration error when one is named that does not exist, or it is not what it should be.
pub fn find(cx: &Cx, flag: Option<&Path>, file: &Path) -> Result<Option<SopsConfig>> {
    let named = flag.map(|path| (path.to_path_buf(), "--config"));
    let named = named.or_else(|| cx.env.path("SOPS_CONFIG").map(|path| (path, "SOPS_CONFIG")));
    match named {
        Some((path, by)) if !path.is_file() => {
            Err(Error::config(format!("{by} names {}, which is no file", path.display())))
        }
        Some((path, _)) => SopsConfig::read(path).map(Some),
        None => {
            let found = nearest(file);
            if found.is_none() && cx.settings.root.value.join(".sops.yml").is_file() {
                cx.ui.warn(".sops.yml is not read: SOPS knows .sops.yaml only");
            }
            found.map(SopsConfig::read).transpose()
        }
    }
}

/// The nearest `.sops.yaml` above `file` or above the working directory.
pub fn nearest(file: &Path) -> Option<PathBuf> {
    let above = |path: &Path| {
        let path = absolute(path).ok()?;
        path.ancestors().skip(1).map(|folder| folder.join(NAME)).find(|path| path.is_file())
    };
    above(file).or_else(|| above(Path::new("x")))
}

impl SopsConfig {
    fn read(path: PathBuf) -> Result<Self> {
        let wrong = |error: &(dyn std::error::Error + 'static)| {
            let shown = path.display();
            Error::config(format!("cannot read {shown}")).caused_by(error).hint(format!("${{EDITOR:-vi}} {shown}"))
        };
        let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
        let document: Option<Document> = serde_yaml::from_str(&text).map_err(|error| wrong(&error))?;
        let document = document.unwrap_or_default();
        Ok(Self {
            rules: document.creation_rules.unwrap_or_default(),
            stores: document.stores.unwrap_or_default(),
            path,
        })
    }

    /// The first creation rule for `file`, and its number from 1.
    ///
    /// # Errors
    /// When a rule before it has a pattern that is none.
    pub fn rule_for(&self, file: &Path) -> Result<Option<(usize, &CreationRule)>> {
        let name = self.relative(file);
        for (at, rule) in self.rules.iter().enumerate() {
            let Some(pattern) = rule.path_regex.as_deref().filter(|pattern| !pattern.is_empty()) else {
                return Ok(Some((at + 1, rule)));
            };
            let pattern = Pattern::new(pattern).ok_or_else(|| {
                let place = format!("{}, rule {}", self.path.display(), at + 1);
                Error::config(format!("{place}: path_regex is not a regular expression"))
            })?;
            if pattern.is_match(&name) {
                return Ok(Some((at + 1, rule)));
            }
        }
        Ok(None)
    }

    /// How documents of `format` are written.
    pub fn style(&self, format: Format) -> Style {
        let store = match format {
            Format::Yaml => &self.stores.yaml,
            Format::Json => &self.stores.json,
            Format::Binary => &self.stores.json_binary,
            Format::Dotenv | Format::Ini => return Style::default(),
        };
        Style { indent: store.indent }
    }

    /// `file` as patterns see it: relative to the folder of this file, with slashes.
    fn relative(&self, file: &Path) -> String {
        let file = absolute(file).unwrap_or_else(|_| file.to_path_buf());
        let folder = absolute(&self.path).ok().and_then(|path| path.parent().map(Path::to_path_buf));
        let name = folder.and_then(|folder| file.strip_prefix(folder).ok()).unwrap_or(&file);
        name.to_string_lossy().replace('\\', "/")
    }
}

impl CreationRule {
    /// The recipients per key group, as texts: one group, or several for Shamir.
    ///
    /// # Errors
    /// A configuration error when a key of another service is asked for: a file for the age keys
    /// alone would lock the others out.
    pub fn groups(&self, place: &str) -> Result<Vec<Vec<String>>> {
        match self.key_groups.as_deref().filter(|groups| !groups.is_empty()) {
            Some(groups) => groups.iter().map(|group| group.recipients(place)).collect(),
            None => Ok(vec![self.keys.recipients(place)?]),
        }
    }
}

impl Keys {
    fn recipients(&self, place: &str) -> Result<Vec<String>> {
        let others = [
            ("pgp", &self.pgp),
            ("kms", &self.kms),
            ("gcp_kms", &self.gcp_kms),
            ("hckms", &self.hckms),
            ("azure_keyvault", &self.azure_keyvault),
            ("hc_vault", &self.hc_vault),
            ("hc_vault_transit_uri", &self.hc_vault_transit_uri),
        ];
        if let Some((name, _)) = others.into_iter().find(|(_, value)| value.as_ref().is_some_and(is_something)) {
            return Err(Error::config(format!("{place} asks for a key of {name}, and pforge has age keys only"))
                .because("a file that leaves it out could not be opened by those who rely on it")
                .hint("pforge secrets encrypt --age RECIPIENT FILE"));
        }
        let mut texts = match &self.age {
            Some(Texts::One(text)) => vec![text.clone()],
            Some(Texts::Many(texts)) => texts.clone(),
            None => Vec::new(),
        };
        for group in self.merge.iter().flatten() {
            texts.extend(group.recipients(place)?);
        }
        Ok(texts)
    }
}

/// Puts recipients into rule `number` of the plaintext tree of a `.sops.yaml`, or takes them out;
/// what is added to a list gets its name as a comment. `false` when the rule is not of the kind
/// that has one plain list.
pub fn change_rule(tree: &mut Tree, number: usize, change: Change<'_>) -> bool {
    let rules = tree.documents.first_mut().and_then(|map| map.get_mut("creation_rules"));
    let Some(tree::Value::Seq(rules)) = rules.map(|node| &mut node.value) else { return false };
    let mut values = rules.items.iter_mut().filter_map(|item| match item {
        Item::Value(Node { value: tree::Value::Map(rule), .. }) => Some(rule),
        _ => None,
    });
    let Some(rule) = values.nth(number - 1) else { return false };
    let Some(age) = rule.get_mut("age") else { return false };
    let there = |text: &str| entries(text, false).into_iter().map(|(_, entry)| identity_of(&entry)).collect::<Vec<_>>();
    match (&mut age.value, change) {
        (tree::Value::Scalar(Scalar::Text(text)), change) => {
            let Some(old) = text.expose_str() else { return false };
            let mut all: Vec<String> = entries(old, false).into_iter().map(|(_, entry)| entry).collect();
            match change {
                Change::Add(added, _) => {
                    let known = there(old);
                    let texts = added.iter().map(ToString::to_string);
                    all.extend(texts.filter(|one| !known.contains(&identity_of(one))));
                }
                Change::Remove(removed) => all.retain(|one| !removed.contains(&identity_of(one))),
            }
            *age = Node::text(all.join(","));
        }
        (tree::Value::Seq(list), Change::Add(added, name)) => {
            let text = |item: &Item<Node>| match item {
                Item::Value(node) => there(node.as_str().unwrap_or_default()),
                Item::Comment(_) => Vec::new(),
            };
            let known: Vec<String> = list.items.iter().flat_map(text).collect();
            for one in added.iter().map(ToString::to_string).filter(|one| !known.contains(&identity_of(one))) {
                if let Some(name) = name {
                    list.items.push(Item::Comment(Comment { text: format!(" {name}").into(), ..Comment::default() }));
                }
                list.items.push(Item::Value(Node::text(one)));
            }
        }
        (tree::Value::Seq(list), Change::Remove(removed)) => {
            let gone = |item: &Item<Node>| match item {
                Item::Value(node) => there(node.as_str().unwrap_or_default()).iter().any(|one| removed.contains(one)),
                Item::Comment(_) => false,
            };
            while let Some(at) = list.items.iter().position(gone) {
                list.items.remove(at);
                // The comment that named it would name whoever comes next.
                if at > 0 && matches!(list.items[at - 1], Item::Comment(_)) {
                    list.items.remove(at - 1);
                }
            }
        }
        _ => return false,
    }
    true
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Sequence(items) => !items.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Document, SopsConfig};

    fn config(text: &str) -> SopsConfig {
        let document: Document = serde_yaml::from_str(text).expect("yaml");
        SopsConfig {
            path: PathBuf::from("/r/.sops.yaml"),
            rules: document.creation_rules.unwrap_or_default(),
            stores: document.stores.unwrap_or_default(),
        }
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let config = config(
            "creation_rules:\n- path_regex: ^secrets/prod\n  age: a\n- path_regex: \\.env$\n  age: b\n- age: c\n",
        );
        for (file, rule) in [("/r/secrets/prod.yaml", 1), ("/r/x/secrets/prod.yaml", 3), ("/r/a.env", 2), ("/q", 3)] {
            assert_eq!(config.rule_for(Path::new(file)).expect("patterns").map(|(at, _)| at), Some(rule), "{file}");
        }
    }

    #[test]
    fn groups_are_read_in_every_form() {
        let groups = |rule: &str| config(&format!("creation_rules:\n- {rule}\n")).rules[0].groups("here");
        assert_eq!(groups("age: 'a,b,'").expect("one"), [["a,b,"]]);
        assert_eq!(groups("age: [a, b]").expect("list"), [["a", "b"]]);
        assert_eq!(groups("key_groups: [{age: [a]}, {age: [b]}]").expect("two"), [["a"], ["b"]]);
        assert_eq!(
            groups("key_groups: [{age: [a], merge: [{age: [b]}, {age: [c], pgp: []}]}]").expect("merged"),
            [["a", "b", "c"]]
        );
        assert_eq!(groups("path_regex: x").expect("none"), [Vec::<String>::new()]);
        for rule in ["pgp: ABC", "key_groups: [{age: [a], kms: [{arn: x}]}]", "{age: a, hc_vault_transit_uri: u}"] {
            assert!(groups(rule).is_err(), "{rule}");
        }
    }

    #[test]
    fn rules_and_indents_are_read() {
        let config = config(
            "creation_rules:\n- {encrypted_regex: ^data$, mac_only_encrypted: true, shamir_threshold: 2}\nstores:\n  yaml: {indent: 2}\n",
        );
        let rule = &config.rules[0];
        assert_eq!(
            (rule.rule.encrypted_regex.as_deref(), rule.rule.mac_only_encrypted, rule.shamir_threshold),
            (Some("^data$"), true, Some(2))
        );
        assert_eq!(config.style(crate::secrets::Format::Yaml).indent, Some(2));
        assert_eq!(config.style(crate::secrets::Format::Json).indent, None);
    }
}
