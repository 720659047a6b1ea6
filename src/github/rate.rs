//! Rate limits: what GitHub's headers say, what we remember of it, and the pace of writes.
//!
//! Source: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::header::RETRY_AFTER;
use http::{HeaderMap, Method, StatusCode};
use tokio::time::Instant;

/// Wait after a limit that names no time: GitHub asks for a minute at least.
const UNNAMED: Duration = Duration::from_secs(60);
/// A wait of nothing would only ask again at once.
const LEAST: Duration = Duration::from_millis(100);
/// After GitHub said "secondary limit", writes are spaced for this long.
const CAUTIOUS_FOR: Duration = Duration::from_secs(300);
/// Space between writes when spaced.
const SPACING: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Who is counted: GitHub limits each of them separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// Calls without credentials.
    Anonymous,
    /// Calls by JWT.
    App,
    /// Calls of one installation.
    Installation(i64),
}

/// How much an installation may create; GitHub's published limits.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Content-creating calls in any 60 seconds.
    pub per_minute: usize,
    /// Content-creating calls in any 60 minutes.
    pub per_hour: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { per_minute: 80, per_hour: 500 }
    }
}

/// Which of GitHub's limits an answer names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The hourly number of calls of one resource is used up.
    Primary,
    /// Too much at a time; holds for everything the account does.
    Secondary,
}

/// A limit that an answer names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Which.
    pub kind: Kind,
    /// How long to wait.
    pub wait: Duration,
}

/// The limit that an answer names, if that is why it failed. `now` is GitHub's time (`Date`).
pub fn limit(status: StatusCode, headers: &HeaderMap, message: &str, now: DateTime<Utc>) -> Option<Limit> {
    if !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let message = message.to_ascii_lowercase();
    let secondary = message.contains("secondary rate limit") || message.contains("abuse detection");
    let used_up = used_up(headers, now);
    let kind = if !secondary && used_up.is_some() { Kind::Primary } else { Kind::Secondary };
    let named = retry_after(headers, now).or(used_up);
    match named {
        Some(wait) => Some(Limit { kind, wait: wait.max(LEAST) }),
        None if secondary || status == StatusCode::TOO_MANY_REQUESTS || message.contains("rate limit exceeded") => {
            Some(Limit { kind, wait: UNNAMED })
        }
        None => None,
    }
}

/// `Retry-After`, in seconds or as a date.
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    Some((at.to_utc() - now).to_std().unwrap_or_default())
}

/// Until when the calls of this resource are used up, from `x-ratelimit-*`.
pub fn used_up(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    if number("x-ratelimit-remaining")? != 0 {
        return None;
    }
    let seconds = number("x-ratelimit-reset")? - now.timestamp();
    // The window is an hour; anything longer is two clocks that differ.
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(HOUR))
}

/// The resource that GitHub counts a call under.
fn resource(path: &str) -> &'static str {
    let path = path.trim_start_matches('/');
    if path.starts_with("search/code") {
        "code_search"
    } else if path.starts_with("search/") {
        "search"
    } else if path.starts_with("app-manifests/") {
        "integration_manifest"
    } else {
        "core"
    }
}

/// Why a call must wait before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) wait: Duration,
    pub(super) status: StatusCode,
    pub(super) reason: String,
}

/// What is known about each account's limits.
pub(super) struct Limits {
    budget: Budget,
    accounts: Mutex<HashMap<Account, State>>,
}

#[derive(Default)]
struct State {
    /// By resource; the empty name stands for all of them.
    blocks: HashMap<&'static str, Block>,
    cautious_until: Option<Instant>,
    /// When content was or will be created, for the last hour, in order.
    creations: VecDeque<Instant>,
    last_write: Option<Instant>,
}

struct Block {
    until: Instant,
    status: StatusCode,
    reason: String,
}

impl Limits {
    pub(super) fn new(budget: Budget) -> Self {
        Self { budget, accounts: Mutex::default() }
    }

