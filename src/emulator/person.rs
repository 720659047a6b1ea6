//! What a person does at this GitHub, as a small client of `/_emulator`: for the demo and for tests.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::emulator::faults::Fault;

mod work;

/// How often a wait looks again.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Files by path; `None` deletes one.
pub type Files = BTreeMap<String, Option<String>>;

/// Why an act failed.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The emulator could not be reached.
    #[error("cannot reach the emulator: {0}")]
    Network(#[from] reqwest::Error),
    /// It refused.
    #[error("{method} {path} answered {status}: {message}")]
    Refused {
        /// Method.
        method: Method,
        /// Path.
        path: String,
        /// HTTP status.
        status: u16,
        /// The body.
        message: String,
    },
    /// What was waited for did not come in time.
    #[error("waited {0:?} in vain for {1}")]
    Timeout(Duration, String),
    /// The manifest page or its answer is not what a browser would get.
    #[error("the manifest flow broke off: {0}")]
    Flow(String),
}

/// A pull request to be opened.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OpenPull {
    /// Branch to commit to.
    pub branch: String,
    /// Title, also the commit's message.
    pub title: String,
    /// What to commit; empty when the branch is there already.
    pub files: Files,
    /// Text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Branch that it shall go to; the default branch when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Who opens it; the person at the browser when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// From a fork of that user.
    pub fork: bool,
    /// Not ready yet.
    pub draft: bool,
    /// Labels.
    pub labels: Vec<String>,
}

/// A delivery that is not what it claims to be.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RawDelivery {
    /// Slug of the App whose hook is used; the first App when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Event name.
    pub event: String,
    /// GUID; a new one when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    /// A string is sent byte for byte, anything else as compact JSON.
    pub payload: Value,
    /// Where to; the hook's address when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What to sign with; the hook's secret when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Headers to replace; `None` removes one.
    pub headers: BTreeMap<String, Option<String>>,
}

/// An opened pull request.
#[derive(Clone, Debug, Deserialize)]
pub struct OpenedPull {
    /// Its number.
    pub number: i64,
    /// Its page.
    pub html_url: String,
    /// Its newest commit.
    pub head: Head,
}

/// The end of a pull request that changes.
#[derive(Clone, Debug, Deserialize)]
pub struct Head {
    /// Commit.
    pub sha: String,
}

/// An App as the manifest conversion gives it; the secrets are those of an emulator.
#[derive(Clone, Debug, Deserialize)]
pub struct NewApp {
    /// Its id.
    pub id: i64,
    /// Its name in URLs.
    pub slug: String,
    /// Client id.
    pub client_id: String,
    /// Private key.
    pub pem: crate::util::Secret,
    /// Hook secret.
    pub webhook_secret: Option<crate::util::Secret>,
}

/// A person at the emulator's address. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Person {
    base: String,
    http: reqwest::Client,
}

