//! HTTP: from a request to a route and back, with everything that all answers of GitHub have in common.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body as AxumBody;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::emulator::auth::{Caller, Need, accepted, authorize, identify};
use crate::emulator::calls::Exchange;
use crate::emulator::deliver::Sender;
use crate::emulator::error::ApiError;
use crate::emulator::faults::Fault;
use crate::emulator::reply::{Body, Reply};
use crate::emulator::routes::{Call, Route, Routes};
use crate::emulator::state::World;
use crate::emulator::wire::Links;
use crate::emulator::{Backend, events, locked, path};
use crate::util::id::random_hex;

/// Largest accepted body in bytes.
const LARGEST: usize = 40 * 1024 * 1024;
/// Where people and tests act; neither recorded nor limited nor hit by faults.
const INTERNAL: &str = "/_emulator";

struct Shared {
    backend: Arc<Mutex<Backend>>,
    routes: Routes,
    sender: Sender,
    public_url: Option<Url>,
}

/// Serves `backend` on `listener` until `shutdown`.
pub(super) async fn serve(
    listener: TcpListener,
    public_url: Option<Url>,
    backend: Arc<Mutex<Backend>>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let sender = Sender::new(Arc::clone(&backend), shutdown.clone()).map_err(std::io::Error::other)?;
    let shared = Arc::new(Shared { backend, routes: Routes::default(), sender: sender.clone(), public_url });
    let app = Router::new().fallback(answer).with_state(shared);
    let stop = shutdown.clone().cancelled_owned();
    let served = axum::serve(listener, app).with_graceful_shutdown(stop).await;
    shutdown.cancel();
    sender.finished().await;
    served
}

/// A request, read and taken apart.
struct Asked {
    method: Method,
    /// Path and query as sent.
    target: String,
    /// Path without `/api/v3`.
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
    links: Links,
}

impl Asked {
    fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    fn internal(&self) -> bool {
        self.path == INTERNAL || self.path.starts_with("/_emulator/")
    }
}

/// What is known about the call besides its answer.
struct Judged {
    reply: Reply,
    known: bool,
    auth: &'static str,
    /// Requests used and the end of the hour.
    rate: Option<(u64, i64)>,
    accepted: Option<String>,
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let asked = take_apart(&shared, parts, body);
    let fault = if asked.internal() {
        None
    } else {
        locked(&shared.backend).faults.strike_call(asked.method.as_str(), &asked.path)
    };
    let fault = fault.unwrap_or_default();
    if !fault.latency().is_zero() {
        tokio::time::sleep(fault.latency()).await;
    }
    let instead = fault.status.is_some() || fault.drop;
    let (response, broken) = {
        let mut backend = locked(&shared.backend);
        let mut judged = if instead && !fault.after {
            Judged { reply: Reply::no_content(), known: true, auth: "refused", rate: None, accepted: None }
        } else {
            judge(&shared.routes, &mut backend, &asked)
        };
        if instead {
            judged.reply = injected(&fault);
        }
        events::publish(&mut backend.world, &Links { api: asked.links.html.clone(), html: asked.links.html.clone() });
        for id in std::mem::take(&mut backend.world.outbox) {
            if let Some(delivery) = backend.world.deliveries.get(&id) {
                shared.sender.send(delivery.app, id);
            }
        }
        let mut response = finish(&mut backend, &asked, judged, fault.drop);
        let injected = fault.headers.iter().filter(|_| instead);
        for (name, value) in injected {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        (response, fault.drop)
    };
    if broken { broken_off() } else { response }
}

fn take_apart(shared: &Shared, parts: http::request::Parts, body: Bytes) -> Asked {
    let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
    let host = text("host").or_else(|| parts.uri.authority().map(http::uri::Authority::as_str)).unwrap_or("localhost");
    let root = match &shared.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("{}://{host}", text("x-forwarded-proto").unwrap_or("http")),
    };
    let full = parts.uri.path();
    let enterprise = full.strip_prefix("/api/v3").filter(|rest| rest.is_empty() || rest.starts_with('/'));
    // An Enterprise Server has GraphQL beside its REST API.
    let path = enterprise.unwrap_or(if full == "/api/graphql" { "/graphql" } else { full });
    let api = if enterprise.is_some() { format!("{root}/api/v3") } else { root.clone() };
    let query = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default();
    Asked {
        target: parts.uri.path_and_query().map_or_else(|| full.to_owned(), ToString::to_string),
        path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
        query,
        method: parts.method,
        headers: parts.headers,
        body,
        links: Links { api, html: root },
    }
}

