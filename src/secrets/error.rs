//! What can go wrong with a document. No text holds a plaintext or a ciphertext.

use super::format::Format;

/// An error of the secrets room.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no `sops` section.
    #[error("it is not encrypted")]
    NotEncrypted,
    /// What is to be encrypted has a top-level `sops` entry (or `sops_…` in a flat format).
    #[error("it has a top-level entry {0:?}, so it is encrypted already, or the entry must be renamed")]
    AlreadyEncrypted(String),
    /// It is not a document of its format.
    #[error("it is not valid {}{}: {what}", .format.name(), place(*.line, *.column))]
    Syntax {
        /// The format that it was read as.
        format: Format,
        /// The line, from 1; 0 when unknown.
        line: usize,
        /// The column in characters, from 1; 0 when unknown.
        column: usize,
        /// What is wrong, without repeating what stands there.
        what: String,
    },
    /// It is a document, but holds what SOPS cannot encrypt, or a format cannot write.
    #[error("{place}{} {what}", if .place.is_empty() { "it" } else { "" })]
    Refused {
        /// Where: keys joined by a full stop, or a line; empty for the document as a whole.
        place: String,
        /// What is wrong, as the end of a sentence that begins with the place.
        what: String,
    },
    /// No identity that we have opens the data key.
    #[error("no identity opens it; it is encrypted for {}", list(.recipients))]
    NoIdentity {
        /// The recipients named in the document.
        recipients: Vec<String>,
        /// Identities that could not be read, and why.
        problems: Vec<String>,
    },
    /// The `sops` section is incomplete or damaged.
    #[error("its sops section is damaged: {0}")]
    Metadata(String),
    /// The document uses a feature of SOPS that pforge lacks (a cloud key service, say).
    #[error("it needs {0}, which is not supported")]
    Unsupported(String),
    /// A value does not decrypt: it was changed, moved, or never encrypted.
    #[error("the value at {path} {reason}")]
    Value {
        /// Where: keys joined by a full stop.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The values decrypt, but are not the ones that were sealed together.
    #[error("its integrity check failed: {0}")]
    Mac(MacFault),
    /// A recipient that cannot be encrypted for.
    #[error("{entry:?} is not a recipient: {reason}")]
    Recipient {
        /// The entry as it was given.
        entry: String,
        /// Why.
        reason: String,
    },
    /// A path that does not lead anywhere.
    #[error("there is no {0}")]
    NoSuchPath(String),
    /// A path that is not one.
    #[error("{path:?} is not a path: {reason}")]
    BadPath {
        /// The path as it was given.
        path: String,
        /// Why.
        reason: &'static str,
    },
}

/// How the check of the MAC ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacFault {
    /// There is none.
    #[error("it has no MAC")]
    Missing,
    /// It does not decrypt: it, or `lastmodified`, was changed, or it is another file's.
    #[error("its MAC does not decrypt")]
    Unreadable,
    /// It is the MAC of other values.
    #[error("values were added, removed, reordered or edited by hand")]
    Differs,
}

fn list(recipients: &[String]) -> String {
    if recipients.is_empty() { "no age recipient".to_owned() } else { recipients.join(", ") }
}

fn place(line: usize, column: usize) -> String {
    match (line, column) {
        (0, _) => String::new(),
        (line, 0) => format!(", line {line}"),
        (line, column) => format!(", line {line}, column {column}"),
    }
}
