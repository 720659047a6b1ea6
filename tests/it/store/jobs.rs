//! Jobs: leased in order, one per key at a time, finished by whoever holds the lease only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pforge::store::Db;
use pforge::store::jobs::trace::{NewTrace, Outcome};
use pforge::store::jobs::{self, Finish, JobFilter, JobRow, JobState, Lease, NewJob};
use pforge::util::calls::ApiCall;
use serde_json::json;
use tokio::task::JoinSet;

use super::{job, now};
use crate::support::pg::{TestDb, on_both};

on_both!(
    eight_workers_keep_the_order_of_each_key,
    a_waiting_retry_blocks_its_key,
    a_lost_lease_changes_nothing,
    an_expired_lease_is_taken_over,
    a_job_that_kills_its_workers_becomes_dead,
    kinds_times_and_limits,
    retry_and_drop,
    progress_and_listing,
    depth_and_next_due,
    what_attempts_did_is_kept,
);

const LEASE: Duration = Duration::from_secs(30);

fn trace(attempt: u32, outcome: Outcome) -> NewTrace {
    let call = ApiCall {
        at: now(),
        method: "POST".into(),
        path: "/repos/o/r/check-runs".into(),
        status: Some(201),
        ms: 12,
        attempt: 1,
        request_id: Some("ABCD".into()),
        url: Some("https://github.com/o/r/runs/1".into()),
        error: None,
    };
    let silent =
        ApiCall { status: None, url: None, request_id: None, error: Some("no \0 answer".into()), ..call.clone() };
    let (started_at, ended_at) = (now(), now());
    NewTrace {
        attempt,
        started_at,
        ended_at,
        outcome,
        said: "it \0 said".into(),
        calls: vec![call, silent],
        more_calls: 3,
    }
}

async fn what_attempts_did_is_kept(test: TestDb) {
    let db = &test.db;
    let id = queue(db, &[job(None)]).await[0];
    let (lease, _) = claim(db, "a", 1).await.remove(0);
    let first = trace(1, Outcome::Retry);
    let end = Finish::Retry(now(), "no".into());
    assert!(jobs::finish_with(db, &lease, &end, now(), Some(&first)).await.unwrap());
    // A worker that came back too late writes nothing of its own accord.
    assert!(!jobs::finish_with(db, &lease, &end, now(), Some(&first)).await.unwrap());
    let kept = jobs::trace::of_job(db, id).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].attempt, kept[0].outcome.as_str(), kept[0].said.as_str()), (1, "retry", "it \u{fffd} said"));
    assert_eq!((kept[0].started_at, kept[0].ended_at, kept[0].more_calls), (first.started_at, first.ended_at, 3));
    assert_eq!(kept[0].calls[0], first.calls[0]);
    assert_eq!(kept[0].calls[1].error.as_deref(), Some("no \u{fffd} answer"));
    for number in 2..70 {
        jobs::trace::record(db, id, &trace(number, Outcome::Lost)).await.unwrap();
    }
    let kept = jobs::trace::of_job(db, id).await.unwrap();
    assert_eq!((kept.len(), kept[0].attempt, kept[49].attempt), (50, 20, 69), "the newest are kept");
    let other = queue(db, &[job(None)]).await[0];
    assert_eq!(jobs::trace::of_job(db, other).await.unwrap(), []);
    assert_eq!(jobs::drop_job(db, id).await.unwrap(), Some(true));
    assert_eq!(jobs::trace::of_job(db, id).await.unwrap(), [], "gone with the job");
    assert!(jobs::trace::record(db, id, &trace(1, Outcome::Done)).await.is_err());
}

async fn claim(db: &Db, owner: &str, limit: u32) -> Vec<(Lease, JobRow)> {
    jobs::claim(db, owner, &["test"], limit, LEASE, now()).await.unwrap()
}

async fn queue(db: &Db, new: &[NewJob]) -> Vec<i64> {
    jobs::enqueue(db, new, now()).await.unwrap()
}

