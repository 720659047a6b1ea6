//! The App itself: <https://docs.github.com/en/rest/apps>.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::github::auth::{Auth, Target};
use crate::github::call::{Call, segment};
use crate::github::client::full_name;
use crate::github::{Client, Error};
use crate::util::Secret;

/// The App's webhook configuration, in the order in which GitHub writes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct HookConfig {
    /// `json` or `form`.
    pub content_type: Option<String>,
    /// `********` when set.
    pub secret: Option<String>,
    /// Where deliveries go.
    pub url: Option<String>,
    /// `"0"` or `"1"`.
    pub insecure_ssl: Option<Value>,
}

/// What to change of the webhook configuration; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct HookChange {
    /// Where deliveries go.
    pub url: Option<String>,
    /// `json` or `form`.
    pub content_type: Option<String>,
    /// Whether the receiver's certificate is checked.
    pub verify_tls: Option<bool>,
    /// What deliveries are signed with.
    pub secret: Option<Secret>,
}

/// An account: a user or an organisation.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Owner {
    /// Its name.
    pub login: String,
    /// `User` or `Organization`.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
}

/// The App as GitHub knows it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct App {
    /// Its id.
    pub id: i64,
    /// Its name in addresses.
    #[serde(default)]
    pub slug: Option<String>,
    /// Its client id; absent on old Enterprise Servers.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Who owns it.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Its home page.
    #[serde(default)]
    pub external_url: Option<String>,
    /// Its public page.
    #[serde(default)]
    pub html_url: Option<String>,
    /// What it may do: permission to access level.
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
    /// The events it is told of.
    #[serde(default)]
    pub events: Vec<String>,
    /// On how many accounts it is installed.
    #[serde(default)]
    pub installations_count: Option<u64>,
}

/// A newly created App with all its secrets; GitHub tells them once.
#[derive(Clone, Debug, Deserialize)]
pub struct NewApp {
    /// Its id.
    pub id: i64,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its public page.
    pub html_url: String,
    /// Its client id.
    pub client_id: String,
    /// Its OAuth secret.
    pub client_secret: Secret,
    /// What its deliveries are signed with; absent when it has no webhook.
    #[serde(default)]
    pub webhook_secret: Option<Secret>,
    /// Its private key.
    pub pem: Secret,
    /// Who owns it.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// What it may do: permission to access level.
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
    /// The events it is told of.
    #[serde(default)]
    pub events: Vec<String>,
}

/// The App on one account.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Installation {
    /// Its id.
    pub id: i64,
    /// Where it is installed.
    #[serde(default)]
    pub account: Option<Owner>,
    /// `all` or `selected`.
    #[serde(default)]
    pub repository_selection: Option<String>,
    /// What the owner accepted: permission to access level.
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
    /// The events it is told of.
    #[serde(default)]
    pub events: Vec<String>,
    /// Its settings page.
    #[serde(default)]
    pub html_url: Option<String>,
    /// Set while it is suspended.
    #[serde(default)]
    pub suspended_at: Option<DateTime<Utc>>,
}

/// A repository that an installation covers.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CoveredRepository {
    /// `owner/repo`.
    pub full_name: String,
    /// The branch that counts.
    #[serde(default)]
    pub default_branch: Option<String>,
    /// Whether nothing can be written to it any more.
    #[serde(default)]
    pub archived: bool,
}

