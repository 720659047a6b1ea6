//! SIGKILL while the recipe runner is at work.

use std::fs;
use std::path::{Path, PathBuf};

use pforge::emulator::person::OpenPull;
use serde_json::{Value, json};

use super::stage::{Stage, drained};
use crate::support::pg::TestDb;
use crate::support::world::{Api, Serve, eventually};

const REPO: &str = "org-0/sst-feedstock";
const RECIPE: &str = "# demo: sleep 600\ndaily = monthly = None\n";
/// The stand-in, which writes down who it is and what it was given; once `awake` is there it does not sleep.
/// Its helper writes nothing, so that it does not notice that nobody reads any more.
const RUNNER: &str = r#"for word; do
  case $word in -f=*) echo "${word#-f=}" >> "$here/configs" ;; --repo=*) repo=${word#--repo=} ;; esac
done
[ -e "$here/awake" ] && find "$repo" -name recipe.py -exec sed -i '/^# demo: sleep/d' {} +
sleep 600 &
echo $! >> "$here/helpers"
echo $$ >> "$here/processes"
"#;

/// A folder for the runner's script and the datasets, which the site's config names.
struct Bakery(tempfile::TempDir);

impl Bakery {
    fn furnish(site: &Path) -> Self {
        let bakery = Self(tempfile::tempdir().unwrap());
        let here = bakery.0.path();
        let script =
            format!("here={}\n{RUNNER}exec {} demo-runner \"$@\"\n", here.display(), env!("CARGO_BIN_EXE_pforge"));
        fs::write(here.join("runner"), script).unwrap();
        let local = "fsspec.implementations.local.LocalFileSystem";
        let config = json!({
            "Bake": { "bakery_class": "pangeo_forge_runner.bakery.local.LocalDirectBakery" },
            "TargetStorage": {
                "fsspec_class": local,
                "fsspec_args": { "secret": "of the storage" },
                "root_path": format!("{}/target/{{subpath}}", here.display()),
                "public_url": "https://data.example.org{root_path}",
            },
            "InputCacheStorage": { "fsspec_class": local, "root_path": here.join("cache") },
        });
        fs::create_dir(site.join("bakeries")).unwrap();
        fs::write(site.join("bakeries/local-test-bakery.test.yaml"), config.to_string()).unwrap();
        let runner = json!({ "command": ["sh", here.join("runner")], "sandbox": "none" });
        let file = site.join("secrets/config.test.yaml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}recipes: {}\n", json!({ "runner": runner }))).unwrap();
        bakery
    }

    /// What the script has written down, a line for each time that it was started.
    fn noted(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.0.path().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn alive(process: &str) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn deliver_to(stage: &Stage, server: &Serve) {
    let url = format!("{}/github/hooks/", server.url);
    stage.person.edit_app("test", json!({ "hook_url": url, "hook_active": true })).await.unwrap();
}

/// What was told of attempts at runs.
async fn told(stage: &Stage, number: i64) -> Vec<String> {
    let comments = stage.person.comments(REPO, number).await.unwrap();
    let bodies = comments.iter().filter_map(|comment| comment["body"].as_str());
    bodies.filter(|body| body.contains("<!-- pforge: recipe-run/")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bake_dies_with_its_server_on_sqlite() {
    a_bake_dies_with_its_server(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bake_dies_with_its_server_on_postgres() {
    let database = TestDb::empty_postgres().await;
    a_bake_dies_with_its_server(Some(database.url.clone())).await;
}

async fn a_bake_dies_with_its_server(database_url: Option<String>) {
    let stage = Stage::start(1, database_url).await;
    let bakery = Bakery::furnish(stage.site.root.path());
    let mut server = stage.serve(&[]).await;
    let api = Api::new(&server.url);
    stage.register(&api).await;
    deliver_to(&stage, &server).await;
    let pull = OpenPull {
        branch: "slow".to_owned(),
        title: "A slow recipe".to_owned(),
        files: [("feedstock/recipe.py".to_owned(), Some(RECIPE.to_owned()))].into(),
        ..OpenPull::default()
    };
    let pull = stage.person.open_pull(REPO, &pull).await.unwrap();
    let run = eventually("the run to be known", async || {
        let runs = api.get("/recipe_runs/").await;
        let run = runs.as_array().unwrap().iter().find(|run| run["recipe_id"] == "daily");
        run.and_then(|run| run["id"].as_i64())
    })
    .await;
    stage.person.comment(REPO, pull.number, "/run daily", None).await.unwrap();
    eventually("the runner to be started", async || (!bakery.noted("processes").is_empty()).then_some(())).await;
    eventually("the runner to sleep", async || {
        let log = api.bytes(&format!("/recipe_runs/{run}/logs")).await;
        String::from_utf8_lossy(&log).contains("asleep for another").then_some(())
    })
    .await;
    let (processes, configs) = (bakery.noted("processes"), bakery.noted("configs"));
    assert_eq!((processes.len(), configs.len()), (1, 1));
    let (process, config) = (&processes[0], PathBuf::from(&configs[0]));
    let helper = &bakery.noted("helpers")[0];
    assert!(alive(process) && alive(helper) && fs::read_to_string(&config).unwrap().contains("of the storage"));

    tokio::task::block_in_place(|| server.kill());
    // Nobody starts another server: this is done by what the dead one left behind.
    eventually("the runner to die", async || (!alive(process)).then_some(())).await;
    eventually("its helper to die", async || (!alive(helper)).then_some(())).await;
    eventually("its folder to be removed", async || (!config.parent().unwrap().exists()).then_some(())).await;
    assert!(!bakery.0.path().join("target").exists(), "it slept until it was killed");
    assert_eq!(told(&stage, pull.number).await, [""; 0]);

    fs::write(bakery.0.path().join("awake"), "").unwrap();
    let server = stage.serve(&[]).await;
    let api = Api::new(&server.url);
    deliver_to(&stage, &server).await;
    eventually("the end to be told", async || (!told(&stage, pull.number).await.is_empty()).then_some(())).await;
    drained(&api).await;
    assert_eq!(bakery.noted("processes").len(), 2, "it was started once more");
    assert!(!bakery.noted("helpers").iter().any(|helper| alive(helper)), "a helper outlives its bake");
    let told = told(&stage, pull.number).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&format!("<!-- pforge: recipe-run/{run}/attempt/1 -->")), "{told:?}");
    let row = api.get(&format!("/recipe_runs/{run}")).await;
    assert_eq!((&row["status"], &row["conclusion"]), (&json!("completed"), &json!("success")), "{row}");
    let log = api.bytes(&format!("/recipe_runs/{run}/logs")).await;
    assert!(!String::from_utf8_lossy(&log).contains("asleep"), "the log is that of the bake that was told");
    let checks: Vec<Value> = stage.person.check_runs(REPO, &pull.head.sha).await.unwrap();
    let checks: Vec<&Value> = checks.iter().filter(|check| check["name"] == "daily").collect();
    assert_eq!(checks.len(), 1, "{checks:?}");
    assert_eq!(checks[0]["conclusion"], "success", "{checks:?}");
    for config in bakery.noted("configs") {
        assert!(!Path::new(&config).parent().unwrap().exists(), "{config}");
    }
}
