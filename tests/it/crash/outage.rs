//! The database goes away for a while.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::ledger::{Ledger, Post};
use super::stage::{Stage, drained};
use crate::support::pg::{Database, Server};
use crate::support::world::{Api, eventually};

const OUTAGE: Duration = Duration::from_secs(10);
/// No request may hang longer.
const BOUND: Duration = Duration::from_secs(15);
const CLIENTS: usize = 8;
const A_CLIENT: usize = 40;
/// Pause between two posts of a client.
const PAUSE: Duration = Duration::from_millis(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_database_stops_for_ten_seconds() {
    let postgres = tokio::task::block_in_place(Server::start);
    let database = Database::create(&postgres.url()).await;
    let stage = Stage::start(25, Some(database.url.clone())).await;
    let server = stage.serve(&["--workers", "4"]).await;
    let api = Api::new(&server.url);
    stage.register(&api).await;
    let mut pulls = stage.pulls(CLIENTS * A_CLIENT).await.into_iter().map(Arc::new);
    let ledger = Arc::new(Ledger::default());
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (ledger, api) = (ledger.clone(), api.clone());
        let mine: Vec<_> = pulls.by_ref().take(A_CLIENT).collect();
        clients.spawn(async move {
            for pull in mine {
                // As a sender that insists.
                while !ledger.post(&api, &pull).await.accepted() {
                    tokio::time::sleep(PAUSE).await;
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
    let accepted = async |count: usize, since: Instant| {
        let posts = ledger.posts();
        (posts.iter().filter(|post| post.accepted() && post.began > since).count() >= count).then_some(())
    };
    let begun = Instant::now();
    eventually("the first deliveries", || accepted(40, begun)).await;
    tokio::task::block_in_place(|| postgres.stop());
    let gone = Instant::now();
    tokio::time::sleep(OUTAGE).await;
    let back = Instant::now();
    tokio::task::block_in_place(|| postgres.go_on());
    eventually("deliveries after the outage", || accepted(1, back)).await;
    let recovered = back.elapsed();
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    drained(&api).await;
    let summary = ledger.check(&stage, &api).await;

    let posts = ledger.posts();
    let during: Vec<&Post> = posts.iter().filter(|post| post.began > gone && post.began + post.took < back).collect();
    assert!(!during.is_empty(), "nothing was posted in the outage");
    assert!(during.iter().all(|post| post.status == Some(503)), "{during:?}");
    let statuses = posts.iter().filter(|post| !matches!(post.status, Some(202 | 503))).collect::<Vec<_>>();
    assert!(statuses.is_empty(), "{statuses:?}");
    let longest = posts.iter().map(|post| post.took).max().unwrap();
    assert!(longest < BOUND, "a request took {longest:?}");
    let refused = posts.iter().filter(|post| post.status == Some(503)).count();
    eprintln!(
        "{refused} posts refused, {} of them within the outage; longest answer {longest:?}; accepted again after \
         {recovered:?}: {summary:?}",
        during.len()
    );
}
