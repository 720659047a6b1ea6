//! What is encrypted, as flags and `.sops.yaml` say it.

use serde::Deserialize;

use crate::cli::error::{Error, Kind, Result};
use crate::secrets::Rule;

/// At most one of six rules, under the same names on the command line and in `.sops.yaml`.
#[derive(Clone, Debug, Default, clap::Args, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "What is encrypted (one rule; the default is all but keys that end in _unencrypted)")]
pub struct RuleFlags {
    /// All but what stands below a key with this ending
    #[arg(long, value_name = "SUFFIX")]
    pub unencrypted_suffix: Option<String>,
    /// Only what stands below a key with this ending
    #[arg(long, value_name = "SUFFIX")]
    pub encrypted_suffix: Option<String>,
    /// All but what stands below a key that matches
    #[arg(long, value_name = "REGEX")]
    pub unencrypted_regex: Option<String>,
    /// Only what stands below a key that matches
    #[arg(long, value_name = "REGEX")]
    pub encrypted_regex: Option<String>,
    /// All but what follows a comment that matches
    #[arg(long, value_name = "REGEX")]
    pub unencrypted_comment_regex: Option<String>,
    /// Only what follows a comment that matches
    #[arg(long, value_name = "REGEX")]
    pub encrypted_comment_regex: Option<String>,
    /// Let the integrity check cover the encrypted values only
    #[arg(long)]
    pub mac_only_encrypted: bool,
}

impl RuleFlags {
    /// The rule that is named; `None` when none is.
    ///
    /// # Errors
    /// Of `kind`, when two are named or a pattern is none. `place` begins the message.
    pub fn rule(&self, place: &str, kind: Kind) -> Result<Option<Rule>> {
        let mut rules = Vec::new();
        for (name, text) in self.named() {
            let rule = Rule::new(name, text).map_err(|error| Error::new(kind, format!("{place}: {error}")))?;
            rules.push((name, rule));
        }
        match rules.as_slice() {
            [(one, _), (other, _), ..] => {
                let message = format!("{place}: {one} and {other} exclude each other: SOPS knows one rule per file");
                Err(Error::new(kind, message))
            }
            _ => Ok(rules.pop().map(|(_, rule)| rule)),
        }
    }

    /// The rules that are there; an empty text is none, as for SOPS.
    fn named(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("unencrypted_suffix", &self.unencrypted_suffix),
            ("encrypted_suffix", &self.encrypted_suffix),
            ("unencrypted_regex", &self.unencrypted_regex),
            ("encrypted_regex", &self.encrypted_regex),
            ("unencrypted_comment_regex", &self.unencrypted_comment_regex),
            ("encrypted_comment_regex", &self.encrypted_comment_regex),
        ];
        let mut named = Vec::new();
        for (name, text) in all {
            named.extend(text.as_deref().filter(|text| !text.is_empty()).map(|text| (name, text)));
        }
        named
    }
}

/// Whether two rules encrypt the same.
pub fn same(a: &Rule, b: &Rule) -> bool {
    a.named() == b.named()
}
