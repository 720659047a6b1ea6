//! `pforge secrets diff`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::secrets::masked::Show;
use crate::cli::secrets::names::Names;
use crate::cli::secrets::recipient_list::identity_of;
use crate::cli::secrets::recipients::shown;
use crate::cli::secrets::{file, git};
use crate::cli::ui::{Cell, Tone};
use crate::secrets::changes::{Change, Kind as What, changes};
use crate::secrets::{self, Format, MacPolicy, Sealed, Tree};

/// Show which keys differ between two versions of a file; values stay masked
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without arguments: the config file of the deployment, at git HEAD and in the work tree. With one file:\n\
    the same for that file. REV:FILE names a version in git. Values are shown by type and fingerprint; what\n\
    stands in clear in an encrypted file is shown as it is. The exit code is 0 also where there are\n\
    differences, unless --exit-code is given.\n\n\
    Examples:\n  \
    pforge secrets diff\n  \
    pforge secrets diff HEAD~3:secrets/config.pforge-local-me.yaml\n  \
    pforge secrets diff secrets/config.pangeo-forge-staging.yaml secrets/config.pangeo-forge.yaml --show"
)]
pub struct Args {
    /// A file, or REV:FILE
    #[arg(value_name = "OLD")]
    old: Option<String>,
    /// Another one [default: the same file in the work tree]
    #[arg(value_name = "NEW")]
    new: Option<String>,
    /// Show the values themselves
    #[arg(long)]
    show: bool,
    /// Exit with 1 when there are differences
    #[arg(long)]
    exit_code: bool,
}

/// One of the two versions.
struct Side {
    name: String,
    tree: Tree,
    encrypted: bool,
    recipients: Vec<String>,
}

/// Prints the differences.
///
/// # Errors
/// When a version is missing or does not open; with `--exit-code`, 1 for differences.
pub fn run(args: Args, cx: &Cx) -> Result {
    let (old, new) = versions(&args, cx)?;
    let names = Names::around(cx, Path::new(&new.name));
    let found = changes(&old.tree, &new.tree);
    let people = recipients(&old, &new);
    if cx.ui.json() {
        let change = |change: &Change<'_>| {
            json!({
                "path": change.path,
                "change": change.kind.name(),
                "old": change.old.map(|node| Show::of(node, old.encrypted, args.show).json(node)),
                "new": change.new.map(|node| Show::of(node, new.encrypted, args.show).json(node)),
            })
        };
        let person = |(what, one): &(What, String)| json!({ "recipient": one, "change": what.name() });
        cx.ui.document(&json!({
            "old": old.name,
            "new": new.name,
            "changes": found.iter().map(change).collect::<Vec<Value>>(),
            "recipients": people.iter().map(person).collect::<Vec<Value>>(),
        }))?;
    } else {
        cx.ui.status(format!("{} → {}", old.name, new.name));
        let mut rows: Vec<Vec<Cell>> = found.iter().map(|change| row(change, &old, &new, args.show)).collect();
        for (what, one) in &people {
            rows.push(vec![cell(*what), "recipient".into(), names.full(one).into()]);
        }
        if rows.is_empty() {
            cx.ui.status("No differences.");
        } else {
            cx.ui.table(&["change", "key", "old", "new"], &rows)?;
        }
    }
    let differs = !found.is_empty() || !people.is_empty();
    if args.exit_code && differs { Err(Error::told(1)) } else { Ok(()) }
}

fn row(change: &Change<'_>, old: &Side, new: &Side, show: bool) -> Vec<Cell> {
    let value = |node: Option<&secrets::tree::Node>, side: &Side| -> Cell {
        node.map_or_else(String::new, |node| Show::of(node, side.encrypted, show).line(node)).into()
    };
    let place = if change.path.is_empty() { "(top level)" } else { &change.path };
    vec![cell(change.kind), place.into(), value(change.old, old), value(change.new, new)]
}

fn cell(what: What) -> Cell {
    let tone = match what {
        What::Added => Tone::Good,
        What::Removed => Tone::Bad,
        _ => Tone::Warn,
    };
    Cell::toned(what.name(), tone)
}

/// Who can open only one of the two.
fn recipients(old: &Side, new: &Side) -> Vec<(What, String)> {
    let only = |one: &Side, other: &Side, what: What| -> Vec<(What, String)> {
        let there = |name: &String| other.recipients.iter().any(|known| identity_of(known) == identity_of(name));
        one.recipients.iter().filter(|name| !there(name)).map(|name| (what, name.clone())).collect()
    };
    if !old.encrypted || !new.encrypted {
        return Vec::new();
    }
    [only(old, new, What::Removed), only(new, old, What::Added)].concat()
}

fn versions(args: &Args, cx: &Cx) -> Result<(Side, Side)> {
    let named = |text: &str| side(cx, text);
    match (&args.old, &args.new) {
        (Some(old), Some(new)) => Ok((named(old)?, named(new)?)),
        (Some(text), None) => match revision(text) {
            Some((_, path)) => Ok((named(text)?, side(cx, path)?)),
            None => since_head(cx, &PathBuf::from(text)),
        },
        (None, _) => since_head(cx, &file::default_path(cx, None)?),
    }
}

fn since_head(cx: &Cx, path: &Path) -> Result<(Side, Side)> {
    // A file that is not there gives the better error.
    let new = read(cx, shown(path), path, file::read(path)?)?;
    Ok((at(cx, "HEAD", path)?, new))
}

fn side(cx: &Cx, text: &str) -> Result<Side> {
    match revision(text) {
        Some((version, path)) => at(cx, version, Path::new(path)),
        None => read(cx, text.to_owned(), Path::new(text), file::read(Path::new(text))?),
    }
}

/// The parts of `REV:FILE`; a file of that very name goes before.
fn revision(text: &str) -> Option<(&str, &str)> {
    text.split_once(':').filter(|(version, path)| !version.is_empty() && !path.is_empty() && !Path::new(text).exists())
}

fn at(cx: &Cx, version: &str, path: &Path) -> Result<Side> {
    let bytes = git::at(path, version).ok_or_else(|| {
        Error::new(Kind::NotFound, format!("git has no {} at {version}", shown(path)))
            .because("the file is not committed, the version is unknown, or this is no git repository")
    })?;
    read(cx, format!("{version}:{}", shown(path)), path, bytes)
}

fn read(cx: &Cx, name: String, path: &Path, bytes: Vec<u8>) -> Result<Side> {
    let format = Format::of(path);
    match Sealed::read(format, bytes.clone()) {
        Ok(sealed) => {
            let opened = file::open_sealed(cx, path, &sealed, MacPolicy::Report)?;
            Ok(Side { name, tree: opened.tree, encrypted: true, recipients: sealed.metadata().recipients() })
        }
        Err(secrets::Error::NotEncrypted) => {
            let tree = format.read_plain(&bytes).map_err(|error| file::about(Path::new(&name), &error))?;
            Ok(Side { name, tree, encrypted: false, recipients: Vec::new() })
        }
        Err(error) => Err(file::about(Path::new(&name), &error)),
    }
}
