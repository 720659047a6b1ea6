//! The command line: the only room that reads the environment, prints, prompts and exits.
//!
//! A run is: parse, make the context, run the command, render its error, choose the exit code.
//! A command is one file in `cmd/` and its line in [`cmd`].

mod api;
mod app;
mod as_app;
mod browser;
mod checks;
mod client;
mod cmd;
mod complete;
mod config;
mod cx;
mod database;
mod deliveries;
mod demo;
mod dev;
mod doctor;
mod duration;
mod env;
mod error;
mod events;
mod exit;
mod feedstocks;
mod forward;
mod hook_url;
mod job;
mod jq;
mod logging;
mod new_app;
mod outline;
mod proxy;
mod reconciled;
mod review;
mod runs;
mod secrets;
mod serve;
mod state;
mod trigger;
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
    match complete::answer() {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(error) => return ExitCode::from(unparsed(&error, &[], &Env::default())),
    }
    let env = Env::of_process();
    let args: Vec<OsString> = std::env::args_os().collect();
    let code = match Cli::try_parse_from(&args) {
        Ok(cli) => run(cli, env),
        Err(error) => unparsed(&error, &args, &env),
    };
    ExitCode::from(code)
}

/// A core dump would put the secrets in our memory on the disk. Programs that we start inherit
/// this, as they should: `secrets exec` gives them the same secrets.
fn forbid_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // Where it is refused there is nothing better to do.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
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
    let ui = Ui::new(cli.globals.printing(), &env);
    let level = logging::level(cli.command.log_level(), cli.globals.verbose, cli.globals.quiet);
    logging::start(cli.globals.log_format, level, ui.color_err(), &env)?;
    let here = std::env::current_dir()
        .map_err(|error| Error::failure("the working directory cannot be read").caused_by(&error))?;
    let settings = Settings::resolve(&cli.globals, &env, &here);
    cli.command.run(&Cx::new(ui, settings, env))
}

/// Runs another command line within this one: what is told is what is run. What it prints on
/// standard output is returned instead.
///
/// # Errors
/// What the command fails with.
fn perform(cx: &Cx, words: &[String]) -> Result<Vec<u8>> {
    let line = std::iter::once("pforge").chain(words.iter().map(String::as_str));
    let cli = Cli::try_parse_from(line).map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
    let (ui, printed) = cx.ui.capturing();
    cli.command.run(&cx.beside(ui))?;
    Ok(printed.take())
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
mod tests;
