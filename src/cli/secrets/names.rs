//! Whose keys they are: names of recipients, as the comments beside them tell.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::recipient_list::{identity_of, looks_like_one, split_comment};
use super::{recipients, sops_config};
use crate::cli::cx::Cx;

/// Recipients and their names.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// The names in the `age-recipients.txt` and `.sops.yaml` that apply to `file`.
    pub fn around(cx: &Cx, file: &Path) -> Self {
        let mut names = Self::default();
        for path in recipients::list_file(cx, file).into_iter().chain(sops_config::nearest(file)) {
            names.read(&fs::read_to_string(path).unwrap_or_default());
        }
        names
    }

    /// Adds the names in `text`: a comment at the end of the recipient's line, else the comment
    /// line right before it, else the YAML anchor on it. What was known stays.
    pub fn read(&mut self, text: &str) {
        let mut above: Option<String> = None;
        for line in text.lines() {
            let (code, comment) = split_comment(line);
            let comment = comment.filter(|text| !text.is_empty() && !looks_like_one(text)).map(str::to_owned);
            let found = recipients_in(code);
            if found.is_empty() {
                // A blank line parts a heading from the entries.
                above = if code.trim().is_empty() { comment } else { None };
                continue;
            }
            let anchor = code.split_whitespace().find_map(|word| word.strip_prefix('&')).map(str::to_owned);
            let mut beside = comment.or_else(|| above.take()).or(anchor);
            above = None;
            for (recipient, own) in found {
                if let Some(name) = beside.take().or(own) {
                    self.0.entry(recipient).or_insert(name);
                }
            }
        }
    }

    /// The name of `recipient`, or the comment of an SSH key.
    pub fn of(&self, recipient: &str) -> Option<String> {
        let known = self.0.get(&identity_of(recipient)).cloned();
        known.or_else(|| {
            let comment = recipient.splitn(3, ' ').nth(2).filter(|_| recipient.starts_with("ssh-"))?;
            Some(comment.trim().to_owned()).filter(|comment| !comment.is_empty())
        })
    }

    /// The recipients that are called `name`.
    pub fn called(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(_, known)| known.as_str() == name).map(|(recipient, _)| recipient.as_str()).collect()
    }

    /// `recipient` for a line of text: its name, else its key in short.
    pub fn short(&self, recipient: &str) -> String {
        self.of(recipient).unwrap_or_else(|| abbreviated(recipient))
    }

    /// `recipient` in full, with its name.
    pub fn full(&self, recipient: &str) -> String {
        match self.of(recipient) {
            Some(name) => format!("{name} ({})", identity_of(recipient)),
            None => identity_of(recipient),
        }
    }
}

/// The key in short: enough to tell two of them apart.
fn abbreviated(recipient: &str) -> String {
    let key = identity_of(recipient);
    let wide = if key.starts_with("ssh-") { 40 } else { 12 };
    match key.char_indices().nth(wide) {
        Some((at, _)) => format!("{}…", &key[..at]),
        None => key,
    }
}

/// The recipients in a line of a list or of YAML, SSH keys with their comment.
fn recipients_in(code: &str) -> Vec<(String, Option<String>)> {
    let words = code.split(|c: char| c.is_whitespace() || ",\"'[]{}".contains(c)).filter(|word| !word.is_empty());
    let mut words = words.peekable();
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        if word.starts_with("age1") && word.len() > 20 {
            found.push((word.to_owned(), None));
        } else if matches!(word, "ssh-ed25519" | "ssh-rsa")
            && let Some(key) = words.next()
        {
            let comment = words.next_if(|word| !looks_like_one(word)).map(str::to_owned);
            found.push((format!("{word} {key}"), comment));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::Names;

    const A: &str = "age1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "age1bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn comments_and_anchors_name_people() {
        let cases = [
            (format!("# alice\n{A}\n{B} # bob\n"), Some("alice"), Some("bob")),
            (format!("# The team\n\n{A}\n"), None, None),
            (format!("{A}, {B} # both\n"), Some("both"), None),
            (format!("# {B}\n{A}\n"), None, None),
            (format!("keys:\n  - &alice {A}\n  - {B} # bob\n"), Some("alice"), Some("bob")),
            (format!("age: >-\n  {A},\n  {B}\n"), None, None),
            (format!("# who\nage: \"{A}\"\n"), Some("who"), None),
        ];
        for (text, a, b) in cases {
            let mut names = Names::default();
            names.read(&text);
            assert_eq!((names.of(A).as_deref(), names.of(B).as_deref()), (a, b), "{text}");
        }
    }

    #[test]
    fn an_ssh_key_brings_its_name() {
        let names = Names::default();
        assert_eq!(names.of("ssh-ed25519 AAAA alice@host").as_deref(), Some("alice@host"));
        assert_eq!(names.of("ssh-ed25519 AAAA"), None);
        assert_eq!(names.short(A), "age1aaaaaaaa…");
    }
}
