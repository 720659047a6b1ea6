//! From an encrypted tree to its plaintext.

use super::cipher::{DataKey, looks_encrypted};
use super::error::Error;
use super::format::Format;
use super::leaf::{self, BYTES, Plain};
use super::mac::Mac;
use super::metadata::{Metadata, section};
use super::place::Place;
use super::rules::{Rule, Scope};
use super::text::Text;
use super::tree::{Comment, Entry, Item, Map, Node, Scalar, Seq, Span, Tree, Value};

/// What [`open`] finds.
pub(super) struct Plaintext {
    /// The values, each with the ciphertext that it came from.
    pub(super) tree: Tree,
    /// The MAC of what is there.
    pub(super) mac: String,
    /// Where comments stand that should be encrypted but do not decrypt. They are kept as they
    /// are, and as their own ciphertext, so that they stay when the document is sealed again.
    pub(super) clear_comments: Vec<Option<Span>>,
}

/// Decrypts all of `sealed` but the metadata.
///
/// # Errors
/// [`Error::Value`] for the first value that does not decrypt.
pub(super) fn open(format: Format, sealed: &Tree, metadata: &Metadata, key: &DataKey) -> Result<Plaintext, Error> {
    let mut walk = Walk {
        key,
        rule: &metadata.rule,
        only_encrypted: metadata.mac_only_encrypted,
        mac: Mac::new(metadata.mac_only_encrypted),
        place: Place::default(),
        clear_comments: Vec::new(),
    };
    let mut documents = Vec::with_capacity(sealed.documents.len());
    for document in &sealed.documents {
        let items = document.items.iter().filter(|item| !section::is_part(format, item));
        documents.push(Map { items: walk.entries(items, Scope::ROOT)?, flow: document.flow });
    }
    Ok(Plaintext { tree: Tree { documents }, mac: walk.mac.finish(), clear_comments: walk.clear_comments })
}

struct Walk<'t> {
    key: &'t DataKey,
    rule: &'t Rule,
    only_encrypted: bool,
    mac: Mac,
    place: Place<'t>,
    clear_comments: Vec<Option<Span>>,
}

impl<'t> Walk<'t> {
    fn entries(
        &mut self,
        items: impl Iterator<Item = &'t Item<Entry>>,
        mut scope: Scope,
    ) -> Result<Vec<Item<Entry>>, Error> {
        let mut opened = Vec::with_capacity(items.size_hint().1.unwrap_or(0));
        for item in items {
            opened.push(match item {
                Item::Comment(comment) => {
                    let comment = self.comment(comment, scope)?;
                    scope = scope.past_comment(self.rule, &comment.text);
                    Item::Comment(comment)
                }
                Item::Value(entry) => {
                    self.place.enter_key(&entry.key);
                    let value = self.node(&entry.value, scope.below_key(self.rule, &entry.key))?;
                    self.place.leave();
                    scope = scope.past_item();
                    Item::Value(Entry { key: entry.key.clone(), key_span: entry.key_span, value })
                }
            });
        }
        Ok(opened)
    }

    fn seq(&mut self, seq: &'t Seq, mut scope: Scope) -> Result<Seq, Error> {
        let mut items = Vec::with_capacity(seq.items.len());
        let mut index = 0;
        for item in &seq.items {
            let item = match item {
                Item::Comment(comment) => Item::Comment(self.comment(comment, scope)?),
                Item::Value(node) => {
                    self.place.enter_index(index);
                    let item = self.item(node, scope)?;
                    self.place.leave();
                    item
                }
            };
            scope = match &item {
                Item::Comment(comment) => scope.past_comment(self.rule, &comment.text),
                Item::Value(_) => {
                    index += 1;
                    scope.past_item()
                }
            };
            items.push(item);
        }
        Ok(Seq { items, flow: seq.flow })
    }

    /// An item of a sequence: a value, or a comment that became one when it was encrypted.
    fn item(&mut self, node: &'t Node, scope: Scope) -> Result<Item<Node>, Error> {
        if let Value::Scalar(Scalar::Text(text)) = &node.value
            && !text.is_empty()
            && self.rule.encrypts(scope)
        {
            return Ok(match self.decrypt(text)? {
                Plain::Comment(plain) => {
                    Item::Comment(Comment { text: plain, span: node.span, sealed: ciphertext(text) })
                }
                Plain::Scalar(scalar) => Item::Value(self.leaf(scalar, node.span, ciphertext(text))),
            });
        }
        self.node(node, scope.below_item()).map(Item::Value)
    }

