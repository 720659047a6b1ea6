//! `pforge emulate`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::net::TcpListener;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::ui::Tone;
use crate::emulator::{self, Options, Seed};

/// Run a local GitHub for Apps, without any network
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge emulate\n  pforge emulate --listen 127.0.0.1:0 --json   # first line: \
    {\"type\":\"ready\",\"url\":…}\n  GITHUB_API_URL=http://127.0.0.1:8001 pforge serve")]
pub struct Args {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8001")]
    listen: SocketAddr,
    /// What is there at the start, as YAML or JSON; a small world with two people when left out
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
}

/// Runs until told to stop.
///
/// # Errors
/// When the seed cannot be read or the port is taken.
pub fn run(args: Args, cx: &Cx) -> Result {
    let seed = args.seed.as_deref().map_or_else(|| Ok(Seed::demo()), read)?;
    cx.run_to_end(async {
        let listener = TcpListener::bind(args.listen).await.map_err(|error| {
            Error::failure(format!("cannot listen on {}", args.listen))
                .caused_by(&error)
                .hint(format!("pforge emulate --listen {}:0", args.listen.ip()))
        })?;
        let options = Options { clock: cx.clock.clone(), seed, ..Options::default() };
        let url = format!("http://{}", listener.local_addr()?);
        if cx.ui.json() {
            cx.ui.event(&json!({ "type": "ready", "url": url, "pid": std::process::id() }))?;
        } else {
            cx.ui.status("pforge emulate · a local GitHub; nothing leaves this machine");
            cx.ui.facts(&[("api", cx.ui.paint(Tone::Link, &url)), ("use it", format!("export GITHUB_API_URL={url}"))]);
        }
        emulator::run(listener, options, cx.shutdown.clone())
            .await
            .map_err(|error| Error::failure("the emulator gave up").caused_by(&error))
    })
}

fn read(path: &Path) -> Result<Seed> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::config(format!("cannot read the seed {}", path.display()))
            .caused_by(&error)
            .hint(format!("ls -l {}", path.display()))
    })?;
    Seed::parse(&text).map_err(|error| {
        Error::config(format!("{} cannot be used", path.display()))
            .because(error)
            .hint(format!("${{EDITOR:-vi}} {}", path.display()))
    })
}
