//! `pforge man`.

use std::fs;
use std::path::{Path, PathBuf};

use clap_mangen::Man;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::util::text::plural;

/// Print a manual page, or write all of them
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge man | man -l -\n  pforge man deliveries redeliver | man -l -\n  \
    pforge man --output ~/.local/share/man/man1")]
pub struct Args {
    /// The command; pforge itself when left out
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    output: Option<PathBuf>,
}

/// Prints one page or writes all.
///
/// # Errors
/// When there is no such command, or a page cannot be written.
pub fn run(args: Args, cx: &Cx) -> Result {
    let mut all = crate::cli::command();
    all.build();
    match args.output {
        Some(folder) => {
            let written = write(&all, &folder)
                .map_err(|error| Error::failure(format!("cannot write {}", folder.display())).caused_by(&error))?;
            cx.ui.status(format!("{} in {}", plural(written, "page"), folder.display()));
            Ok(())
        }
        None => cx.ui.bytes(&page(named(&all, &args.command)?)?),
    }
}

fn named<'a>(all: &'a clap::Command, words: &[String]) -> Result<&'a clap::Command> {
    words.iter().try_fold(all, |command, word| {
        command.find_subcommand(word).ok_or_else(|| {
            let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            Error::usage(format!("there is no command {word:?}"))
                .because(format!("there are: {}", known.join(", ")))
                .hint("pforge --help")
        })
    })
}

fn page(command: &clap::Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    // Without the date, which would make every build another page.
    Man::new(command.clone()).date("").source(concat!("pforge ", env!("CARGO_PKG_VERSION"))).render(&mut page)?;
    Ok(page)
}

/// Writes the page of `command` and of those below it; how many.
fn write(command: &clap::Command, folder: &Path) -> std::io::Result<u64> {
    fs::create_dir_all(folder)?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(folder.join(format!("{name}.1")), page(command)?)?;
    let mut shown = command.get_subcommands().filter(|below| !below.is_hide_set());
    shown.try_fold(1, |written, below| Ok(written + write(below, folder)?))
}
