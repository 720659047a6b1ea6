//! Sends deliveries: one queue per App, in order, beside the calls that caused them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use bytes::Bytes;
use chrono::TimeDelta;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::emulator::faults::Fault;
use crate::emulator::state::deliveries::{Delivery, Outcome};
use crate::emulator::{Backend, locked};
use crate::github::{headers, signature};
use crate::util::Secret;

/// How long GitHub waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a delivery waits for the one that shall overtake it.
const LONGEST_HOLD: Duration = Duration::from_secs(1);
/// How much of an answer is remembered, in bytes.
const REMEMBERED: usize = 64 * 1024;

/// A delivery, ready to go.
struct Prepared {
    request: reqwest::Request,
    url: String,
    headers: Vec<(String, String)>,
}

/// Hands deliveries to the queue of their App.
#[derive(Clone)]
pub struct Sender {
    backend: Arc<Mutex<Backend>>,
    queues: Arc<Mutex<HashMap<i64, UnboundedSender<i64>>>>,
    http: reqwest::Client,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Sender {
    /// A sender whose queues end with `stop`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(backend: Arc<Mutex<Backend>>, stop: CancellationToken) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { backend, queues: Arc::default(), http, tasks: TaskTracker::new(), stop })
    }

    /// Queues delivery `id` for `app`.
    pub fn send(&self, app: i64, id: i64) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(app).or_insert_with(|| {
            let (queue, incoming) = unbounded_channel();
            self.tasks.spawn(self.clone().work(incoming));
            queue
        });
        // The queue only closes when the server stops.
        let _ = queue.send(id);
    }

    /// Waits until the queues have ended.
    pub async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn work(self, mut incoming: UnboundedReceiver<i64>) {
        let stop = self.stop.clone();
        let work = async {
            let mut held = None;
            loop {
                let next = match held {
                    None => incoming.recv().await,
                    Some(late) => match tokio::time::timeout(LONGEST_HOLD, incoming.recv()).await {
                        Ok(next) => next,
                        Err(_) => {
                            held = None;
                            self.attempt(late, &Fault::default()).await;
                            continue;
                        }
                    },
                };
                let Some(id) = next else { break };
                let fault = {
                    let mut backend = locked(&self.backend);
                    let event = backend.world.deliveries.get(&id).map(|d| d.event.clone()).unwrap_or_default();
                    backend.faults.strike_delivery(&event).unwrap_or_default()
                };
                if fault.reorder && held.is_none() {
                    held = Some(id);
                    continue;
                }
                self.attempt(id, &fault).await;
                if let Some(late) = held.take() {
                    self.attempt(late, &Fault::default()).await;
                }
            }
        };
        stop.run_until_cancelled(work).await;
    }

    async fn attempt(&self, id: i64, fault: &Fault) {
        tokio::time::sleep(fault.latency()).await;
        if fault.drop {
            locked(&self.backend).world.deliveries.remove(&id);
            return;
        }
        let Some(Prepared { request, url, headers }) = self.prepare(id) else { return };
        if fault.duplicate {
            let copy = request.try_clone();
            if let Some(copy) = copy {
                let _ = self.http.execute(copy).await;
            }
        }
        let begin = Instant::now();
        let answer = self.http.execute(request).await;
        let mut outcome = Outcome {
            status: String::new(),
            status_code: 0,
            duration: TimeDelta::zero(),
            url,
            request_headers: headers,
            response_headers: Vec::new(),
            response_body: None,
        };
        let failure = match answer {
            Ok(response) => {
                outcome.status_code = response.status().as_u16();
                outcome.status = if response.status().is_success() {
                    "OK".to_owned()
                } else {
                    format!("Invalid HTTP Response: {}", outcome.status_code)
                };
                let text = |v: &http::HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
                outcome.response_headers =
                    response.headers().iter().map(|(name, value)| (title_case(name.as_str()), text(value))).collect();
                match response.bytes().await {
                    Ok(body) => {
                        let kept = &body[..body.len().min(REMEMBERED)];
                        outcome.response_body = Some(String::from_utf8_lossy(kept).into_owned());
                        None
                    }
                    Err(error) => Some(error),
                }
            }
            Err(error) => Some(error),
        };
        if let Some(error) = failure {
            let timed_out = error.is_timeout();
            outcome.status = if timed_out { "timed out" } else { "failed to connect to host" }.to_owned();
            outcome.status_code = if timed_out { 504 } else { 502 };
        }
        outcome.duration = TimeDelta::from_std(begin.elapsed()).unwrap_or_default();
        if let Some(delivery) = locked(&self.backend).world.deliveries.get_mut(&id) {
            delivery.outcome = Some(outcome);
        }
    }

    /// The request for delivery `id` with where it goes and its headers; a hook without address is recorded as failed.
    fn prepare(&self, id: i64) -> Option<Prepared> {
        let mut backend = locked(&self.backend);
        let world = &mut backend.world;
        let now = world.now();
        let delivery = world.deliveries.get_mut(&id)?;
        delivery.delivered_at = now;
        let delivery = delivery.clone();
        let app = world.apps.get(&delivery.app)?;
        let tampering = delivery.tampering.clone().unwrap_or_default();
        let url = tampering.url.or_else(|| app.hook.url.clone()).unwrap_or_default();
        let form = app.hook.content_type == "form";
        let body = if form {
            Bytes::from(
                serde_urlencoded::to_string([("payload", String::from_utf8_lossy(&delivery.payload))])
                    .unwrap_or_default(),
            )
        } else {
            delivery.payload.clone()
        };
        let secret = tampering.secret.as_ref().or(app.hook.secret.as_ref());
        let mut sent = standard_headers(&delivery, app.hook.id, form, secret.map(Secret::expose), &body);
        for (name, value) in tampering.headers {
            sent.retain(|(n, _)| !n.eq_ignore_ascii_case(&name));
            sent.extend(value.map(|value| (name, value)));
        }
        let mut builder = self.http.post(&url);
        for (name, value) in &sent {
            builder = builder.header(name, value);
        }
        let request = builder.body(body).build();
        if request.is_err()
            && let Some(delivery) = world.deliveries.get_mut(&id)
        {
            delivery.outcome = Some(Outcome {
                status: "failed to connect to host".to_owned(),
                status_code: 502,
                duration: TimeDelta::zero(),
                url: url.clone(),
                request_headers: sent.clone(),
                response_headers: Vec::new(),
                response_body: None,
            });
        }
        Some(Prepared { request: request.ok()?, url, headers: sent })
    }
}

