//! What the operator may set: the `recipes` section of the config.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use url::Url;

use super::forward::ForwardSettings;

/// The longest time that a bake may be given.
pub const BAKE_TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);

/// The `recipes` section. Every key may be left out; an unknown key is an error.
///
/// ```yaml
/// recipes:
///   run_only_on: [my-app]            # act only on pull requests with one of these labels
///   run_associations: [OWNER, MEMBER, COLLABORATOR]   # whose /run is obeyed
///   dashboard_url: https://pangeo-forge.org/dashboard
///   details_url: https://pangeo-forge.org/
///   webhook_host: api.example.org    # asked from GitHub when left out
///   public_deliveries: false         # true: GitHub's log of deliveries is shown without the admin key
///   feedstock_template: me/template  # what feedstocks are generated from where an App cannot make repositories
///   forward:
///     hosts: ["*.review.example.org"]   # where `fwd:` labels may pass deliveries on to; none by default
///   runner:
///     kind: command                  # static (the default) reads meta.yaml without running anything
///     command: [pangeo-forge-runner]
///     timeout_seconds: 300           # for expanding
///     bake_timeout_seconds: 7200     # for baking
///     report_timeout_seconds: 86400  # a remote bakery that has not reported by then has lost the run
///     env: [PIP_INDEX_URL]           # variables that the command may see beside PATH and LANG
///     set_env: {BEAM_LOG: warn}      # variables that are set for the command; no secrets
///     checkout: pforge               # who fetches the commit: pforge (the default) or runner
///     sandbox: auto                  # auto (the default): bubblewrap where it works; none; or a wrapper
///     log_bytes: 16777216            # how much of an attempt's output is kept
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Only act on pull requests that carry one of these labels; empty or null = all.
    #[serde(deserialize_with = "null_is_default")]
    pub run_only_on: Vec<String>,
    /// Values of `author_association` whose `/run` comments are obeyed.
    pub run_associations: Vec<String>,
    /// The dashboard that recipe runs are linked to, without a trailing slash.
    pub dashboard_url: String,
    /// Where "Details" of a check run leads.
    pub details_url: String,
    /// Host (and port) of this App's webhook URL. GitHub is asked when it is absent.
    pub webhook_host: Option<String>,
    /// Whether what GitHub keeps of deliveries may be read without the admin key. The payloads are
    /// those of private repositories too.
    pub public_deliveries: bool,
    /// `owner/repo` of the template that feedstocks of a user account are generated from: there an
    /// App cannot make repositories otherwise.
    #[serde(deserialize_with = "repository_name")]
    pub feedstock_template: Option<String>,
    /// Which hosts `fwd:` labels may pass deliveries on to.
    pub forward: ForwardSettings,
    /// What expands recipes.
    pub runner: RunnerSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            run_only_on: Vec::new(),
            run_associations: ["OWNER", "MEMBER", "COLLABORATOR"].map(str::to_owned).to_vec(),
            dashboard_url: "https://pangeo-forge.org/dashboard".to_owned(),
            details_url: "https://pangeo-forge.org/".to_owned(),
            webhook_host: None,
            public_deliveries: false,
            feedstock_template: None,
            forward: ForwardSettings::default(),
            runner: RunnerSettings::default(),
        }
    }
}

