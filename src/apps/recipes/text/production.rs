//! What is told of the production runs that follow a merge.

use super::markdown::{block, code};
use crate::util::text::truncate;

/// Characters of a reason that are told.
const MAX_REASON: usize = 2000;
/// Recipes that are listed.
const MAX_LISTED: usize = 200;
/// Characters of the list: GitHub takes 65 536 in a comment.
const MAX_CHARACTERS: usize = 64_000;

/// What became of one recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// Its run waits for its bakery: row id and page.
    Queued(i64, String),
    /// It could not be started, because of this.
    Failed(String),
}

/// The comment that lists the production runs of a commit.
pub fn summary(sha: &str, recipes: &[(String, Started)]) -> String {
    let started = recipes.iter().filter(|(_, started)| matches!(started, Started::Queued(..))).count();
    let emoji = if started == recipes.len() { ":rocket:" } else { ":warning:" };
    let line = |(recipe_id, started): &(String, Started)| match started {
        Started::Queued(run, url) => format!("- {}: [recipe run {run}]({url})", code(recipe_id)),
        Started::Failed(reason) => {
            format!("- {}: not started. {}", code(recipe_id), code(&truncate(reason, MAX_REASON / 8)))
        }
    };
    let mut room = MAX_CHARACTERS;
    let fits = |line: &String| match room.checked_sub(line.chars().count() + 1) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    let mut lines: Vec<String> = recipes.iter().take(MAX_LISTED).map(line).take_while(fits).collect();
    if recipes.len() > lines.len() {
        lines.push(format!("- and {} more", recipes.len() - lines.len()));
    }
    let mut parts = vec![format!("{emoji} Production runs at {sha}:"), lines.join("\n")];
    if started > 0 {
        parts.push("Each is a deployment of this repository, whose status says how it goes.".to_owned());
    }
    parts.join("\n\n")
}

/// The comment when nothing could be started.
pub fn failed(sha: &str, reason: &str) -> String {
    let reason = block("text", &truncate(reason, MAX_REASON));
    format!(
        ":x: The production runs at {sha} were not started.\n\n{reason}\n\n\
         Merge a change that mends it, or ask an operator of this service to start them again."
    )
}

/// Why nothing can be started, when the database does not know where.
pub fn not_in_database(feedstock: &str, feedstock_found: bool, bakery: Option<&str>) -> String {
    match (feedstock_found, bakery) {
        (false, _) => format!("this service does not know the feedstock {feedstock}"),
        (true, Some(bakery)) => {
            format!("this service does not know the bakery {bakery}, which feedstock/meta.yaml names")
        }
        (true, None) => "feedstock/meta.yaml names no bakery (bakery: {id: …})".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_recipe_has_a_line() {
        let queued = ("a".to_owned(), Started::Queued(7, "https://d/7".to_owned()));
        let failed = ("b`c".to_owned(), Started::Failed("POST /deployments: 422".to_owned()));
        assert_eq!(
            summary("abc", &[queued.clone(), failed.clone()]),
            ":warning: Production runs at abc:\n\n\
             - `a`: [recipe run 7](https://d/7)\n\
             - ``b`c``: not started. `POST /deployments: 422`\n\n\
             Each is a deployment of this repository, whose status says how it goes."
        );
        assert!(summary("abc", &[queued]).starts_with(":rocket: "));
        let many = vec![failed; 1000];
        assert!(summary("abc", &many).ends_with("- and 800 more"));
        let long = vec![("`".repeat(255), Started::Failed("`".repeat(9000))); 1000];
        let long = summary("abc", &long);
        assert!((60_000..65_000).contains(&long.chars().count()), "{}", long.chars().count());
        assert!(long.ends_with(" more"));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(not_in_database("o/f", false, Some("b")).contains("feedstock o/f"));
        assert!(not_in_database("o/f", true, Some("b")).contains("bakery b"));
        assert!(not_in_database("o/f", true, None).contains("no bakery"));
    }
}
