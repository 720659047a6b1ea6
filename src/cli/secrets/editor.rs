//! The person's editor, on a copy that nobody else can read and that does not stay.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::cli::cx::Cx;
use crate::cli::env::Env;
use crate::cli::error::{Error, Kind, Result};
use crate::secrets::Text;
use crate::util::file;

/// What is tried when no variable names an editor.
const USUAL: [&str; 3] = ["vim", "nano", "vi"];

/// Editors that wait for ever, or until the end of their input, where there is no terminal.
const NEEDS_TERMINAL: [&str; 8] = ["vim", "nano", "vi", "nvim", "pico", "emacs", "micro", "hx"];

/// An editor that is back sooner, with nothing changed, did not wait for the person.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A plaintext file in a folder of its own, which only the user can enter. Filled with zeroes and
/// removed when dropped.
pub struct Draft {
    folder: TempDir,
    path: PathBuf,
}

/// What came of an editor's run.
#[derive(Debug)]
pub struct Edited {
    /// The text as it was saved.
    pub text: Text,
    /// The editor was back before anybody could have typed.
    pub at_once: bool,
    /// Why the text should not be taken: the editor failed, or pforge was told to end.
    pub failed: Option<Error>,
}

impl Draft {
    /// A file called `name` that holds `text`: in memory, where the machine has a folder for that.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(env: &Env, name: &str, text: &Text) -> Result<Self> {
        let failed = |error: std::io::Error| Error::failure("cannot make a temporary file").caused_by(&error);
        let mut builder = tempfile::Builder::new();
        builder.prefix("pforge-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let in_memory = in_memory(env).and_then(|folder| builder.tempdir_in(folder).ok());
        let folder = in_memory.map_or_else(|| builder.tempdir(), Ok).map_err(failed)?;
        let path = folder.path().join(name);
        file::create_private(&path, text.expose()).map_err(failed)?;
        Ok(Self { folder, path })
    }

    /// Opens the editor on it and waits until the person is done.
    ///
    /// # Errors
    /// When there is no editor, or it left no file.
    pub fn edit(&self, cx: &Cx) -> Result<Edited> {
        let before = self.read()?;
        let (mut command, name) = command(&cx.env)?;
        command.arg(&self.path);
        let program = Path::new(&name).file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if NEEDS_TERMINAL.contains(&program) && !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
            return Err(Error::failure(format!("there is no terminal for the editor {name}"))
                .because("EDITOR may name a program that needs none")
                .hint("pforge secrets set PATH --stdin"));
        }
        let begun = Instant::now();
        let failed = match wait(command.into(), &name)? {
            Some(status) if status.success() => None,
            Some(status) => Some(Error::failure(format!("the editor {name} ended with {status}"))),
            None => Some(Error::new(Kind::Interrupted, "told to end")),
        };
        let text = self.read()?;
        let at_once = begun.elapsed() < AT_ONCE && text == before;
        Ok(Edited { text, at_once, failed: failed.map(|error| error.because("nothing is written to the file")) })
    }

    /// Leaves the file where it is, for the person to take it from there.
    pub fn keep(self) -> PathBuf {
        let path = self.path.clone();
        let mut this = std::mem::ManuallyDrop::new(self);
        this.folder.disable_cleanup(true);
        path
    }

    fn read(&self) -> Result<Text> {
        let bytes = fs::read(&self.path).map_err(|error| {
            Error::failure("the editor left no file").caused_by(&error).because("nothing was written")
        })?;
        Ok(Text::from(bytes))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The copies that editors make (swap files, backups) lie in the same folder.
        for entry in fs::read_dir(self.folder.path()).into_iter().flatten().flatten() {
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
                && let Ok(zeroes) = usize::try_from(metadata.len())
            {
                // Written over in place: a rename would leave the old blocks as they were.
                let written = fs::OpenOptions::new().write(true).open(entry.path());
                let _ = written.and_then(|mut file| std::io::Write::write_all(&mut file, &vec![0; zeroes]));
            }
        }
    }
}

/// A folder in memory: the user's runtime folder, or `/dev/shm`.
fn in_memory(env: &Env) -> Option<PathBuf> {
    let folders = env.path("XDG_RUNTIME_DIR").into_iter().chain([PathBuf::from("/dev/shm")]);
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    folders.into_iter().find(|folder| folder.is_dir() && kind_of(&mounts, folder).is_some_and(|kind| kind == "tmpfs"))
}

/// The kind of the file system that `folder` lies on, by the table of mounts.
fn kind_of<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    let mount = |line: &'a str| {
        let mut words = line.split(' ').skip(1);
        Some((Path::new(words.next()?), words.next()?))
    };
    let above = mounts.lines().filter_map(mount).filter(|(place, _)| folder.starts_with(place));
    // Of two mounts on one place the later hides the earlier.
    above.max_by_key(|(place, _)| place.components().count()).map(|(_, kind)| kind)
}

