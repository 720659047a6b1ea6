//! `pforge proxy set-url`.

use serde_json::json;
use url::Url;

use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::hook_url::{self, mistakes};
use crate::cli::state::State;
use crate::util::host;

/// Set the App's webhook URL
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prints GitHub's answer: the status and the webhook's configuration. The URL before is remembered:\n\
    `pforge proxy restore` puts it back.\n\n\
    ngrok exposes the whole server, so its URL needs the path of the hook; smee and the relay are told the path when\n\
    they forward, so theirs must not have it. What looks like one of these mistakes is warned about.\n\n\
    Examples:\n  \
    pforge proxy set-url https://smee.io/pGKLaDu6CJwiBjJU\n  \
    pforge proxy set-url https://abc.ngrok.app/github/hooks/ --json"
)]
pub struct Args {
    /// Where GitHub shall send deliveries
    #[arg(value_name = "URL")]
    url: String,
}

/// Sets it.
///
/// # Errors
/// When it is no public URL, or GitHub refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let url = parse(&args.url)?;
    let file = cx.config()?;
    let client = client::of_app(cx, &file)?;
    let state = State::of_app(cx, client.api_url(), file.need_app()?.id)?;
    let warnings = mistakes(&url);
    let (changed, config) = cx.run(hook_url::set(&client, &state, &url))?;
    if cx.ui.json() {
        cx.ui.document(&json!({
            "status": 200,
            "config": config,
            "previous": changed.previous,
            "warnings": warnings,
        }))?;
    } else {
        cx.ui.line(format!(
            "200 {}",
            serde_json::to_string(&config).map_err(|error| Error::failure(error.to_string()))?
        ))?;
    }
    for warning in &warnings {
        cx.ui.warn(warning);
    }
    match changed.previous.filter(|previous| *previous != changed.now) {
        Some(previous) => cx.ui.status(format!("was {previous}; to put it back: pforge proxy restore")),
        None => cx.ui.status("nothing changed: it was that before"),
    }
    Ok(())
}

/// A URL that GitHub would take.
fn parse(text: &str) -> Result<Url> {
    let example = "pforge proxy set-url https://smee.io/pGKLaDu6CJwiBjJU";
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    let url = url.ok_or_else(|| Error::usage(format!("{text:?} is not an http or https URL")).hint(example))?;
    if host::is_own(&url) {
        return Err(Error::usage(format!("GitHub cannot reach {url}"))
            .because("it refuses addresses of the own machine: deliveries come to a laptop through a transport")
            .hint("pforge proxy start --via smee"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_addresses_that_github_reaches_are_taken() {
        for (text, taken) in [
            ("https://smee.io/abc", true),
            ("http://203.0.113.7:8000/github/hooks/", true),
            ("smee.io/abc", false),
            ("ftp://smee.io/abc", false),
            ("http://localhost:8000/github/hooks/", false),
            ("http://127.0.0.1/", false),
            ("http://[::1]:8000/", false),
            ("http://dev.localhost/", false),
        ] {
            assert_eq!(parse(text).is_ok(), taken, "{text}");
        }
    }
}