async fn state(db: &Db, id: i64) -> JobState {
    jobs::get(db, id).await.unwrap().unwrap().state
}

async fn eight_workers_keep_the_order_of_each_key(test: TestDb) {
    const JOBS: usize = 2000;
    const KEYS: usize = 150;
    let db = &test.db;
    let new: Vec<NewJob> = (0..JOBS).map(|n| job(Some(&format!("key-{}", n * 7 % KEYS)))).collect();
    assert_eq!(queue(db, &new).await.len(), JOBS);
    let running: Arc<Mutex<HashMap<String, i64>>> = Arc::default();
    let done: Arc<Mutex<HashMap<String, Vec<i64>>>> = Arc::default();
    let mut workers = JoinSet::new();
    for worker in 0..8 {
        let (db, running, done) = (test.db.clone(), running.clone(), done.clone());
        workers.spawn(async move {
            loop {
                let claimed = claim(&db, &format!("worker-{worker}"), 5).await;
                for (_, row) in &claimed {
                    let key = row.key.clone().unwrap();
                    let other = running.lock().unwrap().insert(key.clone(), row.id);
                    assert_eq!(other, None, "two jobs of {key} run at once");
                }
                for (lease, row) in &claimed {
                    let key = row.key.clone().unwrap();
                    done.lock().unwrap().entry(key.clone()).or_default().push(row.id);
                    running.lock().unwrap().remove(&key);
                    assert!(jobs::finish(&db, lease, &Finish::Done("ok".into()), now()).await.unwrap());
                }
                if claimed.is_empty() && jobs::depth(&db, now()).await.unwrap().ready == 0 {
                    return;
                }
            }
        });
    }
    workers.join_all().await;
    let done = done.lock().unwrap();
    assert_eq!((done.len(), done.values().map(Vec::len).sum::<usize>()), (KEYS, JOBS), "each ran once");
    assert!(done.values().all(|ids| ids.is_sorted()), "in the order of their ids");
}

async fn a_waiting_retry_blocks_its_key(test: TestDb) {
    let db = &test.db;
    let ids = queue(db, &[job(Some("a")), job(Some("a")), job(Some("b")), job(None)]).await;
    let claimed = claim(db, "w", 10).await;
    assert_eq!(claimed.iter().map(|(l, _)| l.job).collect::<Vec<_>>(), [ids[0], ids[2], ids[3]]);
    assert!(claim(db, "w", 10).await.is_empty());
    let later = now() + LEASE / 3;
    assert!(jobs::finish(db, &claimed[0].0, &Finish::Retry(later, "try later".into()), now()).await.unwrap());
    assert!(claim(db, "w", 10).await.is_empty(), "the second of the key waits for the first");
    let then = later + Duration::from_secs(1);
    let claimed = jobs::claim(db, "w", &["test"], 1, LEASE, then).await.unwrap();
    assert_eq!((claimed[0].0.job, claimed[0].0.attempt), (ids[0], 2));
    assert_eq!(claimed[0].1.last_error.as_deref(), Some("try later"));
    assert!(jobs::finish(db, &claimed[0].0, &Finish::Done("ok".into()), then).await.unwrap());
    assert_eq!(jobs::claim(db, "w", &["test"], 9, LEASE, now()).await.unwrap()[0].0.job, ids[1]);
}

