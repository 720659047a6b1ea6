//! Completion in shells: their script asks this binary, so that values are known as well as flags.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use clap_complete::engine::{CompletionCandidate, ValueCompleter};
use clap_complete::env::{CompleteEnv, EnvCompleter, Shells};

use super::api::ServerFlag;
use super::config::{Globals, Settings};
use super::cx::Cx;
use super::env::Env;
use super::feedstocks::{BAKERY, FEEDSTOCK};
use super::runs::{kind, state};
use super::ui::{Options, Ui};

/// The variable by which a shell's script asks; its value is the shell.
const VARIABLE: &str = "PFORGE_COMPLETE";

/// A person waits with a finger on the key.
const PATIENCE: Duration = Duration::from_millis(700);

/// How many rows are offered.
const PAGE: usize = 100;

/// How many deliveries are offered.
const DELIVERIES: usize = 50;

/// Answers a shell that asks what may come next; whether it did.
///
/// # Errors
/// When the request is not one of our scripts'.
pub fn answer() -> clap::error::Result<bool> {
    let here = std::env::current_dir().ok();
    CompleteEnv::with_factory(super::command).var(VARIABLE).try_complete(std::env::args_os(), here.as_deref())
}

/// The script of `shell`, one of [`shells`].
///
/// # Errors
/// When there is no such shell.
pub fn script(shell: &str) -> std::io::Result<Vec<u8>> {
    let shells = Shells::builtins();
    let completer: &dyn EnvCompleter =
        shells.completer(shell).ok_or_else(|| std::io::Error::other(format!("no completion for {shell}")))?;
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, "pforge", "pforge", "pforge", &mut script)?;
    Ok(script)
}

/// The names of the shells that have completion.
pub fn shells() -> Vec<&'static str> {
    Shells::builtins().names().collect()
}

/// Offers the deployments of the folder, and their aliases.
#[derive(Clone, Copy, Debug)]
pub struct Deployments;

impl ValueCompleter for Deployments {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let Some(cx) = context() else { return Vec::new() };
        let folder = cx.settings.root.value.join("secrets");
        let apps = super::config::apps(&folder).into_iter().map(|app| {
            let place = format!("secrets/config.{app}.yaml");
            CompletionCandidate::new(app).help(Some(place.into()))
        });
        fitting(apps, current)
    }
}

/// Offers the deliveries that the server on this machine received last.
#[derive(Clone, Copy, Debug)]
pub struct Deliveries;

impl ValueCompleter for Deliveries {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let Some(cx) = context() else { return Vec::new() };
        fitting(deliveries(&cx).into_iter(), current)
    }
}

/// Offers the newest recipe runs of the server.
#[derive(Clone, Copy, Debug)]
pub struct Runs;

impl ValueCompleter for Runs {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let newest = [("order_by", "id"), ("sort", "desc")].map(|(name, value)| (name, value.to_owned()));
        let rows = rows("/recipe_runs", &newest).into_iter().map(|run| {
            let help = format!("{} {} {}", run["recipe_id"].as_str().unwrap_or_default(), kind(&run), state(&run));
            CompletionCandidate::new(run["id"].to_string()).help(Some(help.into()))
        });
        fitting(rows, current)
    }
}

/// Offers the feedstocks of the server.
#[derive(Clone, Copy, Debug)]
pub struct Feedstocks;

impl ValueCompleter for Feedstocks {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let rows = rows(FEEDSTOCK.path, &[]).into_iter().map(|row| {
            let help = format!("#{}", row["id"]);
            CompletionCandidate::new(row[FEEDSTOCK.key].as_str().unwrap_or_default()).help(Some(help.into()))
        });
        fitting(rows, current)
    }
}

/// Offers the bakeries of the server.
#[derive(Clone, Copy, Debug)]
pub struct Bakeries;

impl ValueCompleter for Bakeries {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let rows = rows(BAKERY.path, &[]).into_iter().map(|row| {
            let help = row["region"].as_str().unwrap_or_default().to_owned();
            CompletionCandidate::new(row[BAKERY.key].as_str().unwrap_or_default()).help(Some(help.into()))
        });
        fitting(rows, current)
    }
}

/// The first page of a list of the server on this machine, or of the one that the environment names.
fn rows(path: &str, query: &[(&str, String)]) -> Vec<serde_json::Value> {
    let asked = context().and_then(|cx| {
        let api = ServerFlag::default().client(&cx).ok()?;
        cx.run(async {
            let (page, _) = match tokio::time::timeout(PATIENCE, api.rows(path, query, PAGE)).await {
                Ok(answer) => answer?,
                Err(_) => Default::default(),
            };
            Ok(page)
        })
        .ok()
    });
    asked.unwrap_or_default()
}

fn deliveries(cx: &Cx) -> Vec<CompletionCandidate> {
    let Ok(api) = ServerFlag::default().client(cx) else { return Vec::new() };
    let asked = cx.run(async {
        let limit = [("limit", DELIVERIES.to_string())];
        match tokio::time::timeout(PATIENCE, api.get("/deliveries", &limit)).await {
            Ok(answer) => answer,
            Err(_) => Ok(serde_json::Value::Null),
        }
    });
    let items = asked.ok().and_then(|answer| answer["items"].as_array().cloned()).unwrap_or_default();
    let candidate = |item: &serde_json::Value| {
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let action = item["action"].as_str().map(|action| format!(".{action}")).unwrap_or_default();
        let help = format!("{}{action} {}", text("event"), text("repo"));
        CompletionCandidate::new(text("guid")).help(Some(help.into()))
    };
    items.iter().map(candidate).collect()
}

fn fitting(all: impl Iterator<Item = CompletionCandidate>, current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    all.filter(|candidate| candidate.get_value().to_string_lossy().starts_with(&*current)).collect()
}

/// The context of the command line that is being written, as far as the environment says; nobody
/// can be asked for a passphrase here.
fn context() -> Option<Cx> {
    let env = Env::of_process();
    let here = std::env::current_dir().unwrap_or_else(|_| Path::new(".").to_path_buf());
    let ui = Ui::new(Options { quiet: true, no_input: true, ..Options::default() }, &env);
    Some(Cx::new(ui, Settings::resolve(&Globals::default(), &env, &here), env))
}
