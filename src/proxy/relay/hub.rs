//! All channels: opened when somebody comes, put away when nobody does, deleted when they expire.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::sync::OnceCell;

use super::Options;
use super::channel::{Channel, locked};
use super::log::{Disk, private_folder};
use super::name::Name;

/// A channel that nobody uses is put away after this long.
const RESTING: Duration = Duration::from_secs(600);

/// The beginning of the name of a folder that is about to be deleted.
const EXPIRED: &str = "expired-";

/// All channels of a relay.
#[derive(Debug)]
pub struct Hub {
    options: Options,
    folder: PathBuf,
    channels: Mutex<Channels>,
    disk: Disk,
    /// Held so that no other relay uses the folder.
    _lock: File,
}

#[derive(Debug, Default)]
struct Channels {
    /// Those in use, by folder.
    open: HashMap<String, Arc<OnceCell<Arc<Channel>>>>,
    /// The folders on disk of those that are not.
    resting: HashSet<String>,
    /// Those of them that may hold old events.
    unseen: Vec<String>,
}

/// Why there is no channel.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There are as many as allowed.
    #[error("this relay has as many channels as it may have")]
    TooMany,
    /// It cannot be opened.
    #[error("the channel cannot be opened: {0}")]
    Broken(#[from] io::Error),
}

impl Hub {
    /// Opens the data folder and takes possession of it. Blocks on the disk.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another relay has it, else any I/O error.
    pub fn open(options: Options) -> io::Result<Self> {
        let folder = options.data.join("channels");
        private_folder(&folder)?;
        let lock = File::options().create(true).truncate(false).write(true).open(options.data.join("lock"))?;
        lock.try_lock()?;
        let (mut channels, mut used) = (Channels::default(), 0);
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(EXPIRED) {
                fs::remove_dir_all(entry.path())?;
            } else if entry.file_type()?.is_dir() {
                used += bytes_in(&entry.path())?;
                channels.unseen.push(name.clone());
                channels.resting.insert(name);
            }
        }
        let disk = Disk::new(used, options.limits.disk);
        Ok(Self { options, folder, channels: Mutex::new(channels), disk, _lock: lock })
    }

    /// The relay's options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The channel called `name`, which is made when there is none.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn channel(&self, name: &Name) -> Result<Arc<Channel>, Refusal> {
        self.open_folder(name.folder()).await
    }

    async fn open_folder(&self, key: String) -> Result<Arc<Channel>, Refusal> {
        let cell = {
            let mut channels = locked(&self.channels);
            let known = channels.open.contains_key(&key) || channels.resting.contains(&key);
            if !known && channels.open.len() + channels.resting.len() >= self.options.limits.channels {
                return Err(Refusal::TooMany);
            }
            channels.resting.remove(&key);
            Arc::clone(channels.open.entry(key.clone()).or_default())
        };
        let opening = || async {
            let (folder, options) = (self.folder.join(&key), &self.options);
            let (keep, rate, clock) = (options.keep, options.limits.rate, options.clock.clone());
            let disk = self.disk.clone();
            let opened = tokio::task::spawn_blocking(move || Channel::open(folder, keep, disk, rate, clock)).await;
            Ok::<_, io::Error>(Arc::new(opened.map_err(io::Error::other)??))
        };
        Ok(Arc::clone(cell.get_or_try_init(opening).await?))
    }

    /// Drops old events, puts unused channels away, deletes expired ones.
    pub async fn sweep(self: Arc<Self>) {
        // What was kept by an earlier run may be old by now; from here on the channel is watched.
        let unseen = std::mem::take(&mut locked(&self.channels).unseen);
        for key in unseen {
            let resting = locked(&self.channels).resting.contains(&key);
            if resting && let Err(error) = self.open_folder(key).await {
                tracing::warn!(%error, "a channel cannot be swept");
            }
        }
        let _ = tokio::task::spawn_blocking(move || self.sweep_open()).await;
    }

    fn sweep_open(&self) {
        let open: Vec<_> = locked(&self.channels).open.values().filter_map(|cell| cell.get().cloned()).collect();
        open.into_iter().for_each(|channel| channel.trim());
        self.rest(RESTING.min(self.options.limits.idle));
        for folder in self.expired() {
            let bytes = bytes_in(&folder).unwrap_or_default();
            match fs::remove_dir_all(&folder) {
                Ok(()) => self.disk.free(bytes),
                Err(error) => tracing::warn!(%error, "cannot delete an expired channel"),
            }
        }
    }

    /// Puts away what nobody used for `resting` and keeps no event any more, or for so long that it
    /// expires. Who holds a channel keeps it open: there are never
    /// two of one folder.
    fn rest(&self, resting: Duration) {
        let mut channels = locked(&self.channels);
        let mut rested = Vec::new();
        channels.open.retain(|key, cell| {
            let unheld = Arc::strong_count(cell) == 1;
            let unused = match cell.get() {
                Some(channel) => {
                    let idle = channel.idle();
                    let done = idle >= resting && (channel.is_empty() || idle >= self.options.limits.idle);
                    Arc::strong_count(channel) == 1 && channel.listeners() == 0 && (done || channel.is_fleeting())
                }
                None => true,
            };
            if unheld && unused {
                rested.extend(cell.get().map(|channel| (key.clone(), Arc::clone(channel))));
            }
            !(unheld && unused)
        });
        for (key, channel) in rested {
            // The folder remembers when the channel was used last.
            let at = SystemTime::now().checked_sub(channel.idle());
            if let Ok(folder) = File::open(channel.folder()) {
                let _ = at.map(|at| folder.set_modified(at));
                channels.resting.insert(key);
            }
        }
    }

    /// Takes expired channels out and gives their folders, renamed.
    fn expired(&self) -> Vec<PathBuf> {
        let mut channels = locked(&self.channels);
        let mut folders = Vec::new();
        let idle = self.options.limits.idle;
        channels.resting.retain(|key| {
            let folder = self.folder.join(key);
            let unused = fs::metadata(&folder).and_then(|found| found.modified()).ok();
            let since = unused.and_then(|at| SystemTime::now().duration_since(at).ok());
            if since.is_none_or(|since| since < idle) {
                return true;
            }
            let renamed = self.folder.join(format!("{EXPIRED}{key}"));
            match fs::rename(&folder, &renamed) {
                Ok(()) => folders.push(renamed),
                Err(error) => {
                    tracing::warn!(%error, "cannot delete an expired channel");
                    return true;
                }
            }
            false
        });
        folders
    }
}

fn bytes_in(folder: &Path) -> io::Result<u64> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}
