//! A server that hosts the recipes app and works on nothing, so that no GitHub is needed.

use std::sync::Arc;

use pforge::apps::recipes::{Parts, Recipes};
use pforge::github::signature::Key;
use pforge::server::{self, Limits};
use pforge::util::{Clock, Secret};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::payloads::Sent;
use crate::support::pg::TestDb;

const SECRET: &str = "test_webhook_secret";
const API_KEY: &str = "0123456789abcdef0123456789abcdef";

pub struct Site {
    url: String,
    http: reqwest::Client,
    key: Key,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Site {
    pub async fn start(database: &TestDb) -> Self {
        let clock = Clock::system();
        let config = server::Config {
            db: database.db.clone(),
            apps: vec![Arc::new(Recipes::new(Parts::new(database.db.clone(), clock.clone())))],
            webhook_secrets: vec![Secret::new(SECRET)],
            api_key: Some(Secret::new(API_KEY)),
            workers: 0,
            https_only: false,
            cors: server::Cors::default(),
            limits: Limits::default(),
            clock,
            reconcile: None,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let stop = CancellationToken::new();
        let serving = tokio::spawn(server::run(config, listener, stop.clone()));
        let http = reqwest::Client::builder().no_proxy().build().expect("client");
        Self { url, http, key: Key::new(SECRET.as_bytes()), stop, serving }
    }

    /// Ends the server, which must end well.
    pub async fn stop(self) {
        self.stop.cancel();
        self.serving.await.expect("no panic").expect("no failure");
    }

    /// Sends a delivery as GitHub does; status and body of the answer.
    pub async fn deliver(&self, sent: &Sent, guid: &str) -> (u16, Value) {
        let request = self.http.post(format!("{}/github/hooks/", self.url));
        let request = request
            .header("content-type", sent.content_type)
            .header("x-github-event", &sent.event)
            .header("x-github-delivery", guid)
            .header("x-github-hook-id", "292430182")
            .header("x-hub-signature-256", self.key.sign(&sent.body));
        let answer = request.body(sent.body.clone()).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("json"))
    }

    async fn ask(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("{}{path}", self.url)).header("x-api-key", API_KEY).send().await.expect(path)
    }

    async fn fetch(&self, path: &str) -> reqwest::Response {
        self.ask(path).await.error_for_status().expect(path)
    }

    /// With which status the API answers.
    pub async fn status(&self, path: &str) -> u16 {
        self.ask(path).await.status().as_u16()
    }

    /// What the API tells.
    pub async fn get(&self, path: &str) -> Value {
        self.fetch(path).await.json().await.expect("json")
    }

    /// Content type and bytes of a delivery.
    pub async fn payload(&self, guid: &str) -> (String, Vec<u8>) {
        let answer = self.fetch(&format!("/deliveries/{guid}/payload")).await;
        let content_type = answer.headers()["content-type"].to_str().expect("text").to_owned();
        (content_type, answer.bytes().await.expect("bytes").to_vec())
    }

    /// How many deliveries or jobs there are, by the list.
    pub async fn count(&self, what: &str) -> usize {
        let (mut count, mut after) = (0, String::new());
        loop {
            let page = self.get(&format!("/{what}?limit=1000{after}")).await;
            count += page["items"].as_array().expect("items").len();
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return count,
            }
        }
    }
}
