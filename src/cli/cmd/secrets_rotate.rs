//! `pforge secrets rotate`.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::secrets::names::Names;
use crate::cli::secrets::recipient_list;
use crate::cli::secrets::recipients::shown;
use crate::cli::secrets::{file, people, targets};
use crate::secrets::MacPolicy;

/// Encrypt files anew with a new data key
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every value is encrypted anew; who can open the file stays, but for --add-age and --rm-age. Who had the \
    old data key cannot read what is written from now on. What they have read before stays known to them: \
    change it at its source.\n\n\
    Examples:\n  \
    pforge secrets rotate\n  \
    pforge secrets rotate --all\n  \
    pforge secrets rotate --rm-age age1… secrets/prod.env"
)]
pub struct Args {
    /// The files [default: the deployment's secrets/config.<app>.yaml]
    #[arg(value_name = "FILE", conflicts_with = "all")]
    files: Vec<PathBuf>,
    /// Every encrypted file in secrets/
    #[arg(long)]
    all: bool,
    /// Encrypt for this recipient, too; repeat for more
    #[arg(long, value_name = "RECIPIENT")]
    add_age: Vec<String>,
    /// Encrypt for this recipient no more: its key, or its name in age-recipients.txt
    #[arg(long, value_name = "RECIPIENT")]
    rm_age: Vec<String>,
}

/// Rotates all of them, then writes them.
///
/// # Errors
/// When one of them does not open, or nobody could open it afterwards: then none is written.
pub fn run(args: Args, cx: &Cx) -> Result {
    let added = recipient_list::parse("--add-age", &args.add_age.join("\n"), true)?;
    let mut done = Vec::new();
    for path in targets::encrypted(cx, &args.files, args.all)? {
        let open = file::open(cx, &path, None, MacPolicy::Verify)?;
        let names = Names::around(cx, &path);
        let removed = args.rm_age.iter().map(|word| people::meant(&names, word)).collect::<Result<Vec<_>>>()?;
        let groups = people::without(&path, people::groups(&path, &open.sealed)?, &removed)?;
        let groups = people::with(&path, groups, &added)?;
        let rotated = open.sealed.rotate(&open.opened, &groups, cx.clock.now());
        let who: Vec<String> = groups.iter().flatten().map(ToString::to_string).collect();
        done.push((rotated.map_err(|error| file::about(&path, &error))?, who, names, path));
    }
    let mut reports = Vec::new();
    for (bytes, who, names, path) in done {
        file::write(&path, &bytes)?;
        let people: Vec<String> = who.iter().map(|one| names.short(one)).collect();
        cx.ui.status(format!("{}: rotated, for {}", shown(&path), people.join(", ")));
        reports.push(json!({ "file": shown(&path), "recipients": who }));
    }
    if cx.ui.json() { cx.ui.document(&json!({ "files": reports })) } else { Ok(()) }
}