/// The editor and its name: `SOPS_EDITOR`, `VISUAL`, `EDITOR`, or a usual one that is there.
fn command(env: &Env) -> Result<(std::process::Command, String)> {
    for variable in ["SOPS_EDITOR", "VISUAL", "EDITOR"] {
        let Some(line) = env.get(variable) else { continue };
        let words = shlex::split(line).unwrap_or_default();
        let Some((name, args)) = words.split_first() else {
            return Err(Error::config(format!("{variable} is not a command: its quotes do not match"))
                .hint("export EDITOR='code --wait'"));
        };
        let mut command = std::process::Command::new(name);
        command.args(args);
        return Ok((command, name.clone()));
    }
    let folders: Vec<PathBuf> = std::env::split_paths(env.get("PATH").unwrap_or_default()).collect();
    let there = USUAL.into_iter().find(|name| folders.iter().any(|folder| folder.join(name).is_file()));
    let name = there.ok_or_else(|| {
        Error::config("there is no editor")
            .because(format!("SOPS_EDITOR, VISUAL and EDITOR are not set, and there is no {}", USUAL.join(", no ")))
            .hint("export EDITOR=…")
    })?;
    Ok((std::process::Command::new(name), name.to_owned()))
}

/// Runs the editor to its end. Ctrl-C is the editor's: it gets the signal as well, and decides. A
/// request to end is passed on; there is no status then.
fn wait(command: tokio::process::Command, name: &str) -> Result<Option<ExitStatus>> {
    let mut command = command;
    let failed = |error: std::io::Error| {
        Error::failure(format!("cannot run the editor {name}")).caused_by(&error).hint("export EDITOR=nano")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let mut signals = Signals::new().map_err(failed)?;
        let mut child = command.kill_on_drop(true).spawn().map_err(failed)?;
        loop {
            tokio::select! {
                status = child.wait() => return status.map(Some).map_err(failed),
                ends = signals.next() => if ends {
                    terminate(&mut child).await;
                    return Ok(None);
                },
            }
        }
    })
}

/// Asks a question while a draft is there: where the terminal would end us, the answer is no.
pub fn ask(cx: &Cx, question: &str) -> bool {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return false };
    let (ui, question) = (Arc::clone(&cx.ui), question.to_owned());
    let answer = runtime.block_on(async {
        let Ok(mut signals) = Signals::new() else { return false };
        tokio::select! {
            answer = tokio::task::spawn_blocking(move || ui.confirm(&question, "--no-input")) => {
                answer.is_ok_and(|answer| answer.is_ok_and(|yes| yes))
            }
            _ = signals.next() => {
                cx.ui.verbatim("\n");
                false
            }
        }
    });
    // The question may still wait for its answer.
    runtime.shutdown_background();
    answer
}

/// Asks the editor to end, and insists when it does not.
async fn terminate(child: &mut tokio::process::Child) {
    #[cfg(unix)]
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if tokio::time::timeout(Duration::from_secs(2), child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// What the terminal and the system send while the editor runs.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next one; whether it ends us.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => false,
            _ = self.terminate.recv() => true,
            _ = self.hangup.recv() => true,
        }
    }
}

/// What the terminal sends while the editor runs.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> bool {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Draft, Env, Text, command, kind_of};

    #[test]
    fn the_deepest_mount_decides() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/b /run/disk ext4 rw 0 0\n";
        for (folder, kind) in
            [("/home", "ext4"), ("/run/user/1", "tmpfs"), ("/run/disk/x", "ext4"), ("/runner", "ext4")]
        {
            assert_eq!(kind_of(mounts, Path::new(folder)), Some(kind), "{folder}");
        }
    }

    #[test]
    fn the_first_variable_names_the_editor() {
        let name = |env: Env| command(&env).map(|(_, name)| name).map_err(|error| error.message);
        let all = [("EDITOR", "c"), ("VISUAL", "b --wait"), ("SOPS_EDITOR", "'a b' -x")];
        assert_eq!(name(all.into()).as_deref(), Ok("a b"));
        assert_eq!(name([all[0], all[1]].into()).as_deref(), Ok("b"));
        assert!(name([("EDITOR", "'vi")].into()).is_err());
        assert!(name([("PATH", "/nonexistent")].into()).is_err());
    }

    #[test]
    #[cfg(unix)]
    fn a_draft_is_private_and_does_not_stay() {
        use std::os::unix::fs::PermissionsExt;
        let draft = Draft::new(&Env::default(), "a.yaml", &Text::from("x")).expect("a draft");
        let path = draft.path.clone();
        let mode = |path: &Path| std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
        drop(draft);
        assert!(!path.exists() && !path.parent().expect("a folder").exists());
    }
}
