//! What GitHub knows, shown on: its log of this App's deliveries, and check runs.
//!
//! Deliveries are those of private repositories too. They are for the admin, unless
//! `recipes.public_deliveries` is set; and what gives access (signatures, cookies, tokens) is taken
//! out of their headers for everybody.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::apps;
use crate::apps::http_api::resource::Id;
use crate::apps::http_api::{Admin, ApiError, Pairs};
use crate::apps::recipes::jobs::Cx;
use crate::apps::recipes::rows::feedstocks;
use crate::github::api::apps::{HookDelivery, HookDeliveryDetail, HookResponse, NextPage};
use crate::github::api::checks::CheckRuns;
use crate::github::api::repos::About;
use crate::github::{Client, Error, Repository};

/// Pages of GitHub's log, of 100 deliveries each, that are read for one answer.
const PAGES: usize = 20;
/// How long GitHub may take for all of one answer.
const PATIENCE: Duration = Duration::from_secs(25);

/// May read what GitHub keeps of deliveries: the admin, or all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader;

impl FromRequestParts<apps::State> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &apps::State) -> Result<Self, ApiError> {
        let public = parts.extensions.get::<Arc<Cx>>().is_some_and(|cx| cx.settings.public_deliveries);
        if !public {
            Admin::from_request_parts(parts, state).await?;
        }
        Ok(Self)
    }
}

/// List GitHub's deliveries to this App, newest first.
///
/// Up to 2000 at once; `Link` leads to further ones. GitHub keeps those of the last three days. For
/// everybody when `recipes.public_deliveries` is set.
#[utoipa::path(
    get, path = "/github/hooks/deliveries", tag = "deliveries at GitHub", security(("api_key" = [])),
    params(("after" = Option<String>, Query, description = "GitHub's cursor, from the `Link` header.")),
    responses(
        (status = 200, description = "As asked", body = Vec<HookDelivery>),
        (status = 502, description = "GitHub did not answer, or not as documented"),
        (status = 503, description = "GitHub's rate limit is used up, or no App is configured"),
    ),
)]
pub(super) async fn list(_: Reader, Extension(cx): Extension<Arc<Cx>>, query: Pairs) -> Result<Response, ApiError> {
    let log = within(log(client(&cx)?, &query, |_| true)).await?;
    Ok(log.answer("/github/hooks/deliveries", &query))
}

/// List GitHub's deliveries to this App that are about a feedstock, newest first.
///
/// Those among the newest 2000; `Link` leads to further ones. For everybody when
/// `recipes.public_deliveries` is set.
#[utoipa::path(
    get, path = "/feedstocks/{id}/deliveries", tag = "deliveries at GitHub", security(("api_key" = [])),
    params(
        ("id" = i64, Path, description = "Row id."),
        ("after" = Option<String>, Query, description = "GitHub's cursor, from the `Link` header."),
    ),
    responses(
        (status = 200, description = "As asked", body = Vec<HookDelivery>),
        (status = 404, description = "There is no such feedstock, or the App is not installed in its repository"),
        (status = 502, description = "GitHub did not answer, or not as documented"),
        (status = 503, description = "GitHub's rate limit is used up, or no App is configured"),
    ),
)]
pub(super) async fn of_feedstock(
    _: Reader,
    State(state): State<apps::State>,
    Extension(cx): Extension<Arc<Cx>>,
    Id(id): Id,
    query: Pairs,
) -> Result<Response, ApiError> {
    let (_, about) = within(installed(&state, &cx, id)).await?;
    let log = within(log(client(&cx)?, &query, |delivery| delivery.repository_id == Some(about.id))).await?;
    Ok(log.answer(&format!("/feedstocks/{id}/deliveries"), &query))
}

