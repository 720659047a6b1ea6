//! `pforge secrets decrypt`.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::secrets::formats::TypeFlags;
use crate::cli::secrets::io::{Input, IoFlags};
use crate::cli::secrets::sops_config::{self, SopsConfig};
use crate::cli::secrets::{file, targets};
use crate::secrets::{Error as SecretsError, Format, MacPolicy, Sealed, Selector, Style, Text};

/// Decrypt files
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The result goes to standard output, byte for byte as sops prints it, unless -i or -o is given. \
    With -i a file that is not encrypted is left as it is. A new file can be read by you alone.\n\n\
    Identities are taken from SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD, the key file of sops, \
    key.txt beside secrets/, and your SSH keys.\n\n\
    Examples:\n  \
    pforge secrets decrypt secrets/config.pforge-local-me.yaml\n  \
    pforge secrets decrypt --all -i\n  \
    pforge secrets decrypt --extract hosts[0] secrets/config.pforge-local-me.yaml\n  \
    git show HEAD~1:prod.env | pforge secrets decrypt --filename prod.env -"
)]
pub struct Args {
    #[command(flatten)]
    io: IoFlags,
    #[command(flatten)]
    types: TypeFlags,
    /// Only the value at this path: github_app.id, hosts[0], or ["github_app"]["id"]
    #[arg(long, value_name = "PATH", conflicts_with = "in_place")]
    extract: Option<Selector>,
    /// Warn instead of failing when the integrity check fails
    #[arg(long)]
    ignore_mac: bool,
    /// The .sops.yaml that tells the indentation [env: SOPS_CONFIG] [default: the nearest above FILE]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Decrypts all of them, then writes them.
///
/// # Errors
/// When one of them does not open: then none is written.
pub fn run(args: Args, cx: &Cx) -> Result {
    let inputs = args.io.inputs(cx, args.types.input_type.is_some(), targets::all)?;
    let mut done = Vec::new();
    for input in inputs {
        let text = decrypt(&args, cx, &input)?;
        done.push((input, text));
    }
    let mut reports = Vec::new();
    for (input, text) in done {
        let name = input.shown();
        let mut report = json!({ "file": name, "state": if text.is_some() { "decrypted" } else { "not encrypted" } });
        match text {
            Some(text) => {
                args.io.put(cx, &input, text.expose(), &mut report)?;
                if args.io.target(&input).is_some() {
                    cx.ui.status(format!("{name}: decrypted"));
                }
            }
            None => cx.ui.status(format!("{name}: not encrypted, skipped")),
        }
        reports.push(report);
    }
    if cx.ui.json() { cx.ui.document(&json!({ "files": reports })) } else { Ok(()) }
}

/// The plaintext; `None` when it is there already, and may stay where it is.
fn decrypt(args: &Args, cx: &Cx, input: &Input) -> Result<Option<Text>> {
    let read = args.types.input(&input.name);
    let written = args.types.output(read);
    let sealed = match Sealed::read(read, input.bytes.expose().to_vec()) {
        Ok(sealed) => sealed,
        Err(SecretsError::NotEncrypted) if args.io.in_place => return Ok(None),
        // What a name without an ending stands for may be anything.
        Err(SecretsError::Syntax { .. }) if args.io.in_place && read == Format::Binary => {
            return Ok(None);
        }
        Err(SecretsError::NotEncrypted) => {
            return Err(Error::failure(format!("{} is not encrypted", input.shown())));
        }
        Err(error) => return Err(file::unread(&input.name, &error, input.bytes.expose())),
    };
    let mac = if args.ignore_mac { MacPolicy::Report } else { MacPolicy::Verify };
    let opened = file::open_sealed(cx, &input.name, &sealed, mac)?;
    let mut style = style(args, cx, &input.name)?.map_or_else(Style::default, |config| config.style(written));
    style.indent = args.types.indent.or(style.indent);
    let text = match &args.extract {
        Some(path) => path.get(&opened.tree).and_then(|node| written.write_value(node, style)),
        None => opened.write(written, style),
    };
    text.map(Some).map_err(|error| file::about(&input.name, &error))
}

/// The config that tells the style. What opens a file must not depend on one that was only found.
fn style(args: &Args, cx: &Cx, name: &Path) -> Result<Option<SopsConfig>> {
    let found = sops_config::find(cx, args.config.as_deref(), name);
    if args.config.is_some() { found } else { Ok(found.unwrap_or_default()) }
}
