//! The life of a session: connect, register, forward, put back.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::plan::{Plan, Via};
use super::register;
use super::told::{AppLine, Ready, Sink, Summary, Told, Webhook};
use super::transport::{self, Transport};
use crate::cli::client;
use crate::cli::config::ConfigFile;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hook_url;
use crate::cli::state::State;
use crate::github::Client;
use crate::proxy::log::Log;
use crate::proxy::session::{Ended, TARGET_BACKOFF};
use crate::proxy::smee::Refused;
use crate::proxy::{Notice, Notices, Session};

/// How long putting the webhook URL back may take at the end.
const PUTTING_BACK: Duration = Duration::from_secs(20);

/// The App of a session, as GitHub knows it.
struct TheApp {
    client: Client,
    state: State,
    log: Log,
    line: AppLine,
}

/// Runs `plan` until `shutdown`; everything that happens is told to `sink`. The webhook URL that was
/// there before is back when this returns, also when it fails.
///
/// # Errors
/// When the App, the transport or GitHub do not allow it, or nobody reads what is told.
pub async fn run(cx: &Cx, plan: Plan, sink: &dyn Sink, shutdown: CancellationToken) -> Result<Summary> {
    let prepared = shutdown.run_until_cancelled(prepare(cx, &plan)).await;
    let (app, may_register, mended, transport) =
        prepared.unwrap_or_else(|| Err(Error::new(Kind::Interrupted, "interrupted")))?;
    let Transport { source, public, detail, tunnel } = transport;
    let session = Session {
        target: plan.target.clone(),
        headers: plan.headers.clone(),
        filter: plan.filter.clone(),
        trust: plan.trust.clone(),
        log: app.as_ref().map(|app| app.log.clone()),
        backoff: TARGET_BACKOFF,
    };
    let stop = shutdown.child_token();
    let (to, notices) = unbounded_channel();
    let mut running = pin!(session.run(source, Notices::new(to), stop.clone()));
    let ready = |webhook| {
        Told::Ready(Ready {
            app: app.as_ref().map(|app| app.line.clone()),
            via: plan.via,
            public: public.clone(),
            detail,
            target: plan.target.clone(),
            webhook,
            mended,
        })
    };
    let registering = async {
        Ok(match (&app, &public) {
            (Some(app), Some(public)) if may_register => register::take(cx, &app.client, &app.state, public).await?,
            (Some(app), _) => Webhook::Untouched { now: app.client.hook_config().await?.url },
            (None, _) => Webhook::Unknown,
        })
    };
    let mut teller = Teller { sink, state: app.as_ref().map(|app| &app.state), summary: Summary::default() };
    let mut telling = pin!(async {
        let told = teller.tell_all(notices, registering, ready).await;
        (std::mem::take(&mut teller.summary), told)
    });
    let (ended, (mut summary, told)) = tokio::select! {
        ended = &mut running => (ended, telling.await),
        told = &mut telling => {
            stop.cancel();
            (running.await, told)
        }
    };
    if let Some(app) = &app {
        put_back(app, &mut summary).await;
    }
    if let Some(tunnel) = tunnel {
        tunnel.close().await;
    }
    told?;
    ended.map_err(|ended| refused(&ended, plan.via))?;
    sink.tell(&Told::Stopped(summary.clone()))?;
    Ok(summary)
}

/// The App, whether its webhook may change, what a crash had left, and the transport.
async fn prepare(cx: &Cx, plan: &Plan) -> Result<(Option<TheApp>, bool, Option<String>, Transport)> {
    plan.check()?;
    let app = match &plan.file {
        Some(file) => Some(TheApp::of(cx, file).await?),
        None => None,
    };
    let (mut may_register, mut mended) = (false, None);
    if let Some(app) = &app {
        may_register = register::permission(cx, plan.register, plan.via, &app.line.name, &app.state).await?;
        // What registers takes over what was left, and knows what was there before.
        if !may_register {
            mended = hook_url::recover(&app.client, &app.state).await?;
        }
    }
    let (log, state) = (app.as_ref().map(|app| &app.log), app.as_ref().map(|app| &app.state));
    let transport = transport::prepare(cx, plan, log, state).await?;
    Ok((app, may_register, mended, transport))
}

impl TheApp {
    async fn of(cx: &Cx, file: &ConfigFile) -> Result<Self> {
        let (client, config) = (client::of_app(cx, file)?, file.need_app()?);
        let id = i64::try_from(config.id).map_err(|_| Error::config("github_app.id is no id"))?;
        let state = State::of_app(cx, client.api_url(), config.id)?;
        // Asked first: wrong credentials are told before anything begins.
        let app = client.app().await?;
        let line = AppLine { name: config.app_name.clone(), id: config.id, installations: app.installations_count };
        Ok(Self { log: Log::new(client.clone(), id), client, state, line })
    }
}

/// Puts the webhook URL back, and says in `summary` what came of it.
async fn put_back(app: &TheApp, summary: &mut Summary) {
    let ours = app.state.read().lease.is_some_and(|lease| lease.pid == std::process::id());
    if !ours {
        return;
    }
    match timeout(PUTTING_BACK, hook_url::release(&app.client, &app.state)).await {
        Ok(Ok(restored)) => summary.restored = restored,
        Ok(Err(error)) => summary.not_restored = Some(error.message),
        Err(_) => summary.not_restored = Some("GitHub does not answer".to_owned()),
    }
}

/// Tells, counts and remembers.
struct Teller<'a> {
    sink: &'a dyn Sink,
    state: Option<&'a State>,
    summary: Summary,
}

impl Teller<'_> {
    /// Tells everything, with the registration as soon as the transport is connected.
    async fn tell_all(
        &mut self,
        mut notices: UnboundedReceiver<Notice>,
        registering: impl Future<Output = Result<Webhook>>,
        ready: impl FnOnce(Webhook) -> Told,
    ) -> Result {
        // Connected first: what is sent as soon as the URL is ours finds us listening.
        loop {
            match notices.recv().await {
                None => return Ok(()),
                Some(Notice::Connected { .. }) => break,
                Some(notice) => self.tell(notice)?,
            }
        }
        // Deliveries that come meanwhile wait in `notices`.
        self.sink.tell(&ready(registering.await?))?;
        while let Some(notice) = notices.recv().await {
            self.tell(notice)?;
        }
        Ok(())
    }

    fn tell(&mut self, notice: Notice) -> Result {
        let counts = &mut self.summary;
        match &notice {
            Notice::Received(seen) => {
                counts.received += 1;
                counts.refused += u64::from(!seen.verdict.forwards());
            }
            Notice::Forwarded { reply, .. } if reply.is_good() => counts.ok += 1,
            Notice::Forwarded { .. } | Notice::Failed { .. } => counts.failed += 1,
            Notice::Mark(id) => {
                if let Some(state) = self.state {
                    state.update(|memory| memory.last_forwarded = memory.last_forwarded.max(Some(*id)))?;
                }
            }
            _ => {}
        }
        self.sink.tell(&Told::Notice(notice))
    }
}

fn refused(ended: &Ended, via: Via) -> Error {
    let told = Error::new(Kind::Upstream, "the channel cannot be listened to").caused_by(ended);
    if let Ended::Refused(Refused::Sealed { .. }) = ended {
        return told.hint("pforge proxy start --via relay URL --identity FILE");
    }
    match via {
        Via::Smee | Via::Relay => told.hint("pforge proxy new-channel").hint("pforge proxy start --via poll"),
        Via::Ngrok | Via::Poll => told,
    }
}
