//! The command line: the only room that reads the environment, prints, prompts and exits.
//!
//! A run is: parse, make the context, run the command, render its error, choose the exit code.
//! A command is one file in `cmd/` and its line in [`cmd`].

mod api;
mod cmd;
mod config;
mod cx;
mod database;
mod demo;
mod duration;
mod env;
mod error;
mod events;
mod exit;
mod job;
mod logging;
mod secrets;
mod ui;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use self::config::{Globals, Settings};
use self::cx::Cx;
use self::env::Env;
use self::error::{Error, Kind, Result};
use self::ui::{Options, Ui, When};

/// One binary for the whole life of a GitHub App, and the webhook server behind it.
#[derive(Debug, Parser)]
#[command(name = "pforge", version, after_help = exit::help(), max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: cmd::Command,
}

/// Parses the arguments, runs the command, renders its error.
pub fn main() -> ExitCode {
    forbid_core_dumps();
    let env = Env::of_process();
    let args: Vec<OsString> = std::env::args_os().collect();
    let code = match Cli::try_parse_from(&args) {
        Ok(cli) => run(cli, env),
        Err(error) => unparsed(&error, &args, &env),
    };
    ExitCode::from(code)
}

/// A crash must not write secrets to the disk. Programs that are started from here may allow it
/// again.
fn forbid_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = Rlimit { current: Some(0), maximum: getrlimit(Resource::Core).maximum };
        // Where it is not allowed, there is nothing else to do about it.
        let _ = setrlimit(Resource::Core, limit);
    }
}

/// The whole command line, for completions.
fn command() -> clap::Command {
    Cli::command()
}

fn run(cli: Cli, env: Env) -> u8 {
    let ui = Ui::new(cli.globals.printing(), &env);
    let outcome = catch_unwind(AssertUnwindSafe(|| start(cli, env)));
    let outcome = outcome.unwrap_or_else(|_| {
        Err(Error::new(Kind::Bug, "this is a bug in pforge").because("the message above says where it gave up"))
    });
    finish(&ui, outcome)
}

fn start(cli: Cli, env: Env) -> Result {
    no_core_dumps();
    let ui = Ui::new(cli.globals.printing(), &env);
    let level = logging::level(cli.command.log_level(), cli.globals.verbose, cli.globals.quiet);
    logging::start(cli.globals.log_format, level, ui.color_err(), &env)?;
    let here = std::env::current_dir()
        .map_err(|error| Error::failure("the working directory cannot be read").caused_by(&error))?;
    let settings = Settings::resolve(&cli.globals, &env, &here);
    cli.command.run(&Cx::new(ui, settings, env))
}

/// A core dump would put the secrets in our memory on the disk. Programs that we start inherit
/// this, as they should: `secrets exec` gives them the same secrets.
fn no_core_dumps() {
    #[cfg(unix)]
    {
        let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        // Where it is refused there is nothing better to do.
        let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    }
}

fn finish(ui: &Ui, outcome: Result) -> u8 {
    let Err(error) = outcome else { return 0 };
    if !matches!(error.kind, Kind::ClosedPipe | Kind::Told(_)) {
        ui.error(&error);
    }
    exit::code(error.kind)
}

/// Help, version, or a command line that is wrong.
fn unparsed(error: &clap::Error, args: &[OsString], env: &Env) -> u8 {
    let options = printing(args);
    let ui = Ui::new(options, env);
    let text = error.render();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let colored = ui::colored(options.color, std::io::IsTerminal::is_terminal(&std::io::stdout()), env);
        let text = if colored { text.ansi().to_string() } else { text.to_string() };
        return finish(&ui, ui.raw(&text));
    }
    if options.json {
        let text = text.to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return finish(&ui, Err(Error::usage(message).hint("pforge --help")));
    }
    let text = if ui.color_err() { text.ansi().to_string() } else { text.to_string() };
    ui.verbatim(&text);
    exit::code(Kind::Usage)
}

/// How to print when the command line could not be parsed: as far as its flags can be seen.
fn printing(args: &[OsString]) -> Options {
    let mut options = Options::default();
    let mut words = args.iter().skip(1).filter_map(|arg| arg.to_str()).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        let color = match word.split_once('=') {
            Some(("--color", value)) => Some(value),
            None if word == "--color" => words.next(),
            _ => None,
        };
        options.json |= word == "--json";
        if let Some(color) = color.and_then(|color| <When as clap::ValueEnum>::from_str(color, false).ok()) {
            options.color = color;
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::{When, printing};

    #[test]
    fn the_grammar_holds_together() {
        super::command().debug_assert();
    }

    #[test]
    fn printing_is_seen_in_a_broken_command_line() {
        let seen = |line: &str| {
            let args: Vec<_> = line.split(' ').map(Into::into).collect();
            let options = printing(&args);
            (options.json, options.color)
        };
        assert_eq!(seen("pforge nonsense --json"), (true, When::Auto));
        assert_eq!(seen("pforge --color never nonsense"), (false, When::Never));
        assert_eq!(seen("pforge --color=always -- --json"), (false, When::Always));
        assert_eq!(seen("pforge --color"), (false, When::Auto));
    }
}
