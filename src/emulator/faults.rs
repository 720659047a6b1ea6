//! Faults on demand: answers that fail, connections that break, deliveries that get lost, come twice or out of order.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What goes wrong, and when.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// HTTP method of the calls that it hits; all when `None`.
    pub method: Option<String>,
    /// Path of the calls that it hits, `*` standing for anything; all when `None`.
    pub path: Option<String>,
    /// Event of the deliveries that it hits (`*` for all); with this it hits deliveries instead of calls.
    pub event: Option<String>,
    /// How often it strikes; for ever when `None`.
    pub count: Option<u32>,
    /// How many matching calls it lets pass first.
    pub skip: u32,
    /// How likely it strikes a matching call or delivery, from 0 to 1; always when `None`. What is struck depends on
    /// `seed`, the call (or event) and how many like it came before, and not on what else goes on at the same time.
    pub rate: Option<f64>,
    /// With `rate`: another one strikes others.
    pub seed: u64,
    /// Answer with this status without doing anything.
    pub status: Option<u16>,
    /// Body of that answer.
    pub body: Option<Value>,
    /// Headers of that answer, such as `retry-after`.
    pub headers: std::collections::BTreeMap<String, String>,
    /// Do what was asked and answer `status` (or break the connection) afterwards: the caller cannot know.
    pub after: bool,
    /// Wait so many milliseconds first.
    pub latency_ms: u64,
    /// Break the connection, or lose the delivery.
    pub drop: bool,
    /// Send the delivery twice.
    pub duplicate: bool,
    /// Send the delivery after the next one.
    pub reorder: bool,
}

impl Fault {
    /// What GitHub answers to a client that calls too often, in its words, once: come back in `retry_after` seconds.
    ///
    /// Source: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
    pub fn secondary_rate_limit(retry_after: u32) -> Self {
        let told = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        Self {
            status: Some(403),
            count: Some(1),
            headers: [("retry-after".to_owned(), retry_after.to_string())].into(),
            body: Some(serde_json::json!({
                "message": told,
                "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
            })),
            ..Self::default()
        }
    }

    /// The wait in front.
    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }
}

/// Faults in the order in which they were asked for; the first that matches strikes.
#[derive(Debug, Default)]
pub struct Faults {
    faults: VecDeque<Fault>,
    /// How often each call and event came, by its name.
    seen: HashMap<String, u64>,
}

impl Faults {
    /// Adds a fault.
    pub fn add(&mut self, fault: Fault) {
        self.faults.push_back(fault);
    }

    /// Ends all faults.
    pub fn clear(&mut self) {
        self.faults.clear();
    }

    /// Those that have not run out.
    pub fn list(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }

    /// The fault that strikes a call.
    pub fn strike_call(&mut self, method: &str, path: &str) -> Option<Fault> {
        self.strike(&format!("{method} {path}"), |fault| {
            fault.event.is_none()
                && fault.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(method))
                && fault.path.as_ref().is_none_or(|pattern| glob(pattern, path))
        })
    }

    /// The fault that strikes a delivery.
    pub fn strike_delivery(&mut self, event: &str) -> Option<Fault> {
        self.strike(event, |fault| fault.event.as_ref().is_some_and(|pattern| glob(pattern, event)))
    }

    fn strike(&mut self, name: &str, hits: impl Fn(&Fault) -> bool) -> Option<Fault> {
        if self.faults.is_empty() {
            return None;
        }
        let count = self.seen.entry(name.to_owned()).or_default();
        *count += 1;
        let nth = *count;
        for index in 0..self.faults.len() {
            let fault = &mut self.faults[index];
            if !hits(fault) || fault.rate.is_some_and(|rate| chance(fault.seed, index, name, nth) >= rate) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            let struck = fault.clone();
            if let Some(count) = &mut fault.count {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.faults.remove(index);
                }
            }
            return Some(struck);
        }
        None
    }
}

/// A number from 0 up to 1, the same for the same arguments.
fn chance(seed: u64, fault: usize, name: &str, nth: u64) -> f64 {
    let text = digest(&SHA256, format!("{seed} {fault} {nth} {name}").as_bytes());
    let head = text.as_ref().iter().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    f64::from(head) / (f64::from(u32::MAX) + 1.0)
}

/// Whether `text` fits `pattern`, in which `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text
            .strip_prefix(start)
            .is_some_and(|tail| (0..=tail.len()).any(|i| tail.is_char_boundary(i) && glob(rest, &tail[i..]))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults, glob};

    #[test]
    fn patterns_hold_stars() {
        for (pattern, text, expected) in [
            ("/app", "/app", true),
            ("/app", "/apps", false),
            ("/repos/*/check-runs", "/repos/o/r/check-runs", true),
            ("/repos/*/check-runs", "/repos/o/r/check-runs/1", false),
            ("*", "", true),
            ("/repos/*/pulls/*", "/repos/o/r/pulls/7/files", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_fault_runs_out() {
        let mut faults = Faults::default();
        faults.add(Fault {
            count: Some(2),
            skip: 1,
            method: Some("post".into()),
            path: Some("/x*".into()),
            ..Fault::default()
        });
        let mut hit = |method, path| faults.strike_call(method, path).is_some();
        let hits = [
            hit("POST", "/x"),
            hit("GET", "/x"),
            hit("POST", "/xy"),
            hit("POST", "/y"),
            hit("POST", "/x"),
            hit("POST", "/x"),
        ];
        assert_eq!(hits, [false, false, true, false, true, false]);
    }

    #[test]
    fn calls_and_deliveries_are_different_targets() {
        let mut faults = Faults::default();
        faults.add(Fault { event: Some("pull_*".into()), drop: true, count: Some(1), ..Fault::default() });
        assert_eq!(faults.strike_call("GET", "/"), None);
        assert_eq!(faults.strike_delivery("push"), None);
        assert!(faults.strike_delivery("pull_request").is_some_and(|f| f.drop));
        assert_eq!(faults.strike_delivery("pull_request"), None);
    }

    /// A call's fate depends on the seed and on its own past, whatever comes between.
    #[test]
    fn a_rate_strikes_some_and_the_same_ones_again() {
        let struck = |seed: u64, between: bool| -> Vec<bool> {
            let mut faults = Faults::default();
            faults.add(Fault { rate: Some(0.25), seed, ..Fault::default() });
            let mut strike = |_| {
                if between {
                    faults.strike_call("GET", "/b");
                }
                faults.strike_call("GET", "/a").is_some()
            };
            (0..400).map(&mut strike).collect()
        };
        let once = struck(7, false);
        let count = once.iter().filter(|s| **s).count();
        assert!((60..140).contains(&count), "{count}");
        assert_eq!(once, struck(7, true));
        assert_ne!(once, struck(8, false));
    }
}
