//! What was posted and how it was answered, and whether the server and GitHub agree with it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::stage::{Delivery, RECIPES, Stage};
use crate::support::world::Api;

/// Connections that post at the same time.
pub const CONNECTIONS: usize = 16;

/// One post and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Post {
    /// When it was begun.
    pub began: Instant,
    /// How long until its end.
    pub took: Duration,
    /// Status; `None` when the connection broke or could not be made.
    pub status: Option<u16>,
}

impl Post {
    /// Whether the server says that it has the delivery.
    pub fn accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// A delivery and all posts of it.
type Entry = (Arc<Delivery>, Vec<Post>);

/// All posts, by GUID.
#[derive(Default)]
pub struct Ledger {
    entries: Mutex<BTreeMap<String, Entry>>,
}

/// What the comparison found, for people.
#[derive(Debug, Default)]
pub struct Summary {
    /// Rows of deliveries.
    pub deliveries: usize,
    /// Of these, answered 2xx.
    pub accepted: usize,
    /// Posts without an answer.
    pub broken_posts: usize,
    /// Deliveries that are there though no answer said so.
    pub kept_without_an_answer: usize,
    /// Deliveries with more than one attempt.
    pub arrived_again: usize,
    /// Jobs with more than one attempt.
    pub jobs_begun_again: usize,
    /// Most attempts of a job.
    pub most_attempts: u64,
}

impl Ledger {
    /// Posts one delivery and writes down how it went.
    pub async fn post(&self, api: &Api, delivery: &Arc<Delivery>) -> Post {
        let began = Instant::now();
        let answer = api.deliver("pull_request", &delivery.guid, delivery.body.clone()).await;
        let post = Post { began, took: began.elapsed(), status: answer.ok().map(|answer| answer.status().as_u16()) };
        let mut entries = self.entries.lock().unwrap();
        entries.entry(delivery.guid.clone()).or_insert_with(|| (delivery.clone(), Vec::new())).1.push(post);
        post
    }

    /// Posts `queue` over [`CONNECTIONS`] until it is empty or the server is gone; each end is told.
    pub fn load(
        self: &Arc<Self>,
        api: &Api,
        queue: &Arc<Mutex<VecDeque<Arc<Delivery>>>>,
    ) -> (JoinSet<()>, mpsc::UnboundedReceiver<Post>) {
        let (told, posts) = mpsc::unbounded_channel();
        let mut clients = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (ledger, api, queue, told) = (self.clone(), api.clone(), queue.clone(), told.clone());
            clients.spawn(async move {
                loop {
                    let Some(delivery) = queue.lock().unwrap().pop_front() else { return };
                    let post = ledger.post(&api, &delivery).await;
                    let _ = told.send(post);
                    if post.status.is_none() {
                        return;
                    }
                }
            });
        }
        (clients, posts)
    }

    /// What was posted in vain, however often.
    pub fn in_vain(&self) -> Vec<Arc<Delivery>> {
        let entries = self.entries.lock().unwrap();
        let vain = entries.values().filter(|(_, posts)| !posts.iter().any(Post::accepted));
        vain.map(|(delivery, _)| delivery.clone()).collect()
    }

    /// All posts, in no order.
    pub fn posts(&self) -> Vec<Post> {
        self.entries.lock().unwrap().values().flat_map(|(_, posts)| posts.iter().copied()).collect()
    }

    /// After the queue was worked off: everything accepted is there, byte for byte; everything
    /// that is there was done once, here and at GitHub.
    pub async fn check(&self, stage: &Stage, api: &Api) -> Summary {
        let entries = self.entries.lock().unwrap().clone();
        let stored = by(api.all("/deliveries").await, "guid");
        let jobs = by(api.all("/jobs").await, "delivery_id");
        let runs = by(all_runs(api).await, "head_sha");
        let mut summary = Summary { deliveries: stored.len(), ..Summary::default() };
        assert_eq!(stored.keys().find(|guid| !entries.contains_key(*guid)), None, "nobody sent this");
        for (guid, (delivery, posts)) in &entries {
            let accepted = posts.iter().filter(|post| post.accepted()).count();
            summary.accepted += usize::from(accepted > 0);
            summary.broken_posts += posts.iter().filter(|post| post.status.is_none()).count();
            let Some(rows) = stored.get(guid) else {
                assert_eq!(accepted, 0, "{guid} was answered {posts:?} and is not there");
                continue;
            };
            summary.kept_without_an_answer += usize::from(accepted == 0);
            let [row] = rows.as_slice() else { panic!("{guid} is there twice: {rows:?}") };
            assert_eq!(row["status"], "done", "{row}");
            let attempts = row["attempts"].as_u64().unwrap();
            assert!((accepted as u64..=posts.len() as u64).contains(&attempts), "{row} for {posts:?}");
            summary.arrived_again += usize::from(attempts > 1);
            let found = jobs.get(&row["id"].to_string()).map(Vec::as_slice).unwrap_or_default();
            let [job] = found else { panic!("{guid} has not one job: {found:?}") };
            assert_eq!(job["state"], "done", "{job}");
            assert!(job["token"].as_str().unwrap().contains(guid.as_str()), "{job}");
            let begun = job["attempts"].as_u64().unwrap();
            summary.jobs_begun_again += usize::from(begun > 1);
            summary.most_attempts = summary.most_attempts.max(begun);
            let mut ids: Vec<&str> = runs[&delivery.sha].iter().map(|r| r["recipe_id"].as_str().unwrap()).collect();
            ids.sort_unstable();
            assert_eq!(ids, RECIPES, "recipe runs of {guid}");
        }
        let same = |entry: &Entry| {
            let delivery = entry.0.clone();
            let there = stored.contains_key(&delivery.guid);
            async move {
                if there {
                    let kept = api.bytes(&format!("/deliveries/{}/payload", delivery.guid)).await;
                    assert!(kept == delivery.body, "{} has other bytes", delivery.guid);
                }
                let checks = stage.person.check_runs(&delivery.repo, &delivery.sha).await.unwrap();
                let ours: Vec<&Value> = checks.iter().filter(|c| names(c, &delivery.guid)).collect();
                assert_eq!(ours.len(), usize::from(there), "check runs of {}: {checks:?}", delivery.guid);
                for check in ours {
                    assert_eq!((&check["status"], &check["conclusion"]), (&"completed".into(), &"success".into()));
                }
            }
        };
        let comparing: Vec<_> = entries.values().map(same).collect();
        stream::iter(comparing).buffer_unordered(8).collect::<()>().await;
        assert_eq!(jobs.values().map(Vec::len).sum::<usize>(), stored.len(), "jobs of nobody");
        let unknown = stage.person.unknown().await.unwrap();
        assert!(unknown.is_empty(), "{unknown:?}");
        summary
    }
}

/// Whether a check run is that of the delivery's job.
pub fn names(check: &Value, guid: &str) -> bool {
    check["external_id"].as_str().is_some_and(|id| id.contains(guid))
}

/// Items by the value of a field.
fn by(items: Vec<Value>, field: &str) -> BTreeMap<String, Vec<Value>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for item in items {
        let key = item[field].as_str().map_or_else(|| item[field].to_string(), str::to_owned);
        found.entry(key).or_default().push(item);
    }
    found
}

async fn all_runs(api: &Api) -> Vec<Value> {
    let mut runs = Vec::new();
    loop {
        let page = api.get(&format!("/recipe_runs/?limit=100&offset={}", runs.len())).await;
        let page = page.as_array().unwrap();
        runs.extend(page.iter().cloned());
        if page.len() < 100 {
            return runs;
        }
    }
}
