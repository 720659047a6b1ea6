//! The repository: made by the App where it may, by a person where it may not.

use super::Work;
use super::making::Way;
use super::plan::taken;
use crate::apps::recipes::jobs::github_failure;
use crate::github::Error;
use crate::github::api::repos::{About, NewRepository};
use crate::jobs::Failure;

const HOMEPAGE: &str = "https://pangeo-forge.org";

impl Work<'_> {
    /// Makes the repository, or finds the one that was made.
    pub(super) async fn make_repository(&mut self, at: usize) -> Result<(), Failure> {
        if self.makings[at].page.is_some() {
            return Ok(());
        }
        let way = self.makings[at].way;
        if way.is_some()
            && let Some(there) = self.feedstock(at).about().await.map_err(github_failure)?
        {
            return self.adopt(at, way, there).await;
        }
        let about = self.about()?;
        let (of_organization, owner) = (about.of_organization(), about.owner.login.clone());
        let new = self.new_repository(at)?;
        let template = self.cx.settings.feedstock_template.clone();
        let made = if of_organization {
            self.ask(at, way, Way::Organization).await?;
            self.base.create_in_organization(&owner, &new).await
        } else if let Some(template) = template {
            self.ask(at, way, Way::Template).await?;
            self.base.generate(&template, &owner, &new).await
        } else {
            let reason = "an App cannot make repositories in the account of a user";
            return self.ask_a_person(at, reason).await;
        };
        match made {
            Ok(about) => self.made(at, about).await,
            Err(error) if is_taken(&error) => match (way, self.feedstock(at).about().await.map_err(github_failure)?) {
                // It was asked for before, and GitHub has shown it only now.
                (Some(way), Some(there)) => self.adopt(at, Some(way), there).await,
                (Some(_), None) => Err(Failure::transient(error.to_string())),
                (None, _) => {
                    self.note(at, |making| making.way = None).await?;
                    Err(taken(&self.makings[at]))
                }
            },
            Err(error) if error.is_transient() => Err(github_failure(error)),
            Err(error) => {
                let reason = github_failure(error).reason;
                self.ask_a_person(at, &reason).await
            }
        }
    }

    /// Notes that the repository is about to be asked for.
    async fn ask(&mut self, at: usize, before: Option<Way>, way: Way) -> Result<(), Failure> {
        // Once a person was asked, a repository that is there is the person's.
        if before.is_some() {
            return Ok(());
        }
        self.note(at, |making| making.way = Some(way)).await
    }

    /// Takes what is there for the one that was asked for, unless it cannot be.
    async fn adopt(&mut self, at: usize, way: Option<Way>, there: About) -> Result<(), Failure> {
        let ours = there.description.as_deref() == Some(self.new_repository(at)?.description.as_str());
        if way == Some(Way::ByHand) || ours { self.made(at, there).await } else { Err(taken(&self.makings[at])) }
    }

    async fn made(&mut self, at: usize, about: About) -> Result<(), Failure> {
        // A person may have written the name in another case: webhooks name it as it is there.
        let same = about.full_name.eq_ignore_ascii_case(&self.makings[at].spec);
        let branch = if about.default_branch.is_empty() { "main".to_owned() } else { about.default_branch };
        self.note(at, |making| {
            if same {
                making.spec = about.full_name;
            }
            making.page = Some(about.html_url);
            making.default_branch = Some(branch);
        })
        .await
    }

    async fn ask_a_person(&mut self, at: usize, reason: &str) -> Result<(), Failure> {
        self.note(at, |making| making.way = Some(Way::ByHand)).await?;
        let spec = &self.makings[at].spec;
        Err(Failure::permanent(format!("the repository {spec} must be made by hand: {reason}")))
    }

    fn new_repository(&self, at: usize) -> Result<NewRepository, Failure> {
        let name = self.makings[at].name();
        Ok(NewRepository {
            name: format!("{name}-feedstock"),
            description: format!("Pangeo Forge feedstock for {name}."),
            homepage: HOMEPAGE.to_owned(),
            // Recipes that only members may read do not become public.
            private: self.about()?.private,
            has_issues: true,
            has_projects: false,
            has_wiki: false,
            auto_init: true,
            gitignore_template: "Python",
            license_template: "apache-2.0",
        })
    }
}

/// Whether GitHub says that the name is taken; it says so in different places.
fn is_taken(error: &Error) -> bool {
    let Error::Status(status) = error else { return false };
    let said = std::iter::once(&status.message).chain(&status.errors);
    status.status == 422 && said.into_iter().any(|text| text.to_lowercase().contains("already exists"))
}
