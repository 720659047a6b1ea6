//! pangeo-forge-runner, or what stands in for it, as a child process.
//!
//! Expanding may execute the recipe's code (`dict_object`): the program is given no credentials,
//! a folder of its own that is removed afterwards, and limited time. What it started dies with it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio_util::task::AbortOnDropHandle;

use super::output::{Lines, Outcome, Tail};
use super::static_meta::StaticRunner;
use super::{ExpandRequest, Meta, Runner, RunnerFailure};
use crate::apps::recipes::settings::RunnerSettings;

/// How much of the end of standard error is kept, in bytes.
const STDERR_TAIL: usize = 64 * 1024;
/// How long the pipes may stay open after the whole group is dead: something that left the group
/// may hold them.
const PIPE_GRACE: Duration = Duration::from_secs(1);
/// What the program finds in `PATH` when the command line gave none.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Runs a configured command.
#[derive(Clone, Debug)]
pub struct CommandRunner {
    /// Reads what the command leaves out.
    reader: Option<StaticRunner>,
    command: Vec<String>,
    timeout: Duration,
    environment: BTreeMap<String, String>,
    sensitive: Vec<String>,
}

impl CommandRunner {
    /// A runner of the configured command.
    ///
    /// pangeo-forge-runner from 0.10 on leaves `bakery` out of its result; `reader` then looks it
    /// up in meta.yaml itself.
    pub fn new(settings: &RunnerSettings, reader: Option<StaticRunner>) -> Self {
        Self {
            reader,
            command: settings.command.clone(),
            timeout: settings.timeout(),
            environment: settings.environment.clone(),
            sensitive: settings.sensitive(),
        }
    }

    async fn run(&self, request: &ExpandRequest) -> Result<Meta, RunnerFailure> {
        let broken = |what: &str, error: std::io::Error| RunnerFailure::Broken(format!("{what}: {error}"));
        let home = tempfile::Builder::new()
            .prefix("pforge-runner-")
            .tempdir()
            .map_err(|error| broken("cannot create a folder for it", error))?;
        let child = self.spawn(request, home.path())?;
        let ended = match tokio::time::timeout(self.timeout, watch(child)).await {
            Ok(ended) => ended.map_err(|error| broken("cannot wait for it", error)),
            // `watch` was dropped and has killed the whole group.
            Err(_) => Err(RunnerFailure::TimedOut(self.timeout)),
        };
        // What the program left behind may be big, and removing it blocks.
        let _ = tokio::task::spawn_blocking(move || drop(home)).await;
        let mut meta = self.judge(ended?)?;
        if let (None, Some(reader)) = (&meta.bakery, &self.reader) {
            meta.bakery = reader.bakery(request).await?;
        }
        Ok(meta)
    }

    fn spawn(&self, request: &ExpandRequest, home: &Path) -> Result<Group, RunnerFailure> {
        let (program, leading) =
            self.command.split_first().ok_or_else(|| RunnerFailure::Broken("no command is configured".to_owned()))?;
        let mut command = Command::new(program);
        command.args(leading).args(arguments(request));
        command.env_clear().env("PATH", DEFAULT_PATH).envs(&self.environment).env("HOME", home).current_dir(home);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        match command.spawn() {
            Ok(child) => Ok(Group::new(child)),
            Err(error) => Err(RunnerFailure::Broken(format!("cannot start {program}: {error}"))),
        }
    }

    /// The exit code decides; the last status explains.
    fn judge(&self, ended: Ended) -> Result<Meta, RunnerFailure> {
        let Ended { status, outcome, stderr } = ended;
        if !status.success() {
            let reason = outcome.failed.or(stderr).or(outcome.text);
            let reason = reason.unwrap_or_else(|| format!("the recipe runner said nothing and ended with {status}"));
            return Err(RunnerFailure::Feedstock(self.redact(reason)));
        }
        let meta = outcome.meta.ok_or_else(|| {
            let reason = outcome.failed.or(outcome.text).or(stderr).map(|text| format!(": {text}")).unwrap_or_default();
            RunnerFailure::Feedstock(self.redact(format!("the recipe runner ended without a result{reason}")))
        })?;
        Meta::deserialize(&meta).map_err(|error| {
            RunnerFailure::Feedstock(self.redact(format!("the recipe runner's result is not usable: {error}")))
        })
    }

    fn redact(&self, text: String) -> String {
        // A value of one or two characters hides nothing and would riddle the text.
        let sensitive = self.sensitive.iter().filter(|value| value.len() > 2);
        sensitive.fold(text, |text, value| text.replace(value.as_str(), "***"))
    }
}

impl Runner for CommandRunner {
    fn expand_meta<'a>(&'a self, request: &'a ExpandRequest) -> BoxFuture<'a, Result<Meta, RunnerFailure>> {
        Box::pin(self.run(request))
    }
}

/// What follows the configured command.
fn arguments(request: &ExpandRequest) -> Vec<String> {
    let mut arguments = vec![
        "expand-meta".to_owned(),
        format!("--repo={}", request.repo_html_url),
        format!("--ref={}", request.head_sha),
        "--json".to_owned(),
    ];
    arguments.extend(request.feedstock_subdir.as_ref().map(|subdir| format!("--feedstock-subdir={subdir}")));
    arguments
}

/// How the program ended.
struct Ended {
    status: ExitStatus,
    outcome: Outcome,
    stderr: Option<String>,
}

/// Reads until the program ends. When dropped, the program and all that it started are killed.
async fn watch(mut group: Group) -> std::io::Result<Ended> {
    let stdout = group.child.stdout.take();
    let stderr = group.child.stderr.take();
    let lines = AbortOnDropHandle::new(tokio::spawn(drain(stdout, Lines::default(), Lines::feed)));
    let tail = AbortOnDropHandle::new(tokio::spawn(drain(stderr, Tail::new(STDERR_TAIL), Tail::feed)));
    let status = group.child.wait().await?;
    // Its children hold the pipes open; they are not needed any more.
    group.kill();
    let (lines, tail) = tokio::join!(tokio::time::timeout(PIPE_GRACE, lines), tokio::time::timeout(PIPE_GRACE, tail));
    let outcome = lines.ok().and_then(Result::ok).unwrap_or_default().end();
    let stderr = tail.ok().and_then(Result::ok).and_then(Tail::last_line);
    Ok(Ended { status, outcome, stderr })
}

async fn drain<T>(pipe: Option<impl AsyncRead + Unpin>, mut into: T, feed: fn(&mut T, &[u8])) -> T {
    if let Some(mut pipe) = pipe {
        let mut buffer = vec![0; 16 * 1024];
        // A pipe that cannot be read any more is one that has ended.
        while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
            feed(&mut into, &buffer[..read]);
        }
    }
    into
}

/// A child that leads a process group of its own; the group dies when this is dropped.
struct Group {
    child: Child,
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    fn new(child: Child) -> Self {
        #[cfg(unix)]
        let leader = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        Self {
            child,
            #[cfg(unix)]
            leader,
        }
    }

    /// Kills what is left of the group, once: afterwards its number may belong to others.
    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(leader) = self.leader.take() {
            // It fails when nothing is left, which is just as well.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
        // Elsewhere there are no groups, and `kill_on_drop` ends the child itself.
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