/// A delivery in GitHub's log.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 12345678, "guid": "0b989ba4-242f-11e5-81e1-c7b6966d2516", "delivered_at": "2022-09-19T16:31:43Z",
    "redelivery": false, "duration": 0.27, "status": "OK", "status_code": 202, "event": "pull_request",
    "action": "opened", "installation_id": 123, "repository_id": 456, "throttled_at": null
}))]
pub struct HookDelivery {
    /// Id of this attempt.
    pub id: i64,
    /// `X-GitHub-Delivery`; redeliveries repeat it.
    pub guid: String,
    /// When it was sent.
    pub delivered_at: DateTime<Utc>,
    /// Whether somebody asked for it again.
    #[serde(default)]
    pub redelivery: bool,
    /// How long the receiver took, in seconds.
    #[serde(default)]
    pub duration: Option<f64>,
    /// `OK`, or what went wrong.
    pub status: String,
    /// HTTP status of the receiver's answer; 0 when there was none.
    #[serde(default)]
    pub status_code: i64,
    /// Name of the event.
    pub event: String,
    /// `action` of the payload.
    #[serde(default)]
    pub action: Option<String>,
    /// The installation it is about.
    #[serde(default)]
    pub installation_id: Option<i64>,
    /// The repository it is about.
    #[serde(default)]
    pub repository_id: Option<i64>,
    /// Set when GitHub held it back.
    #[serde(default)]
    pub throttled_at: Option<DateTime<Utc>>,
}

impl HookDelivery {
    /// Whether the receiver took it: GitHub calls everything else failed.
    pub fn is_good(&self) -> bool {
        self.status.eq_ignore_ascii_case("OK") || (200..300).contains(&self.status_code)
    }
}

/// A delivery with what was sent and answered.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HookDeliveryDetail {
    /// What the log says.
    #[serde(flatten)]
    pub delivery: HookDelivery,
    /// Where it was sent.
    #[serde(default)]
    pub url: Option<String>,
    /// What was sent.
    pub request: HookRequest,
    /// What was answered.
    pub response: HookResponse,
}

/// What was sent with a delivery.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HookRequest {
    /// HTTP headers.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub headers: Option<Map<String, Value>>,
    /// The payload; GitHub shows it parsed, so the bytes differ from those that were sent.
    #[serde(default)]
    pub payload: Option<Value>,
}

/// What was answered to a delivery.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({ "headers": { "Content-Type": "application/json" }, "payload": "{\"status\":\"ok\"}" }))]
pub struct HookResponse {
    /// HTTP headers.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub headers: Option<Map<String, Value>>,
    /// The body.
    #[serde(default)]
    pub payload: Option<Value>,
}

/// A part of a list, with the way to the next.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// The next page, if there is one.
    pub next: Option<NextPage>,
}

/// Where a list goes on: opaque, as GitHub gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextPage(String);

impl NextPage {
    /// Where the log of deliveries goes on at `cursor`.
    pub fn at_cursor(cursor: &str) -> Self {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("per_page", "100")
            .append_pair("cursor", cursor)
            .finish();
        Self(format!("/app/hook/deliveries?{query}"))
    }

    /// GitHub's cursor in it.
    pub fn cursor(&self) -> Option<String> {
        let (_, query) = self.0.split_once('?')?;
        let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "cursor");
        found.map(|(_, value)| value.into_owned())
    }
}

