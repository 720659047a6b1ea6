//! The Pangeo Forge recipe orchestrator.
//!
//! A pull request with recipes gets a check run and a queued test run for each recipe. What a
//! delivery leads to is decided in [`decide`], done in [`jobs`], and kept in the tables of
//! [`rows`], which the REST API in [`api`] shows.

pub mod api;
pub mod decide;
pub mod jobs;
pub mod rows;
pub mod runner;
pub mod settings;
pub mod text;

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;

use self::jobs::Cx;
use self::runner::{CommandRunner, Runner, StaticRunner};
use self::settings::RunnerKind;
pub use self::settings::Settings;
use super::{App, Decision, Delivery, HookContract, State};
use crate::github;
use crate::jobs::Registry;
use crate::store::Db;
use crate::util::Clock;

/// The recipes app.
pub struct Recipes {
    cx: Arc<Cx>,
}

impl Recipes {
    /// The app. Without a GitHub client (no credentials configured) its jobs fail and say so.
    pub fn new(settings: Settings, github: Option<github::Client>, db: Db, clock: Clock) -> Self {
        let reader = github.clone().map(StaticRunner::new);
        let runner = match settings.runner.kind {
            RunnerKind::Command => Some(Arc::new(CommandRunner::new(&settings.runner, reader)) as Arc<dyn Runner>),
            RunnerKind::Static => reader.map(|reader| Arc::new(reader) as Arc<dyn Runner>),
        };
        Self { cx: Arc::new(Cx { settings, github, runner, db, clock }) }
    }
}

impl App for Recipes {
    fn name(&self) -> &'static str {
        "recipes"
    }

    fn hook(&self) -> HookContract {
        let unauthorized = |detail: &str| (StatusCode::UNAUTHORIZED, json!({ "detail": detail }));
        HookContract {
            path: "/github/hooks/",
            missing_signature: unauthorized("Request does not include a GitHub hash signature header."),
            bad_signature: unauthorized("Request hash signature invalid."),
        }
    }

    fn decide(&self, delivery: &Delivery<'_>) -> Decision {
        decide::decide(&self.cx.settings, delivery)
    }

    fn register(&self, jobs: &mut Registry) {
        jobs::register(jobs, &self.cx);
    }

    fn routes(&self) -> OpenApiRouter<State> {
        api::routes()
    }
}
