//! A delivery is passed on to the deployment that a label of its pull request names.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::Cx;
use crate::apps::recipes::forward::Passed;
use crate::jobs::{Done, Failure, Job, Task};
use crate::store::deliveries;

/// A delivery is passed on to the deployment that a label of its pull request names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// Where to: `https://host/path`.
    pub url: String,
}

impl Job for Forward {
    const KIND: &'static str = "recipes.forward";
    /// A deployment that is away for longer than some minutes is not a mirror of GitHub's events
    /// any more; `pforge jobs retry` sends it what it missed.
    const MAX_ATTEMPTS: u32 = 6;
    type Cx = Cx;

    async fn run(&self, cx: &Cx, task: &mut Task) -> Result<Done, Failure> {
        let forwarder = cx.forwarder.as_ref().ok_or_else(|| Failure::permanent("this server cannot forward"))?;
        let url = Url::parse(&self.url).map_err(|error| Failure::permanent(format!("{}: {error}", self.url)))?;
        let stored = match task.delivery_id {
            Some(id) => deliveries::raw(&cx.db, id).await?,
            None => None,
        };
        let (headers, body) = stored.ok_or_else(|| Failure::permanent("the delivery is not stored any more"))?;
        let answered = forwarder.forward(&url, Passed { headers: github_headers(&headers), body }).await;
        let status = answered.map_err(|reason| Failure::transient(format!("{url}: {reason}")))?;
        match status {
            // The other deployment decided: also that a command is wrong, or an event not for it.
            200..=299 | 400 | 501 => Ok(Done(format!("{url} answered {status}"))),
            408 | 429 | 500.. => Err(Failure::transient(format!("{url} answered {status}"))),
            _ => Err(Failure::permanent(format!("{url} answered {status}"))),
        }
    }
}

/// The headers that GitHub itself sent: a proxy's on the way are none of the target's business.
fn github_headers(stored: &Value) -> Vec<(String, String)> {
    let githubs = |name: &str| {
        name.starts_with("x-github-")
            || name.starts_with("x-hub-")
            || matches!(name, "content-type" | "user-agent" | "accept")
    };
    let stored = stored.as_object().into_iter().flatten();
    stored
        .filter(|(name, _)| githubs(name))
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_githubs_headers_are_passed_on() {
        let stored = json!({
            "x-github-event": "pull_request", "x-github-delivery": "g", "content-type": "application/json",
            "user-agent": "GitHub-Hookshot/1", "x-forwarded-for": "10.0.0.1", "host": "a", "content-length": "5",
        });
        let mut names: Vec<String> = github_headers(&stored).into_iter().map(|(name, _)| name).collect();
        names.sort();
        assert_eq!(names, ["content-type", "user-agent", "x-github-delivery", "x-github-event"]);
    }
}
