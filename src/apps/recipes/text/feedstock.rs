//! What is told on the pull request whose merge creates a feedstock.

use crate::apps::recipes::jobs::{Making, Way};
use crate::util::text::truncate;

/// Longest reason that is repeated, in characters.
const REASON_MAX: usize = 1000;

/// How it stands as a whole.
pub enum End<'a> {
    /// It goes on.
    Going,
    /// It waits for something to pass.
    Waiting {
        /// For what.
        reason: &'a str,
    },
    /// It stopped: a person must act.
    Stopped {
        /// Why.
        reason: &'a str,
        /// The job that goes on when it is put back.
        job: i64,
    },
    /// All is made.
    Done,
}

/// By what an attempt after a crash finds the comment again.
pub fn marker(token: &str) -> String {
    format!("<!-- pforge: {token} -->")
}

/// The comment: each feedstock as a list of its steps, and how it stands as a whole.
pub fn comment(marker: &str, staged_page: &str, makings: &[Making], end: &End<'_>) -> String {
    let lists: String = makings.iter().map(|making| format!("{}\n\n", list(staged_page, making))).collect();
    let end = match end {
        End::Going => "In progress …".to_owned(),
        End::Waiting { reason } => {
            format!("**Waiting**, and going on by itself as soon as possible:\n\n{}", quoted(reason))
        }
        End::Stopped { reason, job } => {
            let by_hand = makings.iter().find(|making| making.way == Some(Way::ByHand) && making.page.is_none());
            format!("**Stopped:**\n\n{}\n\n{}", quoted(reason), what_next(by_hand, *job))
        }
        End::Done => {
            "**Done.** From now on each feedstock is changed by pull requests in its own repository.".to_owned()
        }
    };
    format!("{marker}\n{lists}{end}\n")
}

/// Text of the pull request that brings the recipe into its feedstock.
pub fn recipe_pull(folder: &str, staged: &str, pr_number: i64) -> String {
    format!(
        "The files of `{folder}`, as merged in {staged}#{pr_number}.\n\n\
         This pull request is merged automatically; its merge starts the first production run."
    )
}

/// Text of the pull request that removes a recipe from staged-recipes.
pub fn cleanup_pull(folder: &str, spec: &str, pr_number: i64) -> String {
    format!(
        "The files of `{folder}`, merged in #{pr_number}, are in {spec} now.\n\nThis pull request is merged automatically."
    )
}

fn list(staged_page: &str, making: &Making) -> String {
    let Making { spec, page, .. } = making;
    let name = page.as_ref().map_or_else(|| format!("`{spec}`"), |page| format!("[{spec}]({page})"));
    let mut lines = vec![format!("### Feedstock {name}")];
    let mut line = |done: bool, text: String| lines.push(format!("- [{}] {text}", if done { 'x' } else { ' ' }));
    line(page.is_some(), "The repository is created".to_owned());
    line(making.all_invited, invited(making));
    let page = page.as_deref().unwrap_or_default();
    line(making.pull.is_some(), with_pull("The recipe is proposed", page, making.pull));
    let merged = making.merged.as_deref();
    let runs = merged.map_or_else(
        || "It is merged, which starts the production run".to_owned(),
        |sha| format!("It is merged as {}, which starts the [production run]({page}/deployments)", short(sha)),
    );
    line(merged.is_some(), runs + &found(&making.runs));
    let cleanup = making.cleanup.as_ref();
    let text = with_pull(&format!("`{}` is removed here", making.folder), staged_page, cleanup.and_then(|c| c.pull));
    let kept = cleanup.map(|cleanup| cleanup.kept.as_slice()).unwrap_or_default();
    let kept = if kept.is_empty() {
        String::new()
    } else {
        format!(", but for what was changed after the merge: {}", names(kept))
    };
    line(making.is_done(), text + &kept);
    lines.join("\n").replacen('\n', "\n\n", 1)
}

fn invited(making: &Making) -> String {
    let done = match making.invited.as_slice() {
        [] if making.all_invited => "Nobody needs an invitation".to_owned(),
        [] => "The contributors are invited".to_owned(),
        people => format!("Invited to push: {}", names(people)),
    };
    let failed: Vec<String> = making.not_invited.iter().map(|entry| code(entry)).collect();
    if failed.is_empty() { done } else { format!("{done}; invite by hand: {}", failed.join(", ")) }
}

