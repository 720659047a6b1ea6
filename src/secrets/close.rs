//! From a plaintext tree to an encrypted one.

use super::cipher::{DataKey, Ivs};
use super::error::Error;
use super::leaf::{self, Kind, Plain};
use super::mac::Mac;
use super::place::Place;
use super::rules::{Rule, Scope};
use super::text::Text;
use super::tree::{Comment, Entry, Item, Map, Node, Scalar, Seq, Tree, Value};

/// How a tree is encrypted.
pub(super) struct Closing<'k> {
    /// The data key.
    pub(super) key: &'k DataKey,
    /// What is encrypted.
    pub(super) rule: &'k Rule,
    /// Whether the MAC covers encrypted leaves only.
    pub(super) only_encrypted: bool,
    /// Whether what has a ciphertext that is still right keeps it.
    pub(super) reuse: bool,
}

/// Encrypts `plain`; gives the encrypted tree, without metadata, and the MAC.
///
/// # Errors
/// [`Error::Refused`] for what SOPS could not encrypt, or could not decrypt again.
pub(super) fn close(plain: &Tree, closing: &Closing<'_>) -> Result<(Tree, String), Error> {
    let mut walk =
        Walk { how: closing, mac: Mac::new(closing.only_encrypted), place: Place::default(), ivs: Ivs::new() };
    let documents = plain.documents.iter().map(|map| walk.map(map, Scopes::ROOT)).collect::<Result<_, _>>()?;
    Ok((Tree { documents }, walk.mac.finish()))
}

/// How often a comment is encrypted until its ciphertext looks encrypted to the rule.
const ATTEMPTS: usize = 8;

struct Walk<'t> {
    how: &'t Closing<'t>,
    mac: Mac,
    place: Place<'t>,
    ivs: Ivs,
}

/// What the rule has seen, and what it will have seen when SOPS decrypts: an encrypted comment
/// in a sequence is an item of it then, and ends the comments before it.
#[derive(Clone, Copy)]
struct Scopes {
    ours: Scope,
    theirs: Scope,
}

impl Scopes {
    const ROOT: Self = Self { ours: Scope::ROOT, theirs: Scope::ROOT };

    fn map(self, f: impl Fn(Scope) -> Scope) -> Self {
        Self { ours: f(self.ours), theirs: f(self.theirs) }
    }
}

impl<'t> Walk<'t> {
    fn map(&mut self, map: &'t Map, mut scopes: Scopes) -> Result<Map, Error> {
        let rule = self.how.rule;
        let mut items = Vec::with_capacity(map.items.len() + 1);
        for item in &map.items {
            items.push(match item {
                Item::Comment(comment) => {
                    let sealed = self.comment(comment, scopes)?;
                    scopes = scopes.map(|scope| scope.past_comment(rule, &comment.text));
                    let text = sealed.map_or_else(|| comment.text.clone(), Text::from);
                    Item::Comment(Comment { text, span: comment.span, sealed: None })
                }
                Item::Value(entry) => {
                    self.place.enter_key(&entry.key);
                    let value = self.node(&entry.value, scopes.map(|scope| scope.below_key(rule, &entry.key)))?;
                    self.place.leave();
                    scopes = scopes.map(Scope::past_item);
                    Item::Value(Entry { key: entry.key.clone(), key_span: entry.key_span, value })
                }
            });
        }
        Ok(Map { items, flow: map.flow })
    }

    fn seq(&mut self, seq: &'t Seq, mut scopes: Scopes) -> Result<Seq, Error> {
        let rule = self.how.rule;
        let mut items = Vec::with_capacity(seq.items.len());
        let mut index = 0;
        for item in &seq.items {
            match item {
                Item::Comment(comment) => {
                    let sealed = self.comment(comment, scopes)?;
                    let as_item = sealed.as_ref().is_some_and(|text| comment.text.expose() != text.as_bytes());
                    scopes.ours = scopes.ours.past_comment(rule, &comment.text);
                    scopes.theirs = if as_item {
                        scopes.theirs.past_item()
                    } else {
                        scopes.theirs.past_comment(rule, &comment.text)
                    };
                    match sealed {
                        Some(text) if as_item => {
                            items.push(Item::Value(Node { span: comment.span, ..Node::text(text) }));
                        }
                        // SOPS would make an empty text, an item, of an empty comment in an encrypted sequence.
                        None if comment.text.is_empty() && rule.encrypts(scopes.ours) => {}
                        _ => items.push(Item::Comment(Comment { sealed: None, ..comment.clone() })),
                    }
                }
                Item::Value(node) => {
                    self.place.enter_index(index);
                    items.push(Item::Value(self.node(node, scopes.map(Scope::below_item))?));
                    self.place.leave();
                    scopes = scopes.map(Scope::past_item);
                    index += 1;
                }
            }
        }
        Ok(Seq { items, flow: seq.flow })
    }

