//! `pforge secrets recipients list`.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::secrets::names::Names;
use crate::cli::secrets::recipient_list::identity_of;
use crate::cli::secrets::recipients::shown;
use crate::cli::secrets::{file, targets};
use crate::cli::ui::{Cell, Tone};
use crate::secrets::Format;
use crate::util::text::truncate;

/// An age key fits; an RSA key in full helps nobody.
const WIDEST: usize = 72;

/// Show who can open files
#[derive(Debug, clap::Args)]
#[command(
    after_help = "No identity is needed. Names are those in the comments of age-recipients.txt and .sops.yaml.\n\n\
    Examples:\n  pforge secrets recipients list --all\n  pforge secrets recipients list secrets/prod.env --json"
)]
pub struct Args {
    /// The files [default: the deployment's secrets/config.<app>.yaml]
    #[arg(value_name = "FILE", conflicts_with = "all")]
    files: Vec<PathBuf>,
    /// Every encrypted file in secrets/
    #[arg(long)]
    all: bool,
}

/// Prints a row for each recipient of each file.
///
/// # Errors
/// When a file is not there or is not encrypted.
pub fn run(args: Args, cx: &Cx) -> Result {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut files = Vec::new();
    for path in targets::encrypted(cx, &args.files, args.all)? {
        let sealed = file::read_sealed(&path, Format::of(&path), file::read(&path)?)?;
        let metadata = sealed.metadata();
        let (names, recipients) = (Names::around(cx, &path), metadata.recipients());
        let found = cx.identities(&recipients);
        let ours: Vec<String> = found.identities.public_keys().iter().map(|(key, _)| identity_of(key)).collect();
        let mut entries = Vec::new();
        for (group, wrapped) in
            metadata.groups.iter().enumerate().flat_map(|(at, all)| all.iter().map(move |one| (at, one)))
        {
            let (name, yours) = (names.of(&wrapped.recipient), ours.contains(&identity_of(&wrapped.recipient)));
            let several = metadata.groups.len() > 1;
            entries.push(json!({
                "recipient": wrapped.recipient, "name": name, "yours": yours, "group": several.then_some(group + 1),
            }));
            let note = match (yours, several) {
                (true, false) => Cell::toned("you", Tone::Good),
                (true, true) => Cell::toned(format!("you, group {}", group + 1), Tone::Good),
                (false, true) => format!("group {}", group + 1).into(),
                (false, false) => "".into(),
            };
            let first = entries.len() == 1;
            rows.push(vec![
                if first { shown(&path) } else { String::new() }.into(),
                name.unwrap_or_else(|| "–".to_owned()).into(),
                truncate(&identity_of(&wrapped.recipient), WIDEST).into(),
                note,
            ]);
        }
        let threshold = (metadata.groups.len() > 1).then_some(metadata.threshold);
        files.push(json!({ "file": shown(&path), "threshold": threshold, "recipients": entries }));
    }
    if cx.ui.json() {
        return cx.ui.document(&json!({ "files": files }));
    }
    cx.ui.table(&["file", "name", "recipient", ""], &rows)
}
