//! GitHub's log of deliveries, read as deliveries.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio::time::sleep;

use super::incoming::Incoming;
use super::verify::{Trust, Verdict, compact};
use crate::github::api::apps::HookDelivery;
use crate::github::{Auth, Call, Client, Error, headers};

/// A listed delivery can be unknown for a moment: how often it is asked for, and how far apart.
const DETAIL: (u32, Duration) = (4, Duration::from_millis(1000));
/// GitHub lists a delivery after its answer: how often it is looked for, and how far apart.
const LISTED: (u32, Duration) = (5, Duration::from_millis(800));

/// The log of one App.
#[derive(Clone, Debug)]
pub struct Log {
    client: Client,
    app: i64,
}

/// A delivery out of the log.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The delivery; signed, when there is a key to sign with.
    pub incoming: Incoming,
    /// What its signature is worth.
    pub verdict: Verdict,
    /// Where GitHub sent it, when GitHub tells.
    pub url: Option<String>,
}

/// The detail, with the payload as it is written there.
#[derive(Deserialize)]
struct Detail<'a> {
    #[serde(default)]
    guid: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(borrow)]
    request: Request<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

impl Log {
    /// The log of the App `app`.
    pub fn new(client: Client, app: i64) -> Self {
        Self { client, app }
    }

    /// Id of the newest attempt; `None` while there is none.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn newest(&self) -> Result<Option<i64>, Error> {
        Ok(self.newest_page().await?.into_iter().max())
    }

    /// The ids of the newest attempts. Costs nothing of the rate limit while they stay the same.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn newest_page(&self) -> Result<Vec<i64>, Error> {
        Ok(self.client.hook_deliveries(None).await?.items.iter().map(|delivery| delivery.id).collect())
    }

    /// The attempts from the newest back to the first that `known` names, oldest first. Follows
    /// GitHub's pages as far as that takes.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn back_to(&self, known: impl Fn(&HookDelivery) -> bool) -> Result<Vec<HookDelivery>, Error> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let page = self.client.hook_deliveries(next.as_ref()).await?;
            let listed = page.items.len();
            let before = found.len();
            found.extend(page.items.into_iter().take_while(|delivery| !known(delivery)));
            match page.next {
                Some(page) if found.len() == before + listed => next = Some(page),
                _ => break,
            }
        }
        found.reverse();
        Ok(found)
    }

    /// The delivery of attempt `id`; one that GitHub does not know yet is asked for again.
    ///
    /// # Errors
    /// See [`Error`]; 404 when GitHub does not know it after some seconds.
    pub async fn fetch(&self, id: i64, trust: &Trust) -> Result<Fetched, Error> {
        let call = Call::get(format!("/app/hook/deliveries/{id}"), Auth::Jwt);
        let mut attempt = 1;
        let answer = loop {
            match self.client.send(&call).await {
                Err(error) if error.status() == Some(404) && attempt < DETAIL.0 => sleep(DETAIL.1).await,
                outcome => break outcome?,
            }
            attempt += 1;
        };
        let detail: Detail<'_> = serde_json::from_slice(&answer.body).map_err(|error| Error::Decode {
            method: "GET".to_owned(),
            path: call.shown_path(),
            reason: error.to_string(),
        })?;
        Ok(self.read(&detail, trust))
    }

    /// The newest attempt of the event `guid`; waits a little until GitHub lists it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn by_guid(&self, guid: &str, trust: &Trust) -> Result<Option<Fetched>, Error> {
        for attempt in 1..=LISTED.0 {
            let page = self.client.hook_deliveries(None).await?;
            if let Some(delivery) = page.items.iter().find(|delivery| delivery.guid == guid) {
                return self.fetch(delivery.id, trust).await.map(Some);
            }
            if attempt < LISTED.0 {
                sleep(LISTED.1).await;
            }
        }
        Ok(None)
    }

    fn read(&self, detail: &Detail<'_>, trust: &Trust) -> Fetched {
        let body =
            detail.request.payload.map_or_else(|| Bytes::from_static(b"null"), |raw| compact(raw.get().as_bytes()));
        let sent = detail.request.headers.iter().flatten();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut incoming =
            Incoming { headers: sent.map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect(), body };
        // A form carried the same JSON; what goes on is JSON.
        incoming.set_header("content-type", "application/json");
        for (name, value) in [(headers::DELIVERY, &detail.guid), (headers::EVENT, &detail.event)]
            .into_iter()
            .filter(|(_, v)| !v.is_empty())
        {
            incoming.set_header(name, value.as_str());
        }
        if incoming.header(headers::HOOK_TARGET_ID).is_none() {
            incoming.set_header(headers::HOOK_TARGET_ID, self.app.to_string());
            incoming.set_header(headers::HOOK_TARGET_TYPE, "integration");
        }
        let verdict = match (trust, trust.signing_key()) {
            (Trust::Keys(keys), _) if incoming.verify(keys) == Some(true) => Verdict::Raw,
            (_, Some(key)) => {
                incoming.sign(key);
                Verdict::Resigned
            }
            (_, None) => Verdict::Unchecked,
        };
        Fetched { incoming, verdict, url: detail.url.clone() }
    }
}
