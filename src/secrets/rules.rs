//! Which leaves of a document are encrypted: one rule per file.

mod pattern;

pub use pattern::Pattern;

use super::error::Error;
use super::text::Text;

/// The rule. Suffixes and patterns look at every key on the path.
#[derive(Clone, Debug)]
pub enum Rule {
    /// All but below a key with this suffix.
    UnencryptedSuffix(String),
    /// Only below a key with this suffix.
    EncryptedSuffix(String),
    /// All but below a key that this matches.
    UnencryptedRegex(Pattern),
    /// Only below a key that this matches.
    EncryptedRegex(Pattern),
    /// All but what a comment right before it, or before an ancestor, matches.
    UnencryptedCommentRegex(Pattern),
    /// Only what a comment right before it, or before an ancestor, matches.
    EncryptedCommentRegex(Pattern),
    /// Everything, also without a rule in the metadata: binary documents.
    Everything,
}

impl Default for Rule {
    fn default() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }
}

/// The names of the rules, in the order in which SOPS writes them.
pub(super) const NAMES: [&str; 6] = [
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
];

/// What a rule has seen on the way to a place. Each collection has its own; the one of the
/// collection around it is left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// A key on the path, or a comment before it, matches.
    matched: bool,
    /// One of the comment lines right before what comes next matches.
    active: bool,
}

impl Rule {
    /// The rule that SOPS calls `name` (`encrypted_regex`, …) with the suffix or pattern `value`.
    ///
    /// # Errors
    /// [`Error::Metadata`] for another name or what is not a regular expression.
    pub fn new(name: &str, value: &str) -> Result<Self, Error> {
        let regex =
            || Pattern::new(value).ok_or_else(|| Error::Metadata(format!("{name} is not a regular expression")));
        Ok(match name {
            "unencrypted_suffix" => Self::UnencryptedSuffix(value.to_owned()),
            "encrypted_suffix" => Self::EncryptedSuffix(value.to_owned()),
            "unencrypted_regex" => Self::UnencryptedRegex(regex()?),
            "encrypted_regex" => Self::EncryptedRegex(regex()?),
            "unencrypted_comment_regex" => Self::UnencryptedCommentRegex(regex()?),
            "encrypted_comment_regex" => Self::EncryptedCommentRegex(regex()?),
            _ => return Err(Error::Metadata(format!("there is no rule {name:?}"))),
        })
    }

    /// How the metadata name it, and its suffix or pattern; `None` for [`Rule::Everything`].
    pub fn named(&self) -> Option<(&'static str, &str)> {
        Some(match self {
            Self::UnencryptedSuffix(suffix) => (NAMES[0], suffix),
            Self::EncryptedSuffix(suffix) => (NAMES[1], suffix),
            Self::UnencryptedRegex(pattern) => (NAMES[2], pattern.source()),
            Self::EncryptedRegex(pattern) => (NAMES[3], pattern.source()),
            Self::UnencryptedCommentRegex(pattern) => (NAMES[4], pattern.source()),
            Self::EncryptedCommentRegex(pattern) => (NAMES[5], pattern.source()),
            Self::Everything => return None,
        })
    }

    /// Whether comments decide.
    pub(super) fn is_by_comments(&self) -> bool {
        matches!(self, Self::UnencryptedCommentRegex(_) | Self::EncryptedCommentRegex(_))
    }

    /// Whether what comes next in a collection is encrypted.
    pub(super) fn encrypts(&self, scope: Scope) -> bool {
        let matched = scope.matched || scope.active;
        match self {
            Self::EncryptedSuffix(_) | Self::EncryptedRegex(_) | Self::EncryptedCommentRegex(_) => matched,
            Self::UnencryptedSuffix(_) | Self::UnencryptedRegex(_) | Self::UnencryptedCommentRegex(_) => !matched,
            Self::Everything => true,
        }
    }

    /// Whether a comment with this text is encrypted. One that asks for clear text is clear
    /// itself; one that asks for encryption does not hide itself.
    pub(super) fn encrypts_comment(&self, scope: Scope, text: &Text) -> bool {
        match self {
            Self::UnencryptedCommentRegex(_) => self.encrypts(scope.past_comment(self, text)),
            _ => self.encrypts(scope),
        }
    }

    fn matches_key(&self, key: &str) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) | Self::EncryptedSuffix(suffix) => key.ends_with(suffix),
            Self::UnencryptedRegex(pattern) | Self::EncryptedRegex(pattern) => pattern.is_match(key),
            Self::UnencryptedCommentRegex(_) | Self::EncryptedCommentRegex(_) | Self::Everything => false,
        }
    }

    fn matches_comment(&self, text: &Text) -> bool {
        match self {
            Self::UnencryptedCommentRegex(pattern) | Self::EncryptedCommentRegex(pattern) => {
                pattern.is_match(&String::from_utf8_lossy(text.expose()))
            }
            _ => false,
        }
    }
}