/// The headers of a well-formed delivery, as GitHub writes their names.
fn standard_headers(
    delivery: &Delivery,
    hook: i64,
    form: bool,
    secret: Option<&str>,
    body: &[u8],
) -> Vec<(String, String)> {
    let content_type = if form { "application/x-www-form-urlencoded" } else { "application/json" };
    let mut sent = vec![
        ("Accept".to_owned(), "*/*".to_owned()),
        ("Content-Type".to_owned(), content_type.to_owned()),
        ("User-Agent".to_owned(), "GitHub-Hookshot/044aadd".to_owned()),
        (title_case(headers::DELIVERY), delivery.guid.clone()),
        (title_case(headers::EVENT), delivery.event.clone()),
        (title_case(headers::HOOK_ID), hook.to_string()),
        (title_case(headers::HOOK_TARGET_ID), delivery.app.to_string()),
        (title_case(headers::HOOK_TARGET_TYPE), "integration".to_owned()),
    ];
    if let Some(secret) = secret.filter(|s| !s.is_empty()) {
        let legacy = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
        sent.push((title_case(headers::SIGNATURE_1), format!("sha1={}", hex::encode(hmac::sign(&legacy, body)))));
        sent.push((title_case(headers::SIGNATURE_256), signature::Key::new(secret.as_bytes()).sign(body)));
    }
    sent
}

/// `x-github-event` as `X-GitHub-Event`.
fn title_case(name: &str) -> String {
    let word = |word: &str| match word {
        "github" => "GitHub".to_owned(),
        "id" => "ID".to_owned(),
        _ => word.get(..1).map_or(String::new(), |first| first.to_uppercase() + &word[1..]),
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_written_as_github_writes_them() {
        for (name, written) in [
            ("x-github-hook-installation-target-id", "X-GitHub-Hook-Installation-Target-ID"),
            ("x-hub-signature-256", "X-Hub-Signature-256"),
            ("content-type", "Content-Type"),
        ] {
            assert_eq!(super::title_case(name), written);
        }
    }
}
