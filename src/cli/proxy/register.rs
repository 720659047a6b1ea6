//! The App's webhook URL for the time of a session.

use std::sync::Arc;

use url::Url;

use super::plan::{Register, Via};
use super::told::Webhook;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hook_url;
use crate::cli::state::State;
use crate::cli::ui::Tone;
use crate::github::Client;

/// Decides whether the webhook URL may be changed, asking once where that is open.
///
/// # Errors
/// A usage error that names the flags, where nobody can be asked.
pub async fn permission(cx: &Cx, register: Register, via: Via, app: &str, state: &State) -> Result<bool> {
    match register {
        _ if via == Via::Poll => return Ok(false),
        Register::Yes => return Ok(true),
        Register::No => return Ok(false),
        Register::Ask if state.read().may_register => return Ok(true),
        Register::Ask => {}
    }
    if !cx.ui.interactive() {
        return Err(Error::usage(format!("the webhook URL of {app} would change, and there is nobody to ask"))
            .because("deliveries come through the transport only while the App's webhook points at it")
            .hint(format!("pforge proxy start --via {} --yes", via.name()))
            .hint(format!("pforge proxy start --via {} --no-register", via.name())));
    }
    let name = cx.ui.paint(Tone::Strong, app);
    let question =
        format!("Point the webhook of {name} at this machine until Ctrl-C? [y]es, [a]lways for this App, [N]o");
    // The person may also answer with Ctrl-C, which must not wait for a line.
    let ui = Arc::clone(&cx.ui);
    let asked = tokio::task::spawn_blocking(move || ui.ask(&question)).await;
    let answer = asked.map_err(|_| Error::new(Kind::Interrupted, "no answer"))??;
    match answer.to_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "a" | "always" => {
            state.update(|memory| memory.may_register = true)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Makes `public` the webhook URL until [`hook_url::release`].
///
/// # Errors
/// When GitHub refuses, or the state cannot be written.
pub async fn take(cx: &Cx, client: &Client, state: &State, public: &Url) -> Result<Webhook> {
    if let Some(lease) = state.read().lease.filter(|lease| lease.pid != std::process::id() && hook_url::is_alive(lease))
    {
        return Err(Error::new(Kind::Failure, "another pforge holds the webhook URL of this App")
            .because(format!(
                "process {} has set it to {} since {}",
                lease.pid,
                lease.ours,
                lease.since.format("%H:%M")
            ))
            .hint(format!("kill {}", lease.pid))
            .hint("pforge proxy start --no-register"));
    }
    let changed = hook_url::lease(cx, client, state, public).await?;
    Ok(if changed.previous.as_deref() == Some(changed.now.as_str()) {
        Webhook::AlreadyOurs
    } else {
        Webhook::Updated { previous: changed.previous }
    })
}
