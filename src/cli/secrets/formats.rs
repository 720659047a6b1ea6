//! Formats and styles on the command line.

use std::path::Path;

use crate::secrets::Format;

/// The formats, as `--input-type` takes them.
const ALL: [Format; 5] = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary];

/// Which format a document has, where its name does not tell.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct TypeFlags {
    /// The format of what is read: yaml, json, dotenv, ini, binary [default: by the file's name]
    #[arg(long, value_name = "TYPE", value_parser = format)]
    pub input_type: Option<Format>,
    /// The format of what is written [default: that of the input]
    #[arg(long, value_name = "TYPE", value_parser = format)]
    pub output_type: Option<Format>,
    /// Spaces per level of what is written [default: YAML 4, JSON a tab]
    #[arg(long, value_name = "N")]
    pub indent: Option<usize>,
}

impl TypeFlags {
    /// The format of the document called `name`.
    pub fn input(&self, name: &Path) -> Format {
        self.input_type.unwrap_or_else(|| Format::of(name))
    }

    /// The format to write what came as `input`. The name of the output does not count: as with
    /// SOPS, only the flag converts.
    pub fn output(&self, input: Format) -> Format {
        self.output_type.unwrap_or(input)
    }
}

/// Reads the name of a format.
///
/// # Errors
/// With the names that there are.
pub fn format(text: &str) -> Result<Format, String> {
    ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|format| format.name()).collect();
        format!("must be one of {}", names.join(", "))
    })
}
