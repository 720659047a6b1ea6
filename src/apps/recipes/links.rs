//! Where people read of a run: on the dashboard, and its log on this server.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::jobs::{Cx, github_failure};
use super::rows::recipe_runs::RecipeRun;
use super::settings::Settings;
use super::text::checks::run_url;
use crate::jobs::Failure;

/// The path of the webhook on every server.
const HOOK_PATH: &str = "/github/hooks";

/// For how long GitHub's word counts: asking for every job would be one call of its four or five.
const KNOWN_FOR: TimeDelta = TimeDelta::seconds(60);

/// The App's webhook URL, as GitHub said when it was asked last.
#[derive(Default)]
pub struct HookUrl(Mutex<Option<(DateTime<Utc>, Option<String>)>>);

impl HookUrl {
    async fn get(&self, cx: &Cx) -> Result<Option<String>, Failure> {
        let now = cx.clock.now();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, url)) = known
            && (at..at + KNOWN_FOR).contains(&now)
        {
            return Ok(url);
        }
        let url = cx.github()?.hook_config().await.map_err(github_failure)?.url;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, url.clone()));
        Ok(url)
    }
}

/// What links are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    dashboard_url: String,
    /// Host of this App's webhook URL, which the dashboard asks about runs.
    host: Option<String>,
    /// `https://host` of this server, when the webhook URL leads straight to it.
    server: Option<String>,
}

impl Links {
    /// Asks GitHub where the webhook leads, unless that is configured.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn of(cx: &Cx) -> Result<Self, Failure> {
        let hook = match &cx.settings.webhook_host {
            Some(host) => Some(format!("https://{host}{HOOK_PATH}")),
            None => cx.hook.get(cx).await?,
        };
        let mut links = Self::new(&cx.settings.dashboard_url, hook.as_deref());
        // As it is configured: it need not be the host of a valid URL.
        links.host = cx.settings.webhook_host.clone().or(links.host);
        Ok(links)
    }

    fn new(dashboard_url: &str, hook: Option<&str>) -> Self {
        let server = hook.and_then(|hook| {
            let url = Url::parse(hook).ok()?;
            // A smee channel and the like have another path, and no logs.
            let straight = url.path().trim_end_matches('/') == HOOK_PATH;
            straight.then(|| url.origin().ascii_serialization())
        });
        Self { dashboard_url: dashboard_url.to_owned(), host: hook.and_then(Settings::host_of), server }
    }

    /// The page of a run on the dashboard.
    pub fn dashboard(&self, run: &RecipeRun) -> String {
        run_url(&self.dashboard_url, run.id, run.feedstock_id, self.host.as_deref())
    }

    /// The log of a run, when the address of this server is known.
    pub fn logs(&self, run: &RecipeRun) -> Option<String> {
        Some(format!("{}/recipe_runs/{}/logs", self.server.as_ref()?, run.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_known_where_the_hook_leads_straight_to_it() {
        for (hook, host, server) in [
            (Some("https://api.example.org/github/hooks/"), Some("api.example.org"), Some("https://api.example.org")),
            (Some("http://127.0.0.1:8000/github/hooks"), Some("127.0.0.1:8000"), Some("http://127.0.0.1:8000")),
            (Some("https://smee.io/pGKLaDu6CJwiBjJU"), Some("smee.io"), None),
            (Some("nonsense"), None, None),
            (None, None, None),
        ] {
            let links = Links::new("https://d", hook);
            assert_eq!((links.host.as_deref(), links.server.as_deref()), (host, server), "{hook:?}");
        }
    }
}
