//! What is edited: a file or a part of it, as text, and back.

use std::path::{Path, PathBuf};

use super::file::{self, Document};
use super::people;
use super::recipients::{Plan, RecipientFlags, shown};
use super::rules::RuleFlags;
use super::value;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind as ErrorKind, Result};
use crate::secrets::tree::{Map, Node, Scalar, Value};
use crate::secrets::{
    Error as SecretsError, Format, MacPolicy, Recipient, Selector, Step, Style, Text, Tree, align, merge, seal,
};
use crate::util::file as files;

/// What is edited.
#[derive(Debug)]
pub struct Subject {
    path: PathBuf,
    format: Format,
    recipients: Vec<Vec<Recipient>>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A file that does not exist yet.
    New(Box<Plan>),
    /// A file that is there, whole.
    Whole(Box<Document>),
    /// A place in a file, and its value.
    Part(Box<Document>, Selector),
}

/// A text that cannot be saved.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub error: Error,
    /// Whether another text could be.
    pub again: bool,
}

impl Subject {
    /// The encrypted file at `path`, or a place in it.
    ///
    /// # Errors
    /// When it does not open, is not encrypted, or there is no such place.
    pub fn open(cx: &Cx, path: &Path, place: Option<Selector>, mac: MacPolicy) -> Result<Self> {
        let document = Document::load(cx, path, None, mac)?;
        let Some(sealed) = document.sealed() else {
            let shown = shown(path);
            return Err(Error::failure(format!("{shown} is not encrypted: any editor opens it"))
                .hint(format!("pforge secrets encrypt -i {shown}"))
                .hint(format!("${{EDITOR:-vi}} {shown}")));
        };
        // Labels that are no keys leave the rejected text in clear; the file itself needs none.
        let recipients = people::groups(path, sealed).unwrap_or_default();
        let format = document.format;
        let kind = match place {
            Some(place) => {
                place.get(document.tree()).map_err(|error| file::about(path, &error))?;
                Kind::Part(Box::new(document), place)
            }
            None => Kind::Whole(Box::new(document)),
        };
        Ok(Self { path: path.to_path_buf(), format, recipients, kind })
    }

