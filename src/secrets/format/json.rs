//! JSON as SOPS reads and writes it: Go's `encoding/json`, order and repeated keys kept, every
//! number a 64-bit float.

mod indent;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub(in crate::secrets) use indent::indent_of;
pub(super) use reader::read;
pub(super) use writer::{write, write_value};
