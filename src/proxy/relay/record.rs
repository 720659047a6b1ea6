//! One event on disk: `length` (u32), `check` (12 bytes of SHA-256 over the rest), then the rest:
//! form, id, id of the event before, time, length of the head, head, body. Numbers are
//! little-endian. A record that a crash cut short does not pass its check.

use std::io::{self, BufReader, Read, Seek};

use bytes::Bytes;

/// What an event holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The head is JSON, the body is what was posted.
    Plain,
    /// The body is an age file, the head tells only the name of the event.
    Sealed,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Increases from event to event.
    pub id: u64,
    /// The id of the event before it; 0 when it is the first.
    pub previous: u64,
    /// When it came, in milliseconds since 1970.
    pub at: u64,
    /// What it holds.
    pub form: Form,
    /// See [`super::event::Head`].
    pub head: Bytes,
    /// The bytes.
    pub body: Bytes,
}

/// What an index needs to know of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// As in [`Record`].
    pub id: u64,
    /// As in [`Record`].
    pub previous: u64,
    /// As in [`Record`].
    pub at: u64,
    /// Bytes that it takes on disk.
    pub size: u64,
}

/// Length and check.
const PREFIX: usize = 4 + 12;
/// Form, three numbers, length of the head.
const FIXED: usize = 1 + 3 * 8 + 4;

impl Record {
    /// Its bytes on disk.
    ///
    /// # Errors
    /// When it is larger than 4 GiB.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        let rest = FIXED + self.head.len() + self.body.len();
        let length = u32::try_from(rest).map_err(|_| io::Error::other("the event is too large to store"))?;
        let mut bytes = Vec::with_capacity(PREFIX + rest);
        bytes.extend(length.to_le_bytes());
        bytes.extend([0; 12]);
        bytes.push(match self.form {
            Form::Plain => 0,
            Form::Sealed => 1,
        });
        for number in [self.id, self.previous, self.at] {
            bytes.extend(number.to_le_bytes());
        }
        // Shorter than the whole, which fits.
        bytes.extend((self.head.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.head);
        bytes.extend_from_slice(&self.body);
        let check = check(&bytes[PREFIX..]);
        bytes[4..PREFIX].copy_from_slice(&check);
        Ok(bytes)
    }

    /// Reads a whole record; `None` when it is damaged.
    pub fn decode(bytes: Bytes) -> Option<Self> {
        let length = number32(&bytes, 0)?;
        let rest = bytes.slice_ref(bytes.get(PREFIX..PREFIX.checked_add(length)?)?);
        if check(&rest) != bytes[4..PREFIX] {
            return None;
        }
        let form = match rest.first()? {
            0 => Form::Plain,
            1 => Form::Sealed,
            _ => return None,
        };
        let [id, previous, at] = [number64(&rest, 1)?, number64(&rest, 9)?, number64(&rest, 17)?];
        let body_at = FIXED.checked_add(number32(&rest, 25)?)?;
        let head = rest.slice_ref(rest.get(FIXED..body_at)?);
        let body = rest.slice_ref(rest.get(body_at..)?);
        Some(Self { id, previous, at, form, head, body })
    }
}

/// Reads the summary of the record that `file` stands at, of which `left` bytes are there, and
/// skips to its end. With `verify` its check is computed.
///
/// # Errors
/// Any I/O error; `Ok(None)` when no whole record is there.
pub fn scan(file: &mut BufReader<impl Read + Seek>, left: u64, verify: bool) -> io::Result<Option<Summary>> {
    let mut start = [0; PREFIX + FIXED];
    if left < start.len() as u64 {
        return Ok(None);
    }
    file.read_exact(&mut start)?;
    let Some(length) = number32(&start, 0).filter(|length| *length >= FIXED) else { return Ok(None) };
    let size = (PREFIX + length) as u64;
    if size > left {
        return Ok(None);
    }
    let unread = size - start.len() as u64;
    if verify {
        let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        digest.update(&start[PREFIX..]);
        let mut buffer = [0; 16 << 10];
        let mut rest = file.by_ref().take(unread);
        loop {
            match rest.read(&mut buffer)? {
                0 => break,
                count => digest.update(&buffer[..count]),
            }
        }
        if digest.finish().as_ref()[..12] != start[4..PREFIX] {
            return Ok(None);
        }
    } else {
        file.seek_relative(i64::try_from(unread).map_err(io::Error::other)?)?;
    }
    let fixed = &start[PREFIX..];
    let numbers = (number64(fixed, 1), number64(fixed, 9), number64(fixed, 17));
    let (Some(id), Some(previous), Some(at)) = numbers else { return Ok(None) };
    Ok(Some(Summary { id, previous, at, size }))
}

fn check(rest: &[u8]) -> [u8; 12] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, rest);
    let mut check = [0; 12];
    check.copy_from_slice(&digest.as_ref()[..12]);
    check
}

fn number32(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(four)).ok()
}

fn number64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn scanned(bytes: &[u8], verify: bool) -> Option<Summary> {
        scan(&mut BufReader::new(Cursor::new(bytes)), bytes.len() as u64, verify).expect("scan")
    }

    fn record() -> Record {
        Record {
            id: 7,
            previous: 5,
            at: 1_700_000_000_000,
            form: Form::Sealed,
            head: Bytes::from_static(b"{}"),
            body: Bytes::from_static(b"\xff\x00body\n"),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = record().encode().expect("encode");
        assert_eq!(Record::decode(bytes.clone().into()), Some(record()));
        for verify in [false, true] {
            let summary = scanned(&bytes, verify).expect("whole");
            assert_eq!((summary.id, summary.previous, summary.size), (7, 5, bytes.len() as u64));
        }
    }

    #[test]
    fn a_cut_or_damaged_record_is_none() {
        let whole = record().encode().expect("encode");
        for length in 0..whole.len() {
            assert_eq!(Record::decode(Bytes::copy_from_slice(&whole[..length])), None, "{length}");
            assert_eq!(scanned(&whole[..length], true), None, "{length}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert_eq!(Record::decode(damaged.clone().into()), None, "byte {at}");
            assert_eq!(scanned(&damaged, true), None, "byte {at}");
        }
    }
}