/// Finds the route, checks the caller and does what is asked.
fn judge(routes: &Routes, backend: &mut Backend, asked: &Asked) -> Judged {
    let mut judged = Judged { reply: Reply::no_content(), known: true, auth: "refused", rate: None, accepted: None };
    let method = if asked.method == Method::HEAD { &Method::GET } else { &asked.method };
    let Some((route, params)) = routes.find(method, &path::segments(&asked.path)) else {
        judged.known = false;
        judged.reply = Reply::json(
            StatusCode::NOT_IMPLEMENTED,
            json!({
                "message": format!("the emulator does not implement {method} {}", asked.path),
                "documentation_url": "https://docs.github.com/rest",
                "status": "501",
            }),
        );
        return judged;
    };
    if asked.header(header::USER_AGENT).is_empty() && !asked.internal() {
        let rules = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header \
                     (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). Check \
                     https://developer.github.com for other possible causes.\n";
        judged.reply = Reply {
            status: StatusCode::FORBIDDEN,
            body: Body::Raw("text/html", rules.as_bytes().to_vec()),
            headers: Vec::new(),
        };
        return judged;
    }
    if let Need::Repo(any) | Need::Granted(any) = route.need {
        judged.accepted = Some(accepted(any));
    }
    let caller = match admitted(&backend.world, route, &params, asked) {
        Ok(caller) => caller,
        Err(error) => {
            judged.reply = error.into();
            return judged;
        }
    };
    judged.auth = caller.kind();
    if !asked.internal() {
        let free = matches!(route.need, Need::Open);
        let (used, reset) = backend.world.count_call(&caller.rate_key(), free);
        judged.rate = Some((used, reset.timestamp()));
        if used > backend.world.rate_limit && !free {
            judged.reply = exhausted(&caller).into();
            return judged;
        }
    }
    let lookup = |name: &str| params.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v.as_str());
    let repo = backend.world.repo(lookup("owner"), lookup("repo")).map(|r| r.id);
    let mut call = Call {
        backend,
        links: &asked.links,
        caller,
        repo,
        params,
        query: asked.query.clone(),
        body: &asked.body,
        content_type: asked.header(header::CONTENT_TYPE),
        accept: asked.header(header::ACCEPT),
        url: format!("{}{}", asked.links.api, asked.path),
    };
    judged.reply = (route.handler)(&mut call).unwrap_or_else(Reply::from);
    judged
}

fn admitted(world: &World, route: &Route, params: &path::Params, asked: &Asked) -> Result<Caller, ApiError> {
    if asked.internal() {
        return Ok(Caller::Anonymous);
    }
    let authorization = asked.headers.get(header::AUTHORIZATION).map(|v| v.to_str().unwrap_or_default());
    let caller = identify(world, authorization).map_err(|error| match route.need {
        Need::App if error == ApiError::bad_credentials() => ApiError::undecodable_jwt(),
        _ => error,
    })?;
    let lookup = |name: &str| params.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v.as_str());
    let repo = world.repo(lookup("owner"), lookup("repo"));
    let reading = matches!(asked.method, Method::GET | Method::HEAD);
    authorize(world, &caller, route.need, repo, reading)?;
    Ok(caller)
}

