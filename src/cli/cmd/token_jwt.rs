//! `pforge token jwt`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::util::text;

/// Print a JWT that speaks as the App itself
#[derive(Debug, clap::Args)]
#[command(after_help = "It is good for nine minutes and for the endpoints of the App: /app, …/installation, \
    …/access_tokens.\n\n\
    Examples:\n  \
    pforge token jwt\n  \
    curl -H \"Authorization: Bearer $(pforge token jwt -q)\" https://api.github.com/app\n  \
    pforge token jwt --json | jq .claims")]
pub struct Args {}

/// Prints the JWT; with `--json` `{"jwt", "claims", "expires_at"}`.
///
/// # Errors
/// When there is no App, or its key cannot sign.
pub fn run(_args: Args, cx: &Cx) -> Result {
    let jwt = client::of_app(cx, &*cx.config()?)?.jwt()?;
    let claims = claims(jwt.expose()).ok_or_else(|| Error::new(Kind::Bug, "the JWT has no claims"))?;
    let expires_at = claims["exp"].as_i64().and_then(|exp| DateTime::<Utc>::from_timestamp(exp, 0));
    if cx.ui.json() {
        return cx.ui.document(&json!({ "jwt": jwt.expose(), "claims": claims, "expires_at": expires_at }));
    }
    cx.ui.line(jwt.expose())?;
    let left = expires_at.and_then(|at| (at - cx.clock.now()).to_std().ok()).unwrap_or(Duration::ZERO);
    let issuer = claims["iss"].as_str().unwrap_or_default();
    cx.ui.hint(format!("speaks as the App {issuer} for {}", text::duration(left)));
    Ok(())
}

/// The claims of a JWT that we made ourselves.
fn claims(jwt: &str) -> Option<Value> {
    let part = jwt.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
