//! `pforge app import`.

use serde_json::json;

use crate::cli::app::credentials::{self, Credentials};
use crate::cli::app::key;
use crate::cli::app::live::Live;
use crate::cli::config::section::Place;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::ui::Tone;
use crate::github::api::apps::HookChange;
use crate::github::{AppCredentials, Client, Config};
use crate::util::Secret;
use crate::util::id::random_hex;

/// Take an App that exists already into the config
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The key may be the .pem file that GitHub gave, or what became of it: PKCS#8, one line with \\n in it, base64,\n\
    CRLF, quoted, indented. It is proven against GitHub before anything is written, and its fingerprint is shown as the\n\
    App's settings page shows it. The webhook secret cannot be read from GitHub: without a flag it is asked for.\n\n\
    Exit codes: 3 the key is no key, or the config has an App already; 4 GitHub does not take the key.\n\n\
    Examples:\n  \
    pforge app import 231585 pforge-local-alice.private-key.pem\n  \
    pforge app import Iv23liABCDEF key.pem --webhook-secret-file secret.txt\n  \
    pforge app import 231585 - --new-webhook-secret < key.pem\n  \
    pforge --deployment prod app import 231585 key.pem --webhook-secret-stdin < secret.txt"
)]
pub struct Args {
    /// The App's id, or its client id
    #[arg(value_name = "ID")]
    id: String,
    /// The private key's file; - for standard input
    #[arg(value_name = "FILE", allow_hyphen_values = true)]
    key: String,
    /// Read the webhook secret from standard input
    #[arg(long, group = "secret")]
    webhook_secret_stdin: bool,
    /// Read the webhook secret from a file
    #[arg(long, value_name = "FILE", group = "secret")]
    webhook_secret_file: Option<String>,
    /// Make a new webhook secret, and tell it GitHub
    #[arg(long, group = "secret")]
    new_webhook_secret: bool,
    /// Read the client secret from a file, to keep it, too
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<String>,
}

/// Imports the App.
///
/// # Errors
/// See the exit codes.
pub fn run(args: Args, cx: &Cx) -> Result {
    if args.key == "-" && args.webhook_secret_stdin {
        return Err(Error::usage("standard input cannot hold both the key and the webhook secret")
            .hint("pforge app import ID - --webhook-secret-file FILE"));
    }
    // The deployment that is named is looked at before GitHub is.
    let named = cx.settings.deployment.as_ref().map(|name| name.value.as_str());
    let place = named.map(|name| place(cx, name)).transpose()?;
    let private_key = key::read(&args.key)?;
    let client_secret =
        args.client_secret_file.as_deref().map(|file| key::read_line(file, "client secret")).transpose()?;
    let api_url = cx.settings.github_url(None)?.value;
    let issuer = args.id.trim().to_owned();
    let credentials = AppCredentials { issuer, private_key: private_key.clone() };
    let client = Client::new(Config { api_url: api_url.clone(), credentials, clock: cx.clock.clone() })?;
    let fingerprint = client.key_fingerprint()?.to_owned();
    let live = cx.run(Live::of(&client)).map_err(|error| match error.kind {
        Kind::Auth | Kind::NotFound => {
            let error = Error { kind: Kind::Auth, ..error };
            error.context(format!("GitHub does not take this key for App {}", args.id)).because(format!(
                "the key's fingerprint is {fingerprint}; the App's settings page lists those that it has"
            ))
        }
        _ => error,
    })?;
    let place = match place {
        Some(place) => place,
        None => self::place(cx, live.app.slug.as_deref().unwrap_or(&live.app.name))?,
    };
    let webhook_secret = webhook_secret(&args, cx)?;
    let elsewhere = api_url.host_str() != Some("api.github.com");
    let found = Credentials {
        app_name: live.app.name.clone(),
        id: live.app.id,
        slug: live.app.slug.clone(),
        client_id: live.app.client_id.clone(),
        client_secret,
        html_url: live.app.html_url.clone(),
        owner: live.app.owner.as_ref().map(|owner| owner.login.clone()),
        private_key,
        webhook_secret,
        api_url: elsewhere.then(|| api_url.as_str().trim_end_matches('/').to_owned()),
    };
    let written = found.write(cx, &place)?;
    if args.new_webhook_secret {
        let change = HookChange { secret: Some(found.webhook_secret.clone()), ..HookChange::default() };
        cx.run(async { Ok(client.change_hook_config(&change).await?) })?;
    }
    let file = cx.settings.shown(place.path());
    if cx.ui.json() {
        cx.ui.document(&json!({
            "id": live.app.id, "name": live.app.name, "owner": live.owner(), "key_fingerprint": live.fingerprint,
            "config": file, "encrypted": written.encrypted, "created": written.created,
            "installations": live.installations.len(),
        }))?;
    } else {
        let name = cx.ui.paint(Tone::Strong, &live.app.name);
        let mark = cx.ui.paint(Tone::Good, "✓");
        cx.ui.status(format!("{mark} {name} (#{}, {}) answers to this key", live.app.id, live.owner()));
        let kind = if written.encrypted { "encrypted" } else { "in clear" };
        cx.ui.facts(&[
            ("key", live.fingerprint.clone()),
            ("webhook secret", found.webhook_secret.fingerprint()),
            ("config", format!("{file} ({kind})")),
        ]);
    }
    place.warn_if_in_clear(cx, written);
    Ok(())
}

/// The config of the deployment called `name`, which has no App yet.
fn place(cx: &Cx, name: &str) -> Result<Place> {
    let place = Place::look(cx, &cx.settings.find_or_new(name)?.path)?;
    credentials::refuse_second(cx, &place)?;
    Ok(place)
}

fn webhook_secret(args: &Args, cx: &Cx) -> Result<Secret> {
    if args.new_webhook_secret {
        return Ok(Secret::new(random_hex(20)?));
    }
    let file = args.webhook_secret_file.as_deref().or(args.webhook_secret_stdin.then_some("-"));
    match file {
        Some(file) => key::read_line(file, "webhook secret"),
        None => {
            cx.ui.ask_secret("webhook secret", "--webhook-secret-file, --webhook-secret-stdin or --new-webhook-secret")
        }
    }
}
