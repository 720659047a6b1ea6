//! From a plan to a source of deliveries.

use chrono::TimeDelta;
use url::Url;

use super::channel::remembered_or_new;
use super::plan::{HOOK_PATH, Plan, Via};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::state::State;
use crate::proxy::gap::{Gap, LOOKS};
use crate::proxy::log::Log;
use crate::proxy::ngrok::{NoTunnel, Tunnel};
use crate::proxy::poll::{From, Pace, Poll};
use crate::proxy::session::Source;
use crate::proxy::smee::{PUBLIC, Smee, Timing};

/// A source, and what belongs to it.
pub struct Transport {
    /// Where deliveries come from.
    pub source: Source,
    /// The URL that becomes the App's webhook.
    pub public: Option<Url>,
    /// A word about it.
    pub detail: Option<String>,
    /// ngrok's tunnel, to be closed at the end.
    pub tunnel: Option<Tunnel>,
}

/// Prepares the source of `plan`; `log` and `state` are those of the App.
///
/// # Errors
/// When there is no channel or tunnel to be had.
pub async fn prepare(cx: &Cx, plan: &Plan, log: Option<&Log>, state: Option<&State>) -> Result<Transport> {
    match plan.via {
        Via::Smee | Via::Relay => smee(plan, log, state).await,
        Via::Ngrok => ngrok(plan).await,
        Via::Poll => {
            let log = log.ok_or_else(|| {
                Error::config("GitHub's log of deliveries is the App's, and there is no App here")
                    .hint("pforge new-app")
                    .hint("pforge proxy start --via smee --no-verify")
            })?;
            let last = state.and_then(|state| state.read().last_forwarded);
            let ago = plan.since.and_then(|since| TimeDelta::from_std(since).ok());
            let from = match (ago, last) {
                (Some(ago), _) => From::Time(cx.clock.now() - ago),
                (None, Some(id)) => From::After(id),
                (None, None) => From::Now,
            };
            let detail = match from {
                From::Now => "GitHub's log of deliveries, from now on".to_owned(),
                From::After(_) => "GitHub's log of deliveries, from where the last run ended".to_owned(),
                From::Time(time) => format!("GitHub's log of deliveries, since {}", time.format("%F %H:%M")),
            };
            let source = Source::Poll(Poll::new(log.clone(), Pace::default(), from));
            Ok(Transport { source, public: None, detail: Some(detail), tunnel: None })
        }
    }
}

async fn smee(plan: &Plan, log: Option<&Log>, state: Option<&State>) -> Result<Transport> {
    let usual = || Url::parse(PUBLIC).map_err(|error| Error::new(Kind::Bug, error.to_string()));
    let url = plan.url.clone().map_or_else(usual, Ok)?;
    let channel = remembered_or_new(state, plan.via, &url).await?;
    // A pforge that crashed has left what came for it on the way.
    let memory = state.map(State::read).unwrap_or_default();
    let crashed = memory.lease.is_some_and(|lease| lease.ours == channel.as_str());
    let gap = log.map(|log| Gap {
        log: log.clone(),
        channel: channel.clone(),
        floor: memory.last_forwarded.filter(|_| crashed),
        looks: LOOKS.to_vec(),
        at_start: crashed && memory.last_forwarded.is_some(),
    });
    let smee = Smee::new(channel.clone(), Timing::default());
    let (smee, detail) = match &plan.identity {
        Some(identity) => (smee.sealed_to(identity.clone()), Some("end-to-end encrypted".to_owned())),
        None => (smee, None),
    };
    Ok(Transport { source: Source::smee(smee, gap), public: Some(channel), detail, tunnel: None })
}

async fn ngrok(plan: &Plan) -> Result<Transport> {
    let port = plan.target.port_or_known_default().unwrap_or(80);
    let agents: Vec<Url> = plan.url.iter().cloned().collect();
    let tunnel = Tunnel::open(&agents, "ngrok", port).await.map_err(|error| {
        let told = Error::new(Kind::Upstream, "there is no tunnel").caused_by(&error);
        let told = match &error {
            NoTunnel::Refused(said) if said.contains("ERR_NGROK_4018") || said.contains("authtoken") => {
                told.hint("ngrok config add-authtoken TOKEN")
            }
            _ => told,
        };
        told.hint("pforge proxy start --via poll")
    })?;
    let path = if plan.target.path() == "/" { HOOK_PATH } else { plan.target.path() };
    let mut public = tunnel.public().clone();
    public.set_path(path);
    let source = Source::Watch(tunnel.watch(path));
    Ok(Transport { source, public: Some(public), detail: Some(tunnel.origin().to_owned()), tunnel: Some(tunnel) })
}
