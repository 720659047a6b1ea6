//! The two sequence diagrams that the demo plays, as data: who speaks to whom, and what is done.
//!
//! Arrows are numbered through each diagram, the way a sequence diagram numbers them.

/// A part of a diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Decides what is run and merged.
    Admin,
    /// Proposes a recipe.
    Contributor,
    /// Looks after a feedstock.
    Maintainer,
    /// The repository that recipes are proposed to.
    StagedRecipes,
    /// The repository of a recipe that was accepted.
    Feedstock,
    /// The server.
    Pforge,
    /// Where recipes are run.
    Bakery,
}

impl Who {
    /// The name that the diagram gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "Pangeo Forge Admin",
            Self::Contributor => "Contributor",
            Self::Maintainer => "Maintainer",
            Self::StagedRecipes => "Staged Recipes Repo",
            Self::Feedstock => "Feedstock Repo",
            Self::Pforge => "pforge",
            Self::Bakery => "Bakery",
        }
    }

    /// A name for narrow columns.
    pub fn short(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Contributor => "contributor",
            Self::Maintainer => "maintainer",
            Self::StagedRecipes => "staged-recipes",
            Self::Feedstock => "feedstock",
            Self::Pforge => "pforge",
            Self::Bakery => "bakery",
        }
    }
}

/// One arrow.
#[derive(Debug)]
pub struct Arrow {
    /// Who acts.
    pub from: Who,
    /// On whom.
    pub to: Who,
    /// What is done, in the diagram's words.
    pub what: &'static str,
    /// Dashed: a message, where a solid one is an act.
    pub dashed: bool,
}

/// What belongs together in a diagram.
#[derive(Debug)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// Its arrows.
    pub arrows: &'static [Arrow],
}

/// A sequence diagram.
#[derive(Debug)]
pub struct Diagram {
    /// 1 or 2.
    pub number: u8,
    /// Its heading.
    pub title: &'static str,
    /// From above to below.
    pub sections: &'static [Section],
}

impl Diagram {
    /// Its arrows with their numbers and sections.
    pub fn arrows(&self) -> impl Iterator<Item = (u8, &'static Section, &'static Arrow)> {
        let all = self.sections.iter().flat_map(|section| section.arrows.iter().map(move |arrow| (section, arrow)));
        (1u8..).zip(all).map(|(number, (section, arrow))| (number, section, arrow))
    }

    /// The arrow with this number, and its section.
    pub fn arrow(&self, number: u8) -> Option<(&'static Section, &'static Arrow)> {
        self.arrows().find(|(each, ..)| *each == number).map(|(_, section, arrow)| (section, arrow))
    }
}

const fn act(from: Who, to: Who, what: &'static str) -> Arrow {
    Arrow { from, to, what, dashed: false }
}

const fn message(from: Who, to: Who, what: &'static str) -> Arrow {
    Arrow { from, to, what, dashed: true }
}

use Who::{Admin, Bakery, Contributor, Feedstock, Maintainer, Pforge, StagedRecipes};

