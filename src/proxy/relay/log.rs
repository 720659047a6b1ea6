//! The events of one channel on disk: segments to which records are appended.
//!
//! A segment is called by the smallest id that it may hold. Nothing is acknowledged before it is
//! on disk; what a crash cut short was not acknowledged and is dropped at the next start. The
//! newest segment stays even when all its events are dropped: it remembers the last id.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;

use super::record::{Form, Record, scan};

/// How much of a channel is kept; the oldest events go first.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// For how long.
    pub age: Duration,
    /// How many events.
    pub events: usize,
    /// How many bytes of them.
    pub bytes: u64,
}

/// An event that is not stored yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it holds.
    pub form: Form,
    /// As in [`Record`].
    pub head: Bytes,
    /// As in [`Record`].
    pub body: Bytes,
}

/// Where a stored event is.
#[derive(Clone, Debug)]
struct Entry {
    id: u64,
    previous: u64,
    at: u64,
    segment: Arc<Path>,
    offset: u64,
    size: u64,
}

/// What is kept, for those who read.
#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<Entry>,
    bytes: u64,
    last: u64,
}

/// The reading half; shared.
#[derive(Debug, Default)]
pub struct Index(RwLock<Kept>);

/// What comes after an id.
#[derive(Debug)]
pub enum Next {
    /// This event.
    Event(Box<Record>),
    /// Events after the id were dropped, all up to this one.
    Gap(u64),
    /// This event cannot be read any more.
    Damaged(u64),
    /// Nothing yet.
    Nothing,
}

/// The bytes that all logs together have on disk, and may have.
#[derive(Clone, Debug)]
pub struct Disk {
    used: Arc<AtomicU64>,
    most: u64,
}

/// The writing half; one per channel.
#[derive(Debug)]
pub struct Log {
    folder: PathBuf,
    keep: Keep,
    disk: Disk,
    index: Arc<Index>,
    /// Oldest first.
    segments: VecDeque<Arc<Path>>,
    /// The newest segment and its length, once it was written to.
    open: Option<(File, u64)>,
}

impl Index {
    /// The id of the newest event; 0 when there never was one.
    pub fn last(&self) -> u64 {
        self.read().last
    }

    /// How many events are kept, and their bytes.
    pub fn size(&self) -> (usize, u64) {
        let kept = self.read();
        (kept.entries.len(), kept.bytes)
    }

    /// The id after which the newest `count` events come.
    pub fn before_newest(&self, count: usize) -> u64 {
        let kept = self.read();
        let first = kept.entries.len().saturating_sub(count);
        kept.entries.get(first).map_or(kept.last, |entry| entry.previous)
    }

    /// The id after which the events of `at` (milliseconds since 1970) and later come.
    pub fn before_time(&self, at: u64) -> u64 {
        let kept = self.read();
        let first = kept.entries.iter().find(|entry| entry.at >= at);
        first.map_or(kept.last, |entry| entry.previous)
    }

    /// What comes after `id`. Blocks on the disk.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn after(&self, id: u64) -> io::Result<Next> {
        loop {
            let entry = {
                let kept = self.read();
                let first = kept.entries.partition_point(|entry| entry.id <= id);
                match kept.entries.get(first) {
                    Some(entry) if first == 0 && entry.previous > id => return Ok(Next::Gap(entry.previous)),
                    Some(entry) => entry.clone(),
                    None if kept.entries.is_empty() && kept.last > id => return Ok(Next::Gap(kept.last)),
                    None => return Ok(Next::Nothing),
                }
            };
            match entry.read() {
                Ok(record) => return Ok(Next::Event(Box::new(record))),
                // Dropped between the look into the index and the look onto the disk.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !self.holds(entry.id) => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(Next::Damaged(entry.id)),
                Err(error) => return Err(error),
            }
        }
    }

    /// The event with this id, if it is kept. Blocks on the disk.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn get(&self, id: u64) -> io::Result<Option<Record>> {
        let entry = {
            let kept = self.read();
            kept.entries.binary_search_by_key(&id, |entry| entry.id).ok().map(|at| kept.entries[at].clone())
        };
        entry.map(|entry| entry.read()).transpose()
    }

    fn holds(&self, id: u64) -> bool {
        self.read().entries.binary_search_by_key(&id, |entry| entry.id).is_ok()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Kept> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Kept> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    /// A disk of which `used` bytes are taken and `most` may be.
    pub fn new(used: u64, most: u64) -> Self {
        Self { used: Arc::new(AtomicU64::new(used)), most }
    }

    /// Gives bytes back.
    pub fn free(&self, bytes: u64) {
        // Never below zero: what somebody else deleted was not counted here.
        let _ = self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| Some(used.saturating_sub(bytes)));
    }

    fn take(&self, bytes: u64) -> io::Result<()> {
        let take = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.most);
        let taken = self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        let full = |_| io::Error::new(io::ErrorKind::StorageFull, "the relay keeps as many bytes as it may");
        taken.map(drop).map_err(full)
    }
}

