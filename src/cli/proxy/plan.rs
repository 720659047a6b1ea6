//! What a proxy session is to do.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::cli::config::ConfigFile;
use crate::cli::error::{Error, Result};
use crate::github::signature::Key;
use crate::proxy::envelope::Identity;
use crate::proxy::{Filter, Trust};

/// The hook path of `pforge serve`.
pub const HOOK_PATH: &str = "/github/hooks/";

/// How deliveries come here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Via {
    /// A channel of a server that speaks smee.
    Smee,
    /// A channel of `pforge relay`.
    Relay,
    /// A tunnel of ngrok.
    Ngrok,
    /// No tunnel: GitHub's log of deliveries.
    Poll,
}

impl Via {
    /// Its name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smee => "smee",
            Self::Relay => "relay",
            Self::Ngrok => "ngrok",
            Self::Poll => "poll",
        }
    }
}

/// Whether the App's webhook URL becomes ours for the time of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    /// When the person says so, or has said so for this App.
    Ask,
    /// Without asking.
    Yes,
    /// Not at all.
    No,
}

/// What a session is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How deliveries come here.
    pub via: Via,
    /// A channel, a server of channels, or the local API of ngrok's agent; what is usual for `via`
    /// when left out.
    pub url: Option<Url>,
    /// Where deliveries go.
    pub target: Url,
    /// The App; without one nothing is registered and no gap is filled.
    pub file: Option<Arc<ConfigFile>>,
    /// Whether the webhook URL is registered.
    pub register: Register,
    /// Whose signature is believed.
    pub trust: Trust,
    /// Which events go on.
    pub filter: Filter,
    /// Headers that every delivery gets, names in lower case.
    pub headers: Vec<(String, String)>,
    /// `relay`: what opens an encrypted channel.
    pub identity: Option<Identity>,
    /// `poll`: begin with what was sent so long ago.
    pub since: Option<Duration>,
}

impl Plan {
    /// # Errors
    /// When something is missing that no question to anybody could give.
    pub fn check(&self) -> Result {
        if self.via == Via::Relay && self.url.is_none() {
            return Err(Error::usage("--via relay needs the address of a relay")
                .hint("pforge relay")
                .hint("pforge proxy start --via relay https://relay.example.org"));
        }
        Ok(())
    }
}

/// Trust in the webhook secrets of `file`: the current one first.
///
/// # Errors
/// When the file has no App.
pub fn trust_of(file: &ConfigFile) -> Result<Trust> {
    let app = file.need_app()?;
    let secrets = [&app.webhook_secret].into_iter().chain(&app.previous_webhook_secrets);
    Ok(Trust::Keys(secrets.map(|secret| Key::new(secret.expose().as_bytes())).collect()))
}
