//! Deployments of commits to environments, and how they went.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::emulator::state::{CheckRun, Refusal, Repo, What, World};

/// A request to deploy a commit.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// Its id.
    pub id: i64,
    /// The commit.
    pub sha: String,
    /// What was asked for: a branch, a tag or an object name.
    pub reference: String,
    /// What is to be done; `deploy` unless told.
    pub task: String,
    /// Where to.
    pub environment: String,
    /// What the deployer shall know, as it was given.
    pub payload: Value,
    /// One line about it.
    pub description: Option<String>,
    /// Whether the environment goes away again.
    pub transient: bool,
    /// Whether people use the environment directly.
    pub production: bool,
    /// Who asked.
    pub creator: i64,
    /// The App through which it was asked.
    pub app: Option<i64>,
    /// When it was asked.
    pub created_at: DateTime<Utc>,
    /// When its last status came.
    pub updated_at: DateTime<Utc>,
    /// How it went, oldest first.
    pub statuses: Vec<DeploymentStatus>,
}

/// How a deployment went, as somebody said.
#[derive(Clone, Debug)]
pub struct DeploymentStatus {
    /// Its id.
    pub id: i64,
    /// One of [`STATES`].
    pub state: String,
    /// One line about it.
    pub description: String,
    /// Where the result is seen.
    pub environment_url: String,
    /// Where the log is.
    pub log_url: String,
    /// Who said so.
    pub creator: i64,
    /// The App through which it was said.
    pub app: Option<i64>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// The states there are.
pub const STATES: [&str; 7] = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];

/// A deployment to be made; `None` is GitHub's default.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the fields are those of Deployment")]
pub struct NewDeployment {
    pub reference: String,
    pub task: Option<String>,
    /// Merge the default branch into `reference` first; yes when `None`.
    pub auto_merge: Option<bool>,
    /// Names of check runs that must have passed; all of the commit's when `None`.
    pub required_contexts: Option<Vec<String>>,
    pub payload: Option<Value>,
    pub environment: Option<String>,
    pub description: Option<String>,
    pub transient: Option<bool>,
    pub production: Option<bool>,
}

/// A status to be added.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the fields are those of DeploymentStatus")]
pub struct NewStatus {
    pub state: String,
    pub description: String,
    pub environment_url: String,
    pub log_url: String,
    /// Another name for the deployment's environment.
    pub environment: Option<String>,
    /// End what was deployed to the environment before; yes when `None`.
    pub auto_inactive: Option<bool>,
}

/// What came of asking for a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It was made.
    Made(i64),
    /// The default branch was merged into the reference instead; ask again. GitHub's text.
    Merged(String),
}

impl World {
    /// Asks for a deployment.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] without the reference, [`Refusal::Conflict`] when the merge fails or a check is missing.
    pub fn create_deployment(
        &mut self,
        repo_id: i64,
        new: NewDeployment,
        actor: i64,
        app: Option<i64>,
    ) -> Result<Asked, Refusal> {
        let repo = self.repos.get(&repo_id).ok_or(Refusal::NotFound)?;
        let reference = new.reference;
        let commit = self.resolve(repo, &reference);
        let sha = commit.ok_or_else(|| Refusal::Invalid(format!("No ref found for: {reference}")))?.sha.clone();
        if new.auto_merge.unwrap_or(true)
            && let Some(merged) = self.bring_up_to_date(repo_id, &reference, &sha, actor)?
        {
            return Ok(Asked::Merged(merged));
        }
        let repo = self.repos.get(&repo_id).ok_or(Refusal::NotFound)?;
        if !passed(repo, &sha, new.required_contexts.as_deref()) {
            return Err(Refusal::Conflict(format!("Conflict: Commit status checks failed for {reference}.")));
        }
        let (id, now) = (self.id(), self.now());
        let environment = new.environment.unwrap_or_else(|| "production".to_owned());
        let deployment = Deployment {
            id,
            sha,
            reference,
            task: new.task.unwrap_or_else(|| "deploy".to_owned()),
            production: new.production.unwrap_or(environment == "production"),
            environment,
            payload: new.payload.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
            description: new.description,
            transient: new.transient.unwrap_or(false),
            creator: actor,
            app,
            created_at: now,
            updated_at: now,
            statuses: Vec::new(),
        };
        self.repos.get_mut(&repo_id).ok_or(Refusal::NotFound)?.deployments.insert(id, deployment);
        self.happened(actor, What::Deployment { repo: repo_id, deployment: id });
        Ok(Asked::Made(id))
    }

