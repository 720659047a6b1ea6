//! How a delivery's headers, answer and body are kept: one compressed value.

use std::sync::Mutex;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zstd::bulk::{Compressor, Decompressor};

use super::error::Error;

/// The fastest level: already a sixth of the size of a usual payload, for 15 µs.
const LEVEL: i32 = 1;

/// What stands before the body.
#[derive(Serialize)]
struct HeadRef<'a> {
    headers: &'a Value,
    answer: &'a Value,
}

/// What stands before the body.
#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) headers: Value,
    pub(super) answer: Value,
}

/// The stored form.
#[derive(Clone, Debug)]
pub(super) struct Content {
    /// Bytes of the head.
    pub(super) head_size: i64,
    /// Bytes of the body.
    pub(super) size: i64,
    /// Whether `bytes` is a zstd frame.
    pub(super) compressed: bool,
    /// Head and body.
    pub(super) bytes: Vec<u8>,
}

/// Compression contexts that are used again: making one costs more than using it.
#[derive(Default)]
pub(super) struct Packer(Mutex<Vec<Compressor<'static>>>);

impl Packer {
    /// Packs one delivery.
    pub(super) fn pack(&self, headers: &Value, answer: &Value, body: &[u8]) -> Result<Content, Error> {
        let failed = |e: &dyn std::fmt::Display| Error::Other(format!("cannot pack a delivery: {e}"));
        let mut plain = Vec::with_capacity(body.len() + 2048);
        serde_json::to_writer(&mut plain, &HeadRef { headers, answer }).map_err(|e| failed(&e))?;
        let head_size = plain.len();
        plain.extend_from_slice(body);
        let idle = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        let mut compressor = match idle {
            Some(compressor) => compressor,
            None => Compressor::new(LEVEL).map_err(|e| failed(&e))?,
        };
        let packed = compressor.compress(&plain).map_err(|e| failed(&e))?;
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(compressor);
        let compressed = packed.len() < plain.len();
        Ok(Content {
            head_size: head_size as i64,
            size: body.len() as i64,
            compressed,
            bytes: if compressed { packed } else { plain },
        })
    }
}

impl Content {
    /// The head's bytes and the body's.
    fn plain(&self) -> Result<Bytes, Error> {
        let damaged = |why: String| Error::Other(format!("the stored delivery is damaged: {why}"));
        let total = usize::try_from(self.head_size + self.size).map_err(|e| damaged(e.to_string()))?;
        let plain = if self.compressed {
            let unpacked = Decompressor::new().and_then(|mut d| d.decompress(&self.bytes, total));
            Bytes::from(unpacked.map_err(|e| damaged(e.to_string()))?)
        } else {
            Bytes::copy_from_slice(&self.bytes)
        };
        if plain.len() == total { Ok(plain) } else { Err(damaged(format!("{} bytes instead of {total}", plain.len()))) }
    }

    /// Headers, answer and body.
    pub(super) fn unpack(&self) -> Result<(Head, Bytes), Error> {
        let mut head = self.plain()?;
        let body = head.split_off(usize::try_from(self.head_size).unwrap_or(0).min(head.len()));
        let head =
            serde_json::from_slice(&head).map_err(|e| Error::Other(format!("the stored headers are damaged: {e}")))?;
        Ok((head, body))
    }

    /// Whether both hold the same body.
    pub(super) fn same_body(&self, other: &Self) -> Result<bool, Error> {
        Ok(self.size == other.size && self.unpack()?.1 == other.unpack()?.1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_out_again(body in proptest::collection::vec(any::<u8>(), 0..4000), repeat in 1usize..4) {
            let body = body.repeat(repeat);
            let (headers, answer) = (json!({"x-github-event": "push"}), json!({"status": "ok"}));
            let packer = Packer::default();
            let content = packer.pack(&headers, &answer, &body).expect("pack");
            let (head, unpacked) = content.unpack().expect("unpack");
            prop_assert_eq!((head.headers, head.answer, unpacked.to_vec()), (headers, answer, body));
        }
    }

    #[test]
    fn damage_is_an_error_and_no_panic() {
        let packer = Packer::default();
        let good = packer.pack(&json!({}), &json!({}), &[b'x'; 3000]).expect("pack");
        assert!(good.compressed);
        let mut cut = good.clone();
        cut.bytes.truncate(good.bytes.len() / 2);
        let mut shorter = good.clone();
        shorter.size -= 1;
        let mut headless = good;
        headless.head_size += 1;
        headless.size -= 1;
        for damaged in [cut, shorter, headless] {
            assert!(matches!(damaged.unpack(), Err(Error::Other(_))));
        }
    }
}
