//! A decoder of `text/event-stream`, fed with whatever pieces the network gives.
//!
//! Source of the rules: <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>

use std::time::Duration;

const BOM: &[u8] = "\u{feff}".as_bytes();

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name; `message` when it was given none.
    pub name: String,
    /// Its data lines, joined by line feeds.
    pub data: String,
}

/// An event or a line is larger than allowed: the stream cannot be read further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {limit} bytes")]
pub struct TooLarge {
    /// How large an event may be, in bytes.
    pub limit: usize,
}

/// Reads one connection's stream. It keeps at most one unfinished event.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    line: Vec<u8>,
    /// The last byte was CR: a LF that follows belongs to it.
    after_cr: bool,
    begun: bool,
    name: String,
    data: Vec<u8>,
    id: Option<String>,
    given_id: Option<String>,
    retry: Option<Duration>,
}

impl Decoder {
    /// A decoder for a new connection that takes events of up to `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            after_cr: false,
            begun: false,
            name: String::new(),
            data: Vec::new(),
            id: None,
            given_id: None,
            retry: None,
        }
    }

    /// Reads the next bytes and hands over every event that they complete.
    ///
    /// # Errors
    /// [`TooLarge`]; events before the large one were handed over.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Event)) -> Result<(), TooLarge> {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let part = &bytes[..end.unwrap_or(bytes.len())];
            // The line and its event are counted together: neither can hide behind the other.
            if self.line.len() + self.data.len() + part.len() > self.limit {
                return Err(TooLarge { limit: self.limit });
            }
            self.line.extend_from_slice(part);
            let Some(end) = end else { return Ok(()) };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if let Some(event) = self.end_of_line() {
                each(event);
            }
        }
        Ok(())
    }

    /// The id of the last event, for `Last-Event-ID`; `None` when the stream gave none.
    pub fn last_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// How long to wait before connecting again, when the stream said so.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn end_of_line(&mut self) -> Option<Event> {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.begun, true) && line.starts_with(BOM) {
            line.drain(..BOM.len());
        }
        let event = if line.is_empty() { self.dispatch() } else { self.field(&line) };
        // Its room serves the next line, unless it is a lot.
        if line.capacity() <= 64 << 10 {
            line.clear();
            self.line = line;
        }
        event
    }

    fn field(&mut self, line: &[u8]) -> Option<Event> {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = (&line[..colon], line.get(colon + 1..).unwrap_or_default());
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            b"id" if !value.contains(&0) => self.given_id = Some(String::from_utf8_lossy(value).into_owned()),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let ms = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                self.retry = ms.map(Duration::from_millis).or(self.retry);
            }
            // A comment, a field of a later time, or nothing.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        // An id counts from the end of its event on, and an empty one takes the last one away.
        if let Some(id) = &self.given_id {
            self.id = Some(id.clone()).filter(|id| !id.is_empty());
        }
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        data.pop()?;
        let data = String::from_utf8(data).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned());
        Some(Event { name: if name.is_empty() { "message".to_owned() } else { name }, data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::{Decoder, Duration, Event, TooLarge};

    fn read(pieces: &[&[u8]]) -> (Vec<Event>, Decoder) {
        let (mut events, mut decoder) = (Vec::new(), Decoder::new(1 << 20));
        for piece in pieces {
            decoder.feed(piece, |event| events.push(event)).expect("small");
        }
        (events, decoder)
    }

    fn told(text: &str) -> Vec<(String, String)> {
        read(&[text.as_bytes()]).0.into_iter().map(|event| (event.name, event.data)).collect()
    }

    #[test]
    fn the_examples_of_the_standard() {
        let table: [(&str, &[(&str, &str)]); 14] = [
            ("data: YHOO\ndata: +2\ndata: 10\n\n", &[("message", "YHOO\n+2\n10")]),
            (
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
                &[("message", "first event"), ("message", "second event"), ("message", " third event")],
            ),
            ("data\n\ndata\ndata\n\ndata:", &[("message", ""), ("message", "\n")]),
            ("data:test\n\ndata: test\n\n", &[("message", "test"), ("message", "test")]),
            ("event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n", &[("add", "73857293"), ("remove", "2153")]),
            ("data: a\r\rdata: b\r\n\r\ndata: c\n\n", &[("message", "a"), ("message", "b"), ("message", "c")]),
            ("\u{feff}data: x\n\n", &[("message", "x")]),
            ("\u{feff}\u{feff}data: x\n\n", &[]),
            ("data: x\n\n\u{feff}data: y\n\n", &[("message", "x")]),
            ("event: gone\n\ndata: x\n\n", &[("message", "x")]),
            ("Data: x\ndata : y\n data: z\n\n", &[]),
            ("data: a:b: c\n\n", &[("message", "a:b: c")]),
            ("data: unfinished\n", &[]),
            ("event:\ndata: x\n\n", &[("message", "x")]),
        ];
        for (text, expected) in table {
            let expected: Vec<_> = expected.iter().map(|(n, d)| ((*n).to_owned(), (*d).to_owned())).collect();
            assert_eq!(told(text), expected, "{text:?}");
        }
    }

    #[test]
    fn ids_and_waits_are_remembered() {
        let id = |text: &str| read(&[text.as_bytes()]).1.last_id().map(str::to_owned);
        assert_eq!(id("id: 7\ndata: x\n\n"), Some("7".to_owned()));
        assert_eq!(id("id: 7\ndata: x\n\ndata: y\n\n"), Some("7".to_owned()));
        assert_eq!(id("id: 7\ndata: x\n\nid\ndata: y\n\n"), None);
        assert_eq!(id("id: 7\n\n"), Some("7".to_owned()), "also without data");
        assert_eq!(id("id: 7\ndata: unfinished\n"), None);
        assert_eq!(id("id: a\0b\ndata: x\n\n"), None);
        let retry = |text: &str| read(&[text.as_bytes()]).1.retry();
        assert_eq!(retry("retry: 1500\n"), Some(Duration::from_millis(1500)));
        for none in ["retry: 1.5\n", "retry:\n", "retry: -1\n", "retry: 99999999999999999999999\n"] {
            assert_eq!(retry(none), None, "{none:?}");
        }
    }

    #[test]
    fn nothing_grows_beyond_the_limit() {
        let long_line = b"data: ".iter().chain([b'x'; 100].iter()).copied().collect::<Vec<_>>();
        let many_lines = b"data: xxxx\n".repeat(20);
        for bytes in [long_line, many_lines, vec![b':'; 100]] {
            let mut decoder = Decoder::new(64);
            let outcome = bytes.iter().try_for_each(|byte| decoder.feed(&[*byte], |_| {}));
            assert_eq!(outcome, Err(TooLarge { limit: 64 }));
        }
        let mut decoder = Decoder::new(64);
        decoder.feed(&b": hello\ndata: x\n\n".repeat(1000), |_| {}).expect("many small ones are fine");
    }

    #[test]
    fn bad_utf_8_is_replaced() {
        assert_eq!(read(&[b"data: a\xffb\n\n"]).0[0].data, "a\u{fffd}b");
    }

    fn line_end() -> impl Strategy<Value = &'static str> {
        prop_oneof![Just("\n"), Just("\r"), Just("\r\n")]
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_wherever_it_is_cut(
            events in proptest::collection::vec(("[a-z]{0,5}", "[^\r\n]{0,20}(\n[^\r\n]{0,20}){0,3}", line_end()), 0..6),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..20),
        ) {
            let (mut text, mut expected) = (String::new(), Vec::new());
            for (name, data, end) in &events {
                text += &format!("event: {name}{end}: a comment{end}");
                for line in data.split('\n') {
                    text += &format!("data: {line}{end}");
                }
                text += end;
                let name = if name.is_empty() { "message" } else { name.as_str() };
                expected.push(Event { name: name.to_owned(), data: data.clone() });
            }
            let bytes = text.as_bytes();
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read(&pieces).0, expected);
        }

        #[test]
        fn any_bytes_read_the_same_in_any_pieces(bytes: Vec<u8>, size in 1_usize..7) {
            let whole = read(&[&bytes]).0;
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(&read(&pieces).0, &whole);
            prop_assert!(whole.iter().all(|event| !event.name.is_empty()));
        }
    }
}
