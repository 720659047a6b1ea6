//! Makes what a review deployment lacks, step by step; what is there already is left alone.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::Review;
use super::place::Place;
use crate::cli::app::live::Live;
use crate::cli::config::section::Place as Section;
use crate::cli::cx::Cx;
use crate::cli::database::{self, CONNECT_PATIENCE};
use crate::cli::error::{Error, Kind, Result};
use crate::cli::perform;
use crate::cli::secrets::recipients::{Plan as ForWhom, RecipientFlags};
use crate::cli::secrets::rules::RuleFlags;
use crate::cli::ui::{Tone, Ui};
use crate::github::explain::web_url;
use crate::secrets::tree::Node;
use crate::secrets::{Format, is_encrypted};
use crate::store::{Db, migrate};
use crate::util::text::plural;

/// What is wished for.
#[derive(Debug)]
pub struct Plan {
    /// Which one.
    pub review: Review,
    /// Who owns the App, and whether that is an organisation; not needed once there is one.
    pub account: Option<(String, bool)>,
    /// Its database; `None` when the platform gives it one.
    pub place: Option<Place>,
    /// More words for `new-app`.
    pub new_app: Vec<String>,
}

/// How far a step is.
enum Look {
    /// It is taken: what is there.
    There(String),
    /// Nothing has to be done for it: what is known.
    Known(String),
    /// It is not: what takes it.
    Missing(String),
}

/// A step and how it was found.
struct Taken {
    name: &'static str,
    state: &'static str,
    fact: String,
}

/// Takes the steps one after the other, or, in a dry run, tells them.
pub struct Up<'a> {
    cx: &'a Cx,
    plan: &'a Plan,
    dry_run: bool,
    taken: Vec<Taken>,
}

impl<'a> Up<'a> {
    /// The steps of `plan`, none taken. `cx` is [`Review::within`].
    pub fn new(cx: &'a Cx, plan: &'a Plan, dry_run: bool) -> Self {
        Self { cx, plan, dry_run, taken: Vec::new() }
    }

    /// Takes them all. The person, whom the App needs, comes last.
    ///
    /// # Errors
    /// When one fails; the next run goes on from there.
    pub fn run(mut self) -> Result {
        let (cx, plan) = (self.cx, self.plan);
        self.begin()?;
        self.step("secrets", |cx| secrets(cx, plan), |cx| encrypt(cx, plan))?;
        if let Some(place) = &plan.place {
            self.step(
                "database",
                |cx| there(cx, place),
                |cx| cx.run(async { Ok(place.database.create().await?) }).map(drop),
            )?;
            self.step("schema", |cx| schema(cx, place), |cx| migrate(cx, place))?;
            self.step("config", |cx| config(cx, plan, place), |cx| write(cx, plan, place))?;
        }
        let command = words(&["api-key", &plan.review.app]);
        self.step("api key", |cx| api_key(cx, plan, &command), |cx| perform(cx, &command).map(drop))?;
        let command = new_app(plan);
        self.step(
            "app",
            |cx| app(cx, plan, command.as_deref()),
            |cx| perform(cx, &command.clone().ok_or_else(whose)?).map(drop),
        )?;
        if self.dry_run {
            return self.end_dry();
        }
        let live = match cx.beside(Ui::clone(&cx.ui)).config() {
            Ok(file) => cx.run(Live::ask(cx, &file))?,
            Err(error) => return Err(error),
        };
        self.end(&live)
    }

    fn begin(&self) -> Result {
        let (cx, review) = (self.cx, &self.plan.review);
        let config = cx.settings.shown(&review.path);
        if cx.ui.json() {
            if self.dry_run {
                return Ok(());
            }
            return cx.ui.event(&json!({
                "type": "ready", "pr": review.number, "deployment": review.app, "config": config,
                "database": self.plan.place.as_ref().map(|place| place.url.to_string()),
            }));
        }
        let name = cx.ui.paint(Tone::Strong, &review.app);
        let what = if self.dry_run { " · dry run" } else { "" };
        cx.ui.status(format!("pforge review up · {name} · pull request #{}{what}", review.number));
        Ok(())
    }

