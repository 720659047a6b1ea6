//! The life of a schema, on SQLite.

use crate::support::env::Env;

#[test]
fn migrate_status_rollback_and_again() {
    let env = Env::configured();
    insta::assert_snapshot!("db status before", env.line("db status"));
    assert_eq!(env.line("db status --exit-code").code, Some(1));
    insta::assert_snapshot!("db migrate", env.line("db migrate"));
    insta::assert_snapshot!("db migrate again", env.line("db migrate"));
    insta::assert_snapshot!("db status after", env.line("db status --exit-code"));
    insta::assert_snapshot!("db rollback unasked", env.line("db rollback"));
    insta::assert_snapshot!("db rollback", env.line("db rollback --yes"));
    let rolled = env.line("db status --json").success().json();
    assert_eq!(rolled["pending"], 1);
    env.line("db rollback --steps 99 --yes").success();
    insta::assert_snapshot!("db rollback of nothing", env.line("db rollback --yes"));
    assert_eq!(
        env.line("db migrate --json").success().json()["applied"],
        rolled["migrations"].as_array().expect("list").len()
    );
}

#[test]
fn a_schema_that_is_not_ours_is_refused_with_advice() {
    let env = Env::configured();
    insta::assert_snapshot!("serve behind", env.line("serve --no-migrate --listen 127.0.0.1:0"));
    env.line("db migrate").success();
    let sqlite = |sql: &str| {
        let script = format!("import sqlite3; c = sqlite3.connect('database.sqlite'); c.execute({sql:?}); c.commit()");
        let mut python = std::process::Command::new("python3");
        let done = python.args(["-c", &script]).current_dir(env.root()).status().expect("python3");
        assert!(done.success());
    };
    sqlite("UPDATE schema_migrations SET checksum = 'edited' WHERE version = 1");
    insta::assert_snapshot!("serve on drift", env.line("serve --listen 127.0.0.1:0"));
    insta::assert_snapshot!("db status on drift", env.line("db status --exit-code"));
    sqlite("DELETE FROM schema_migrations WHERE version > 1");
    sqlite("UPDATE schema_migrations SET version = 9000, name = 'from the future'");
    insta::assert_snapshot!("serve on newer", env.line("serve --listen 127.0.0.1:0"));
}

#[test]
fn wait_gives_up_in_time() {
    let mut env = Env::configured();
    env.line("db wait").success();
    env.set("DATABASE_URL", "postgres://forge@127.0.0.1:1/forge");
    let output = env.line("db wait --timeout 300ms");
    assert_eq!(output.code, Some(6), "{output}");
    assert!(output.stderr.starts_with("error: the database did not answer within 300 ms\n"), "{output}");
}

#[test]
fn new_writes_both_dialects_in_a_checkout_only() {
    let env = Env::new();
    insta::assert_snapshot!("db new elsewhere", env.line("db new add_owner"));
    env.write("Cargo.toml", "[package]\nname = \"pforge\"\n");
    env.write("src/store/migrations/sqlite/0007_before.up.sql", "");
    insta::assert_snapshot!("db new", env.line("db new add_owner"));
    let files = env.line("db new more --json").success().json();
    assert_eq!(files["version"], 9);
    for file in files["files"].as_array().expect("files") {
        assert!(env.root().join(file.as_str().expect("path")).exists(), "{file}");
    }
}
