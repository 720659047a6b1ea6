//! What a session tells, as values.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::forward::Reply;
use super::incoming::Incoming;
use super::verify::Verdict;

/// How a delivery came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// As it happened, through a channel.
    Live,
    /// Fetched afterwards, because the connection was away when it was sent.
    Gap,
    /// Read from GitHub's log.
    Log,
    /// Past us, through ngrok.
    Watched,
}

impl Origin {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Gap => "gap",
            Self::Log => "log",
            Self::Watched => "watched",
        }
    }
}

/// A delivery in few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Number in this session, from 1.
    pub number: u64,
    /// `X-GitHub-Delivery`, or nothing.
    pub guid: String,
    /// `X-GitHub-Event`, or nothing.
    pub event: String,
    /// `action` of the payload.
    pub action: Option<String>,
    /// `owner/repo`, with `#number` for a pull request or an issue.
    pub about: Option<String>,
    /// Size of the body in bytes.
    pub bytes: usize,
    /// GitHub's id of the attempt, when it came from its log.
    pub attempt: Option<i64>,
    /// How it came.
    pub origin: Origin,
    /// What its signature is worth.
    pub verdict: Verdict,
}

/// What happened. In the order in which it happened.
#[derive(Clone, Debug)]
pub enum Notice {
    /// The transport is connected; `again` after it was lost.
    Connected {
        /// Whether it was connected before.
        again: bool,
    },
    /// The transport is lost and tried again after `wait`.
    Reconnecting {
        /// Why, as a fragment.
        reason: String,
        /// Until the next attempt.
        wait: Duration,
    },
    /// Deliveries that came while the connection was away were fetched from GitHub.
    Gap {
        /// How many.
        filled: usize,
    },
    /// What came while the connection was away could not be fetched.
    GapOpen {
        /// Why, as a fragment.
        reason: String,
    },
    /// A delivery came. It is forwarded unless its verdict forbids that.
    Received(Seen),
    /// The target has answered.
    Forwarded {
        /// What was forwarded.
        seen: Seen,
        /// What it answered.
        reply: Reply,
    },
    /// A delivery was given up.
    Failed {
        /// Which.
        seen: Seen,
        /// Why, as a fragment.
        reason: String,
    },
    /// The target does not take deliveries; they are kept.
    TargetDown {
        /// The one that it did not take.
        seen: Seen,
        /// Why, as a fragment.
        reason: String,
        /// Whether nobody listens there at all.
        refused: bool,
    },
    /// The target takes deliveries again.
    TargetUp {
        /// How long it did not.
        after: Duration,
    },
    /// Everything in GitHub's log up to this attempt is dealt with.
    Mark(i64),
}

/// Where notices go. Nobody has to listen.
#[derive(Clone, Debug)]
pub struct Notices(UnboundedSender<Notice>);

impl Notices {
    /// Notices that go to `sender`.
    pub fn new(sender: UnboundedSender<Notice>) -> Self {
        Self(sender)
    }

    /// Tells `notice`.
    pub fn tell(&self, notice: Notice) {
        let _ = self.0.send(notice);
    }
}

impl Seen {
    /// `incoming` in few words.
    pub fn of(incoming: &Incoming, number: u64, origin: Origin, attempt: Option<i64>, verdict: Verdict) -> Self {
        let payload: Value = serde_json::from_slice(&incoming.body).unwrap_or_default();
        Self {
            number,
            guid: incoming.guid().unwrap_or_default().to_owned(),
            event: incoming.event().unwrap_or_default().to_owned(),
            action: payload["action"].as_str().map(str::to_owned),
            about: about(&payload),
            bytes: incoming.body.len(),
            attempt,
            origin,
            verdict,
        }
    }

    /// `event.action`, or `event` alone.
    pub fn title(&self) -> String {
        let event = if self.event.is_empty() { "(no event)" } else { &self.event };
        self.action.as_ref().map_or_else(|| event.to_owned(), |action| format!("{event}.{action}"))
    }
}

fn about(payload: &Value) -> Option<String> {
    let repo = payload["repository"]["full_name"].as_str();
    let Some(repo) = repo else { return payload["installation"]["account"]["login"].as_str().map(str::to_owned) };
    let number = ["pull_request", "issue", "discussion"].iter().find_map(|key| payload[key]["number"].as_i64());
    Some(number.map_or_else(|| repo.to_owned(), |number| format!("{repo}#{number}")))
}