async fn a_lost_lease_changes_nothing(test: TestDb) {
    let db = &test.db;
    queue(db, &[job(None)]).await;
    let (lease, _) = claim(db, "one", 1).await.remove(0);
    let after = now() + LEASE * 2;
    let (second, row) = jobs::claim(db, "two", &["test"], 1, LEASE, after).await.unwrap().remove(0);
    assert_eq!((second.attempt, second.job), (2, lease.job));
    assert!(row.last_error.unwrap().contains("lease ran out"));
    for stale in [lease.clone(), Lease { attempt: 2, ..lease.clone() }, Lease { owner: "two".into(), ..lease }] {
        assert!(!jobs::heartbeat(db, &stale, LEASE, after).await.unwrap());
        assert!(!jobs::save_progress(db, &stale, &json!({ "stale": true })).await.unwrap());
        for end in [Finish::Done("x".into()), Finish::Retry(after, "x".into()), Finish::Dead("x".into())] {
            assert!(!jobs::finish(db, &stale, &end, after).await.unwrap());
        }
    }
    let row = jobs::get(db, second.job).await.unwrap().unwrap();
    assert_eq!((row.state, row.progress, row.outcome), (JobState::Running, json!({}), None));
    assert!(jobs::finish(db, &second, &Finish::Done("mine".into()), after).await.unwrap());
    assert!(!jobs::finish(db, &second, &Finish::Done("again".into()), after).await.unwrap());
}

async fn an_expired_lease_is_taken_over(test: TestDb) {
    let db = &test.db;
    queue(db, &[job(Some("k"))]).await;
    let start = now();
    let (lease, _) = jobs::claim(db, "one", &["test"], 1, LEASE, start).await.unwrap().remove(0);
    assert!(jobs::heartbeat(db, &lease, LEASE, start + LEASE / 2).await.unwrap());
    let between = start + LEASE + Duration::from_secs(1);
    assert!(jobs::claim(db, "two", &["test"], 1, LEASE, between).await.unwrap().is_empty(), "the heartbeat held it");
    let after = start + LEASE * 2;
    assert_eq!(jobs::claim(db, "two", &["test"], 1, LEASE, after).await.unwrap().len(), 1);
}

async fn a_job_that_kills_its_workers_becomes_dead(test: TestDb) {
    let db = &test.db;
    let id = queue(db, &[job(Some("k")), job(Some("k"))]).await[0];
    let mut at = now();
    for attempt in 1..=4 {
        // The fourth is for last words: max_attempts is 3.
        let claimed = jobs::claim(db, &format!("worker-{attempt}"), &["test"], 5, LEASE, at).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert_eq!((claimed[0].0.job, claimed[0].0.attempt), (id, attempt));
        at += LEASE * 2;
    }
    let next = jobs::claim(db, "worker-5", &["test"], 5, LEASE, at).await.unwrap();
    assert_ne!(next[0].0.job, id, "the key goes on with the next");
    let row = jobs::get(db, id).await.unwrap().unwrap();
    assert_eq!((row.state, row.attempts), (JobState::Dead, 3));
    assert!(row.last_error.unwrap().contains("every attempt"));
    assert!(row.finished_at.is_some());
}

async fn kinds_times_and_limits(test: TestDb) {
    let db = &test.db;
    let start = now();
    let mut new: Vec<NewJob> = (0..4).map(|_| job(None)).collect();
    new[0].run_at = Some(start + LEASE / 3);
    new[1].kind = "unknown".into();
    new[3].run_at = Some(start - Duration::from_secs(100));
    let ids = queue(db, &new).await;
    let claimed = claim(db, "w", 1).await;
    assert_eq!(claimed[0].0.job, ids[3], "the one that is due the longest");
    let claimed = claim(db, "w", 9).await;
    assert_eq!(claimed.iter().map(|(l, _)| l.job).collect::<Vec<_>>(), [ids[2]]);
    assert!(claim(db, "w", 9).await.is_empty());
    assert_eq!(state(db, ids[1]).await, JobState::Ready);
    assert!(jobs::claim(db, "w", &[], 9, LEASE, now()).await.unwrap().is_empty());
    let both = jobs::claim(db, "w", &["unknown", "test"], 9, LEASE, start + LEASE / 2);
    assert_eq!(both.await.unwrap().len(), 2);
}

