//! GitHub with its people, and the server, which somebody kills and starts again.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use pforge::emulator::faults::Fault;
use pforge::emulator::keys::AppKey;
use pforge::emulator::person::OpenPull;
use pforge::emulator::{self, Options, Person, Seed};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::plot::{Act, Plot, PullPlot, RECIPES, Version};
use crate::support::world::{API_KEY, Api, SECRET, Serve, Site};

const APP_ID: i64 = 7;
const APP: &str = "test";
const OWNER: &str = "maintainer";
/// How many pull requests are under way at a time.
const AT_A_TIME: usize = 12;
/// How long a person waits for anything. A slow machine is not a bug.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a person looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The longest life of a server after which it is killed, in milliseconds.
const LONGEST_LIFE: u64 = 2500;

/// What there is while a story is played.
pub struct Stage {
    /// GitHub's people.
    pub person: Person,
    /// Datasets and all files of the server are below it.
    pub site: Site,
    server: Mutex<Serve>,
    /// Which version of which pull request each commit is.
    pub commits: Mutex<BTreeMap<(String, String), String>>,
    done: AtomicUsize,
    over: AtomicBool,
    _emulator: DropGuard,
}

impl Stage {
    /// Everything is set up, and nothing has happened yet.
    pub async fn start(plot: &Plot) -> Self {
        let key = AppKey::generate().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let seed = world(plot, key.pem.expose());
        tokio::spawn(emulator::run(listener, Options { seed, ..Options::default() }, stop.clone()));
        let person = Person::new(url.clone()).unwrap();
        let site = Site::new(&url, APP_ID, key.pem.expose(), None);
        furnish(&site);
        let server = tokio::task::block_in_place(|| serve(&site));
        let stage = Self {
            person,
            site,
            server: Mutex::new(server),
            commits: Mutex::default(),
            done: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            _emulator: stop.drop_guard(),
        };
        stage.hook().await;
        let api = stage.api();
        for repo in repos(plot) {
            api.post("/feedstocks/", &json!({ "spec": repo })).await;
        }
        let bakery = json!({ "name": "local-test-bakery", "region": "local", "description": "A bakery." });
        api.post("/bakeries/", &bakery).await;
        stage
    }

    /// A client of the server that is there now.
    pub fn api(&self) -> Api {
        Api::new(&self.server.lock().unwrap().url)
    }

    /// What the server that is there now has written to stderr.
    pub fn log(&self) -> String {
        self.server.lock().unwrap().log()
    }

    /// Deliveries go to the server that is there now.
    async fn hook(&self) {
        let url = format!("{}/github/hooks/", self.server.lock().unwrap().url);
        self.person.edit_app(APP, json!({ "hook_url": url, "hook_active": true })).await.unwrap();
    }

    /// Plays the story to its end; one line about what came in between.
    pub async fn play(&self, plot: &Plot, seed: u64, kills: Option<usize>) -> String {
        if kills.is_some() {
            for fault in faults(seed) {
                self.person.fault(&fault).await.unwrap();
            }
        }
        let everybody = async {
            stream::iter(&plot.pulls).map(|pull| self.pull(pull)).buffer_unordered(AT_A_TIME).collect::<()>().await;
            self.over.store(true, Ordering::Relaxed);
        };
        let killing = self.kill(seed, kills.unwrap_or(0), plot.acts());
        let ((), killed, ()) = tokio::join!(everybody, killing, self.redeliver(seed, kills.is_some()));
        // The last tasks shall not have it harder than the server ever had it.
        self.person.clear_faults().await.unwrap();
        self.settled().await;
        format!("{} acts, {killed}", plot.acts())
    }

    /// Kills the server so often, spread over the story, and starts it again.
    async fn kill(&self, seed: u64, kills: usize, acts: usize) -> String {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut busy = 0;
        for kill in 1..=kills {
            while self.done.load(Ordering::Relaxed) * (kills + 1) < kill * acts && !self.over.load(Ordering::Relaxed) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            tokio::time::sleep(Duration::from_millis(random.u64(..LONGEST_LIFE))).await;
            busy += usize::from(self.open_jobs().await > 0);
            tokio::task::block_in_place(|| {
                let mut server = self.server.lock().unwrap();
                server.kill();
                *server = serve(&self.site);
            });
            self.hook().await;
        }
        format!("{kills} kills, {busy} of them while jobs were open")
    }