impl Entry {
    fn read(&self) -> io::Result<Record> {
        let mut file = File::open(&self.segment)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let size = usize::try_from(self.size).map_err(io::Error::other)?;
        let mut bytes = vec![0; size];
        file.read_exact(&mut bytes)?;
        Record::decode(bytes.into()).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a record is damaged"))
    }
}

impl Log {
    /// Opens what is in `folder`, which need not exist, and drops what a crash cut short.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn open(folder: PathBuf, keep: Keep, disk: Disk) -> io::Result<Self> {
        let segments = segments(&folder)?.into();
        let log = Self { segments, folder, keep, disk, index: Arc::default(), open: None };
        let newest = log.segments.back().cloned();
        let mut kept = Kept::default();
        for segment in &log.segments {
            let whole = read_segment(segment, newest.as_ref() == Some(segment), &mut kept)?;
            if newest.as_ref() == Some(segment) && whole < fs::metadata(segment)?.len() {
                tracing::warn!("the end of a channel's log was cut short by a crash; it was not acknowledged");
                let file = OpenOptions::new().write(true).open(segment)?;
                let torn = file.metadata()?.len().saturating_sub(whole);
                file.set_len(whole)?;
                file.sync_all()?;
                log.disk.free(torn);
            }
        }
        *log.index.write() = kept;
        Ok(log)
    }

    /// What is kept.
    pub fn index(&self) -> Arc<Index> {
        Arc::clone(&self.index)
    }

    /// Puts events on disk, all or none, and only then into the index. `now` is in microseconds
    /// since 1970; ids are at least that, so that they increase even when the folder was lost.
    ///
    /// # Errors
    /// Any I/O error; nothing is stored then.
    pub fn append(&mut self, drafts: Vec<Draft>, now: u64) -> io::Result<Vec<u64>> {
        let (mut previous, at) = (self.index.last(), now / 1000);
        let first = now.max(previous + 1);
        let (mut encoded, mut places) = (Vec::with_capacity(drafts.len()), Vec::with_capacity(drafts.len()));
        for Draft { form, head, body } in drafts {
            let id = now.max(previous + 1);
            let bytes = Record { id, previous, at, form, head, body }.encode()?;
            places.push((id, previous, bytes.len() as u64));
            encoded.push(bytes);
            previous = id;
        }
        let size = places.iter().map(|(_, _, size)| size).sum();
        self.disk.take(size)?;
        let (segment, mut offset) = self.write(first, &encoded).inspect_err(|_| self.disk.free(size))?;
        let ids = places.iter().map(|(id, _, _)| *id).collect();
        let mut kept = self.index.write();
        kept.last = previous;
        kept.bytes += size;
        for (id, previous, size) in places {
            kept.entries.push_back(Entry { id, previous, at, segment: Arc::clone(&segment), offset, size });
            offset += size;
        }
        drop(kept);
        self.trim(now);
        Ok(ids)
    }

    /// Writes records, the first of which has the id `first`, through to the disk; where they are.
    fn write(&mut self, first: u64, records: &[Vec<u8>]) -> io::Result<(Arc<Path>, u64)> {
        // Small enough that dropping whole segments frees space in time.
        let full = (self.keep.bytes / 8).max(64 << 10);
        if self.open.as_ref().is_none_or(|(_, length)| *length >= full) {
            self.begin(first)?;
        }
        let (Some((file, length)), Some(segment)) = (&mut self.open, self.segments.back()) else {
            return Err(io::Error::other("no segment is open"));
        };
        let begin = *length;
        let written = records.iter().try_for_each(|record| file.write_all(record)).and_then(|()| file.sync_data());
        match written {
            Ok(()) => {
                *length += records.iter().map(|record| record.len() as u64).sum::<u64>();
                Ok((Arc::clone(segment), begin))
            }
            Err(error) => {
                // Nothing may ever follow a torn record: cut it off, and go on in a new segment.
                let _ = file.set_len(begin).and_then(|()| file.sync_all());
                self.open = None;
                Err(error)
            }
        }
    }

    /// Drops what is kept no longer; `now` in microseconds since 1970.
    pub fn trim(&mut self, now: u64) {
        let oldest = (now / 1000).saturating_sub(u64::try_from(self.keep.age.as_millis()).unwrap_or(u64::MAX));
        let mut kept = self.index.write();
        while let Some(entry) = kept.entries.front() {
            let crowded = kept.entries.len() > self.keep.events || kept.bytes > self.keep.bytes;
            // However large, one event is kept: it was acknowledged.
            if !(crowded && kept.entries.len() > 1 || entry.at < oldest) {
                break;
            }
            kept.bytes -= entry.size;
            kept.entries.pop_front();
        }
        let (first, last) = (kept.entries.front().map(|entry| Arc::clone(&entry.segment)), kept.last);
        drop(kept);
        // What is dropped is gone from the disk too: an empty segment remembers the last id.
        if first.is_none() && self.newest_holds_something() && self.begin(last + 1).is_err() {
            return;
        }
        while self.segments.len() > 1 && first.as_ref() != self.segments.front() {
            let Some(segment) = self.segments.pop_front() else { break };
            let length = fs::metadata(&segment).map_or(0, |found| found.len());
            match fs::remove_file(&segment) {
                Ok(()) => self.disk.free(length),
                Err(error) => tracing::warn!(%error, "cannot delete old events of a channel"),
            }
        }
    }

    fn newest_holds_something(&self) -> bool {
        let newest = self.segments.back().and_then(|segment| fs::metadata(segment).ok());
        newest.is_some_and(|found| found.len() > 0)
    }

    /// Begins a segment whose first event has at least this id.
    fn begin(&mut self, id: u64) -> io::Result<()> {
        private_folder(&self.folder)?;
        let path: Arc<Path> = self.folder.join(format!("{id:020}.log")).into();
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        // No event has this id yet: what may be there is the rest of a write that failed.
        file.set_len(0)?;
        sync_folder(&self.folder)?;
        self.open = Some((file, 0));
        if self.segments.back() != Some(&path) {
            self.segments.push_back(path);
        }
        Ok(())
    }
}

