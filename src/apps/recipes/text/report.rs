//! What is told of the end of a run.

use std::time::Duration;

use super::markdown::{block, code, tail};
use crate::apps::recipes::rows::{Conclusion, DatasetType};
use crate::github::api::checks::Output;
use crate::util::text::{duration, truncate};

/// Characters of a comment, or of the summary of a check run. GitHub takes 65 536; the rest is for
/// the marker.
const MAX_CHARACTERS: usize = 65_000;
/// Characters of the reason that are repeated.
const MAX_REASON: usize = 2000;

/// The end of a run, as far as it is told.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Id of the recipe.
    pub recipe_id: String,
    /// Row id of the run.
    pub run_id: i64,
    /// 2 and more for those that were tried again.
    pub attempt: Option<i32>,
    /// The commit.
    pub head_sha: String,
    /// Whether it is a test of a pull request, and not production.
    pub is_test: bool,
    /// How it ended.
    pub conclusion: Conclusion,
    /// What it produces.
    pub dataset_type: Option<DatasetType>,
    /// Where that can be opened.
    pub dataset_public_url: Option<String>,
    /// How long it ran.
    pub took: Option<Duration>,
    /// Why it failed, in one line.
    pub reason: Option<String>,
    /// Why it failed, whole.
    pub trace: Option<String>,
    /// The run's page on the dashboard.
    pub dashboard: String,
    /// Its log on this server.
    pub logs: Option<String>,
}

/// What became of the pull request while the recipe was run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meanwhile {
    /// It was closed or merged.
    pub closed: bool,
    /// It has another newest commit.
    pub moved: bool,
}

/// What the check run of a recipe shows while it is tested.
pub fn in_progress(dashboard: &str, logs: Option<String>) -> Output {
    let logs = logs.map(|logs| format!(" · [log]({logs})")).unwrap_or_default();
    Output { title: "Test run in progress".to_owned(), summary: format!("[Recipe run]({dashboard}){logs}"), text: None }
}

impl Ended {
    fn succeeded(&self) -> bool {
        self.conclusion == Conclusion::Success
    }

    fn what(&self) -> &'static str {
        if self.is_test { "test run" } else { "production run" }
    }

    fn ended(&self) -> &'static str {
        match self.conclusion {
            Conclusion::Success => "succeeded",
            Conclusion::Cancelled => "was cancelled",
            Conclusion::TimedOut => "timed out",
            _ => "failed",
        }
    }

    /// The comment on the pull request.
    pub fn comment(&self, meanwhile: Meanwhile) -> String {
        let (emoji, end) = match self.conclusion {
            Conclusion::Success => (":tada:", '!'),
            Conclusion::Cancelled => (":no_entry_sign:", '.'),
            Conclusion::TimedOut => (":hourglass:", '.'),
            _ => (":x:", '.'),
        };
        let mut parts = vec![format!(
            "{emoji} The {} of {} at {} {}{end}",
            self.what(),
            code(&self.recipe_id),
            self.head_sha,
            self.ended()
        )];
        if self.is_test && meanwhile.moved {
            parts.push("Newer commits were pushed meanwhile: this is not what they do.".to_owned());
        }
        if self.is_test && meanwhile.closed {
            parts.push("This pull request was closed meanwhile.".to_owned());
        }
        parts.extend(self.body(MAX_CHARACTERS - 1000));
        parts.join("\n\n")
    }

    /// What the recipe's check run shows.
    pub fn output(&self) -> Output {
        let mut title = self.what().to_owned();
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let summary = self.body(MAX_CHARACTERS).join("\n\n");
        Output { title: format!("{title} {}", self.ended()), summary, text: None }
    }

    /// One line about a deployment.
    pub fn description(&self) -> String {
        let attempt = match self.attempt {
            Some(number) if number > 1 => format!(", attempt {number},"),
            _ => String::new(),
        };
        let after = self.took.map(|took| format!(" after {}", duration(took))).unwrap_or_default();
        let why = self.reason.as_deref().map(|reason| format!(": {}", one_line(reason))).unwrap_or_default();
        truncate(&format!("Run {}{attempt} {}{after}{why}", self.run_id, self.ended()), 140)
    }

    /// What every telling has in common, in at most about `room` characters.
    fn body(&self, room: usize) -> Vec<String> {
        let mut parts = Vec::new();
        match (self.succeeded(), &self.dataset_public_url) {
            (true, Some(url)) => {
                parts.push(format!("{}The dataset is there:", self.took_sentence()));
                parts.push(block("python", &opening(self.dataset_type, url)));
            }
            (true, None) => parts
                .push(format!("{}Its bakery keeps datasets where they have no public address.", self.took_sentence())),
            (false, _) => {
                if let Some(reason) = &self.reason {
                    parts.push(block("text", &truncate(reason, MAX_REASON)));
                }
                parts.push(format!("{}{}", self.took_sentence(), self.next()));
            }
        }
        let mut links = vec![format!("[Recipe run {}]({})", self.run_id, self.dashboard)];
        links.extend(self.logs.as_ref().map(|logs| format!("[log]({logs})")));
        let links = links.join(" · ");
        if let (false, Some(trace)) = (self.succeeded(), &self.trace) {
            let used: usize = parts.iter().chain([&links]).map(|part| part.chars().count() + 2).sum();
            let trace = tail(trace, room.saturating_sub(used + 200));
            parts.push(format!("<details>\n<summary>Trace</summary>\n\n{}\n\n</details>", block("text", &trace)));
        }
        parts.push(links);
        parts
    }

    fn took_sentence(&self) -> String {
        self.took.map(|took| format!("It took {}. ", duration(took))).unwrap_or_default()
    }

    fn next(&self) -> String {
        let run = code(&format!("/run {}", self.recipe_id));
        match (self.is_test, self.conclusion) {
            (false, _) => {
                let id = self.run_id;
                format!("An operator of this service can start it again: `pforge runs retry {id}`.")
            }
            (true, Conclusion::Cancelled) => format!("Comment {run} to start it again."),
            (true, Conclusion::TimedOut) => {
                format!(
                    "A test bakes only a small part of the recipe; see where the time went, then comment {run} again."
                )
            }
            (true, _) => {
                format!("Push a change, which is queued as a new test, or comment {run} to try the same commit again.")
            }
        }
    }
}

