//! Lists, filters and claims take no longer among many rows than among few, on both databases.
//!
//! `bench/rows/run` runs the ignored test, which goes up to a million rows and prints a table.

use std::fmt::Write;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use pforge::apps::http_api::Page;
use pforge::apps::http_api::filter::{Condition, Value};
use pforge::apps::recipes::rows::recipe_runs;
use pforge::store::Db;
use pforge::store::deliveries::{self, DeliveryFilter, DeliveryStatus};
use pforge::store::jobs::{self, Finish, JobFilter, JobState};
use sqlx::{AssertSqlSafe, raw_sql};

use crate::support::pg::{TestDb, on_both};

/// How often each query is timed.
const TIMES: usize = 15;
/// Jobs that wait in a queue of any length.
const WAITING: i64 = 400;
const KINDS: [&str; 3] = ["bench.k0", "bench.k1", "bench.k2"];

on_both!(lists_and_claims_stay_flat);

async fn lists_and_claims_stay_flat(database: TestDb) {
    let few = measure(&filled(&database, 1000).await).await;
    let many = measure(&filled(&database, 60_000).await).await;
    for ((name, few), (_, many)) in few.iter().zip(&many) {
        // Reading all rows would take sixty times as long.
        assert!(
            many.least < few.least * 8 + Duration::from_millis(4),
            "{name}: {:?}, then {:?}",
            few.least,
            many.least
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a benchmark: minutes, and 3 GB of disk"]
async fn the_table_of_a_million_rows() {
    let sizes = [1000, 100_000, 1_000_000];
    for (name, database) in [("SQLite", TestDb::sqlite().await), ("PostgreSQL", TestDb::postgres().await)] {
        let mut columns = Vec::new();
        for size in sizes {
            columns.push(measure(&filled(&database, size).await).await);
        }
        let mut table = format!("\n| {name}, median of {TIMES}, ms | 10³ | 10⁵ | 10⁶ |\n|---|---:|---:|---:|\n");
        for (row, (query, _)) in columns[0].iter().enumerate() {
            let times: Vec<String> =
                columns.iter().map(|column| format!("{:.2}", column[row].1.median.as_secs_f64() * 1e3)).collect();
            writeln!(table, "| {query} | {} |", times.join(" | ")).unwrap();
        }
        eprintln!("{table}");
    }
}

/// The database with `count` rows in each table instead of those that it has.
async fn filled(database: &TestDb, count: i64) -> Db {
    let db = database.db.clone();
    let (series, time, json) = match db {
        Db::Lite { .. } => (
            format!(
                "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT n FROM s)"
            ),
            "strftime('%Y-%m-%dT%H:%M:%S+00:00', 1700000000 + n, 'unixepoch')",
            "'{}'",
        ),
        Db::Pg(_) => (format!("generate_series(1, {count}) AS s(n)"), "to_timestamp(1700000000 + n)", "'{}'::jsonb"),
    };
    let (blob, yes, no) = match db {
        Db::Lite { .. } => ("zeroblob(64)", "1", "0"),
        Db::Pg(_) => ("decode(repeat('00', 64), 'hex')", "true", "false"),
    };
    let waiting = count - WAITING;
    let statements = [
        "DELETE FROM jobs".to_owned(),
        "DELETE FROM deliveries".to_owned(),
        "DELETE FROM recipe_runs".to_owned(),
        "DELETE FROM feedstocks".to_owned(),
        "DELETE FROM bakeries".to_owned(),
        format!(
            "INSERT INTO deliveries (id, app, hook_id, guid, event, action, repo, received_at, answer_status, accepted, \
             size, head_size, compressed, content) \
             SELECT n, 'recipes', '1', 'guid-' || n, 'event' || (n % 20), 'action' || (n % 7), \
             CASE WHEN n IN (5, 77, {count} / 2) THEN 'o/rare' ELSE 'o/r' || (n % 200) END, {time}, \
             CASE WHEN n % 50 = 0 THEN 422 ELSE 200 END, CASE WHEN n % 10 = 1 THEN {yes} ELSE {no} END, \
             64, 0, {no}, {blob} FROM {series}"
        ),
        format!(
            "INSERT INTO jobs (id, delivery_id, kind, key, token, state, payload, max_attempts, run_at, created_at, finished_at) \
             SELECT n, n, 'bench.k' || (n % 3), 'o/r' || (n % 200) || '#' || n, 'token-' || n, \
             CASE WHEN n > {waiting} THEN 'ready' WHEN n % 1000 = 0 THEN 'dead' ELSE 'done' END, {json}, 5, {time}, {time}, {time} \
             FROM {series}"
        ),
        format!("INSERT INTO feedstocks (id, spec) SELECT n, 'o/r' || n || '-feedstock' FROM {series} WHERE n <= 1000"),
        "INSERT INTO bakeries (id, region, name, description) VALUES (1, 'local', 'a', ''), (2, 'local', 'b', '')"
            .to_owned(),
        format!(
            "INSERT INTO recipe_runs (id, recipe_id, bakery_id, feedstock_id, head_sha, version, started_at, completed_at, \
             conclusion, status, is_test, dataset_type, dataset_public_url) \
             SELECT n, 'r' || (n % 50), CASE WHEN n % 1000 = 3 THEN 2 ELSE 1 END, n % 1000 + 1, 'sha' || (n / 5), '', {time}, {time}, \
             CASE WHEN n % 400 = 0 THEN 'failure' ELSE 'success' END, CASE WHEN n % 300 = 7 THEN 'queued' ELSE 'completed' END, \
             CASE WHEN n % 3 = 0 THEN {no} ELSE {yes} END, 'zarr', 'https://x/' || n FROM {series}"
        ),
    ];
    let blocks = ["delivery_blocks", "delivery_block_terms", "job_blocks", "job_block_terms"];
    let forget = blocks.iter().filter(|_| matches!(db, Db::Lite { .. })).map(|table| format!("DELETE FROM {table}"));
    for statement in forget.chain(statements) {
        let sql = AssertSqlSafe(statement.clone());
        let done = match &db {
            Db::Lite { w, .. } => raw_sql(sql).execute(w).await.map(|_| ()),
            Db::Pg(pool) => raw_sql(sql).execute(pool).await.map(|_| ()),
        };
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    if let Db::Pg(pool) = &db {
        // As autovacuum does a little later.
        raw_sql("VACUUM ANALYZE").execute(pool).await.unwrap();
    }
    db
}

/// How long a query took.
#[derive(Clone, Copy)]
struct Timing {
    least: Duration,
    median: Duration,
}

async fn timed<T>(mut query: impl AsyncFnMut(usize) -> T) -> Timing {
    let mut times = Vec::with_capacity(TIMES);
    for number in 0..TIMES {
        let begun = Instant::now();
        query(number).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Timing { least: times[0], median: times[TIMES / 2] }
}

async fn measure(db: &Db) -> Vec<(String, Timing)> {
    let mut timings = Vec::new();
    let some = |text: &str| Some(text.to_owned());
    let of = |change: fn(&mut DeliveryFilter)| {
        let mut filter = DeliveryFilter { limit: 100, ..DeliveryFilter::default() };
        change(&mut filter);
        filter
    };
    let last = deliveries::list(db, &of(|_| ())).await.unwrap()[0].id;
    let mut middle = of(|_| ());
    middle.before = Some(last / 2);
    let mut young = of(|_| ());
    young.since = Some(DateTime::from_timestamp(1_700_000_000 + last - 50, 0).unwrap());
    for (name, filter) in [
        ("newest", of(|_| ())),
        ("from the middle on", middle),
        ("`event`", of(|f| f.event = Some("event3".into()))),
        ("`event`, never seen", of(|f| f.event = Some("nothing".into()))),
        ("`action`, never seen", of(|f| f.action = Some("nothing".into()))),
        ("`repo`", of(|f| f.repo = Some("o/r7".into()))),
        ("`repo`, three rows", of(|f| f.repo = Some("o/rare".into()))),
        ("`repo`, never seen", of(|f| f.repo = Some("o/nothing".into()))),
        ("`repo` and `event`", of(|f| (f.repo, f.event) = (Some("o/r8".into()), Some("event8".into())))),
        ("`status=ignored`", of(|f| f.status = Some(DeliveryStatus::Ignored))),
        ("`status=done`", of(|f| f.status = Some(DeliveryStatus::Done))),
        ("`status=refused`", of(|f| f.status = Some(DeliveryStatus::Refused))),
        ("`status=queued`", of(|f| f.status = Some(DeliveryStatus::Queued))),
        ("`status=failed`", of(|f| f.status = Some(DeliveryStatus::Failed))),
        ("`guid`", of(|f| f.guid = Some("guid-999".into()))),
        ("`since`", young),
    ] {
        let timing = timed(async |_| deliveries::list(db, &filter).await.unwrap()).await;
        timings.push((format!("deliveries: {name}"), timing));
    }
    let base = JobFilter { limit: 100, ..JobFilter::default() };
    for (name, filter) in [
        ("newest", base.clone()),
        ("from the middle on", JobFilter { before: Some(last / 2), ..base.clone() }),
        ("`state=ready`", JobFilter { state: Some(JobState::Ready), ..base.clone() }),
        ("`state=running`, none", JobFilter { state: Some(JobState::Running), ..base.clone() }),
        ("`state=done`", JobFilter { state: Some(JobState::Done), ..base.clone() }),
        ("`state=dead`", JobFilter { state: Some(JobState::Dead), ..base.clone() }),
        ("`kind`, never seen", JobFilter { kind: some("nothing"), ..base.clone() }),
        ("`key`", JobFilter { key: some("o/r7#7"), ..base.clone() }),
        ("`delivery_id`", JobFilter { delivery_id: Some(7), ..base.clone() }),
    ] {
        let timing = timed(async |_| jobs::list(db, &filter).await.unwrap()).await;
        timings.push((format!("jobs: {name}"), timing));
    }
    let page = Page { offset: 0, limit: 100, order_by: "id", descending: false, after: None };
    let is = |column: &'static str, value: Value| vec![Condition { column, value }];
    let text = |text: &str| Value::Text(text.to_owned());
    for (name, page, conditions) in [
        ("oldest", page, vec![]),
        ("newest", Page { descending: true, ..page }, vec![]),
        ("after the middle", Page { after: Some(last / 2), ..page }, vec![]),
        ("by `started_at`", Page { order_by: "started_at", descending: true, ..page }, vec![]),
        ("by `completed_at`", Page { order_by: "completed_at", ..page }, vec![]),
        ("`feedstock_id`", page, is("feedstock_id", Value::Integer(7))),
        ("`bakery_id`, one in a thousand", page, is("bakery_id", Value::Integer(2))),
        ("`recipe_id`", page, is("recipe_id", text("r7"))),
        ("`recipe_id`, never seen", page, is("recipe_id", text("nothing"))),
        ("`head_sha`", page, is("head_sha", text("sha7"))),
        ("`status=queued`, newest", Page { descending: true, ..page }, is("status", text("queued"))),
        ("`status=in_progress`, none", page, is("status", text("in_progress"))),
        ("`conclusion=failure`", page, is("conclusion", text("failure"))),
        ("`is_test=false`", page, is("is_test", Value::Flag(false))),
        ("`dataset_type`, none", page, is("dataset_type", text("parquet"))),
    ] {
        let timing = timed(async |_| recipe_runs::list(db, &page, &conditions).await.unwrap()).await;
        timings.push((format!("recipe runs: {name}"), timing));
    }
    let timing = timed(async |_| recipe_runs::of_bakery(db, 2).await.unwrap()).await;
    timings.push(("recipe runs: of a bakery, embedded".to_owned(), timing));
    let timing = timed(async |_| recipe_runs::datasets(db, 7, Some(true), 0, 100).await.unwrap()).await;
    timings.push(("recipe runs: datasets of a feedstock".to_owned(), timing));
    timings.push(("jobs: four are claimed and finished".to_owned(), claimed(db).await));
    timings
}

async fn claimed(db: &Db) -> Timing {
    let now = Utc::now() + TimeDelta::hours(1);
    timed(async |number| {
        let leased =
            jobs::claim(db, &format!("bench-{number}"), &KINDS, 4, Duration::from_secs(60), now).await.unwrap();
        assert_eq!(leased.len(), 4);
        for (lease, _) in leased {
            assert!(jobs::finish(db, &lease, &Finish::Done(String::new()), now).await.unwrap());
        }
    })
    .await
}
