//! Deliveries are stored once, with their jobs, by however many callers and processes.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pforge::store::deliveries::{self, DeliveryFilter, DeliveryStatus};
use pforge::store::ingest::{Recorded, Writer};
use pforge::store::jobs::{self, Finish, JobState};
use pforge::store::{Db, Error, migrate};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{delivery, job, now};
use crate::support::pg::{Database, Server, TestDb, on_both, open};

on_both!(
    what_comes_in_can_be_read_again,
    a_job_of_any_text_is_queued,
    many_callers_at_once,
    the_same_delivery_at_once_is_stored_once,
    a_redelivery_is_a_further_attempt,
    a_redelivery_requeues_dead_jobs,
    a_redelivery_of_a_refused_delivery_queues_its_jobs,
    a_known_token_is_not_queued_twice,
    two_writers_share_a_database,
    two_writers_number_the_attempts_of_one_delivery,
    a_delivery_that_cannot_be_stored_harms_no_other,
    what_was_accepted_before_the_shutdown_is_written,
);

fn writer(db: &Db) -> Writer {
    Writer::start(db.clone(), CancellationToken::new(), || {}).0
}

async fn count(db: &Db) -> usize {
    deliveries::list(db, &DeliveryFilter { limit: 10_000, ..Default::default() }).await.unwrap().len()
}

