//! What the program is shut into: bubblewrap where it works, or a wrapper of the operator's.
//!
//! In bubblewrap it sees the system, read only; homes, other temporary files, sockets and what the
//! operator keeps private are not there; it writes to its own folder and to the local storages of its
//! bakery. The network stays: recipes fetch their inputs.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::apps::recipes::settings::SandboxKind;

/// How long the probe may take.
const PROBE: Duration = Duration::from_secs(5);
/// Folders that are never shown, where they exist.
const HIDDEN: [&str; 4] = ["/root", "/home", "/run", "/tmp"];
/// What of them is: without it there are no names of hosts on many systems.
const RESOLVER: &str = "/run/systemd/resolve";

/// What is used here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sandbox {
    /// Nothing.
    None,
    /// bubblewrap, at this path.
    Bubblewrap(PathBuf),
    /// A program and its leading arguments.
    Wrapper(Vec<String>),
}

/// What the program may see and change.
#[derive(Debug)]
pub(super) struct Cage<'a> {
    /// Its own folder.
    pub folder: &'a Path,
    /// Where it starts.
    pub home: &'a Path,
    /// Further folders that it writes to; they exist.
    pub writable: &'a [PathBuf],
    /// What it must not see: folders and files.
    pub private: &'a [PathBuf],
    /// What it must see even where its surroundings are hidden.
    pub visible: &'a [PathBuf],
}

impl Sandbox {
    /// Finds out what is used here, and says so in the log.
    pub(super) async fn probe(kind: &SandboxKind, search_path: &str) -> Self {
        match kind {
            SandboxKind::Wrapper(words) => {
                tracing::info!(wrapper = words.join(" "), "the recipe runner is started by a wrapper");
                Self::Wrapper(words.clone())
            }
            SandboxKind::None => {
                tracing::info!("the recipe runner is not shut into a sandbox: recipes.runner.sandbox is none");
                Self::None
            }
            SandboxKind::Auto => match bubblewrap(search_path).await {
                Ok(path) => {
                    tracing::info!(bubblewrap = %path.display(), "the recipe runner is shut into bubblewrap");
                    Self::Bubblewrap(path)
                }
                Err(why) => {
                    tracing::warn!(why, "the recipe runner is not shut into a sandbox");
                    Self::None
                }
            },
        }
    }

    /// The command line that runs `words` inside.
    pub(super) fn wrap(&self, words: Vec<String>, cage: &Cage<'_>) -> Vec<String> {
        match self {
            Self::None => words,
            Self::Wrapper(wrapper) => wrapper.iter().cloned().chain(words).collect(),
            Self::Bubblewrap(path) => {
                let program = path.display().to_string();
                [program].into_iter().chain(arguments(cage, |path| path.exists())).chain(words).collect()
            }
        }
    }
}

/// bubblewrap, if it can shut something in here: in many containers it is not allowed to.
async fn bubblewrap(search_path: &str) -> Result<PathBuf, String> {
    let path = find("bwrap", search_path).ok_or("bubblewrap (bwrap) is not installed")?;
    let mut command = Command::new(&path);
    let nowhere = Cage { folder: Path::new("/"), home: Path::new("/"), writable: &[], private: &[], visible: &[] };
    // The parts that a system may refuse; binding the whole system writable would be none.
    let isolation = arguments(&nowhere, |_| false).into_iter().take_while(|word| word != "--bind");
    command.args(isolation).args(["--", "true"]).env_clear().env("PATH", search_path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    match tokio::time::timeout(PROBE, command.output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(path),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("bubblewrap does not work here: {}", said.lines().next().unwrap_or("it said nothing").trim()))
        }
        Ok(Err(error)) => Err(format!("bubblewrap does not work here: {error}")),
        Err(_) => Err("bubblewrap does not work here: it hangs".to_owned()),
    }
}

/// A program of the search path.
pub(super) fn find(program: &str, search_path: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return std::path::absolute(program).ok().filter(|path| path.is_file());
    }
    search_path.split(':').map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}

/// What a program in a hidden place needs to run: its installation. For a Python program in a
/// virtual environment that is the environment, and that of the interpreter behind it.
pub(super) fn installation(program: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let beside = program.parent().map(|folder| folder.join("python3"));
    for path in [Some(program.to_path_buf()), beside].into_iter().flatten() {
        for path in [Some(path.clone()), path.canonicalize().ok()].into_iter().flatten() {
            let Some(folder) = path.parent() else { continue };
            // Never a whole home, which `~/bin` would give.
            let prefix = folder.parent().filter(|prefix| folder.ends_with("bin") && prefix.join("lib").is_dir());
            let prefix = prefix.map_or_else(|| path.clone(), Path::to_path_buf);
            if !found.contains(&prefix) {
                found.push(prefix);
            }
        }
    }
    found
}

