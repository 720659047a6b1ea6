//! SOPS documents, opened in memory: nothing that was decrypted is written anywhere.
//!
//! Reads YAML documents whose data key is wrapped for age X25519 recipients. The format is that of
//! SOPS 3.x: every leaf is `ENC[AES256_GCM,…]`, bound to its path, and a MAC over all plaintexts
//! is kept, encrypted, in the `sops` section.

mod cipher;
mod error;
mod identity;
mod metadata;
mod open;

pub use error::Error;
pub use identity::Identities;
pub use open::{is_encrypted, open, recipients};
