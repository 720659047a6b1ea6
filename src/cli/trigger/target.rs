//! Where deliveries go, who signs them, and the world that they tell of.

use std::fs;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use url::Url;

use super::args::Destination;
use crate::cli::api::{self, Api};
use crate::cli::config::Sourced;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::github::payloads::World;
use crate::github::signature::Key;
use crate::proxy::Incoming;
use crate::proxy::incoming::HookIds;
use crate::util::host;

/// The path of pforge's own webhook.
const HOOK: &str = "/github/hooks/";

/// Signs deliveries.
pub struct Signer {
    key: Key,
    app: i64,
    headers: Vec<(String, String)>,
}

impl Signer {
    /// With the secret of the file or of the config.
    ///
    /// # Errors
    /// When there is neither, or a header is none.
    pub fn new(cx: &Cx, destination: &Destination) -> Result<Self> {
        let headers = destination.header.iter().map(|header| read_header(header)).collect::<Result<_>>()?;
        if let Some(path) = &destination.webhook_secret_file {
            let shown = path.display();
            let secret = fs::read(path)
                .map(zeroize::Zeroizing::new)
                .map_err(|error| Error::failure(format!("cannot read {shown}")).caused_by(&error))?;
            let secret = secret.strip_suffix(b"\n").unwrap_or(&secret);
            let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
            if secret.is_empty() {
                return Err(Error::failure(format!("{shown} is empty")).because("it should hold the webhook secret"));
            }
            let app = cx.config().ok().and_then(|file| app_id(file.github_app.as_ref()?.id));
            return Ok(Self { key: Key::new(secret), app: app.unwrap_or(world(cx)?.app_id), headers });
        }
        let told = |error: Error| {
            let told = error.context("there is no webhook secret to sign with");
            told.hint("pforge trigger … --webhook-secret-file FILE")
                .hint("pforge trigger … --dry-run   # prints the payload")
        };
        let file = cx.config().map_err(told)?;
        let app = file.need_app().map_err(told)?;
        let key = Key::new(app.webhook_secret.expose().as_bytes());
        Ok(Self { key, app: app_id(app.id).unwrap_or_default(), headers })
    }

    /// A signed delivery with all of GitHub's headers, and with those that were asked for.
    pub fn sign(&self, event: &str, guid: &str, body: Bytes) -> Incoming {
        let ids = HookIds { hook: Some(World::hook_id()), app: self.app };
        let mut delivery = Incoming::signed(event, guid, ids, &self.key, body);
        for (name, value) in &self.headers {
            delivery.set_header(name, value);
        }
        delivery
    }
}

fn app_id(id: u64) -> Option<i64> {
    i64::try_from(id).ok()
}

fn read_header(text: &str) -> Result<(String, String)> {
    let wrong = || Error::usage(format!("{text:?} is not a header such as 'X-GitHub-Hook-ID: 7'"));
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    HeaderName::try_from(&name).map_err(|_| wrong())?;
    HeaderValue::try_from(value).map_err(|_| wrong())?;
    Ok((name, value.to_owned()))
}

/// The world of the App in the config, as far as there is one.
///
/// # Errors
/// When the address of the API is wrong.
pub fn world(cx: &Cx) -> Result<World> {
    let file = cx.config().ok();
    let api = cx.settings.github_url(file.as_deref())?.value;
    let mut world = World::at(api.as_str(), cx.clock.now());
    if let Some(app) = file.as_ref().and_then(|file| file.github_app.as_ref()) {
        world.app_id = app_id(app.id).unwrap_or(world.app_id);
        world.app_slug = app.app_name.to_lowercase().replace(' ', "-");
    }
    Ok(world)
}

/// Whether it is `owner/name`, as GitHub has them.
///
/// # Errors
/// When it is not.
pub fn check_repository(name: &str) -> Result {
    let plain = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    match name.split_once('/') {
        Some((owner, name)) if plain(owner) && plain(name) => Ok(()),
        _ => Err(Error::usage(format!("{name:?} is no repository: one is called OWNER/NAME"))),
    }
}

/// A target, and whom to ask what became of a delivery.
pub struct Target {
    /// The webhook.
    pub url: Url,
    /// The API of the server, when it is ours and its key is known.
    pub api: Option<Api>,
}

impl Target {
    /// Where `--to`, `--server` (`flag`), the environment or the default lead.
    ///
    /// # Errors
    /// When it is not an http or https URL.
    pub fn new(cx: &Cx, to: Option<&str>, flag: Option<&str>) -> Result<Self> {
        let name = if flag.is_some() { "--server" } else { "PFORGE_SERVER" };
        let server = flag.or_else(|| cx.env.get("PFORGE_SERVER")).map(|server| server.trim_end_matches('/').to_owned());
        let (text, name) = match (to, &server) {
            (Some(to), _) => (to.to_owned(), "--to"),
            (None, Some(server)) => (format!("{server}{HOOK}"), name),
            (None, None) => (format!("{}{HOOK}", api::DEFAULT), "the default"),
        };
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| {
            let told = Error::usage(format!("{name} must be the URL of a webhook"));
            told.because(format!("such as {}{HOOK}", api::DEFAULT))
        })?;
        Ok(Self { api: admin(cx, &url, server.as_deref()), url })
    }
}

/// The admin key is for nobody but our own server: one on this machine, or the one that the
/// command line or the environment names, and only where the address is that of its hook.
fn admin(cx: &Cx, url: &Url, server: Option<&str>) -> Option<Api> {
    let base = url.path().trim_end_matches('/').strip_suffix(HOOK.trim_end_matches('/'))?;
    let named = server.and_then(|server| Url::parse(server).ok()).is_some_and(|named| named.origin() == url.origin());
    if !named && !host::is_own(url) {
        return None;
    }
    let key = api::api_key(cx).ok()?;
    let mut root = url.clone();
    root.set_path(base);
    root.set_query(None);
    Api::new(&Sourced::flag(root.to_string(), "--to"), key).ok()
}
