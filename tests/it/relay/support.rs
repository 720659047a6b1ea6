//! A relay as a process, those who post to it, and a listener that knows only the wire.

use std::collections::{HashMap, VecDeque};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pforge::github::signature::Key;
use pforge::proxy::Incoming;
use pforge::proxy::smee::message;
use pforge::util::id::guid;
use pforge::util::sse::{Decoder, Event};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::bodies::body;
use crate::support::env::{Env, Running};

pub const PATIENCE: Duration = Duration::from_secs(60);
pub const SECRET: &[u8] = b"the secret of the relay's tests";

pub fn key() -> Key {
    Key::new(SECRET)
}

/// A client whose requests do not depend on a connection that a relay may have closed.
pub fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// A relay on a port of its own that it keeps when it is started again.
pub struct Relay {
    env: Env,
    args: Vec<String>,
    process: Option<Running>,
    pub url: String,
}

impl Relay {
    pub fn start(extra: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("127.0.0.1:{port}");
        let args = ["relay", "--listen", &listen].iter().chain(extra).map(|&arg| arg.to_owned()).collect();
        let mut relay = Self { env: Env::new(), args, process: None, url: format!("http://{listen}") };
        relay.again();
        relay
    }

    /// One that is reached under another address.
    pub fn start_public(url: &str) -> Self {
        let mut relay = Self::start(&[]);
        relay.stop();
        relay.args.extend(["--public-url".to_owned(), url.to_owned()]);
        let args: Vec<&str> = relay.args.iter().map(String::as_str).collect();
        relay.process = Some(relay.env.start(&args));
        relay
    }

