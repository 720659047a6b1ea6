//! What is in the feedstock now is removed from staged-recipes, by a pull request whose title
//! begins with "Cleanup": its own merge leads to nothing.

use super::Work;
use super::making::Cleanup;
use super::propose::{self, Opened, Outcome};
use crate::apps::recipes::jobs::github_failure;
use crate::apps::recipes::text::feedstock as text;
use crate::github::api::contents::Deleted;
use crate::github::api::pulls::NewPull;
use crate::jobs::Failure;

/// So often other changes of the same files may come between.
const ROUNDS: u32 = 5;

impl Work<'_> {
    /// Removes the recipe's files.
    pub(super) async fn clean_up(&mut self, at: usize) -> Result<(), Failure> {
        loop {
            match &self.makings[at].cleanup {
                Some(cleanup) if cleanup.done => return Ok(()),
                Some(cleanup) if cleanup.conflict && cleanup.round >= ROUNDS => {
                    let said = format!("{} is changed again and again, and cannot be removed", self.makings[at].folder);
                    return Err(Failure::permanent(said));
                }
                Some(cleanup) if !cleanup.conflict => {}
                before => {
                    let next = Cleanup::after(before.as_ref());
                    self.abandon(at).await?;
                    self.note(at, |making| making.cleanup = Some(next)).await?;
                }
            }
            self.remove_files(at).await?;
            self.merge_removal(at).await?;
        }
    }

    /// Makes a branch without the files, and a pull request of it.
    async fn remove_files(&mut self, at: usize) -> Result<(), Failure> {
        let making = &self.makings[at];
        let (spec, folder) = (making.spec.clone(), making.folder.clone());
        let Some(cleanup) = making.cleanup.clone() else { return Ok(()) };
        if cleanup.pull.is_some() || cleanup.done {
            return Ok(());
        }
        let branch = branch(making.name(), self.merged.pr_number, cleanup.round);
        if cleanup.branch.is_none() {
            let tip = self.base.branch_tip(&self.merged.base_ref).await.map_err(github_failure)?;
            let tip = tip.ok_or_else(|| {
                Failure::permanent(format!("{} has no branch {}", self.merged.base_full_name, self.merged.base_ref))
            })?;
            self.base.create_branch(&branch, &tip).await.map_err(github_failure)?;
            self.note_cleanup(at, |cleanup| cleanup.branch = Some(branch.clone())).await?;
        }
        for (index, file) in self.files(at).await?.into_iter().enumerate().skip(cleanup.files) {
            let message = format!("Delete {}", file.path);
            let deleted = self.base.delete_file(&file.path, &branch, &message, &file.sha).await;
            let kept = deleted.map_err(github_failure)? == Deleted::Changed;
            self.note_cleanup(at, |cleanup| {
                cleanup.files = index + 1;
                cleanup.kept.extend(kept.then_some(file.path));
            })
            .await?;
        }
        let new = NewPull {
            title: format!("Cleanup {spec}"),
            head: branch,
            base: self.merged.base_ref.clone(),
            body: text::cleanup_pull(&folder, &spec, self.merged.pr_number),
        };
        match propose::open(&self.base, &new, self.task.begun_before).await? {
            Opened::Pull(number) => self.note_cleanup(at, |cleanup| cleanup.pull = Some(number)).await,
            // Somebody else has removed them.
            Opened::NoChange => self.finish_round(at).await,
        }
    }

    /// Merges it; a conflict ends the round.
    async fn merge_removal(&mut self, at: usize) -> Result<(), Failure> {
        let Some(Cleanup { pull: Some(number), done: false, merged, .. }) = self.makings[at].cleanup.clone() else {
            return Ok(());
        };
        if merged.is_none() {
            match propose::merge(&self.base, number, self.task.begun_before).await? {
                Outcome::Merged(sha) => self.note_cleanup(at, |cleanup| cleanup.merged = Some(sha)).await?,
                Outcome::Conflict => return self.note_cleanup(at, |cleanup| cleanup.conflict = true).await,
                Outcome::Closed => {
                    let said = format!("{}#{number} was closed without being merged", self.merged.base_full_name);
                    return Err(Failure::permanent(format!("{said}: remove {} by hand", self.makings[at].folder)));
                }
            }
        }
        self.finish_round(at).await
    }

    async fn finish_round(&mut self, at: usize) -> Result<(), Failure> {
        if let Some(branch) = self.makings[at].cleanup.as_ref().and_then(|cleanup| cleanup.branch.clone()) {
            self.base.delete_branch(&branch).await.map_err(github_failure)?;
        }
        self.note_cleanup(at, |cleanup| cleanup.done = true).await
    }

    /// Closes the pull request of a round that met another change, and deletes its branch.
    async fn abandon(&self, at: usize) -> Result<(), Failure> {
        let Some(Cleanup { pull, branch, .. }) = &self.makings[at].cleanup else { return Ok(()) };
        if let Some(number) = pull {
            self.base.close_pull(*number).await.map_err(github_failure)?;
        }
        if let Some(branch) = branch {
            self.base.delete_branch(branch).await.map_err(github_failure)?;
        }
        Ok(())
    }

    async fn note_cleanup(&mut self, at: usize, change: impl FnOnce(&mut Cleanup)) -> Result<(), Failure> {
        self.note(at, |making| {
            if let Some(cleanup) = &mut making.cleanup {
                change(cleanup);
            }
        })
        .await
    }
}

/// The same for the same work, so that an attempt after a crash finds its own; a time would not be.
fn branch(name: &str, pr_number: i64, round: u32) -> String {
    let again = if round > 1 { format!("-{round}") } else { String::new() };
    format!("cleanup-{name}-pr-{pr_number}{again}")
}

#[cfg(test)]
mod tests {
    use super::branch;

    #[test]
    fn each_round_has_a_branch_of_its_own() {
        assert_eq!(branch("sst", 7, 1), "cleanup-sst-pr-7");
        assert_eq!(branch("sst", 7, 2), "cleanup-sst-pr-7-2");
    }
}
