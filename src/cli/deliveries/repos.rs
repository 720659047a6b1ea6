//! What repositories are called: GitHub's log knows their numbers only.

use std::collections::HashMap;

use crate::cli::error::Result;
use crate::github::Client;
use crate::github::api::apps::HookDelivery;

/// Names that are asked for at most, at one call each.
const ASKED: usize = 20;

/// The names that are known so far.
#[derive(Debug, Default)]
pub struct Repos {
    names: HashMap<i64, Option<String>>,
    asked: usize,
}

impl Repos {
    /// The name, if it is known.
    pub fn known(&self, number: i64) -> Option<&str> {
        self.names.get(&number)?.as_deref()
    }

    /// Remembers a name.
    pub fn learn(&mut self, number: i64, name: &str) {
        self.names.insert(number, Some(name.to_owned()));
    }

    /// The name of the repository that `attempt` is about. What is not known is read from the
    /// payload of that attempt.
    ///
    /// # Errors
    /// When GitHub does not answer, or refuses.
    pub async fn of(&mut self, client: &Client, attempt: &HookDelivery) -> Result<Option<String>> {
        let Some(number) = attempt.repository_id else { return Ok(None) };
        if let Some(known) = self.names.get(&number) {
            return Ok(known.clone());
        }
        if self.asked >= ASKED {
            return Ok(None);
        }
        self.asked += 1;
        let payload = match client.hook_delivery(attempt.id).await {
            Err(error) if error.status() == Some(404) => None,
            outcome => outcome?.request.payload,
        };
        let name = payload.as_ref().and_then(|payload| payload["repository"]["full_name"].as_str());
        self.names.insert(number, name.map(str::to_owned));
        Ok(name.map(str::to_owned))
    }
}
