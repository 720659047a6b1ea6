//! Listing: filters, the cursor, and what became of each delivery.

use std::time::Duration;

use pforge::store::Db;
use pforge::store::deliveries::{self, DeliveryFilter, DeliveryStatus};
use pforge::store::ingest::Writer;
use pforge::store::jobs::{self, Finish};
use tokio_util::sync::CancellationToken;

use super::{delivery, job, now};
use crate::support::pg::{TestDb, on_both};

on_both!(filters_and_cursor, filters_combine, the_status_follows_from_answer_and_jobs, every_filter_uses_an_index);

async fn listed(db: &Db, filter: DeliveryFilter) -> Vec<i64> {
    deliveries::list(db, &filter).await.unwrap().into_iter().map(|d| d.id).collect()
}

async fn filters_and_cursor(test: TestDb) {
    let (writer, _) = Writer::start(test.db.clone(), CancellationToken::new(), || {});
    for number in 0..30 {
        let mut one = delivery(vec![]);
        one.event = if number % 2 == 0 { "push" } else { "pull_request" }.into();
        one.action = (number % 2 == 1).then(|| if number % 3 == 0 { "opened" } else { "closed" }.to_owned());
        one.repo = (number % 5 != 0).then(|| format!("o/r{}", number % 5));
        writer.record(one).await.unwrap();
    }
    let db = &test.db;
    let all = listed(db, DeliveryFilter { limit: 100, ..Default::default() }).await;
    assert_eq!(all.len(), 30);
    assert!(all.is_sorted_by(|a, b| a > b), "newest first");
    let page = listed(db, DeliveryFilter { limit: 10, ..Default::default() }).await;
    let next = listed(db, DeliveryFilter { limit: 10, before: page.last().copied(), ..Default::default() }).await;
    assert_eq!([page, next].concat(), all[..20]);
    let some = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (DeliveryFilter { event: some("push"), ..Default::default() }, 15),
        (DeliveryFilter { action: some("opened"), ..Default::default() }, 5),
        (DeliveryFilter { repo: some("o/r1"), ..Default::default() }, 6),
        (
            DeliveryFilter {
                event: some("pull_request"),
                action: some("closed"),
                repo: some("o/r1"),
                ..Default::default()
            },
            2,
        ),
        (DeliveryFilter { event: some("'; DROP TABLE deliveries; --"), ..Default::default() }, 0),
    ] {
        assert_eq!(listed(db, DeliveryFilter { limit: 100, ..filter.clone() }).await.len(), expected, "{filter:?}");
    }
}

async fn the_status_follows_from_answer_and_jobs(test: TestDb) {
    let db = &test.db;
    let (writer, _) = Writer::start(db.clone(), CancellationToken::new(), || {});
    let mut refused = delivery(vec![]);
    refused.answer_status = 422;
    let guids: Vec<String> = {
        let mut guids = Vec::new();
        for one in [
            delivery(vec![]),
            refused,
            delivery(vec![job(None)]),
            delivery(vec![job(None), job(None)]),
            delivery(vec![job(None), job(Some("blocked"))]),
            delivery(vec![job(Some("blocked"))]),
        ] {
            guids.push(one.guid.clone());
            writer.record(one).await.unwrap();
        }
        guids
    };
    let claimed = jobs::claim(db, "a", &["test"], 10, Duration::from_secs(30), now()).await.unwrap();
    assert_eq!(claimed.len(), 5);
    let ends = [
        Finish::Done("".into()),
        Finish::Done("".into()),
        Finish::Dead("no".into()),
        Finish::Done("".into()),
        Finish::Retry(now() + Duration::from_secs(60), "later".into()),
    ];
    for ((lease, _), end) in claimed.iter().zip(&ends) {
        assert!(jobs::finish(db, lease, end, now()).await.unwrap());
    }
    use DeliveryStatus::{Done, Failed, Ignored, Queued, Refused};
    let expected = [Ignored, Refused, Done, Failed, Queued, Queued];
    for (guid, expected) in guids.iter().zip(expected) {
        assert_eq!(deliveries::get(db, guid).await.unwrap().unwrap().row.status, expected, "{guid}");
    }
    for (status, expected) in [(Ignored, 1), (Refused, 1), (Done, 1), (Failed, 1), (Queued, 2)] {
        let filter = DeliveryFilter { status: Some(status), limit: 10, ..Default::default() };
        let found = deliveries::list(db, &filter).await.unwrap();
        assert_eq!(found.len(), expected, "{status:?}");
        assert!(found.iter().all(|d| d.status == status), "filter and status agree: {found:?}");
    }
}

/// One filter together with every status: the planner must find a way for each.
async fn filters_combine(test: TestDb) {
    let db = &test.db;
    let (writer, _) = Writer::start(db.clone(), CancellationToken::new(), || {});
    for number in 0..20 {
        let mut one = delivery(if number % 2 == 0 { vec![job(None)] } else { vec![] });
        one.event = if number % 4 < 2 { "push" } else { "issues" }.into();
        writer.record(one).await.unwrap();
    }
    let last = listed(db, DeliveryFilter { limit: 1, ..Default::default() }).await[0];
    for (status, expected) in [
        (DeliveryStatus::Queued, 5),
        (DeliveryStatus::Ignored, 4),
        (DeliveryStatus::Done, 0),
        (DeliveryStatus::Failed, 0),
        (DeliveryStatus::Refused, 0),
    ] {
        let event = Some("issues".to_owned());
        let filter =
            DeliveryFilter { status: Some(status), event, before: Some(last), limit: 100, ..Default::default() };
        assert_eq!(listed(db, filter).await.len(), expected, "{status:?}");
    }
}

/// The list must not read the whole table for its first page: what is slow with a million rows is
/// visible in the plan with a few.
async fn every_filter_uses_an_index(test: TestDb) {
    let Db::Lite { r, .. } = &test.db else { return };
    for (condition, index) in [
        ("d.answer_status >= 400 AND NOT d.accepted", "deliveries_refused"),
        ("d.accepted AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.delivery_id = d.id)", "deliveries_accepted"),
        ("d.id IN (SELECT j.delivery_id FROM jobs j WHERE j.state = 'dead')", "jobs_dead"),
    ] {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT d.id, d.size FROM deliveries d WHERE {condition} ORDER BY d.id DESC LIMIT 50"
        );
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(r).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|(.., line)| line).collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{condition}: {plan:?}");
    }
}
