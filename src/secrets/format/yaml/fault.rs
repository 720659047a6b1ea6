//! What can be wrong with a text, told without repeating it.

use granit_parser::{ErrorKind, ScanError};

use crate::secrets::error::Error;
use crate::secrets::format::Format;

/// A fault and the byte where it shows.
#[derive(Debug)]
pub(super) struct Fault {
    at: usize,
    what: String,
}

impl Fault {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }

    /// The error for the reader of `text`.
    pub(super) fn into_error(self, text: &str) -> Error {
        let (line, column) = place(text, self.at);
        Error::Syntax { format: Format::Yaml, line, column, what: self.what }
    }
}

/// Line and column of a byte, both from 1.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |found| found + 1);
    (line, before[start..].trim_start_matches('\u{feff}').chars().count() + 1)
}

/// The fault that the scanner found.
pub(super) fn from_scanner(text: &str, error: &ScanError) -> Fault {
    let at = error
        .marker()
        .byte_offset()
        .unwrap_or_else(|| text.char_indices().nth(error.marker().index()).map_or(text.len(), |(at, _)| at));
    Fault::new(at, explain(error.kind()))
}

fn explain(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => "a tab is used for indentation",
        ErrorKind::RecursionLimitExceeded => "it is nested too deeply",
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => "a quoted text is not closed",
        ErrorKind::UnclosedFlowCollection { .. } => "a bracket is not closed",
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::MismatchedFlowCollectionEnd { .. } => {
            "a bracket does not match"
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => "there is no ':' after the key",
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => "a ': ' does not belong here",
        ErrorKind::MappingKeyNotAllowed => "a '? ' does not belong here",
        ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::BlockEntryInFlowCollection
        | ErrorKind::InvalidBlockEntryWhitespace => "a '- ' does not belong here",
        ErrorKind::UnexpectedCharacter { .. } | ErrorKind::PlainScalarStartsWithDashFlowIndicator => {
            "no value can begin with this character"
        }
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate
        | ErrorKind::InvalidUnicodeEscape => "a '\\' escape is not one of YAML",
        ErrorKind::InvalidBlockScalarHeader | ErrorKind::ZeroBlockScalarIndent => "the header of a block text is wrong",
        ErrorKind::InvalidIndentation
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidFlowScalarIndent => "the indentation is wrong",
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            "something follows a quoted text"
        }
        ErrorKind::CommentInterceptedScalar => "a comment interrupts a text",
        ErrorKind::CommentNotSeparated => "there is no space before a comment",
        ErrorKind::InvalidDocumentEnd => "something follows the end of a document",
        ErrorKind::MissingAnchorOrAliasName => "an anchor has no name",
        _ => "it cannot be understood from here",
    }
}
