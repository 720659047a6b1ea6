//! The folder of one run of the program: what it is told, its home, its working directory. It holds
//! secrets, and is removed at the end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// How all of them are called.
const PREFIX: &str = "pforge-runner-";
/// The file that is locked as long as the folder is in use.
const LOCK: &str = "lock";
/// Where the feedstock goes. The program makes a name of the folder's, so it is a plain one.
pub(super) const CHECKOUT: &str = "repo";
/// A folder without a lock is being made, unless it is older.
const MAKING: Duration = Duration::from_secs(60);

/// A folder in use.
#[derive(Debug)]
pub(super) struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// Makes a folder that only this user can enter.
    ///
    /// # Errors
    /// When the system's folder for temporary files cannot be written.
    pub(super) fn create() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        #[cfg(unix)]
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let lock = File::create_new(folder.path().join(LOCK))?;
        lock.lock()?;
        for name in ["home", "tmp"] {
            fs::create_dir(folder.path().join(name))?;
        }
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program's home and working directory.
    pub(super) fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// The program's folder for temporary files.
    pub(super) fn tmp(&self) -> PathBuf {
        self.path().join("tmp")
    }

    /// Where the feedstock goes.
    pub(super) fn checkout(&self) -> PathBuf {
        self.path().join(CHECKOUT)
    }

    /// Writes the file with the secrets, readable by this user only.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_config(&self, text: &str) -> io::Result<PathBuf> {
        let path = self.path().join("config.json");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path)?.write_all(text.as_bytes())?;
        Ok(path)
    }

    /// Removes it. What the program left behind may be big, and removing it blocks.
    pub(super) async fn remove(self) {
        let removed = tokio::task::spawn_blocking(move || self.folder.close()).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "a folder of the recipe runner cannot be removed");
        }
    }
}

/// Removes the folders that a server left behind when it was killed: those that nobody holds the
/// lock of. How many there were.
pub fn sweep() -> usize {
    sweep_in(&tempfile::env::temp_dir())
}

fn sweep_in(parent: &Path) -> usize {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| {
        entry.file_name().to_string_lossy().starts_with(PREFIX) && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    ours.filter(|entry| is_left_behind(&entry.path()) && fs::remove_dir_all(entry.path()).is_ok()).count()
}

/// Another user's folder cannot be opened, and is not ours to remove.
fn is_left_behind(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = fs::metadata(folder).and_then(|metadata| metadata.modified());
            made.is_ok_and(|made| SystemTime::now().duration_since(made).is_ok_and(|age| age > MAKING))
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_left_behind_is_swept() {
        let parent = tempfile::tempdir().expect("tempdir");
        let at = |name: &str| parent.path().join(name);
        for name in ["pforge-runner-dead", "pforge-runner-used", "pforge-runner-new", "another"] {
            fs::create_dir(at(name)).expect(name);
        }
        for name in ["pforge-runner-dead", "pforge-runner-used", "another"] {
            fs::write(at(name).join(LOCK), "").expect(name);
        }
        let used = File::open(at("pforge-runner-used").join(LOCK)).expect("lock");
        used.lock().expect("locked");
        assert_eq!(sweep_in(parent.path()), 1);
        assert!(!at("pforge-runner-dead").exists());
        assert!(["pforge-runner-used", "pforge-runner-new", "another"].iter().all(|name| at(name).exists()));
        drop(used);
        assert_eq!(sweep_in(parent.path()), 1, "its holder is gone");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_can_look_inside() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::create().expect("folder");
        let path = folder.path().to_path_buf();
        let config = folder.write_config("{}").expect("config");
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&config)), (0o700, 0o600));
        folder.remove().await;
        assert!(!path.exists());
    }
}
