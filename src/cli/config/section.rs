//! Puts a section into a config file, whatever is there: nothing, an empty file, one in clear, an
//! encrypted one. The rest of the file keeps its bytes.

use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::secrets::file::{self, Document};
use crate::cli::secrets::git;
use crate::cli::secrets::recipients::{Plan, RecipientFlags, shown};
use crate::cli::secrets::rules::RuleFlags;
use crate::secrets::tree::{Comment, Item, Map, Node, Scalar, Value};
use crate::secrets::{Format, MacPolicy, Style, Text, Tree, seal};
use crate::util;

/// A config file that was looked at and can be written.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    there: There,
}

#[derive(Debug)]
enum There {
    /// No file, or one without any entry: its text.
    Nothing { text: Option<Text>, plan: Box<Plan> },
    /// A file with entries, opened.
    Document(Document),
}

/// What became of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Whether it was not there before.
    pub created: bool,
}

impl Place {
    /// Looks at `path` and opens it when it is encrypted, so that what could go wrong goes wrong
    /// before anything depends on it.
    ///
    /// # Errors
    /// When the file cannot be read or opened, or the recipients of a new one are wrong.
    pub fn look(cx: &Cx, path: &Path) -> Result<Self> {
        let text = path.exists().then(|| file::read(path).map(Text::from)).transpose()?;
        let there = if text.as_ref().is_none_or(is_blank) {
            let plan = Plan::resolve(cx, path, Format::Yaml, &RecipientFlags::default(), &RuleFlags::default())?;
            There::Nothing { text, plan: Box::new(plan) }
        } else {
            There::Document(Document::load(cx, path, Some(Format::Yaml), MacPolicy::Verify)?)
        };
        Ok(Self { path: path.to_path_buf(), there })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is, or will be, encrypted.
    pub fn is_encrypted(&self) -> bool {
        match &self.there {
            There::Nothing { plan, .. } => !plan.groups.is_empty(),
            There::Document(document) => document.is_encrypted(),
        }
    }

    /// Whether the file has a section `name` with something in it.
    pub fn has(&self, name: &str) -> bool {
        match &self.there {
            There::Nothing { .. } => false,
            There::Document(document) => {
                document.tree().documents.first().and_then(|map| map.get(name)).is_some_and(|node| !is_null(node))
            }
        }
    }

    /// Changes the document by `edit`, whose error is the end of a sentence about the file, and
    /// writes it. A new file is private.
    ///
    /// # Errors
    /// What `edit` says; or when the file was changed meanwhile, or cannot be written.
    pub fn change<T>(
        &self,
        cx: &Cx,
        edit: impl FnOnce(&mut Map) -> std::result::Result<T, String>,
    ) -> Result<(T, Written)> {
        let mut tree = match &self.there {
            There::Nothing { text, .. } => Tree { documents: vec![comments(text.as_ref())] },
            There::Document(document) => document.tree().clone(),
        };
        let first = tree.documents.first_mut().ok_or_else(|| "it holds nothing".to_owned());
        let out = first.and_then(edit).map_err(|what| {
            let file = shown(&self.path);
            Error::config(format!("{file}: {what}")).hint(format!("pforge secrets edit {file}"))
        })?;
        let encrypted = self.is_encrypted();
        let created = matches!(self.there, There::Nothing { text: None, .. });
        match &self.there {
            There::Document(document) => drop(document.save(cx, &tree)?),
            There::Nothing { text, plan } => self.begin(cx, text.as_ref(), plan, tree)?,
        }
        Ok((out, Written { encrypted, created }))
    }

    /// Writes the first entries of the file.
    fn begin(&self, cx: &Cx, text: Option<&Text>, plan: &Plan, tree: Tree) -> Result {
        let path = &self.path;
        let bytes = if plan.groups.is_empty() {
            in_clear(path, text, tree)?
        } else {
            let sealed = seal(Format::Yaml, &tree, &plan.sealing(path)?, cx.clock.now());
            Text::from(sealed.map_err(|error| file::about(path, &error))?)
        };
        if text.is_some() {
            return file::write(path, bytes.expose());
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| Error::failure(format!("cannot make {}", shown(folder))).caused_by(&error))?;
        }
        util::file::create_private(path, bytes.expose())
            .map_err(|error| Error::failure(format!("cannot write {}", shown(path))).caused_by(&error))
    }

