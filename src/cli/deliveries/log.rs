//! Both sides, opened: whichever can be asked, with a word about the one that cannot.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use url::Url;

use super::find::Known;
use super::local::{Local, Wanted};
use super::tape::Tape;
use crate::cli::api::ServerFlag;
use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::database::{CONNECT_PATIENCE, DatabaseFlags};
use crate::cli::error::{Error, Kind, Result};
use crate::github::Tuning;
use crate::github::api::apps::HookDeliveryDetail;
use crate::store::deliveries::DeliveryFilter;
use crate::store::{Db, migrate};

/// Where to look.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Sources {
    #[command(flatten)]
    server: ServerFlag,
    /// Look only into the local store
    #[arg(long, conflicts_with = "github")]
    local: bool,
    /// Look only into GitHub's log
    #[arg(long)]
    github: bool,
}

/// GitHub's log and the local store. At least one of them is there.
pub struct Log {
    /// GitHub's log, when it can be asked.
    pub github: Option<Tape>,
    /// The local store, when it can be asked.
    pub local: Option<Local>,
    /// How long GitHub keeps its log, in days.
    pub window_days: u32,
}

/// The bytes of an event.
pub struct Payload {
    /// The bytes.
    pub bytes: Bytes,
    /// Whether they are those that arrived. GitHub tells a payload parsed, so that it can only be
    /// written anew: the same document, but not necessarily the same bytes.
    pub exact: bool,
}

impl Payload {
    /// As a document. What is none is given as text.
    pub fn document(&self) -> Value {
        // A form holds the JSON in a field.
        let pairs = || url::form_urlencoded::parse(&self.bytes);
        let form = || pairs().find(|(name, _)| name == "payload").map(|(_, value)| value);
        let read = serde_json::from_slice(&self.bytes).ok().or_else(|| serde_json::from_str(&form()?).ok());
        read.unwrap_or_else(|| Value::from(String::from_utf8_lossy(&self.bytes).into_owned()))
    }
}

impl Sources {
    /// GitHub's log, and nothing else.
    pub fn github() -> Self {
        Self { server: ServerFlag::default(), local: false, github: true }
    }

    /// The webhook endpoint of the server.
    ///
    /// # Errors
    /// When the server's address is no URL.
    pub fn hook(&self, cx: &Cx) -> Result<Url> {
        let address = self.server.address(cx);
        let url = Url::parse(&format!("{}/github/hooks/", address.value.trim_end_matches('/')));
        url.map_err(|_| Error::usage(format!("{} is not the URL of a server", address.origin.named())))
    }

    /// What `--server` says.
    pub fn server_flag(&self) -> Option<&str> {
        self.server.server.as_deref()
    }

    /// Opens what can be opened. Says in one line on standard error when one side is not there
    /// although it was wanted.
    ///
    /// # Errors
    /// When no side is there; when the one is not that was asked for by its flag.
    pub async fn open(&self, cx: &Cx) -> Result<Log> {
        let github = async { if self.local { None } else { Some(github(cx).await) } };
        let local = async { if self.github { None } else { Some(self.local(cx).await) } };
        let (github, local) = tokio::join!(github, local);
        let window_days = window(cx);
        let (github, local) = match (github, local) {
            (Some(Err(github)), Some(Err(local))) => {
                return Err(local
                    .causes
                    .iter()
                    .fold(github.because(&local.message), |error, cause| error.because(cause)));
            }
            (Some(Err(error)), None) | (None, Some(Err(error))) => return Err(error),
            (Some(Err(error)), Some(Ok(local))) => {
                cx.ui.status(format!("Only the local store: {}", in_short(&error)));
                (None, Some(local))
            }
            (Some(Ok(github)), Some(Err(error))) => {
                cx.ui.status(format!("Only GitHub's log: {}", in_short(&error)));
                (Some(github), None)
            }
            (github, local) => (github.and_then(Result::ok), local.and_then(Result::ok)),
        };
        Ok(Log { github, local, window_days })
    }

    /// The server; without one, the database.
    async fn local(&self, cx: &Cx) -> Result<Local> {
        let named = self.server.server.is_some() || cx.env.get("PFORGE_SERVER").is_some();
        let server = self.server(cx).await;
        let refused = match server {
            Ok(server) => return Ok(server),
            // A server that somebody named is the one that they mean.
            Err(error) if named => return Err(error),
            Err(error) => error,
        };
        match database(cx).await {
            Ok(db) => {
                cx.ui.status(format!("{}; reading its database instead", in_short(&refused)));
                Ok(Local::Database(db))
            }
            Err(error) => Err(refused.because(in_short(&error))),
        }
    }

    async fn server(&self, cx: &Cx) -> Result<Local> {
        let server = Local::Server(self.server.client(cx)?);
        let one = Wanted { filter: DeliveryFilter { limit: 1, ..DeliveryFilter::default() }, text: None };
        server.page(&one, None).await?;
        Ok(server)
    }
}

async fn github(cx: &Cx) -> Result<Tape> {
    let file = cx.config()?;
    // Somebody waits for the answer, and there is another side to ask.
    let tuning = Tuning { timeout: Duration::from_secs(15), attempts: 3, ..Tuning::default() };
    Ok(Tape::open(client::with_tuning(cx, &file, tuning)?).await?)
}

async fn database(cx: &Cx) -> Result<Db> {
    // It is only looked at: where it is refused as a home does not matter.
    let flags = DatabaseFlags { database_url: None, allow_sqlite: true };
    let db = Db::look(&flags.resolve(cx)?, CONNECT_PATIENCE).await?;
    migrate::check(&db).await?;
    Ok(db)
}

/// github.com keeps three days, an Enterprise Server seven.
fn window(cx: &Cx) -> u32 {
    let file = cx.config().ok();
    let url = cx.settings.github_url(file.as_deref());
    // The API of an Enterprise Server has this path, the others have hosts of their own.
    if url.is_ok_and(|url| url.value.path().starts_with("/api/v3")) { 7 } else { 3 }
}

/// The message and its last cause, on one line.
fn in_short(error: &Error) -> String {
    match error.causes.last() {
        Some(cause) => format!("{} ({cause})", error.message),
        None => error.message.clone(),
    }
}

impl Log {
    /// What GitHub has of one attempt.
    ///
    /// # Errors
    /// When GitHub does not answer, or refuses.
    pub async fn detail(&self, attempt: i64) -> Result<Option<HookDeliveryDetail>> {
        match &self.github {
            Some(tape) => Ok(tape.detail(attempt).await?),
            None => Ok(None),
        }
    }

    /// The payload of an event: the stored bytes, or what GitHub tells of the newest attempt.
    ///
    /// # Errors
    /// When nobody has it, or the one who has does not answer.
    pub async fn payload(&self, known: &Known) -> Result<Payload> {
        if let (Some(local), Some(_)) = (&self.local, &known.local)
            && let Some(bytes) = local.payload(&known.guid).await?
        {
            return Ok(Payload { bytes, exact: true });
        }
        for attempt in known.attempts.iter().rev() {
            let detail = self.detail(attempt.id).await?;
            if let Some(payload) = detail.and_then(|detail| detail.request.payload) {
                let bytes = serde_json::to_vec(&payload).map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
                return Ok(Payload { bytes: bytes.into(), exact: false });
            }
        }
        Err(Error::new(Kind::NotFound, format!("nobody has the payload of {}", known.guid)))
    }
}
