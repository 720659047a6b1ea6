//! `pforge api-key`.

use std::fs;
use std::path::Path;

use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::config::Deployment;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::secrets::file::{self, Document};
use crate::cli::secrets::git;
use crate::cli::secrets::recipients::{Plan, RecipientFlags, shown};
use crate::cli::secrets::rules::RuleFlags;
use crate::secrets::tree::{Map, Node, Scalar, Value};
use crate::secrets::{Format, MacPolicy, Style, Text, Tree, seal};
use crate::util::id::random_hex;
use crate::util::{self, Secret};

/// Write a new API key into the config of a deployment
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes fastapi.PANGEO_FORGE_API_KEY, 32 hexadecimal digits, and touches nothing else in the file. Running it\n\
    again makes another key: the old one is refused once the server is restarted. A file that is missing is\n\
    made, encrypted when recipients are known (see `pforge secrets encrypt --help`). ENCRYPTION_SALT and\n\
    ADMIN_API_KEY_SHA256 of the old form, which nothing reads any more, are dropped.\n\n\
    Examples:\n  \
    pforge api-key pforge-local-me\n  \
    pforge api-key prod\n  \
    pforge api-key local --show | pbcopy"
)]
pub struct Args {
    /// The deployment: an App's name, or prod, staging, review, local
    #[arg(value_name = "NAME")]
    name: String,
    /// Print the key
    #[arg(long)]
    show: bool,
}

/// The section and its key.
const SECTION: &str = "fastapi";
const KEY: &str = "PANGEO_FORGE_API_KEY";

/// What the old form had beside the key: a salt, and the hash of salt and key.
const OLD: [&str; 2] = ["ENCRYPTION_SALT", "ADMIN_API_KEY_SHA256"];

/// What was done.
struct Done {
    encrypted: bool,
    created: bool,
    rotated: bool,
    dropped: Vec<&'static str>,
}

/// Writes the key.
///
/// # Errors
/// When the name is ambiguous, or the file is wrong, does not open, or cannot be written.
pub fn run(args: Args, cx: &Cx) -> Result {
    let deployment = cx.settings.find_or_new(&args.name)?;
    let key = random()?;
    let done = if deployment.path.exists() { change(cx, &deployment, &key)? } else { create(cx, &deployment, &key)? };
    let name = cx.settings.shown(&deployment.path);
    if cx.ui.json() {
        return cx.ui.document(&json!({
            "deployment": deployment.app,
            "file": name,
            "encrypted": done.encrypted,
            "created": done.created,
            "rotated": done.rotated,
            "dropped": done.dropped,
            "fingerprint": key.fingerprint(),
            "key": args.show.then(|| key.expose()),
        }));
    }
    let kind = if done.encrypted { "encrypted" } else { "in clear" };
    let what = if done.created {
        "made with"
    } else if done.rotated {
        "has another"
    } else {
        "has"
    };
    cx.ui.status(format!("{name} ({kind}) {what} {SECTION}.{KEY} {}", key.fingerprint()));
    if !done.dropped.is_empty() {
        cx.ui.status(format!("{} of the old form went", done.dropped.join(" and ")));
    }
    if !done.encrypted && git::would_be_added(&deployment.path) {
        cx.ui.warn(format!("{name} is in clear, and git add would take it along"));
        cx.ui.hint(format!("pforge secrets encrypt -i {name}"));
    }
    if done.rotated {
        cx.ui.status("A server that runs goes on with the old key until it is restarted.");
    }
    if args.show { cx.ui.line(key.expose()) } else { Ok(()) }
}

/// 32 hexadecimal digits from the generator of the operating system.
fn random() -> Result<Secret> {
    loop {
        let text = random_hex(16)?;
        // Only digits, or digits and an `e`, is a number to somebody: one key in 100 000.
        if text.contains(|digit| matches!(digit, 'a'..='d' | 'f')) {
            return Ok(Secret::new(text));
        }
    }
}

fn change(cx: &Cx, deployment: &Deployment, key: &Secret) -> Result<Done> {
    let path = &deployment.path;
    if let Some(text) = blank(path)? {
        return fill(path, &text, key);
    }
    let document = Document::load(cx, path, Some(Format::Yaml), MacPolicy::Verify)?;
    let mut tree = document.tree().clone();
    let (rotated, dropped) = put(&mut tree, key).map_err(|what| {
        Error::config(format!("{}: {what}", shown(path))).hint(format!("pforge secrets edit {}", shown(path)))
    })?;
    document.save(cx, &tree)?;
    Ok(Done { encrypted: document.is_encrypted(), created: false, rotated, dropped })
}

/// The text of a file without any entry.
fn blank(path: &Path) -> Result<Option<Text>> {
    let text = Text::from(file::read(path)?);
    let lines = text.expose_str().map(|text| text.trim_start_matches('\u{feff}').lines().map(str::trim));
    let blank =
        lines.is_some_and(|mut lines| lines.all(|line| line.is_empty() || line == "---" || line.starts_with('#')));
    Ok(blank.then_some(text))
}

fn fill(path: &Path, text: &Text, key: &Secret) -> Result<Done> {
    let section = plain(path, key)?;
    let line_break: &[u8] = if text.is_empty() || text.expose().ends_with(b"\n") { b"" } else { b"\n" };
    let whole = Zeroizing::new([text.expose(), line_break, section.expose()].concat());
    file::write(path, &whole)?;
    Ok(Done { encrypted: false, created: false, rotated: false, dropped: Vec::new() })
}

