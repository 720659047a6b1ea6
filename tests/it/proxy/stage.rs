//! A session of the library between a source and a receiver, and what it tells.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pforge::github::signature::Key;
use pforge::github::{AppCredentials, Client, Config};
use pforge::proxy::log::Log;
use pforge::proxy::session::{Ended, Source};
use pforge::proxy::smee::{Smee, Timing};
use pforge::proxy::{Filter, Notice, Notices, Session, Trust};
use pforge::util::retry::Backoff;
use pforge::util::{Clock, Secret};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::emulator::support::{APP_ID, Emulator};

pub use crate::emulator::support::{PATIENCE, SECRET};

/// Waits of a test: quick, and without chance.
pub const QUICK: Backoff =
    Backoff { base: Duration::from_millis(20), factor: 2, cap: Duration::from_millis(100), jitter: 0.0 };

/// A session in the background.
pub struct Running {
    told: Arc<Mutex<Vec<Notice>>>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), Ended>>,
}

pub fn keys() -> Trust {
    Trust::Keys(vec![Key::new(SECRET.as_bytes())])
}

pub fn session(target: &str) -> Session {
    Session {
        target: Url::parse(target).unwrap(),
        headers: Vec::new(),
        filter: Filter::default(),
        trust: keys(),
        log: None,
        backoff: QUICK,
    }
}

pub fn smee(channel: Url) -> Smee {
    let timing = Timing { backoff: QUICK, ..Timing::default() };
    Smee::new(channel, timing)
}

/// The log of the App that [`crate::emulator::support::installed`] makes.
pub fn log(emulator: &Emulator, pem: &Secret) -> Log {
    let credentials = AppCredentials { issuer: APP_ID.to_string(), private_key: pem.clone() };
    let config = Config { api_url: Url::parse(&emulator.base).unwrap(), credentials, clock: Clock::system() };
    Log::new(Client::new(config).unwrap(), APP_ID)
}

impl Running {
    pub fn start(session: Session, source: Source) -> Self {
        let (to, mut notices) = unbounded_channel();
        let stop = CancellationToken::new();
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&told);
        let running = session.run(source, Notices::new(to), stop.clone());
        let task = tokio::spawn(async move {
            let taking = async {
                while let Some(notice) = notices.recv().await {
                    kept.lock().unwrap().push(notice);
                }
            };
            tokio::join!(running, taking).0
        });
        Self { told, stop, task }
    }

    /// What was told so far.
    pub fn told(&self) -> Vec<Notice> {
        self.told.lock().unwrap().clone()
    }

    /// Waits until what was told satisfies `enough`.
    pub async fn until(&self, what: &str, enough: impl Fn(&[Notice]) -> bool) -> Vec<Notice> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = self.told();
            if enough(&told) {
                return told;
            }
            assert!(Instant::now() < deadline && !self.task.is_finished(), "{what} did not happen: {told:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn until_connected(&self) {
        self.until("a connection", |told| count(told, |n| matches!(n, Notice::Connected { .. })) > 0).await;
    }

    pub async fn until_forwarded(&self, number: usize) -> Vec<Notice> {
        let forwarded = |told: &[Notice]| count(told, |n| matches!(n, Notice::Forwarded { .. })) >= number;
        self.until(&format!("forwarding of {number}"), forwarded).await
    }

    /// Ends it; everything that was told.
    pub async fn stop(self) -> Vec<Notice> {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await.expect("ends").expect("no panic");
        ended.expect("no error");
        let told = self.told.lock().unwrap();
        told.clone()
    }

    /// Waits for its own end.
    pub async fn ended(self) -> Ended {
        tokio::time::timeout(PATIENCE, self.task).await.expect("ends").expect("no panic").expect_err("an error")
    }
}

pub fn count(told: &[Notice], wanted: impl Fn(&Notice) -> bool) -> usize {
    told.iter().filter(|notice| wanted(notice)).count()
}

/// Posts `body` to `url` as GitHub would, signed with `secret`; the status of the answer.
pub async fn post(url: &Url, event: &str, guid: &str, body: &[u8], secret: &str) -> u16 {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http
        .post(url.clone())
        .header("content-type", "application/json")
        .header("user-agent", "GitHub-Hookshot/044aadd")
        .header("x-github-event", event)
        .header("x-github-delivery", guid)
        .header("x-github-hook-id", "77")
        .header("x-github-hook-installation-target-id", APP_ID.to_string())
        .header("x-hub-signature-256", Key::new(secret.as_bytes()).sign(body));
    request.body(body.to_vec()).send().await.unwrap().status().as_u16()
}

pub fn guid() -> String {
    uuid::Uuid::new_v4().to_string()
}