    /// Starts it, after it was stopped.
    pub fn again(&mut self) {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let process = self.env.start(&args);
        assert_eq!(process.url(), self.url);
        self.process = Some(process);
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// SIGTERM; what it printed meanwhile.
    pub fn stop(&mut self) -> String {
        let (lines, errors, code) = self.process.take().expect("running").stop();
        assert_eq!(code, Some(0), "{errors}");
        lines
    }

    pub fn channel(&self, name: &str) -> String {
        format!("{}/{name}", self.url)
    }

    /// The folder of everything that is kept.
    pub fn data(&self) -> std::path::PathBuf {
        self.env.root().parent().unwrap().join("home/.local/state/pforge/relay")
    }

    /// The files of events, of all channels.
    pub fn segments(&self) -> Vec<std::path::PathBuf> {
        let mut found = Vec::new();
        for channel in std::fs::read_dir(self.data().join("channels")).unwrap() {
            let files = std::fs::read_dir(channel.unwrap().path()).unwrap().map(|file| file.unwrap().path());
            found.extend(files.filter(|path| path.extension().is_some_and(|e| e == "log")));
        }
        found.sort();
        found
    }
}

/// Posts a delivery as GitHub does.
pub async fn post(http: &reqwest::Client, url: &str, guid: &str, body: Bytes) -> reqwest::Result<u16> {
    let kind = if body.starts_with(b"payload=") { "application/x-www-form-urlencoded" } else { "application/json" };
    let request = http
        .post(url)
        .header("content-type", kind)
        .header("user-agent", "GitHub-Hookshot/044aadd")
        .header("x-github-event", "push")
        .header("x-github-delivery", guid)
        .header("x-hub-signature-256", key().sign(&body))
        .body(body);
    Ok(request.send().await?.status().as_u16())
}

/// For each GUID, the number of its body and how many posts of it failed.
pub type Sent = HashMap<String, (usize, usize)>;

/// Posts `count` nasty deliveries to the channel at `url`, each until it is acknowledged, while
/// the relay is restarted ten times, half of them by SIGKILL.
pub fn storm(mut relay: Relay, url: String, count: usize) -> JoinHandle<(Sent, Relay)> {
    let posted = Arc::new(AtomicUsize::new(0));
    let progress = Arc::clone(&posted);
    let posting = async move {
        let (http, mut sent) = (http(), Sent::new());
        for n in 0..count {
            let (guid, body) = (guid(), body(n).0);
            let mut failed = 0;
            // A delivery that was not acknowledged is sent once more, as a person would.
            while !matches!(post(&http, &url, &guid, body.clone()).await, Ok(200)) {
                failed += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            sent.insert(guid, (n, failed));
            progress.store(n + 1, Ordering::SeqCst);
        }
        sent
    };
    let restarting = move || {
        for restart in 1..=10 {
            while posted.load(Ordering::SeqCst) < restart * count / 11 {
                std::thread::sleep(Duration::from_millis(1));
            }
            if restart % 2 == 0 {
                relay.kill();
            } else {
                relay.stop();
            }
            relay.again();
        }
        relay
    };
    tokio::spawn(async move {
        let restarting = tokio::task::spawn_blocking(restarting);
        (posting.await, restarting.await.unwrap())
    })
}

/// A listener: connects once, or again and again from where it was.
pub struct Listener {
    http: reqwest::Client,
    url: String,
    decoder: Decoder,
    answer: Option<reqwest::Response>,
    unread: VecDeque<(Event, Option<String>)>,
    pub last_id: Option<String>,
}

impl Listener {
    pub fn new(url: &str) -> Self {
        let (http, url) = (http(), url.to_owned());
        Self { http, url, decoder: Decoder::new(64 << 20), answer: None, unread: VecDeque::new(), last_id: None }
    }

    /// Connected, and greeted.
    pub async fn ready(url: &str) -> Self {
        let mut listener = Self::new(url);
        let greeting = listener.next().await;
        assert_eq!(greeting.name, "ready");
        listener
    }

    /// As who was connected before and saw `id` last.
    pub async fn after(url: &str, id: &str) -> Self {
        let mut listener = Self::new(url);
        listener.last_id = Some(id.to_owned());
        assert_eq!(listener.next().await.name, "ready");
        listener
    }

    /// The next event; connects again, from where it was, as often as it takes.
    pub async fn next(&mut self) -> Event {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some((event, id)) = self.unread.pop_front() {
                self.last_id = id.or(self.last_id.take());
                return event;
            }
            assert!(Instant::now() < deadline, "no event");
            if self.answer.is_none() && !self.connect().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            let Some(answer) = &mut self.answer else { continue };
            match tokio::time::timeout(PATIENCE, answer.chunk()).await.expect("the stream is silent") {
                Ok(Some(bytes)) => {
                    let mut ids = Vec::new();
                    let mut rest = &bytes[..];
                    // Line by line, so that each event is seen with its own id.
                    while !rest.is_empty() {
                        let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1);
                        let mut events = Vec::new();
                        self.decoder.feed(&rest[..end], |event| events.push(event)).unwrap();
                        ids.extend(events.into_iter().map(|e| (e, self.decoder.last_id().map(str::to_owned))));
                        rest = &rest[end..];
                    }
                    self.unread.extend(ids);
                }
                Ok(None) | Err(_) => self.answer = None,
            }
        }
    }

    /// The next message that is not a greeting or a ping.
    pub async fn message(&mut self) -> Event {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "nothing but pings");
            let event = self.next().await;
            if !matches!(event.name.as_str(), "ready" | "ping") {
                return event;
            }
        }
    }

    /// The next delivery, with its id.
    pub async fn delivery(&mut self) -> (u64, Incoming) {
        let event = self.message().await;
        assert_eq!(event.name, "message", "{event:?}");
        let incoming = message::read(&event.data).expect("a delivery");
        (self.last_id.as_deref().unwrap().parse().unwrap(), incoming)
    }

    async fn connect(&mut self) -> bool {
        let mut request = self.http.get(&self.url).header("accept", "text/event-stream");
        if let Some(id) = &self.last_id {
            request = request.header("last-event-id", id);
        }
        match request.send().await {
            Ok(answer) => {
                assert_eq!(answer.status(), 200, "{}", self.url);
                assert_eq!(answer.headers()["content-type"], "text/event-stream");
                self.decoder = Decoder::new(64 << 20);
                self.answer = Some(answer);
                true
            }
            Err(_) => false,
        }
    }
}

/// `bodyB` of an event's data.
pub fn exact(data: &str) -> Vec<u8> {
    let data: Value = serde_json::from_str(data).unwrap();
    STANDARD.decode(data["bodyB"].as_str().unwrap()).unwrap()
}
