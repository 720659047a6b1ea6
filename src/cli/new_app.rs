//! `new-app`: the page on this machine that sends a person to GitHub and takes the new App's
//! credentials when they come back.

pub mod page;
pub mod site;
mod wait;

use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};
use url::Url;

use self::page::{Authorize, Created};
use self::site::{Code, Content, Listeners, Page, Site, Verdict};
use self::wait::Waited;
use super::app::credentials::Credentials;
use super::app::owner::Account;
use super::browser;
use super::config::section::Place;
use super::cx::Cx;
use super::error::{Error, Kind, Result};
use super::ui::Tone;
use crate::github::api::apps::{HookChange, NewApp};
use crate::github::manifest::Manifest;
use crate::github::{self, Client, Config};
use crate::util::id::random_hex;
use crate::util::{Secret, text};

/// Everything that is known before anybody is asked.
pub struct Plan {
    /// Who will own the App.
    pub account: Account,
    /// What it will be like.
    pub manifest: Manifest,
    /// Where the manifest comes from.
    pub origin: String,
    /// The config that takes the credentials; it has no App.
    pub place: Place,
    /// Speaks to GitHub without credentials.
    pub client: Client,
    /// GitHub for people, without a slash at the end.
    pub web: String,
    /// What GitHub must bring back.
    pub state: Secret,
}

/// How long to wait for people.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Until the App is created.
    pub timeout: Duration,
    /// Until it is installed; `None` does not wait for that.
    pub install_timeout: Option<Duration>,
    /// Whether to open the browser.
    pub browser: bool,
}

/// The App that was created.
pub struct Done {
    /// As GitHub told it.
    pub app: NewApp,
    /// Speaks as it.
    pub client: Client,
    /// Whether the config is encrypted.
    pub encrypted: bool,
}

/// Nothing was created because the person would not go on.
pub fn interrupted() -> Error {
    Error::new(Kind::Interrupted, "interrupted: no App was created")
}

/// Shows the page, takes the App that comes back, saves it, and waits until it is installed.
///
/// # Errors
/// When nobody comes back in time, GitHub refuses, or the credentials cannot be saved; these are
/// then in a file that the error names.
pub async fn create(cx: &Cx, plan: &Plan, listeners: Listeners, options: &Options) -> Result<Done> {
    let (send, codes) = unbounded_channel();
    let (port, nonce) = (listeners.port(), random_hex(16)?);
    let site = Site::serve(listeners, content(cx, plan, &nonce)?, send)
        .map_err(|error| Error::failure("cannot serve the page").caused_by(&error))?;
    announce(cx, plan, options, port)?;
    let done = exchange(cx, plan, options, codes, &nonce).await?;
    finish(cx, plan, options, &done).await?;
    // Until here: whoever reloads the page sees what became of it.
    drop(site);
    Ok(done)
}

impl Plan {
    /// Where the form goes.
    fn action(&self) -> String {
        format!("{}/new?state={}", self.account.apps_page(&self.web), self.state.expose())
    }

    /// The config file, for people.
    fn config(&self, cx: &Cx) -> String {
        cx.settings.shown(self.place.path())
    }

    /// How the deployment is named on the command line.
    fn deployment(&self) -> &str {
        let file = self.place.path().file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        file.strip_prefix("config.").unwrap_or(file)
    }

    /// Tells what will be created, with `more` facts.
    pub fn headline(&self, cx: &Cx, more: &[(&str, String)]) {
        let name = cx.ui.paint(Tone::Strong, &self.manifest.name);
        let host = self.web.split_once("://").map_or(self.web.as_str(), |(_, host)| host);
        cx.ui.status(format!("pforge new-app · {name} · {} · {host}", self.account.told()));
        let config = format!("{} ({})", self.config(cx), kind(self.place.is_encrypted()));
        cx.ui.facts(&[&[("manifest", self.origin.clone()), ("config", config)], more].concat());
    }
}

fn kind(encrypted: bool) -> &'static str {
    if encrypted { "encrypted" } else { "in clear" }
}

fn content(cx: &Cx, plan: &Plan, nonce: &str) -> Result<Content> {
    let action = plan.action();
    let json =
        serde_json::to_string_pretty(&plan.manifest).map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
    let config = plan.config(cx);
    let owner = plan.account.told();
    let about = Authorize { manifest: &plan.manifest, json: &json, action: &action, owner: &owner, config: &config };
    let form_target = Url::parse(&action).map_err(|error| Error::config(format!("{action}: {error}")))?;
    Ok(Content {
        authorize: page::authorize(&about, nonce),
        state: plan.state.clone(),
        form_target,
        nonce: nonce.to_owned(),
    })
}

