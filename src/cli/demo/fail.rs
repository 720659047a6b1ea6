//! What goes wrong when it is asked to.

use std::time::Duration;

use serde_json::Value;

use super::acts::{FEEDSTOCK, ORG, STAGED};
use super::narrator::Narrator;
use super::scene::{Mark, Scene, items, words};
use crate::cli::error::Result;
use crate::emulator::faults::Fault;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Fail {
    /// The recipe raises an exception; a push mends it
    Recipe,
    /// GitHub answers errors and limits while the feedstock is created
    Github,
    /// The server is killed while the feedstock is created
    Crash,
}

/// How long the call hangs in which the server is killed: longer than the story lasts.
const HANGS: Duration = Duration::from_secs(55);

/// Lets GitHub do its part in what goes wrong, before the proposal is merged.
///
/// # Errors
/// When it cannot be asked.
pub async fn prepare(scene: &Scene, tell: &mut Narrator<'_>, fail: Fail) -> Result {
    match fail {
        Fail::Recipe => Ok(()),
        Fail::Github => {
            tell.aside("faults", "from here on GitHub fails", async |checks| {
                for fault in faults() {
                    scene.person.fault(&fault).await?;
                }
                checks.holds("502 for a repository that it makes, 502 for a file, a secondary rate limit", true, ())
            })
            .await
        }
        // The server hangs in a call of which nobody knows whether it is done.
        Fail::Crash => Ok(scene.person.fault(&hang()).await?),
    }
}

fn faults() -> [Fault; 3] {
    let fails = |method: &str, path: String| Fault {
        method: Some(method.to_owned()),
        path: Some(path),
        count: Some(1),
        ..Fault::default()
    };
    [
        // Done, but the answer says otherwise: whoever only tries again makes it twice.
        Fault { status: Some(502), after: true, ..fails("POST", format!("/orgs/{ORG}/repos")) },
        Fault { status: Some(502), after: true, ..fails("PUT", format!("/repos/{FEEDSTOCK}/contents/*")) },
        Fault {
            method: Some("PUT".to_owned()),
            path: Some(format!("/repos/{STAGED}/pulls/*/merge")),
            ..Fault::secondary_rate_limit(1)
        },
    ]
}

fn hang() -> Fault {
    Fault {
        method: Some("POST".to_owned()),
        path: Some(format!("/repos/{FEEDSTOCK}/pulls")),
        count: Some(1),
        latency_ms: u64::try_from(HANGS.as_millis()).unwrap_or(u64::MAX),
        ..Fault::default()
    }
}

/// Kills the server while it waits for the answer to a call, and starts it again.
///
/// # Errors
/// When it cannot be killed or does not start.
pub async fn crash(scene: &mut Scene, tell: &mut Narrator<'_>) -> Result {
    scene
        .wait("the call in which the server is killed", async || {
            Ok(scene.person.faults().await?.is_empty().then_some(()))
        })
        .await?;
    tell.aside("crash", "pforge serve is killed (-9) while it opens the pull request", async |checks| {
        let pid = scene.server.kill().await?;
        checks.holds(format!("process {pid} is gone"), pid > 0, pid)?;
        let opened = scene.pulls(FEEDSTOCK).await?;
        checks.holds("the repository is there, no pull request", opened == 0, opened)
    })
    .await?;
    tell.aside("restart", "pforge serve starts again", async |checks| {
        scene.serve_again().await?;
        let creating = scene.jobs(&[("kind", "recipes.create_feedstock")]).await?;
        let open = creating.first().is_some_and(|job| job["state"] != "done");
        checks.holds("the same database; the job is still to be done", open, &creating)
    })
    .await
}

/// Tells that nothing was doubled, after the feedstock was made all the same.
///
/// # Errors
/// When something was.
pub async fn mended(scene: &Scene, tell: &mut Narrator<'_>, fail: Fail, mark: Mark) -> Result {
    if fail == Fail::Recipe {
        return Ok(());
    }
    tell.aside("once", "all of it was made once", async |checks| {
        if fail == Fail::Github {
            let refused = refusals(scene, mark).await?;
            let statuses: Vec<String> = refused.iter().map(|call| call["status"].to_string()).collect();
            checks.holds(
                format!("GitHub answered {}", statuses.join(", ")),
                refused.len() == faults().len(),
                &refused,
            )?;
        }
        let job = scene.done("recipes.create_feedstock", |_| true).await?;
        checks.holds(format!("attempt {}", job["attempts"]), job["attempts"].as_u64() > Some(1), &job)?;
        let made = scene.calls(mark, "POST", &format!("/orgs/{ORG}/repos")).await?;
        checks.quietly("one repository", made.len() <= 1, &made)?;
        let opened = scene.calls(mark, "POST", &format!("/repos/{FEEDSTOCK}/pulls")).await?;
        checks.holds("one repository, one pull request", opened.len() == 1, &opened)?;
        let rows = items(&scene.api.get("/feedstocks/", &[]).await?);
        let rows: Vec<&Value> = rows.iter().filter(|row| row["spec"] == FEEDSTOCK).collect();
        checks.holds("one row", rows.len() == 1, &rows)?;
        let comments = scene.person.comments(STAGED, 1).await?;
        let told = comments.iter().filter(|comment| words(&comment["body"]).contains("### Feedstock")).count();
        checks.holds("one comment", told == 1, &comments)
    })
    .await
}

/// The calls that GitHub failed or refused for being too many.
async fn refusals(scene: &Scene, mark: Mark) -> Result<Vec<Value>> {
    let failed = |call: &Value| call["status"].as_u64().is_some_and(|status| status == 403 || status >= 500);
    Ok(scene.person.calls_after(mark.call).await?.into_iter().filter(failed).collect())
}
