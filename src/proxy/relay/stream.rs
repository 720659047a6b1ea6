//! What one listener receives: an event stream that reads the log at the listener's own pace.
//!
//! A listener holds the id that it has seen and nothing else, so a slow one takes no memory: what
//! it has not read yet is on disk. It is cut when it takes nothing at all for a while, and goes on
//! where it was when it comes back.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::channel::{Channel, Place};
use super::event::message;
use super::log::Next;

/// What a listener asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Events after this id.
    pub after: u64,
    /// Bodies as base64.
    pub exact: bool,
}

struct Listener {
    channel: Arc<Channel>,
    newest: watch::Receiver<u64>,
    wish: Wish,
    ping: Interval,
    greeted: bool,
    shutdown: CancellationToken,
    _place: Place,
}

/// The stream of a listener: `ready`, what it missed, then what comes, and a `ping` every `ping`.
pub fn stream(
    channel: Arc<Channel>,
    place: Place,
    wish: Wish,
    ping: Duration,
    shutdown: CancellationToken,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    let mut ping = tokio::time::interval_at(tokio::time::Instant::now() + ping, ping);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let newest = channel.follow();
    let listener = Listener { channel, newest, wish, ping, greeted: false, shutdown, _place: place };
    unfold(listener, |mut listener| async { Some((Ok(listener.next().await?), listener)) })
}

impl Listener {
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(self.ready());
        }
        loop {
            if self.shutdown.is_cancelled() {
                return None;
            }
            // Before the look: what comes after it wakes us.
            self.newest.borrow_and_update();
            let (next, message) = self.read().await?;
            match next {
                Next::Event(record) => {
                    self.wish.after = record.id;
                    return Some(message);
                }
                Next::Gap(until) => {
                    let after = std::mem::replace(&mut self.wish.after, until);
                    let range = json!({ "after": after.to_string(), "until": until.to_string() });
                    return Some(format!("event: gap\ndata: {range}\n\n").into());
                }
                Next::Damaged(id) => {
                    tracing::error!("a stored event is damaged and cannot be sent");
                    self.wish.after = id;
                }
                Next::Nothing => tokio::select! {
                    changed = self.newest.changed() => changed.ok()?,
                    _ = self.ping.tick() => return Some(Bytes::from_static(b"event: ping\ndata: {}\n\n")),
                    () = self.shutdown.cancelled() => return None,
                },
            }
        }
    }

    /// Carries the id to resume from: who loses the connection before the first event misses none.
    fn ready(&self) -> Bytes {
        let recipient = self.channel.recipient();
        let data = recipient.map_or(json!({}), |recipient| json!({ "recipient": recipient.to_string() }));
        let data: &Value = &data;
        format!("id: {}\nevent: ready\ndata: {data}\n\n", self.wish.after).into()
    }

    /// What comes next and, of an event, its message. Both may be large: made aside.
    async fn read(&self) -> Option<(Next, Bytes)> {
        let (index, wish) = (Arc::clone(self.channel.index()), self.wish);
        if index.last() <= wish.after {
            return Some((Next::Nothing, Bytes::new()));
        }
        let reading = tokio::task::spawn_blocking(move || {
            let next = index.after(wish.after)?;
            let message = match &next {
                Next::Event(record) => message(record, wish.exact),
                _ => Bytes::new(),
            };
            Ok::<_, std::io::Error>((next, message))
        });
        match reading.await {
            Ok(Ok(read)) => Some(read),
            Ok(Err(error)) => {
                tracing::error!(%error, "cannot read the events of a channel");
                None
            }
            Err(_) => None,
        }
    }
}