    /// Warns when secrets were `written` in clear where they could get around.
    pub fn warn_if_in_clear(&self, cx: &Cx, written: Written) {
        if written.encrypted {
            return;
        }
        let name = shown(&self.path);
        if written.created {
            cx.ui.warn(format!("{name} is in clear: nobody is named who may open it encrypted"));
            cx.ui.hint("pforge secrets keygen -o key.txt >> secrets/age-recipients.txt");
            cx.ui.hint(format!("pforge secrets encrypt -i {name}"));
        }
        if git::would_be_added(&self.path) {
            cx.ui.warn(format!("{name} is in clear, and git add would take it along"));
            cx.ui.hint(format!("pforge secrets encrypt -i {name}"));
        }
    }
}

/// Puts the section `name` with `entries` into a document that has none, or an empty one.
///
/// # Errors
/// The end of a sentence about the file, when there is such a section.
pub fn add(document: &mut Map, name: &str, entries: Map) -> std::result::Result<(), String> {
    match document.get_mut(name) {
        Some(node) if is_null(node) => *node = entries.into(),
        Some(_) => return Err(format!("it has a section {name} already")),
        None => document.push(name, entries),
    }
    Ok(())
}

/// A section on its own as YAML, in clear.
///
/// # Errors
/// When YAML cannot hold it.
pub fn text_of(name: &str, entries: Map) -> Result<Text> {
    let mut document = Map::default();
    document.push(name, entries);
    plain(Path::new(name), Tree { documents: vec![document] })
}

/// Whether a value is `null`.
pub fn is_null(node: &Node) -> bool {
    matches!(node.value, Value::Scalar(Scalar::Null))
}

/// Whether a file has no entry.
fn is_blank(text: &Text) -> bool {
    let lines = text.expose_str().map(|text| text.trim_start_matches('\u{feff}').lines().map(str::trim));
    lines.is_some_and(|mut lines| lines.all(|line| line.is_empty() || line == "---" || line.starts_with('#')))
}

/// The comments of a file without any entry.
fn comments(text: Option<&Text>) -> Map {
    let lines = text.and_then(Text::expose_str).unwrap_or_default().lines();
    let comment = |line: &str| {
        let text = Text::from(line.trim().strip_prefix('#')?.as_bytes().to_vec());
        Some(Item::Comment(Comment { text, ..Comment::default() }))
    };
    Map { items: lines.filter_map(comment).collect(), ..Map::default() }
}

/// The new text of a file that had no entry: what stood there, and then the entries.
fn in_clear(path: &Path, text: Option<&Text>, mut tree: Tree) -> Result<Text> {
    let Some(text) = text else { return plain(path, tree) };
    for document in &mut tree.documents {
        document.items.retain(|item| matches!(item, Item::Value(_)));
    }
    let line_break: &[u8] = if text.is_empty() || text.expose().ends_with(b"\n") { b"" } else { b"\n" };
    let entries = plain(path, tree)?;
    let whole = Zeroizing::new([text.expose(), line_break, entries.expose()].concat());
    Ok(Text::from(whole.to_vec()))
}

fn plain(path: &Path, tree: Tree) -> Result<Text> {
    Format::Yaml.write_plain(&tree, Style::default()).map_err(|error| file::about(path, &error))
}

#[cfg(test)]
mod tests {
    use super::{Format, Map, Node, Style, Text, Tree, add, comments, in_clear, is_blank};

    fn entries() -> Map {
        let mut map = Map::default();
        map.push("id", Node::text("x"));
        map
    }

    #[test]
    fn a_section_is_added_once() {
        for (before, after) in [
            ("a: 1\n", Some("a: 1\ns:\n    id: x\n")),
            ("s:\na: 1\n", Some("s:\n    id: x\na: 1\n")),
            ("s: {}\n", None),
            ("s: 5\n", None),
        ] {
            let mut tree = Format::Yaml.read_plain(before.as_bytes()).expect("YAML");
            let added = add(&mut tree.documents[0], "s", entries());
            let text = Format::Yaml.write_plain(&tree, Style::default()).expect("text");
            assert_eq!(added.ok().map(|()| text.expose_str().expect("UTF-8").to_owned()).as_deref(), after, "{before}");
        }
    }

    #[test]
    fn a_file_without_entries_keeps_what_it_says() {
        for (before, after) in
            [("", "id: x\n"), ("# mine\n", "# mine\nid: x\n"), ("---\n# mine", "---\n# mine\nid: x\n")]
        {
            let text = Text::from(before.as_bytes().to_vec());
            assert!(is_blank(&text));
            let mut document = comments(Some(&text));
            document.push("id", Node::text("x"));
            let whole = in_clear("f".as_ref(), Some(&text), Tree { documents: vec![document] }).expect("text");
            assert_eq!(whole.expose_str(), Some(after));
        }
        assert!(!is_blank(&Text::from(b"a: 1\n".to_vec())));
    }
}
