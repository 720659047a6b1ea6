//! Channels: made once, remembered for the App.

use url::Url;

use super::plan::Via;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::state::State;
use crate::proxy::smee::channel;

/// A new channel of `server`.
///
/// # Errors
/// When the server cannot be reached or makes none.
pub async fn create(server: &Url) -> Result<Url> {
    channel::create(server, &[]).await.map_err(|error| {
        Error::new(Kind::Upstream, "no channel could be made")
            .caused_by(&error)
            .hint("pforge proxy start --via poll")
            .hint("pforge proxy new-channel --server URL")
    })
}

/// The channel that `url` names; the one of before, or a new one, when it names only a server.
///
/// # Errors
/// As [`create`].
pub async fn remembered_or_new(state: Option<&State>, via: Via, url: &Url) -> Result<Url> {
    if !channel::is_server(url) {
        return Ok(url.clone());
    }
    let server = url.as_str().trim_end_matches('/').to_owned();
    let known = state.and_then(|state| state.read().channels.remove(&server));
    if let Some(known) = known.and_then(|known| Url::parse(&known).ok()) {
        return Ok(known);
    }
    tracing::debug!(via = via.name(), server, "a new channel");
    let made = create(url).await?;
    if let Some(state) = state {
        state.update(|memory| memory.channels.insert(server, made.to_string()))?;
    }
    Ok(made)
}
