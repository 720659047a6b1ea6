//! ini files as SOPS reads and writes them: the dialect of `gopkg.in/ini.v1`.
//!
//! A section is a mapping of texts; what stands before the first header is the section
//! `DEFAULT`, which is always there. One comment, of any number of lines, belongs to a section
//! and stands first in its mapping; one belongs to a key and stands after it, though it is
//! written above it.
//!
//! Where SOPS loses a part of what it reads, a plaintext is refused; where what SOPS writes would
//! be read back as something else, it is spelled another way.

mod line;
mod reader;
mod space;
#[cfg(test)]
mod tests;
mod writer;

pub(super) use reader::{read_plain, read_sealed};
pub(super) use writer::{write_plain, write_sealed};

/// The section of the keys before the first header.
const DEFAULT: &str = "DEFAULT";
