//! `pforge secrets recipients remove`.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::secrets::membership::{self, Change};
use crate::cli::secrets::names::Names;
use crate::cli::secrets::recipient_list::identity_of;
use crate::cli::secrets::recipients::shown;
use crate::cli::secrets::{file, people, targets};
use crate::secrets::{MacPolicy, Recipient};

/// Let somebody open files no more
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The data key is replaced, and every value encrypted anew, so the removed one reads nothing that is written \
    from now on. What they could read before they may have kept, and git has it for ever: the secrets that must \
    be changed at their source are listed.\n\n\
    Examples:\n  \
    pforge secrets recipients remove bob --all\n  \
    pforge secrets recipients remove age1… secrets/prod.env"
)]
pub struct Args {
    /// Recipients, or their names in the list, and files [default: the deployment's config]
    #[arg(value_name = "RECIPIENT|NAME|FILE", required = true)]
    words: Vec<String>,
    /// A file; repeat for more
    #[arg(short, long, value_name = "FILE", conflicts_with = "all")]
    file: Vec<PathBuf>,
    /// Every encrypted file in secrets/
    #[arg(long)]
    all: bool,
    /// Leave the list of recipients as it is
    #[arg(long)]
    no_list: bool,
    /// Do not ask when it is you who is removed
    #[arg(short, long)]
    yes: bool,
}

/// One file without them.
struct Done {
    path: PathBuf,
    bytes: Vec<u8>,
    secrets: Vec<String>,
}

/// Rotates each file without them, then writes the files and the list.
///
/// # Errors
/// When nobody is removed, nobody would be left, or a file does not open: then nothing is written.
pub fn run(args: Args, cx: &Cx) -> Result {
    let (words, mut files) = membership::told_apart(&args.words)?;
    files.extend(args.file.iter().cloned());
    let paths = targets::encrypted(cx, &files, args.all)?;
    let mut removed = Vec::new();
    let mut done = Vec::new();
    for path in &paths {
        removed = membership::meant(cx, path, &words)?;
        match without(cx, path, &removed, args.yes)? {
            Some(one) => done.push(one),
            None => cx.ui.status(format!("{}: could not open it anyway, skipped", shown(path))),
        }
    }
    let list = match paths.first().filter(|_| !args.no_list) {
        Some(path) => membership::update(cx, path, Change::Remove(&removed))?,
        None => None,
    };
    if done.is_empty() && list.is_none() {
        return Err(Error::new(Kind::NotFound, format!("{} is a recipient of none of these files", words.join(", ")))
            .hint("pforge secrets recipients list --all"));
    }
    let names = paths.first().map_or_else(Names::default, |path| Names::around(cx, path));
    let who: Vec<String> = removed.iter().map(|one| names.short(one)).collect();
    let who = who.join(", ");
    let mut reports = Vec::new();
    for one in &done {
        file::write(&one.path, &one.bytes)?;
        cx.ui.status(format!("{}: {who} can open it no more; the data key is new", shown(&one.path)));
        reports.push(json!({ "file": shown(&one.path), "change_at_their_source": one.secrets }));
    }
    if let Some(list) = &list {
        list.write()?;
        cx.ui.status(format!("{}: {who} removed", shown(&list.path)));
    }
    if !done.is_empty() {
        cx.ui.warn(format!("{who} may have kept what was in there, and git has it: change these at their source"));
        for (one, path) in done.iter().flat_map(|one| one.secrets.iter().map(move |path| (one, path))) {
            cx.ui.verbatim(&format!("  {}  {path}\n", shown(&one.path)));
        }
    }
    let others = membership::files_with(cx, &paths, |there| there.iter().any(|one| removed.contains(one)));
    if !others.is_empty() {
        cx.ui.warn(format!("{who} can still open {}; --all does these, too", others.join(", ")));
    }
    let list = list.map(|list| shown(&list.path));
    if cx.ui.json() {
        cx.ui.document(&json!({ "removed": removed, "files": reports, "list": list, "still_open": others }))
    } else {
        Ok(())
    }
}

/// The file at `path` for the others; `None` when nobody is taken away.
fn without(cx: &Cx, path: &Path, removed: &[String], yes: bool) -> Result<Option<Done>> {
    let open = file::open(cx, path, None, MacPolicy::Verify)?;
    let had = open.sealed.metadata().recipients();
    if !had.iter().any(|one| removed.contains(&identity_of(one))) {
        return Ok(None);
    }
    let groups = people::without(path, people::groups(path, &open.sealed)?, removed)?;
    if !yes {
        ask_if_it_is_us(cx, path, &groups)?;
    }
    let bytes = open.sealed.rotate(&open.opened, &groups, cx.clock.now()).map_err(|error| file::about(path, &error))?;
    Ok(Some(Done { path: path.to_path_buf(), bytes, secrets: people::secrets(&open.opened.tree) }))
}

/// Whoever locks themselves out should mean it.
fn ask_if_it_is_us(cx: &Cx, path: &Path, groups: &[Vec<Recipient>]) -> Result {
    let left: Vec<String> = groups.iter().flatten().map(ToString::to_string).collect();
    let found = cx.identities(&left);
    let ours = found.identities.public_keys();
    let stays = ours.iter().any(|(key, _)| left.iter().any(|one| identity_of(one) == identity_of(key)));
    if stays || ours.is_empty() {
        return Ok(());
    }
    let question = format!("You yourself could not open {} any more. Go on?", shown(path));
    if cx.ui.confirm(&question, "--yes")? { Ok(()) } else { Err(Error::new(Kind::Interrupted, "nothing was changed")) }
}
