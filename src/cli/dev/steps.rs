//! What a deployment needs before it can receive, and the command that makes what is missing.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use crate::cli::client;
use crate::cli::config::{ConfigFile, Origin, Sourced};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::perform;
use crate::cli::secrets::identities;
use crate::cli::secrets::recipients::{LIST, Plan, RecipientFlags};
use crate::cli::secrets::rules::RuleFlags;
use crate::cli::ui::{Tone, Ui};
use crate::github::api::apps::Installation;
use crate::secrets::{Format, is_encrypted};

/// How the first steps are to be taken.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Who owns the App.
    pub account: Option<String>,
    /// Whether that is an organisation.
    pub organisation: bool,
    /// Whether the config stays in clear.
    pub in_clear: bool,
    /// Whether no browser is opened.
    pub no_browser: bool,
    /// Port of the page on which the App is created; its usual one when left out.
    pub port: Option<u16>,
}

/// One thing that is needed.
struct Step {
    name: &'static str,
    /// What is there, or the command line that makes it.
    state: State,
}

enum State {
    There(String),
    Missing(Vec<String>),
}

/// Takes the steps that are left, and gives the context of the deployment with its installations.
///
/// # Errors
/// When a step fails, or a person is needed and there is none.
pub fn take(cx: &Cx, wishes: &Wishes) -> Result<(Cx, Vec<Installation>)> {
    let cx = named(cx, wishes)?;
    if !wishes.in_clear {
        reach(&cx, key)?;
    }
    reach(&cx, api_key)?;
    reach(&cx, |cx| app(cx, wishes))?;
    let cx = cx.beside(Ui::clone(&cx.ui));
    let installations = cx.run(async { Ok(client::of_app(&cx, &*cx.config()?)?.installations().await?) })?;
    Ok((cx, installations))
}

/// Sees whether a step is taken; if not, takes it and looks again.
fn reach(cx: &Cx, step: impl Fn(&Cx) -> Result<Step>) -> Result {
    let fresh = cx.beside(Ui::clone(&cx.ui));
    let found = step(&fresh)?;
    let command = match found.state {
        State::There(fact) => {
            tell(cx, found.name, &fact);
            return Ok(());
        }
        State::Missing(command) => command,
    };
    cx.ui.status(format!("  {} pforge {}", cx.ui.paint(Tone::Link, "→"), shown(&command)));
    let printed = perform(&fresh, &command)?;
    if found.name == KEY {
        enlist(cx, &printed)?;
    }
    match step(&cx.beside(Ui::clone(&cx.ui)))?.state {
        State::There(fact) => {
            tell(cx, found.name, &fact);
            Ok(())
        }
        State::Missing(_) => Err(Error::new(Kind::Bug, format!("{} is still missing", found.name))),
    }
}

fn tell(cx: &Cx, name: &str, fact: &str) {
    cx.ui.status(format!("  {} {name:<10} {fact}", cx.ui.paint(Tone::Good, "✓")));
}

/// A command line as a shell would take it.
fn shown(words: &[String]) -> String {
    let words = words.iter().map(String::as_str);
    let line = shlex::try_join(words.clone()).unwrap_or_else(|_| words.collect::<Vec<_>>().join(" "));
    if line.starts_with("secrets keygen") { format!("{line} >> secrets/{LIST}") } else { line }
}

/// The context with the name of the deployment; a new one is named after the account.
fn named(cx: &Cx, wishes: &Wishes) -> Result<Cx> {
    let mut named = cx.beside(Ui::clone(&cx.ui));
    if cx.settings.find().is_ok() {
        return Ok(named);
    }
    match &cx.settings.deployment {
        Some(name) if name.value != "local" => {
            // Says what there is, and that this one is not among it.
            cx.settings.find()?;
        }
        _ => {
            let app = format!("pforge-local-{}", account(cx, wishes)?);
            named.settings.deployment = Some(Sourced { value: app, origin: Origin::Default });
        }
    }
    Ok(named)
}

/// Who owns the App: as told, else as git knows.
fn account(cx: &Cx, wishes: &Wishes) -> Result<String> {
    if let Some(account) = &wishes.account {
        return Ok(account.clone());
    }
    let root = &cx.settings.root.value;
    let git = Command::new("git").args(["config", "github.user"]).current_dir(root).output();
    let known = git.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    known.filter(|login| !login.is_empty()).ok_or_else(|| {
        Error::usage("whose App shall it be? no deployment is configured yet, and git has no github.user")
            .hint("pforge dev --account YOUR-LOGIN")
    })
}

