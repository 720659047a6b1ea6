//! `pforge secrets check`.

use std::cell::LazyCell;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::secrets::verdict::{Verdict, judge};
use crate::cli::secrets::{identities, recipient_list, staged};

/// Check that files are encrypted with SOPS, whole and unchanged
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Takes the place of pre-commit-hook-ensure-sops: the same messages on standard output, exit code 1 when\n\
    any file fails, silence and 0 otherwise. Every format of SOPS counts, and the file's own rule says what\n\
    must be encrypted. Where an identity opens a file its MAC is verified, too; nobody is asked for a\n\
    passphrase. A file of nothing but public keys passes.\n\n\
    With --staged: what git is about to commit, of the files whose path contains \"secret\"; source code,\n\
    documentation and public keys are left out.\n\n\
    Examples:\n  \
    pforge secrets check secrets/*.yaml\n  \
    pforge secrets check --staged\n  \
    pforge secrets check --require-mac --json secrets/config.pangeo-forge.yaml"
)]
pub struct Args {
    /// The files
    #[arg(value_name = "FILE", required_unless_present = "staged")]
    files: Vec<PathBuf>,
    /// Check what is staged in git instead of files
    #[arg(long, conflicts_with = "files")]
    staged: bool,
    /// Fail where no identity is there to verify the MAC
    #[arg(long)]
    require_mac: bool,
}

/// Judges the files.
///
/// # Errors
/// With exit code 1 when one of them fails.
pub fn run(args: Args, cx: &Cx) -> Result {
    // A key command may take its time: it runs only when there is something to verify.
    let found = LazyCell::new(|| identities::collect_unasked(&cx.env, &cx.settings.root.value));
    let judge = |name: &str, path: Option<&Path>, bytes: &[u8]| {
        if is_public(bytes) {
            return Verdict::public(name);
        }
        judge(name, path, bytes, &|| &found.identities, args.require_mac)
    };
    let verdicts: Vec<Verdict> = if args.staged {
        staged::secrets()?.iter().map(|file| judge(&file.name, Some(&file.path), &file.bytes)).collect()
    } else {
        let file = |path: &PathBuf| {
            let name = path.display().to_string();
            match fs::read(path) {
                Ok(bytes) => judge(&name, Some(path), &bytes),
                Err(error) => Verdict::unreadable(&name, &error.to_string()),
            }
        };
        args.files.iter().map(file).collect()
    };
    tell(cx, &verdicts)
}

fn tell(cx: &Cx, verdicts: &[Verdict]) -> Result {
    let ok = verdicts.iter().all(|verdict| verdict.fault.is_none());
    if cx.ui.json() {
        cx.ui.document(&json!({ "ok": ok, "files": verdicts.iter().map(Verdict::to_json).collect::<Vec<_>>() }))?;
    } else {
        for warning in verdicts.iter().flat_map(|verdict| &verdict.warnings) {
            cx.ui.warn(warning);
        }
        for message in verdicts.iter().filter_map(Verdict::message) {
            cx.ui.line(message)?;
        }
        for hint in verdicts.iter().filter_map(Verdict::hint) {
            cx.ui.hint(hint);
        }
    }
    if ok { Ok(()) } else { Err(Error::told(1)) }
}

/// Whether a file holds nothing but public keys and comments: those are for everybody.
fn is_public(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let recipients = recipient_list::parse("", text, false);
    recipients.is_ok_and(|recipients| !recipients.is_empty()) && !text.contains("AGE-SECRET-KEY-")
}
