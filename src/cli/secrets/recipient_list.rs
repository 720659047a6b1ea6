//! Lists of recipients as people write them: `age-recipients.txt`, `$SOPS_AGE_RECIPIENTS`, flags.
//!
//! Recipients stand between commas, spaces or line breaks; a `#` begins a comment. SOPS takes
//! commas only and fails on a trailing one, so the usual
//! `SOPS_AGE_RECIPIENTS=$(cat age-recipients.txt),$KEY` breaks there and works here.

use std::collections::BTreeSet;

use crate::cli::error::{Error, Result};
use crate::secrets::Recipient;

/// The recipients in `text`, without duplicates. `place` names the text in errors; `joined` says
/// that it was put together by a shell, which may glue an entry to the end of a comment.
///
/// # Errors
/// A configuration error that names the entry that is no recipient, and its line.
pub fn parse(place: &str, text: &str, joined: bool) -> Result<Vec<Recipient>> {
    let mut seen = BTreeSet::new();
    let mut recipients = Vec::new();
    for (line, entry) in entries(text, joined) {
        let place = if text.contains('\n') { format!("{place}, line {line}") } else { place.to_owned() };
        let recipient = recipient(&place, &entry)?;
        if seen.insert(identity_of(&entry)) {
            recipients.push(recipient);
        }
    }
    Ok(recipients)
}

/// One recipient.
///
/// # Errors
/// As [`parse`]; a secret key that stands there by mistake is not repeated.
pub fn recipient(place: &str, entry: &str) -> Result<Recipient> {
    if entry.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") || entry.starts_with("-----BEGIN") {
        return Err(Error::config(format!("{place}: a secret key stands where a public one belongs"))
            .because("a recipient is the public key: age1…, ssh-ed25519 … or ssh-rsa …")
            .because("if others have seen this text, the key is no longer secret: make another"));
    }
    entry.parse().map_err(|error: crate::secrets::Error| {
        let told = Error::from(error);
        Error { message: format!("{place}: {}", told.message), ..told }
    })
}

/// What makes two spellings the same recipient: an SSH key without its comment, else the text.
pub fn identity_of(entry: &str) -> String {
    entry.split_whitespace().take(if is_ssh(entry) { 2 } else { 1 }).collect::<Vec<_>>().join(" ")
}

/// Whether `text` looks like a recipient rather than like the name of a file or of a person.
pub fn looks_like_one(text: &str) -> bool {
    text.starts_with("age1") || is_ssh(text)
}

/// The entries of `text` with their lines, from 1.
pub fn entries(text: &str, joined: bool) -> Vec<(usize, String)> {
    let mut entries = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let (code, comment) = split_comment(line);
        let glued =
            comment.filter(|_| joined).and_then(|comment| comment.rsplit_once(',')).map(|(_, last)| last.trim());
        let glued = glued.filter(|last| looks_like_one(last));
        for part in code.split(',').chain(glued) {
            entries.extend(words(part).into_iter().map(|entry| (at + 1, entry)));
        }
    }
    entries
}

/// A line before its comment, and the comment without its `#`.
pub fn split_comment(line: &str) -> (&str, Option<&str>) {
    let begins = |at: usize| line[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || c == ',');
    match line.char_indices().find(|(at, c)| *c == '#' && begins(*at)) {
        Some((at, _)) => (&line[..at], Some(line[at + 1..].trim())),
        None => (line, None),
    }
}

/// The entries of what stands between two commas. An SSH key is its type, its key, and whatever
/// follows up to the next recipient: its comment.
fn words(part: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for word in part.split_whitespace() {
        match entries.last_mut() {
            Some(last) if is_ssh(last) && !looks_like_one(word) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => entries.push(word.to_owned()),
        }
    }
    entries
}

fn is_ssh(text: &str) -> bool {
    text.starts_with("ssh-")
}

#[cfg(test)]
mod tests {
    use super::{entries, identity_of};

    #[test]
    fn lists_are_read_as_people_write_them() {
        let cases: [(&str, bool, &[&str]); 12] = [
            ("", false, &[]),
            ("age1a", false, &["age1a"]),
            ("age1a,age1b,", false, &["age1a", "age1b"]),
            (",, age1a ,\n\n,age1b\n", false, &["age1a", "age1b"]),
            ("age1a age1b\tage1c", false, &["age1a", "age1b", "age1c"]),
            ("# alice\nage1a\r\nage1b # bob, carol\n#age1c", false, &["age1a", "age1b"]),
            ("age1a #x,age1b", false, &["age1a"]),
            ("age1a #x,age1b", true, &["age1a", "age1b"]),
            ("# the end,age1b", true, &["age1b"]),
            ("# the end, as it were", true, &[]),
            ("ssh-ed25519 AAA me@host,age1a", false, &["ssh-ed25519 AAA me@host", "age1a"]),
            ("ssh-ed25519 AAA ssh-rsa BBB x age1a", false, &["ssh-ed25519 AAA", "ssh-rsa BBB x", "age1a"]),
        ];
        for (text, joined, expected) in cases {
            let found: Vec<String> = entries(text, joined).into_iter().map(|(_, entry)| entry).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn lines_are_counted() {
        assert_eq!(
            entries("# x\n\nage1a\nage1b,\nage1c", false).iter().map(|(line, _)| *line).collect::<Vec<_>>(),
            [3, 4, 5]
        );
    }

    #[test]
    fn the_comment_of_an_ssh_key_is_no_part_of_it() {
        assert_eq!(identity_of("ssh-ed25519 AAA me@host"), identity_of("ssh-ed25519 AAA"));
        assert_ne!(identity_of("ssh-ed25519 AAA"), identity_of("ssh-ed25519 BBB"));
        assert_eq!(identity_of("age1a"), "age1a");
    }
}
