//! The story, from an empty organisation to a dataset, and to a mistake that is mended.

use std::path::Path;
use std::time::Duration;

use super::acts::commits::{Arrival, Becomes, arrive};
use super::acts::production::Merged;
use super::acts::test_run::{Asked, Ends};
use super::acts::{
    ADMIN, BRANCH, CONTRIBUTOR, FEEDSTOCK, FOLDER, MAINTAINER, STAGED, TINY, TWO_WAYS, asides, curtain, feedstock,
    opening, production, test_run,
};
use super::diagrams::{PROPOSAL, REPAIR};
use super::fail::Fail;
use super::narrator::Narrator;
use super::scene::{Mark, Scene};
use super::stage::{self, GitHub};
use crate::cli::env::Env;
use crate::cli::error::{Error, Result};
use crate::cli::ui::Ui;
use crate::emulator::person::{Files, OpenPull, OpenedPull};

/// How long any step may wait.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same with a runner that installs packages and runs Python.
const REAL_PATIENCE: Duration = Duration::from_secs(1200);
/// A typo where the recipes should be.
const TYPO: (&str, &str) = ("\nrecipes:", "\nrecipe:");
/// What a broken recipe raises.
const RAISED: &str = "the source moved to another address";
/// A mistake that is found in production.
const MISTAKE: (&str, &str) = ("made-up", "made-up (nothing was measured)");

/// How the story goes.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What goes wrong.
    pub fail: Option<Fail>,
    /// The real runner's command; a stand-in when it is absent.
    pub runner: Option<Vec<String>>,
}

/// What is still up after the story.
pub struct Ending {
    /// The server and the people.
    pub scene: Scene,
    /// GitHub.
    pub github: GitHub,
}

impl Ending {
    /// Ends everything.
    ///
    /// # Errors
    /// What did not end well.
    pub async fn end(self) -> Result {
        let server = self.scene.server.stop().await;
        self.github.stop().await?;
        server
    }
}

/// Plays the story, with its files in `folder`.
///
/// # Errors
/// At the first thing that does not hold.
pub async fn play(ui: &Ui, env: &Env, folder: &Path, plan: &Plan) -> Result<Ending> {
    let github = GitHub::start(opening::seed()).await?;
    let mut tell = Narrator::new(ui);
    let runner = match &plan.runner {
        Some(command) => command.clone(),
        None => vec![stage::own_program()?.display().to_string(), "demo-runner".to_owned()],
    };
    let runs =
        if plan.runner.is_some() { "recipes by the runner given" } else { "recipes by a stand-in without Python" };
    tell.title(&format!("a local GitHub, pforge serve, {runs}"))?;
    let patience = if plan.runner.is_some() { REAL_PATIENCE } else { PATIENCE };
    let example = if plan.runner.is_some() { &TINY } else { &TWO_WAYS };
    let props = opening::Props { example, folder, github: &github, runner: &runner, patience, env };
    let mut scene = opening::open(props, &mut tell).await?;

    tell.begin(&PROPOSAL)?;
    let (pull, sha, tests) = proposal(&scene, &mut tell).await?;
    let pull = Proposal { pull, sha, tests };
    let pull = try_it(&scene, &mut tell, pull, plan.fail).await?;
    let made = feedstock::create(&mut scene, &mut tell, &pull.pull, plan.fail).await?;
    let merged = Merged { mark: made.mark, number: made.number, sha: &made.sha };
    production::first(&scene, &mut tell, merged).await?;

    asides::invited(&scene, &mut tell).await?;

    tell.begin(&REPAIR)?;
    let runs = repair(&scene, &mut tell).await?;

    tell.end_of_diagrams()?;
    curtain::settle(&scene, &mut tell).await?;
    for diagram in [&PROPOSAL, &REPAIR] {
        let missing = tell.missing(diagram);
        if !missing.is_empty() {
            return Err(Error::failure(format!("arrows {missing:?} of diagram {} were not told", diagram.number)));
        }
    }
    curtain::sum_up(&scene, &mut tell, &runs).await?;
    Ok(Ending { scene, github })
}

/// A pull request that is ready to be tried.
struct Proposal {
    pull: OpenedPull,
    /// Its newest commit.
    sha: String,
    /// The runs of its recipes.
    tests: Vec<i64>,
}

/// Diagram 1, (1) and (2): a pull request, a mistake, its correction.
async fn proposal(scene: &Scene, tell: &mut Narrator<'_>) -> Result<(OpenedPull, String, Vec<i64>)> {
    let mark = scene.mark().await?;
    let pull = tell
        .arrow(1, async |checks| {
            let pull = OpenPull {
                branch: BRANCH.to_owned(),
                title: "Add sea surface temperature".to_owned(),
                files: scene.example.files(FOLDER),
                user: Some(CONTRIBUTOR.to_owned()),
                fork: true,
                ..OpenPull::default()
            };
            let pull = scene.person.open_pull(STAGED, &pull).await?;
            checks.holds(format!("#{}, from a fork: {FOLDER}", pull.number), pull.number > 0, &pull)?;
            Ok(pull)
        })
        .await?;
    let becomes = Becomes::Queued(scene.example.recipes);
    let arrival = Arrival { repo: STAGED, sha: &pull.head.sha, action: "opened", mark, becomes };
    arrive(scene, tell, 2, &arrival).await?;
    let typo = scene.example.edited(FOLDER, |_, text| text.replacen(TYPO.0, TYPO.1, 1));
    commit(scene, tell, typo, "a typo in meta.yaml", Becomes::Refused("recipes")).await?;
    tell.again("the typo is mended")?;
    let mark = scene.mark().await?;
    let (sha, tests) =
        commit(scene, tell, scene.example.files(FOLDER), "the typo is mended", Becomes::Queued(scene.example.recipes))
            .await?;
    asides::forged(scene, tell).await?;
    asides::redelivered(scene, tell, mark, &sha).await?;
    Ok((pull, sha, tests))
}

