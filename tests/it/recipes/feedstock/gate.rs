//! A gate in front of GitHub: every call is counted, and one can be held before or after it took
//! effect, for as long as a test needs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use tokio::net::TcpListener;
use tokio::sync::Notify;

#[derive(Clone)]
pub struct Gate {
    pub url: String,
    to: String,
    http: reqwest::Client,
    model: Arc<Mutex<Model>>,
    reached: Arc<Notify>,
    released: Arc<Notify>,
}

#[derive(Default)]
struct Model {
    calls: Vec<String>,
    hold: Option<Hold>,
}

#[derive(Clone)]
struct Hold {
    which: Which,
    /// Whether the call takes effect before it is held.
    after: bool,
}

#[derive(Clone)]
enum Which {
    /// By its number, from 0.
    Number(usize),
    /// The first that contains this.
    Text(String),
}

impl Gate {
    /// A gate in front of the server at the URL `to`. Ends with the runtime.
    pub async fn start(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            to: to.to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            model: Arc::default(),
            reached: Arc::default(),
            released: Arc::default(),
        };
        let router = Router::new().fallback(pass).with_state(gate.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        gate
    }

    /// Method and path of every call, tokens aside.
    pub fn calls(&self) -> Vec<String> {
        self.model.lock().unwrap().calls.clone()
    }

    /// Holds call `number`, counted from 0.
    pub fn hold_number(&self, number: usize, after: bool) {
        self.model.lock().unwrap().hold = Some(Hold { which: Which::Number(number), after });
    }

    /// Holds the next call that contains `text`.
    pub fn hold(&self, text: &str, after: bool) {
        self.model.lock().unwrap().hold = Some(Hold { which: Which::Text(text.to_owned()), after });
    }

    /// Completes when the held call has arrived (and has taken effect, if it shall).
    pub async fn held(&self, what: &str) {
        let waited = tokio::time::timeout(Duration::from_secs(60), self.reached.notified()).await;
        assert!(waited.is_ok(), "{what} never came: {:?}", self.calls());
    }

    /// Lets the held call go.
    pub fn release(&self) {
        self.released.notify_one();
    }

    async fn wait(&self) {
        self.reached.notify_one();
        self.released.notified().await;
    }

    fn enter(&self, call: &str) -> Option<Hold> {
        let mut model = self.model.lock().unwrap();
        let number = model.calls.len();
        model.calls.push(call.to_owned());
        let here = model.hold.as_ref().is_some_and(|hold| match &hold.which {
            Which::Number(wanted) => *wanted == number,
            Which::Text(text) => call.contains(text.as_str()),
        });
        if here { model.hold.take() } else { None }
    }

    async fn forward(&self, request: http::request::Parts, body: Bytes) -> Response {
        let mut headers = request.headers;
        for own in [HOST, CONTENT_LENGTH, ACCEPT_ENCODING, CONNECTION] {
            headers.remove(own);
        }
        let url = format!("{}{}", self.to, request.uri);
        let answer = self.http.request(request.method, url).headers(headers).body(body).send().await.unwrap();
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if ![CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(name) {
                response = response.header(name, value);
            }
        }
        response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
    }
}

async fn pass(State(gate): State<Gate>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap();
    let call = format!("{} {}", parts.method, parts.uri);
    let hold = if parts.uri.path().ends_with("/access_tokens") { None } else { gate.enter(&call) };
    let Some(hold) = hold else { return gate.forward(parts, body).await };
    if hold.after {
        let answer = gate.forward(parts, body).await;
        gate.wait().await;
        answer
    } else {
        gate.wait().await;
        gate.forward(parts, body).await
    }
}
