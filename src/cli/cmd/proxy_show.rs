//! `pforge proxy show`.

use serde_json::json;

use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::hook_url;
use crate::cli::state::State;

/// Show the App's webhook configuration, and what is remembered of it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge proxy show\n  pforge proxy show --json | jq -r .config.url")]
pub struct Args {}

/// Shows it.
///
/// # Errors
/// When GitHub refuses.
pub fn run(_args: Args, cx: &Cx) -> Result {
    let file = cx.config()?;
    let client = client::of_app(cx, &file)?;
    let app = file.need_app()?;
    let state = State::of_app(cx, client.api_url(), app.id)?;
    let config = cx.run(async { Ok(client.hook_config().await?) })?;
    let memory = state.read();
    if cx.ui.json() {
        return cx.ui.document(&json!({
            "config": config,
            "lease": memory.lease,
            "previous": memory.previous,
            "channels": memory.channels,
        }));
    }
    let mut rows = vec![
        ("app", format!("{} (#{})", app.app_name, app.id)),
        ("url", config.url.clone().unwrap_or_else(|| "none".to_owned())),
        ("content type", config.content_type.clone().unwrap_or_else(|| "form".to_owned())),
        ("secret", if config.secret.is_some() { "set" } else { "none: deliveries are not signed" }.to_owned()),
    ];
    if let Some(lease) = &memory.lease {
        let holder = if hook_url::is_alive(lease) { "is running" } else { "ended without putting the old one back" };
        rows.push((
            "leased",
            format!("since {} by process {}, which {holder}", lease.since.format("%F %T"), lease.pid),
        ));
    }
    if let Some(previous) = memory.lease.as_ref().and_then(|lease| lease.previous.as_ref()).or(memory.previous.first())
    {
        rows.push(("before", previous.clone()));
    }
    rows.extend(memory.channels.values().map(|channel| ("channel", channel.clone())));
    let rows: Vec<_> = rows.into_iter().map(|(name, value)| vec![name.into(), value.into()]).collect();
    cx.ui.table(&["webhook", ""], &rows)?;
    for warning in config.url.as_deref().and_then(|url| url.parse().ok()).iter().flat_map(hook_url::mistakes) {
        cx.ui.warn(warning);
    }
    if memory.lease.as_ref().is_some_and(|lease| !hook_url::is_alive(lease)) {
        cx.ui.hint("pforge proxy restore");
    }
    Ok(())
}