/// The segments in a folder, oldest first.
fn segments(folder: &Path) -> io::Result<Vec<Arc<Path>>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if first_id(&path).is_some() {
            found.push(Arc::from(path));
        }
    }
    found.sort();
    Ok(found)
}

fn first_id(segment: &Path) -> Option<u64> {
    let name = segment.file_name()?.to_str()?.strip_suffix(".log")?;
    (name.len() == 20).then(|| name.parse().ok())?
}

/// Adds the records of a segment to `kept`; how many bytes of it are whole records.
fn read_segment(segment: &Arc<Path>, verify: bool, kept: &mut Kept) -> io::Result<u64> {
    let file = File::open(segment)?;
    let length = file.metadata()?.len();
    let mut file = BufReader::new(file);
    let mut offset = 0;
    kept.last = kept.last.max(first_id(segment).unwrap_or_default().saturating_sub(1));
    while let Some(found) = scan(&mut file, length - offset, verify)? {
        let (id, previous, at, size) = (found.id, found.previous, found.at, found.size);
        kept.entries.push_back(Entry { id, previous, at, segment: Arc::clone(segment), offset, size });
        kept.last = kept.last.max(id);
        kept.bytes += size;
        offset += size;
    }
    Ok(offset)
}

/// Makes a folder that only its owner may enter, if it is not there.
///
/// # Errors
/// Any I/O error.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// A new name in a folder must survive a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(test)]
#[path = "log/tests.rs"]
mod tests;
