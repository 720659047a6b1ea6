//! Starting the program, for expanding and for baking: its folder, what it may see, its time.
//!
//! It may execute the recipe's code: it is given no credentials but those of the storages it shall
//! write to, a folder of its own that is removed afterwards, and limited time. What it started dies
//! with it.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::{OnceCell, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::checkout::{self, Commit};
use super::child::{Group, Listener, Stopped};
use super::folder::{self, Folder};
#[cfg(unix)]
use super::guard::Guard;
use super::output::Outcome;
use super::sandbox::{Cage, Sandbox, find, installation};
use super::scan::{Cleaner, Known};
use crate::apps::recipes::settings::{Checkout, RunnerSettings};
use crate::github;
use crate::util::Secret;

/// What the program finds in `PATH` when the command line gave none.
pub(super) const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What is to be done.
pub(super) struct Ask<'a> {
    /// `expand-meta` or `bake`.
    pub verb: &'static str,
    /// Which feedstock.
    pub commit: Commit<'a>,
    /// Further arguments, before the config file's.
    pub arguments: Vec<String>,
    /// The config file.
    pub config: Option<Secret>,
    /// Folders that it writes to.
    pub writable: Vec<PathBuf>,
    /// Values that must not be repeated, beside those of the environment.
    pub known: Known,
    /// How long it may take.
    pub timeout: Duration,
}

/// How it ended.
pub(super) struct Ended {
    /// Its exit code.
    pub status: ExitStatus,
    /// What it said.
    pub outcome: Outcome,
    /// Takes the secrets out of what is repeated of it.
    pub cleaner: Cleaner,
    /// `meta.yaml` of the feedstock, when pforge fetched it.
    pub meta: Option<Vec<u8>>,
}

/// Why it has no end of its own.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The feedstock's own fault.
    Feedstock(String),
    /// It took too long.
    TimedOut,
    /// Somebody asked to stop it.
    Cancelled,
    /// The operator must act.
    Broken(String),
    /// GitHub did not give the feedstock.
    GitHub(github::Error),
}

/// Starts the configured program.
#[derive(Clone, Debug)]
pub(super) struct Launcher {
    settings: RunnerSettings,
    github: Option<github::Client>,
    known: Known,
    /// Found out when it is needed first.
    sandbox: Arc<OnceCell<Sandbox>>,
}

impl Launcher {
    /// One that fetches feedstocks through `github`.
    pub(super) fn new(settings: &RunnerSettings, github: Option<github::Client>) -> Self {
        let known = Known::new(settings.sensitive());
        Self { settings: settings.clone(), github, known, sandbox: Arc::default() }
    }

    /// The settings.
    pub(super) fn settings(&self) -> &RunnerSettings {
        &self.settings
    }

    /// Runs the program to its end.
    ///
    /// # Errors
    /// How it was kept from it. When this is dropped, all that was started is stopped.
    pub(super) async fn run(
        &self,
        ask: Ask<'_>,
        log: Option<mpsc::Sender<String>>,
        cancel: &CancellationToken,
    ) -> Result<Ended, Trouble> {
        let broken = |what: &str, error: std::io::Error| Trouble::Broken(format!("{what}: {error}"));
        let folder = Folder::create().map_err(|error| broken("cannot create a folder for it", error))?;
        let ended = self.run_in(&folder, ask, log, cancel).await;
        folder.remove().await;
        ended
    }

    async fn run_in(
        &self,
        folder: &Folder,
        ask: Ask<'_>,
        log: Option<mpsc::Sender<String>>,
        cancel: &CancellationToken,
    ) -> Result<Ended, Trouble> {
        let broken = |what: &str, error: std::io::Error| Trouble::Broken(format!("{what}: {error}"));
        let deadline = Instant::now() + ask.timeout;
        let fetched = match self.settings.checkout {
            Checkout::Runner => None,
            Checkout::Pforge => Some(tokio::select! {
                fetched = self.fetch(folder, &ask.commit) => fetched?,
                () = tokio::time::sleep_until(deadline) => return Err(Trouble::TimedOut),
                () = cancel.cancelled() => return Err(Trouble::Cancelled),
            }),
        };
        let words = self.words(folder, &ask, fetched.is_some())?;
        let words = self.shut_in(words, folder, &ask).await?;
        // Over the folder and what is written into it, from before the program is there.
        #[cfg(unix)]
        let mut guard = Guard::set(folder.path()).map_err(|error| broken("cannot start its guard", error))?;
        let group = Group::start(self.command(&words, folder)?).map_err(|error| broken("cannot start it", error))?;
        #[cfg(unix)]
        if let Some(group) = group.id() {
            guard.watch(group).map_err(|error| broken("its guard died", error))?;
        }
        let cleaner = Cleaner::new(self.known.and(&ask.known)).within(folder.path(), folder::CHECKOUT);
        let mut listener = Listener { outcome: Outcome::default(), cleaner, log };
        let heard = group.hear(deadline, cancel, &mut listener).await;
        let Listener { outcome, cleaner, .. } = listener;
        match heard {
            Ok(status) => Ok(Ended { status, outcome, cleaner, meta: fetched }),
            Err(Stopped::TimedOut) => Err(Trouble::TimedOut),
            Err(Stopped::Cancelled) => Err(Trouble::Cancelled),
            Err(Stopped::Lost(error)) => Err(Trouble::Broken(format!("cannot wait for it: {error}"))),
        }
    }

