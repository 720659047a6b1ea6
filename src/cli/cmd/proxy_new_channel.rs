//! `pforge proxy new-channel`.

use serde_json::json;
use url::Url;

use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::proxy;
use crate::proxy::smee::PUBLIC;

/// Make a new channel
#[derive(Debug, clap::Args)]
#[command(after_help = "The channel is printed and not remembered: give it to `proxy start`.\n\n\
    Examples:\n  pforge proxy new-channel\n  pforge proxy new-channel --server https://relay.example\n  \
    pforge proxy start --via smee \"$(pforge proxy new-channel)\"")]
pub struct Args {
    /// Server of channels: smee's, gosmee's, or a `pforge relay`
    #[arg(long, value_name = "URL", default_value = PUBLIC)]
    server: Url,
}

/// Prints the channel's URL; with `--json` `{"url": …}`.
///
/// # Errors
/// When the server cannot be reached or makes none.
pub fn run(args: Args, cx: &Cx) -> Result {
    let channel = cx.run(proxy::create(&args.server))?;
    if cx.ui.json() {
        return cx.ui.document(&json!({ "url": channel.as_str() }));
    }
    cx.ui.line(channel)
}
