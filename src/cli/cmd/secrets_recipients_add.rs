//! `pforge secrets recipients add`.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::secrets::membership::{self, Change};
use crate::cli::secrets::names::Names;
use crate::cli::secrets::recipient_list::identity_of;
use crate::cli::secrets::recipients::shown;
use crate::cli::secrets::{file, people, recipient_list, targets};
use crate::secrets::{MacPolicy, Recipient};

/// Let somebody open files
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Only the data key is wrapped once more: no value changes, and nobody else's copy does. The list that new files \
    take their recipients from (.sops.yaml or age-recipients.txt) gets the recipient, too.\n\n\
    Examples:\n  \
    pforge secrets recipients add age1… --name bob --all\n  \
    pforge secrets recipients add 'ssh-ed25519 AAAA… bob@host' secrets/prod.env"
)]
pub struct Args {
    /// Recipients (age1…, ssh-ed25519 …, ssh-rsa …), and files [default: the deployment's config]
    #[arg(value_name = "RECIPIENT|FILE", required = true)]
    words: Vec<String>,
    /// A file; repeat for more
    #[arg(short, long, value_name = "FILE", conflicts_with = "all")]
    file: Vec<PathBuf>,
    /// Every encrypted file in secrets/
    #[arg(long)]
    all: bool,
    /// Whose key it is, for the list
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Leave the list of recipients as it is
    #[arg(long)]
    no_list: bool,
}

/// Wraps the data key of each file for the new ones, then writes the files and the list.
///
/// # Errors
/// When a word is no recipient, or a file does not open: then nothing is written.
pub fn run(args: Args, cx: &Cx) -> Result {
    let (words, mut files) = membership::told_apart(&args.words)?;
    files.extend(args.file);
    let added = words.iter().map(|word| recipient_list::recipient("the command line", word));
    let added: Vec<Recipient> = added.collect::<Result<_>>()?;
    let paths = targets::encrypted(cx, &files, args.all)?;
    let mut written = Vec::new();
    for path in &paths {
        let open = file::open(cx, path, None, MacPolicy::Verify)?;
        let there = open.sealed.metadata().recipients();
        let there: Vec<Recipient> = there.iter().filter_map(|one| one.parse().ok()).collect();
        let new = people::absent(&there, &added);
        if new.is_empty() {
            cx.ui.status(format!("{}: can open it already, skipped", shown(path)));
            continue;
        }
        let bytes = open.sealed.add_recipients(&open.opened, &new).map_err(|error| file::about(path, &error))?;
        written.push((path, bytes, new));
    }
    let change = Change::Add(&added, args.name.as_deref());
    let list = match paths.first().filter(|_| !args.no_list) {
        Some(path) => membership::update(cx, path, change)?,
        None => None,
    };
    let mut reports = Vec::new();
    for (path, bytes, new) in written {
        file::write(path, &bytes)?;
        let names = Names::around(cx, path);
        let called = |one: &Recipient| args.name.clone().unwrap_or_else(|| names.short(&one.to_string()));
        let who: Vec<String> = new.iter().map(called).collect();
        cx.ui.status(format!("{}: {} can open it", shown(path), who.join(", ")));
        reports.push(json!({ "file": shown(path), "added": new.iter().map(ToString::to_string).collect::<Vec<_>>() }));
    }
    if let Some(list) = &list {
        list.write()?;
        cx.ui.status(format!("{}: added", shown(&list.path)));
        let others = membership::files_with(cx, &paths, |there| {
            added.iter().any(|one| !there.contains(&identity_of(&one.to_string())))
        });
        if !others.is_empty() {
            cx.ui.hint(format!("--all lets them open {}, too", others.join(", ")));
        }
    }
    let list = list.map(|list| shown(&list.path));
    if cx.ui.json() { cx.ui.document(&json!({ "files": reports, "list": list })) } else { Ok(()) }
}
