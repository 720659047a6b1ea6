//! A gate before the emulator, at which any of the app's calls can be held for ever; and workers of
//! some jobs that a test can kill there, on a clock that it can put forward.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::{TimeDelta, Utc};
use pforge::apps::recipes::jobs::Cx;
use pforge::apps::recipes::links::HookUrl;
use pforge::apps::recipes::runner::StaticRunner;
use pforge::apps::recipes::{Bakeries, Settings};
use pforge::emulator::{self, Options, Person, Seed};
use pforge::github::client::Tuning;
use pforge::github::rate::Budget;
use pforge::github::{AppCredentials, Client, Config};
use pforge::jobs::{Registry, Runner, Wake};
use pforge::store::Db;
use pforge::store::jobs::{JobFilter, JobRow, JobState, enqueue, get, list};
use pforge::util::{Clock, Secret};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::github::private_key;

/// Forwards calls to GitHub, and holds one of them for ever.
#[derive(Clone)]
pub struct Gate {
    pub url: String,
    to: String,
    http: reqwest::Client,
    state: Arc<Mutex<Passing>>,
    reached: Arc<Notify>,
}

#[derive(Default)]
struct Passing {
    calls: Vec<String>,
    hold: Option<Hold>,
}

#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// Which call from now on, from 0; those for tokens do not count.
    pub call: usize,
    /// Whether it takes effect before it is held.
    pub after: bool,
}

impl Gate {
    pub async fn before(github_url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            to: github_url.to_owned(),
            http: reqwest::Client::new(),
            state: Arc::default(),
            reached: Arc::default(),
        };
        let router = Router::new().fallback(pass).with_state(gate.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        gate
    }

    /// Forgets the calls so far, and holds this one of those to come.
    pub fn hold(&self, hold: Option<Hold>) {
        *self.state.lock().unwrap() = Passing { calls: Vec::new(), hold };
    }

    /// Method and path of every call since [`Gate::hold`], tokens aside.
    pub fn calls(&self) -> Vec<String> {
        self.state.lock().unwrap().calls.clone()
    }

    /// Whether this call is to be held, and how.
    fn arrived(&self, call: String) -> Option<Hold> {
        let mut state = self.state.lock().unwrap();
        let number = state.calls.len();
        state.calls.push(call);
        state.hold.take_if(|hold| hold.call == number)
    }

    async fn forward(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, 1 << 24).await.unwrap();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let sent = self.http.request(parts.method, format!("{}{path}", self.to)).headers(parts.headers).body(body);
        let answer = sent.send().await.unwrap();
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "transfer-encoding") {
            response = response.header(name, value);
        }
        response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
    }
}

async fn pass(State(gate): State<Gate>, request: Request) -> Response {
    if request.uri().path().ends_with("/access_tokens") {
        return gate.forward(request).await;
    }
    match gate.arrived(format!("{} {}", request.method(), request.uri())) {
        None => gate.forward(request).await,
        Some(hold) => {
            if hold.after {
                gate.forward(request).await;
            }
            gate.reached.notify_one();
            std::future::pending().await
        }
    }
}

/// The app's jobs over the emulator, worked on by workers that a test can kill.
pub struct Bench {
    pub gate: Gate,
    pub person: Person,
    pub client: Client,
    pub db: Db,
    pub cx: Arc<Cx>,
    skipped: Arc<AtomicI64>,
    _stop: DropGuard,
}

impl Bench {
    /// Over the world of `seed`, whose App has the id 7.
    pub async fn start(db: Db, seed: Seed, bakeries: Bakeries) -> Self {
        let github = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let github_url = format!("http://{}", github.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(emulator::run(github, Options { seed, ..Options::default() }, stop.clone()));
        let gate = Gate::before(&github_url).await;
        let skipped = Arc::new(AtomicI64::new(0));
        let credentials = AppCredentials { issuer: "7".into(), private_key: Secret::new(private_key()) };
        let config = Config { api_url: gate.url.parse().unwrap(), credentials, clock: Clock::system() };
        // Tests make more in a minute than GitHub lets an App make.
        let budget = Budget { per_minute: 100_000, per_hour: 100_000 };
        let client = Client::with_tuning(config, Tuning { budget, ..Tuning::default() }).unwrap();
        let cx = Arc::new(Cx {
            settings: Settings::default(),
            app_name: "pforge-test".to_owned(),
            bakeries,
            github: Some(client.clone()),
            runner: Some(Arc::new(StaticRunner::new(client.clone()))),
            trusted_runner: None,
            baker: None,
            forwarder: None,
            hook: HookUrl::default(),
            db: db.clone(),
            clock: Self::clock(&skipped),
        });
        let person = Person::new(github_url).unwrap();
        Self { gate, person, client, db, cx, skipped, _stop: stop.drop_guard() }
    }

    fn clock(skipped: &Arc<AtomicI64>) -> Clock {
        let skipped = Arc::clone(skipped);
        Clock::from_fn(move || Utc::now() + TimeDelta::seconds(skipped.load(Ordering::Relaxed)))
    }

    /// One worker for the jobs that `register` names.
    pub fn worker(&self, register: impl Fn(&mut Registry, &Arc<Cx>)) -> JoinHandle<()> {
        let mut registry = Registry::default();
        register(&mut registry, &self.cx);
        let runner = Runner {
            db: self.db.clone(),
            registry,
            workers: 1,
            lease: Duration::from_secs(30),
            poll: Duration::from_millis(5),
            retry_within: Duration::MAX,
            clock: Self::clock(&self.skipped),
            wake: Wake::default(),
            observer: Arc::new(|_| {}),
        };
        tokio::spawn(runner.run(CancellationToken::new(), Duration::ZERO))
    }

    /// Does `job`, with a kill of the worker at `hold`; the job's end, and whether it came that far.
    pub async fn killed_at(
        &self,
        job: pforge::store::jobs::NewJob,
        hold: Option<Hold>,
        register: impl Fn(&mut Registry, &Arc<Cx>),
    ) -> (JobRow, bool) {
        let ids = enqueue(&self.db, &[job], Utc::now()).await.unwrap();
        self.gate.hold(hold);
        let worker = self.worker(&register);
        let killed = tokio::select! {
            () = self.gate.reached.notified() => true,
            _ = self.ended(ids[0]) => false,
        };
        worker.abort();
        let _ = worker.await;
        if killed {
            // Past the lease of the dead.
            self.skipped.fetch_add(120, Ordering::Relaxed);
            let worker = self.worker(&register);
            self.ended(ids[0]).await;
            worker.abort();
            let _ = worker.await;
        }
        (self.ended(ids[0]).await, killed)
    }

    /// The job, once it is done or dead.
    pub async fn ended(&self, id: i64) -> JobRow {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let job = get(&self.db, id).await.unwrap().unwrap();
            if matches!(job.state, JobState::Done | JobState::Dead) {
                return job;
            }
            assert!(Instant::now() < until, "{job:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The jobs of this kind, newest first.
    pub async fn jobs(&self, kind: &str) -> Vec<JobRow> {
        let filter = JobFilter { kind: Some(kind.to_owned()), limit: 1000, ..JobFilter::default() };
        list(&self.db, &filter).await.unwrap()
    }
}