async fn what_comes_in_can_be_read_again(test: TestDb) {
    let woken = Arc::new(AtomicUsize::new(0));
    let counter = woken.clone();
    let (writer, _) = Writer::start(test.db.clone(), CancellationToken::new(), move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let mut new = delivery(vec![job(Some("a")), job(None)]);
    new.body = vec![0xff, 0, b'{', 0xfe].into();
    new.action = Some("opened".into());
    new.repo = Some(format!("nul \0 and long {}", "x".repeat(9999)));
    let recorded = writer.record(new.clone()).await.unwrap();
    let Recorded::New { delivery: id, jobs: 2 } = recorded else { panic!("{recorded:?}") };
    assert_eq!(woken.load(Ordering::SeqCst), 1);
    writer.record(delivery(vec![])).await.unwrap();
    assert_eq!(woken.load(Ordering::SeqCst), 1, "no job, no wake");

    let found = deliveries::get(&test.db, &new.guid).await.unwrap().expect("stored");
    assert_eq!((found.row.id, found.row.status), (id, DeliveryStatus::Queued));
    assert_eq!((found.row.action, found.row.size), (new.action, 4));
    let repo = found.row.repo.expect("a repository");
    assert!(repo.starts_with("nul \u{fffd} and long xxx") && repo.len() < 300, "cut to what can be listed: {repo}");
    assert_eq!((found.row.received_at, found.row.installation_id), (new.received_at, Some(7)));
    assert_eq!(found.headers["x-github-event"], "push");
    assert_eq!((found.answer, found.history.len()), (json!({ "status": "ok" }), 1));
    assert_eq!(found.jobs.iter().map(|j| &j.token).collect::<Vec<_>>(), [&new.jobs[0].token, &new.jobs[1].token]);
    assert_eq!(found.jobs[0].payload, new.jobs[0].payload);
    let (content_type, body) = deliveries::payload(&test.db, &new.guid).await.unwrap().expect("stored");
    assert_eq!((content_type.as_str(), body), ("application/json", new.body));
    assert!(deliveries::get(&test.db, "nowhere").await.unwrap().is_none());
    assert!(deliveries::payload(&test.db, "nowhere").await.unwrap().is_none());
    assert_eq!(deliveries::get_by_id(&test.db, id).await.unwrap().expect("stored").row.guid, new.guid);
}

async fn a_job_of_any_text_is_queued(test: TestDb) {
    let mut odd = job(Some("a\0b"));
    odd.payload = json!({ "title": "\0", "k\0": [["x\0y"], { "deep": "\u{1}\\u0000" }], "number": 1.5, "none": null });
    odd.token = format!("{}\0", odd.token);
    let new = delivery(vec![odd.clone()]);
    let recorded = writer(&test.db).record(new.clone()).await.unwrap();
    assert!(matches!(recorded, Recorded::New { jobs: 1, .. }), "{recorded:?}");
    let stored = deliveries::get(&test.db, &new.guid).await.unwrap().expect("stored").jobs.remove(0);
    let expected = json!({ "title": "\u{fffd}", "k\u{fffd}": [["x\u{fffd}y"], { "deep": "\u{1}\\u0000" }], "number": 1.5, "none": null });
    assert_eq!((stored.payload, stored.key.as_deref()), (expected, Some("a\u{fffd}b")));
    assert_eq!(stored.token, odd.token.replace('\0', "\u{fffd}"));
}

async fn many_callers_at_once(test: TestDb) {
    let writer = writer(&test.db);
    let mut callers = JoinSet::new();
    for _ in 0..400 {
        let writer = writer.clone();
        callers.spawn(async move { writer.record(delivery(vec![job(None)])).await });
    }
    let mut ids = HashSet::new();
    while let Some(recorded) = callers.join_next().await {
        match recorded.unwrap().unwrap() {
            Recorded::New { delivery, jobs: 1 } => assert!(ids.insert(delivery), "two deliveries got one id"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((ids.len(), count(&test.db).await), (400, 400));
    assert_eq!(jobs::depth(&test.db, now()).await.unwrap().ready, 400);
}

async fn the_same_delivery_at_once_is_stored_once(test: TestDb) {
    let writer = writer(&test.db);
    let one = delivery(vec![job(None)]);
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let (writer, one) = (writer.clone(), one.clone());
        callers.spawn(async move { writer.record(one).await.unwrap() });
    }
    let recorded = callers.join_all().await;
    assert_eq!(recorded.iter().filter(|r| matches!(r, Recorded::New { jobs: 1, .. })).count(), 1);
    let attempts: HashSet<u32> = recorded
        .iter()
        .filter_map(|r| match r {
            Recorded::Repeat { attempt, requeued: false, .. } => Some(*attempt),
            _ => None,
        })
        .collect();
    assert_eq!(attempts, (2..=20).collect());
    let found = deliveries::get(&test.db, &one.guid).await.unwrap().unwrap();
    assert_eq!((found.row.attempts, found.jobs.len(), found.history.len()), (20, 1, 20));
}

async fn a_redelivery_is_a_further_attempt(test: TestDb) {
    let writer = writer(&test.db);
    let first = delivery(vec![]);
    writer.record(first.clone()).await.unwrap();
    let mut other = first.clone();
    other.body = "another body".into();
    other.answer_status = 200;
    for (again, attempt) in [(first.clone(), 2), (other, 3)] {
        let recorded = writer.record(again).await.unwrap();
        assert!(
            matches!(recorded, Recorded::Repeat { attempt: a, requeued: false, .. } if a == attempt),
            "{recorded:?}"
        );
    }
    // The same GUID at another hook is another delivery.
    let elsewhere = pforge::store::ingest::NewDelivery { hook_id: "43".into(), ..first.clone() };
    assert!(matches!(writer.record(elsewhere).await.unwrap(), Recorded::New { .. }));

    let listed = deliveries::list(&test.db, &DeliveryFilter { limit: 9, ..Default::default() }).await.unwrap();
    assert_eq!(listed.iter().map(|d| d.attempts).collect::<Vec<_>>(), [1, 3]);
    let found = deliveries::get_by_id(&test.db, listed[1].id).await.unwrap().unwrap();
    let history: Vec<_> = found.history.iter().map(|a| (a.number, a.answer_status, a.same_body)).collect();
    assert_eq!(history, [(1, 202, true), (2, 202, true), (3, 200, false)]);
    assert_eq!(deliveries::payload(&test.db, &first.guid).await.unwrap().unwrap().1, first.body);
}

async fn a_redelivery_requeues_dead_jobs(test: TestDb) {
    let (db, writer) = (&test.db, writer(&test.db));
    let new = delivery(vec![job(None), job(None)]);
    writer.record(new.clone()).await.unwrap();
    let claimed = jobs::claim(db, "a", &["test"], 2, Duration::from_secs(30), now()).await.unwrap();
    assert!(jobs::finish(db, &claimed[0].0, &Finish::Done("fine".into()), now()).await.unwrap());
    assert!(jobs::finish(db, &claimed[1].0, &Finish::Dead("broken".into()), now()).await.unwrap());
    assert_eq!(deliveries::get(db, &new.guid).await.unwrap().unwrap().row.status, DeliveryStatus::Failed);

    let recorded = writer.record(new.clone()).await.unwrap();
    assert!(matches!(recorded, Recorded::Repeat { attempt: 2, requeued: true, .. }), "{recorded:?}");
    let found = deliveries::get(db, &new.guid).await.unwrap().unwrap();
    assert_eq!((found.row.status, found.history[1].requeued), (DeliveryStatus::Queued, true));
    let states: Vec<_> = found.jobs.iter().map(|j| (j.state, j.attempts)).collect();
    assert_eq!(states, [(JobState::Done, 1), (JobState::Ready, 0)]);
    let again = writer.record(new).await.unwrap();
    assert!(matches!(again, Recorded::Repeat { attempt: 3, requeued: false, .. }), "{again:?}");
}

async fn a_redelivery_of_a_refused_delivery_queues_its_jobs(test: TestDb) {
    let (db, writer) = (&test.db, writer(&test.db));
    let mut new = delivery(vec![]);
    new.answer_status = 422;
    writer.record(new.clone()).await.unwrap();
    assert_eq!(deliveries::get(db, &new.guid).await.unwrap().unwrap().row.status, DeliveryStatus::Refused);
    (new.answer_status, new.jobs) = (202, vec![job(None)]);
    assert!(matches!(writer.record(new.clone()).await.unwrap(), Recorded::Repeat { requeued: true, .. }));
    assert!(matches!(writer.record(new.clone()).await.unwrap(), Recorded::Repeat { requeued: false, .. }));
    let found = deliveries::get(db, &new.guid).await.unwrap().unwrap();
    assert_eq!((found.row.status, found.jobs.len()), (DeliveryStatus::Queued, 1));
}

async fn a_known_token_is_not_queued_twice(test: TestDb) {
    let writer = writer(&test.db);
    let one = job(None);
    let known = jobs::enqueue(&test.db, &[one.clone(), one.clone()], now()).await.unwrap();
    assert_eq!(known.len(), 1);
    let recorded = writer.record(delivery(vec![one.clone(), job(None), one])).await.unwrap();
    assert!(matches!(recorded, Recorded::New { jobs: 1, .. }), "{recorded:?}");
}

async fn two_writers_share_a_database(test: TestDb) {
    let other = test.again().await;
    let writers = [writer(&test.db), writer(&other)];
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let one = delivery(vec![job(None)]);
        for writer in writers.clone() {
            let one = one.clone();
            callers.spawn(async move { writer.record(one).await.unwrap() });
        }
    }
    let recorded = callers.join_all().await;
    assert_eq!(recorded.iter().filter(|r| matches!(r, Recorded::New { jobs: 1, .. })).count(), 100);
    assert_eq!(recorded.iter().filter(|r| matches!(r, Recorded::Repeat { attempt: 2, .. })).count(), 100);
    assert_eq!(jobs::depth(&test.db, now()).await.unwrap().ready, 100);
}

async fn two_writers_number_the_attempts_of_one_delivery(test: TestDb) {
    const EACH: usize = 60;
    let one = delivery(vec![job(None)]);
    let other = test.again().await;
    let mut arrivals = JoinSet::new();
    for db in [&test.db, &other] {
        let (writer, one) = (writer(db), one.clone());
        arrivals.spawn(async move {
            let mut recorded = Vec::new();
            for _ in 0..EACH {
                recorded.push(writer.record(one.clone()).await.unwrap());
            }
            recorded
        });
    }
    let mut numbers: Vec<u32> = arrivals
        .join_all()
        .await
        .concat()
        .into_iter()
        .map(|recorded| match recorded {
            Recorded::New { .. } => 1,
            Recorded::Repeat { attempt, .. } => attempt,
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=2 * EACH as u32).collect::<Vec<_>>());
}

async fn a_delivery_that_cannot_be_stored_harms_no_other(test: TestDb) {
    // A trigger refuses one GUID, as damaged or unexpected data would be refused.
    let refuse = match &test.db {
        Db::Lite { .. } => {
            "CREATE TRIGGER refuse BEFORE INSERT ON deliveries WHEN NEW.guid = 'poison' \
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        }
        Db::Pg(_) => {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN IF NEW.guid = 'poison' THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION refuse()"
        }
    };
    super::migrate::execute(&test.db, refuse).await;
    let writer = writer(&test.db);
    let mut callers = JoinSet::new();
    for number in 0..100 {
        let writer = writer.clone();
        let mut one = delivery(vec![job(None)]);
        if number == 50 {
            one.guid = "poison".into();
        }
        callers.spawn(async move { (number, writer.record(one).await) });
    }
    for (number, recorded) in callers.join_all().await {
        match recorded {
            Ok(Recorded::New { jobs: 1, .. }) => assert_ne!(number, 50),
            Err(Error::Other(reason)) => assert!(number == 50 && reason.contains("refused"), "{number}: {reason}"),
            other => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(count(&test.db).await, 99);
}

async fn what_was_accepted_before_the_shutdown_is_written(test: TestDb) {
    let shutdown = CancellationToken::new();
    let (writer, task) = Writer::start(test.db.clone(), shutdown.clone(), || {});
    let mut callers = JoinSet::new();
    for _ in 0..200 {
        let writer = writer.clone();
        callers.spawn(async move { writer.record(delivery(vec![])).await });
    }
    tokio::task::yield_now().await;
    shutdown.cancel();
    let results = callers.join_all().await;
    task.await.unwrap();
    let stored = results.iter().filter(|r| r.is_ok()).count();
    assert_eq!(count(&test.db).await, stored, "acknowledged and stored are the same");
    assert!(results.iter().flat_map(|r| r.as_ref().err()).all(|e| matches!(e, Error::Unavailable(_))), "{results:?}");
    assert!(matches!(writer.record(delivery(vec![])).await, Err(Error::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_postgres_is_told_quickly_and_survived() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let database = Database::create(&server.url()).await;
    let db = open(&database.url).await;
    migrate::up(&db, Duration::from_secs(60), &|_| {}).await.unwrap();
    let writer = writer(&db);
    let mut acknowledged = HashSet::new();
    for _ in 0..10 {
        let one = delivery(vec![]);
        acknowledged.insert(one.guid.clone());
        writer.record(one).await.unwrap();
    }
    let server = tokio::task::spawn_blocking(move || {
        server.stop();
        server
    });
    let server = server.await.unwrap();
    let failed = tokio::time::timeout(Duration::from_secs(10), writer.record(delivery(vec![]))).await;
    assert!(matches!(failed, Ok(Err(Error::Unavailable(_)))), "{failed:?}");
    assert!(matches!(db.ping().await, Err(Error::Unavailable(_))));
    let server = tokio::task::spawn_blocking(move || {
        server.go_on();
        server
    });
    let _server = server.await.unwrap();
    let one = delivery(vec![]);
    acknowledged.insert(one.guid.clone());
    while writer.record(one.clone()).await.is_err() {}
    let stored = deliveries::list(&db, &DeliveryFilter { limit: 100, ..Default::default() }).await.unwrap();
    let stored: HashSet<String> = stored.into_iter().map(|d| d.guid).collect();
    assert_eq!(stored, acknowledged, "what was acknowledged is there, what was refused is not");
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_memory_works_too() {
    let db = open("sqlite::memory:").await;
    migrate::up(&db, Duration::from_secs(5), &|_| {}).await.unwrap();
    let other = open("sqlite::memory:").await;
    assert!(migrate::check(&other).await.is_err(), "each has its own");
    let writer = writer(&db);
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (writer, db) = (writer.clone(), db.clone());
        callers.spawn(async move {
            let one = delivery(vec![job(None)]);
            writer.record(one.clone()).await.unwrap();
            assert!(deliveries::get(&db, &one.guid).await.unwrap().is_some());
        });
    }
    callers.join_all().await;
    assert_eq!(count(&db).await, 100);
}