fn exhausted(caller: &Caller) -> ApiError {
    let who = match caller {
        Caller::Installation { token, .. } => format!(" for installation ID {}", token.installation),
        Caller::Person(id) => format!(" for user ID {id}"),
        Caller::App(_) | Caller::Anonymous => String::new(),
    };
    ApiError::new(StatusCode::FORBIDDEN, format!("API rate limit exceeded{who}."))
}

fn injected(fault: &Fault) -> Reply {
    let status = fault.status.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::BAD_GATEWAY);
    let body = fault.body.clone().unwrap_or_else(|| ApiError::new(status, "injected fault").body());
    Reply::json(status, body)
}

/// Adds what all answers have and records the exchange.
fn finish(backend: &mut Backend, asked: &Asked, judged: Judged, dropped: bool) -> Response {
    let Judged { mut reply, known, auth, rate, accepted } = judged;
    let (media_type, bytes) = match std::mem::replace(&mut reply.body, Body::Empty) {
        Body::Empty => ("", Bytes::new()),
        Body::Json(value) => ("application/json; charset=utf-8", Bytes::from(value.to_string())),
        Body::Html(page) => ("text/html; charset=utf-8", Bytes::from(page)),
        Body::Raw(media_type, bytes) => (media_type, Bytes::from(bytes)),
    };
    let limit = backend.world.rate_limit;
    let date = backend.world.now();
    let mut headers = reply.headers;
    headers.push(("date", date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()));
    headers.push(("server", "github.com".to_owned()));
    headers.push(("x-github-media-type", "github.v3; format=json".to_owned()));
    headers.push(("x-github-api-version-selected", "2022-11-28".to_owned()));
    headers.extend(random_hex(10).ok().map(|id| ("x-github-request-id", id.to_uppercase())));
    if let Some((used, reset)) = rate {
        headers.push(("x-ratelimit-limit", limit.to_string()));
        headers.push(("x-ratelimit-remaining", limit.saturating_sub(used).to_string()));
        headers.push(("x-ratelimit-reset", reset.to_string()));
        headers.push(("x-ratelimit-used", used.min(limit).to_string()));
        headers.push(("x-ratelimit-resource", "core".to_owned()));
    }
    if let Some(accepted) = accepted.filter(|_| !headers.iter().any(|(n, _)| *n == "x-accepted-github-permissions")) {
        headers.push(("x-accepted-github-permissions", accepted));
    }
    let mut status = reply.status;
    let mut body = bytes.clone();
    if status == StatusCode::OK && asked.method == Method::GET && !asked.internal() {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        let tag = format!("W/\"{}\"", hex::encode(digest));
        if asked.header(header::IF_NONE_MATCH).split(',').any(|t| t.trim() == tag) {
            status = StatusCode::NOT_MODIFIED;
            body = Bytes::new();
        }
        headers.push(("etag", tag));
        headers.push(("cache-control", "private, max-age=60, s-maxage=60".to_owned()));
    }
    if !asked.internal() {
        backend.calls.add(Exchange {
            number: 0,
            at: backend.world.precise_now(),
            method: asked.method.to_string(),
            target: asked.target.clone(),
            status: if dropped { 0 } else { status.as_u16() },
            auth,
            agent: asked.header(header::USER_AGENT).to_owned(),
            known,
            request: asked.body.clone(),
            response: body.clone(),
            media_type: media_type.to_owned(),
        });
    }
    let mut response = Response::new(AxumBody::from(body));
    *response.status_mut() = status;
    let target = response.headers_mut();
    if !media_type.is_empty() && status != StatusCode::NOT_MODIFIED {
        target.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            target.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(AxumBody::empty());
    *response.status_mut() = status;
    response
}

/// An answer that ends before it begins: the server closes the connection.
fn broken_off() -> Response {
    let broken = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("dropped on demand")) });
    let mut response = Response::new(AxumBody::from_stream(broken));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("1"));
    response
}

/// How long the longest fault may hold a call; longer ones would only hang a test.
pub(super) const LONGEST_LATENCY: Duration = Duration::from_secs(60);
