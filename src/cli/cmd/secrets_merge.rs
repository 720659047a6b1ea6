//! `pforge secrets merge`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::secrets::merging::{Version, merge};
use crate::cli::secrets::recipients::shown;
use crate::secrets::Format;

/// Merge two versions of an encrypted file: git's merge driver
#[derive(Debug, clap::Args)]
#[command(
    after_help = "`pforge secrets install-hooks` tells git to use it, as `pforge secrets merge %O %A %B %P`. OURS is replaced by\n\
    the result. What only one side changed is taken, with its ciphertext where the data key is the same;\n\
    where both changed the same value, ours stays, the place is told, and the exit code is 1. A version that\n\
    does not open, and what is not encrypted, is left to `git merge-file`.\n\n\
    Example:\n  \
    pforge secrets merge base.yaml ours.yaml theirs.yaml secrets/config.pforge-local-me.yaml"
)]
pub struct Args {
    /// The version that both come from
    #[arg(value_name = "BASE")]
    base: PathBuf,
    /// Our version; becomes the result
    #[arg(value_name = "OURS")]
    ours: PathBuf,
    /// Their version
    #[arg(value_name = "THEIRS")]
    theirs: PathBuf,
    /// The file's path in the work tree, which tells its format [default: OURS]
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
}

/// Merges.
///
/// # Errors
/// With exit code 1 when something is left for a person to decide.
pub fn run(args: Args, cx: &Cx) -> Result {
    let path = args.path.as_deref().unwrap_or(&args.ours);
    let name = shown(path);
    let format = Format::of(path);
    let read = |path: &Path| fs::read(path).map(|bytes| Version::read(format, bytes));
    let (base, ours, theirs) = (read(&args.base)?, read(&args.ours)?, read(&args.theirs)?);
    if !ours.is_encrypted() && !theirs.is_encrypted() {
        return text_merge(&args, &name);
    }
    match merge(cx, path, base, ours, theirs) {
        Ok(merged) => {
            crate::cli::secrets::file::write(&args.ours, &merged.bytes)?;
            for note in &merged.notes {
                cx.ui.warn(format!("{name}: {note}"));
            }
            for place in &merged.conflicts {
                cx.ui.warn(format!("{name}: both sides changed {place}; ours is kept"));
            }
            let Some(place) = merged.conflicts.first() else { return Ok(()) };
            let theirs = format!("git show :3:{name} | pforge secrets decrypt --filename {name} --extract");
            cx.ui.hint(format!("{theirs} '{place}' -"));
            cx.ui.hint(format!("pforge secrets set -f {name} '{place}' --stdin && git add {name}"));
            Err(Error::told(1))
        }
        Err(reason) => {
            cx.ui.warn(format!("{name}: {reason}; merged as text, which breaks its MAC"));
            // What is clean as text is not clean as a document.
            text_merge(&args, &name)?;
            cx.ui.hint(format!(
                "git checkout --ours {name}   # then make the other side's changes with `pforge secrets set`"
            ));
            Err(Error::told(1))
        }
    }
}

/// What git does with a text.
fn text_merge(args: &Args, name: &str) -> Result {
    let labels = ["ours", "base", "theirs"].map(|side| format!("{side} {name}"));
    let mut command = Command::new("git");
    command.arg("merge-file").arg("-q");
    for label in &labels {
        command.args(["-L", label]);
    }
    command.args([&args.ours, &args.base, &args.theirs]).stdin(Stdio::null());
    let status = command.status().map_err(|error| Error::failure("git does not start").caused_by(&error))?;
    if status.success() { Ok(()) } else { Err(Error::told(1)) }
}