/// Which runner expands `meta.yaml`, and how it is run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunnerSettings {
    /// `static` reads `meta.yaml` through GitHub and executes nothing; `command` runs a program.
    pub kind: RunnerKind,
    /// The program and its leading arguments, for `command`.
    #[serde(deserialize_with = "not_empty")]
    pub command: Vec<String>,
    /// One expansion may not take longer, in seconds (1 to 1800); its processes are killed then.
    #[serde(deserialize_with = "sane_timeout")]
    pub timeout_seconds: u64,
    /// One bake may not take longer, in seconds (1 to 86400); its processes are killed then.
    #[serde(deserialize_with = "sane_bake_timeout")]
    pub bake_timeout_seconds: u64,
    /// A remote bakery that does not report the end of a job for this long never will, in seconds
    /// (60 to 2592000).
    #[serde(deserialize_with = "sane_report_timeout")]
    pub report_timeout_seconds: u64,
    /// Names of environment variables that the program may see beside `PATH` and `LANG`.
    pub env: Vec<String>,
    /// Variables that are set for the program. They are no secrets.
    #[serde(deserialize_with = "null_is_default")]
    pub set_env: BTreeMap<String, String>,
    /// Who fetches the commit.
    pub checkout: Checkout,
    /// What the program is shut into.
    pub sandbox: SandboxKind,
    /// How much of the output of one attempt is kept, in bytes (at least 4096).
    #[serde(deserialize_with = "sane_log")]
    pub log_bytes: u64,
    /// Their values. This room reads no environment: the command line fills it in.
    #[serde(skip)]
    pub environment: BTreeMap<String, String>,
    /// What the program must not see in a sandbox: folders and files that the command line names.
    #[serde(skip)]
    pub private: Vec<PathBuf>,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            kind: RunnerKind::Static,
            command: vec!["pangeo-forge-runner".to_owned()],
            timeout_seconds: 300,
            bake_timeout_seconds: 2 * 3600,
            report_timeout_seconds: 24 * 3600,
            env: Vec::new(),
            set_env: BTreeMap::new(),
            checkout: Checkout::Pforge,
            sandbox: SandboxKind::Auto,
            log_bytes: 16 * 1024 * 1024,
            environment: BTreeMap::new(),
            private: Vec::new(),
        }
    }
}

impl RunnerSettings {
    /// [`Self::timeout_seconds`] as a duration.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// [`Self::bake_timeout_seconds`] as a duration.
    pub fn bake_timeout(&self) -> Duration {
        Duration::from_secs(self.bake_timeout_seconds)
    }

    /// [`Self::report_timeout_seconds`] as a duration.
    pub fn report_timeout(&self) -> Duration {
        Duration::from_secs(self.report_timeout_seconds)
    }

    /// Takes the values of the variables that the program may see from `lookup`, which is how
    /// the command line reads its environment.
    pub fn take_environment(&mut self, lookup: impl Fn(&str) -> Option<String>) {
        let names = ["PATH", "LANG"].into_iter().chain(self.env.iter().map(String::as_str));
        self.environment = names.filter_map(|name| Some((name.to_owned(), lookup(name)?))).collect();
    }

    /// Values that the operator lets through by name: they may be credentials and must not be
    /// repeated in what the world can read.
    pub fn sensitive(&self) -> Vec<String> {
        let named = |name: &String| self.env.contains(name) && name != "PATH" && name != "LANG";
        self.environment.iter().filter(|(name, _)| named(name)).map(|(_, value)| value.clone()).collect()
    }
}

/// What expands recipes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunnerKind {
    /// Reads the plain form of `meta.yaml` and executes nothing.
    #[default]
    Static,
    /// Runs pangeo-forge-runner, or what is configured in its place.
    Command,
}

/// Who fetches the commit of a feedstock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checkout {
    /// pforge, through GitHub's API: the runner needs neither a network nor credentials for it.
    #[default]
    Pforge,
    /// The runner: it is given the repository's address and the commit.
    Runner,
}

/// What the runner is shut into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SandboxKind {
    /// bubblewrap where it is there and works, else nothing.
    #[default]
    Auto,
    /// Nothing.
    None,
    /// This program and its leading arguments; the runner's command line follows.
    Wrapper(Vec<String>),
}

impl<'de> Deserialize<'de> for SandboxKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(String),
            Words(Vec<String>),
        }
        let wrong = || serde::de::Error::custom("expected auto, none, or a list of a wrapper and its arguments");
        match Written::deserialize(deserializer).map_err(|_| wrong())? {
            Written::Word(word) if word == "auto" => Ok(Self::Auto),
            Written::Word(word) if word == "none" => Ok(Self::None),
            Written::Words(words) if words.first().is_some_and(|program| !program.is_empty()) => {
                Ok(Self::Wrapper(words))
            }
            _ => Err(wrong()),
        }
    }
}

impl Settings {
    /// Whether the labels of a pull request let this app act on it. Names of labels have no case
    /// on GitHub.
    pub fn acts_on<'a>(&self, mut labels: impl Iterator<Item = &'a str>) -> bool {
        self.run_only_on.is_empty()
            || labels.any(|label| self.run_only_on.iter().any(|wanted| wanted.eq_ignore_ascii_case(label)))
    }

    /// Whether a commenter with this `author_association` may start runs.
    pub fn may_run(&self, association: &str) -> bool {
        self.run_associations.iter().any(|allowed| allowed.eq_ignore_ascii_case(association))
    }

    /// `host[:port]` of a webhook URL.
    pub fn host_of(url: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn repository_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    let two =
        |name: &str| matches!(name.split_once('/'), Some((a, b)) if !a.is_empty() && !b.is_empty() && !b.contains('/'));
    if name.as_deref().is_none_or(two) { Ok(name) } else { Err(serde::de::Error::custom("expected owner/repo")) }
}

