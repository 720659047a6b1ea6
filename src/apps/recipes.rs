//! The Pangeo Forge recipe orchestrator.
//!
//! A pull request with recipes gets a check run and a queued test run for each recipe. What a
//! delivery leads to is decided in [`decide`], done in [`jobs`], and kept in the tables of
//! [`rows`], which the REST API in [`api`] shows.

pub mod api;
pub mod bakeries;
pub mod checks;
pub mod decide;
pub mod forward;
pub mod job_name;
pub mod jobs;
pub mod links;
pub mod rows;
pub mod runner;
pub mod settings;
pub mod subpath;
pub mod tell;
pub mod text;

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;

pub use self::bakeries::Bakeries;
use self::forward::Forwarder;
use self::jobs::Cx;
use self::links::HookUrl;
use self::runner::{Baker, CommandRunner, Runner, StaticRunner};
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

/// What the app is made of.
pub struct Parts {
    /// What the operator set.
    pub settings: Settings,
    /// The App's name, which is also the deployment's: part of where datasets go.
    pub app_name: String,
    /// Where recipes can be run.
    pub bakeries: Bakeries,
    /// What passes deliveries on. Without it they cannot be.
    pub forwarder: Option<Arc<dyn Forwarder>>,
    /// GitHub. Without it (no credentials configured) the jobs fail and say so.
    pub github: Option<github::Client>,
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
}

impl Parts {
    /// An app without settings, bakeries and credentials.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self {
            settings: Settings::default(),
            app_name: "pforge".to_owned(),
            bakeries: Bakeries::new(),
            forwarder: None,
            github: None,
            db,
            clock,
        }
    }
}

impl Recipes {
    /// The app.
    pub fn new(parts: Parts) -> Self {
        let Parts { settings, app_name, bakeries, forwarder, github, db, clock } = parts;
        let command = CommandRunner::new(&settings.runner, github.clone());
        let baker = Some(Arc::new(command.baker()) as Arc<dyn Baker>);
        let command: Arc<dyn Runner> = Arc::new(command);
        let trusted_runner = Some(Arc::clone(&command));
        let runner = match settings.runner.kind {
            RunnerKind::Command => Some(command),
            RunnerKind::Static => github.clone().map(|github| Arc::new(StaticRunner::new(github)) as Arc<dyn Runner>),
        };
        Self {
            cx: Arc::new(Cx {
                settings,
                app_name,
                bakeries,
                github,
                runner,
                trusted_runner,
                baker,
                forwarder,
                hook: HookUrl::default(),
                db,
                clock,
            }),
        }
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
        // Beside the start of the server: there may be much to remove.
        std::thread::spawn(|| {
            let swept = runner::sweep();
            if swept > 0 {
                tracing::info!(swept, "removed folders of recipe runners that a server left behind when it died");
            }
        });
        jobs::register(jobs, &self.cx);
    }

    fn routes(&self) -> OpenApiRouter<State> {
        api::routes(&self.cx)
    }
}
