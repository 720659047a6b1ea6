//! The MAC of a document: SHA-512 over the bytes of its values in order.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256, SHA512, digest};

/// The hash so far. There are no separators, no key names and no types in it.
pub(super) struct Mac(Context);

impl Mac {
    /// Of nothing yet; `only_encrypted` is told apart by how it begins.
    pub(super) fn new(only_encrypted: bool) -> Self {
        let mut context = Context::new(&SHA512);
        if only_encrypted {
            context.update(digest(&SHA256, b"sops").as_ref());
        }
        Self(context)
    }

    /// Adds the bytes of a leaf.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The text that is encrypted and stored: 128 hexadecimal digits, upper case.
    pub(super) fn finish(self) -> String {
        hex::encode_upper(self.0.finish())
    }
}

/// Compares two MACs in time that depends on their lengths only. Case counts.
pub(super) fn equal(one: &str, other: &[u8]) -> bool {
    verify_slices_are_equal(one.as_bytes(), other).is_ok()
}
