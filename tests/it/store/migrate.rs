//! Migrations: both directions, one at a time, and never over a schema they do not know.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use pforge::store::migrate::{self, MigrateError, Progress};
use pforge::store::{Db, Error};
use sqlx::AssertSqlSafe;

use crate::support::pg::TestDb;

const PATIENCE: Duration = Duration::from_secs(30);

/// Each test once per database, both times on an empty one.
macro_rules! on_both_empty {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::TestDb::empty_sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::TestDb::empty_postgres().await).await;
            })+
        }
    };
}

on_both_empty!(
    up_down_and_up_again,
    data_survives_a_later_migration,
    an_edited_migration_is_refused,
    a_newer_database_is_refused,
    two_at_once_migrate_once,
    a_failure_keeps_nothing_and_frees_the_lock,
    a_taken_lock_is_waited_for_and_then_reported,
);

/// Runs SQL as a person at the database's prompt would.
pub async fn execute(db: &Db, sql: &str) {
    match db {
        Db::Lite { w, .. } => sqlx::raw_sql(AssertSqlSafe(sql)).execute(w).await.map(|_| ()),
        Db::Pg(pool) => sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(|_| ()),
    }
    .expect(sql);
}

async fn number(db: &Db, sql: &'static str) -> i64 {
    match db {
        Db::Lite { w, .. } => sqlx::query_scalar(sql).fetch_one(w).await,
        Db::Pg(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
    }
    .expect(sql)
}

/// Table → its columns, sorted.
async fn tables(db: &Db) -> BTreeMap<String, Vec<String>> {
    let rows: Vec<(String, String)> = match db {
        Db::Lite { w, .. } => sqlx::query_as(
            "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
        )
        .fetch_all(w)
        .await
        .unwrap(),
        Db::Pg(pool) => sqlx::query_as(
            "SELECT table_name::text, column_name::text FROM information_schema.columns \
             WHERE table_schema = 'public' ORDER BY 1, column_name COLLATE \"C\"",
        )
        .fetch_all(pool)
        .await
        .unwrap(),
    };
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in rows {
        tables.entry(table).or_default().push(column);
    }
    tables
}

async fn up(db: &Db) -> Result<usize, Error> {
    migrate::up(db, PATIENCE, &|_| {}).await
}

async fn down(db: &Db, steps: usize) -> Result<usize, Error> {
    migrate::down(db, steps, PATIENCE, &|_| {}).await
}

async fn states(db: &Db) -> Vec<&'static str> {
    migrate::status(db).await.unwrap().into_iter().map(|m| m.state).collect()
}

async fn up_down_and_up_again(test: TestDb) {
    let db = &test.db;
    let all = states(db).await.len();
    assert_eq!(states(db).await, vec!["pending"; all]);
    let behind = migrate::check(db).await;
    assert!(matches!(behind, Err(Error::Migrate(MigrateError::Behind { pending })) if pending == all), "{behind:?}");
    assert!(matches!(down(db, 1).await, Err(Error::Migrate(MigrateError::NothingApplied))));
    let told = Mutex::new(Vec::new());
    let applied = migrate::up(db, PATIENCE, &|p| told.lock().unwrap().push(format!("{p:?}"))).await.unwrap();
    assert_eq!((applied, told.lock().unwrap().len()), (all, 2 * all), "each begins and ends");
    let schema = tables(db).await;
    assert_eq!(up(db).await.unwrap(), 0, "nothing left to do");
    migrate::check(db).await.unwrap();
    let status = migrate::status(db).await.unwrap();
    assert!(status.iter().all(|m| m.state == "applied" && m.applied_at.is_some()), "{status:?}");

    assert_eq!(down(db, 1).await.unwrap(), 1);
    assert_eq!(states(db).await, [&vec!["applied"; all - 1][..], &["pending"]].concat());
    assert_eq!(down(db, 99).await.unwrap(), all - 1, "no more than there are");
    assert_eq!(tables(db).await.into_keys().collect::<Vec<_>>(), ["schema_migrations"]);
    assert_eq!(up(db).await.unwrap(), all);
    assert_eq!(tables(db).await, schema);
}

async fn data_survives_a_later_migration(test: TestDb) {
    let db = &test.db;
    up(db).await.unwrap();
    down(db, 1).await.unwrap();
    pforge::store::jobs::enqueue(db, &[super::job(None)], super::now()).await.unwrap();
    up(db).await.unwrap();
    assert_eq!(number(db, "SELECT count(*) FROM jobs").await, 1);
}