/// bubblewrap's arguments; later ones lie over earlier ones.
fn arguments(cage: &Cage<'_>, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut words: Vec<String> = ["--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc"]
        .into_iter()
        .chain(["--unshare-uts", "--cap-drop", "ALL"])
        .chain(["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"])
        .map(str::to_owned)
        .collect();
    let mut add = |option: &str, paths: &[&Path]| {
        words.push(option.to_owned());
        words.extend(paths.iter().map(|path| path.display().to_string()));
    };
    let hidden: Vec<&Path> = HIDDEN
        .iter()
        .map(Path::new)
        .chain(cage.private.iter().map(PathBuf::as_path))
        .filter(|path| exists(path))
        .collect();
    for path in &hidden {
        hide(path, &mut add);
    }
    if exists(Path::new(RESOLVER)) {
        add("--ro-bind", &[Path::new(RESOLVER), Path::new(RESOLVER)]);
    }
    for path in cage.visible {
        if exists(path) && hidden.iter().any(|hidden| path.starts_with(hidden)) {
            add("--ro-bind", &[path, path]);
        }
    }
    // What is private within what is shown.
    for path in cage.private.iter().filter(|path| exists(path)) {
        if cage.visible.iter().any(|visible| path.starts_with(visible)) {
            hide(path, &mut add);
        }
    }
    for path in [cage.folder].into_iter().chain(cage.writable.iter().map(PathBuf::as_path)) {
        add("--bind", &[path, path]);
    }
    add("--chdir", &[cage.home]);
    words.push("--".to_owned());
    words
}

fn hide(path: &Path, add: &mut impl FnMut(&str, &[&Path])) {
    if path.is_file() {
        add("--ro-bind", &[Path::new("/dev/null"), path]);
    } else {
        add("--tmpfs", &[path]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bubblewrap_is_told_what_is_seen_and_what_is_written() {
        let sandbox = Sandbox::Bubblewrap("/usr/bin/bwrap".into());
        let cage = Cage {
            folder: Path::new("/tmp/pforge-runner-x"),
            home: Path::new("/tmp/pforge-runner-x/home"),
            writable: &["/srv/data/run".into()],
            private: &["/srv/pforge/secrets".into()],
            visible: &["/home/me/venv".into(), "/usr".into()],
        };
        let words = arguments(&cage, |_| true).join(" ");
        assert_eq!(
            words,
            "--die-with-parent --new-session --unshare-pid --unshare-ipc --unshare-uts --cap-drop ALL \
             --ro-bind / / --dev /dev --proc /proc \
             --tmpfs /root --tmpfs /home --tmpfs /run --tmpfs /tmp --tmpfs /srv/pforge/secrets \
             --ro-bind /run/systemd/resolve /run/systemd/resolve --ro-bind /home/me/venv /home/me/venv \
             --bind /tmp/pforge-runner-x /tmp/pforge-runner-x --bind /srv/data/run /srv/data/run \
             --chdir /tmp/pforge-runner-x/home --"
        );
        let wrapped = sandbox.wrap(vec!["runner".into(), "bake".into()], &cage);
        assert_eq!((wrapped[0].as_str(), wrapped[wrapped.len() - 1].as_str()), ("/usr/bin/bwrap", "bake"));
    }

    #[test]
    fn other_sandboxes_are_plain() {
        let words = vec!["runner".to_owned(), "bake".to_owned()];
        let here = Path::new("/x");
        let cage = Cage { folder: here, home: here, writable: &[], private: &[], visible: &[] };
        assert_eq!(Sandbox::None.wrap(words.clone(), &cage), words);
        let wrapper = Sandbox::Wrapper(vec!["firejail".into(), "--quiet".into()]);
        assert_eq!(wrapper.wrap(words, &cage), ["firejail", "--quiet", "runner", "bake"]);
    }

    #[tokio::test]
    async fn a_bubblewrap_that_does_not_work_is_not_used() {
        let folder = tempfile::tempdir().expect("tempdir");
        let nothing = folder.path().display().to_string();
        assert_eq!(Sandbox::probe(&SandboxKind::Auto, &nothing).await, Sandbox::None);
        std::fs::write(folder.path().join("bwrap"), "#!/bin/sh\nexit 1\n").expect("script");
        assert_eq!(Sandbox::probe(&SandboxKind::Auto, &nothing).await, Sandbox::None);
    }

    #[test]
    fn a_virtual_environment_is_one_installation() {
        let folder = tempfile::tempdir().expect("tempdir");
        for name in ["venv/bin", "venv/lib", "base/bin", "base/lib", "me/bin"] {
            std::fs::create_dir_all(folder.path().join(name)).expect(name);
        }
        let at = |name: &str| folder.path().join(name);
        for name in ["venv/bin/runner", "base/bin/python3.11", "me/bin/tool"] {
            std::fs::write(at(name), "").expect(name);
        }
        std::os::unix::fs::symlink(at("base/bin/python3.11"), at("venv/bin/python3")).expect("link");
        assert_eq!(installation(&at("venv/bin/runner")), [at("venv"), at("base")]);
        assert_eq!(installation(&at("me/bin/tool"))[0], at("me/bin/tool"), "not the whole home");
    }
}
