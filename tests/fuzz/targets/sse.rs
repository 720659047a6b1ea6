//! The decoder of event streams: the same events wherever the bytes are cut, and nothing beyond its limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pforge_fuzz::util::sse::{Decoder, Event, TooLarge};

const LIMIT: usize = 256;

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Event>, Result<(), TooLarge>) {
    let (mut events, mut decoder) = (Vec::new(), Decoder::new(LIMIT));
    for piece in pieces {
        if let Err(error) = decoder.feed(piece, |event| events.push(event)) {
            return (events, Err(error));
        }
    }
    (events, Ok(()))
}

fuzz_target!(|bytes: &[u8]| {
    let whole = read(std::iter::once(bytes));
    let size = usize::from(bytes.first().copied().unwrap_or_default() % 16) + 1;
    assert_eq!(whole, read(bytes.chunks(size)), "cut into pieces of {size}");
    // A byte that is not UTF-8 becomes three.
    assert!(whole.0.iter().all(|event| event.data.len() <= 3 * LIMIT && event.name.len() <= 3 * LIMIT));
});
