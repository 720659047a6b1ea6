//! `pforge secrets keygen`.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use chrono::SecondsFormat;
use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::secrets::git;
use crate::cli::secrets::recipients::shown;
use crate::secrets::{Text, generate};
use crate::util::file;

/// Make an age identity: the key that opens files
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The file is the one that age-keygen writes; you alone can read it, and nothing is ever overwritten. The public \
    key, which others need to encrypt for you, goes to standard output. Without -o the identity itself goes there, \
    when that is a file or a program.\n\n\
    Examples:\n  \
    pforge secrets keygen -o key.txt\n  \
    pforge secrets keygen -o key.txt >> secrets/age-recipients.txt\n  \
    pforge secrets keygen | age -p > key.age"
)]
pub struct Args {
    /// The file to make; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Makes the identity and writes it.
///
/// # Errors
/// When the file is there already or cannot be written; without a file, when a terminal or JSON
/// would show the identity.
pub fn run(args: Args, cx: &Cx) -> Result {
    let to_stdout = args.output.as_deref() == Some(Path::new("-"));
    let file = args.output.filter(|_| !to_stdout);
    if file.is_none() && (cx.ui.json() || (io::stdout().is_terminal() && !to_stdout)) {
        return Err(Error::usage("where to? the identity is a secret, and would be shown here")
            .hint("pforge secrets keygen -o key.txt"));
    }
    let (identity, public) = generate();
    let created = cx.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let text = Text::from(format!("# created: {created}\n# public key: {public}\n{}\n", identity.expose()));
    let Some(path) = file else {
        if !io::stdout().is_terminal() {
            cx.ui.status(format!("Public key: {public}"));
        }
        return cx.ui.bytes(text.expose());
    };
    make_folder(&path).map_err(|error| refused(&path, &error))?;
    file::create_private(&path, text.expose()).map_err(|error| refused(&path, &error))?;
    if cx.ui.json() {
        cx.ui.document(&json!({ "file": path.display().to_string(), "public_key": public }))?;
    } else {
        if !io::stdout().is_terminal() {
            cx.ui.status(format!("Public key: {public}"));
        }
        cx.ui.line(&public)?;
        cx.ui.hint(format!("export SOPS_AGE_KEY_FILE={}", absolute(&path)));
    }
    if git::would_be_added(&path) {
        cx.ui.warn(format!("{} is in a git work tree, and nothing ignores it", shown(&path)));
        cx.ui.hint(format!("echo {} >> .gitignore", path.file_name().unwrap_or_default().to_string_lossy()));
    }
    Ok(())
}

/// The folder of the usual place, `~/.config/sops/age`, is often not there yet.
fn make_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn refused(path: &Path, error: &io::Error) -> Error {
    let shown = shown(path);
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Error::failure(format!("{shown} is there already, and is left as it is"))
            .because("what is encrypted for an identity that is overwritten is lost")
            .hint(format!("pforge secrets keygen -o {shown}.new"));
    }
    Error::failure(format!("cannot write {shown}")).caused_by(error)
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}