async fn retry_and_drop(test: TestDb) {
    let db = &test.db;
    let ids = queue(db, &[job(None), job(None)]).await;
    let claimed = claim(db, "w", 2).await;
    assert_eq!(jobs::drop_job(db, ids[0]).await.unwrap(), Some(false), "it runs");
    assert_eq!(jobs::retry(db, ids[0], true, now()).await.unwrap().unwrap().state, JobState::Running);
    jobs::finish(db, &claimed[0].0, &Finish::Dead("no".into()), now()).await.unwrap();
    jobs::finish(db, &claimed[1].0, &Finish::Done("yes".into()), now()).await.unwrap();
    let again = jobs::retry(db, ids[0], false, now()).await.unwrap().unwrap();
    assert_eq!((again.state, again.attempts, again.finished_at), (JobState::Ready, 0, None));
    assert_eq!(jobs::retry(db, ids[1], false, now()).await.unwrap().unwrap().state, JobState::Done);
    assert_eq!(jobs::retry(db, ids[1], true, now()).await.unwrap().unwrap().state, JobState::Ready);
    assert_eq!(claim(db, "x", 9).await.len(), 2);
    assert!(
        !jobs::finish(db, &claimed[0].0, &Finish::Done("late".into()), now()).await.unwrap(),
        "a lease from before"
    );
    assert_eq!(jobs::drop_job(db, ids[1] + 1000).await.unwrap(), None);
    assert!(jobs::retry(db, ids[1] + 1000, true, now()).await.unwrap().is_none());
    let id = queue(db, &[job(None)]).await[0];
    assert_eq!(jobs::drop_job(db, id).await.unwrap(), Some(true));
    assert!(jobs::get(db, id).await.unwrap().is_none());
}

async fn progress_and_listing(test: TestDb) {
    let db = &test.db;
    let ids = queue(db, &[job(Some("a")), job(Some("b")), job(None)]).await;
    let (lease, _) = claim(db, "w", 1).await.remove(0);
    assert!(jobs::save_progress(db, &lease, &json!({ "check_run": 7 })).await.unwrap());
    let (_, row) = (lease, jobs::get(db, ids[0]).await.unwrap().unwrap());
    assert_eq!((row.progress, row.attempts, row.max_attempts), (json!({ "check_run": 7 }), 1, 3));
    assert!(row.lease_until.is_some());
    let all = JobFilter { limit: 10, ..Default::default() };
    for (filter, expected) in [
        (all.clone(), vec![ids[2], ids[1], ids[0]]),
        (JobFilter { limit: 1, ..all.clone() }, vec![ids[2]]),
        (JobFilter { before: Some(ids[2]), ..all.clone() }, vec![ids[1], ids[0]]),
        (JobFilter { state: Some(JobState::Running), ..all.clone() }, vec![ids[0]]),
        (JobFilter { key: Some("b".into()), ..all.clone() }, vec![ids[1]]),
        (JobFilter { kind: Some("other".into()), ..all.clone() }, vec![]),
        (JobFilter { delivery_id: Some(1), ..all }, vec![]),
    ] {
        let found: Vec<i64> = jobs::list(db, &filter).await.unwrap().into_iter().map(|j| j.id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

async fn depth_and_next_due(test: TestDb) {
    let db = &test.db;
    let start = now();
    assert_eq!(jobs::next_due(db, &["test"], start).await.unwrap(), None);
    let mut new = [job(None), job(None), job(None)];
    new[0].run_at = Some(start - Duration::from_secs(5));
    new[1].run_at = Some(start + Duration::from_secs(5));
    queue(db, &new).await;
    let depth = jobs::depth(db, start).await.unwrap();
    assert_eq!((depth.ready, depth.running, depth.dead), (3, 0, 0));
    assert!((depth.oldest_due_seconds - 5.0).abs() < 0.001, "{depth:?}");
    assert_eq!(jobs::next_due(db, &["test"], now()).await.unwrap(), new[1].run_at);
    assert_eq!(jobs::next_due(db, &["other"], now()).await.unwrap(), None);
    let claimed = claim(db, "w", 1).await;
    jobs::finish(db, &claimed[0].0, &Finish::Dead("no".into()), now()).await.unwrap();
    let depth = jobs::depth(db, start).await.unwrap();
    assert_eq!((depth.ready, depth.dead), (2, 1));
}
