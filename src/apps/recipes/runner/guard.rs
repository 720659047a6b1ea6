//! A small process that outlives this one, should it be killed: it kills the program's group and
//! removes the folder with the secrets.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// It reads the group's number, then the word that all is well. When its pipe ends before that,
/// this process is gone.
const SCRIPT: &str = r#"read -r group || { rm -rf -- "$1"; exit 0; }
read -r word && exit 0
kill -9 "-$group" 2>/dev/null
rm -rf -- "$1"
"#;

/// The guard of one folder. Dropping it says that all is well.
pub(super) struct Guard {
    /// Open as long as this process lives.
    pipe: Option<File>,
    #[cfg(test)]
    id: Option<u32>,
}

impl Guard {
    /// Sets a guard over `folder`.
    ///
    /// # Errors
    /// When there is no `sh`.
    pub(super) fn set(folder: &Path) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "pforge-guard"]).arg(folder);
        command.env_clear().env("PATH", super::launch::DEFAULT_PATH).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own: what ends this process's group must not end it.
        let mut child = command.process_group(0).spawn()?;
        let pipe = child.stdin.take().ok_or_else(|| io::Error::other("it has no pipe"))?;
        Ok(Self {
            pipe: Some(File::from(pipe.into_owned_fd()?)),
            #[cfg(test)]
            id: child.id(),
        })
    }

    /// The group that it kills.
    ///
    /// # Errors
    /// When the guard is dead.
    pub(super) fn watch(&mut self, group: u32) -> io::Result<()> {
        match &mut self.pipe {
            Some(pipe) => writeln!(pipe, "{group}"),
            None => Ok(()),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Should it never have heard of a group, these are the two lines that it waits for. When they
        // cannot be written, it is dead.
        if let Some(pipe) = &mut self.pipe {
            let _ = pipe.write_all(b"0\nwell\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::time::{Duration, Instant};

    use super::*;

    fn patiently(mut done: impl FnMut() -> bool) -> bool {
        let until = Instant::now() + Duration::from_secs(10);
        while !done() {
            if Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    fn folder() -> std::path::PathBuf {
        let folder = tempfile::tempdir().expect("tempdir").keep();
        std::fs::write(folder.join("config.json"), "secret").expect("write");
        folder
    }

    #[tokio::test]
    async fn when_its_pipe_breaks_it_kills_and_removes() {
        let folder = folder();
        let mut group = std::process::Command::new("sleep").arg("600").process_group(0).spawn().expect("sleep");
        let mut guard = Guard::set(&folder).expect("sh");
        guard.watch(group.id()).expect("written");
        // What a crash does: the pipe ends without a word.
        drop(guard.pipe.take());
        assert!(patiently(|| group.try_wait().expect("wait").is_some()), "the group lives on");
        assert_eq!(group.wait().expect("wait").signal(), Some(9));
        assert!(patiently(|| !folder.exists()), "the folder is still there");
    }

    #[tokio::test]
    async fn when_all_is_well_it_ends_and_does_nothing() {
        let folder = folder();
        let mut sleeper = std::process::Command::new("sleep").arg("600").process_group(0).spawn().expect("sleep");
        let mut guard = Guard::set(&folder).expect("sh");
        guard.watch(sleeper.id()).expect("written");
        let process = format!("/proc/{}", guard.id.expect("it runs"));
        drop(guard);
        assert!(patiently(|| !Path::new(&process).join("exe").exists()), "the guard stays");
        assert!(folder.exists());
        assert_eq!(sleeper.try_wait().expect("wait"), None);
        sleeper.kill().expect("killed");
        sleeper.wait().expect("reaped");
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