/// Arrows 5 to 8: the commit, and the runs of its recipes.
async fn commit(
    scene: &Scene,
    tell: &mut Narrator<'_>,
    files: Files,
    what: &str,
    becomes: Becomes<'_>,
) -> Result<(String, Vec<i64>)> {
    let mark = scene.mark().await?;
    let fork = format!("{CONTRIBUTOR}/staged-recipes");
    let sha = tell
        .arrow(5, async |checks| {
            let sha = scene.person.push(&fork, BRANCH, &files, Some(CONTRIBUTOR)).await?;
            checks.holds(format!("{}: {what}", sha.get(..7).unwrap_or_default()), !sha.is_empty(), &sha)?;
            Ok(sha)
        })
        .await?;
    let arrival = Arrival { repo: STAGED, sha: &sha, action: "synchronize", mark, becomes };
    let tests = arrive(scene, tell, 6, &arrival).await?;
    Ok((sha, tests))
}

/// Diagram 1, (3) and (4): each recipe is tested.
async fn try_it(scene: &Scene, tell: &mut Narrator<'_>, of: Proposal, fail: Option<Fail>) -> Result<Proposal> {
    let mut of = of;
    if fail == Some(Fail::Recipe) {
        of = broken(scene, tell, of).await?;
    }
    for (number, (recipe, run)) in scene.example.recipes.iter().zip(&of.tests).enumerate() {
        if number > 0 {
            tell.again("and the other recipe")?;
        }
        let asked = of.asked(recipe, *run, Ends::Success);
        test_run::test(scene, tell, 9, &asked).await?;
        if number == 0 {
            asides::stranger(scene, tell, &of.pull).await?;
            asides::unknown(scene, tell, &of.pull).await?;
        }
    }
    Ok(of)
}

/// A recipe that raises an exception, and its correction.
async fn broken(scene: &Scene, tell: &mut Narrator<'_>, of: Proposal) -> Result<Proposal> {
    tell.again("the recipe breaks")?;
    let raise = |name: &str, text: &str| match name {
        "recipe.py" => format!("raise ValueError(\"{RAISED}\")\n{text}"),
        _ => text.to_owned(),
    };
    let pull = of.pull;
    let files = scene.example.edited(FOLDER, raise);
    let (sha, tests) = commit(scene, tell, files, "recipe.py raises", Becomes::Queued(scene.example.recipes)).await?;
    let of = Proposal { pull, sha, tests };
    let asked = of.asked(scene.example.recipes[0], of.tests[0], Ends::Failure(RAISED));
    test_run::test(scene, tell, 9, &asked).await?;
    tell.again("a push mends it")?;
    let (sha, tests) =
        commit(scene, tell, scene.example.files(FOLDER), "mended", Becomes::Queued(scene.example.recipes)).await?;
    Ok(Proposal { sha, tests, ..of })
}

impl Proposal {
    fn asked<'a>(&'a self, recipe: &'a str, run: i64, ends: Ends<'a>) -> Asked<'a> {
        Asked { repo: STAGED, number: self.pull.number, sha: &self.sha, recipe, run, by: ADMIN, ends }
    }
}

/// Diagram 2: a pull request to the feedstock, tested, merged, and run in production again.
async fn repair(scene: &Scene, tell: &mut Narrator<'_>) -> Result<Vec<serde_json::Value>> {
    let mark = scene.mark().await?;
    let pull = tell
        .arrow(1, async |checks| {
            let pull = OpenPull {
                branch: "say-what-it-is".to_owned(),
                title: "Say what the numbers are".to_owned(),
                files: scene.example.edited("feedstock", |_, text| text.replacen(MISTAKE.0, MISTAKE.1, 1)),
                user: Some(MAINTAINER.to_owned()),
                fork: true,
                ..OpenPull::default()
            };
            let pull = scene.person.open_pull(FEEDSTOCK, &pull).await?;
            checks.holds(format!("#{}: “Say what the numbers are”", pull.number), pull.number > 0, &pull)?;
            Ok(pull)
        })
        .await?;
    let becomes = Becomes::Queued(scene.example.recipes);
    let sha = pull.head.sha.as_str();
    let arrival = Arrival { repo: FEEDSTOCK, sha, action: "opened", mark, becomes };
    let tests = arrive(scene, tell, 2, &arrival).await?;
    for (recipe, run) in scene.example.recipes.iter().zip(tests).take(1) {
        let asked =
            Asked { repo: FEEDSTOCK, number: pull.number, sha, recipe, run, by: MAINTAINER, ends: Ends::Success };
        test_run::test(scene, tell, 5, &asked).await?;
    }
    let mark: Mark = scene.mark().await?;
    let merge = tell
        .arrow(12, async |checks| {
            let merge = scene.person.merge_as(FEEDSTOCK, pull.number, MAINTAINER).await?;
            checks.holds(format!("#{} into main", pull.number), !merge.is_empty(), &merge)?;
            Ok(merge)
        })
        .await?;
    production::again(scene, tell, Merged { mark, number: pull.number, sha: &merge }).await
}