    fn node(&mut self, node: &'t Node, scope: Scope) -> Result<Node, Error> {
        let value = match &node.value {
            Value::Map(map) => Value::Map(Map { items: self.entries(map.items.iter(), scope)?, flow: map.flow }),
            Value::Seq(seq) => Value::Seq(self.seq(seq, scope)?),
            Value::Scalar(scalar) => return self.scalar(scalar, node.span, self.rule.encrypts(scope)),
        };
        Ok(Node { value, span: node.span, sealed: None })
    }

    fn scalar(&mut self, scalar: &Scalar, span: Option<Span>, encrypted: bool) -> Result<Node, Error> {
        match scalar {
            Scalar::Null => Ok(Node { value: Value::Scalar(Scalar::Null), span, sealed: None }),
            Scalar::Uint(_) => Err(self.fault("is an integer that is too large")),
            Scalar::Text(text) if encrypted && !text.is_empty() => match self.decrypt(text)? {
                Plain::Scalar(scalar) => Ok(self.leaf(scalar, span, ciphertext(text))),
                Plain::Comment(_) => Err(self.fault("is a comment in the place of a value")),
            },
            Scalar::Text(text) if encrypted => Ok(self.leaf(Scalar::Text(text.clone()), span, None)),
            _ if encrypted => Err(self.fault("is not encrypted")),
            clear => {
                if !self.only_encrypted
                    && let Some((_, bytes)) = leaf::bytes(clear)
                {
                    self.mac.add(&bytes);
                }
                Ok(Node { value: Value::Scalar(clear.clone()), span, sealed: None })
            }
        }
    }

    fn leaf(&mut self, scalar: Scalar, span: Option<Span>, sealed: Option<Box<str>>) -> Node {
        if let Some((_, bytes)) = leaf::bytes(&scalar) {
            self.mac.add(&bytes);
        }
        Node { value: Value::Scalar(scalar), span, sealed }
    }

    /// A comment that is a comment in the file, too.
    fn comment(&mut self, comment: &Comment, scope: Scope) -> Result<Comment, Error> {
        let Comment { text, span, .. } = comment;
        let own = text.expose_str().filter(|text| looks_encrypted(text));
        let expected = if own.is_some() { self.rule.encrypts(scope) } else { self.rule.encrypts_comment(scope, text) };
        if !expected {
            return Ok(Comment { text: text.clone(), span: *span, sealed: None });
        }
        match own.map(|own| self.key.decrypt(own, self.place.aad())) {
            Some(Ok(Plain::Comment(plain))) => Ok(Comment { text: plain, span: *span, sealed: ciphertext(text) }),
            // Relabelled: SOPS makes a comment of it, but counts it, so that the MAC differs.
            Some(Ok(Plain::Scalar(Scalar::Text(plain)))) => {
                self.mac.add(plain.expose());
                Ok(Comment { text: plain, span: *span, sealed: ciphertext(text) })
            }
            Some(Ok(Plain::Scalar(_))) => Err(self.fault("is a value in the place of a comment")),
            Some(Err(BYTES)) => Err(self.fault(BYTES)),
            Some(Err(_)) | None => {
                // The empty comment is never encrypted.
                if !text.is_empty() {
                    self.clear_comments.push(*span);
                }
                Ok(Comment { text: text.clone(), span: *span, sealed: ciphertext(text) })
            }
        }
    }

    fn decrypt(&self, text: &Text) -> Result<Plain, Error> {
        let text = text.expose_str().ok_or("is not an encrypted value");
        text.and_then(|text| self.key.decrypt(text, self.place.aad())).map_err(|reason| self.fault(reason))
    }

    fn fault(&self, reason: &'static str) -> Error {
        Error::Value { path: self.place.to_string(), reason }
    }
}

fn ciphertext(text: &Text) -> Option<Box<str>> {
    text.expose_str().map(Box::from)
}
