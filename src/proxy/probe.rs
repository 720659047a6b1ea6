//! Whether a public address answers at all, without delivering anything.

use std::time::Duration;

use url::Url;

use super::forward::{Unanswered, unanswered};

/// How long an address may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// What an address answered to a GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// HTTP status.
    pub status: u16,
    /// Whether it is ngrok that answers, because no agent is connected:
    /// <https://ngrok.com/docs/errors/err_ngrok_3200/>.
    pub tunnel_is_down: bool,
}

/// Asks `url` by GET, which no webhook receiver acts upon.
///
/// # Errors
/// See [`Unanswered`]; an error status is an answer.
pub async fn probe(url: &Url) -> Result<Probe, Unanswered> {
    let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|error| unanswered(&error, PATIENCE))?;
    let answer = client.get(url.clone()).send().await.map_err(|error| unanswered(&error, PATIENCE))?;
    Ok(Probe { status: answer.status().as_u16(), tunnel_is_down: answer.headers().contains_key("ngrok-error-code") })
}
