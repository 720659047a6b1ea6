//! Pull requests of our own: opened once, merged once.

use std::time::Duration;

use tokio::time::sleep;

use crate::apps::recipes::jobs::github_failure;
use crate::github::api::pulls::NewPull;
use crate::github::{Error, Repository};
use crate::jobs::Failure;

/// How often a merge is tried in one attempt: for a moment after a push GitHub does not know
/// whether a pull request can be merged.
const MERGE_TRIES: u64 = 4;
const MERGE_PAUSE: Duration = Duration::from_millis(250);
/// One commit for a reader of the history, where the repository allows that.
const METHODS: [&str; 3] = ["squash", "merge", "rebase"];

/// What became of an attempt to open a pull request.
pub(super) enum Opened {
    /// Its number.
    Pull(i64),
    /// The branch changes nothing.
    NoChange,
}

/// What became of an attempt to merge one.
pub(super) enum Outcome {
    /// The commit that merged it.
    Merged(String),
    /// It and the branch that it goes to changed the same file.
    Conflict,
    /// Somebody closed it.
    Closed,
}

/// Opens a pull request from `new.head`, or finds the one that there is. `look_first` when an
/// earlier attempt may have opened it.
pub(super) async fn open(repository: &Repository, new: &NewPull, look_first: bool) -> Result<Opened, Failure> {
    if look_first && let Some(pull) = repository.pull_from(&new.head).await.map_err(github_failure)? {
        return Ok(Opened::Pull(pull.number));
    }
    match repository.create_pull(new).await {
        Ok(pull) => Ok(Opened::Pull(pull.number)),
        Err(error) if says(&error, "no commits between") => Ok(Opened::NoChange),
        Err(error) if says(&error, "already exists") => {
            let found = repository.pull_from(&new.head).await.map_err(github_failure)?;
            found.map(|pull| Opened::Pull(pull.number)).ok_or_else(|| Failure::transient(error.to_string()))
        }
        Err(error) => Err(github_failure(error)),
    }
}

/// Merges a pull request, or finds that it is merged. `look_first` when an earlier attempt may
/// have done it.
pub(super) async fn merge(repository: &Repository, number: i64, look_first: bool) -> Result<Outcome, Failure> {
    if look_first && let Some(outcome) = decided(repository, number).await? {
        return Ok(outcome);
    }
    let mut methods = METHODS.into_iter();
    let mut method = methods.next().unwrap_or("merge");
    let mut tries = 0;
    loop {
        let refusal = match repository.merge_pull(number, method).await {
            Ok(answer) if answer.merged => {
                if let Some(sha) = answer.sha {
                    return Ok(Outcome::Merged(sha));
                }
                "GitHub does not name the commit".to_owned()
            }
            Ok(answer) => format!("GitHub did not merge {}#{number}: {}", repository.full_name(), answer.message),
            Err(Error::Status(error)) if error.status == 405 && error.message.contains("not allowed") => {
                match methods.next() {
                    Some(next) => method = next,
                    None => return Err(Failure::permanent(error.to_string())),
                }
                continue;
            }
            Err(error) if matches!(error.status(), Some(405 | 409 | 422)) => error.to_string(),
            Err(error) => return Err(github_failure(error)),
        };
        // It may be merged all the same, by a call whose answer was lost.
        if let Some(outcome) = decided(repository, number).await? {
            return Ok(outcome);
        }
        tries += 1;
        if tries >= MERGE_TRIES {
            return Err(Failure::transient(refusal));
        }
        sleep(MERGE_PAUSE * u32::try_from(tries).unwrap_or(1)).await;
    }
}

/// How it stands, when another try cannot change that.
async fn decided(repository: &Repository, number: i64) -> Result<Option<Outcome>, Failure> {
    let pull = repository.pull(number).await.map_err(github_failure)?;
    Ok(match pull.merged() {
        Some(sha) => Some(Outcome::Merged(sha.to_owned())),
        None if pull.state == "closed" => Some(Outcome::Closed),
        None if pull.mergeable == Some(false) => Some(Outcome::Conflict),
        None => None,
    })
}

/// Whether a refusal (422) holds these words, wherever GitHub puts them.
fn says(error: &Error, words: &str) -> bool {
    let Error::Status(status) = error else { return false };
    let texts = std::iter::once(&status.message).chain(&status.errors);
    status.status == 422 && texts.into_iter().any(|text| text.to_lowercase().contains(words))
}
