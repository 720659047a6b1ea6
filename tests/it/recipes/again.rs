//! Jobs that are begun again after the world has gone on.

use std::collections::BTreeSet;

use pforge::emulator::faults::Fault;

use super::stage::{PATIENCE, STAGED, Stage, recipe_files};
use crate::support::pg::{TestDb, on_both};

on_both!(a_command_that_is_carried_out_again_means_what_it_meant,);

/// The run is asked for, GitHub fails, and the author pushes before the job is tried again.
async fn a_command_that_is_carried_out_again_means_what_it_meant(database: TestDb) {
    let stage = Stage::start(database).await;
    let person = &stage.person;
    let pull = stage.open_recipe("sst").await;
    stage.concluded(STAGED, &pull.head.sha, "synchronize").await;
    // The second reaction is the rocket; not a failure that the client itself gets over.
    let lost = Fault {
        method: Some("POST".into()),
        path: Some("*/reactions".into()),
        skip: 1,
        count: Some(1),
        status: Some(500),
        after: true,
        ..Fault::default()
    };
    person.fault(&lost).await.unwrap();
    let comment = person.comment(STAGED, pull.number, "/run sst-daily", None).await.unwrap();
    let rocket = async |person: &pforge::emulator::Person| {
        let reactions = person.reactions(STAGED, comment).await?;
        Ok(reactions.into_iter().find(|reaction| reaction["content"] == "rocket"))
    };
    person.wait_for("the rocket", PATIENCE, rocket).await.unwrap();
    let broken = recipe_files("recipes/sst", "recipe: []\n");
    person.push("contributor/staged-recipes", "sst", &broken, Some("contributor")).await.unwrap();
    stage.settled().await;

    let reactions = person.reactions(STAGED, comment).await.unwrap();
    let reactions: BTreeSet<&str> = reactions.iter().map(|r| r["content"].as_str().unwrap()).collect();
    assert_eq!(reactions, ["eyes", "rocket"].into());
    let comments = person.comments(STAGED, pull.number).await.unwrap();
    let answers: Vec<&str> =
        comments.iter().filter_map(|c| c["body"].as_str()).filter(|b| !b.starts_with('/')).collect();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert!(answers[0].contains("The test run of `sst-daily`"), "{answers:#?}");
}