    /// Merges the default branch into the branch `reference` when that is behind; GitHub's text when it did.
    fn bring_up_to_date(
        &mut self,
        repo_id: i64,
        reference: &str,
        sha: &str,
        actor: i64,
    ) -> Result<Option<String>, Refusal> {
        let repo = self.repos.get(&repo_id).ok_or(Refusal::NotFound)?;
        let (branch, base) = (format!("heads/{reference}"), repo.default_branch.clone());
        let Some(tip) = repo.refs.get(&format!("heads/{base}")).cloned() else { return Ok(None) };
        if !repo.refs.contains_key(&branch) || self.ancestors(repo, sha).contains(&tip) {
            return Ok(None);
        }
        let tree = self.merged_tree(repo, sha, &tip);
        let tree = tree.ok_or_else(|| Refusal::Conflict(format!("Conflict merging {base} into {reference}.")))?;
        let message = format!("Merge branch '{base}' into {reference}");
        let merge = self.write_commit(repo_id, tree, vec![sha.to_owned(), tip], &message, actor);
        self.set_ref(repo_id, &branch, Some(&merge), actor)?;
        Ok(Some(format!("Auto-merged {base} into {reference} on deployment.")))
    }

    /// Says how a deployment went; gives the status's id.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the deployment.
    pub fn add_deployment_status(
        &mut self,
        repo_id: i64,
        deployment: i64,
        new: NewStatus,
        actor: i64,
        app: Option<i64>,
    ) -> Result<i64, Refusal> {
        let (id, now) = (self.id(), self.now());
        let repo = self.repos.get_mut(&repo_id).ok_or(Refusal::NotFound)?;
        let model = repo.deployments.get_mut(&deployment).ok_or(Refusal::NotFound)?;
        if let Some(environment) = new.environment {
            model.environment = environment;
        }
        let environment = model.environment.clone();
        let status = DeploymentStatus {
            id,
            state: new.state.clone(),
            description: new.description,
            environment_url: new.environment_url,
            log_url: new.log_url,
            creator: actor,
            app,
            created_at: now,
        };
        model.updated_at = now;
        model.statuses.push(status.clone());
        // GitHub tells nobody when a deployment becomes inactive.
        if new.state != "inactive" {
            self.happened(actor, What::DeploymentStatus { repo: repo_id, deployment, status: id });
        }
        if new.state == "success" && new.auto_inactive.unwrap_or(true) {
            self.retire_deployments(repo_id, deployment, &environment, &status);
        }
        Ok(id)
    }

    /// Ends earlier successful deployments to `environment`, but transient and production ones.
    fn retire_deployments(&mut self, repo: i64, newest: i64, environment: &str, by: &DeploymentStatus) {
        let id = self.id();
        let Some(repo) = self.repos.get_mut(&repo) else { return };
        let earlier = repo.deployments.range_mut(..newest).map(|(_, d)| d);
        for deployment in earlier.filter(|d| d.environment == environment && !d.transient && !d.production) {
            if deployment.statuses.last().is_some_and(|s| s.state == "success") {
                let ended = DeploymentStatus { id, state: "inactive".to_owned(), ..by.clone() };
                deployment.statuses.push(ended);
            }
        }
    }
}