/// Read one of GitHub's deliveries to this App.
///
/// What this App answered to it; with `response_only=false` all of it, without the headers that give
/// access. For everybody when `recipes.public_deliveries` is set.
#[utoipa::path(
    get, path = "/github/hooks/deliveries/{id}", tag = "deliveries at GitHub", security(("api_key" = [])),
    params(
        ("id" = i64, Path, description = "GitHub's id of the delivery."),
        ("response_only" = Option<bool>, Query, description = "Default true."),
    ),
    responses(
        (status = 200, description = "As asked", body = inline(ShownDelivery), example = json!({ "headers": { "Content-Type": "application/json" }, "payload": "{\"status\":\"ok\"}" })),
        (status = 404, description = "GitHub has no such delivery"),
        (status = 502, description = "GitHub did not answer, or not as documented"),
        (status = 503, description = "GitHub's rate limit is used up, or no App is configured"),
    ),
)]
pub(super) async fn read(
    _: Reader,
    Extension(cx): Extension<Arc<Cx>>,
    Id(id): Id,
    query: Pairs,
) -> Result<Json<ShownDelivery>, ApiError> {
    let response_only = query.flag("response_only", true)?;
    let reading = async { client(&cx)?.hook_delivery(id).await.map_err(|error| found(error, "delivery")) };
    let mut delivery = within(reading).await?;
    for headers in [&mut delivery.request.headers, &mut delivery.response.headers].into_iter().flatten() {
        redact(headers);
    }
    Ok(Json(if response_only {
        ShownDelivery::Response(delivery.response)
    } else {
        ShownDelivery::Whole(delivery.into())
    }))
}

/// A delivery as far as it was asked for.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(super) enum ShownDelivery {
    /// All of it.
    Whole(Box<HookDeliveryDetail>),
    /// What was answered.
    Response(HookResponse),
}

/// The parts of the path of a commit.
#[derive(Deserialize)]
pub(super) struct Commit {
    sha: String,
}

/// List the check runs on a commit of a feedstock, as GitHub has them.
///
/// Those of a private repository are for the admin.
#[utoipa::path(
    get, path = "/feedstocks/{id}/commits/{sha}/check-runs", tag = "feedstocks",
    params(
        ("id" = i64, Path, description = "Row id."),
        ("sha" = String, Path, description = "Commit, branch or tag."),
    ),
    responses(
        (status = 200, description = "As GitHub answered, all pages as one", body = CheckRuns),
        (status = 401, description = "The repository is private and the key is wrong"),
        (status = 403, description = "The repository is private and there is no key"),
        (status = 404, description = "There is no such feedstock or commit, or the App is not installed in its repository"),
        (status = 502, description = "GitHub did not answer, or not as documented"),
        (status = 503, description = "GitHub's rate limit is used up, or no App is configured"),
    ),
)]
pub(super) async fn check_runs(
    admin: Result<Admin, ApiError>,
    State(state): State<apps::State>,
    Extension(cx): Extension<Arc<Cx>>,
    Id(id): Id,
    Path(Commit { sha }): Path<Commit>,
) -> Result<Json<CheckRuns>, ApiError> {
    within(async {
        let (repository, about) = installed(&state, &cx, id).await?;
        if about.private {
            admin?;
        }
        repository.shown_check_runs(&sha).await.map(Json).map_err(|error| found(error, "commit"))
    })
    .await
}

/// A part of GitHub's log.
struct Log {
    deliveries: Vec<HookDelivery>,
    next: Option<String>,
}

impl Log {
    fn answer(self, path: &str, query: &Pairs) -> Response {
        let address = self.next.map(|cursor| format!("<{path}?{}>; rel=\"next\"", query.with("after", &cursor, &[])));
        let link = address.and_then(|link| HeaderValue::try_from(link).ok());
        let mut response = Json(self.deliveries).into_response();
        response.headers_mut().extend(link.map(|link| (header::LINK, link)));
        response
    }
}

/// The deliveries that are `wanted`, from the newest or where `query` goes on.
async fn log(client: &Client, query: &Pairs, wanted: impl Fn(&HookDelivery) -> bool) -> Result<Log, ApiError> {
    let mut deliveries = Vec::new();
    let mut next = query.get("after").map(NextPage::at_cursor);
    for _ in 0..PAGES {
        let page = client.hook_deliveries(next.as_ref()).await.map_err(|error| match error.status() {
            Some(400 | 422) if query.get("after").is_some() => {
                ApiError::invalid(&["query", "after"], "not a cursor of this list", "value_error")
            }
            _ => upstream(error),
        })?;
        deliveries.extend(page.items.into_iter().filter(&wanted));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    Ok(Log { deliveries, next: next.as_ref().and_then(NextPage::cursor) })
}

/// The repository of a feedstock, which the App must be installed in.
async fn installed(state: &apps::State, cx: &Cx, id: i64) -> Result<(Repository, About), ApiError> {
    let missing = |detail: String| ApiError::new(StatusCode::NOT_FOUND, detail);
    let feedstock = feedstocks::get(&state.db, id).await?;
    let spec = feedstock.ok_or_else(|| missing(format!("Id {id} not found in feedstock table.")))?.spec;
    let not_there = || missing(format!("Pangeo Forge GitHub App not installed in '{spec}' repository."));
    let client = client(cx)?;
    let installation = match client.repository_installation(&spec).await {
        // A spec that is no `owner/repo` cannot be installed in.
        Err(Error::NotInstalled(_) | Error::Invalid(_)) => None,
        outcome => outcome.map_err(upstream)?,
    };
    let repository = client.repository(&spec, Some(installation.ok_or_else(not_there)?.id));
    let about = repository.about().await.map_err(upstream)?.ok_or_else(not_there)?;
    Ok((repository, about))
}

fn client(cx: &Cx) -> Result<&Client, ApiError> {
    let missing = || ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "No GitHub App is configured on this server.");
    cx.github.as_ref().ok_or_else(missing)
}