    /// Admits a call, to be sent after the returned wait, which is at most `patience`.
    pub(super) fn admit(
        &self,
        account: Account,
        method: &Method,
        path: &str,
        patience: Duration,
        now: Instant,
    ) -> Result<Duration, Hold> {
        // Asking about the limits is free, and most wanted when they are reached.
        if path.trim_matches('/') == "rate_limit" {
            return Ok(Duration::ZERO);
        }
        let mut accounts = self.accounts();
        let state = accounts.entry(account).or_default();
        state.blocks.retain(|_, block| block.until > now);
        let longest = ["", resource(path)].iter().filter_map(|name| state.blocks.get(name)).max_by_key(|b| b.until);
        if let Some(block) = longest {
            let hold = Hold { wait: block.until - now, status: block.status, reason: block.reason.clone() };
            return Err(hold);
        }
        let paced = matches!(account, Account::Installation(_)) && !method.is_safe();
        if paced { state.pace(method, self.budget, patience, now) } else { Ok(Duration::ZERO) }
    }

    /// Remembers that the account ran into `limit`.
    pub(super) fn block(
        &self,
        account: Account,
        path: &str,
        limit: Limit,
        (status, message): (StatusCode, &str),
        now: Instant,
    ) {
        let mut accounts = self.accounts();
        let state = accounts.entry(account).or_default();
        let name = match limit.kind {
            Kind::Primary => resource(path),
            Kind::Secondary => {
                state.cautious_until = Some(now + limit.wait + CAUTIOUS_FOR);
                ""
            }
        };
        let reason = format!("not sent, GitHub said: {message}");
        state.blocks.insert(name, Block { until: now + limit.wait, status, reason });
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<Account, State>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the next free place for a write. Far from the limits that is now; near them, or
    /// after GitHub complained, writes are a second apart.
    fn pace(&mut self, method: &Method, budget: Budget, patience: Duration, now: Instant) -> Result<Duration, Hold> {
        while self.creations.front().is_some_and(|at| *at + HOUR <= now) {
            self.creations.pop_front();
        }
        let creates = matches!(*method, Method::POST | Method::PUT);
        let last_minute = self.creations.iter().rev().take_while(|at| **at + MINUTE > now).count();
        let cautious = self.cautious_until.is_some_and(|until| until > now) || last_minute >= budget.per_minute * 3 / 4;
        let mut slot = now.max(self.last_write.unwrap_or(now));
        if cautious && let Some(last) = self.last_write {
            slot = slot.max(last + SPACING);
        }
        if creates {
            for (count, window) in [(budget.per_minute, MINUTE), (budget.per_hour, HOUR)] {
                // The creation that must have left the window before the next may enter it.
                if let Some(at) = self.creations.len().checked_sub(count).and_then(|index| self.creations.get(index)) {
                    slot = slot.max(*at + window);
                }
            }
        }
        let wait = slot - now;
        if wait > patience {
            let reason = format!(
                "not sent, to stay within GitHub's limits of {} creations a minute and {} an hour",
                budget.per_minute, budget.per_hour
            );
            return Err(Hold { wait, status: StatusCode::TOO_MANY_REQUESTS, reason });
        }
        self.last_write = Some(slot);
        if creates {
            self.creations.push_back(slot);
        }
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("time")
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("name"), value.parse().expect("value"))).collect()
    }

    #[test]
    fn limits_are_told_from_refusals() {
        let reset = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000030")];
        let over = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1799999999")];
        let far = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1900000000")];
        let both = [("retry-after", "7"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000030")];
        let some = |kind, ms| Some(Limit { kind, wait: Duration::from_millis(ms) });
        let table = [
            (403, "API rate limit exceeded", reset.as_slice(), some(Kind::Primary, 30_000)),
            (429, "", &reset, some(Kind::Primary, 30_000)),
            (403, "", &over, some(Kind::Primary, 100)),
            (403, "", &far, some(Kind::Primary, 3_600_000)),
            (403, "You have exceeded a secondary rate limit", &both, some(Kind::Secondary, 7_000)),
            (403, "You have exceeded a secondary rate limit", &[], some(Kind::Secondary, 60_000)),
            (403, "You have triggered an abuse detection mechanism", &[], some(Kind::Secondary, 60_000)),
            (403, "", &[("retry-after", "5")], some(Kind::Secondary, 5_000)),
            (403, "", &[("retry-after", "Fri, 15 Jan 2027 08:00:09 GMT")], some(Kind::Secondary, 9_000)),
            (429, "", &[], some(Kind::Secondary, 60_000)),
            (429, "", &[("retry-after", "0")], some(Kind::Secondary, 100)),
            (429, "", &[("retry-after", "soon")], some(Kind::Secondary, 60_000)),
            (403, "Resource not accessible by integration", &[("x-ratelimit-remaining", "4999")], None),
            (404, "", &reset, None),
            (200, "", &reset, None),
            (503, "", &[("retry-after", "5")], None),
        ];
        for (status, message, pairs, expected) in table {
            let status = StatusCode::from_u16(status).expect("status");
            assert_eq!(limit(status, &headers(pairs), message, now()), expected, "{status} {message} {pairs:?}");
        }
    }

    const ONE: Account = Account::Installation(1);
    const PATIENT: Duration = Duration::from_secs(7200);

    fn write(limits: &Limits, method: &Method, now: Instant) -> Duration {
        limits.admit(ONE, method, "/x", PATIENT, now).expect("admitted")
    }

    #[test]
    fn no_window_ever_holds_more_than_its_budget() {
        let budget = Budget { per_minute: 8, per_hour: 20 };
        // Wanted ten a second, and one every 100 seconds for longer than an hour.
        for (interval, wanted) in [(Duration::from_millis(100), 40_u32), (Duration::from_secs(100), 60)] {
            let limits = Limits::new(budget);
            let start = Instant::now();
            let times: Vec<Duration> = (0..wanted)
                .map(|n| {
                    let at = start + interval * n;
                    at + write(&limits, &Method::POST, at) - start
                })
                .collect();
            assert!(times.is_sorted());
            assert_eq!(times[5], interval * 5, "far from the limits nothing waits");
            assert!(times[7] - times[6] >= SPACING, "near them they are spaced");
            for (window, most) in [(MINUTE, budget.per_minute), (HOUR, budget.per_hour)] {
                for first in &times {
                    let count = times.iter().filter(|at| *at >= first && **at < *first + window).count();
                    assert!(count <= most, "{count} within {window:?}");
                }
            }
            assert!(times[39] < HOUR * 2, "and the budget is used");
        }
    }

    #[test]
    fn after_a_complaint_writes_are_spaced_and_later_not() {
        let limits = Limits::new(Budget::default());
        let start = Instant::now();
        assert_eq!(write(&limits, &Method::PATCH, start), Duration::ZERO);
        assert_eq!(write(&limits, &Method::PATCH, start), Duration::ZERO);
        let limit = Limit { kind: Kind::Secondary, wait: Duration::from_secs(3) };
        limits.block(ONE, "/x", limit, (StatusCode::FORBIDDEN, "slow down"), start);
        let hold = limits.admit(ONE, &Method::GET, "/other", PATIENT, start).expect_err("held");
        assert_eq!((hold.wait, hold.reason.as_str()), (limit.wait, "not sent, GitHub said: slow down"));

        let after = start + limit.wait;
        let waits: Vec<Duration> = (0..3).map(|_| write(&limits, &Method::PATCH, after)).collect();
        assert_eq!(waits, [Duration::ZERO, SPACING, SPACING * 2]);
        assert!(limits.admit(ONE, &Method::PATCH, "/x", SPACING, after).is_err(), "a place further than the patience");
        assert_eq!(write(&limits, &Method::GET, after), Duration::ZERO, "reading is not paced");
        let other = Account::Installation(2);
        assert_eq!(limits.admit(other, &Method::PATCH, "/x", PATIENT, after), Ok(Duration::ZERO));

        let later = after + CAUTIOUS_FOR;
        assert_eq!(write(&limits, &Method::PATCH, later), Duration::ZERO);
        assert_eq!(write(&limits, &Method::PATCH, later), Duration::ZERO);
    }

    #[test]
    fn a_primary_limit_holds_its_resource() {
        let limits = Limits::new(Budget::default());
        let start = Instant::now();
        let limit = Limit { kind: Kind::Primary, wait: MINUTE };
        limits.block(ONE, "/search/issues", limit, (StatusCode::FORBIDDEN, "x"), start);
        let held = |path: &str, at: Instant| limits.admit(ONE, &Method::GET, path, PATIENT, at).is_err();
        assert!(held("/search/issues", start) && held("/search/repositories", start));
        assert!(!held("/search/code", start) && !held("/repos/o/r", start) && !held("/rate_limit", start));
        assert!(!held("/search/issues", start + MINUTE));
    }
}
