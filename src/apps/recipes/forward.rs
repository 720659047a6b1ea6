//! Passing deliveries on to other deployments, by labels of the pull request.
//!
//! A label `fwd:HOST/PATH` sends every delivery of its pull request to `https://HOST/PATH`, and this
//! server then does nothing else about it: so a review deployment tries out a pull request of a
//! repository on which another App is installed. Whoever may triage can set labels, so only hosts
//! that the operator allows count.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use url::{Host, Url};

/// How a label that forwards begins.
const PREFIX: &str = "fwd:";
/// Most targets of one pull request.
const TARGETS_MAX: usize = 5;

/// `recipes.forward`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForwardSettings {
    /// Hosts that may be forwarded to: `host.example.org`, `*.example.org` for all below it, each
    /// with a `:port` to allow only that. None: labels are not looked at.
    pub hosts: Vec<Pattern>,
}

/// Hosts, by name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    host: String,
    /// Whether `host` is a suffix, which begins with a dot then.
    below: bool,
    port: Option<u16>,
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no host such as review.example.org, *.example.org or localhost:8000");
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| wrong())?)),
            None => (text.as_str(), None),
        };
        let (name, below) = match host.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (host, false),
        };
        let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        // "*.org" would allow half the world; a name of one part is a machine nearby.
        if !name.split('.').all(label) || (below && !name.contains('.')) {
            return Err(wrong());
        }
        let name = name.to_ascii_lowercase();
        Ok(Self { host: if below { format!(".{name}") } else { name }, below, port })
    }
}

impl Pattern {
    fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let named = if self.below { host.ends_with(&self.host) } else { host == self.host };
        named && self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
    }
}

impl ForwardSettings {
    /// Where deliveries of a pull request with these labels go.
    pub fn targets<'a>(&self, labels: impl Iterator<Item = &'a str>) -> Vec<Url> {
        let mut targets: Vec<Url> = Vec::new();
        for target in labels.filter_map(|label| self.target(label)) {
            if !targets.contains(&target) && targets.len() < TARGETS_MAX {
                targets.push(target);
            }
        }
        targets
    }

    fn target(&self, label: &str) -> Option<Url> {
        let (prefix, place) = label.split_at_checked(PREFIX.len())?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:".contains(c);
        if !prefix.eq_ignore_ascii_case(PREFIX) || !place.chars().all(plain) {
            return None;
        }
        let mut url = Url::parse(&format!("https://{place}")).ok()?;
        if is_loopback(&url) {
            // A test's, or a person's own machine's: there is nobody on the way.
            url = Url::parse(&format!("http://{place}")).ok()?;
        }
        self.hosts.iter().any(|pattern| pattern.allows(&url)).then_some(url)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A delivery as it came, to be passed on.
#[derive(Clone, Debug)]
pub struct Passed {
    /// GitHub's headers without the signature; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: Bytes,
}

/// What passes deliveries on.
pub trait Forwarder: Send + Sync {
    /// Posts `delivery` to `url` once, signed as GitHub signed it; the status of the answer, or why
    /// there is none. Redirects are answers.
    fn forward<'a>(&'a self, url: &'a Url, delivery: Passed) -> BoxFuture<'a, Result<u16, String>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(hosts: &[&str]) -> ForwardSettings {
        let hosts = hosts.iter().map(|host| Pattern::try_from((*host).to_owned()).expect(host)).collect();
        ForwardSettings { hosts }
    }

    #[test]
    fn only_allowed_hosts_are_targets() {
        let set = settings(&["*.example.org", "one.example.com", "127.0.0.1", "ports.example.com:8443"]);
        for (label, expected) in [
            ("fwd:pr-1.example.org/github/hooks/", Some("https://pr-1.example.org/github/hooks/")),
            ("FWD:a.b.Example.org", Some("https://a.b.example.org/")),
            ("fwd:one.example.com:444/x", Some("https://one.example.com:444/x")),
            ("fwd:ports.example.com:8443/x", Some("https://ports.example.com:8443/x")),
            ("fwd:127.0.0.1:9/github/hooks/", Some("http://127.0.0.1:9/github/hooks/")),
            ("fwd:ports.example.com/x", None),
            ("fwd:example.org/x", None),
            ("fwd:notexample.org/x", None),
            ("fwd:two.example.com", None),
            ("fwd:one.example.com@evil.net/x", None),
            ("fwd:evil.net/one.example.com", None),
            ("fwd:evil.net\\.example.org", None),
            ("fwd:one.example.com/x?y", None),
            ("fwd:one.example.com/x#y", None),
            ("fwd:localhost/x", None),
            ("fwd:", None),
            ("fwd", None),
            ("one.example.com", None),
            ("é", None),
        ] {
            let target = set.targets([label].into_iter());
            assert_eq!(target.first().map(Url::as_str), expected, "{label}");
        }
        assert!(settings(&[]).targets(["fwd:pr-1.example.org/"].into_iter()).is_empty());
        let many: Vec<String> = (0..9).map(|n| format!("fwd:{n}.example.org")).collect();
        assert_eq!(set.targets(many.iter().chain(&many).map(String::as_str)).len(), TARGETS_MAX);
    }

    #[test]
    fn patterns_name_hosts() {
        for wrong in ["*", "*.org", "", "a b", "https://x.org", "x.org/y", "a..b", "*.a.org:x", "a@b"] {
            assert!(Pattern::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