fn create(cx: &Cx, deployment: &Deployment, key: &Secret) -> Result<Done> {
    let path = &deployment.path;
    let plan = Plan::resolve(cx, path, Format::Yaml, &RecipientFlags::default(), &RuleFlags::default())?;
    let encrypted = !plan.groups.is_empty();
    let bytes = if encrypted {
        let sealed = seal(Format::Yaml, &fresh(key), &plan.sealing(path)?, cx.clock.now());
        Text::from(sealed.map_err(|error| file::about(path, &error))?)
    } else {
        plain(path, key)?
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .map_err(|error| Error::failure(format!("cannot make {}", shown(folder))).caused_by(&error))?;
    }
    util::file::create_private(path, bytes.expose())
        .map_err(|error| Error::failure(format!("cannot write {}", shown(path))).caused_by(&error))?;
    if !encrypted {
        let name = shown(path);
        cx.ui.warn(format!("{name} is in clear: nobody is named who may open it encrypted"));
        cx.ui.hint("pforge secrets keygen -o key.txt >> secrets/age-recipients.txt");
        cx.ui.hint(format!("pforge secrets encrypt -i {name}"));
    }
    Ok(Done { encrypted, created: true, rotated: false, dropped: Vec::new() })
}

fn plain(path: &Path, key: &Secret) -> Result<Text> {
    Format::Yaml.write_plain(&fresh(key), Style::default()).map_err(|error| file::about(path, &error))
}

/// A document with nothing but the key.
fn fresh(key: &Secret) -> Tree {
    let (mut section, mut document) = (Map::default(), Map::default());
    section.push(KEY, Node::text(key.expose()));
    document.push(SECTION, section);
    Tree { documents: vec![document] }
}

/// Puts the key into an opened document. Whether there was one before, and what of the old form
/// was dropped; an error is the end of a sentence about the file.
fn put(tree: &mut Tree, key: &Secret) -> std::result::Result<(bool, Vec<&'static str>), String> {
    let Some(document) = tree.documents.first_mut() else { return Err("it holds nothing".to_owned()) };
    if document.get(SECTION).is_none_or(|node| matches!(node.value, Value::Scalar(Scalar::Null))) {
        let mut section = Map::default();
        section.push(KEY, Node::text(key.expose()));
        match document.get_mut(SECTION) {
            Some(node) => *node = section.into(),
            None => document.push(SECTION, section),
        }
        return Ok((false, Vec::new()));
    }
    let Some(Value::Map(section)) = document.get_mut(SECTION).map(|node| &mut node.value) else {
        return Err(format!("{SECTION} must be a mapping"));
    };
    let dropped = OLD.into_iter().filter(|name| section.remove(name).is_some()).collect();
    let rotated = match section.get_mut(KEY) {
        Some(node) => {
            *node = Node::text(key.expose());
            true
        }
        None => {
            section.push(KEY, Node::text(key.expose()));
            false
        }
    };
    Ok((rotated, dropped))
}

#[cfg(test)]
mod tests {
    use super::{Format, Secret, Style, put, random};

    fn written(text: &str) -> (String, bool, usize) {
        let mut tree = Format::Yaml.read_plain(text.as_bytes()).expect("YAML");
        let (rotated, dropped) = put(&mut tree, &Secret::new("new")).expect("put");
        let text = Format::Yaml.write_plain(&tree, Style::default()).expect("text");
        (text.expose_str().expect("UTF-8").to_owned(), rotated, dropped.len())
    }

    #[test]
    fn only_the_key_changes() {
        for (before, after, rotated, dropped) in [
            ("a: 1\n", "a: 1\nfastapi:\n    PANGEO_FORGE_API_KEY: new\n", false, 0),
            ("fastapi:\n", "fastapi:\n    PANGEO_FORGE_API_KEY: new\n", false, 0),
            ("fastapi: {}\n", "fastapi:\n    PANGEO_FORGE_API_KEY: new\n", false, 0),
            (
                "fastapi:\n    x: 1\n    PANGEO_FORGE_API_KEY: old\na: 1\n",
                "fastapi:\n    x: 1\n    PANGEO_FORGE_API_KEY: new\na: 1\n",
                true,
                0,
            ),
            (
                "fastapi:\n    ENCRYPTION_SALT: s\n    PANGEO_FORGE_API_KEY: old\n    ADMIN_API_KEY_SHA256: h\n",
                "fastapi:\n    PANGEO_FORGE_API_KEY: new\n",
                true,
                2,
            ),
        ] {
            assert_eq!(written(before), (after.to_owned(), rotated, dropped), "{before}");
        }
        let mut tree = Format::Yaml.read_plain(b"fastapi: 5\n").expect("YAML");
        assert_eq!(put(&mut tree, &Secret::new("new")).expect_err("no mapping"), "fastapi must be a mapping");
    }

    #[test]
    fn keys_are_32_hexadecimal_digits_and_differ() {
        let (one, other) = (random().expect("random"), random().expect("random"));
        assert_eq!(one.expose().len(), 32);
        assert!(one.expose().chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "hexadecimal");
        assert!(!one.matches(other.expose().as_bytes()));
    }
}