    /// The feedstock, in the folder; its `meta.yaml`.
    async fn fetch(&self, folder: &Folder, commit: &Commit<'_>) -> Result<Vec<u8>, Trouble> {
        let no_github = || Trouble::Broken("no GitHub App credentials are configured".to_owned());
        let github = self.github.as_ref().ok_or_else(no_github)?;
        checkout::fetch(github, commit, &folder.checkout()).await
    }

    /// The program's command line.
    fn words(&self, folder: &Folder, ask: &Ask<'_>, fetched: bool) -> Result<Vec<String>, Trouble> {
        let mut words = self.settings.command.clone();
        words.push(ask.verb.to_owned());
        if fetched {
            words.push(format!("--repo={}", folder.checkout().display()));
        } else {
            words.push(format!("--repo={}", ask.commit.repo_html_url));
            words.push(format!("--ref={}", ask.commit.sha));
        }
        words.push("--json".to_owned());
        words.extend(ask.arguments.iter().cloned());
        if let Some(config) = &ask.config {
            let path = folder.write_config(config.expose());
            let path = path.map_err(|error| Trouble::Broken(format!("cannot write its config: {error}")))?;
            words.push(format!("-f={}", path.display()));
        }
        words.extend(ask.commit.feedstock_subdir.map(|subdir| format!("--feedstock-subdir={subdir}")));
        Ok(words)
    }

    /// The command line in the sandbox.
    async fn shut_in(&self, mut words: Vec<String>, folder: &Folder, ask: &Ask<'_>) -> Result<Vec<String>, Trouble> {
        let path = self.search_path();
        let sandbox = self.sandbox.get_or_init(|| Sandbox::probe(&self.settings.sandbox, path)).await;
        let mut visible = Vec::new();
        if let Sandbox::Bubblewrap(_) = sandbox {
            for folder in &ask.writable {
                std::fs::create_dir_all(folder)
                    .map_err(|error| Trouble::Broken(format!("cannot create {}: {error}", folder.display())))?;
            }
            let program = words.first().and_then(|program| find(program, path)).ok_or_else(|| self.not_found())?;
            visible = installation(&program);
            let lent = self.settings.set_env.iter().filter(|(name, _)| name.ends_with("PATH"));
            visible.extend(lent.flat_map(|(_, value)| value.split(':')).map(PathBuf::from));
            if let Some(first) = words.first_mut() {
                *first = program.display().to_string();
            }
        }
        let cage = Cage {
            folder: folder.path(),
            home: &folder.home(),
            writable: &ask.writable,
            private: &self.settings.private,
            visible: &visible,
        };
        Ok(sandbox.wrap(words, &cage))
    }

    fn command(&self, words: &[String], folder: &Folder) -> Result<Command, Trouble> {
        let (program, arguments) =
            words.split_first().ok_or_else(|| Trouble::Broken("no command is configured".to_owned()))?;
        // Looked up here: a child that cannot be started says only that something is not there.
        let program = find(program, self.search_path()).ok_or_else(|| self.not_found())?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", DEFAULT_PATH).env("PIP_QUIET", "1");
        command.envs(&self.settings.environment).envs(&self.settings.set_env);
        command.env("HOME", folder.home()).env("TMPDIR", folder.tmp()).current_dir(folder.home());
        Ok(command)
    }

    fn search_path(&self) -> &str {
        let set = self.settings.set_env.get("PATH").or_else(|| self.settings.environment.get("PATH"));
        set.map_or(DEFAULT_PATH, String::as_str)
    }

    fn not_found(&self) -> Trouble {
        let program = self.settings.command.first().map_or("", String::as_str);
        Trouble::Broken(format!("{program} is not there or not in the PATH: is it installed?"))
    }
}
