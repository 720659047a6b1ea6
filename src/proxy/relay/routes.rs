//! What can be asked of a relay.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Posted;
use super::body::{Received, Room};
use super::channel::{Channel, Claim, micros};
use super::event::{self, Head, gist};
use super::hub::Hub;
use super::log::Draft;
use super::name::Name;
use super::page;
use super::record::Form;
use super::reply::{Refused, taken};
use super::stream::{Wish, stream};
use crate::proxy::envelope::{EnvelopeError, Recipient};

/// The most events that `last` gives.
const LAST_MOST: usize = 100_000;

/// A body of more bytes is prepared aside.
const LARGE: usize = 64 << 10;

/// What the handlers share.
pub struct Relay {
    hub: Arc<Hub>,
    room: Room,
    told: mpsc::Sender<Posted>,
    shutdown: CancellationToken,
}

type Shared = State<Arc<Relay>>;

impl Relay {
    /// The state of a relay.
    pub fn new(hub: Arc<Hub>, told: mpsc::Sender<Posted>, shutdown: CancellationToken) -> Self {
        let limits = &hub.options().limits;
        let room = Room::new(limits.bodies, limits.body, limits.patience);
        Self { hub, room, told, shutdown }
    }

    /// The channel, and that it may be posted to now.
    async fn admitted(&self, name: &Name) -> Result<Arc<Channel>, Refused> {
        let channel = self.hub.channel(name).await?;
        channel.admit().map_err(|wait| {
            Refused::new(StatusCode::TOO_MANY_REQUESTS, "too many events for one channel").after(wait)
        })?;
        Ok(channel)
    }

    /// The channel of a post, and its body.
    async fn receive(&self, name: &Name, request: Request) -> Result<(Arc<Channel>, Received), Refused> {
        let channel = self.admitted(name).await?;
        let (parts, body) = request.into_parts();
        Ok((channel, self.room.receive(&parts.headers, body).await?))
    }

    /// Stores a posted event.
    async fn store(&self, name: &Name, channel: &Arc<Channel>, head: Head, body: Bytes) -> Result<Posted, Refused> {
        let recipient = channel.recipient();
        let (bytes, encrypted) = (body.len(), recipient.is_some());
        let at = micros(&self.hub.options().clock) / 1000;
        let prepare = move || {
            let gist = gist(&head, recipient.is_none().then_some(&body[..]));
            Ok::<_, EnvelopeError>((gist, event::draft(&head, at, body, recipient.as_ref())?))
        };
        // What takes its time must not hold up others.
        let prepared = if encrypted || bytes > LARGE {
            tokio::task::spawn_blocking(prepare).await.map_err(|_| Refused::not_stored())?
        } else {
            prepare()
        };
        let (gist, draft) = prepared.map_err(|_| Refused::not_stored())?;
        let id = self.append(channel, draft).await?;
        let (channel, listeners) = (name.short(), channel.listeners());
        let (event, repo, guid) = (gist.event, gist.repo, if encrypted { String::new() } else { gist.guid });
        Ok(Posted { channel, id, event, repo, guid, bytes, listeners, encrypted, again: false })
    }

    async fn append(&self, channel: &Arc<Channel>, draft: Draft) -> Result<u64, Refused> {
        channel.store(draft).await.map_err(|_| Refused::not_stored())
    }

    fn tell(&self, posted: Posted) {
        tracing::debug!(channel = posted.channel, event = posted.event, bytes = posted.bytes, "stored");
        // Whoever watches and does not keep up must not hold up the events.
        let _ = self.told.try_send(posted);
    }
}

/// The routes.
pub fn router(relay: Arc<Relay>) -> Router {
    Router::new()
        .route("/", get(|| async { page::landing() }))
        .route("/new", get(new_channel))
        .route("/favicon.ico", get(|| async { page::icon() }))
        .route("/{channel}", get(visit).post(receive))
        .route("/{channel}/redeliver", post(redeliver))
        .route("/{channel}/recipient", put(claim))
        .fallback(|| async { Refused::new(StatusCode::NOT_FOUND, "there is nothing here") })
        .with_state(relay)
}

/// Reads the name of a channel.
fn named(channel: &str) -> Result<Name, Refused> {
    let rule = "the name of a channel has 1 to 128 of the characters A-Z a-z 0-9 - _";
    Name::parse(channel).ok_or_else(|| Refused::new(StatusCode::BAD_REQUEST, rule))
}

/// Makes a channel and sends there.
async fn new_channel(State(relay): Shared, RawQuery(query): RawQuery, headers: HeaderMap) -> Result<Response, Refused> {
    let name = Name::random().map_err(|_| Refused::not_stored())?;
    if let Some(recipient) = Query::new(query.as_deref()).text("recipient") {
        encrypt(&relay, &name, recipient).await?;
    }
    let public = relay.hub.options().public_url.as_ref();
    let root = public.map_or_else(|| visited(&headers), |url| url.as_str().trim_end_matches('/').to_owned());
    let location = HeaderValue::try_from(format!("{root}/{}", name.as_str()))
        .map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "the host header cannot be used"))?;
    Ok((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response())
}

/// The address that the visitor used, as far as headers tell.
fn visited(headers: &HeaderMap) -> String {
    let first = |name: &str| Some(headers.get(name)?.to_str().ok()?.split(',').next()?.trim());
    let host = first("x-forwarded-host").or_else(|| first("host")).unwrap_or("localhost");
    let scheme = first("x-forwarded-proto").filter(|scheme| *scheme == "https").unwrap_or("http");
    format!("{scheme}://{host}")
}