/// Whether the check runs called `wanted` (all when `None`) of `sha` have passed, the newest of each name counting.
fn passed(repo: &Repo, sha: &str, wanted: Option<&[String]>) -> bool {
    let newest = |name: &str| repo.runs.values().rev().find(|run| run.head_sha == sha && run.name == name);
    let good = |run: &CheckRun| matches!(run.conclusion.as_deref(), Some("success" | "neutral" | "skipped"));
    match wanted {
        Some(names) => names.iter().all(|name| newest(name).is_some_and(good)),
        None => repo.runs.values().filter(|run| run.head_sha == sha).all(|run| newest(&run.name).is_some_and(good)),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Asked, NewDeployment, NewStatus};
    use crate::emulator::state::checks::RunEdit;
    use crate::emulator::state::git::Edits;
    use crate::emulator::state::repos::NewRepo;
    use crate::emulator::state::{Refusal, World};
    use crate::util::Clock;

    fn edits(path: &str, text: &'static str) -> Edits {
        Edits::from([(path.to_owned(), Some(Bytes::from(text)))])
    }

    fn world() -> (World, i64, i64) {
        let mut world = World::new(Clock::system());
        let me = world.viewer;
        let new = NewRepo { name: "r".into(), files: edits("a.txt", "one\n"), ..NewRepo::default() };
        let repo = world.create_repo(me, new, me).expect("a repository");
        (world, repo, me)
    }

    fn of(reference: &str) -> NewDeployment {
        NewDeployment { reference: reference.into(), environment: Some("e".into()), ..NewDeployment::default() }
    }

    #[test]
    fn a_branch_that_is_behind_is_merged_first_unless_told_not_to() {
        let (mut world, repo, me) = world();
        world.push(repo, "work", &edits("b.txt", "b\n"), "m", me).expect("pushed");
        world.push(repo, "clash", &edits("a.txt", "two\n"), "m", me).expect("pushed");
        world.push(repo, "main", &edits("a.txt", "three\n"), "m", me).expect("pushed");
        let merged = world.create_deployment(repo, of("work"), me, None).expect("merged");
        assert_eq!(merged, Asked::Merged("Auto-merged main into work on deployment.".into()));
        assert!(matches!(world.create_deployment(repo, of("work"), me, None), Ok(Asked::Made(_))));
        let clash = world.create_deployment(repo, of("clash"), me, None);
        assert_eq!(clash, Err(Refusal::Conflict("Conflict merging main into clash.".into())));
        let plain = NewDeployment { auto_merge: Some(false), ..of("clash") };
        assert!(matches!(world.create_deployment(repo, plain, me, None), Ok(Asked::Made(_))));
        let nowhere = world.create_deployment(repo, of("nowhere"), me, None);
        assert_eq!(nowhere, Err(Refusal::Invalid("No ref found for: nowhere".into())));
    }

    #[test]
    fn checks_must_pass_unless_none_is_required() {
        let (mut world, repo, me) = world();
        let sha = world.repos[&repo].refs["heads/main"].clone();
        let run = |name: &str, conclusion: &str| RunEdit {
            name: Some(name.into()),
            conclusion: Some(conclusion.into()),
            ..RunEdit::default()
        };
        world.create_run(repo, 1, &sha, run("good", "neutral"), me).expect("a run");
        world.create_run(repo, 1, &sha, run("bad", "failure"), me).expect("a run");
        let mut made = |required: Option<&[&str]>| {
            let names = required.map(|names| names.iter().map(|n| (*n).to_owned()).collect());
            world.create_deployment(repo, NewDeployment { required_contexts: names, ..of("main") }, me, None).is_ok()
        };
        assert_eq!(
            [made(None), made(Some(&["good", "none"])), made(Some(&["good"])), made(Some(&[]))],
            [false, false, true, true]
        );
    }

    #[test]
    fn a_success_ends_what_was_there_before() {
        let (mut world, repo, me) = world();
        let mut deploy = |production: bool| {
            let new = NewDeployment { production: Some(production), ..of("main") };
            let Ok(Asked::Made(id)) = world.create_deployment(repo, new, me, None) else { panic!("not made") };
            let status = NewStatus { state: "success".into(), ..NewStatus::default() };
            world.add_deployment_status(repo, id, status, me, None).expect("a status");
            id
        };
        let ids = [deploy(false), deploy(true), deploy(false)];
        let last = |id: &i64| world.repos[&repo].deployments[id].statuses.last().map(|s| s.state.clone());
        assert_eq!(ids.each_ref().map(last), ["inactive", "success", "success"].map(|s| Some(s.to_owned())));
    }
}