    /// A new file at `path`.
    ///
    /// # Errors
    /// When there is nobody to encrypt it for.
    pub fn create(cx: &Cx, path: &Path, recipients: &RecipientFlags, rules: &RuleFlags) -> Result<Self> {
        let format = Format::of(path);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no folder {}", shown(folder)))
                .hint(format!("mkdir -p {}", shown(folder))));
        }
        let plan = Plan::resolve(cx, path, format, recipients, rules)?;
        let recipients = plan.sealing(path)?.groups;
        let people: Vec<String> = plan.recipients().iter().map(|one| plan.names.short(one)).collect();
        cx.ui.status(format!("{} is new, for {} (from {})", shown(path), people.join(", "), plan.origin));
        Ok(Self { path: path.to_path_buf(), format, recipients, kind: Kind::New(Box::new(plan)) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who can open it.
    pub fn recipients(&self) -> &[Vec<Recipient>] {
        &self.recipients
    }

    /// What the draft is called, so that the editor knows the language.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match &self.kind {
            Kind::Part(document, place) if is_leaf(document, place) => {
                let key = place.steps().iter().rev().find_map(|step| match step {
                    Step::Key(key) => Some(key.as_str()),
                    Step::Index(_) => None,
                });
                let fits = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
                key.unwrap_or("value").chars().take(40).map(fits).collect::<String>() + ".txt"
            }
            _ => name,
        }
    }

    /// What the editor begins with.
    ///
    /// # Errors
    /// When the format cannot hold it.
    pub fn text(&self) -> Result<Text> {
        let about = |error: SecretsError| file::about(&self.path, &error);
        match &self.kind {
            Kind::New(_) => Ok(example(&self.path, self.format).into()),
            Kind::Whole(document) => self.format.write_plain(document.tree(), Style::default()).map_err(about),
            Kind::Part(document, place) => {
                let node = place.get(document.tree()).map_err(about)?;
                match &node.value {
                    Value::Scalar(_) => self.format.write_value(node, Style::default()).map_err(about),
                    _ => self.format.write_plain(&alone(place, node.clone()), Style::default()).map_err(about),
                }
            }
        }
    }

    /// Writes the file with `text` in place of what [`Subject::text`] gave. `false` when that
    /// changes nothing.
    ///
    /// # Errors
    /// When it is no document, cannot be encrypted, or the file was changed or made meanwhile.
    pub fn save(&self, cx: &Cx, text: &Text) -> std::result::Result<bool, Refused> {
        let retry = |error| Refused { error, again: true };
        match &self.kind {
            Kind::New(plan) => {
                let about = |error| retry(file::about(&self.path, &error));
                let tree = self.format.read_plain(text.expose()).map_err(about)?;
                let sealing = plan.sealing(&self.path).map_err(retry)?;
                let bytes = seal(self.format, &tree, &sealing, cx.clock.now()).map_err(about)?;
                files::create_private(&self.path, &bytes).map(|()| true).map_err(|error| {
                    let told = Error::failure(format!("cannot make {}", shown(&self.path))).caused_by(&error);
                    Refused { error: told, again: false }
                })
            }
            Kind::Whole(document) => {
                let read = self.format.read_plain(text.expose());
                let new = read.map_err(|error| retry(file::about(&self.path, &error)))?;
                self.put(cx, document, new)
            }
            Kind::Part(document, place) => {
                let mut new = document.tree().clone();
                let node = self.part(document, place, text).map_err(retry)?;
                place.set(&mut new, node).map_err(|error| retry(file::about(&self.path, &error)))?;
                self.put(cx, document, new)
            }
        }
    }

    fn put(&self, cx: &Cx, document: &Document, mut new: Tree) -> std::result::Result<bool, Refused> {
        align(document.tree(), &mut new);
        if document.is_stale() {
            return self.put_over(cx, document, &new).map_err(|error| Refused { error, again: false });
        }
        document.save(cx, &new).map_err(|error| Refused { error, again: true })
    }

    /// Saves into a file that somebody else wrote meanwhile: both changes are kept, where they are
    /// at different places.
    fn put_over(&self, cx: &Cx, document: &Document, new: &Tree) -> Result<bool> {
        let theirs = Document::load(cx, &self.path, None, MacPolicy::Verify)?;
        let merged = merge(document.tree(), new, theirs.tree());
        if !merged.conflicts.is_empty() {
            return Err(Error::failure(format!(
                "{} was changed meanwhile, and is left as it is now",
                shown(&self.path)
            ))
            .because(format!("both changed {}", merged.conflicts.join(", ")))
            .because("a text that is taken up again replaces what was changed meanwhile: compare first"));
        }
        cx.ui.status(format!("{} was changed meanwhile; both changes are kept", shown(&self.path)));
        theirs.save(cx, &merged.tree)
    }

    /// The value that `text` gives for `place`.
    fn part(&self, document: &Document, place: &Selector, text: &Text) -> Result<Node> {
        let about = |error: SecretsError| file::about(&self.path, &error);
        let old = place.get(document.tree()).map_err(about)?;
        match &old.value {
            Value::Scalar(Scalar::Text(before)) => Ok(Node::text(as_it_ended(before, text))),
            Value::Scalar(_) => value::node(&place.to_string(), text.clone(), None, Some(old)),
            _ => {
                let read = self.format.read_plain(text.expose()).map_err(about)?;
                let mut map = read.documents.into_iter().next().unwrap_or_default();
                let name = title(place);
                match (map.remove(&name), map.entries().next()) {
                    (Some(entry), None) => Ok(entry.value),
                    _ => Err(Error::failure(format!("{place} must stay the only thing in this text, under {name:?}"))),
                }
            }
        }
    }
}

fn is_leaf(document: &Document, place: &Selector) -> bool {
    place.get(document.tree()).is_ok_and(|node| matches!(node.value, Value::Scalar(_)))
}

/// A document of nothing but the section at `place`.
fn alone(place: &Selector, node: Node) -> Tree {
    let mut map = Map::default();
    map.push(title(place), node);
    Tree { documents: vec![map] }
}

/// The key of the section at `place`.
fn title(place: &Selector) -> String {
    match place.steps().last() {
        Some(Step::Key(key)) => key.clone(),
        _ => "item".to_owned(),
    }
}

/// Editors end the last line; a text that had no line break there does not get one.
fn as_it_ended(before: &Text, after: &Text) -> Text {
    match after.expose().strip_suffix(b"\n") {
        Some(without) if !before.expose().ends_with(b"\n") => Text::from(without.to_vec()),
        _ => after.clone(),
    }
}

/// What a new file begins with.
fn example(path: &Path, format: Format) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let app = name.strip_prefix("config.").and_then(|rest| rest.strip_suffix(".yaml"));
    match (format, app) {
        (Format::Yaml, Some(app)) => format!(
            "# The credentials of the App, as GitHub gave them. Comments are encrypted, too.\n\
             github_app:\n    id: 0\n    app_name: {app}\n    webhook_secret: \"\"\n    private_key: |\n        \
             the content of the PEM file\nfastapi:\n    PANGEO_FORGE_API_KEY: \"\"\n"
        ),
        (Format::Yaml, None) => {
            "# Comments are encrypted, too.\nexample:\n    user: alice\n    password: \"\"\n".to_owned()
        }
        (Format::Json, _) => {
            "{\n\t\"example\": {\n\t\t\"user\": \"alice\",\n\t\t\"password\": \"\"\n\t}\n}\n".to_owned()
        }
        (Format::Dotenv, _) => "# Comments are encrypted, too.\nEXAMPLE_PASSWORD=\n".to_owned(),
        (Format::Ini, _) => "[example]\nuser     = alice\npassword =\n".to_owned(),
        (Format::Binary, _) => String::new(),
    }
}
