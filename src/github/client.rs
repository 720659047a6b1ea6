//! The REST client: who speaks, and what a 401 means.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::sleep;
use url::Url;

use super::auth::{AppCredentials, Auth, Scope, Target};
use super::call::{Answer, Call, segment};
use super::error::{Error, said};
use super::explain::{self, Refusal};
use super::jwt::Signer;
use super::pages;
use super::rate::{Account, Budget};
use super::send::Transport;
use super::tokens::Tokens;
use crate::util::retry::Backoff;
use crate::util::{Clock, Secret};

/// What a client needs.
#[derive(Clone, Debug)]
pub struct Config {
    /// `https://api.github.com`, `https://ghes.example/api/v3`, or the emulator.
    pub api_url: Url,
    /// Who we are.
    pub credentials: AppCredentials,
    /// The clock.
    pub clock: Clock,
}

/// How patient and how polite a client is.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Longest time to connect.
    pub connect_timeout: Duration,
    /// Longest time from the request to the end of its answer.
    pub timeout: Duration,
    /// Attempts in all, for calls that may be repeated.
    pub attempts: u32,
    /// Waits between attempts.
    pub backoff: Backoff,
    /// Longest time that a call waits for a rate limit; longer waits are returned as an error
    /// with [`super::StatusError::retry_after`].
    pub patience: Duration,
    /// How long GitHub may take until it knows a token that it just gave.
    pub fresh_token: Duration,
    /// Requests under way at the same time; GitHub allows 100.
    pub concurrency: usize,
    /// How much an installation may create.
    pub budget: Budget,
    /// Pages of one list; more are an error, never cut.
    pub max_pages: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            attempts: 4,
            backoff: Backoff { base: Duration::from_millis(200), factor: 3, cap: Duration::from_secs(5), jitter: 0.3 },
            patience: Duration::from_secs(10),
            fresh_token: Duration::from_secs(5),
            concurrency: 100,
            budget: Budget::default(),
            max_pages: 100,
        }
    }
}

/// A client that speaks as one App. Cheap to clone; clones share token cache and limits.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    transport: Transport,
    signer: Option<Signer>,
    tokens: Tokens,
}

/// A client bound to one repository, speaking by installation token.
#[derive(Clone, Debug)]
pub struct Repository {
    client: Client,
    full_name: String,
    installation: Option<i64>,
}

impl Client {
    /// Prepares a client; reads the key, does no I/O.
    ///
    /// # Errors
    /// [`Error::Credentials`] when the key cannot sign, [`Error::Invalid`] for a bad address.
    pub fn new(config: Config) -> Result<Self, Error> {
        Self::with_tuning(config, Tuning::default())
    }

    /// Prepares a client with other patience than [`Client::new`].
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_tuning(config: Config, tuning: Tuning) -> Result<Self, Error> {
        let signer = Signer::new(&config.credentials, config.clock.clone())?;
        Self::build(config.api_url, config.clock, Some(signer), tuning)
    }

    /// A client without credentials, for the time before there is an App.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad address.
    pub fn anonymous(api_url: Url, clock: Clock) -> Result<Self, Error> {
        Self::build(api_url, clock, None, Tuning::default())
    }

    fn build(api_url: Url, clock: Clock, signer: Option<Signer>, tuning: Tuning) -> Result<Self, Error> {
        let transport = Transport::new(api_url, tuning, clock)?;
        Ok(Self { inner: Arc::new(Inner { transport, signer, tokens: Tokens::default() }) })
    }

    /// Calls on `full_name` (`owner/repo`) by the token of `installation`, or of the
    /// installation that GitHub names for that repository.
    pub fn repository(&self, full_name: &str, installation: Option<i64>) -> Repository {
        Repository { client: self.clone(), full_name: full_name.to_owned(), installation }
    }

    /// Where GitHub's API is, with a slash at the end.
    pub fn api_url(&self) -> &Url {
        self.inner.transport.base()
    }

