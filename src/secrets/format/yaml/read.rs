//! The documents of a YAML text, and what SOPS makes of their roots.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::TokenType;

use super::build::{Parsed, push_comments};
use super::fault::Fault;
use super::resolve::{self, Tag};
use super::tokens::{Comments, Lines, Token, Tokens};
use crate::secrets::error::Error;
use crate::secrets::tree::{Map, Scalar, Tree, Value};

/// What an anchor stands for.
pub(super) struct Anchor {
    /// `None` while it is still being read.
    pub(super) parsed: Option<Box<Parsed>>,
    /// How much an alias to it adds.
    pub(super) weight: usize,
    /// How many levels it has.
    pub(super) height: usize,
}

/// The state of reading.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Tokens<'a>,
    /// The numbers of the anchors of this document.
    pub(super) names: HashMap<Cow<'a, str>, usize>,
    pub(super) anchors: Vec<Anchor>,
    handles: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// A comment before the dash of an item that is a collection: it is that collection's.
    pub(super) stem: Lines,
    /// How many collections are open.
    pub(super) depth: usize,
    /// The deepest level of the collections read so far.
    pub(super) deepest: usize,
    /// How much aliases have added.
    pub(super) expanded: usize,
}

/// Reads all documents of `text`.
///
/// # Errors
/// As `yaml::read`.
pub(super) fn read(text: &str) -> Result<Tree, Error> {
    let mut reader = Reader {
        text,
        tokens: Tokens::new(text),
        names: HashMap::new(),
        anchors: Vec::new(),
        handles: Vec::new(),
        stem: Lines::new(),
        depth: 0,
        deepest: 0,
        expanded: 0,
    };
    let mut documents = Vec::new();
    while let Some(map) = reader.document(documents.is_empty()).map_err(|fault| fault.into_error(text))? {
        documents.push(map);
    }
    if documents.is_empty() {
        let what = if text.contains('#') { "holds nothing but comments" } else { "is empty" };
        return Err(Error::Refused { place: String::new(), what: what.to_owned() });
    }
    Ok(Tree { documents })
}

impl<'a> Reader<'a> {
    pub(super) fn peek(&mut self) -> Result<&Token<'a>, Fault> {
        self.tokens.peek()
    }

    /// Takes the comments that wait for the node or the end that comes now.
    pub(super) fn take_comments(&mut self) -> Comments {
        self.stem = Lines::new();
        std::mem::take(&mut self.tokens.waiting)
    }

    /// One document; `None` at the end of the text.
    fn document(&mut self, first: bool) -> Result<Option<Map>, Fault> {
        if !first {
            while matches!(self.peek()?.kind, TokenType::DocumentEnd) {
                self.tokens.skip();
            }
        }
        self.names.clear();
        self.anchors.clear();
        self.handles.clear();
        let mut map = Map::default();
        let token = self.peek()?;
        let explicit = match token.kind {
            TokenType::StreamEnd => return Ok(None),
            TokenType::DocumentStart
            | TokenType::VersionDirective(..)
            | TokenType::TagDirective(..)
            | TokenType::ReservedDirective(..) => true,
            _ if first => false,
            _ => return Err(Fault::new(token.start, "a document begins here without '---'")),
        };
        let root = if explicit {
            self.explicit_root()?
        } else {
            let head = self.document_head();
            push_comments(self.text, &mut map.items, &head);
            self.node(true, false)?
        };
        self.fill(&mut map, *root)?;
        if matches!(self.peek()?.kind, TokenType::DocumentEnd) {
            self.tokens.skip();
        }
        let Comments { head, foot, .. } = self.take_comments();
        push_comments(self.text, &mut map.items, if foot.is_empty() { &head } else { &foot });
        Ok(Some(map))
    }

    /// The root behind `---`, which may be missing.
    fn explicit_root(&mut self) -> Result<Box<Parsed>, Fault> {
        self.directives()?;
        let start = self.peek()?;
        if !matches!(start.kind, TokenType::DocumentStart) {
            return Err(Fault::new(start.start, "directives are not followed by '---'"));
        }
        let end = start.end;
        self.tokens.skip();
        match self.peek()?.kind {
            TokenType::DocumentStart
            | TokenType::DocumentEnd
            | TokenType::StreamEnd
            | TokenType::VersionDirective(..)
            | TokenType::TagDirective(..) => Ok(Parsed::nothing(end)),
            _ => self.node(true, false),
        }
    }

    /// Makes `root` the document `map`. Null is an empty one, as for SOPS.
    fn fill(&self, map: &mut Map, root: Parsed) -> Result<(), Fault> {
        let (text, start) = (self.text, root.start);
        if let Value::Scalar(Scalar::Null) = root.node.value {
            push_comments(text, &mut map.items, &root.comments.head);
            push_comments(text, &mut map.items, &root.comments.line);
            return Ok(());
        }
        match root.enclose(text).value {
            Value::Map(inner) => {
                map.flow = inner.flow;
                map.items.extend(inner.items);
                Ok(())
            }
            Value::Scalar(_) => Err(Fault::new(start, "the document is a value, not a mapping")),
            Value::Seq(_) => Err(Fault::new(start, "the document is a list, not a mapping")),
        }
    }

    /// What of the first comments belongs to the document: all before their last blank line.
    fn document_head(&mut self) -> Lines {
        let waiting = &mut self.tokens.waiting.head;
        match waiting.iter().rposition(Option::is_none) {
            Some(blank) => {
                let rest = waiting.split_off(blank + 1);
                std::mem::replace(waiting, rest)
            }
            None => Lines::new(),
        }
    }

    fn directives(&mut self) -> Result<(), Fault> {
        let mut versions = 0;
        loop {
            let token = self.peek()?;
            let start = token.start;
            match &token.kind {
                TokenType::VersionDirective(major, minor) => {
                    versions += 1;
                    if (*major, *minor) != (1, 1) || versions > 1 {
                        return Err(Fault::new(start, "it asks for another version of YAML than 1.1"));
                    }
                }
                TokenType::TagDirective(handle, prefix) => {
                    let (handle, prefix) = (handle.clone(), prefix.clone());
                    self.handles.push((handle, prefix));
                }
                TokenType::ReservedDirective(..) => return Err(Fault::new(start, "the directive is unknown")),
                _ => return Ok(()),
            }
            self.tokens.skip();
        }
    }

    /// The tag that `handle` and `suffix` stand for.
    pub(super) fn tag(&self, handle: &str, suffix: &str, at: usize) -> Result<Tag, Fault> {
        let prefix = match self.handles.iter().find(|(known, _)| known == handle) {
            Some((_, prefix)) => prefix.as_ref(),
            None => match handle {
                "" => "",
                "!" => "!",
                "!!" => resolve::CORE,
                _ => return Err(Fault::new(at, "a tag has an unknown handle")),
            },
        };
        Ok(Tag::of(prefix, suffix))
    }
}
