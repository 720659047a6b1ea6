//! What of an encrypted document is not encrypted, though it should be. Needs no key.

use super::cipher::looks_encrypted;
use super::document::Sealed;
use super::error::Error;
use super::format::Format;
use super::metadata::section;
use super::rules::{NAMES, Rule, Scope};
use super::select::{Step, dotted};
use super::text::Text;
use super::tree::{Entry, Item, Map, Node, Scalar, Seq, Tree, Value};

/// What was found.
#[derive(Debug)]
pub struct Audit {
    /// The leaves in clear that should be encrypted, in document order.
    pub exposed: Vec<Exposed>,
    /// Why nobody can open the document: its `sops` section is damaged.
    pub damage: Option<Error>,
    /// Whether the section is one that SOPS wrote, by what is left of it, and no placeholder.
    pub genuine: bool,
}

/// A leaf in clear that should be encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// The top-level key that it is below.
    pub key: String,
    /// Its place, as [`super::Selector`] reads it.
    pub path: String,
}

/// Looks at every leaf of a document.
///
/// The rule is that of the document. Where the `sops` section is damaged so far that it has none,
/// every leaf must be encrypted.
///
/// # Errors
/// [`Error::NotEncrypted`] without a `sops` section, and those of [`Format::read_sealed`].
pub fn audit(format: Format, bytes: &[u8]) -> Result<Audit, Error> {
    let tree = format.read_sealed(bytes)?;
    if !tree.documents.first().is_some_and(|document| document.items.iter().any(|item| section::is_part(format, item)))
    {
        return Err(Error::NotEncrypted);
    }
    let (rule, damage) = match Sealed::read(format, bytes.to_vec()) {
        Ok(sealed) => (Some(sealed.metadata.rule.clone()), None),
        Err(error) => (named_rule(&tree), Some(error)),
    };
    let genuine = damage.is_none() || is_genuine(format, &tree);
    let mut search = Search { rule: rule.as_ref(), path: Vec::new(), exposed: Vec::new() };
    for document in &tree.documents {
        let items = document.items.iter().filter(|item| !section::is_part(format, item));
        search.entries(items, Scope::ROOT);
    }
    Ok(Audit { exposed: search.exposed, damage, genuine })
}

/// The rule in a section that is damaged otherwise.
fn named_rule(tree: &Tree) -> Option<Rule> {
    let Value::Map(section) = &tree.documents.first()?.get("sops")?.value else { return None };
    NAMES.iter().find_map(|name| Rule::new(name, section.get(name)?.as_str()?).ok())
}

/// Whether two of the three entries that every document of SOPS has are there.
fn is_genuine(format: Format, tree: &Tree) -> bool {
    let section = tree.documents.first().and_then(|document| section::find(format, document).ok());
    let there = |name: &&str| section.as_ref().is_some_and(|section| section.get(name).is_some());
    ["mac", "lastmodified", "version"].into_iter().filter(there).count() >= 2
}

struct Search<'a> {
    rule: Option<&'a Rule>,
    path: Vec<Step>,
    exposed: Vec<Exposed>,
}

impl<'a> Search<'a> {
    fn entries(&mut self, items: impl Iterator<Item = &'a Item<Entry>>, mut scope: Scope) {
        for item in items {
            match item {
                Item::Comment(comment) => scope = self.past_comment(scope, &comment.text),
                Item::Value(entry) => {
                    self.path.push(Step::Key(entry.key.clone()));
                    self.node(&entry.value, self.rule.map_or(scope, |rule| scope.below_key(rule, &entry.key)));
                    self.path.pop();
                    scope = scope.past_item();
                }
            }
        }
    }

    fn seq(&mut self, seq: &'a Seq, mut scope: Scope) {
        let mut index = 0;
        for item in &seq.items {
            match item {
                Item::Comment(comment) => scope = self.past_comment(scope, &comment.text),
                // A comment that became an item when it was encrypted.
                Item::Value(node) if node.as_str().is_some_and(|text| text.ends_with(",type:comment]")) => {}
                Item::Value(node) => {
                    self.path.push(Step::Index(index));
                    self.node(node, scope.below_item());
                    self.path.pop();
                    index += 1;
                    scope = scope.past_item();
                }
            }
        }
    }

    fn past_comment(&self, scope: Scope, text: &Text) -> Scope {
        self.rule.map_or(scope, |rule| scope.past_comment(rule, text))
    }

    fn node(&mut self, node: &'a Node, scope: Scope) {
        match &node.value {
            Value::Map(Map { items, .. }) => self.entries(items.iter(), scope),
            Value::Seq(seq) => self.seq(seq, scope),
            Value::Scalar(scalar) => {
                if !self.is_fine(scalar, scope) {
                    let key = self.path.first().map(|step| dotted(std::slice::from_ref(step)));
                    self.exposed.push(Exposed { key: key.unwrap_or_default(), path: dotted(&self.path) });
                }
            }
        }
    }

    fn is_fine(&self, scalar: &Scalar, scope: Scope) -> bool {
        match (self.rule, scalar) {
            (Some(rule), _) if !rule.encrypts(scope) => true,
            (_, Scalar::Text(text)) if text.is_empty() => true,
            // SOPS never encrypts null.
            (Some(_), Scalar::Null) => true,
            (Some(_), Scalar::Text(text)) => text.expose_str().is_some_and(looks_encrypted),
            (None, Scalar::Text(text)) => text.expose().starts_with(b"ENC["),
            _ => false,
        }
    }
}
