//! Who a document is encrypted for and who opens it: age recipients and identities, SSH keys,
//! passphrase-protected files, and Shamir's sharing among key groups.

mod group;
mod identity;
mod locked;
mod recipient;
mod shamir;

pub(super) use group::{data_key, wrap, wrap_groups};
pub use identity::{Ask, Identities};
pub use recipient::{Recipient, generate};
