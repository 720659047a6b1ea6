//! `pforge secrets exec`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::secrets::environment::{self, Naming};
use crate::cli::secrets::file::{Document, FileFlag};
use crate::cli::secrets::recipients::shown;
use crate::secrets::{Format, MacPolicy, Selector};

/// Run a program with the values in its environment; nothing is written to disk
#[derive(Debug, clap::Args)]
#[command(
    after_help = "github_app.private_key becomes GITHUB_APP_PRIVATE_KEY, hosts[0] becomes HOSTS_0: the path in capitals, with _ for \
    whatever is no letter or digit. The names of a dotenv file stay as they are. A null takes the variable away. \
    The exit code is that of the program.\n\n\
    Examples:\n  \
    pforge secrets exec -- ./deploy.sh\n  \
    pforge secrets exec -f secrets/prod.env -- psql\n  \
    pforge secrets exec --only fastapi --prefix APP_ -- env"
)]
pub struct Args {
    #[command(flatten)]
    file: FileFlag,
    /// Only the values at or below this path; repeat for more
    #[arg(long, value_name = "PATH")]
    only: Vec<Selector>,
    /// Put this in front of every name
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// Only top-level values, under their own names, as sops exec-env does
    #[arg(long)]
    no_flatten: bool,
    /// Give the program these variables and no other
    #[arg(long)]
    pristine: bool,
    /// The program and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Becomes the program, on Unix; elsewhere waits for it.
///
/// # Errors
/// When the file does not open, two values get one name, or the program cannot be started.
pub fn run(args: Args, cx: &Cx) -> Result {
    let path = args.file.path(cx)?;
    let document = Document::load(cx, &path, None, MacPolicy::Verify)?;
    let verbatim = document.format == Format::Dotenv;
    let naming = Naming { prefix: args.prefix.unwrap_or_default(), flatten: !args.no_flatten, verbatim };
    let variables = environment::variables(document.tree(), &naming, &args.only)
        .map_err(|error| Error { message: format!("{}: {}", shown(&path), error.message), ..error })?;
    let Some((program, rest)) = args.command.split_first() else {
        return Err(Error::usage("no program is given"));
    };
    let mut command = Command::new(find(program, cx).ok_or_else(|| unknown(program))?);
    command.args(rest);
    if args.pristine {
        command.env_clear();
    }
    for (name, value) in variables {
        match value {
            Some(text) => {
                let value = environment::os_string(&text);
                command.env(&name, value.ok_or_else(|| Error::failure(format!("{name} is no text")))?);
            }
            None => {
                command.env_remove(&name);
            }
        }
    }
    // The plaintext goes; what is left is in the command alone.
    drop(document);
    become_it(&mut command, program)
}

#[cfg(unix)]
fn become_it(command: &mut Command, program: &OsStr) -> Result {
    // Signals, terminal and exit code are the program's own, and no copy of the values stays here.
    let error = std::os::unix::process::CommandExt::exec(command);
    Err(Error::failure(format!("cannot run {}", program.display())).caused_by(&error))
}

#[cfg(not(unix))]
fn become_it(command: &mut Command, program: &OsStr) -> Result {
    let status = command
        .status()
        .map_err(|error| Error::failure(format!("cannot run {}", program.display())).caused_by(&error))?;
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(0) => Ok(()),
        Some(code) => Err(Error::told(code)),
        None => Err(Error::failure(format!("{} ended with {status}", program.display()))),
    }
}

/// The program, looked for in our own `PATH`: that of the file, or none, must not decide what runs.
fn find(program: &OsStr, cx: &Cx) -> Option<PathBuf> {
    if Path::new(program).components().count() > 1 || cfg!(windows) {
        return Some(PathBuf::from(program));
    }
    let path = cx.env.get("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin");
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn unknown(program: &OsStr) -> Error {
    Error::new(Kind::NotFound, format!("there is no program {} in PATH", program.display()))
}
