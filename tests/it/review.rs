//! Deployments: what each kind allows and does by default, and those of pull requests, made and
//! removed.

use std::fs;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use pforge::emulator::Seed;
use pforge::emulator::person::OpenPull;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::app::Desk;
use crate::recipes::stage::{STAGED, Stage, recipe_files};
use crate::recipes::world::META;
use crate::support::env::Env;
use crate::support::pg::{TestDb, on_both};

const PATIENCE: Duration = Duration::from_secs(60);
const PLAIN: &str = include_str!("../fixtures/config/plain.yaml");

on_both!(
    row_12_a_server_needs_a_database_url,
    row_13_production_needs_postgres,
    row_43_only_labelled_pull_requests_are_acted_on,
    row_44_a_review_deployment_is_made_and_removed,
    row_45_production_sends_plain_http_to_https,
);

/// A folder with the config of `app`.
fn deployment(app: &str) -> Env {
    let mut env = Env::new();
    env.write(&format!("secrets/config.{app}.yaml"), PLAIN);
    env.set("PANGEO_FORGE_DEPLOYMENT", app);
    env
}

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

async fn row_12_a_server_needs_a_database_url(database: TestDb) {
    let mut env = deployment("pforge-local-alice");
    let refused = env.pforge(&SERVE);
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.stderr.contains("DATABASE_URL is not set"), "{refused}");
    env.set("DATABASE_URL", &database.url);
    let server = env.start(&SERVE);
    let body: Value = reqwest::get(server.url()).await.unwrap().json().await.unwrap();
    assert_eq!(body, json!({ "status": "ok" }));
    drop(server);
    // A file that is not there is made at the start, with its schema.
    env.set("DATABASE_URL", &env.sqlite("new.sqlite"));
    assert!(!env.root().join("new.sqlite").exists());
    let server = env.start(&SERVE);
    assert!(env.root().join("new.sqlite").exists());
    assert_eq!(server.stop().2, Some(0));
}

async fn row_13_production_needs_postgres(database: TestDb) {
    let lite = database.url.starts_with("sqlite");
    for (app, production) in [
        ("pangeo-forge", true),
        ("pangeo-forge-staging", true),
        ("prod", true),
        ("pforge-pr-80", false),
        ("pforge-local-alice", false),
    ] {
        let mut env = deployment(app);
        env.set("DATABASE_URL", &database.url);
        let status = env.line("db status");
        if lite && production {
            assert_eq!(status.code, Some(3), "{app}: {status}");
            let told = format!("SQLite is refused for the deployment {app}");
            assert!(status.stderr.contains(&told) && status.stderr.contains("--allow-sqlite"), "{status}");
            assert_eq!(env.pforge(&SERVE).code, Some(3), "{app}");
            env.line("db status --allow-sqlite").success();
        } else {
            status.success();
        }
    }
    let mut aliased = deployment("pangeo-forge");
    aliased.set("DATABASE_URL", &database.url).set("PANGEO_FORGE_DEPLOYMENT", "prod");
    assert_eq!(aliased.line("db status").code, Some(if lite { 3 } else { 0 }));
}

async fn row_43_only_labelled_pull_requests_are_acted_on(database: TestDb) {
    let stage = Stage::with(database, |plan| plan.settings.run_only_on = vec!["pforge-test".to_owned()]).await;
    let pull = stage.open_recipe("labelled-later").await;
    stage.settled().await;
    assert_eq!(stage.person.check_runs(STAGED, &pull.head.sha).await.unwrap(), Vec::<Value>::new());
    assert_eq!(stage.world.get("/recipe_runs").await, json!([]));
    stage.person.label(STAGED, pull.number, &["pforge-test"]).await.unwrap();
    let files = recipe_files("recipes/labelled-later", &META.replace("title:", "title: Changed,"));
    let sha = stage.person.push("contributor/staged-recipes", "labelled-later", &files, None).await.unwrap();
    let run = stage.concluded(STAGED, &sha, "synchronize").await;
    assert_eq!(run["conclusion"], "success", "{run}");
    assert_ne!(stage.world.get("/recipe_runs").await, json!([]));
}

/// A port that is free for the page on which a person makes the App.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A desk where files are encrypted for somebody whose identity is at hand.
async fn desk() -> Desk {
    let mut desk = Desk::at(Seed::demo()).await;
    let text = include_str!("../fixtures/sops/keys/age-A.txt");
    let public = text.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    desk.env.write("secrets/age-recipients.txt", &format!("{public}\n"));
    desk.env.set("SOPS_AGE_KEY", text);
    desk
}

const APP: &str = "pforge-pr-80";
const CONFIG: &str = "secrets/config.pforge-pr-80.yaml";

/// The words that say where the database of a review deployment is made.
fn place(desk: &Desk, database: &TestDb) -> Vec<String> {
    if database.url.starts_with("sqlite") {
        let template = format!("sqlite://{}/{{database}}.sqlite", desk.env.root().display());
        return vec!["--allow-sqlite".into(), "--database-url-template".into(), template];
    }
    vec!["--database-server".into(), database.url.clone()]
}