impl Person {
    /// A person at `base`, such as `http://127.0.0.1:4000`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(base: impl Into<String>) -> Result<Self, PersonError> {
        let http = reqwest::Client::builder()
            .user_agent("pforge-person")
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self { base: base.into().trim_end_matches('/').to_owned(), http })
    }

    /// Where the emulator is.
    pub fn base(&self) -> &str {
        &self.base
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, PersonError> {
        let path = format!("/_emulator{path}");
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            return Err(PersonError::Refused { method, path, status: status.as_u16(), message: text });
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, PersonError> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn get(&self, path: &str) -> Result<Vec<Value>, PersonError> {
        match self.call(Method::GET, path, None).await? {
            Value::Array(items) => Ok(items),
            other => Ok(vec![other]),
        }
    }

    /// Registers an App as a browser does: posts the manifest, presses the green button, converts the code.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn register_app(&self, org: Option<&str>, manifest: &Value) -> Result<NewApp, PersonError> {
        let code = self.press(org, manifest).await?;
        let converted = self.http.post(format!("{}/app-manifests/{code}/conversions", self.base)).send().await?;
        Ok(converted.error_for_status()?.json().await?)
    }

    /// Posts a manifest and presses the green button; gives the code that the browser would carry back.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn press(&self, org: Option<&str>, manifest: &Value) -> Result<String, PersonError> {
        let mut manifest = manifest.clone();
        // Where the browser would go; nobody needs to be there.
        manifest["redirect_url"] = json!("http://localhost/callback");
        let settings = org.map_or_else(|| "/settings".to_owned(), |org| format!("/organizations/{org}/settings"));
        let form = [("manifest", manifest.to_string())];
        let page = self.http.post(format!("{}{settings}/apps/new?state=s", self.base)).form(&form).send().await?;
        if !page.status().is_success() {
            return Err(PersonError::Flow(page.text().await?));
        }
        let form = [("manifest", manifest.to_string()), ("state", "s".to_owned())];
        let pressed = self.http.post(format!("{}{settings}/apps", self.base)).form(&form).send().await?;
        let target = pressed.headers().get("location").and_then(|v| v.to_str().ok()).map(url::Url::parse);
        let Some(Ok(target)) = target else { return Err(PersonError::Flow(pressed.text().await?)) };
        let code = target.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
        code.ok_or_else(|| PersonError::Flow("no code".to_owned()))
    }

    /// Makes an organisation.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn create_org(&self, login: &str) -> Result<(), PersonError> {
        self.post("/orgs", json!({ "login": login })).await.map(drop)
    }

    /// Makes a repository with a first commit of `files`.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn create_repo(&self, owner: &str, name: &str, files: &Files) -> Result<Value, PersonError> {
        self.post("/repos", json!({ "owner": owner, "name": name, "files": files })).await
    }

    /// Installs the App `slug` on `account`, on `repositories` or on all; gives the installation's id.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn install(&self, slug: &str, account: &str, repositories: Option<&[&str]>) -> Result<i64, PersonError> {
        let body = json!({ "account": account, "repositories": repositories });
        let installation = self.post(&format!("/apps/{slug}/installations"), body).await?;
        installation["id"].as_i64().ok_or_else(|| PersonError::Flow("no installation id".to_owned()))
    }

    /// Removes an installation.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn uninstall(&self, installation: i64) -> Result<(), PersonError> {
        self.call(Method::DELETE, &format!("/installations/{installation}"), None).await.map(drop)
    }

    /// Suspends or wakes an installation.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn suspend(&self, installation: i64, suspended: bool) -> Result<(), PersonError> {
        let path = format!("/installations/{installation}/suspended");
        self.post(&path, json!({ "suspended": suspended })).await.map(drop)
    }

    /// Changes an App as its owner: `permissions`, `events`, `hook_active` and `hook_url` of `edit`, those that it has.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn edit_app(&self, slug: &str, edit: Value) -> Result<Value, PersonError> {
        self.call(Method::PATCH, &format!("/apps/{slug}"), Some(edit)).await
    }

    /// Approves what the App asks for now, as the owner of the installation's account.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn approve(&self, installation: i64) -> Result<(), PersonError> {
        self.post(&format!("/installations/{installation}/approve"), json!({})).await.map(drop)
    }

    /// Makes another key for the App `slug`.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn add_key(&self, slug: &str) -> Result<crate::util::Secret, PersonError> {
        let made = self.post(&format!("/apps/{slug}/keys"), json!({})).await?;
        Ok(crate::util::Secret::new(made["pem"].as_str().unwrap_or_default()))
    }

    /// Revokes all keys of the App `slug`.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn revoke_keys(&self, slug: &str) -> Result<(), PersonError> {
        self.call(Method::DELETE, &format!("/apps/{slug}/keys"), None).await.map(drop)
    }

    /// Asks the owners of `account` to install the App `slug`.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn request_installation(&self, slug: &str, account: &str, user: &str) -> Result<(), PersonError> {
        let path = format!("/apps/{slug}/installation-requests");
        self.post(&path, json!({ "account": account, "user": user })).await.map(drop)
    }

    /// Adds and removes repositories of an installation, by name.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn select(&self, installation: i64, add: &[&str], remove: &[&str]) -> Result<(), PersonError> {
        let path = format!("/installations/{installation}/repositories");
        self.post(&path, json!({ "add": add, "remove": remove })).await.map(drop)
    }

    /// Opens a pull request on `repo` (`owner/name`).
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn open_pull(&self, repo: &str, pull: &OpenPull) -> Result<OpenedPull, PersonError> {
        let opened = self.post(&format!("/repos/{repo}/pulls"), json!(pull)).await?;
        serde_json::from_value(opened).map_err(|e| PersonError::Flow(e.to_string()))
    }

    /// Commits `files` to `branch`; gives the commit.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn push(
        &self,
        repo: &str,
        branch: &str,
        files: &Files,
        user: Option<&str>,
    ) -> Result<String, PersonError> {
        let body = json!({ "branch": branch, "files": files, "user": user });
        let pushed = self.post(&format!("/repos/{repo}/push"), body).await?;
        Ok(pushed["sha"].as_str().unwrap_or_default().to_owned())
    }

    /// Writes a comment on an issue or pull request; gives its id.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn comment(&self, repo: &str, number: i64, body: &str, user: Option<&str>) -> Result<i64, PersonError> {
        let path = format!("/repos/{repo}/issues/{number}/comments");
        Ok(self.post(&path, json!({ "body": body, "user": user })).await?["id"].as_i64().unwrap_or_default())
    }

    /// Opens an issue; gives its number.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn open_issue(&self, repo: &str, title: &str, labels: &[&str]) -> Result<i64, PersonError> {
        let opened = self.post(&format!("/repos/{repo}/issues"), json!({ "title": title, "labels": labels })).await?;
        Ok(opened["number"].as_i64().unwrap_or_default())
    }

    /// Puts labels on an issue or pull request.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn label(&self, repo: &str, number: i64, labels: &[&str]) -> Result<(), PersonError> {
        self.post(&format!("/repos/{repo}/issues/{number}/labels"), json!({ "labels": labels })).await.map(drop)
    }

    /// Merges a pull request; gives the merge commit.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn merge(&self, repo: &str, number: i64) -> Result<String, PersonError> {
        let merged = self.post(&format!("/repos/{repo}/pulls/{number}/merge"), json!({})).await?;
        Ok(merged["sha"].as_str().unwrap_or_default().to_owned())
    }

    /// Closes (`open` false) or reopens an issue or pull request.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn set_open(&self, repo: &str, number: i64, open: bool) -> Result<(), PersonError> {
        self.post(&format!("/repos/{repo}/issues/{number}"), json!({ "open": open })).await.map(drop)
    }

    /// Gives an issue or pull request another title.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn retitle(&self, repo: &str, number: i64, title: &str) -> Result<(), PersonError> {
        self.post(&format!("/repos/{repo}/issues/{number}"), json!({ "title": title })).await.map(drop)
    }

    /// Sends delivery `id` again; gives the id of the new attempt.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn redeliver(&self, id: i64) -> Result<i64, PersonError> {
        let new = self.post(&format!("/deliveries/{id}/attempts"), json!({})).await?;
        Ok(new["id"].as_i64().unwrap_or_default())
    }

    /// Sends something that did not happen, or with a wrong signature; gives the attempt's id.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn send_raw(&self, delivery: &RawDelivery) -> Result<i64, PersonError> {
        Ok(self.post("/deliveries", json!(delivery)).await?["id"].as_i64().unwrap_or_default())
    }

    /// Makes GitHub's clock run `seconds` ahead of the machine's.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn skew_clock(&self, seconds: i64) -> Result<(), PersonError> {
        self.call(Method::PUT, "/clock", Some(json!({ "skew_seconds": seconds }))).await.map(drop)
    }

    /// Makes something go wrong.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn fault(&self, fault: &Fault) -> Result<(), PersonError> {
        self.post("/faults", json!(fault)).await.map(drop)
    }

    /// Ends all faults.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn clear_faults(&self) -> Result<(), PersonError> {
        self.call(Method::DELETE, "/faults", None).await.map(drop)
    }

    /// The faults that have not run out.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn faults(&self) -> Result<Vec<Value>, PersonError> {
        self.get("/faults").await
    }

    /// The check runs of commit `sha`, newest first.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn check_runs(&self, repo: &str, sha: &str) -> Result<Vec<Value>, PersonError> {
        self.get(&format!("/repos/{repo}/check-runs?sha={sha}")).await
    }

    /// An issue or (in its long form) a pull request.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn issue(&self, repo: &str, number: i64) -> Result<Value, PersonError> {
        self.call(Method::GET, &format!("/repos/{repo}/issues/{number}"), None).await
    }

    /// The comments of an issue or pull request, oldest first.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn comments(&self, repo: &str, number: i64) -> Result<Vec<Value>, PersonError> {
        self.get(&format!("/repos/{repo}/issues/{number}/comments")).await
    }

    /// All deliveries with their payloads, oldest first; those under way have a `status` of null.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn deliveries(&self) -> Result<Vec<Value>, PersonError> {
        self.get("/deliveries").await
    }

    /// As [`Person::deliveries`], those with an id above `after` only.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn deliveries_after(&self, after: i64) -> Result<Vec<Value>, PersonError> {
        self.get(&format!("/deliveries?after={after}")).await
    }

    /// All exchanges with Apps, oldest first.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn calls(&self) -> Result<Vec<Value>, PersonError> {
        self.get("/calls").await
    }

    /// As [`Person::calls`], those with a number above `after` only.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn calls_after(&self, after: u64) -> Result<Vec<Value>, PersonError> {
        self.get(&format!("/calls?after={after}")).await
    }

    /// Exchanges for which the emulator has no route.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn unknown(&self) -> Result<Vec<Value>, PersonError> {
        self.get("/unknown").await
    }

    /// Waits until `look` finds something.
    ///
    /// # Errors
    /// [`PersonError::Timeout`] naming `what` after `patience`, or what `look` fails with.
    pub async fn wait_for<T, F>(&self, what: &str, patience: Duration, mut look: F) -> Result<T, PersonError>
    where
        F: AsyncFnMut(&Self) -> Result<Option<T>, PersonError>,
    {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(found) = look(self).await? {
                return Ok(found);
            }
            if Instant::now() >= deadline {
                return Err(PersonError::Timeout(patience, what.to_owned()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until a check run of `sha` satisfies `good`.
    ///
    /// # Errors
    /// See [`Person::wait_for`].
    pub async fn wait_for_check_run(
        &self,
        repo: &str,
        sha: &str,
        patience: Duration,
        good: impl Fn(&Value) -> bool,
    ) -> Result<Value, PersonError> {
        let what = format!("a check run of {sha}");
        self.wait_for(&what, patience, async |me| Ok(me.check_runs(repo, sha).await?.into_iter().find(&good))).await
    }

    /// Waits until no delivery is under way; gives all of them.
    ///
    /// # Errors
    /// See [`Person::wait_for`].
    pub async fn settled(&self, patience: Duration) -> Result<Vec<Value>, PersonError> {
        self.wait_for("the deliveries to settle", patience, async |me| {
            let all = me.deliveries().await?;
            Ok(all.iter().all(|d| !d["status"].is_null()).then_some(all))
        })
        .await
    }
}
