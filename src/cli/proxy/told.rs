//! What a session tells, and to whom.

use url::Url;

use super::plan::Via;
use crate::cli::error::Result;
use crate::proxy::Notice;

/// The App in the status block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppLine {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: u64,
    /// On how many accounts it is installed, where GitHub tells.
    pub installations: Option<u64>,
}

/// What became of the App's webhook URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Webhook {
    /// It is ours until the end.
    Updated {
        /// What goes back; nothing when the App had none.
        previous: Option<String>,
    },
    /// It was ours already.
    AlreadyOurs,
    /// It was left alone.
    Untouched {
        /// What it is.
        now: Option<String>,
    },
    /// Nobody knows: there is no App.
    Unknown,
}

/// The session is ready to receive.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The App, when there is one.
    pub app: Option<AppLine>,
    /// The transport.
    pub via: Via,
    /// The public URL of channel or tunnel; `None` for `poll`.
    pub public: Option<Url>,
    /// A word about the transport.
    pub detail: Option<String>,
    /// Where deliveries go.
    pub target: Url,
    /// What became of the webhook URL.
    pub webhook: Webhook,
    /// What a pforge that crashed had left, and what it is again.
    pub mended: Option<String>,
}

/// What came of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Deliveries received.
    pub received: u64,
    /// Deliveries that the target answered with 2xx.
    pub ok: u64,
    /// Deliveries that it answered otherwise, or that were given up.
    pub failed: u64,
    /// Deliveries that were not forwarded, because their signature was wrong or missing.
    pub refused: u64,
    /// The webhook URL that is back.
    pub restored: Option<String>,
    /// Why the webhook URL could not be put back; it is on the next start.
    pub not_restored: Option<String>,
}

/// Everything that a session tells.
#[derive(Clone, Debug)]
pub enum Told {
    /// It is ready; told once, before everything but lost connections.
    Ready(Ready),
    /// Something happened.
    Notice(Notice),
    /// It ended; told last.
    Stopped(Summary),
}

/// Who is told.
pub trait Sink: Sync {
    /// Takes it.
    ///
    /// # Errors
    /// When nobody reads any more; the session ends then.
    fn tell(&self, told: &Told) -> Result;
}
