//! Every way in which the configuration can be missing or wrong.

use crate::support::env::{Env, Output};

const GOOD: &str = include_str!("../../fixtures/config/plain.yaml");

fn serve(env: &Env, line: &str) -> Output {
    // Port 0: a case that wrongly starts must not meet another server.
    let output = env.line(&format!("{line} serve --listen 127.0.0.1:0"));
    assert_eq!(output.stdout, "", "{output}");
    assert!(output.stderr.contains("\n  try: "), "no advice\n{output}");
    output
}

/// The output with columns that do not depend on the length of this machine's paths.
fn squeezed(output: &Output) -> String {
    let lines = output.to_string();
    let line = |line: &str| {
        line.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" | ") + "\n"
    };
    lines.lines().map(line).collect()
}

/// An environment whose only config file is `text`.
fn with(text: &str) -> Env {
    let env = Env::configured();
    env.write("secrets/config.pforge-local-alice.yaml", text);
    env
}

#[test]
fn no_file_at_all() {
    let env = Env::new();
    insta::assert_snapshot!("no deployment", serve(&env, ""));
    insta::assert_snapshot!("no file for the deployment", serve(&env, "--deployment prod"));
}

#[test]
fn several_files_or_another_one() {
    let env = Env::configured();
    env.write("secrets/config.pforge-local-bob.yaml", GOOD);
    env.write("secrets/config.pforge-pr-80.yaml", GOOD);
    insta::assert_snapshot!("several deployments", serve(&env, ""));
    insta::assert_snapshot!("ambiguous alias", serve(&env, "--deployment local"));
    insta::assert_snapshot!("misspelt deployment", serve(&env, "--deployment pforge-local-alcie"));
}

#[test]
fn a_file_that_is_no_config() {
    insta::assert_snapshot!("broken yaml", serve(&with("github_app:\n  id: [1\nhunter2: x\n"), ""));
    insta::assert_snapshot!("empty file", serve(&with("# nothing yet\n"), ""));
    insta::assert_snapshot!("one value", serve(&with("hunter2\n"), ""));
    let env = Env::configured();
    std::fs::remove_file(env.root().join("secrets/config.pforge-local-alice.yaml")).expect("remove");
    std::fs::create_dir(env.root().join("secrets/config.pforge-local-alice.yaml")).expect("mkdir");
    insta::assert_snapshot!("unreadable file", serve(&env, ""));
}

