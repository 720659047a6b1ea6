//! What went through the tunnel, as ngrok's agent shows it.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::sleep;
use url::Url;

use crate::proxy::forward::{Reply, chain};
use crate::proxy::notice::{Notice, Notices, Origin, Seen};
use crate::proxy::{Incoming, Trust};

/// How often the agent is asked.
const PACE: Duration = Duration::from_millis(700);
/// Requests remembered at most.
const CAPACITY: usize = 2000;

/// Reads what the agent recorded.
#[derive(Debug)]
pub struct Watch {
    http: reqwest::Client,
    list: Url,
    host: String,
    path: String,
}

#[derive(Deserialize)]
struct Recorded {
    #[serde(default)]
    requests: Vec<Exchange>,
}

#[derive(Deserialize)]
struct Exchange {
    id: String,
    #[serde(default)]
    uri: String,
    /// Nanoseconds.
    #[serde(default)]
    duration: u64,
    request: Asked,
    #[serde(default)]
    response: Option<Answered>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    method: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    raw: String,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    status_code: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    raw: String,
}

impl Watch {
    pub(super) fn new(http: reqwest::Client, api: Url, public: &Url, path: &str) -> Self {
        let mut list = api;
        list.set_path("/api/requests/http");
        list.set_query(Some("limit=50"));
        Self { http, list, host: public.host_str().unwrap_or_default().to_owned(), path: path.to_owned() }
    }

    /// Watches for ever. What was there before is not told.
    pub async fn run(self, trust: &Trust, notices: &Notices) -> Infallible {
        let (mut known, mut order, mut number) = (HashSet::new(), VecDeque::new(), 0);
        let (mut first, mut lost) = (true, false);
        loop {
            match self.read().await {
                Ok(exchanges) => {
                    if first || std::mem::take(&mut lost) {
                        notices.tell(Notice::Connected { again: !first });
                    }
                    for exchange in exchanges.into_iter().rev() {
                        // Told when it is answered: the agent records it before.
                        if known.contains(&exchange.id) || exchange.response.is_none() {
                            continue;
                        }
                        known.insert(exchange.id.clone());
                        order.push_back(exchange.id.clone());
                        if !first && self.is_ours(&exchange) {
                            number += 1;
                            tell(exchange, number, trust, notices);
                        }
                    }
                    while order.len() > CAPACITY
                        && let Some(oldest) = order.pop_front()
                    {
                        known.remove(&oldest);
                    }
                    first = false;
                }
                Err(error) if !lost => {
                    lost = true;
                    let reason = format!("ngrok's agent does not answer: {}", chain(&error));
                    notices.tell(Notice::Reconnecting { reason, wait: PACE });
                }
                Err(_) => {}
            }
            sleep(PACE).await;
        }
    }

    async fn read(&self) -> Result<Vec<Exchange>, reqwest::Error> {
        let answer = self.http.get(self.list.clone()).send().await?.error_for_status()?;
        Ok(answer.json::<Recorded>().await?.requests)
    }

    fn is_ours(&self, exchange: &Exchange) -> bool {
        let path = exchange.uri.split('?').next().unwrap_or_default();
        let host = first(&exchange.request.headers, "host");
        exchange.request.method == "POST"
            && path.trim_end_matches('/') == self.path.trim_end_matches('/')
            && host.is_none_or(|host| host == self.host)
    }
}

fn tell(exchange: Exchange, number: u64, trust: &Trust, notices: &Notices) {
    let names = |headers: &Map<String, Value>| -> Vec<(String, String)> {
        headers.keys().filter_map(|name| Some((name.to_ascii_lowercase(), first(headers, name)?))).collect()
    };
    let mut incoming = Incoming { headers: names(&exchange.request.headers), body: body(&exchange.request.raw) };
    let verdict = trust.judge(&mut incoming);
    let seen = Seen::of(&incoming, number, Origin::Watched, None, verdict);
    notices.tell(Notice::Received(seen.clone()));
    let Some(response) = exchange.response else { return };
    let mut headers = HeaderMap::new();
    for (name, value) in names(&response.headers) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    let took = Duration::from_nanos(exchange.duration);
    let reply = Reply { status: response.status_code, headers, body: body(&response.raw), took };
    notices.tell(Notice::Forwarded { seen, reply });
}

/// The first value of a header; the agent gives lists.
fn first(headers: &Map<String, Value>, name: &str) -> Option<String> {
    let (_, value) = headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    let value = value.as_array().map_or(Some(value), |values| values.first());
    value.and_then(Value::as_str).map(str::to_owned)
}

/// The body of a message that is given whole, in base64.
fn body(raw: &str) -> Bytes {
    let message = STANDARD.decode(raw).unwrap_or_default();
    let end = message.windows(4).position(|window| window == b"\r\n\r\n");
    end.map_or_else(Bytes::new, |end| Bytes::copy_from_slice(&message[end + 4..]))
}