/// From a proposed recipe to its first production run.
pub static PROPOSAL: Diagram = Diagram {
    number: 1,
    title: "From staged-recipes PR to first production run",
    sections: &[
        Section {
            title: "(1) Contributor opens PR",
            arrows: &[
                act(Contributor, StagedRecipes, "opens PR"),
                message(StagedRecipes, Pforge, "webhook: PR opened"),
                act(Pforge, Pforge, "creates `queued` recipe_run(s)"),
                act(Pforge, StagedRecipes, "updates check run status"),
            ],
        },
        Section {
            title: "(2) Contributor commits to PR",
            arrows: &[
                act(Contributor, StagedRecipes, "commits to PR"),
                message(StagedRecipes, Pforge, "webhook: new commits"),
                act(Pforge, Pforge, "creates `queued` recipe_run(s)"),
                act(Pforge, StagedRecipes, "updates check run status"),
            ],
        },
        Section {
            title: "(3) Admin deploys test /run",
            arrows: &[
                act(Admin, StagedRecipes, "deploys test /run"),
                message(StagedRecipes, Pforge, "webhook: issue comment"),
                act(Pforge, Pforge, "updates recipe run to `in_progress`"),
                act(Pforge, Bakery, "deploys test job"),
            ],
        },
        Section {
            title: "(4) Job status notification",
            arrows: &[
                message(Bakery, Pforge, "reports job status"),
                act(Pforge, Pforge, "updates recipe_run with job status"),
                act(Pforge, StagedRecipes, "reports job status"),
            ],
        },
        Section {
            title: "(5) Create feedstock repo",
            arrows: &[
                act(Admin, StagedRecipes, "merges PR"),
                message(StagedRecipes, Pforge, "webhook: PR merged"),
                act(Pforge, Feedstock, "creates feedstock repo (empty)"),
                act(Pforge, Pforge, "records new feedstock"),
                act(Pforge, Feedstock, "opens PR w/ recipe.py + meta.yaml"),
                act(Pforge, StagedRecipes, "deletes PR files"),
                act(Pforge, Feedstock, "merges PR"),
            ],
        },
        Section {
            title: "(6) Deploy production run(s)",
            arrows: &[
                message(Feedstock, Pforge, "webhook: PR merged"),
                act(Pforge, Pforge, "creates recipe_run(s)"),
                act(Pforge, Feedstock, "creates deployment API env for each recipe run"),
                act(Pforge, Bakery, "deploys prod run(s)"),
            ],
        },
        Section {
            title: "(7) Job status notification",
            arrows: &[
                message(Bakery, Pforge, "reports job status"),
                act(Pforge, Pforge, "updates recipe_run(s) w/ job status"),
                act(Pforge, Feedstock, "updates deployment API env(s) with job status"),
            ],
        },
    ],
};

/// A mistake in a feedstock is mended.
pub static REPAIR: Diagram = Diagram {
    number: 2,
    title: "Maintaining the feedstock",
    sections: &[
        Section {
            title: "(1) PR to fix error",
            arrows: &[
                act(Maintainer, Feedstock, "opens PR"),
                message(Feedstock, Pforge, "webhook: PR opened"),
                act(Pforge, Pforge, "creates `queued` recipe_run(s)"),
                act(Pforge, Feedstock, "updates check run status"),
            ],
        },
        Section {
            title: "(2) Deploy test run",
            arrows: &[
                act(Maintainer, Feedstock, "deploys test /run"),
                message(Feedstock, Pforge, "webhook: issue comment"),
                act(Pforge, Pforge, "updates recipe run to `in_progress`"),
                act(Pforge, Bakery, "deploys test job"),
                message(Bakery, Pforge, "reports job status"),
                act(Pforge, Pforge, "updates recipe_run with job status"),
                act(Pforge, Feedstock, "reports job status"),
            ],
        },
        Section {
            title: "Merge, and production again",
            arrows: &[
                act(Maintainer, Feedstock, "merges PR"),
                message(Feedstock, Pforge, "webhook: PR merged"),
                act(Pforge, Pforge, "repeats the production run"),
            ],
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::{PROPOSAL, REPAIR, Who};

    #[test]
    fn the_arrows_are_numbered_through() {
        assert_eq!((PROPOSAL.arrows().count(), REPAIR.arrows().count()), (29, 14));
        let of = |number| PROPOSAL.arrow(number).map(|(section, arrow)| (section.title, arrow.to, arrow.what));
        assert_eq!(of(9), Some(("(3) Admin deploys test /run", Who::StagedRecipes, "deploys test /run")));
        assert_eq!(of(22), Some(("(5) Create feedstock repo", Who::Feedstock, "merges PR")));
        assert_eq!((of(0), of(30)), (None, None));
    }
}
