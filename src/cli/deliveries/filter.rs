//! Which events are wanted.

use chrono::{DateTime, Utc};

use super::event::Event;
use super::when::{self, When};
use crate::cli::job::field;
use crate::store::deliveries::{DeliveryFilter, DeliveryStatus};

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Status {
    /// Delivered: at least one attempt was answered well
    Ok,
    /// Not delivered by any attempt
    Failed,
    /// GitHub has it, the local store has not
    MissingLocally,
    /// Its work waits or runs
    Queued,
    /// Its work is done
    Done,
    /// Some of its work gave up
    Dead,
    /// It was answered with an error
    Refused,
    /// It wanted no work
    Ignored,
}

/// Which kind of event.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Which {
    /// Only this event, such as push, or event and action: pull_request.opened
    #[arg(long, value_name = "EVENT")]
    pub event: Option<String>,
    /// Only this action
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
    /// Only this repository
    #[arg(long, value_name = "OWNER/NAME")]
    pub repo: Option<String>,
}

/// Filters of a list.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Filter {
    /// Which kind of event.
    #[command(flatten)]
    pub which: Which,
    /// Only what became this
    #[arg(long, value_name = "STATUS")]
    pub status: Option<Status>,
    /// Only since: 2h, 3d, or a time (UTC)
    #[arg(long, value_name = "TIME", value_parser = when::argument)]
    pub since: Option<When>,
    /// Only before: as --since
    #[arg(long, value_name = "TIME", value_parser = when::argument)]
    pub until: Option<When>,
    /// Only payloads that hold this text; searches the local store
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
}

/// A filter whose times are known.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    event: Option<String>,
    action: Option<String>,
    /// Only this repository.
    pub repo: Option<String>,
    /// Only what became this.
    pub status: Option<Status>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
    /// Only payloads that hold this.
    pub text: Option<String>,
}

impl Status {
    /// The status of the local store that it is; `None` for those that GitHub decides.
    pub fn local(self) -> Option<DeliveryStatus> {
        match self {
            Self::Ok | Self::Failed | Self::MissingLocally => None,
            Self::Queued => Some(DeliveryStatus::Queued),
            Self::Done => Some(DeliveryStatus::Done),
            Self::Dead => Some(DeliveryStatus::Failed),
            Self::Refused => Some(DeliveryStatus::Refused),
            Self::Ignored => Some(DeliveryStatus::Ignored),
        }
    }
}

impl Which {
    /// The kind, whenever it was and whatever became of it.
    pub fn wish(&self) -> Wish {
        let (event, action) = match self.event.as_deref().map(|event| (event, event.split_once('.'))) {
            Some((_, Some((event, action)))) => (Some(event.to_owned()), Some(action.to_owned())),
            Some((event, None)) => (Some(event.to_owned()), None),
            None => (None, None),
        };
        Wish { event, action: self.action.clone().or(action), repo: self.repo.clone(), ..Wish::default() }
    }
}

impl Filter {
    /// The filter, seen from `now`.
    pub fn seen_from(&self, now: DateTime<Utc>) -> Wish {
        let wish = self.which.wish().between(self.since, self.until, now);
        Wish { status: self.status, text: self.text.clone(), ..wish }
    }
}

impl Wish {
    /// Only what was between these times, seen from `now`.
    #[must_use]
    pub fn between(self, since: Option<When>, until: Option<When>, now: DateTime<Utc>) -> Self {
        let at = |when: Option<When>| when.map(|when| when.at(now));
        Self { since: at(since), until: at(until), ..self }
    }

    /// The part of it that the local store can answer by itself.
    pub fn local(&self, limit: u32) -> DeliveryFilter {
        DeliveryFilter {
            event: self.event.clone(),
            action: self.action.clone(),
            repo: self.repo.clone(),
            status: self.status.and_then(Status::local),
            since: self.since,
            until: self.until,
            limit,
            ..DeliveryFilter::default()
        }
    }

    /// Whether the event is of the wanted kind.
    pub fn names(&self, event: &str, action: Option<&str>) -> bool {
        self.event.as_deref().is_none_or(|wanted| wanted == event)
            && self.action.as_deref().is_none_or(|wanted| Some(wanted) == action)
    }

    /// Whether every event is wanted, whatever it is called.
    pub fn is_any_event(&self) -> bool {
        self.event.is_none() && self.action.is_none()
    }

    /// Whether the time is wanted.
    pub fn spans(&self, at: DateTime<Utc>) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }

    /// Whether the repository is wanted.
    pub fn is_in(&self, repo: Option<&str>) -> bool {
        self.repo.as_deref().is_none_or(|wanted| repo.is_some_and(|repo| repo.eq_ignore_ascii_case(wanted)))
    }

    /// Whether `event` became what is wanted.
    pub fn became(&self, event: &Event) -> bool {
        match self.status {
            None => true,
            Some(Status::Ok) => event.is_delivered(),
            Some(Status::Failed) => !event.is_delivered(),
            Some(Status::MissingLocally) => event.local.is_none(),
            Some(status) => {
                let wanted = status.local().map(DeliveryStatus::as_str);
                event.local.as_ref().map(|row| field(row, "status")) == wanted
            }
        }
    }
}
