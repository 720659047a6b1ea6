//! The programs that pforge works with, as far as they are there.

use std::process::{Command, Stdio};

use crate::cli::env::Env;

/// A program of others, with what it is good for.
const TOOLS: [(&str, &[&str]); 5] = [
    ("git", &["--version"]),
    ("sops", &["--disable-version-check", "--version"]),
    ("age", &["--version"]),
    ("ngrok", &["version"]),
    ("gh", &["--version"]),
];

/// A program and its version; nothing when it is not on the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: Option<String>,
}

/// Asks every program for its version.
pub fn look(env: &Env) -> Vec<Tool> {
    let version = |name: &str, args: &[&str]| {
        let path = env.get("PATH")?;
        let program = std::env::split_paths(path).map(|folder| folder.join(name)).find(|program| program.is_file())?;
        let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
        Some(number(&String::from_utf8_lossy(&output.stdout)).unwrap_or_else(|| "unknown".to_owned()))
    };
    TOOLS.iter().map(|(name, args)| Tool { name, version: version(name, args) }).collect()
}

/// The first thing that looks like a version.
fn number(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c == '(' || c == ')');
    let trimmed = words.map(|word| word.trim_start_matches('v'));
    let found = trimmed.into_iter().find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    found.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        for (text, expected) in [
            ("git version 2.39.5\n", Some("2.39.5")),
            ("sops 3.11.0 (latest)\n", Some("3.11.0")),
            ("v1.1.1\n", Some("1.1.1")),
            ("ngrok version 3.19.1", Some("3.19.1")),
            ("gh version 2.23.0 (2023-02-27)", Some("2.23.0")),
            ("(devel)", None),
        ] {
            assert_eq!(number(text).as_deref(), expected, "{text}");
        }
    }
}
