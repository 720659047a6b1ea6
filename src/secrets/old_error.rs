//! What can go wrong when a document is opened. No text holds a plaintext or a ciphertext.

/// An error of the secrets room.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no `sops` section.
    #[error("the document is not encrypted")]
    NotEncrypted,
    /// No identity that we have opens the data key.
    #[error("no age identity opens it; it is encrypted for {}", list(.recipients))]
    NoIdentity {
        /// The recipients named in the document.
        recipients: Vec<String>,
        /// Identities that could not be read, and why.
        problems: Vec<String>,
    },
    /// The `sops` section is incomplete or damaged.
    #[error("its sops section is damaged: {0}")]
    Metadata(String),
    /// The document uses a feature of SOPS that this reader lacks.
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
    #[error("its integrity check failed: values were added, removed, reordered or edited by hand")]
    Mac,
}

fn list(recipients: &[String]) -> String {
    if recipients.is_empty() { "no age recipient".to_owned() } else { recipients.join(", ") }
}
