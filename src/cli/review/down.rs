//! Removes what there is of a review deployment. What is gone already is said to be.

use std::fs;

use serde_json::json;

use super::Review;
use super::place::{Place, PlaceFlags};
use crate::cli::app::live::Live;
use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::secrets::git;
use crate::cli::ui::Tone;
use crate::github::Client;
use crate::github::explain::web_url;
use crate::util::text::plural;

/// What there is.
pub struct There {
    review: Review,
    /// The App at GitHub; `None` when GitHub has none, or nobody knows its key any more.
    app: Option<(Client, Live)>,
    /// Its settings page, where a person deletes it.
    settings: String,
    /// The database, and whether it exists.
    database: Option<(Place, bool)>,
    /// A database in the config that was not made for it, as its URL.
    foreign: Option<String>,
    /// The config file, and whether git has it as it is.
    config: Option<bool>,
}

impl There {
    /// Looks at everything; changes nothing. `cx` is [`Review::within`].
    ///
    /// # Errors
    /// When the config does not open, GitHub refuses its key, or the database server is away.
    pub fn look(cx: &Cx, review: Review, flags: &PlaceFlags) -> Result<Self> {
        let file = review.file(cx)?;
        let mut app = None;
        if let Some(file) = file.as_deref().filter(|file| file.github_app.is_some()) {
            let client = client::of_app(cx, file)?;
            app = match cx.run(async { Ok(Live::of(&client).await) })? {
                Ok(live) => Some((client, live)),
                // Deleted by hand.
                Err(error) if error.kind == Kind::NotFound => None,
                Err(error) => return Err(error.context("GitHub cannot be asked about the App")),
            };
        }
        let web = web_url(&cx.settings.github_url(file.as_deref())?.value);
        let settings = match &app {
            Some((_, live)) => live.settings.clone(),
            None => format!("{web}/settings/apps/{}", review.app),
        };
        let named = file.as_ref().and_then(|file| file.database_url.as_ref()).map(|url| url.value.as_str());
        let (place, foreign) = match named {
            Some(text) => match flags.of_config(cx, &review, text)? {
                Some(place) => (Some(place), None),
                None => (None, Some(text.parse::<crate::store::DatabaseUrl>()?.to_string())),
            },
            None => (flags.resolve(cx, &review)?, None),
        };
        let database = match place {
            Some(place) => {
                let exists = cx.run(async { Ok(place.database.exists().await?) })?;
                Some((place, exists))
            }
            None => None,
        };
        let config = review.path.exists().then(|| git::at_head(&review.path) == fs::read(&review.path).ok());
        Ok(Self { review, app, settings: format!("{settings}/advanced"), database, foreign, config })
    }

    /// What would be removed, in words; empty when nothing is left.
    pub fn told(&self, cx: &Cx) -> Vec<String> {
        let mut told = Vec::new();
        if let Some((_, live)) = self.app.as_ref().filter(|(_, live)| !live.installations.is_empty()) {
            let accounts: Vec<&str> = live
                .installations
                .iter()
                .map(|one| one.account.as_ref().map_or("?", |account| account.login.as_str()))
                .collect();
            told.push(format!("{} ({})", plural(accounts.len() as u64, "installation"), accounts.join(", ")));
        }
        if let Some((place, true)) = &self.database {
            told.push(format!("the database {} with all that is in it", place.url));
        }
        if let Some(in_git) = self.config {
            let copy = if in_git { "git keeps it" } else { "git has no copy of it as it is" };
            told.push(format!("{} ({copy})", cx.settings.shown(&self.review.path)));
        }
        told
    }

    /// Removes it all. The config comes last: it has the key that the rest is reached by.
    ///
    /// # Errors
    /// When something cannot be removed; the next run goes on from there.
    pub fn remove(&self, cx: &Cx) -> Result {
        let mut uninstalled = Vec::new();
        let mut removed = false;
        if let Some((client, live)) = &self.app {
            for one in &live.installations {
                cx.run(async { Ok(client.delete_installation(one.id).await?) })
                    .map_err(|error| error.context(format!("installation {} was not removed", one.id)))?;
                uninstalled.push(one.id);
            }
        }
        self.step(
            cx,
            "installs",
            match (&self.app, uninstalled.len()) {
                (None, _) => None,
                (Some(_), 0) => None,
                (Some(_), count) => Some(format!("{} removed", plural(count as u64, "installation"))),
            },
        );
        if let Some((place, _)) = &self.database {
            removed = cx
                .run(async { Ok(place.database.remove().await?) })
                .map_err(|error| error.context(format!("{} was not removed", place.url)))?;
        }
        if let Some(url) = &self.foreign {
            cx.ui.warn(format!("{url} was not made for it and stays"));
        } else {
            self.step(
                cx,
                "database",
                self.database.as_ref().filter(|_| removed).map(|(place, _)| format!("{} removed", place.url)),
            );
        }
        let shown = cx.settings.shown(&self.review.path);
        if self.config.is_some() {
            fs::remove_file(&self.review.path)
                .map_err(|error| Error::failure(format!("cannot remove {shown}")).caused_by(&error))?;
        }
        self.step(cx, "secrets", self.config.map(|_| format!("{shown} removed")));
        self.end(cx, &uninstalled, removed)
    }

    fn step(&self, cx: &Cx, name: &str, done: Option<String>) {
        if cx.ui.json() {
            return;
        }
        let (mark, dim) = (cx.ui.paint(Tone::Good, "✓"), |text| cx.ui.paint(Tone::Dim, text));
        cx.ui.status(format!("  {mark} {name:<9} {}", done.unwrap_or_else(|| dim("nothing is there; done already"))));
    }

    fn end(&self, cx: &Cx, uninstalled: &[i64], removed: bool) -> Result {
        let (ui, shown) = (&cx.ui, cx.settings.shown(&self.review.path));
        if ui.json() {
            return ui.document(&json!({
                "pr": self.review.number,
                "deployment": self.review.app,
                "uninstalled": uninstalled,
                "database": self.database.as_ref().map(|(place, _)| json!({ "url": place.url.to_string(), "removed": removed })),
                "kept_database": self.foreign,
                "config": { "path": shown, "removed": self.config.is_some(), "in_git": self.config },
                "app": { "known": self.app.is_some(), "delete_at": self.settings },
            }));
        }
        if self.config == Some(true) {
            ui.hint(format!(
                "git rm {shown} && git commit -m 'Remove the review deployment of #{}'",
                self.review.number
            ));
            ui.hint(format!("its last version: git show HEAD:{shown}"));
        }
        // GitHub's API has no call for it.
        ui.status("The App itself is deleted by a person, with the button at the end of this page:");
        ui.line(ui.paint_out(Tone::Link, &self.settings))
    }

    /// Prints what would be removed.
    ///
    /// # Errors
    /// When nobody reads it any more.
    pub fn dry(&self, cx: &Cx) -> Result {
        if cx.ui.json() {
            return cx.ui.document(&json!({
                "pr": self.review.number,
                "deployment": self.review.app,
                "would_remove": self.told(cx),
                "kept_database": self.foreign,
                "app": { "known": self.app.is_some(), "delete_at": self.settings },
            }));
        }
        for one in self.told(cx) {
            cx.ui.line(format!("would remove {one}"))?;
        }
        if self.told(cx).is_empty() {
            cx.ui.status("Nothing is left to remove.");
        }
        cx.ui.status("The App itself would be left to a person:");
        cx.ui.line(cx.ui.paint_out(Tone::Link, &self.settings))
    }
}
