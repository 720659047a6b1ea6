//! A recipe was merged into staged-recipes: create its feedstock repository.
//!
//! For each folder `recipes/<name>` of the pull request, in this order: the repository
//! `<name>-feedstock` is made ([`repository`]), recorded, its contributors are invited
//! ([`contributors`]), the folder's files are proposed to it in a pull request and merged
//! ([`recipe`]), which starts the production run through its webhook, and at last the folder is
//! removed from staged-recipes ([`cleanup`]).
//!
//! Whatever a step makes is saved at once ([`making`]), and a step that may have been cut off looks
//! for what it made before it makes it, so that the job can be killed between any two calls and
//! goes on where it was. Names of branches are therefore derived from what the job is about. All of
//! it is told in one comment on the merged pull request ([`comment`]).

mod cleanup;
mod comment;
mod contributors;
mod making;
mod plan;
mod propose;
mod recipe;
mod repository;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::making::{Cleanup, Making, Way};
use self::plan::File;
use super::pull::NOT_A_RECIPE;
use super::{Cx, MergedPull, github_failure};
use crate::apps::recipes::rows::feedstocks::{self, Feedstock};
use crate::apps::recipes::rows::{Provider, recipe_runs};
use crate::apps::recipes::text::feedstock::End;
use crate::github::Repository;
use crate::github::api::repos::About;
use crate::jobs::{Done, Failure, Job, Task};
use crate::store;
use crate::store::Db;
use crate::util::text::plural;

/// Under which name what was made is saved.
const FEEDSTOCKS: &str = "feedstocks";
/// From this attempt on, the comment says why the job waits: GitHub's short troubles are nobody's
/// concern.
const WORTH_TELLING: u32 = 3;

/// A recipe was merged into staged-recipes: create its feedstock repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CreateFeedstock(pub MergedPull);

impl Job for CreateFeedstock {
    const KIND: &'static str = "recipes.create_feedstock";
    /// GitHub lets an App create 80 things in a minute: a large pull request takes several
    /// attempts, each of which goes on where the one before had to wait.
    const MAX_ATTEMPTS: u32 = 20;
    const TIMEOUT: Duration = Duration::from_secs(1800);
    type Cx = Cx;

    async fn run(&self, cx: &Cx, task: &mut Task) -> Result<Done, Failure> {
        let base = cx.github()?.repository(&self.0.base_full_name, self.0.installation_id);
        let Some(makings) = self.0.plan(&base, task).await? else {
            return Ok(Done(NOT_A_RECIPE.to_owned()));
        };
        let mut work = Work::new(cx, &self.0, base, task, makings);
        match work.everything().await {
            Ok(done) => Ok(done),
            Err(failure) => {
                work.tell_trouble(&failure).await;
                Err(failure)
            }
        }
    }

    async fn give_up(&self, cx: &Cx, task: &mut Task, failure: &Failure) {
        let Ok(github) = cx.github() else { return };
        let base = github.repository(&self.0.base_full_name, self.0.installation_id);
        let makings = task.saved(FEEDSTOCKS).unwrap_or_default();
        let mut work = Work::new(cx, &self.0, base, task, makings);
        if let Err(failure) = work.tell(End::Stopped { reason: &failure.reason, job: work.task.id }).await {
            tracing::warn!(job = work.task.id, reason = failure.reason, "nobody is told that a feedstock is not made");
        }
    }
}

/// The work of one attempt.
struct Work<'a> {
    cx: &'a Cx,
    merged: &'a MergedPull,
    /// staged-recipes.
    base: Repository,
    /// What GitHub says of it, once asked.
    about: Option<About>,
    task: &'a mut Task,
    /// The feedstocks, as far as they are made.
    makings: Vec<Making>,
    /// The files of each, once listed: a commit does not change.
    listed: BTreeMap<usize, Vec<File>>,
    /// The comment's id, once known.
    comment: Option<i64>,
    /// What the comment says.
    told: String,
}

impl<'a> Work<'a> {
    fn new(cx: &'a Cx, merged: &'a MergedPull, base: Repository, task: &'a mut Task, makings: Vec<Making>) -> Self {
        Self {
            cx,
            merged,
            base,
            about: None,
            task,
            makings,
            listed: BTreeMap::new(),
            comment: None,
            told: String::new(),
        }
    }

    async fn everything(&mut self) -> Result<Done, Failure> {
        self.tell(End::Going).await?;
        self.about = self.base.about().await.map_err(github_failure)?;
        self.check_all().await?;
        for at in 0..self.makings.len() {
            self.make_repository(at).await?;
            self.record(at).await?;
            self.invite(at).await?;
            self.tell(End::Going).await?;
            self.propose_recipe(at).await?;
            self.tell(End::Going).await?;
            self.merge_recipe(at).await?;
            self.tell(End::Going).await?;
            self.clean_up(at).await?;
            self.find_runs(at).await?;
        }
        self.tell(End::Done).await?;
        let specs: Vec<&str> = self.makings.iter().map(|making| making.spec.as_str()).collect();
        let count = u64::try_from(specs.len()).unwrap_or(u64::MAX);
        Ok(Done(format!("{} created: {}", plural(count, "feedstock"), specs.join(", "))))
    }

    /// What GitHub says of staged-recipes.
    fn about(&self) -> Result<&About, Failure> {
        let unknown = || Failure::permanent(format!("GitHub knows no {}", self.merged.base_full_name));
        self.about.as_ref().ok_or_else(unknown)
    }

    /// The repository that is made.
    fn feedstock(&self, at: usize) -> Repository {
        self.base.client().repository(&self.makings[at].spec, self.merged.installation_id)
    }

    /// Writes `change` down, durably.
    async fn note(&mut self, at: usize, change: impl FnOnce(&mut Making)) -> Result<(), Failure> {
        change(&mut self.makings[at]);
        self.task.save(FEEDSTOCKS, &self.makings).await
    }

    /// Records the feedstock: its own pull requests are looked up by this row.
    async fn record(&mut self, at: usize) -> Result<(), Failure> {
        if self.makings[at].feedstock_id.is_some() {
            return Ok(());
        }
        let Feedstock { id, .. } = recorded(&self.cx.db, &self.makings[at].spec).await?;
        self.note(at, |making| making.feedstock_id = Some(id)).await
    }

    /// Notes the production runs that the merge has started by now, for people to find them.
    async fn find_runs(&mut self, at: usize) -> Result<(), Failure> {
        let Making { feedstock_id: Some(id), merged: Some(sha), .. } = &self.makings[at] else { return Ok(()) };
        let runs = recipe_runs::of_feedstock(&self.cx.db, *id).await?;
        let runs = runs.into_iter().filter(|run| !run.is_test && run.head_sha == *sha).map(|run| run.id);
        self.makings[at].runs = runs.collect();
        Ok(())
    }
}

/// The row of a feedstock, whoever added it.
async fn recorded(db: &Db, spec: &str) -> Result<Feedstock, Failure> {
    if let Some(row) = feedstocks::by_spec(db, spec).await? {
        return Ok(row);
    }
    match feedstocks::insert(db, spec, Provider::Github).await {
        // Somebody else was faster.
        Err(store::Error::Conflict(_)) => {
            let row = feedstocks::by_spec(db, spec).await?;
            row.ok_or_else(|| Failure::transient(format!("the feedstock {spec} comes and goes")))
        }
        outcome => Ok(outcome?),
    }
}
