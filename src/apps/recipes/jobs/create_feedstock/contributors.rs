//! Who may push to the feedstock from now on: those who wrote the recipe and those who maintain it.

use serde_yaml::Value;

use super::Work;
use crate::apps::recipes::jobs::github_failure;
use crate::github::api::issues::Author;
use crate::jobs::Failure;

/// Larger files are not read for names, in bytes.
const META_MAX: usize = 256 * 1024;
/// More are not invited: GitHub allows 50 invitations in a day.
const MOST: usize = 20;

impl Work<'_> {
    /// Invites the contributors. That one cannot be is told and stops nothing.
    pub(super) async fn invite(&mut self, at: usize) -> Result<(), Failure> {
        if self.makings[at].all_invited {
            return Ok(());
        }
        let feedstock = self.feedstock(at);
        // Repositories of users know only one kind of collaborator.
        let permission = self.about()?.of_organization().then_some("push");
        for login in self.contributors(at).await? {
            let making = &self.makings[at];
            let tried = |entry: &String| entry.split(':').next() == Some(login.as_str());
            if making.invited.iter().chain(&making.not_invited).any(tried) {
                continue;
            }
            match feedstock.invite(&login, permission).await {
                Ok(()) => self.note(at, |making| making.invited.push(login)).await?,
                Err(error) if error.is_transient() => return Err(github_failure(error)),
                Err(error) => {
                    let reason = match error.status() {
                        Some(404) => "GitHub knows no such account".to_owned(),
                        _ => error.to_string(),
                    };
                    self.note(at, |making| making.not_invited.push(format!("{login}: {reason}"))).await?;
                }
            }
        }
        self.note(at, |making| making.all_invited = true).await
    }

    /// The pull request's author, the authors of its commits, and the maintainers that meta.yaml
    /// names, each once.
    async fn contributors(&self, at: usize) -> Result<Vec<String>, Failure> {
        let author = self.base.pull(self.merged.pr_number).await.map_err(github_failure)?.user;
        let authors = self.base.pull_authors(self.merged.pr_number).await.map_err(github_failure)?;
        let path = format!("{}/meta.yaml", self.makings[at].folder);
        let meta = self.base.file(&path, &self.merged.merge_commit_sha).await.map_err(github_failure)?;
        let people = author.into_iter().chain(authors).filter(is_person).map(|user| user.login);
        let meta = meta.filter(|meta| meta.len() <= META_MAX).unwrap_or_default();
        let people = people.chain(maintainers(&meta));
        Ok(each_once(people, &self.about()?.owner.login))
    }
}

fn is_person(user: &Author) -> bool {
    matches!(user.kind.as_str(), "User" | "") && !user.login.ends_with("[bot]")
}

/// `maintainers[].github` of meta.yaml, where it is a name that GitHub could have given.
fn maintainers(meta: &[u8]) -> Vec<String> {
    let Ok(meta) = serde_yaml::from_slice::<Value>(meta) else { return Vec::new() };
    let listed = meta.get("maintainers").and_then(Value::as_sequence).into_iter().flatten();
    let names = listed.filter_map(|person| person.get("github")?.as_str());
    names.map(|name| name.trim().trim_start_matches('@').to_owned()).filter(|name| is_login(name)).collect()
}

fn is_login(name: &str) -> bool {
    (1..=39).contains(&name.len())
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// Accounts have no case. The owner needs no invitation.
fn each_once(people: impl Iterator<Item = String>, owner: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for login in people.filter(|login| !login.eq_ignore_ascii_case(owner)) {
        if found.len() < MOST && found.iter().all(|known| !known.eq_ignore_ascii_case(&login)) {
            found.push(login);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maintainers_are_read_leniently() {
        let meta = "maintainers:\n  - {name: A, github: '@jane'}\n  - {name: B}\n  - {github: 7}\n  - text\n  \
                    - {github: 'not a login'}\n  - {github: ../../x}\n  - {github: bob-2}\n";
        assert_eq!(maintainers(meta.as_bytes()), ["jane", "bob-2"]);
        for broken in ["", "maintainers: none", ": [", "[]"] {
            assert_eq!(maintainers(broken.as_bytes()), [""; 0]);
        }
    }

    #[test]
    fn apps_and_the_owner_are_not_invited_and_nobody_twice() {
        let user = |login: &str, kind: &str| Author { login: login.into(), kind: kind.into() };
        assert!(is_person(&user("jane", "User")));
        assert!(!is_person(&user("pforge[bot]", "Bot")) && !is_person(&user("org", "Organization")));
        let people = ["jane", "Jane", "Owner", "bob"].map(str::to_owned);
        assert_eq!(each_once(people.into_iter(), "owner"), ["jane", "bob"]);
    }
}