impl Scope {
    /// Before the first item of a document.
    pub(super) const ROOT: Self = Self { matched: false, active: false };

    /// Before the first item of the value of `key`.
    pub(super) fn below_key(self, rule: &Rule, key: &str) -> Self {
        Self { matched: self.matched || self.active || rule.matches_key(key), active: false }
    }

    /// Before the first item of a collection that is an item of a sequence.
    pub(super) fn below_item(self) -> Self {
        Self { matched: self.matched || self.active, active: false }
    }

    /// After a comment.
    pub(super) fn past_comment(self, rule: &Rule, text: &Text) -> Self {
        Self { active: self.active || rule.matches_comment(text), ..self }
    }

    /// After an item that is not a comment.
    pub(super) fn past_item(self) -> Self {
        Self { active: false, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rule, Scope};
    use crate::secrets::text::Text;

    /// A walk: keys and, with a `#`, comments before the next key.
    fn encrypts(rule: &Rule, walk: &[&str]) -> bool {
        let mut scope = Scope::ROOT;
        for step in walk {
            scope = match step.strip_prefix('#') {
                Some(comment) => scope.past_comment(rule, &Text::from(comment)),
                None => scope.below_key(rule, step),
            };
        }
        rule.encrypts(scope)
    }

    #[test]
    fn every_rule_looks_at_every_ancestor() {
        for (name, value, walk, expected) in [
            ("unencrypted_suffix", "_u", &["a"][..], true),
            ("unencrypted_suffix", "_u", &["a_u"], false),
            ("unencrypted_suffix", "_u", &["a_u", "b", "c"], false),
            ("unencrypted_suffix", "_u", &["_ux"], true),
            ("encrypted_suffix", "_e", &["a"], false),
            ("encrypted_suffix", "_e", &["a_e", "b"], true),
            ("unencrypted_regex", "^p", &["public"], false),
            ("unencrypted_regex", "^p", &["a", "b"], true),
            ("unencrypted_regex", "^p", &["a", "p", "b"], false),
            ("encrypted_regex", "pass", &["my_pass", "b"], true),
            ("encrypted_regex", "pass", &["b"], false),
            ("unencrypted_comment_regex", "CLEAR", &["# CLEAR", "a"], false),
            ("unencrypted_comment_regex", "CLEAR", &["# CLEAR", "# more", "a", "b"], false),
            ("unencrypted_comment_regex", "CLEAR", &["a", "b"], true),
            ("encrypted_comment_regex", "SECRET", &["# SECRET", "a", "b"], true),
            ("encrypted_comment_regex", "SECRET", &["a", "# SECRET", "b"], true),
            ("encrypted_comment_regex", "SECRET", &["SECRET"], false),
        ] {
            assert_eq!(encrypts(&Rule::new(name, value).unwrap(), walk), expected, "{name} {value} {walk:?}");
        }
        assert!(encrypts(&Rule::Everything, &["a_unencrypted"]));
        assert!(!encrypts(&Rule::default(), &["a_unencrypted"]));
    }

    #[test]
    fn a_comment_is_for_the_next_item_only() {
        let rule = Rule::new("encrypted_comment_regex", "SECRET").unwrap();
        let after = Scope::ROOT.past_comment(&rule, &" SECRET".into());
        assert!(rule.encrypts(after.below_key(&rule, "a")));
        assert!(rule.encrypts(after.below_item()));
        assert!(!rule.encrypts(after.past_item().below_key(&rule, "b")));
    }

    #[test]
    fn a_comment_that_asks_for_encryption_is_clear_and_so_is_one_that_asks_for_clear_text() {
        let secret = Rule::new("encrypted_comment_regex", "SECRET").unwrap();
        assert!(!secret.encrypts_comment(Scope::ROOT, &" SECRET".into()));
        assert!(secret.encrypts_comment(Scope::ROOT.past_comment(&secret, &" SECRET".into()), &" more".into()));
        let clear = Rule::new("unencrypted_comment_regex", "CLEAR").unwrap();
        assert!(!clear.encrypts_comment(Scope::ROOT, &" CLEAR".into()));
        assert!(clear.encrypts_comment(Scope::ROOT, &" note".into()));
    }

    #[test]
    fn rules_are_named_as_in_the_metadata() {
        for name in super::NAMES {
            let rule = Rule::new(name, "^a").unwrap();
            assert_eq!(rule.named(), Some((name, "^a")));
        }
        assert!(Rule::new("encrypted_prefix", "a").is_err());
        assert!(Rule::new("encrypted_regex", "(").is_err());
        assert_eq!(Rule::Everything.named(), None);
    }
}