    fn node(&mut self, node: &'t Node, scopes: Scopes) -> Result<Node, Error> {
        let value = match &node.value {
            Value::Map(map) => Value::Map(self.map(map, scopes)?),
            Value::Seq(seq) => Value::Seq(self.seq(seq, scopes)?),
            Value::Scalar(scalar) => Value::Scalar(self.scalar(scalar, node.sealed.as_deref(), scopes)?),
        };
        Ok(Node { value, span: node.span, sealed: None })
    }

    fn scalar(&mut self, scalar: &Scalar, sealed: Option<&str>, scopes: Scopes) -> Result<Scalar, Error> {
        if matches!(scalar, Scalar::Uint(_)) {
            return Err(self.refused("is an integer beyond 63 bits, which sops cannot encrypt; quote it"));
        }
        let Some((kind, bytes)) = leaf::bytes(scalar) else { return Ok(Scalar::Null) };
        let rule = self.how.rule;
        let encrypted = rule.encrypts(scopes.ours);
        if encrypted != rule.encrypts(scopes.theirs) {
            return Err(self.unreadable());
        }
        if encrypted || !self.how.only_encrypted {
            self.mac.add(&bytes);
        }
        if !encrypted && sealed.is_some() && self.how.reuse {
            // Under a comment rule it is enough that the value before it goes and leaves its comment.
            return Err(self.refused("was encrypted and would now be in clear, by the comments before it"));
        }
        if !encrypted || bytes.is_empty() {
            return Ok(scalar.clone());
        }
        if let Some(sealed) = sealed.filter(|_| self.how.reuse)
            && let Ok(Plain::Scalar(kept)) = self.how.key.decrypt(sealed, self.place.aad())
            && leaf::same(&kept, scalar)
        {
            return Ok(Scalar::Text(sealed.into()));
        }
        let text = self.how.key.encrypt(&bytes, kind, self.place.aad(), &mut self.ivs)?;
        Ok(Scalar::Text(text.into()))
    }

    /// The text that stands for an encrypted comment; `None` for one that stays clear.
    fn comment(&mut self, comment: &Comment, scopes: Scopes) -> Result<Option<String>, Error> {
        let Comment { text, sealed, .. } = comment;
        let rule = self.how.rule;
        let encrypted = rule.encrypts_comment(scopes.ours, text);
        if encrypted != rule.encrypts_comment(scopes.theirs, text) {
            return Err(self.unreadable());
        }
        if !encrypted {
            return Ok(None);
        }
        let sealed = sealed.as_deref().filter(|_| self.how.reuse);
        if let Some(sealed) = sealed {
            // One that did not decrypt when the document was opened.
            let clear = sealed.as_bytes() == text.expose();
            if clear || self.how.key.decrypt(sealed, self.place.aad()) == Ok(Plain::Comment(text.clone())) {
                return Ok(Some(sealed.to_owned()));
            }
        }
        if text.is_empty() {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            let text = self.how.key.encrypt(text.expose(), Kind::Comment, self.place.aad(), &mut self.ivs)?;
            // SOPS looks at comments before it decrypts them.
            if rule.encrypts_comment(scopes.ours, &Text::from(text.as_str())) {
                return Ok(Some(text));
            }
        }
        Err(self.refused("has a comment that could not be told from a clear one: the pattern matches ciphertexts, too"))
    }

    fn unreadable(&self) -> Error {
        self.refused(
            "follows an encrypted comment line in a list, which sops cannot read with a rule about comments; \
             merge the comment lines into one, or move them above the list",
        )
    }

    fn refused(&self, what: &str) -> Error {
        Error::Refused { place: self.place.to_string(), what: what.to_owned() }
    }
}