async fn row_44_a_review_deployment_is_made_and_removed(database: TestDb) {
    let desk = Arc::new(desk().await);
    let place = place(&desk, &database);
    let line = |words: &[&'static str], place: &[String]| -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).chain(place.iter().cloned()).collect()
    };
    let run = |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        tokio::task::block_in_place(|| desk.env.pforge(&words))
    };
    let up = line(&["review", "up", "--pr", "80", "--org", "pangeo-forge"], &place);

    // Told before, and nothing done.
    let dry = run([up.clone(), vec!["--dry-run".into(), "--json".into()]].concat()).success().json();
    let states: Vec<&str> =
        dry["steps"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect();
    let made_with_its_schema = database.url.starts_with("sqlite");
    let database_step = if made_with_its_schema { "known" } else { "missing" };
    assert_eq!(states, ["known", database_step, "missing", "missing", "missing", "missing"], "{dry}");
    assert!(!desk.env.root().join(CONFIG).exists());

    // Made, with a person who presses the button.
    let port = free_port();
    let person = tokio::spawn({
        let (desk, page) = (Arc::clone(&desk), format!("http://localhost:{port}/authorize.html"));
        async move { desk.person_creates(&page, APP, "pangeo-forge").await }
    });
    let made = run([up.clone(), vec!["--port".into(), port.to_string(), "--no-browser".into()]].concat()).success();
    person.await.unwrap();
    assert!(made.stdout.starts_with("PANGEO_FORGE_DEPLOYMENT=pforge-pr-80\n"), "{made}");
    let told = &made.stderr;
    assert!(told.contains("→ pforge new-app pangeo-forge review 80") && told.contains("→ pforge db migrate"), "{made}");
    let config = fs::read_to_string(desk.env.root().join(CONFIG)).unwrap();
    assert!(config.contains("database_url: ENC[AES256_GCM") && config.contains("app_name: ENC["), "{config}");
    let shown = desk.env.line("--deployment pforge-pr-80 config show --json").success().json();
    let setting = |name: &str| {
        let found = shown["settings"].as_array().unwrap().iter().find(|row| row["name"] == name);
        found
            .map(|row| (row["value"].clone(), row["origin"]["kind"].clone()))
            .unwrap_or_else(|| panic!("{name}: {shown}"))
    };
    assert_eq!(setting("github_app.app_name").0, APP);
    assert_eq!(setting("https_only"), (json!("off"), json!("default")));
    assert_eq!(setting("cors_origins"), (json!("any"), json!("default")));
    assert!(setting("database_url").0.as_str().unwrap().contains("pforge_pr_80"), "{shown}");
    for secret in ["PRIVATE KEY", "AGE-SECRET-KEY"] {
        assert!(!format!("{}{}", made.stdout, made.stderr).contains(secret), "{made}");
    }

    // Again: nothing is left to do, and nobody is needed.
    let again = run(up.clone()).success();
    assert_eq!(again.stderr.matches("done already").count(), 6, "{again}");

    dashboard_links_name_the_server(&desk).await;

    // Removed only when that is said.
    let down = line(&["review", "down", "--pr", "80"], &place[place.len() - 2..]);
    let dry = run([down.clone(), vec!["--dry-run".into()]].concat()).success();
    assert!(dry.stdout.contains("would remove 1 installation (pangeo-forge)"), "{dry}");
    assert_eq!(run(down.clone()).code, Some(2));
    assert!(desk.env.root().join(CONFIG).exists());
    let removed = run([down.clone(), vec!["--yes".into()]].concat()).success();
    let page = format!("{}/organizations/pangeo-forge/settings/apps/{APP}/advanced\n", desk.github.base);
    assert_eq!(removed.stdout, page, "{removed}");
    assert!(removed.stderr.contains("1 installation removed") && removed.stderr.contains("pforge_pr_80"), "{removed}");
    assert!(!desk.env.root().join(CONFIG).exists());
    let again = run([down, vec!["--yes".into()]].concat()).success();
    assert_eq!(again.stderr.matches("done already").count(), 3, "{again}");
    if made_with_its_schema {
        let left = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("pforge_pr_80");
        assert!(!fs::read_dir(desk.env.root()).unwrap().flatten().any(left), "the file, or one beside it, is left");
    } else {
        let gone = database.url.replace(database.url.rsplit('/').next().unwrap(), "pforge_pr_80");
        let refused = desk.env.pforge(&["db", "status", "--database-url", &gone]);
        assert!(refused.code != Some(0) && refused.stderr.contains("does not exist"), "{refused}");
    }
}

