//! One channel: its log, who listens, who may read it, how fast it may be posted to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{oneshot, watch};

use super::log::{Disk, Draft, Index, Keep, Log, private_folder};
use super::rate::{Bucket, Rate};
use crate::proxy::envelope::Recipient;
use crate::util::{Clock, file};

/// The file that holds the recipient of an encrypted channel.
const RECIPIENT: &str = "recipient";

/// A channel that is in use.
#[derive(Debug)]
pub struct Channel {
    folder: PathBuf,
    index: Arc<Index>,
    log: Arc<Mutex<Log>>,
    /// What waits for the next write to disk.
    pending: Mutex<Vec<Pending>>,
    newest: watch::Sender<u64>,
    listeners: AtomicUsize,
    bucket: Mutex<Bucket>,
    recipient: Mutex<Option<Recipient>>,
    /// When it was used last: so long before that moment.
    used: Mutex<(Instant, Duration)>,
    clock: Clock,
}

#[derive(Debug)]
struct Pending {
    draft: Draft,
    done: oneshot::Sender<Result<u64, Arc<io::Error>>>,
}

/// What became of a wish to encrypt a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is encrypted to it from now on.
    Taken,
    /// It was already.
    Ours,
    /// It is encrypted to another one.
    Theirs,
    /// It keeps events that are not encrypted.
    Plain,
}

/// A place among the listeners; given back when dropped.
#[derive(Debug)]
pub struct Place(Arc<Channel>);

impl Channel {
    /// Opens the channel whose folder this is. Blocks on the disk.
    ///
    /// # Errors
    /// Any I/O error, and a recipient that cannot be read: such a channel must not fall back to
    /// storing what is posted in the clear.
    pub fn open(folder: PathBuf, keep: Keep, disk: Disk, rate: Rate, clock: Clock) -> io::Result<Self> {
        let unused = fs::metadata(&folder).and_then(|found| found.modified()).ok();
        let unused = unused.and_then(|at| SystemTime::now().duration_since(at).ok()).unwrap_or_default();
        let mut log = Log::open(folder.clone(), keep, disk)?;
        log.trim(micros(&clock));
        let recipient = match fs::read_to_string(folder.join(RECIPIENT)) {
            Ok(text) => Some(Recipient::parse(&text).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let index = log.index();
        Ok(Self {
            folder,
            newest: watch::Sender::new(index.last()),
            index,
            log: Arc::new(Mutex::new(log)),
            pending: Mutex::default(),
            listeners: AtomicUsize::new(0),
            bucket: Mutex::new(Bucket::full(rate, Instant::now())),
            recipient: Mutex::new(recipient),
            used: Mutex::new((Instant::now(), unused)),
            clock,
        })
    }

    /// What is kept.
    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// Tells the id of the newest event whenever there is a new one.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// To whom the channel is encrypted.
    pub fn recipient(&self) -> Option<Recipient> {
        locked(&self.recipient).clone()
    }

    /// Encrypts the channel to `recipient` from now on, unless it is encrypted already. Blocks on
    /// the disk.
    ///
    /// # Errors
    /// Any I/O error; the channel is then as it was.
    pub fn claim(&self, recipient: &Recipient) -> io::Result<Claim> {
        let mut own = locked(&self.recipient);
        match &*own {
            Some(known) if known == recipient => Ok(Claim::Ours),
            Some(_) => Ok(Claim::Theirs),
            None if self.index.size().0 > 0 => Ok(Claim::Plain),
            None => {
                private_folder(&self.folder)?;
                file::write_atomic(&self.folder.join(RECIPIENT), recipient.to_string().as_bytes())?;
                *own = Some(recipient.clone());
                Ok(Claim::Taken)
            }
        }
    }

    /// Takes one post from what the channel may take; else how long to wait.
    ///
    /// # Errors
    /// The wait.
    pub fn admit(&self) -> Result<(), Duration> {
        locked(&self.bucket).take(Instant::now())
    }

    /// A place among the listeners, if there is one below `most`.
    pub fn listen(self: &Arc<Self>, most: usize) -> Option<Place> {
        let more = |now| (now < most).then_some(now + 1);
        self.listeners.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok()?;
        Some(Place(Arc::clone(self)))
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.listeners.load(Ordering::SeqCst)
    }

    /// Stores an event and tells the listeners; its id. It is on disk when this returns. Events
    /// that come at the same time share one write.
    ///
    /// # Errors
    /// Any I/O error; the event is not stored then.
    pub async fn store(self: &Arc<Self>, draft: Draft) -> Result<u64, Arc<io::Error>> {
        self.touch();
        let (done, stored) = oneshot::channel();
        locked(&self.pending).push(Pending { draft, done });
        let channel = Arc::clone(self);
        // Goes on when the one who posted goes away: half of a write helps nobody.
        tokio::task::spawn_blocking(move || channel.write_pending());
        stored.await.unwrap_or_else(|_| Err(Arc::new(io::Error::other("the writer gave up"))))
    }

    /// Whoever is first writes for all that wait; the others find nothing to do.
    fn write_pending(&self) {
        let mut log = locked(&self.log);
        let pending = std::mem::take(&mut *locked(&self.pending));
        if pending.is_empty() {
            return;
        }
        let (drafts, done): (Vec<_>, Vec<_>) = pending.into_iter().map(|p| (p.draft, p.done)).unzip();
        let stored = log.append(drafts, micros(&self.clock)).map_err(Arc::new);
        drop(log);
        match stored {
            Ok(ids) => {
                self.newest.send_replace(self.index.last());
                // Who asked may be gone.
                done.into_iter().zip(ids).for_each(|(done, id)| drop(done.send(Ok(id))));
            }
            Err(error) => {
                tracing::error!(%error, "cannot store an event");
                done.into_iter().for_each(|done| drop(done.send(Err(Arc::clone(&error)))));
            }
        }
    }

    /// Drops what is too old. Blocks on the disk.
    pub fn trim(&self) {
        locked(&self.log).trim(micros(&self.clock));
    }

    /// Since when nobody posted or listened.
    pub fn idle(&self) -> Duration {
        let (at, before) = *locked(&self.used);
        if self.listeners() > 0 { Duration::ZERO } else { at.elapsed() + before }
    }

    /// Whether it keeps no event: there is nothing to drop.
    pub fn is_empty(&self) -> bool {
        self.index.size().0 == 0
    }

    /// Whether nothing of it is on disk.
    pub fn is_fleeting(&self) -> bool {
        self.index.last() == 0 && self.recipient().is_none()
    }

    /// Its folder, which need not exist.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn touch(&self) {
        *locked(&self.used) = (Instant::now(), Duration::ZERO);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.touch();
        self.0.listeners.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Microseconds since 1970.
pub fn micros(clock: &Clock) -> u64 {
    u64::try_from(clock.now().timestamp_micros()).unwrap_or_default()
}

/// A panic elsewhere leaves nothing half done behind these locks.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
