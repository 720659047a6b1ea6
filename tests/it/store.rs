//! Tests of store: the same contract on both databases.

mod deliveries;
mod ingest;
mod jobs;
mod migrate;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use pforge::store::Db;
use pforge::store::ingest::NewDelivery;
use pforge::store::jobs::NewJob;
use serde_json::json;

/// The time as the databases keep it.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// A number that no other call in this process gets.
pub fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A job of kind `test`.
pub fn job(key: Option<&str>) -> NewJob {
    NewJob {
        kind: "test".into(),
        payload: json!({ "number": unique() }),
        key: key.map(str::to_owned),
        token: format!("token-{}", unique()),
        run_at: None,
        max_attempts: 3,
    }
}

/// A delivery with a body of its own.
pub fn delivery(jobs: Vec<NewJob>) -> NewDelivery {
    let number = unique();
    NewDelivery {
        app: "recipes",
        hook_id: "42".into(),
        guid: format!("guid-{number}"),
        event: "push".into(),
        action: None,
        repo: Some("octo/feedstock".into()),
        installation_id: Some(7),
        received_at: now(),
        headers: json!({ "x-github-event": "push", "x-github-delivery": format!("guid-{number}") }),
        content_type: "application/json".into(),
        body: format!("{{\"number\": {number}, \"text\": \"{}\"}}", "lorem ipsum ".repeat(200)).into(),
        answer_status: 202,
        answer: json!({ "status": "ok" }),
        jobs,
    }
}

/// Request handlers may hold any of these across an await.
#[test]
fn every_future_may_move_between_threads() {
    fn sendable<F: Future + Send>(_: fn(&'static Db) -> F) {}
    use pforge::store::{deliveries, jobs, migrate};
    sendable(|db| async { drop(deliveries::list(db, &deliveries::DeliveryFilter::default()).await) });
    sendable(|db| async { drop(deliveries::get(db, "").await) });
    sendable(|db| async { drop(deliveries::payload(db, "").await) });
    sendable(|db| async { drop(jobs::list(db, &jobs::JobFilter::default()).await) });
    sendable(|db| async { drop(jobs::enqueue(db, &[], now()).await) });
    sendable(|db| async { drop(jobs::retry(db, 1, true, now()).await) });
    sendable(|db| async { drop(jobs::drop_job(db, 1).await) });
    sendable(|db| async { drop(jobs::depth(db, now()).await) });
    sendable(|db| async { drop(migrate::status(db).await) });
    sendable(|db| async { drop(migrate::check(db).await) });
    sendable(|db| async { drop(migrate::up(db, Duration::ZERO, &|_| {}).await) });
    sendable(|db| async { drop(migrate::down(db, 1, Duration::ZERO, &|_| {}).await) });
}