async fn an_edited_migration_is_refused(test: TestDb) {
    let db = &test.db;
    up(db).await.unwrap();
    execute(db, "UPDATE schema_migrations SET checksum = 'other' WHERE version = 1").await;
    assert_eq!(states(db).await[..2], ["changed", "applied"]);
    for result in [migrate::check(db).await, up(db).await.map(drop), down(db, 1).await.map(drop)] {
        assert!(matches!(&result, Err(Error::Migrate(MigrateError::Drift { version: 1, .. }))), "{result:?}");
    }
}

async fn a_newer_database_is_refused(test: TestDb) {
    let db = &test.db;
    up(db).await.unwrap();
    execute(db, "INSERT INTO schema_migrations SELECT 999, 'future', checksum, applied_at FROM schema_migrations WHERE version = 1").await;
    assert_eq!(states(db).await.last(), Some(&"unknown"));
    for result in [migrate::check(db).await, up(db).await.map(drop), down(db, 1).await.map(drop)] {
        assert!(matches!(&result, Err(Error::Migrate(MigrateError::Newer { version: 999 }))), "{result:?}");
    }
}

async fn two_at_once_migrate_once(test: TestDb) {
    let others = [test.again().await, test.again().await, test.again().await];
    let [one, two, three] = &others;
    let (zero, one, two, three) = tokio::join!(up(&test.db), up(one), up(two), up(three));
    let mut applied = [zero.unwrap(), one.unwrap(), two.unwrap(), three.unwrap()];
    applied.sort_unstable();
    assert_eq!(applied, [0, 0, 0, states(&test.db).await.len()]);
    migrate::check(&test.db).await.unwrap();
}

async fn a_failure_keeps_nothing_and_frees_the_lock(test: TestDb) {
    let db = &test.db;
    // The second migration creates feedstocks, and then stumbles over this.
    execute(db, "CREATE TABLE bakeries (id integer)").await;
    let failed = up(db).await;
    assert!(matches!(&failed, Err(Error::Migrate(MigrateError::Failed { version: 2, .. }))), "{failed:?}");
    assert_eq!(states(db).await[..2], ["applied", "pending"]);
    assert!(!tables(db).await.contains_key("feedstocks"), "the half of it was undone");
    execute(db, "DROP TABLE bakeries").await;
    let other = test.again().await;
    let left = states(db).await.len() - 1;
    assert_eq!(migrate::up(&other, Duration::from_millis(1), &|_| {}).await.unwrap(), left, "the lock is free");
}

async fn a_taken_lock_is_waited_for_and_then_reported(test: TestDb) {
    let short = Duration::from_millis(300);
    let told = Mutex::new(0);
    let tell = |p: Progress| *told.lock().unwrap() += usize::from(matches!(p, Progress::Waiting));
    let refused = match &test.db {
        Db::Lite { .. } => {
            let path = format!("{}.migrate.lock", test.url.strip_prefix("sqlite://").unwrap());
            let file = std::fs::File::create(path).unwrap();
            file.lock().unwrap();
            migrate::up(&test.db, short, &tell).await
        }
        Db::Pg(pool) => {
            let mut holder = pool.acquire().await.unwrap();
            sqlx::query("SELECT pg_advisory_lock(123585258743653)").execute(&mut *holder).await.unwrap();
            let refused = migrate::up(&test.db, short, &tell).await;
            holder.close().await.unwrap();
            refused
        }
    };
    assert!(matches!(refused, Err(Error::Migrate(MigrateError::Locked(_)))), "{refused:?}");
    assert_eq!(*told.lock().unwrap(), 1, "told once");
    assert_eq!(up(&test.db).await.unwrap(), states(&test.db).await.len(), "the lock went with its holder");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_tables_and_columns() {
    let (lite, pg) = (TestDb::sqlite().await, TestDb::postgres().await);
    let mut schema = tables(&lite.db).await;
    // Where PostgreSQL has indexes.
    for table in ["delivery_blocks", "delivery_block_terms", "job_blocks", "job_block_terms"] {
        assert!(schema.remove(table).is_some(), "{table}");
    }
    assert_eq!(schema, tables(&pg.db).await);
    assert!(schema.contains_key("recipe_runs"), "{schema:?}");
}
