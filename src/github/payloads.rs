//! Payloads of webhooks, made up: one for every event and action that GitHub describes, valid under
//! its schemas, and told of one small world, so that the same repository, people and commits appear
//! throughout a payload and its addresses lead to each other.
//!
//! [`shapes`] says what a payload looks like, [`world`] what its values are, [`fill`] brings both
//! together, and [`Draft`] changes a payload afterwards without breaking what belongs together.

mod change;
mod fill;
mod path;
mod relink;
mod shapes;
mod world;

pub use change::{ChangeError, Draft, Given};
pub use path::{Path, PathError, Step};
pub use shapes::{Catalogue, Unknown};
pub use world::World;

/// Up to three of `candidates` that somebody who wrote `name` may have meant, nearest first.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let near = |candidate: &&'a str| {
        let distance = strsim::damerau_levenshtein(name, candidate);
        let part = name.len() >= 3 && (candidate.contains(name) || name.contains(candidate));
        (part || distance <= (name.len() / 3).max(1)).then_some(distance)
    };
    let mut found: Vec<(usize, &str)> = candidates.into_iter().filter_map(|name| Some((near(&name)?, name))).collect();
    found.sort_unstable();
    found.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_nearest_come_first() {
        let events = ["pull_request", "pull_request_review", "push", "ping", "release"];
        for (given, expected) in [
            ("pull_requst", vec!["pull_request"]),
            ("pull", vec!["pull_request", "pull_request_review"]),
            ("pusj", vec!["push"]),
            ("zzz", vec![]),
        ] {
            assert_eq!(super::nearest(given, events), expected, "{given}");
        }
    }
}