impl Client {
    /// `GET /app` (JWT).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn app(&self) -> Result<App, Error> {
        self.fetch(&Call::get("/app", Auth::Jwt)).await
    }

    /// `GET /users/{login}`, without credentials: a person or an organisation.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn account(&self, login: &str) -> Result<Owner, Error> {
        self.fetch(&Call::get(format!("/users/{}", segment(login)?), Auth::Anonymous)).await
    }

    /// On how many repositories the App acts by `installation`
    /// (`GET /installation/repositories`, its token).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn repositories_count(&self, installation: i64) -> Result<u64, Error> {
        #[derive(Deserialize)]
        struct Counted {
            total_count: u64,
        }
        let call = Call::get("/installation/repositories", Auth::installation(Target::Id(installation)));
        Ok(self.fetch::<Counted>(&call.query("per_page", 1)).await?.total_count)
    }

    /// `GET /app/hook/config` (JWT).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn hook_config(&self) -> Result<HookConfig, Error> {
        self.fetch(&Call::get("/app/hook/config", Auth::Jwt)).await
    }

    /// `PATCH /app/hook/config` (JWT); idempotent, retried.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn change_hook_config(&self, change: &HookChange) -> Result<HookConfig, Error> {
        let mut body = Map::new();
        let mut set = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), Value::from(value));
            }
        };
        set("url", change.url.as_deref());
        set("content_type", change.content_type.as_deref());
        set("insecure_ssl", change.verify_tls.map(|verify| if verify { "0" } else { "1" }));
        set("secret", change.secret.as_ref().map(Secret::expose));
        let call = Call::new(Method::PATCH, "/app/hook/config", Auth::Jwt).json(&body)?.repeatable(true).confidential();
        self.fetch(&call).await
    }

    /// `POST /app-manifests/{code}/conversions`, without credentials. The code works once and
    /// for an hour, so this is never repeated.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn convert_manifest(&self, code: &str) -> Result<NewApp, Error> {
        let path = format!("/app-manifests/{}/conversions", segment(code)?);
        self.fetch(&Call::new(Method::POST, path, Auth::Anonymous).confidential()).await
    }

    /// `GET /app/installations` (JWT), all pages.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn installations(&self) -> Result<Vec<Installation>, Error> {
        self.list(&Call::get("/app/installations", Auth::Jwt).query("per_page", 100)).await
    }

    /// `GET /repos/{owner}/{repo}/installation` (JWT); `None` when the App is not installed there.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn repository_installation(&self, repo: &str) -> Result<Option<Installation>, Error> {
        let path = format!("/repos/{}/installation", full_name(repo)?);
        match self.fetch(&Call::get(path, Auth::Jwt)).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// The installation that `target` names (JWT); `None` when there is none.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn installation_at(&self, target: &Target) -> Result<Option<Installation>, Error> {
        let path = match target {
            Target::Id(id) => format!("/app/installations/{id}"),
            Target::Repository { full_name: name, .. } => format!("/repos/{}/installation", full_name(name)?),
            Target::Organization(name) => format!("/orgs/{}/installation", segment(name)?),
            Target::User(name) => format!("/users/{}/installation", segment(name)?),
        };
        match self.fetch(&Call::get(path, Auth::Jwt)).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// `DELETE /app/installations/{id}` (JWT): uninstalls the App. `false` when it was not installed
    /// there any more.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_installation(&self, installation: i64) -> Result<bool, Error> {
        let call = Call::new(Method::DELETE, format!("/app/installations/{installation}"), Auth::Jwt);
        match self.send(&call).await {
            Err(error) if error.status() == Some(404) => Ok(false),
            outcome => outcome.map(|_| true),
        }
    }

    /// `GET /installation/repositories` (installation token): the repositories that the
    /// installation covers, all pages.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn covered_repositories(&self, installation: i64) -> Result<Vec<CoveredRepository>, Error> {
        let auth = Auth::installation(Target::Id(installation));
        self.list(&Call::get("/installation/repositories", auth).query("per_page", 100)).await
    }

    /// `GET /app/hook/deliveries` (JWT), newest first: one page of up to 100, the first or the
    /// one at `page`. The first is asked for conditionally: reading it again costs nothing while
    /// it stays the same.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn hook_deliveries(&self, page: Option<&NextPage>) -> Result<Page<HookDelivery>, Error> {
        let first = Call::get("/app/hook/deliveries", Auth::Jwt).query("per_page", 100);
        let call = match page {
            Some(NextPage(address)) => Self::following(&first, address.clone()),
            // What is asked again and again, and mostly has not changed.
            None => first.conditional(),
        };
        let answer = self.send(&call).await?;
        Ok(Page { items: answer.json(&call)?, next: answer.next_page().map(NextPage) })
    }

    /// `GET /app/hook/deliveries/{id}` (JWT).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn hook_delivery(&self, id: i64) -> Result<HookDeliveryDetail, Error> {
        self.fetch(&Call::get(format!("/app/hook/deliveries/{id}"), Auth::Jwt)).await
    }

    /// `POST /app/hook/deliveries/{id}/attempts` (JWT): GitHub sends it again, a little later.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn redeliver(&self, id: i64) -> Result<(), Error> {
        let call = Call::new(Method::POST, format!("/app/hook/deliveries/{id}/attempts"), Auth::Jwt);
        self.send(&call).await.map(|_| ())
    }
}
