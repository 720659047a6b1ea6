//! `pforge completions`.

use std::path::Path;

use clap::builder::PossibleValuesParser;

use crate::cli::complete;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The script asks pforge itself while you type, so that deployments and deliveries are completed as well as flags.\n\n\
    Examples:\n  pforge completions bash > ~/.local/share/bash-completion/completions/pforge\n  \
    pforge completions zsh > ~/.zfunc/_pforge\n  \
    pforge completions fish > ~/.config/fish/completions/pforge.fish\n  \
    pforge completions   # for the shell in $SHELL"
)]
pub struct Args {
    /// The shell; the one in $SHELL when left out
    #[arg(value_parser = PossibleValuesParser::new(complete::shells()), value_name = "SHELL")]
    shell: Option<String>,
}

/// Prints the script.
///
/// # Errors
/// When no shell is named and none is known.
pub fn run(args: Args, cx: &Cx) -> Result {
    let shell = match args.shell {
        Some(shell) => shell,
        None => {
            let path = cx.env.get("SHELL").map(Path::new);
            let name = path.and_then(|path| path.file_stem()?.to_str()).unwrap_or_default();
            let shell = complete::shells()
                .into_iter()
                .find(|shell| *shell == name)
                .ok_or_else(|| Error::usage("no shell given, and $SHELL names none").hint("pforge completions bash"))?;
            cx.ui.hint(format!("this is for {shell}; to try it: {}", trial(shell)));
            shell.to_owned()
        }
    };
    let script = complete::script(&shell).map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
    cx.ui.bytes(&script)
}

fn trial(shell: &str) -> &'static str {
    match shell {
        "fish" => "pforge completions fish | source",
        "powershell" => "pforge completions powershell | Out-String | Invoke-Expression",
        "elvish" => "eval (pforge completions elvish | slurp)",
        "zsh" => "source <(pforge completions zsh)",
        _ => "source <(pforge completions bash)",
    }
}