    /// Now and then somebody has GitHub deliver something again.
    async fn redeliver(&self, seed: u64, wanted: bool) {
        let mut random = fastrand::Rng::with_seed(seed + 1);
        while wanted && !self.over.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(random.u64(500..3000))).await;
            let deliveries = self.person.delivery_states().await.unwrap();
            if let Some(delivery) = random.choice(deliveries.iter()) {
                // One that is under way cannot be sent again.
                let _ = self.person.redeliver(delivery["id"].as_i64().unwrap()).await;
            }
        }
    }

    async fn open_jobs(&self) -> usize {
        self.jobs_in(&["ready", "running"]).await
    }

    async fn jobs_in(&self, states: &[&str]) -> usize {
        let api = self.api();
        let mut count = 0;
        for state in states {
            count += api.get(&format!("/jobs?limit=1000&state={state}")).await["items"].as_array().unwrap().len();
        }
        count
    }

    /// Waits until GitHub has told everything, the server has it, and no job is left.
    async fn settled(&self) {
        let begun = Instant::now();
        let mut calm = 0;
        while calm < 3 {
            tokio::time::sleep(LOOK_EVERY * 2).await;
            let (missing, open) = (self.missing().await, self.open_jobs().await);
            calm = if missing.is_empty() && open == 0 { calm + 1 } else { 0 };
            if begun.elapsed() > PATIENCE {
                let jobs = self.api().get("/jobs?limit=1000&state=ready").await;
                panic!("it does not settle: {open} jobs are open, {missing:?} are missing\n{jobs:#}\n{}", self.log());
            }
        }
    }

    /// Events that the server does not have.
    async fn missing(&self) -> Vec<String> {
        let stored: Vec<Value> = self.api().all("/deliveries").await;
        let stored: std::collections::BTreeSet<&str> = stored.iter().filter_map(|d| d["guid"].as_str()).collect();
        let sent = self.person.delivery_states().await.unwrap();
        let lacks = |d: &&Value| d["status"].is_null() || !stored.contains(d["guid"].as_str().unwrap());
        let asked = sent.iter().filter(|d| d["event"] != "ping").filter(lacks);
        asked.map(|d| format!("{} {} {}", d["guid"], d["event"], d["action"])).collect()
    }

    /// What happens to one pull request.
    async fn pull(&self, plot: &PullPlot) {
        let (repo, contributor) = (plot.repo(), plot.contributor());
        let open = OpenPull {
            branch: plot.name(),
            title: plot.title(),
            files: plot.first.files(plot),
            user: Some(contributor.clone()),
            fork: true,
            ..OpenPull::default()
        };
        let opened = self.person.open_pull(&repo, &open).await.unwrap();
        let mut pull =
            Pull { stage: self, plot, number: opened.number, sha: opened.head.sha, looks: BTreeMap::new(), ended: 0 };
        pull.committed(plot.first).await;
        pull.looked_at().await;
        self.done.fetch_add(1, Ordering::Relaxed);
        for act in &plot.acts {
            pull.act(*act).await;
            self.done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A pull request and what is expected of it.
struct Pull<'a> {
    stage: &'a Stage,
    plot: &'a PullPlot,
    number: i64,
    sha: String,
    /// How often each commit was to be looked at.
    looks: BTreeMap<String, usize>,
    /// How many test runs have ended.
    ended: usize,
}

impl Pull<'_> {
    async fn act(&mut self, act: Act) {
        let (person, repo) = (&self.stage.person, self.plot.repo());
        match act {
            Act::Talk => drop(self.say("looks good to me", None).await),
            Act::OtherCommand => drop(self.say("/label bug", None).await),
            Act::Run(recipe) => {
                self.say(&format!("/run {recipe}"), None).await;
                self.run_ended(1).await;
            }
            Act::RunBoth => {
                for recipe in RECIPES {
                    self.say(&format!("/run {recipe}"), None).await;
                }
                self.run_ended(RECIPES.len()).await;
            }
            Act::RunUnknown => self.answered("/run yearly").await,
            Act::RunForbidden => {
                self.say("/run daily", Some("stranger")).await;
                // Who asks again is not answered again.
                self.wait("a refusal", async || self.answers().await.iter().any(|body| body.contains("@stranger")))
                    .await;
            }
            Act::Push(version) => {
                self.push(version).await;
                self.looked_at().await;
            }
            Act::PushTwice(first, second) => {
                self.push(first).await;
                self.push(second).await;
                self.looked_at().await;
            }
            Act::Press(recipe) => {
                let run = self.check_run(recipe).await;
                person.press_button(&repo, run, "run_test", None).await.unwrap();
                self.run_ended(1).await;
            }
            Act::LookAgain => {
                let run = self.check_run("synchronize").await;
                person.rerequest_run(&repo, run, None).await.unwrap();
                *self.looks.entry(self.sha.clone()).or_default() += 1;
                self.looked_at().await;
            }
            Act::Draft => {
                person.set_draft(&repo, self.number, true).await.unwrap();
                person.set_draft(&repo, self.number, false).await.unwrap();
                *self.looks.entry(self.sha.clone()).or_default() += 1;
                self.looked_at().await;
            }
            Act::Reopen => {
                person.set_open(&repo, self.number, false).await.unwrap();
                person.set_open(&repo, self.number, true).await.unwrap();
                *self.looks.entry(self.sha.clone()).or_default() += 1;
                self.looked_at().await;
            }
            Act::Merge => {
                person.merge(&repo, self.number).await.unwrap();
                self.deployed().await;
            }
            Act::Close => person.set_open(&repo, self.number, false).await.unwrap(),
        }
    }

    async fn say(&self, text: &str, user: Option<&str>) -> i64 {
        self.stage.person.comment(&self.plot.repo(), self.number, text, user).await.unwrap()
    }

    /// The newest check run of this name on the newest commit.
    async fn check_run(&self, name: &str) -> i64 {
        let runs = self.stage.person.check_runs(&self.plot.repo(), &self.sha).await.unwrap();
        runs.iter().find(|run| run["name"] == name).and_then(|run| run["id"].as_i64()).unwrap()
    }

    async fn push(&mut self, version: Version) {
        let fork = format!("{}/staged-recipes", self.plot.contributor());
        let user = self.plot.contributor();
        let files = version.files(self.plot);
        self.sha = self.stage.person.push(&fork, &self.plot.name(), &files, Some(&user)).await.unwrap();
        self.committed(version).await;
    }

    /// The newest commit is this version, and will be looked at.
    async fn committed(&mut self, version: Version) {
        let name = format!("{} version {}", self.plot.title(), version.number);
        self.stage.commits.lock().unwrap().insert((self.plot.org(), self.sha.clone()), name);
        *self.looks.entry(self.sha.clone()).or_default() += 1;
    }

    /// Waits until every commit was looked at as often as there was a reason, and nothing is open.
    async fn looked_at(&self) {
        for (sha, count) in &self.looks {
            self.wait(&format!("{count} looks at {sha}"), async || {
                let runs = self.stage.person.check_runs(&self.plot.repo(), sha).await.unwrap();
                let looks = runs.iter().filter(|run| run["name"] == "synchronize");
                looks.count() >= *count && runs.iter().all(|run| run["status"] == "completed")
            })
            .await;
        }
    }

    /// Waits until `more` test runs have ended and everybody was told.
    async fn run_ended(&mut self, more: usize) {
        self.ended += more;
        self.wait(&format!("the end of test run {}", self.ended), async || {
            let told = self.answers().await.iter().filter(|body| body.contains("<!-- pforge: recipe-run/")).count();
            let runs = self.stage.person.check_runs(&self.plot.repo(), &self.sha).await.unwrap();
            told >= self.ended && runs.iter().all(|run| run["status"] == "completed")
        })
        .await;
    }

    /// Says it, and waits for the answer.
    async fn answered(&self, text: &str) {
        let comment = self.say(text, None).await;
        let marker = format!("<!-- pforge: comment/{comment} -->");
        self.wait("an answer", async || self.answers().await.iter().any(|body| body.contains(&marker))).await;
    }

    async fn answers(&self) -> Vec<String> {
        let comments = self.stage.person.comments(&self.plot.repo(), self.number).await.unwrap();
        let bots = comments.iter().filter(|comment| comment["user"]["type"] == "Bot");
        bots.map(|comment| comment["body"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits until the feedstock is there, its production runs have ended, and the recipe is gone.
    async fn deployed(&self) {
        let feedstock = self.plot.feedstock();
        let folder = format!("recipes/{}/", self.plot.name());
        self.wait("the production runs", async || {
            let Ok(deployments) = self.stage.person.deployments(&feedstock).await else { return false };
            let ended = |deployment: &Value| {
                let last = deployment["statuses"].as_array().unwrap().last();
                last.is_some_and(|status| ["success", "failure", "error"].iter().any(|end| status["state"] == *end))
            };
            let files = self.stage.person.files(&self.plot.repo(), None).await.unwrap();
            let cleaned = !files.keys().any(|path| path.starts_with(&folder));
            deployments.len() >= RECIPES.len() && deployments.iter().all(ended) && cleaned
        })
        .await;
    }

    async fn wait(&self, what: &str, mut so: impl AsyncFnMut() -> bool) {
        let begun = Instant::now();
        while !so().await {
            if begun.elapsed() > PATIENCE {
                let what = format!("{} of {}#{}: {what}", self.plot.title(), self.plot.repo(), self.number);
                panic!("waited in vain for {what}\n{:?}\n{}", self.plot, self.stage.log());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// About 5 % of all calls fail in one way or another, some of them after GitHub has done what was asked.
fn faults(seed: u64) -> Vec<Fault> {
    let fails = |rate: f64| Fault { rate: Some(rate), seed, ..Fault::default() };
    let delivery = |rate: f64| Fault { event: Some("*".to_owned()), ..fails(rate) };
    vec![
        Fault { status: Some(502), ..fails(0.015) },
        Fault { status: Some(500), ..fails(0.01) },
        Fault { drop: true, ..fails(0.01) },
        Fault { status: Some(504), after: true, ..fails(0.006) },
        Fault { drop: true, after: true, ..fails(0.006) },
        Fault { count: None, ..Fault { rate: Some(0.003), seed, ..Fault::secondary_rate_limit(1) } },
        Fault { duplicate: true, ..delivery(0.1) },
        Fault { reorder: true, ..delivery(0.1) },
    ]
}

/// The staged-recipes repositories of the story.
pub fn repos(plot: &Plot) -> Vec<String> {
    let mut repos: Vec<String> = plot.pulls.iter().map(PullPlot::repo).collect();
    repos.dedup();
    repos
}

fn serve(site: &Site) -> Serve {
    let mut serve = Serve::spawn(
        site,
        &["--workers", "8", "--lease", "2s", "--retry-within", "2s", "--reconcile", "3s", "--drain", "1s"],
    );
    serve.wait_ready();
    serve
}

/// The bakery and the runner: the stand-in, whose datasets are folders of the site.
fn furnish(site: &Site) {
    let root = site.root.path();
    let at = |name: &str| root.join(name).display().to_string();
    let local = "fsspec.implementations.local.LocalFileSystem";
    let bakery = json!({
        "Bake": { "bakery_class": "pangeo_forge_runner.bakery.local.LocalDirectBakery" },
        "TargetStorage": {
            "fsspec_class": local,
            "root_path": format!("{}/{{subpath}}", at("target")),
            "public_url": "https://data.example.org{root_path}",
        },
        "InputCacheStorage": { "fsspec_class": local, "root_path": at("cache") },
        "MetadataCacheStorage": { "fsspec_class": local, "root_path": at("metadata") },
    });
    fs::create_dir(root.join("bakeries")).unwrap();
    fs::write(root.join("bakeries/local-test-bakery.test.yaml"), format!("{bakery:#}")).unwrap();
    let config = root.join("secrets/config.test.yaml");
    let recipes = json!({
        "webhook_host": "pforge.example.org",
        "runner": { "command": [env!("CARGO_BIN_EXE_pforge"), "demo-runner"] },
    });
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}recipes: {recipes}\n")).unwrap();
    assert!(text.contains(API_KEY));
}

fn world(plot: &Plot, key: &str) -> Seed {
    let repos = repos(plot);
    let orgs: Vec<&str> = repos.iter().map(|repo| repo.split('/').next().unwrap()).collect();
    let people = plot.pulls.iter().map(PullPlot::contributor).chain(["stranger".to_owned()]);
    let users = [OWNER.to_owned()].into_iter().chain(people).map(|login| json!({ "login": login }));
    let seed = json!({
        "users": users.collect::<Vec<_>>(),
        "orgs": orgs,
        "repos": repos.iter().map(|repo| json!({ "name": repo, "files": { "README.md": "# Recipes\n" } })).collect::<Vec<_>>(),
        "apps": [{
            "id": APP_ID,
            "name": APP,
            "private_key": key,
            "webhook_url": "http://127.0.0.1:9/",
            "webhook_secret": SECRET,
            "permissions": {
                "administration": "write", "checks": "write", "contents": "write", "deployments": "write",
                "issues": "write", "metadata": "read", "pull_requests": "write",
            },
            "events": ["pull_request", "issue_comment", "check_run"],
            "installations": orgs.iter().map(|org| json!({ "account": org })).collect::<Vec<_>>(),
        }],
        "rate_limit": 1_000_000,
    });
    Seed::parse(&seed.to_string()).unwrap()
}