    /// A JWT that speaks as the App, good for one to nine minutes; for scripts.
    ///
    /// # Errors
    /// [`Error::Credentials`] when the client has none.
    pub fn jwt(&self) -> Result<Secret, Error> {
        Ok(self.signer()?.jwt()?.text)
    }

    /// The private key's fingerprint as the App's settings page shows it (`SHA256:…`).
    ///
    /// # Errors
    /// [`Error::Credentials`] when the client has none.
    pub fn key_fingerprint(&self) -> Result<&str, Error> {
        Ok(self.signer()?.fingerprint())
    }

    /// How far GitHub's clock is ahead of ours, in seconds; 0 unless a 401 taught otherwise.
    pub fn clock_skew_s(&self) -> i64 {
        self.inner.signer.as_ref().map_or(0, Signer::skew_s)
    }

    /// Sends `method path` with `body`, as whom `auth` says; an error status is an error.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn request(&self, auth: Auth, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Error> {
        let mut call = Call::new(method, path, auth);
        if let Some(body) = body {
            call = call.json(body)?;
        }
        self.send(&call).await
    }

    /// Sends `call`; an error status is an error.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn send(&self, call: &Call) -> Result<Answer, Error> {
        self.checked(call, self.exchange(call).await?)
    }

    /// Sends `call`; any status is an answer, which [`Client::checked`] can judge.
    ///
    /// # Errors
    /// See [`Error`]: those of finding and minting what the call is made with, and no answer.
    pub async fn exchange(&self, call: &Call) -> Result<Answer, Error> {
        match &call.auth {
            Auth::Anonymous => self.inner.transport.exchange(call, None, Account::Anonymous).await,
            Auth::Jwt => self.exchange_as_app(call).await,
            Auth::Installation { of, scope } => self.exchange_as_installation(call, of, scope).await,
        }
    }

    /// Sends `call` and reads the answer as `T`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn fetch<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        self.send(call).await?.json(call)
    }

    /// Sends `call` and all pages that follow, merged into one value. An answer without further
    /// pages is returned as it is, whatever its shape.
    ///
    /// # Errors
    /// [`Error::Decode`] when there are more pages than [`Tuning::max_pages`] or when they do not
    /// fit together, [`Error::Invalid`] when the next one is on another host; else see [`Error`].
    pub async fn pages(&self, call: &Call) -> Result<Value, Error> {
        let mut answer = self.send(call).await?;
        let mut merged: Value = answer.json(call)?;
        let mut seen = 1;
        while let Some(next) = answer.next_page() {
            if seen >= self.inner.transport.tuning().max_pages {
                return Err(call.undecodable(format!("more than {seen} pages")));
            }
            answer = self.send(&Self::following(call, next)).await?;
            pages::merge(&mut merged, answer.json(call)?).map_err(|reason| call.undecodable(reason))?;
            seen += 1;
        }
        Ok(merged)
    }

    /// All items of a list, from all its pages.
    ///
    /// # Errors
    /// As [`Client::pages`].
    pub async fn list<T: DeserializeOwned>(&self, call: &Call) -> Result<Vec<T>, Error> {
        let items = pages::items(self.pages(call).await?).map_err(|reason| call.undecodable(reason))?;
        let read = items.into_iter().map(serde_json::from_value).collect::<Result<_, _>>();
        read.map_err(|error| call.undecodable(error.to_string()))
    }

    /// The call for the page at `next`, which GitHub named in the answer to `call`. One on another
    /// host is refused when it is sent, as every address is.
    pub(super) fn following(call: &Call, next: String) -> Call {
        Call { path: next, query: Vec::new(), ..call.clone() }
    }

    /// Sends `call` by JWT; an error status is an error.
    pub(super) async fn send_as_app(&self, call: &Call) -> Result<Answer, Error> {
        self.checked(call, self.exchange_as_app(call).await?)
    }

    /// Sends `call` by JWT. On a 401 that our clock explains, signs once more by GitHub's.
    async fn exchange_as_app(&self, call: &Call) -> Result<Answer, Error> {
        let signer = self.signer()?;
        let jwt = signer.jwt()?;
        let transport = &self.inner.transport;
        let mut answer = transport.exchange(call, Some(&jwt.text), Account::App).await?;
        if answer.status == StatusCode::UNAUTHORIZED && answer.date().is_some_and(|date| signer.heal(&jwt, date)) {
            let jwt = signer.jwt()?;
            answer = transport.exchange(call, Some(&jwt.text), Account::App).await?;
        }
        Ok(answer)
    }

    /// Sends `call` by installation token. A 401 says that nothing was done, so that any call
    /// may be sent again: a fresh token until GitHub's replicas know it, then a new one once.
    async fn exchange_as_installation(&self, call: &Call, of: &Target, scope: &Scope) -> Result<Answer, Error> {
        let transport = &self.inner.transport;
        let mut minted_anew = false;
        let mut pause = Duration::from_millis(100);
        loop {
            let token = self.installation_token(of, scope).await?;
            let account = Account::Installation(token.installation);
            let answer = transport.exchange(call, Some(&token.token), account).await?;
            if answer.status != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            let left = transport.tuning().fresh_token.saturating_sub(token.minted.elapsed());
            if !left.is_zero() {
                sleep(pause.min(left)).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            } else if minted_anew {
                return Ok(answer);
            } else {
                self.forget_token(&token, scope).await;
                minted_anew = true;
            }
        }
    }

    /// `answer` to `call`, or the error that its status says.
    ///
    /// # Errors
    /// [`Error::Status`] for any status but those of success.
    pub fn checked(&self, call: &Call, answer: Answer) -> Result<Answer, Error> {
        if answer.status.is_success() {
            return Ok(answer);
        }
        let mut said = said(&answer.body);
        if said.message.is_empty() {
            said.message = answer.status.canonical_reason().unwrap_or("no reason given").to_owned();
        }
        let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let refusal = Refusal {
            status: answer.status.as_u16(),
            attempts: answer.attempts,
            said,
            retry_after: self.inner.transport.retry_after(&answer),
            accepted_permissions: header("x-accepted-github-permissions"),
            web_url: explain::web_url(self.api_url()),
            skew_s: self.clock_skew_s(),
        };
        Err(explain::status_error(call, refusal))
    }

    pub(super) fn signer(&self) -> Result<&Signer, Error> {
        self.inner.signer.as_ref().ok_or_else(|| Error::Credentials("no App is configured".into()))
    }

    /// How long GitHub may take until all of it knows a new token.
    pub(super) fn fresh_token(&self) -> Duration {
        self.inner.transport.tuning().fresh_token
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.inner.tokens
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api_url", &self.api_url().as_str()).finish_non_exhaustive()
    }
}

impl Repository {
    /// `owner/repo`.
    pub fn full_name(&self) -> &str {
        &self.full_name
    }

    /// The client that this speaks through.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// `method /repos/{owner}/{repo}/{rest}`; `rest` must be encoded already.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the name is not `owner/repo`.
    pub fn call(&self, method: Method, rest: &str) -> Result<Call, Error> {
        let path = format!("/repos/{}/{rest}", full_name(&self.full_name)?);
        let of = Target::Repository { full_name: self.full_name.clone(), installation: self.installation };
        Ok(Call::new(method, path, Auth::installation(of)))
    }
}

/// `owner/repo` as two encoded segments of a path.
pub(super) fn full_name(text: &str) -> Result<String, Error> {
    match text.split_once('/') {
        Some((owner, repo)) if !repo.contains('/') => Ok(format!("{}/{}", segment(owner)?, segment(repo)?)),
        _ => Err(Error::Invalid(format!("{text:?} is not owner/repo"))),
    }
}