/// Python that opens a dataset.
fn opening(dataset_type: Option<DatasetType>, url: &str) -> String {
    // A JSON text is a Python text, too.
    let url = |rest: &str| serde_json::Value::from(format!("{url}{rest}")).to_string();
    match dataset_type {
        None | Some(DatasetType::Zarr) => {
            format!("import xarray as xr\n\nds = xr.open_dataset({}, engine=\"zarr\", chunks={{}})\nds", url(""))
        }
        Some(DatasetType::Kerchunk) => format!(
            "import xarray as xr  # and the packages kerchunk and zarr\n\n\
             ds = xr.open_dataset({}, engine=\"kerchunk\", chunks={{}})\nds",
            url("/reference.json")
        ),
        Some(DatasetType::Parquet) => {
            format!("import pandas as pd  # and the package pyarrow\n\ndf = pd.read_parquet({})\ndf", url(""))
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(conclusion: Conclusion) -> Ended {
        Ended {
            recipe_id: "sst".into(),
            run_id: 7,
            attempt: Some(1),
            head_sha: "0123abc".into(),
            is_test: true,
            conclusion,
            dataset_type: Some(DatasetType::Zarr),
            dataset_public_url: None,
            took: Some(Duration::from_millis(3200)),
            reason: None,
            trace: None,
            dashboard: "https://d/recipe-run/7".into(),
            logs: Some("https://s/recipe_runs/7/logs".into()),
        }
    }

    #[test]
    fn a_success_opens_the_dataset() {
        let url = Some("https://data/sst.zarr".to_owned());
        let success = Ended { dataset_public_url: url.clone(), ..ended(Conclusion::Success) };
        assert_eq!(
            success.comment(Meanwhile::default()),
            ":tada: The test run of `sst` at 0123abc succeeded!\n\n\
             It took 3.2 s. The dataset is there:\n\n\
             ```python\nimport xarray as xr\n\n\
             ds = xr.open_dataset(\"https://data/sst.zarr\", engine=\"zarr\", chunks={})\nds\n```\n\n\
             [Recipe run 7](https://d/recipe-run/7) · [log](https://s/recipe_runs/7/logs)"
        );
        for (dataset_type, words) in [
            (DatasetType::Kerchunk, "\"https://data/sst.zarr/reference.json\", engine=\"kerchunk\""),
            (DatasetType::Parquet, "pd.read_parquet(\"https://data/sst.zarr\")"),
        ] {
            let other = Ended { dataset_type: Some(dataset_type), ..success.clone() };
            assert!(other.comment(Meanwhile::default()).contains(words), "{other:?}");
        }
        let private = Ended { dataset_public_url: None, ..success };
        assert!(private.output().summary.contains("no public address"));
    }

    #[test]
    fn a_failure_says_why_and_what_next() {
        let failure = Ended {
            reason: Some("ValueError: bad `input`".into()),
            trace: Some("Traceback\n```\n</details>".into()),
            ..ended(Conclusion::Failure)
        };
        let text = failure.comment(Meanwhile { closed: true, moved: true });
        assert!(text.starts_with(":x: The test run of `sst` at 0123abc failed.\n\nNewer commits"), "{text}");
        assert!(text.contains("closed meanwhile") && text.contains("`/run sst`"), "{text}");
        assert!(text.contains("```text\nValueError: bad `input`\n```"), "{text}");
        assert!(text.contains("````text\nTraceback\n```\n</details>\n````\n\n</details>"), "{text}");
        assert_eq!(failure.output().title, "Test run failed");
        assert_eq!(failure.description(), "Run 7 failed after 3.2 s: ValueError: bad `input`");
    }

    #[test]
    fn the_other_ends_have_their_own_words() {
        for (conclusion, title, words) in [
            (Conclusion::Cancelled, "Test run was cancelled", "start it again"),
            (Conclusion::TimedOut, "Test run timed out", "where the time went"),
        ] {
            let ended = ended(conclusion);
            assert_eq!(ended.output().title, title);
            assert!(ended.comment(Meanwhile::default()).contains(words));
        }
        let production = Ended { is_test: false, attempt: Some(2), ..ended(Conclusion::Failure) };
        assert!(production.comment(Meanwhile::default()).contains("`pforge runs retry 7`"));
        assert_eq!(production.description(), "Run 7, attempt 2, failed after 3.2 s");
    }

    #[test]
    fn whatever_is_told_fits() {
        let huge = Ended {
            recipe_id: "`".repeat(255),
            reason: Some("é".repeat(100_000)),
            trace: Some("`é\n".repeat(100_000) + "the end"),
            ..ended(Conclusion::Failure)
        };
        for text in [huge.comment(Meanwhile { closed: true, moved: true }), huge.output().summary] {
            let length = text.chars().count();
            assert!(length <= MAX_CHARACTERS && length > 60_000, "{length}");
            assert!(text.contains("the end\n```\n\n</details>"));
        }
        assert_eq!(huge.description().chars().count(), 140);
    }
}
