//! The App's webhook URL: set, leased for a while, and put back.

use url::Url;

use super::cx::Cx;
use super::error::Result;
use super::proxy::HOOK_PATH;
use super::state::{Lease, State};
use crate::github::Client;
use crate::github::api::apps::{HookChange, HookConfig};

/// How many earlier URLs are remembered.
const REMEMBERED: usize = 10;

/// What became of the webhook URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What it was.
    pub previous: Option<String>,
    /// What it is.
    pub now: String,
}

/// Sets the URL for good and remembers the one before.
///
/// # Errors
/// When GitHub refuses, or the state cannot be written.
pub async fn set(client: &Client, state: &State, url: &Url) -> Result<(Changed, HookConfig)> {
    let previous = client.hook_config().await?.url;
    let config = put(client, url.as_str()).await?;
    state.update(|memory| {
        memory.lease = None;
        if let Some(previous) = previous.clone().filter(|previous| previous != url.as_str()) {
            memory.previous.retain(|known| *known != previous);
            memory.previous.insert(0, previous);
            memory.previous.truncate(REMEMBERED);
        }
    })?;
    Ok((Changed { previous, now: url.to_string() }, config))
}

/// Sets the URL until [`release`]. The one that goes back is remembered first, so that it goes
/// back after a crash as well.
///
/// # Errors
/// When GitHub refuses, or the state cannot be written.
pub async fn lease(cx: &Cx, client: &Client, state: &State, url: &Url) -> Result<Changed> {
    let live = client.hook_config().await?.url;
    // What a pforge that crashed put there is not what goes back.
    let previous = match state.read().lease {
        Some(old) if live.as_deref() == Some(old.ours.as_str()) => old.previous,
        _ => live,
    };
    let lease =
        Lease { ours: url.to_string(), previous: previous.clone(), pid: std::process::id(), since: cx.clock.now() };
    state.update(|memory| memory.lease = Some(lease))?;
    put(client, url.as_str()).await?;
    Ok(Changed { previous, now: url.to_string() })
}

/// Puts back what was there before [`lease`], unless somebody else has changed it meanwhile. The
/// URL that it is now, when something was put back.
///
/// # Errors
/// When GitHub refuses, or the state cannot be written.
pub async fn release(client: &Client, state: &State) -> Result<Option<String>> {
    match state.read().lease {
        // Another run may have taken it over meanwhile.
        Some(lease) if lease.pid == std::process::id() => give_back(client, state, lease).await,
        _ => Ok(None),
    }
}

async fn give_back(client: &Client, state: &State, lease: Lease) -> Result<Option<String>> {
    let live = client.hook_config().await?.url;
    let is_ours = live.as_deref() == Some(lease.ours.as_str());
    let back = lease.previous.filter(|previous| is_ours && *previous != lease.ours);
    if let Some(previous) = &back {
        put(client, previous).await?;
    }
    state.update(|memory| memory.lease = None)?;
    Ok(back)
}

/// Puts back what a run left that ended without [`release`]; nothing while it still runs.
///
/// # Errors
/// As [`release`].
pub async fn recover(client: &Client, state: &State) -> Result<Option<String>> {
    match state.read().lease {
        Some(lease) if !is_alive(&lease) => give_back(client, state, lease).await,
        _ => Ok(None),
    }
}

/// Puts back the URL before the last change; `None` when none is remembered.
///
/// # Errors
/// When GitHub refuses, or the state cannot be written.
pub async fn restore(client: &Client, state: &State) -> Result<Option<Changed>> {
    let live = client.hook_config().await?.url;
    let memory = state.read();
    let leased = memory.lease.and_then(|lease| lease.previous);
    let Some(back) = leased.or_else(|| memory.previous.first().cloned()) else { return Ok(None) };
    put(client, &back).await?;
    state.update(|memory| {
        memory.lease = None;
        memory.previous.retain(|known| *known != back);
    })?;
    Ok(Some(Changed { previous: live, now: back }))
}

/// Whether the process that holds `lease` still runs. Where that cannot be known it does not.
pub fn is_alive(lease: &Lease) -> bool {
    if lease.pid == std::process::id() {
        return true;
    }
    #[cfg(unix)]
    {
        let pid = i32::try_from(lease.pid).ok().and_then(rustix::process::Pid::from_raw);
        // One that belongs to somebody else says EPERM, and lives.
        pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
    }
    #[cfg(not(unix))]
    false
}

/// What is probably wrong with a webhook URL.
pub fn mistakes(url: &Url) -> Vec<String> {
    let host = url.host_str().unwrap_or_default();
    let at_hook = url.path().trim_end_matches('/').ends_with(HOOK_PATH.trim_end_matches('/'));
    let is_ngrok = ["ngrok.io", "ngrok.app", "ngrok.dev", "ngrok-free.app", "ngrok-free.dev"]
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    let mut found = Vec::new();
    if is_ngrok && !at_hook {
        found.push(format!("ngrok exposes the whole server: the URL should end in {HOOK_PATH}, as in {}", joined(url)));
    }
    if (host == "smee.io" || host.ends_with(".smee.io")) && url.path().matches('/').count() > 1 {
        let channel = url.path().trim_start_matches('/').split('/').next().unwrap_or_default();
        found.push(format!(
            "a smee channel has no path behind it: the URL should be https://{host}/{channel}; the path of the hook is \
             the client's business"
        ));
    }
    if host == "example.com" || host.ends_with(".example.com") {
        found.push(format!("{host} is a placeholder: nobody receives there"));
    }
    found
}

/// `url` with the path of the hook behind it.
fn joined(url: &Url) -> String {
    let mut url = url.clone();
    let path = format!("{}{HOOK_PATH}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url.to_string()
}

async fn put(client: &Client, url: &str) -> Result<HookConfig> {
    let change = HookChange { url: Some(url.to_owned()), ..HookChange::default() };
    Ok(client.change_hook_config(&change).await?)
}

#[cfg(test)]
mod tests {
    use super::mistakes;

    #[test]
    fn the_classic_mistakes_are_seen() {
        for (url, expected) in [
            ("https://abc.ngrok.app/github/hooks/", None),
            ("https://abc.ngrok.app/github/hooks", None),
            ("https://abc.ngrok.app", Some("https://abc.ngrok.app/github/hooks/")),
            ("https://abc.ngrok-free.app/", Some("whole server")),
            ("https://notngrok.app/", None),
            ("https://smee.io/pGKLaDu6CJwiBjJU", None),
            ("https://smee.io/pGKLaDu6CJwiBjJU/github/hooks/", Some("https://smee.io/pGKLaDu6CJwiBjJU;")),
            ("https://example.com/github/events", Some("placeholder")),
            ("https://my.server/hook", None),
        ] {
            let found = mistakes(&url.parse().expect("url"));
            match expected {
                None => assert!(found.is_empty(), "{url}: {found:?}"),
                Some(text) => assert!(found.len() == 1 && found[0].contains(text), "{url}: {found:?}"),
            }
        }
    }
}