    /// Sees whether a step is taken; if not, takes it and looks again.
    fn step(
        &mut self,
        name: &'static str,
        look: impl Fn(&Cx) -> Result<Look>,
        make: impl FnOnce(&Cx) -> Result,
    ) -> Result {
        let fresh = || self.cx.beside(Ui::clone(&self.cx.ui));
        let (state, fact) = match look(&fresh())? {
            Look::There(fact) => ("there", fact),
            Look::Known(fact) => ("known", fact),
            Look::Missing(what) if self.dry_run => ("missing", what),
            Look::Missing(what) => {
                self.cx.ui.status(format!("  {} {what}", self.cx.ui.paint(Tone::Link, "→")));
                make(&fresh())?;
                match look(&fresh())? {
                    Look::There(fact) | Look::Known(fact) => ("made", fact),
                    Look::Missing(_) => return Err(Error::new(Kind::Bug, format!("{name} is still missing"))),
                }
            }
        };
        let ui = &self.cx.ui;
        let taken = Taken { name, state, fact };
        if !ui.json() {
            let (mark, note) = match state {
                "there" => (ui.paint(Tone::Good, "✓"), ui.paint(Tone::Dim, "  done already")),
                "made" | "known" => (ui.paint(Tone::Good, "✓"), String::new()),
                _ => (ui.paint(Tone::Link, "→"), String::new()),
            };
            ui.status(format!("  {mark} {name:<9} {}{note}", taken.fact));
        } else if !self.dry_run {
            let mut event = json!({ "type": "step" });
            event.as_object_mut().into_iter().for_each(|event| event.extend(taken.fields()));
            ui.event(&event)?;
        }
        self.taken.push(taken);
        Ok(())
    }

    fn end_dry(&self) -> Result {
        if self.cx.ui.json() {
            let steps: Vec<Value> = self.taken.iter().map(|taken| Value::Object(taken.fields())).collect();
            let review = &self.plan.review;
            return self.cx.ui.document(&json!({ "pr": review.number, "deployment": review.app, "steps": steps }));
        }
        let left = self.taken.iter().filter(|taken| taken.state == "missing").count();
        self.cx.ui.status(match left {
            0 => "Nothing is left to do.".to_owned(),
            left => format!("{} to be taken; nothing was done.", plural(left as u64, "step")),
        });
        Ok(())
    }

    /// Prints what the deployment needs in its environment, and what to do next.
    fn end(&self, live: &Live) -> Result {
        let (ui, review) = (&self.cx.ui, &self.plan.review);
        let config = self.cx.settings.shown(&review.path);
        let slug = live.app.slug.as_deref().unwrap_or(&review.app);
        let web = web_url(&self.cx.settings.github_url(None)?.value);
        let install = live.installations.is_empty().then(|| format!("{web}/apps/{slug}/installations/new"));
        let next = [
            format!("git add {config} && git commit -m 'Review deployment of #{}'", review.number),
            "pforge serve   # there, with the variables above".to_owned(),
            format!("pforge --deployment {} proxy set-url https://HOST/github/hooks/", review.app),
            format!("pforge --deployment {} init-db https://HOST OWNER/REPO", review.app),
            format!("pforge review down --pr {}", review.number),
        ];
        let recipients = recipients(&review.path);
        if ui.json() {
            return ui.event(&json!({
                "type": "done",
                "env": { "PANGEO_FORGE_DEPLOYMENT": review.app },
                "secret_env": self.secret_names(),
                "recipients": recipients,
                "settings": live.settings,
                "install": install,
                "next": next,
            }));
        }
        ui.status("The deployment's environment:");
        ui.line(format!("PANGEO_FORGE_DEPLOYMENT={}", review.app))?;
        ui.line(format!("# SOPS_AGE_KEY: the identity of one of {}", recipients.join(", ")))?;
        match self.plan.place {
            Some(_) => ui.line(format!("# DATABASE_URL: not needed, {config} has it"))?,
            None => ui.line("# DATABASE_URL: the platform's")?,
        }
        ui.facts(&[("settings", ui.paint(Tone::Link, &live.settings))]);
        if let Some(install) = install {
            ui.warn("the App is installed nowhere yet");
            ui.facts(&[("install", ui.paint(Tone::Link, &install))]);
        }
        next.iter().for_each(|next| ui.hint(next));
        Ok(())
    }

    fn secret_names(&self) -> Vec<&'static str> {
        let database = self.plan.place.is_none().then_some("DATABASE_URL");
        ["SOPS_AGE_KEY"].into_iter().chain(database).collect()
    }
}

impl Taken {
    fn fields(&self) -> serde_json::Map<String, Value> {
        [("name", self.name), ("state", self.state), ("fact", &self.fact)]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into_iter()
            .collect()
    }
}

/// Whether the config is, or will be, encrypted. It goes into the repository, so it has to be.
fn secrets(cx: &Cx, plan: &Plan) -> Result<Look> {
    let path = &plan.review.path;
    let file = cx.settings.shown(path);
    match fs::read(path) {
        Ok(bytes) if is_encrypted(Format::Yaml, &bytes) => Ok(Look::There(format!("{file} is encrypted"))),
        Ok(bytes) if !bytes.is_empty() => Ok(Look::Missing(format!("pforge secrets encrypt -i {file}"))),
        _ => {
            let whom = ForWhom::resolve(cx, path, Format::Yaml, &RecipientFlags::default(), &RuleFlags::default())?;
            whom.sealing(path)?;
            let count = plural(whom.recipients().len() as u64, "recipient");
            Ok(Look::Known(format!("{file} will be encrypted for {count}, from {}", whom.origin)))
        }
    }
}