fn found(runs: &[i64]) -> String {
    let ids: Vec<String> = runs.iter().map(i64::to_string).collect();
    match ids.as_slice() {
        [] => String::new(),
        [id] => format!(": run {id}"),
        ids => format!(": runs {}", ids.join(", ")),
    }
}

fn with_pull(text: &str, page: &str, number: Option<i64>) -> String {
    number.map_or_else(|| text.to_owned(), |number| format!("{text}: [#{number}]({page}/pull/{number})"))
}

fn what_next(by_hand: Option<&Making>, job: i64) -> String {
    let go_on = format!("have the operator run `pforge jobs retry {job}`: the work goes on where it stopped");
    match by_hand {
        None => format!("When that is mended, {go_on}."),
        Some(making) => format!(
            "1. Create the repository `{}` with a README.\n\
             2. See to it that the App is installed on it.\n\
             3. Then {go_on}.",
            making.spec
        ),
    }
}

fn names(names: &[String]) -> String {
    names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ")
}

/// As code: nothing in it is Markdown, mentions nobody and closes no issue.
fn code(text: &str) -> String {
    format!("`{}`", truncate(text, REASON_MAX).replace(['`', '\n', '\r'], " "))
}

fn quoted(reason: &str) -> String {
    format!("```text\n{}\n```", truncate(reason, REASON_MAX).replace("```", "'''"))
}

fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::recipes::jobs::Cleanup;

    fn finished() -> Making {
        Making {
            page: Some("https://github.com/o/sst-feedstock".into()),
            way: Some(Way::Organization),
            invited: vec!["jane".into()],
            not_invited: vec!["ghost: GitHub knows no such account".into()],
            all_invited: true,
            pull: Some(1),
            merged: Some("0123456789abcdef".into()),
            cleanup: Some(Cleanup { pull: Some(8), done: true, ..Cleanup::default() }),
            runs: vec![3, 4],
            ..Making::new("o", "sst")
        }
    }

    #[test]
    fn the_comment_lists_the_steps_and_links_what_was_made() {
        let page = "https://github.com/o/staged-recipes";
        let begun = comment("<!-- m -->", page, &[Making::new("o", "sst")], &End::Going);
        assert_eq!(
            begun,
            "<!-- m -->\n### Feedstock `o/sst-feedstock`\n\n- [ ] The repository is created\n\
             - [ ] The contributors are invited\n- [ ] The recipe is proposed\n\
             - [ ] It is merged, which starts the production run\n- [ ] `recipes/sst` is removed here\n\n\
             In progress …\n"
        );
        let done = comment("<!-- m -->", page, &[finished()], &End::Done);
        assert_eq!(
            done,
            "<!-- m -->\n### Feedstock [o/sst-feedstock](https://github.com/o/sst-feedstock)\n\n\
             - [x] The repository is created\n\
             - [x] Invited to push: `jane`; invite by hand: `ghost: GitHub knows no such account`\n\
             - [x] The recipe is proposed: [#1](https://github.com/o/sst-feedstock/pull/1)\n\
             - [x] It is merged as 0123456, which starts the \
             [production run](https://github.com/o/sst-feedstock/deployments): runs 3, 4\n\
             - [x] `recipes/sst` is removed here: [#8](https://github.com/o/staged-recipes/pull/8)\n\n\
             **Done.** From now on each feedstock is changed by pull requests in its own repository.\n"
        );
    }

    #[test]
    fn a_stop_says_why_and_how_it_goes_on() {
        let mut making = Making::new("o", "sst");
        let stopped = End::Stopped { reason: "the name is taken: @all ```", job: 17 };
        let text = comment("m", "p", std::slice::from_ref(&making), &stopped);
        assert!(text.contains("```text\nthe name is taken: @all '''\n```"), "{text}");
        assert!(text.contains("`pforge jobs retry 17`") && !text.contains("README"), "{text}");
        making.way = Some(Way::ByHand);
        let text = comment("m", "p", &[making], &stopped);
        assert!(text.contains("1. Create the repository `o/sst-feedstock` with a README."), "{text}");
    }
}
