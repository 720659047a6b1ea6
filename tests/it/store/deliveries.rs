//! Listing: filters, the cursor, and what became of each delivery.

use std::time::Duration;

use chrono::TimeDelta;
use pforge::store::Db;
use pforge::store::deliveries::search::search;
use pforge::store::deliveries::{self, DeliveryFilter, DeliveryStatus};
use pforge::store::ingest::Writer;
use pforge::store::jobs::{self, Finish};
use tokio_util::sync::CancellationToken;

use super::{delivery, job, now};
use crate::support::pg::{TestDb, on_both};

on_both!(
    a_span_of_time_a_beginning_and_a_text,
    filters_and_cursor,
    filters_combine,
    the_status_follows_from_answer_and_jobs,
    every_filter_uses_an_index
);

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

async fn a_span_of_time_a_beginning_and_a_text(test: TestDb) {
    let db = &test.db;
    let (writer, _) = Writer::start(db.clone(), CancellationToken::new(), || {});
    let begin = now() - TimeDelta::hours(100);
    let at = |number: i64| begin + TimeDelta::hours(number);
    let mut ids = Vec::new();
    for number in 0..100 {
        let mut one = delivery(vec![]);
        // Once the clock was set back by an hour.
        one.received_at = if number == 50 { at(49) } else { at(number) };
        one.guid = format!("{:02x}00abcd-{number}", number % 16);
        one.body = format!("{{\"title\": \"Fix NUMBER-{number}.\", \"pad\": \"{}\"}}", "x".repeat(5000)).into();
        writer.record(one).await.unwrap();
        ids.push(listed(db, DeliveryFilter { limit: 1, ..Default::default() }).await[0]);
    }
    let span = |since: Option<i64>, until: Option<i64>| DeliveryFilter {
        since: since.map(at),
        until: until.map(at),
        limit: 1000,
        ..Default::default()
    };
    let newest_first = |range: std::ops::Range<usize>| ids[range].iter().rev().copied().collect::<Vec<_>>();
    for (since, until, expected) in [
        (None, None, 0..100),
        (Some(90), None, 90..100),
        (Some(-5), Some(3), 0..3),
        (Some(98), Some(98), 0..0),
        (Some(49), Some(50), 49..51),
        (Some(51), Some(60), 51..60),
        (Some(500), None, 0..0),
        (None, Some(-1), 0..0),
        (None, Some(500), 0..100),
    ] {
        assert_eq!(listed(db, span(since, until)).await, newest_first(expected), "{since:?} {until:?}");
    }
    for (prefix, expected) in [("0", 100), ("03", 6), ("0f00abcd-15", 1), ("04", 6), ("x", 0), ("%", 0), ("0_", 0)] {
        let filter = DeliveryFilter { guid: Some(prefix.into()), limit: 1000, ..Default::default() };
        let expected =
            if expected == 6 { (0..100).filter(|n| format!("{:02x}", n % 16) == prefix).count() } else { expected };
        assert_eq!(listed(db, filter).await.len(), expected, "{prefix}");
    }
    for (text, limit, expected) in
        [("number-7.", 10, &[7][..]), ("fix number-9", 3, &[99, 98, 97]), ("nothing", 10, &[]), ("x\"}", 2, &[99, 98])]
    {
        let found = search(db, &DeliveryFilter { limit, ..Default::default() }, text).await.unwrap();
        let told: Vec<i64> = found.rows.iter().map(|row| row.id).collect();
        assert_eq!(told, expected.iter().map(|number| ids[*number]).collect::<Vec<_>>(), "{text}");
        assert_eq!(found.reached.is_some(), told.len() == limit as usize, "{text}: the end is known");
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
        (
            "d.id IN (SELECT g.id FROM deliveries g WHERE g.guid >= 'a' AND g.guid < 'b')",
            "g USING COVERING INDEX sqlite_autoindex_deliveries_1 (guid>? AND guid<?)",
        ),
    ] {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT d.id, d.size FROM deliveries d WHERE {condition} ORDER BY d.id DESC LIMIT 50"
        );
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(r).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|(.., line)| line).collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{condition}: {plan:?}");
    }
}