#[test]
fn sections_and_values() {
    let without_app = "fastapi:\n  PANGEO_FORGE_API_KEY: abc\n";
    insta::assert_snapshot!("no github_app", serve(&with(without_app), ""));
    for (name, from, to) in [
        ("no webhook secret", "    webhook_secret: marker-webhook-secret-5ca1ab1e\n", ""),
        ("id is text", "id: 231585", "id: hunter2"),
        ("key without its lines", "-----BEGIN RSA PRIVATE KEY-----", "hunter2"),
        ("api key is a number", "marker-api-key-0ddba11", "5150"),
        ("bad setting of the recipes app", "fastapi:", "recipes: {runner: {kind: hunter2}}\nfastapi:"),
        ("unknown setting of the recipes app", "fastapi:", "recipes: {run_onyl_on: [hunter2]}\nfastapi:"),
        ("bad workers", "fastapi:", "server: {workers: many}\nfastapi:"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let output = serve(&with(&GOOD.replacen(from, to, 1)), "");
        assert!(!output.stderr.contains("hunter2"), "{output}");
        insta::assert_snapshot!(name, output);
    }
    // A key with the outer form of one, but with a broken inside.
    let broken = GOOD.replacen("MII", "AAA", 1);
    insta::assert_snapshot!("key that does not parse", serve(&with(&broken), ""));
}

#[test]
fn the_database() {
    let mut env = Env::configured();
    env.unset("DATABASE_URL");
    insta::assert_snapshot!("no database", serve(&env, ""));
    env.set("DATABASE_URL", "mysql://root:hunter2@db/x");
    let output = serve(&env, "");
    assert!(!output.stderr.contains("hunter2"), "{output}");
    insta::assert_snapshot!("bad database url", output);
    env.set("DATABASE_URL", "postgres://forge:hunter2@127.0.0.1:1/forge");
    let output = env.line("db wait --timeout 1ms");
    assert!(!output.stderr.contains("hunter2"), "{output}");
    assert_eq!(output.code, Some(6), "{output}");
}

#[test]
fn sqlite_is_for_development() {
    let mut env = Env::new();
    env.write("secrets/config.pangeo-forge.yaml", GOOD);
    env.set("DATABASE_URL", &env.sqlite("database.sqlite"));
    insta::assert_snapshot!("sqlite in production", serve(&env, "--deployment prod"));
    // The file alone says which deployment it is.
    assert_eq!(serve(&env, "").code, Some(3));
    for line in ["db migrate", "db status", "db wait"] {
        assert_eq!(env.line(&format!("--deployment prod {line}")).code, Some(3), "{line}");
        env.line(&format!("--deployment prod {line} --allow-sqlite")).success();
    }
}

#[test]
fn other_settings() {
    let mut env = Env::configured();
    insta::assert_snapshot!("bad github url", serve(&env, "--github-url github.com"));
    env.set("PFORGE_LISTEN", "nowhere");
    let output = env.line("serve");
    insta::assert_snapshot!("bad listen address", output);
    env.unset("PFORGE_LISTEN").set("PFORGE_LOG", "pforge=loud");
    insta::assert_snapshot!("bad log filter", env.line("config show"));
}

#[test]
fn show_names_every_origin_and_no_secret() {
    let mut env = Env::configured();
    let more = "recipes: {run_only_on: [mine]}\nserver: {workers: 2, drain: 5s, listen: 127.0.0.1:1}\nother: {a: 1}\n";
    env.write("secrets/config.pforge-local-alice.yaml", &format!("{GOOD}{more}"));
    env.set("GITHUB_API_URL", "http://localhost:1234/").set("PFORGE_WORKERS", "3");
    let output = env.line("--deployment local config show").success();
    insta::assert_snapshot!("config show", squeezed(&output));
    let shown = env.line("config show --json").success().json();
    let setting = |name: &str| {
        let all = shown["settings"].as_array().expect("settings");
        all.iter().find(|setting| setting["name"] == name).unwrap_or_else(|| panic!("{name}: {shown}")).clone()
    };
    assert_eq!(setting("workers")["value"], 3);
    assert_eq!(setting("workers")["origin"]["name"], "PFORGE_WORKERS");
    assert_eq!(setting("drain")["origin"]["key"], "server.drain");
    assert_eq!(setting("github_app.webhook_secret")["secret"], true);
    assert!(setting("github_app.webhook_secret")["value"].as_str().expect("text").starts_with("sha256:"));
}

#[test]
fn show_tells_what_is_known_without_a_config() {
    insta::assert_snapshot!("config show without a file", squeezed(&Env::new().line("config show")));
}

#[test]
fn the_database_comes_from_flag_then_environment_then_file() {
    let mut env = Env::configured();
    env.write(
        "secrets/config.pforge-local-alice.yaml",
        &format!("{GOOD}database_url: {}\n", env.sqlite("file.sqlite")),
    );
    let (flag, in_env) = (env.sqlite("flag.sqlite"), env.sqlite("env.sqlite"));
    let there = |env: &Env, name: &str| env.root().join(name).exists();
    env.set("DATABASE_URL", &in_env);
    env.pforge(&["db", "migrate", "--database-url", &flag]).success();
    assert!(there(&env, "flag.sqlite") && !there(&env, "env.sqlite"));
    env.line("db migrate").success();
    assert!(there(&env, "env.sqlite") && !there(&env, "file.sqlite"));
    env.unset("DATABASE_URL").line("db migrate").success();
    assert!(there(&env, "file.sqlite"));
}

#[test]
fn the_root_is_found_from_below() {
    let env = Env::configured();
    std::fs::create_dir_all(env.root().join("docs/deep")).expect("mkdir");
    let mut command = env.command(&["config", "show", "--json"]);
    command.current_dir(env.root().join("docs/deep"));
    let shown = env.run(command, &["config", "show", "--json"]).success().json();
    assert_eq!(shown["settings"][0]["value"], env.root().display().to_string());
}
