//! `pforge app diff`.

use std::path::PathBuf;

use serde_json::{Map, json};

use crate::cli::app::approval;
use crate::cli::app::drift::{Difference, differences};
use crate::cli::app::live::Live;
use crate::cli::app::manifest::{Own, network};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::ui::{Cell, Tone};
use crate::github::api::apps::Installation;
use crate::github::manifest::Deployment;

/// Compare the manifest with the App at GitHub, and list who has yet to accept its permissions
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The manifest is the one that `pforge new-app` would use for this deployment: its defaults with the section\n\
    `manifest` of pforge.yaml over them. The name and the webhook's address are compared when that section\n\
    names them. Permissions of an App cannot be changed by API: the settings page that is printed does it, and each\n\
    installation keeps the old ones until its owner accepts.\n\n\
    Exit codes: 0 the same, and accepted everywhere; 1 something differs or waits.\n\n\
    Examples:\n  \
    pforge app diff\n  \
    pforge app diff --manifest manifest.yaml --json"
)]
pub struct Args {
    /// The manifest, YAML or JSON [default: the section manifest of pforge.yaml]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

/// Compares.
///
/// # Errors
/// When the manifest is wrong, there is no App in the config, or GitHub refuses; and, told already,
/// when something differs.
pub fn run(args: Args, cx: &Cx) -> Result {
    let own = Own::read(cx, args.manifest.as_deref())?;
    let file = cx.config()?;
    let name = file.need_app()?.app_name.clone();
    let (deployment, account) = deployment(&name);
    let network = network(&cx.settings.github_url(Some(&file))?.value);
    // Not a name to be created: it may well be longer than a new one's may be.
    let mut keys = Map::new();
    if !own.keys.contains_key("name") {
        keys.insert("name".to_owned(), name.into());
    }
    let manifest = own.over(cx, deployment, &account, network, keys)?;
    let live = cx.run(Live::ask(cx, &file))?;
    let found = differences(&manifest, &live, |key| own.keys.contains_key(key));
    let waiting: Vec<(&Installation, Vec<String>)> = live
        .installations
        .iter()
        .map(|one| (one, approval::unaccepted(&live.app, one)))
        .filter(|(_, missing)| !missing.is_empty())
        .collect();
    let same = found.is_empty() && waiting.is_empty();
    if cx.ui.json() {
        let waiting: Vec<_> = waiting
            .iter()
            .map(|(one, missing)| {
                json!({
                    "id": one.id, "account": approval::account(one), "unaccepted": missing,
                    "approve_url": approval::page(one),
                })
            })
            .collect();
        cx.ui.document(&json!({
            "same": same, "differences": found, "waiting": waiting, "settings_url": live.settings,
        }))?;
    } else {
        print(cx, &own, &live, &found, &waiting)?;
    }
    if same { Ok(()) } else { Err(Error::told(1)) }
}

/// What kind of deployment an App of this name is for, and who its name says owns it.
fn deployment(name: &str) -> (Deployment, String) {
    let review = name.strip_prefix("pforge-pr-").and_then(|number| number.parse().ok());
    let deployment = match name {
        "pangeo-forge" => Deployment::Prod,
        "pangeo-forge-staging" => Deployment::Staging,
        _ => review.map_or(Deployment::Local, Deployment::Review),
    };
    (deployment, name.strip_prefix("pforge-local-").unwrap_or(name).to_owned())
}

fn print(cx: &Cx, own: &Own, live: &Live, found: &[Difference], waiting: &[(&Installation, Vec<String>)]) -> Result {
    let ui = &cx.ui;
    let (name, count) = (ui.paint(Tone::Strong, &live.app.name), live.installations.len());
    ui.status(format!("pforge app diff · {name} (#{}) · {}", live.app.id, own.origin(cx)));
    if found.is_empty() {
        ui.status(format!("{} the App is as the manifest says", ui.paint(Tone::Good, "✓")));
    } else {
        let cell = |text: &Option<String>, tone| match text {
            Some(text) => Cell::toned(text, tone),
            None => Cell::toned("–", Tone::Dim),
        };
        let row = |one: &Difference| {
            vec![one.path.as_str().into(), cell(&one.manifest, Tone::Good), cell(&one.live, Tone::Bad)]
        };
        ui.table(&["where", "manifest", "GitHub"], &found.iter().map(row).collect::<Vec<_>>())?;
        for hint in remedies(live, found) {
            ui.hint(hint);
        }
    }
    for (one, missing) in waiting {
        let page = approval::page(one).unwrap_or_else(|| "the settings of its installation".to_owned());
        ui.line(format!("{} has yet to accept {}: {page}", approval::account(one), missing.join(", ")))?;
    }
    if waiting.is_empty() && count > 0 {
        ui.status(format!("{} accepted by every installation ({count})", ui.paint(Tone::Good, "✓")));
    }
    Ok(())
}

/// Where each kind of difference is mended.
fn remedies(live: &Live, found: &[Difference]) -> Vec<String> {
    let any = |start: &str| found.iter().any(|one| one.path.starts_with(start));
    let mut remedies = Vec::new();
    if any("default_") {
        remedies.push(format!("permissions and events: {}/permissions", live.settings));
    }
    if let Some(hook) = found.iter().find(|one| one.path == "hook_attributes.url") {
        remedies.push(format!("pforge proxy set-url {}", hook.manifest.as_deref().unwrap_or("URL")));
    }
    if any("name") || any("url") || any("description") {
        remedies.push(format!("name, home page and description: {}", live.settings));
    }
    remedies
}

#[cfg(test)]
mod tests {
    use super::{Deployment, deployment};

    #[test]
    fn the_name_says_what_an_app_is_for() {
        for (name, expected, account) in [
            ("pangeo-forge", Deployment::Prod, "pangeo-forge"),
            ("pangeo-forge-staging", Deployment::Staging, "pangeo-forge-staging"),
            ("pforge-pr-80", Deployment::Review(80), "pforge-pr-80"),
            ("pforge-local-alice", Deployment::Local, "alice"),
            ("mine", Deployment::Local, "mine"),
        ] {
            assert_eq!(deployment(name), (expected, account.to_owned()), "{name}");
        }
    }
}
