//! SOPS documents: opened in memory, edited in place, sealed so that every sops opens them.
//!
//! Data flows one way. A [`format`] turns bytes into a [`tree`]; [`document`] reads the `sops`
//! section ([`metadata`]), gets the data key from [`keys`], decrypts the tree and checks its MAC.
//! Back: a tree is encrypted by its [`rules`] and written by its format, or, when it is an edit
//! of an encrypted file, spliced into the text that is there ([`edit`]). Nothing here reads the
//! environment, prints, or writes a file.

mod audit;
pub mod changes;
mod cipher;
mod close;
mod decimal;
mod diagnose;
mod document;
mod edit;
mod error;
mod format;
mod identical;
mod keys;
mod leaf;
mod mac;
mod merge;
mod metadata;
mod open;
mod place;
mod rules;
mod select;
mod text;
pub mod tree;

pub use audit::{Audit, Exposed, audit};
pub use diagnose::Cause;
pub use document::{MacPolicy, Opened, Sealed, Sealing, is_encrypted, seal};
pub use edit::{align, revise};
pub use error::{Error, MacFault};
pub use format::{Format, Style};
pub use keys::{Ask, Identities, Recipient, generate};
pub use merge::{Merged, merge};
pub use metadata::{Metadata, Wrapped};
pub use rules::{Pattern, Rule};
pub use select::{Selector, Step};
pub use text::Text;
pub use tree::Tree;
