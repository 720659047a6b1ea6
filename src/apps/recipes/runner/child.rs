//! A program as a child in a process group of its own, heard line by line.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::output::{Lines, Outcome, Source};
use super::scan::Cleaner;

/// How long the pipes may stay open after the whole group is dead: something that left the group
/// may hold them.
const PIPE_GRACE: Duration = Duration::from_secs(1);
/// Lines on their way from the pipes; a program that writes faster than it is heard has to wait.
const LINES_UNDER_WAY: usize = 16;

/// Why a program did not end by itself.
#[derive(Debug)]
pub(super) enum Stopped {
    /// Its time was over.
    TimedOut,
    /// Somebody asked to stop it.
    Cancelled,
    /// It cannot be waited for.
    Lost(std::io::Error),
}

/// What is heard of a program.
pub(super) struct Listener {
    /// What matters of it.
    pub outcome: Outcome,
    /// Takes the secrets out of what is repeated.
    pub cleaner: Cleaner,
    /// Where its lines go, when somebody wants them.
    pub log: Option<mpsc::Sender<String>>,
}

impl Listener {
    async fn hear(&mut self, source: Source, line: &[u8]) {
        let Some(text) = self.outcome.take(source, line) else { return };
        let Some(log) = &self.log else { return };
        for line in text.lines() {
            // Nobody listens any more: the program goes on all the same.
            let _ = log.send(self.cleaner.line(line)).await;
        }
    }
}

/// A child that leads a process group of its own; the group dies when this is dropped.
pub(super) struct Group {
    child: Child,
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    /// Starts `command` with pipes for what it writes and nothing to read.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(mut command: Command) -> std::io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        #[cfg(unix)]
        let leader = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self {
            child,
            #[cfg(unix)]
            leader,
        })
    }

    /// The number of the group, which is that of its leader.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Hears the program to its end. When it is stopped before, or this is dropped, the program and
    /// all that it started are killed.
    ///
    /// # Errors
    /// How it was stopped.
    pub(super) async fn hear(
        self,
        deadline: Instant,
        cancel: &CancellationToken,
        listener: &mut Listener,
    ) -> Result<ExitStatus, Stopped> {
        tokio::select! {
            ended = self.until_end(listener) => ended.map_err(Stopped::Lost),
            () = tokio::time::sleep_until(deadline) => Err(Stopped::TimedOut),
            () = cancel.cancelled() => Err(Stopped::Cancelled),
        }
    }

    async fn until_end(mut self, listener: &mut Listener) -> std::io::Result<ExitStatus> {
        let (lines, mut heard) = mpsc::channel(LINES_UNDER_WAY);
        let readers = (
            AbortOnDropHandle::new(tokio::spawn(read(self.child.stdout.take(), Source::Out, lines.clone()))),
            AbortOnDropHandle::new(tokio::spawn(read(self.child.stderr.take(), Source::Err, lines))),
        );
        let status = loop {
            tokio::select! {
                Some((source, line)) = heard.recv() => listener.hear(source, &line).await,
                status = self.child.wait() => break status?,
            }
        };
        // Its children hold the pipes open; they are not needed any more.
        self.kill();
        let until = Instant::now() + PIPE_GRACE;
        while let Ok(Some((source, line))) = tokio::time::timeout_at(until, heard.recv()).await {
            listener.hear(source, &line).await;
        }
        drop(readers);
        Ok(status)
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

async fn read(pipe: Option<impl AsyncRead + Unpin>, source: Source, to: mpsc::Sender<(Source, Vec<u8>)>) {
    let Some(mut pipe) = pipe else { return };
    let mut lines = Lines::default();
    let mut buffer = vec![0; 16 * 1024];
    // A pipe that cannot be read any more is one that has ended.
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        for line in lines.feed(&buffer[..read]) {
            if to.send((source, line)).await.is_err() {
                return;
            }
        }
    }
    if let Some(line) = lines.end() {
        // As above: nobody listens any more.
        let _ = to.send((source, line)).await;
    }
}
