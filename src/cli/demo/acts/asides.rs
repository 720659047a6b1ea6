//! What does not fit into a diagram: somebody cheats, something comes twice, somebody errs.

use serde_json::{Value, json};

use super::{ADMIN, CONTRIBUTOR, FEEDSTOCK, STAGED};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::scene::{Mark, Scene, items, words};
use crate::cli::error::Result;
use crate::emulator::person::{OpenedPull, RawDelivery};
use crate::util::id;

/// A delivery with a wrong signature.
///
/// # Errors
/// When it is not refused.
pub async fn forged(scene: &Scene, tell: &mut Narrator<'_>) -> Result {
    tell.aside("forge", "aside: somebody forges a delivery", async |checks| {
        let mark = scene.mark().await?;
        let guid = id::guid();
        let forged = RawDelivery {
            event: "pull_request".to_owned(),
            guid: Some(guid.clone()),
            payload: json!({ "action": "opened", "number": 1 }),
            secret: Some("not the secret".to_owned()),
            ..RawDelivery::default()
        };
        scene.person.send_raw(&forged).await?;
        let seen = scene.delivery(mark, "pull_request", "opened", |_| true).await?;
        checks.holds("answered 401", seen["guid"] == *guid && seen["status_code"] == 401, &seen)?;
        let kept = items(&scene.api.get("/deliveries", &[("limit", "1000".to_owned())]).await?["items"]);
        checks.holds("nothing of it kept", !kept.iter().any(|d| d["guid"] == *guid), &kept)
    })
    .await
}

/// GitHub delivers the same again.
///
/// # Errors
/// When anything is done twice.
pub async fn redelivered(scene: &Scene, tell: &mut Narrator<'_>, mark: Mark, sha: &str) -> Result {
    tell.aside("redeliver", "aside: GitHub delivers the last commits again", async |checks| {
        let ours = |payload: &Value| payload["pull_request"]["head"]["sha"] == sha;
        let delivery = scene.delivery(mark, "pull_request", "synchronize", ours).await?;
        let path = format!("/deliveries/{}", words(&delivery["guid"]));
        let before = scene.api.get(&path, &[]).await?;
        let checks_before = scene.person.check_runs(STAGED, sha).await?.len();
        scene.client.redeliver(delivery["id"].as_i64().unwrap_or_default()).await?;
        scene.settled().await?;
        let after = scene.api.get(&path, &[]).await?;
        checks.holds("kept as attempt 2", after["attempts"] == 2, &after["attempts"])?;
        let ids = |d: &Value| items(&d["jobs"]).iter().map(|job| job["id"].clone()).collect::<Vec<_>>();
        checks.holds("no new job", ids(&before) == ids(&after), ids(&after))?;
        let checks_after = scene.person.check_runs(STAGED, sha).await?.len();
        checks.holds("no new check run", checks_before == checks_after, checks_after)
    })
    .await
}

/// `/run` by somebody who may not.
///
/// # Errors
/// When it is obeyed, or not answered.
pub async fn stranger(scene: &Scene, tell: &mut Narrator<'_>, pull: &OpenedPull) -> Result {
    tell.aside("stranger", "aside: the contributor comments /run as well", async |checks| {
        let command = format!("/run {}", scene.example.recipes[0]);
        let comment = scene.person.comment(STAGED, pull.number, &command, Some(CONTRIBUTOR)).await?;
        let answer = answer(scene, pull, comment, "only").await?;
        checks.holds("refused, and told why", true, &answer)?;
        reacted(scene, STAGED, pull.number, comment, "-1").await?;
        checks.holds("thumbs down", true, ())
    })
    .await
}

/// `/run` of a recipe that is not there.
///
/// # Errors
/// When it is not answered with the recipes that are.
pub async fn unknown(scene: &Scene, tell: &mut Narrator<'_>, pull: &OpenedPull) -> Result {
    tell.aside("unknown", "aside: the admin misspells a recipe", async |checks| {
        let comment = scene.person.comment(STAGED, pull.number, "/run sst-dayly", Some(ADMIN)).await?;
        let answer = answer(scene, pull, comment, "sst-dayly").await?;
        let listed = scene.example.recipes.iter().all(|recipe| words(&answer["body"]).contains(*recipe));
        checks.holds(format!("answered with {}", scene.example.recipes.join(", ")), listed, &answer)?;
        reacted(scene, STAGED, pull.number, comment, "confused").await?;
        checks.holds("😕", true, ())
    })
    .await
}

/// The contributor becomes a maintainer of the feedstock.
///
/// # Errors
/// When there is no invitation.
pub async fn invited(scene: &Scene, tell: &mut Narrator<'_>) -> Result {
    tell.aside("invited", "aside: the contributor accepts the invitation to the feedstock", async |checks| {
        scene.person.accept_invitation(FEEDSTOCK, CONTRIBUTOR).await?;
        checks.holds("may push from now on", true, ())
    })
    .await
}

/// The App's comment after the comment `after` that says `words_in_it`.
async fn answer(scene: &Scene, pull: &OpenedPull, after: i64, words_in_it: &str) -> Result<Value> {
    scene
        .wait("an answer to the comment", async || {
            let comments = scene.person.comments(STAGED, pull.number).await?;
            let ours = |comment: &Value| {
                let later = comment["id"].as_i64().is_some_and(|id| id > after);
                later && comment["user"]["type"] == "Bot" && words(&comment["body"]).contains(words_in_it)
            };
            Ok(comments.into_iter().find(ours))
        })
        .await
}

/// Waits until a comment on `repo`#`number` has this reaction.
///
/// # Errors
/// When it does not get it in time.
pub async fn reacted(scene: &Scene, repo: &str, number: i64, comment: i64, reaction: &str) -> Result {
    scene
        .wait(&format!("the reaction {reaction}"), async || {
            let comments = scene.person.comments(repo, number).await?;
            let there = |c: &Value| c["id"] == comment && c["reactions"][reaction].as_u64().is_some_and(|n| n > 0);
            Ok(comments.iter().any(there).then_some(()))
        })
        .await
}