fn announce(cx: &Cx, plan: &Plan, options: &Options, port: u16) -> Result {
    let url = format!("http://localhost:{port}/authorize.html");
    if cx.ui.json() {
        return cx.ui.event(&json!({
            "type": "ready", "url": url, "name": plan.manifest.name, "owner": plan.account.login,
            "config": plan.config(cx), "pid": std::process::id(),
        }));
    }
    plan.headline(cx, &[]);
    cx.ui.line(format!("To authorize a new dev app, navigate to {url}"))?;
    let waiting = format!("waiting for GitHub for {}; Ctrl-C gives up", text::duration(options.timeout));
    if options.browser && browser::open(cx, &url) {
        cx.ui.status(format!("opened in the browser; {waiting}"));
    } else {
        cx.ui.status(waiting);
    }
    Ok(())
}

/// Takes codes until one makes an App.
async fn exchange(
    cx: &Cx,
    plan: &Plan,
    options: &Options,
    mut codes: UnboundedReceiver<Code>,
    nonce: &str,
) -> Result<Done> {
    let deadline = Instant::now() + options.timeout;
    loop {
        let code = tokio::select! {
            code = codes.recv() => code.ok_or_else(|| Error::new(Kind::Bug, "the page on this machine ended"))?,
            () = sleep_until(deadline) => return Err(too_late(plan, options.timeout)),
            () = cx.shutdown.cancelled() => return Err(interrupted()),
        };
        // From here on nothing interrupts: GitHub tells the credentials once.
        let app = match plan.client.convert_manifest(code.code.expose()).await {
            Ok(app) => app,
            Err(error) => {
                let again = error.is_transient();
                let advice = if again {
                    "Reload this page to try again: the code may still be good."
                } else {
                    "The terminal says what to do."
                };
                let shown = page::wrong(502, "GitHub did not give the credentials", &error.to_string(), advice, nonce);
                conclude(code, if again { Verdict::Again(shown) } else { Verdict::Final(shown) }).await;
                if again {
                    cx.ui.warn(format!("{error}; reload the page in the browser to try again"));
                    continue;
                }
                return Err(refused(plan, error));
            }
        };
        let (shown, outcome) = match save(cx, plan, options, app, nonce).await {
            Ok((page, done)) => (page, Ok(done)),
            Err(error) => {
                let what = format!("{}: {}", error.message, error.causes.join("; "));
                let title = "The credentials could not be saved where they belong";
                (page::wrong(500, title, &what, "The terminal says what to do.", nonce), Err(error))
            }
        };
        conclude(code, Verdict::Final(shown)).await;
        return outcome;
    }
}

/// Without holding up the runtime: the browser may be slow.
async fn conclude(code: Code, verdict: Verdict) {
    // It fails only when the runtime ends.
    let _ = tokio::task::spawn_blocking(move || code.conclude(verdict)).await;
}

fn refused(plan: &Plan, error: github::Error) -> Error {
    Error { kind: Kind::Failure, ..Error::from(error) }
        .context("GitHub refused the code of the new App")
        .because(format!(
            "should the App be listed at {}, delete it there first: its key is lost",
            plan.account.apps_page(&plan.web)
        ))
        .hint(format!("pforge new-app {} …", plan.account.login))
}

async fn save(cx: &Cx, plan: &Plan, options: &Options, app: NewApp, nonce: &str) -> Result<(Page, Done)> {
    let api_url = plan.client.api_url();
    let elsewhere = api_url.host_str() != Some("api.github.com");
    let (webhook_secret, own) = match &app.webhook_secret {
        Some(secret) => (secret.clone(), false),
        None => (Secret::new(random_hex(20)?), true),
    };
    let kept = Credentials::of(&app, webhook_secret, elsewhere.then(|| api_url.as_str().trim_end_matches('/').into()));
    let written = kept.write_new(cx, &plan.place)?;
    // From here on, nothing that fails loses anything.
    let config = Config { api_url: api_url.clone(), credentials: kept.speaker(), clock: cx.clock.clone() };
    let client = Client::new(config)?;
    if own {
        let change = HookChange { secret: Some(kept.webhook_secret.clone()), ..HookChange::default() };
        if plan.manifest.hook_attributes.is_none() || client.change_hook_config(&change).await.is_err() {
            cx.ui.warn("the App has no webhook; one that is added later needs the webhook_secret in the config");
        }
    }
    let config = plan.config(cx);
    let fingerprint = client.key_fingerprint()?.to_owned();
    let owner = app.owner.as_ref().map_or(plan.account.login.as_str(), |owner| owner.login.as_str());
    let about = Created {
        name: &app.name,
        id: app.id,
        owner,
        html_url: &app.html_url,
        install_url: &install_url(&app),
        fingerprint: &fingerprint,
        config: &config,
        goes_on: options.install_timeout.is_some(),
    };
    let page = page::created(&about, nonce);
    tell(cx, plan, &app, owner, &fingerprint, written.encrypted)?;
    plan.place.warn_if_in_clear(cx, written);
    Ok((page, Done { app, client, encrypted: written.encrypted }))
}

