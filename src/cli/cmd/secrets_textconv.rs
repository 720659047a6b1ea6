//! `pforge secrets textconv`.

use std::path::PathBuf;

use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::secrets::masked::Show;
use crate::cli::secrets::names::Names;
use crate::cli::secrets::{file, identities};
use crate::secrets::changes::leaves;
use crate::secrets::{Error, Format, MacPolicy, Sealed, Style, Text, Tree};

/// Print a file as git diff is to show it: a line for each key, values masked
#[derive(Debug, clap::Args)]
#[command(
    after_help = "`pforge secrets install-hooks` tells git to use it. Where no identity opens the file, and for what is no\n\
    document, the file is printed as it is. Nobody is asked for a passphrase.\n\n\
    Examples:\n  \
    pforge secrets textconv secrets/config.pforge-local-me.yaml\n  \
    git config diff.pforge.textconv 'pforge secrets textconv --show'   # values in git diff"
)]
pub struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print the plaintext
    #[arg(long)]
    show: bool,
}

/// Prints the file.
///
/// # Errors
/// When it cannot be read.
pub fn run(args: Args, cx: &Cx) -> Result {
    let bytes = Text::from(file::read(&args.file)?);
    let format = Format::of(&args.file);
    let text = match Sealed::read(format, bytes.expose().to_vec()) {
        Ok(sealed) => sealed_text(&args, cx, &sealed),
        Err(Error::NotEncrypted) => plain_text(&args, format, &bytes),
        Err(_) => None,
    };
    cx.ui.bytes(text.as_ref().unwrap_or(&bytes).expose())
}

fn sealed_text(args: &Args, cx: &Cx, sealed: &Sealed) -> Option<Text> {
    let found = identities::collect_unasked(&cx.env, &cx.settings.root.value);
    let opened = sealed.open(&found.identities, MacPolicy::Report).ok()?;
    let note = opened.mac.err().map(|fault| format!("# the integrity check fails: {fault}\n")).unwrap_or_default();
    if args.show {
        let plain = opened.write(sealed.format, Style::default()).ok()?;
        return Some(Text::from([note.as_bytes(), plain.expose()].concat()));
    }
    let names = Names::around(cx, &args.file);
    let people = sealed.metadata().recipients();
    let people: String = people.iter().map(|one| format!("sops.recipient: {}\n", names.full(one))).collect();
    Some(Text::from(format!("{note}{}{people}", lines(&opened.tree, true))))
}

fn plain_text(args: &Args, format: Format, bytes: &Text) -> Option<Text> {
    // A file of no known format is no document in clear.
    if args.show || format == Format::Binary {
        return None;
    }
    let tree = format.read_plain(bytes.expose()).ok()?;
    Some(Text::from(format!("# not encrypted\n{}", lines(&tree, false))))
}

fn lines(tree: &Tree, encrypted: bool) -> String {
    let line = |(path, node)| format!("{path}: {}\n", Show::of(node, encrypted, false).line(node));
    leaves(tree).into_iter().map(line).collect()
}