fn encrypt(cx: &Cx, plan: &Plan) -> Result {
    perform(cx, &words(&["secrets", "encrypt", "-i", &plan.review.path.display().to_string()])).map(drop)
}

fn there(cx: &Cx, place: &Place) -> Result<Look> {
    let shown = place.url.to_string();
    let exists = cx.run(async { Ok(place.database.exists().await?) })?;
    Ok(match place.url.path() {
        _ if exists => Look::There(shown),
        Some(_) => Look::Known(format!("{shown} will be made with its schema")),
        None => Look::Missing(format!("create {shown}")),
    })
}

fn schema(cx: &Cx, place: &Place) -> Result<Look> {
    let missing = || Ok(Look::Missing("pforge db migrate".to_owned()));
    cx.run(async {
        if !place.database.exists().await? {
            return missing();
        }
        let db = Db::look(&place.url, CONNECT_PATIENCE).await?;
        let status = migrate::check(&db).await;
        db.close().await;
        match status {
            Ok(()) => Ok(Look::There("up to date".to_owned())),
            Err(crate::store::Error::Migrate(_)) => missing(),
            Err(error) => Err(error.into()),
        }
    })
}

fn migrate(cx: &Cx, place: &Place) -> Result {
    // Not by a flag: the URL has a password, and what is done is told.
    let mut within = cx.beside(Ui::clone(&cx.ui));
    within.env = within.env.with("DATABASE_URL", place.text.expose());
    perform(&within, &words(&["db", "migrate"])).map(drop)?;
    // Whether it can be reached in the way in which the deployment will.
    within.run(database::with(&place.url, async |_| Ok(())))
}

fn config(cx: &Cx, plan: &Plan, place: &Place) -> Result<Look> {
    let file = cx.settings.shown(&plan.review.path);
    let there = plan.review.file(cx)?.and_then(|file| file.database_url.clone());
    match there {
        Some(url) if url.value == place.text.expose() => Ok(Look::There(format!("database_url in {file}"))),
        Some(_) => Err(Error::config(format!("{file} names another database"))
            .because(format!("{} was asked for", place.url))
            .hint(format!("pforge secrets unset database_url --file {file}"))),
        None => Ok(Look::Missing(format!("write database_url into {file}"))),
    }
}

fn write(cx: &Cx, plan: &Plan, place: &Place) -> Result {
    let section = Section::look(cx, &plan.review.path)?;
    section.change(cx, |document| {
        document.push("database_url", Node::text(place.text.expose()));
        Ok(())
    })?;
    Ok(())
}

fn api_key(cx: &Cx, plan: &Plan, command: &[String]) -> Result<Look> {
    let file = plan.review.file(cx)?;
    Ok(match file.as_deref().and_then(|file| file.api_key.as_ref()) {
        Some(key) => Look::There(key.fingerprint()),
        None => Look::Missing(format!("pforge {}", command.join(" "))),
    })
}

fn app(cx: &Cx, plan: &Plan, command: Option<&[String]>) -> Result<Look> {
    let file = plan.review.file(cx)?;
    match file.as_deref().and_then(|file| file.github_app.as_ref()) {
        Some(app) => Ok(Look::There(format!("{} (#{})", app.app_name, app.id))),
        None => Ok(Look::Missing(format!("pforge {}", command.ok_or_else(whose)?.join(" ")))),
    }
}

fn new_app(plan: &Plan) -> Option<Vec<String>> {
    let (account, organisation) = plan.account.as_ref()?;
    // By name: pforge.yaml may have another one for Apps.
    let (number, name) = (plan.review.number.to_string(), plan.review.app.as_str());
    let mut command = words(&["new-app", account, "review", &number, "--name", name, "--yes"]);
    if *organisation {
        command.push("--org".to_owned());
    }
    command.extend(plan.new_app.iter().cloned());
    Some(command)
}

fn whose() -> Error {
    Error::usage("whose App shall it be? there is none yet")
        .hint("pforge review up … --owner ACCOUNT")
        .hint("pforge review up … --org ORGANISATION")
}

/// Who can open the file, as it says.
fn recipients(path: &Path) -> Vec<String> {
    let sealed = fs::read(path).ok().and_then(|bytes| crate::secrets::Sealed::read(Format::Yaml, bytes).ok());
    sealed.map(|sealed| sealed.metadata().recipients()).unwrap_or_default()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