fn install_url(app: &NewApp) -> String {
    format!("{}/installations/new", app.html_url.trim_end_matches('/'))
}

fn tell(cx: &Cx, plan: &Plan, app: &NewApp, owner: &str, fingerprint: &str, encrypted: bool) -> Result {
    let config = plan.config(cx);
    if cx.ui.json() {
        cx.ui.event(&json!({
            "type": "created", "id": app.id, "name": app.name, "slug": app.slug, "owner": owner,
            "client_id": app.client_id, "html_url": app.html_url, "key_fingerprint": fingerprint,
            "config": config, "encrypted": encrypted, "install_url": install_url(app),
        }))?;
    } else {
        let mark = cx.ui.paint(Tone::Good, "✓");
        cx.ui.status(format!("{mark} {} is created (#{}, {owner})", cx.ui.paint(Tone::Strong, &app.name), app.id));
        cx.ui.facts(&[("key", fingerprint.to_owned()), ("config", format!("{config} ({})", kind(encrypted)))]);
    }
    if !owner.eq_ignore_ascii_case(&plan.account.login) {
        cx.ui.warn(format!(
            "the App belongs to {owner}, not to {}: the browser was logged in as somebody else",
            plan.account.login
        ));
    }
    if app.name != plan.manifest.name {
        cx.ui.status(format!("GitHub knows it as {}; the config file keeps the name {config}", app.name));
    }
    Ok(())
}

async fn finish(cx: &Cx, plan: &Plan, options: &Options, done: &Done) -> Result {
    let config = plan.config(cx);
    cx.ui.status(format!("install it at {}", cx.ui.paint(Tone::Link, &install_url(&done.app))));
    let waited = match options.install_timeout {
        Some(patience) => {
            let spinner = cx.ui.spinner("waiting for the installation; Ctrl-C goes on without it");
            Some(wait::installation(cx, &done.client, patience, &spinner).await?)
        }
        None => None,
    };
    let mark = cx.ui.paint(Tone::Good, "✓");
    match &waited {
        Some(Waited::Installed(installation, count)) if !cx.ui.json() => {
            cx.ui.status(format!("{mark} {}", wait::told(installation, *count)));
        }
        Some(Waited::TooLong) => {
            let time = text::duration(options.install_timeout.unwrap_or_default());
            cx.ui.warn(format!("it is not installed after {time}; {config} has the App"));
        }
        Some(Waited::Interrupted) => cx.ui.status(format!("not installed yet; {config} has the App")),
        _ => {}
    }
    if cx.ui.json() {
        let (installed, repositories) = match &waited {
            Some(Waited::Installed(installation, count)) => (Some(installation), *count),
            _ => (None, None),
        };
        return cx.ui.event(&json!({
            "type": "done", "id": done.app.id, "encrypted": done.encrypted, "repositories": repositories,
            "installation": installed.map(|one| json!({
                "id": one.id,
                "account": one.account.as_ref().map(|account| &account.login),
                "repository_selection": one.repository_selection,
            })),
        }));
    }
    cx.ui.hint(format!("pforge --deployment {} app show", plan.deployment()));
    Ok(())
}

fn too_late(plan: &Plan, time: Duration) -> Error {
    Error::failure(format!("nobody came back from GitHub within {}: no App was created", text::duration(time)))
        .because(format!(
            "should it be created yet at {}, delete it there: nobody has its key",
            plan.account.apps_page(&plan.web)
        ))
        .hint(format!("pforge new-app {} … --timeout 30m", plan.account.login))
}
