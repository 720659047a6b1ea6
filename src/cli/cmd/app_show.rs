//! `pforge app show`.

use serde_json::{Value, json};

use crate::cli::app::approval;
use crate::cli::app::live::Live;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::ui::{Cell, Tone};
use crate::github::api::apps::Installation;
use crate::util::text::plural;

/// Show the App as GitHub knows it: key, webhook, permissions, installations
#[derive(Debug, clap::Args)]
#[command(after_help = "The key's fingerprint is the one that the App's settings page shows, under Private keys.\n\n\
    Examples:\n  pforge app show\n  pforge --deployment pforge-local-alice app show --json")]
pub struct Args {}

/// Prints the App.
///
/// # Errors
/// When there is no App in the config, or GitHub refuses or does not answer.
pub fn run(_args: Args, cx: &Cx) -> Result {
    let file = cx.config()?;
    let live = cx.run(Live::ask(cx, &file))?;
    if cx.ui.json() { cx.ui.document(&document(&live)) } else { print(cx, &live) }
}

fn document(live: &Live) -> Value {
    let app = &live.app;
    json!({
        "id": app.id,
        "name": app.name,
        "slug": app.slug,
        "client_id": app.client_id,
        "owner": app.owner,
        "description": app.description,
        "external_url": app.external_url,
        "html_url": app.html_url,
        "settings_url": live.settings,
        "key_fingerprint": live.fingerprint,
        "webhook": live.hook,
        "permissions": app.permissions,
        "events": app.events,
        "installations": live.installations.iter().map(|one| json!({
            "id": one.id,
            "account": approval::account(one),
            "type": one.account.as_ref().and_then(|account| account.kind.as_ref()),
            "repository_selection": one.repository_selection,
            "suspended_at": one.suspended_at,
            "unaccepted": approval::unaccepted(app, one),
            "html_url": one.html_url,
        })).collect::<Vec<_>>(),
    })
}

fn print(cx: &Cx, live: &Live) -> Result {
    let (ui, app) = (&cx.ui, &live.app);
    ui.line(format!("{}  (#{}, {})", ui.paint_out(Tone::Strong, &app.name), app.id, live.owner()))?;
    let webhook = match (live.hook_url(), &live.hook) {
        (Some(url), Some(hook)) => {
            let kind = hook.content_type.as_deref().unwrap_or("form");
            let secret = if hook.secret.is_some() { "signed" } else { "NOT signed: it has no secret" };
            let off = hook.insecure_ssl.as_ref().is_some_and(|value| value.as_str() == Some("1") || *value == 1);
            format!("{url}  ({kind}, {secret}{})", if off { ", certificate NOT checked" } else { "" })
        }
        _ => "none".to_owned(),
    };
    let permissions: Vec<String> = app.permissions.iter().map(|(name, level)| format!("{name}:{level}")).collect();
    let facts = [
        ("page", app.html_url.clone().unwrap_or_default()),
        ("settings", live.settings.clone()),
        ("client id", app.client_id.clone().unwrap_or_default()),
        ("key", live.fingerprint.clone()),
        ("webhook", webhook),
        ("permissions", listed(&permissions)),
        ("events", listed(&app.events)),
        ("installed", plural(live.installations.len() as u64, "time")),
    ];
    for (label, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        ui.line(format!("  {}  {fact}", ui.paint_out(Tone::Dim, &format!("{label:<11}"))))?;
    }
    if live.installations.is_empty() {
        let page = app.html_url.as_deref().unwrap_or(&live.settings);
        ui.hint(format!("install it at {}/installations/new", page.trim_end_matches('/')));
        return Ok(());
    }
    let rows: Vec<Vec<Cell>> = live.installations.iter().map(|one| row(live, one)).collect();
    ui.line("")?;
    ui.table(&["account", "type", "installation", "repositories", "state"], &rows)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn row(live: &Live, one: &Installation) -> Vec<Cell> {
    let kind = one.account.as_ref().and_then(|account| account.kind.clone()).unwrap_or_default();
    let missing = approval::unaccepted(&live.app, one);
    let state = match (&one.suspended_at, missing.is_empty()) {
        (Some(_), _) => Cell::toned("suspended", Tone::Bad),
        (None, false) => Cell::toned(format!("has yet to accept {}", missing.join(", ")), Tone::Warn),
        (None, true) => Cell::toned("ok", Tone::Good),
    };
    let selection = one.repository_selection.clone().unwrap_or_default();
    vec![approval::account(one).into(), kind.into(), one.id.to_string().into(), selection.into(), state]
}