fn not_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let command = Vec::<String>::deserialize(deserializer)?;
    match command.first() {
        Some(program) if !program.is_empty() => Ok(command),
        _ => Err(serde::de::Error::custom("the command must name a program")),
    }
}

fn sane_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, 1, 1800)
}

fn sane_bake_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, 1, BAKE_TIMEOUT_MAX.as_secs())
}

fn sane_report_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, 60, 30 * 24 * 3600)
}

fn sane_log<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, 4096, 1 << 30)
}

fn within<'de, D: Deserializer<'de>>(deserializer: D, least: u64, most: u64) -> Result<u64, D::Error> {
    let value = u64::deserialize(deserializer)?;
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(serde::de::Error::custom(format!("{value} is not in {least}..={most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Settings, String> {
        serde_yaml::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn everything_has_a_default() {
        assert_eq!(read("{}"), Ok(Settings::default()));
        assert_eq!(read("run_only_on: null"), Ok(Settings::default()));
        let set = read("runner: {kind: command, command: [sandbox, pfr], timeout_seconds: 5, env: [TOKEN]}").unwrap();
        assert_eq!(set.runner.kind, RunnerKind::Command);
        assert_eq!(set.runner.timeout(), Duration::from_secs(5));
        assert_eq!(set.runner.bake_timeout(), Duration::from_secs(7200));
        let set = read("runner: {set_env: {A: b}, checkout: runner, sandbox: [firejail, --quiet]}").unwrap().runner;
        assert_eq!(set.set_env["A"], "b");
        assert_eq!(set.checkout, Checkout::Runner);
        assert_eq!(set.sandbox, SandboxKind::Wrapper(vec!["firejail".into(), "--quiet".into()]));
        assert_eq!(read("runner: {sandbox: none}").unwrap().runner.sandbox, SandboxKind::None);
    }

    #[test]
    fn mistakes_are_named() {
        for (yaml, words) in [
            ("run_only: [a]", "unknown field `run_only`"),
            ("runner: {kind: docker}", "unknown variant `docker`"),
            ("runner: {command: []}", "must name a program"),
            ("feedstock_template: template", "expected owner/repo"),
            ("runner: {timeout_seconds: 0}", "0 is not in 1..=1800"),
            ("runner: {bake_timeout_seconds: 86401}", "86401 is not in 1..=86400"),
            ("runner: {checkout: git}", "unknown variant `git`"),
            ("runner: {sandbox: docker}", "expected auto, none, or a list"),
            ("runner: {sandbox: []}", "expected auto, none, or a list"),
            ("runner: {log_bytes: 1}", "1 is not in 4096..="),
        ] {
            let error = read(yaml).expect_err(yaml);
            assert!(error.contains(words), "{yaml}: {error}");
        }
    }

    #[test]
    fn labels_filter() {
        let settings = Settings { run_only_on: vec!["My-App".into(), "x".into()], ..Settings::default() };
        assert!(settings.acts_on(["a", "my-app"].into_iter()));
        assert!(!settings.acts_on(["a"].into_iter()));
        assert!(!settings.acts_on([].into_iter()));
        assert!(Settings::default().acts_on([].into_iter()));
    }

    #[test]
    fn only_named_variables_are_taken_and_their_values_are_sensitive() {
        let mut runner = RunnerSettings { env: vec!["TOKEN".into(), "ABSENT".into()], ..RunnerSettings::default() };
        runner.take_environment(|name| (name != "ABSENT").then(|| format!("value of {name}")));
        assert_eq!(runner.environment.keys().collect::<Vec<_>>(), ["LANG", "PATH", "TOKEN"]);
        assert_eq!(runner.sensitive(), ["value of TOKEN"]);
    }

    #[test]
    fn hosts_keep_their_port() {
        assert_eq!(Settings::host_of("https://smee.io/abc").as_deref(), Some("smee.io"));
        assert_eq!(Settings::host_of("http://127.0.0.1:8000/github/hooks/").as_deref(), Some("127.0.0.1:8000"));
        assert_eq!(Settings::host_of("nonsense"), None);
    }
}
