//! `pforge api-key`.

use clap_complete::engine::ArgValueCompleter;
use serde_json::json;

use crate::cli::complete::Deployments;
use crate::cli::config::section::{Place, is_null};
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::secrets::tree::{Map, Node, Value};
use crate::util::Secret;
use crate::util::id::random_hex;

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
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(Deployments))]
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

/// Writes the key.
///
/// # Errors
/// When the name is ambiguous, or the file is wrong, does not open, or cannot be written.
pub fn run(args: Args, cx: &Cx) -> Result {
    let deployment = cx.settings.find_or_new(&args.name)?;
    let key = random()?;
    let place = Place::look(cx, &deployment.path)?;
    let ((rotated, dropped), written) = place.change(cx, |document| put(document, &key))?;
    let name = cx.settings.shown(&deployment.path);
    if cx.ui.json() {
        place.warn_if_in_clear(cx, written);
        return cx.ui.document(&json!({
            "deployment": deployment.app,
            "file": name,
            "encrypted": written.encrypted,
            "created": written.created,
            "rotated": rotated,
            "dropped": dropped,
            "fingerprint": key.fingerprint(),
            "key": args.show.then(|| key.expose()),
        }));
    }
    let kind = if written.encrypted { "encrypted" } else { "in clear" };
    let what = if written.created {
        "made with"
    } else if rotated {
        "has another"
    } else {
        "has"
    };
    cx.ui.status(format!("{name} ({kind}) {what} {SECTION}.{KEY} {}", key.fingerprint()));
    if !dropped.is_empty() {
        cx.ui.status(format!("{} of the old form went", dropped.join(" and ")));
    }
    place.warn_if_in_clear(cx, written);
    if rotated {
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

/// Puts the key into an opened document. Whether there was one before, and what of the old form
/// was dropped; an error is the end of a sentence about the file.
fn put(document: &mut Map, key: &Secret) -> std::result::Result<(bool, Vec<&'static str>), String> {
    if document.get(SECTION).is_none_or(is_null) {
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
    use super::{Secret, put, random};
    use crate::secrets::{Format, Style};

    fn written(text: &str) -> (String, bool, usize) {
        let mut tree = Format::Yaml.read_plain(text.as_bytes()).expect("YAML");
        let (rotated, dropped) = put(&mut tree.documents[0], &Secret::new("new")).expect("put");
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
        assert_eq!(
            put(&mut tree.documents[0], &Secret::new("new")).expect_err("no mapping"),
            "fastapi must be a mapping"
        );
    }

    #[test]
    fn keys_are_32_hexadecimal_digits_and_differ() {
        let (one, other) = (random().expect("random"), random().expect("random"));
        assert_eq!(one.expose().len(), 32);
        assert!(one.expose().chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "hexadecimal");
        assert!(!one.matches(other.expose().as_bytes()));
    }
}
