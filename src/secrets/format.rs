//! The file formats: how bytes become a [`Tree`] and a tree becomes bytes.
//!
//! Each reader gives the tree as SOPS' store of that format gives it, with spans; each writer
//! prints the bytes that `sops -d` prints. Neither knows of encryption: in an encrypted file the
//! metadata is an ordinary part of the tree (see `metadata` for how the flat formats spell it).

mod binary;
mod dotenv;
mod ini;
mod json;
mod place;
mod spell;
mod yaml;

use std::path::Path;

use super::error::Error;
use super::text::Text;
use super::tree::{Node, Scalar, Tree, Value};

pub(super) use json::indent_of;

/// A file format. SOPS chooses it by the end of the file's name, case-sensitively.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.yaml`, `.yml`
    Yaml,
    /// `.json`
    Json,
    /// `.env`
    Dotenv,
    /// `.ini`
    Ini,
    /// Everything else.
    Binary,
}

/// How a document is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Spaces per level; `None` is the format's default (YAML 4, JSON one tab).
    pub indent: Option<usize>,
}

impl Format {
    /// The format of `path`, by its name.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|end| end.to_str()) {
            Some("yaml" | "yml") => Self::Yaml,
            Some("json") => Self::Json,
            Some("env") => Self::Dotenv,
            Some("ini") => Self::Ini,
            // A file that is called just `.env`.
            _ if path.file_name().is_some_and(|name| name == ".env") => Self::Dotenv,
            _ if path.file_name().is_some_and(|name| name == ".ini") => Self::Ini,
            _ if path.file_name().is_some_and(|name| name == ".json") => Self::Json,
            _ if path.file_name().is_some_and(|name| name == ".yaml" || name == ".yml") => Self::Yaml,
            _ => Self::Binary,
        }
    }

    /// Its name as on the command line of SOPS (`--input-type`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Dotenv => "dotenv",
            Self::Ini => "ini",
            Self::Binary => "binary",
        }
    }

    /// Reads a plaintext document.
    ///
    /// # Errors
    /// [`Error::Syntax`] and [`Error::Refused`] for what SOPS refuses to encrypt; the message never repeats a
    /// part of the document but a key.
    pub fn read_plain(self, bytes: &[u8]) -> Result<Tree, Error> {
        match self {
            Self::Yaml => yaml::read(bytes),
            Self::Json => json::read(bytes),
            Self::Dotenv => dotenv::read(bytes),
            Self::Ini => ini::read_plain(bytes),
            Self::Binary => binary::read_plain(bytes),
        }
    }

    /// Reads an encrypted document, with its metadata as it stands there. An encrypted binary
    /// document is JSON.
    ///
    /// # Errors
    /// As [`Format::read_plain`].
    pub fn read_sealed(self, bytes: &[u8]) -> Result<Tree, Error> {
        match self {
            Self::Json | Self::Binary => json::read(bytes),
            Self::Ini => ini::read_sealed(bytes),
            other => other.read_plain(bytes),
        }
    }

    /// Writes a plaintext document.
    ///
    /// # Errors
    /// [`Error::Refused`] when the format cannot hold the tree.
    pub fn write_plain(self, tree: &Tree, style: Style) -> Result<Text, Error> {
        match self {
            Self::Yaml => yaml::write(tree, style).map(Text::from),
            Self::Json => json::write(tree, style).map(Text::from),
            Self::Dotenv => dotenv::write(tree).map(Text::from),
            Self::Ini => ini::write_plain(tree).map(Text::from),
            Self::Binary => binary::write_plain(tree).map(Text::from),
        }
    }

    /// Writes one value, as `sops --extract` prints it: a text as it is, without a line break after
    /// it, anything else as JSON or, for every other format, as YAML.
    ///
    /// # Errors
    /// As [`Format::write_plain`].
    pub fn write_value(self, node: &Node, style: Style) -> Result<Text, Error> {
        match (self, &node.value) {
            (_, Value::Scalar(Scalar::Text(text))) => Ok(text.clone()),
            (Self::Json, _) => json::write_value(node, style).map(Text::from),
            _ => Ok(yaml::write_value(node, style).into()),
        }
    }

    /// As [`Format::write_sealed`], for a document that is edited in place: comments stay where they are,
    /// even where SOPS would move them.
    ///
    /// # Errors
    /// As [`Format::write_plain`].
    pub fn write_exact(self, tree: &Tree, style: Style) -> Result<Vec<u8>, Error> {
        match self {
            Self::Yaml => yaml::write_exact(tree, style),
            other => other.write_sealed(tree, style),
        }
    }

    /// Writes an encrypted document.
    ///
    /// # Errors
    /// As [`Format::write_plain`].
    pub fn write_sealed(self, tree: &Tree, style: Style) -> Result<Vec<u8>, Error> {
        match self {
            Self::Yaml => yaml::write_sealed(tree, style),
            Self::Json | Self::Binary => json::write(tree, style),
            Self::Dotenv => dotenv::write(tree),
            Self::Ini => ini::write_sealed(tree),
        }
    }
}