/// Listens, or shows the page.
async fn visit(
    State(relay): Shared,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let name = named(&channel)?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/event-stream") {
        return Ok(page::channel());
    }
    let query = Query::new(query.as_deref());
    if let Some(recipient) = query.text("recipient") {
        encrypt(&relay, &name, recipient).await?;
    }
    let options = relay.hub.options();
    let channel = relay.hub.channel(&name).await?;
    let place = channel.listen(options.limits.listeners).ok_or_else(|| {
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, "this channel has as many listeners as it may have")
            .after(Duration::from_secs(30))
    })?;
    // gosmee's client names its `stream`, and knows base64 bodies.
    let exact = query.has("bodyB") || query.has("stream");
    let wish = Wish { after: resume(&headers, &query, &channel), exact };
    let events = stream(channel, place, wish, options.ping, relay.shutdown.clone());
    let kind = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        // A proxy that collects the stream would hold events back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((kind, Body::from_stream(events)).into_response())
}

/// The id after which a listener wants events. What it saw last outweighs what its URL says: it
/// reconnects with the same URL.
fn resume(headers: &HeaderMap, query: &Query, channel: &Channel) -> u64 {
    let index = channel.index();
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.trim().parse::<u64>().ok());
    let since = || {
        let since: u64 = query.text("since")?.parse().ok()?;
        // Ids are microseconds: no time in milliseconds is as large for the next 30 000 years.
        Some(if since >= 1_000_000_000_000_000 { since } else { index.before_time(since) })
    };
    let last = || Some(index.before_newest(query.text("last")?.parse::<usize>().ok()?.min(LAST_MOST)));
    // An id from elsewhere must not hide what comes.
    seen.or_else(since).or_else(last).map_or_else(|| index.last(), |after| after.min(index.last()))
}

/// Receives an event.
async fn receive(
    State(relay): Shared,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Refused> {
    let name = named(&channel)?;
    let head = Head::new(request.headers(), query.as_deref());
    let (channel, received) = relay.receive(&name, request).await?;
    let posted = relay.store(&name, &channel, head, received.bytes.clone()).await?;
    relay.tell(posted);
    Ok(taken())
}

/// Sends an event once more: `{"id": "…"}` names one that is kept; anything else is an event as
/// listeners get it, which is what smee's page posts.
async fn redeliver(State(relay): Shared, Path(channel): Path<String>, request: Request) -> Result<Response, Refused> {
    let name = named(&channel)?;
    let (channel, received) = relay.receive(&name, request).await?;
    let line = &received.bytes;
    let posted = if let Some((head, body)) = event::parse(line) {
        relay.store(&name, &channel, head, body).await?
    } else {
        let rule = "the body must be {\"id\": \"…\"} or an event";
        let id = asked_id(line).ok_or_else(|| Refused::new(StatusCode::BAD_REQUEST, rule))?;
        let index = Arc::clone(channel.index());
        let found = tokio::task::spawn_blocking(move || index.get(id)).await;
        let record = found.map_err(|_| Refused::not_stored())?.map_err(|_| Refused::not_stored())?;
        let record = record.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "this event is kept no longer"))?;
        let encrypted = record.form == Form::Sealed;
        let gist = event::gist_of(&record);
        let bytes = record.body.len();
        let id = relay.append(&channel, Draft { form: record.form, head: record.head, body: record.body }).await?;
        let (channel, listeners) = (name.short(), channel.listeners());
        let (event, repo, guid) = (gist.event, gist.repo, gist.guid);
        Posted { channel, id, event, repo, guid, bytes, listeners, encrypted, again: false }
    };
    relay.tell(Posted { again: true, ..posted });
    Ok(taken())
}

/// The id in `{"id": "123"}` or `{"id": 123}`.
fn asked_id(body: &[u8]) -> Option<u64> {
    match serde_json::from_slice::<Value>(body).ok()?.get("id")? {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64(),
    }
}

/// Encrypts a channel to the recipient in the body.
async fn claim(State(relay): Shared, Path(channel): Path<String>, request: Request) -> Result<Response, Refused> {
    let name = named(&channel)?;
    let (parts, body) = request.into_parts();
    let received = relay.room.receive(&parts.headers, body).await?;
    let text = String::from_utf8_lossy(&received.bytes);
    let claim = encrypt(&relay, &name, &text).await?;
    Ok(if claim == Claim::Taken { StatusCode::CREATED } else { StatusCode::OK }.into_response())
}

async fn encrypt(relay: &Relay, name: &Name, recipient: &str) -> Result<Claim, Refused> {
    let recipient = Recipient::parse(recipient).map_err(|e| Refused::new(StatusCode::BAD_REQUEST, e.to_string()))?;
    let channel = relay.hub.channel(name).await?;
    let claimed = tokio::task::spawn_blocking(move || channel.claim(&recipient)).await;
    let conflict = |text| Err(Refused::new(StatusCode::CONFLICT, text));
    match claimed.map_err(|_| Refused::not_stored())?.map_err(|_| Refused::not_stored())? {
        Claim::Theirs => conflict("this channel is encrypted to another recipient; make a new one"),
        Claim::Plain => conflict("this channel keeps events that are not encrypted; make a new one"),
        claim => Ok(claim),
    }
}

/// The query of a URL.
struct Query(Vec<(String, String)>);

impl Query {
    fn new(query: Option<&str>) -> Self {
        Self(serde_urlencoded::from_str(query.unwrap_or_default()).unwrap_or_default())
    }

    fn has(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}