/// Waits for GitHub, but not for ever.
async fn within<T>(asking: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
    let late = |_| ApiError::new(StatusCode::BAD_GATEWAY, "GitHub did not answer in time.");
    tokio::time::timeout(PATIENCE, asking).await.map_err(late)?
}

/// As [`upstream`], where GitHub may not have what was asked for.
fn found(error: Error, noun: &str) -> ApiError {
    match error.status() {
        // 422: a SHA of no commit.
        Some(404 | 422) => ApiError::not_found(noun),
        _ if matches!(error, Error::Invalid(_)) => ApiError::not_found(noun),
        _ => upstream(error),
    }
}

/// What a client is told of GitHub's refusal: never 500, for nothing is wrong here.
fn upstream(error: Error) -> ApiError {
    tracing::warn!(%error, "GitHub was asked in vain");
    if error.retry_after().is_some() {
        return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "GitHub's rate limit is used up. Try again later.");
    }
    let reason = match &error {
        Error::Status(status) => format!("GitHub answered {} {}.", status.status, status.message),
        Error::Transport { .. } => "GitHub could not be reached.".to_owned(),
        Error::Decode { .. } => "GitHub's answer was not understood.".to_owned(),
        Error::Credentials(_) => {
            return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "The GitHub App's credentials do not work.");
        }
        Error::NotInstalled(_) | Error::Invalid(_) => "GitHub could not be asked.".to_owned(),
    };
    ApiError::new(StatusCode::BAD_GATEWAY, reason)
}

/// Takes out the values of headers that give access or prove who sent something.
fn redact(headers: &mut Map<String, Value>) {
    for (name, value) in headers.iter_mut() {
        if is_sensitive(name) {
            *value = Value::from("***");
        }
    }
}

fn is_sensitive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["signature", "cookie", "authoriz", "authentic", "token", "secret", "api-key", "apikey", "password"]
        .iter()
        .any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_headers_that_give_access_are_hidden() {
        let mut headers = Map::new();
        for name in [
            "X-Hub-Signature",
            "x-hub-signature-256",
            "Set-Cookie",
            "Authorization",
            "Proxy-Authorization",
            "WWW-Authenticate",
            "X-API-Key",
            "X-Auth-Token",
        ] {
            headers.insert(name.to_owned(), json!("hush"));
        }
        for name in ["X-GitHub-Event", "User-Agent", "Content-Type", "Server", "Date"] {
            headers.insert(name.to_owned(), json!("told"));
        }
        redact(&mut headers);
        let told: Vec<&String> = headers.iter().filter(|(_, value)| *value == "told").map(|(name, _)| name).collect();
        assert_eq!(told.len(), 5, "{headers:?}");
        assert!(headers.values().all(|value| value == "told" || value == "***"));
    }

    #[test]
    fn whatever_github_does_is_not_our_fault() {
        let transport = Error::Transport { method: "GET".into(), path: "/x".into(), reason: "refused".into() };
        let decode = Error::Decode { method: "GET".into(), path: "/x".into(), reason: "html".into() };
        for (error, status) in [
            (transport, 502),
            (decode, 502),
            (Error::Credentials("no key".into()), 503),
            (Error::NotInstalled("a/b".into()), 502),
        ] {
            assert_eq!(upstream(error).status, status);
        }
        assert_eq!(found(Error::Invalid("a//b".into()), "commit").status, 404);
    }
}
