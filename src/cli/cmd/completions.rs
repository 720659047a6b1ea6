//! `pforge completions`.

use clap_complete::Shell;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge completions bash > ~/.local/share/bash-completion/completions/pforge\n  \
    pforge completions fish > ~/.config/fish/completions/pforge.fish\n  \
    pforge completions   # for the shell in $SHELL")]
pub struct Args {
    /// The shell; the one in $SHELL when left out
    #[arg(value_enum, value_name = "SHELL")]
    shell: Option<Shell>,
}

/// Prints the script.
///
/// # Errors
/// When no shell is named and none is known.
pub fn run(args: Args, cx: &Cx) -> Result {
    let detected = || {
        let shell = cx.env.get("SHELL").and_then(Shell::from_shell_path);
        shell.ok_or_else(|| Error::usage("no shell given, and $SHELL names none").hint("pforge completions bash"))
    };
    let shell = match args.shell {
        Some(shell) => shell,
        None => {
            let shell = detected()?;
            cx.ui.hint(format!("this is for {shell}; to try it: {}", trial(shell)));
            shell
        }
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::cli::command(), "pforge", &mut script);
    let script = String::from_utf8(script).map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
    cx.ui.raw(&script)
}

fn trial(shell: Shell) -> &'static str {
    match shell {
        Shell::Fish => "pforge completions fish | source",
        Shell::PowerShell => "pforge completions powershell | Out-String | Invoke-Expression",
        Shell::Elvish => "eval (pforge completions elvish | slurp)",
        Shell::Zsh => "source <(pforge completions zsh)",
        _ => "source <(pforge completions bash)",
    }
}