/// A pull request at the deployment gets a check run whose links say where the runs are.
async fn dashboard_links_name_the_server(desk: &Desk) {
    let env = |words: &[&str]| {
        let words: Vec<&str> = ["--deployment", APP].into_iter().chain(words.iter().copied()).collect();
        tokio::task::block_in_place(|| desk.env.pforge(&words)).success()
    };
    let server =
        tokio::task::block_in_place(|| desk.env.start(&["--deployment", APP, "serve", "--listen", "127.0.0.1:0"]));
    let (url, hook) = (server.url().to_owned(), server.ready["hook"].as_str().unwrap().to_owned());
    env(&["gh-as-app", "-X", "PATCH", "/app/hook/config", "-f", &format!("url={hook}")]);
    env(&["init-db", &url, STAGED]);
    let pull = OpenPull {
        branch: "gpcp".to_owned(),
        title: "Add gpcp".to_owned(),
        files: recipe_files("recipes/gpcp", META),
        user: Some("contributor".into()),
        fork: true,
        ..OpenPull::default()
    };
    let pull = desk.github.person.open_pull(STAGED, &pull).await.unwrap();
    let done = |run: &Value| run["name"] == "synchronize" && run["status"] == "completed";
    let run = desk.github.person.wait_for_check_run(STAGED, &pull.head.sha, PATIENCE, done).await.unwrap();
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let link = format!("&orchestratorEndpoint={host}");
    assert!(run["output"]["summary"].as_str().unwrap().contains(&link), "{run}");
    assert_eq!(tokio::task::block_in_place(|| server.stop()).2, Some(0));
}

async fn row_45_production_sends_plain_http_to_https(database: TestDb) {
    let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    for (app, said, redirected) in [
        ("pangeo-forge", None, true),
        ("pangeo-forge-staging", None, true),
        ("pforge-pr-80", None, false),
        ("pforge-local-alice", None, false),
        ("pangeo-forge", Some("off"), false),
        ("pforge-pr-80", Some("on"), true),
    ] {
        let mut env = deployment(app);
        env.set("DATABASE_URL", &database.url);
        if let Some(said) = said {
            env.set("PFORGE_HTTPS_ONLY", said);
        }
        let server = env.start(&["serve", "--listen", "127.0.0.1:0", "--allow-sqlite"]);
        let ask =
            |proto: &str| http.get(format!("{}/feedstocks/?limit=1", server.url())).header("x-forwarded-proto", proto);
        let answer = ask("http").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), if redirected { 307 } else { 200 }, "{app} {said:?}");
        if redirected {
            let location = answer.headers()["location"].to_str().unwrap();
            assert!(location.starts_with("https://") && location.ends_with("/feedstocks/?limit=1"), "{location}");
        }
        assert_eq!(ask("https").send().await.unwrap().status().as_u16(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_in_the_way_of_a_review_deployment_is_told() {
    let mut desk = desk().await;
    let up = ["review", "up", "--pr", "81", "--owner", "developer", "--dry-run"];
    let run = |desk: &Desk, more: &[&str]| {
        let words: Vec<&str> = up.iter().chain(more).copied().collect();
        desk.env.pforge(&words)
    };
    for (more, code, words) in [
        (&[][..], 2, "where shall the database be?"),
        (&["--database-url-template", "postgres://h/forge"], 2, "has no {database}"),
        (&["--database-url-template", "sqlite:///tmp/{database}"], 3, "SQLite is refused for a review deployment"),
        (&["--database-server", "postgres://hunter2@127.0.0.1:1/x"], 6, "the database is not available"),
        (&["--no-database", "--age", "nonsense"], 3, "--age"),
    ] {
        let refused = run(&desk, more);
        assert_eq!(refused.code, Some(code), "{refused}");
        assert!(refused.stderr.contains(words), "{words}: {refused}");
    }
    run(&desk, &["--no-database"]).success();
    let nobody = desk.env.pforge(&["review", "up", "--pr", "81", "--no-database", "--dry-run"]);
    assert!(nobody.code == Some(2) && nobody.stderr.contains("whose App shall it be?"), "{nobody}");
    // One file for all pull requests would be everybody's.
    let bare = desk.env.write("secrets/config.review.yaml", PLAIN);
    let refused = run(&desk, &["--no-database"]);
    assert!(refused.code == Some(3) && refused.stderr.contains("git mv"), "{refused}");
    fs::remove_file(bare).unwrap();
    // What is in the repository must not be in clear.
    fs::remove_file(desk.env.root().join("secrets/age-recipients.txt")).unwrap();
    let refused = run(&desk, &["--no-database"]);
    assert!(refused.code == Some(3) && refused.stderr.contains("nobody is named who may open"), "{refused}");
    // Nor is another database removed with it.
    desk.env.write("secrets/config.pforge-pr-81.yaml", "database_url: sqlite:///somewhere/precious.sqlite\n");
    desk.env.unset("SOPS_AGE_KEY");
    let kept = desk.env.line("review down --pr 81 --yes").success();
    assert!(kept.stderr.contains("precious.sqlite was not made for it and stays"), "{kept}");
}