const KEY: &str = "key";

/// Somebody for whom the config is encrypted.
fn key(cx: &Cx) -> Result<Step> {
    let path = config_path(cx)?;
    if path.exists() {
        let kind = match fs::read(&path) {
            Ok(bytes) if is_encrypted(Format::Yaml, &bytes) => "encrypted",
            _ => "in clear",
        };
        let fact = format!("{} is {kind}", cx.settings.shown(&path));
        return Ok(Step { name: KEY, state: State::There(fact) });
    }
    let plan = Plan::resolve(cx, &path, Format::Yaml, &RecipientFlags::default(), &RuleFlags::default())?;
    if !plan.groups.is_empty() {
        return Ok(Step { name: KEY, state: State::There(format!("recipients from {}", plan.origin)) });
    }
    let known = identities::collect_unasked(&cx.env, &cx.settings.root.value).identities.public_keys();
    if let Some((source, public)) = known.into_iter().find(|(_, public)| public.starts_with("age1")) {
        enlist(cx, public.as_bytes())?;
        return Ok(Step { name: KEY, state: State::There(format!("{source}, now in secrets/{LIST}")) });
    }
    let home = cx.env.path("XDG_CONFIG_HOME").or_else(|| cx.env.path("HOME").map(|home| home.join(".config")));
    let file = home.map_or_else(|| cx.settings.root.value.join("key.txt"), |home| home.join("sops/age/keys.txt"));
    Ok(Step { name: KEY, state: State::Missing(words(&["secrets", "keygen", "-o", &file.display().to_string()])) })
}

/// Adds a public key to the list that new files take their recipients from.
fn enlist(cx: &Cx, public: &[u8]) -> Result {
    let folder = cx.settings.root.value.join("secrets");
    let path = folder.join(LIST);
    let told =
        |error: std::io::Error| Error::failure(format!("cannot write {}", cx.settings.shown(&path))).caused_by(&error);
    fs::create_dir_all(&folder).map_err(told)?;
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(told)?;
    let public = String::from_utf8_lossy(public);
    writeln!(file, "{}", public.trim()).map_err(told)
}

/// The key of the REST API.
fn api_key(cx: &Cx) -> Result<Step> {
    let name = "api key";
    let state = match present(cx)?.as_deref().and_then(|file| file.api_key.as_ref()) {
        Some(key) => State::There(key.fingerprint()),
        None => State::Missing(words(&["api-key", &app_name(cx)?])),
    };
    Ok(Step { name, state })
}

/// The App itself.
fn app(cx: &Cx, wishes: &Wishes) -> Result<Step> {
    let name = "app";
    if let Some(app) = present(cx)?.as_deref().and_then(|file| file.github_app.as_ref()) {
        return Ok(Step { name, state: State::There(format!("{} (#{})", app.app_name, app.id)) });
    }
    let app = app_name(cx)?;
    let account = match app.strip_prefix("pforge-local-") {
        Some(account) if wishes.account.is_none() => account.to_owned(),
        _ => account(cx, wishes)?,
    };
    let mut command = words(&["new-app", &account, "local", "--name", &app, "--yes"]);
    if app == format!("pforge-local-{account}") {
        command = words(&["new-app", &account, "local", "--yes"]);
    }
    for (wished, flag) in [(wishes.organisation, "--org"), (wishes.no_browser, "--no-browser")] {
        if wished {
            command.push(flag.to_owned());
        }
    }
    if let Some(port) = wishes.port {
        command.extend(["--port".to_owned(), port.to_string()]);
    }
    Ok(Step { name, state: State::Missing(command) })
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn app_name(cx: &Cx) -> Result<String> {
    match &cx.settings.deployment {
        Some(name) => Ok(cx.settings.find_or_new(&name.value)?.app),
        None => Ok(cx.settings.find()?.app),
    }
}

fn config_path(cx: &Cx) -> Result<PathBuf> {
    match &cx.settings.deployment {
        Some(name) => Ok(cx.settings.find_or_new(&name.value)?.path),
        None => Ok(cx.settings.find()?.path),
    }
}

/// The config file, if there is one.
fn present(cx: &Cx) -> Result<Option<Arc<ConfigFile>>> {
    if config_path(cx)?.exists() { cx.config().map(Some) } else { Ok(None) }
}
