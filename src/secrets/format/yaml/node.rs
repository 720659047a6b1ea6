//! The grammar of YAML over its tokens, and its nodes with the comments that go-yaml gives them.

use std::borrow::Cow;

use granit_parser::{ScalarStyle, TokenType};

use super::build::{Entries, Items, Kind, Parsed, weigh};
use super::fault::Fault;
use super::read::{Anchor, Reader};
use super::resolve::{self, Tag};
use super::tokens::{Comments, Lines, MAX_DEPTH, Token};

/// How many values aliases may add up to, longer texts counting more.
const MAX_EXPANSION: usize = 1_000_000;

/// What comes before a node.
#[derive(Default)]
struct Properties {
    tag: Option<Tag>,
    anchor: Option<usize>,
    start: usize,
    end: usize,
}

/// A collection that begins.
#[derive(Clone, Copy)]
enum Opening {
    /// A sequence whose dashes stand where the keys around it do.
    Indentless,
    Block {
        map: bool,
    },
    Flow {
        map: bool,
    },
    /// A pair in brackets.
    Pair,
}

impl<'a> Reader<'a> {
    /// The next node: in block context or in flow, and perhaps a sequence that is not indented.
    pub(super) fn node(&mut self, block: bool, indentless: bool) -> Result<Box<Parsed>, Fault> {
        if matches!(self.peek()?.kind, TokenType::Alias(_)) {
            return self.alias();
        }
        let properties = self.properties()?;
        let token = self.peek()?;
        let at = token.start;
        let opening = match &token.kind {
            TokenType::BlockEntry if indentless => Opening::Indentless,
            TokenType::BlockSequenceStart if block => Opening::Block { map: false },
            TokenType::BlockMappingStart if block => Opening::Block { map: true },
            TokenType::FlowSequenceStart => Opening::Flow { map: false },
            TokenType::FlowMappingStart if token.end > at => Opening::Flow { map: true },
            TokenType::FlowMappingStart => Opening::Pair,
            _ => return self.leaf(block, &properties),
        };
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(at, "it is nested too deeply"));
        }
        let before = std::mem::replace(&mut self.deepest, self.depth);
        let mut parsed = self.collection(opening, at)?;
        let height = self.deepest + 1 - self.depth;
        self.deepest = self.deepest.max(before);
        self.depth -= 1;
        self.remember(&mut parsed, &properties, height);
        Ok(parsed)
    }

    /// The tag and the anchor before a node.
    fn properties(&mut self) -> Result<Properties, Fault> {
        let start = self.peek()?.start;
        let mut properties = Properties { start, end: start, ..Properties::default() };
        loop {
            let token = self.peek()?;
            let (at, end) = (token.start, token.end);
            match &token.kind {
                TokenType::Anchor(name) if properties.anchor.is_none() => {
                    let name = name.clone();
                    self.anchors.push(Anchor { parsed: None, weight: 0, height: 0 });
                    self.names.insert(name, self.anchors.len() - 1);
                    properties.anchor = Some(self.anchors.len() - 1);
                }
                TokenType::Tag(handle, suffix) if properties.tag.is_none() => {
                    let (handle, suffix) = (handle.clone(), suffix.clone());
                    properties.tag = Some(self.tag(&handle, &suffix, at)?);
                }
                _ => return Ok(properties),
            }
            properties.end = end;
            self.tokens.skip();
        }
    }

    /// Keeps a node for the aliases to its anchor.
    fn remember(&mut self, parsed: &mut Box<Parsed>, properties: &Properties, height: usize) {
        if let Some(anchor) = properties.anchor {
            parsed.anchor = Some(anchor);
            let weight = weigh(&parsed.node);
            self.anchors[anchor] = Anchor { parsed: Some(parsed.clone()), weight, height };
        }
    }

    /// A scalar, or a null that is not written but has properties.
    fn leaf(&mut self, block: bool, properties: &Properties) -> Result<Box<Parsed>, Fault> {
        let token = self.peek()?;
        let at = token.start;
        let mut parsed = if matches!(token.kind, TokenType::Scalar(..)) {
            let comments = self.take_comments();
            let Some(Token { end, kind: TokenType::Scalar(style, text), .. }) = self.tokens.skip() else {
                return Err(Fault::new(at, "a value is missing here"));
            };
            let plain = style == ScalarStyle::Plain;
            if !block && plain && text.starts_with(':') {
                return Err(Fault::new(at, "no value can begin with this character"));
            }
            let mut parsed = resolved(text, plain, properties, end)?;
            parsed.comments = comments;
            parsed
        } else if properties.tag.is_some() || properties.anchor.is_some() {
            resolved(Cow::Borrowed(""), true, properties, properties.end)?
        } else {
            return Err(Fault::new(at, "a value is missing here"));
        };
        self.remember(&mut parsed, properties, 0);
        Ok(parsed)
    }

    fn collection(&mut self, opening: Opening, at: usize) -> Result<Box<Parsed>, Fault> {
        let head = match opening {
            Opening::Indentless | Opening::Pair => Lines::new(),
            Opening::Block { .. } => std::mem::take(&mut self.stem),
            Opening::Flow { .. } => self.take_comments().head,
        };
        if !matches!(opening, Opening::Indentless) {
            self.tokens.skip();
        }
        let mut parsed = match opening {
            Opening::Indentless => self.sequence(at, false),
            Opening::Block { map: false } => self.sequence(at, true),
            Opening::Block { map: true } => self.mapping(at),
            Opening::Flow { map: false } => self.flow_sequence(at),
            Opening::Flow { map: true } => self.flow_mapping(at),
            Opening::Pair => self.flow_pair(at),
        }?;
        parsed.comments.head = head;
        Ok(parsed)
    }

    /// What an alias stands for, in full.
    fn alias(&mut self) -> Result<Box<Parsed>, Fault> {
        let comments = self.take_comments();
        let Some(Token { start, end, kind: TokenType::Alias(name) }) = self.tokens.skip() else {
            return Err(Fault::new(self.text.len(), "it ends too early"));
        };
        let Some(anchor) = self.names.get(&name).and_then(|&at| self.anchors.get(at)) else {
            return Err(Fault::new(start, "an alias has no anchor before it"));
        };
        let Some(target) = &anchor.parsed else {
            return Err(Fault::new(start, "an alias stands inside of what it refers to"));
        };
        self.expanded += anchor.weight;
        if self.expanded > MAX_EXPANSION {
            return Err(Fault::new(start, "its aliases multiply to too much"));
        }
        if self.depth + anchor.height > MAX_DEPTH {
            return Err(Fault::new(start, "it is nested too deeply"));
        }
        self.deepest = self.deepest.max(self.depth + anchor.height);
        // Here, the comments of the collection are in it.
        let mut node = target.clone().enclose(self.text);
        // What an alias stands for does not stand there itself.
        node.forget();
        Ok(Box::new(Parsed { node, kind: Kind::Alias, comments, start, end, anchor: None }))
    }

    /// Appends an entry, and has its anchor forget the comments that it gave away.
    fn entry(
        &mut self,
        entries: &mut Entries<'a>,
        key: Box<Parsed>,
        value: Box<Parsed>,
        block: bool,
    ) -> Result<(), Fault> {
        if (key.comments.foot.is_empty() || (block && entries.has_entry))
            && let Some(anchor) = value.anchor.and_then(|anchor| self.anchors.get_mut(anchor))
            && let Some(copy) = &mut anchor.parsed
        {
            copy.comments.foot = Lines::new();
        }
        entries.push(key, value, block)
    }

    /// A block sequence, with tokens for its start and end or without.
    fn sequence(&mut self, start: usize, indented: bool) -> Result<Box<Parsed>, Fault> {
        let mut items = Items::new(self.text, start);
        loop {
            let token = self.peek()?;
            let (at, after) = (token.start, token.end);
            match token.kind {
                TokenType::BlockEntry => {}
                TokenType::BlockEnd if indented => {
                    self.tokens.skip();
                    break;
                }
                _ if !indented => break,
                _ => return Err(Fault::new(at, "a '-' is missing here")),
            }
            let before = self.tokens.waiting.head.len();
            self.tokens.skip();
            let nothing = match self.peek()?.kind {
                TokenType::BlockEntry | TokenType::BlockEnd => true,
                TokenType::Key | TokenType::Value => !indented,
                TokenType::BlockSequenceStart | TokenType::BlockMappingStart => {
                    if before > 0 {
                        let rest = self.tokens.waiting.head.split_off(before);
                        self.stem = std::mem::replace(&mut self.tokens.waiting.head, rest);
                    }
                    false
                }
                _ => false,
            };
            let item = if nothing { Parsed::nothing(after) } else { self.node(true, false)? };
            items.push(item);
        }
        Ok(items.finish(false))
    }

    fn flow_sequence(&mut self, start: usize) -> Result<Box<Parsed>, Fault> {
        let mut items = Items::new(self.text, start);
        let mut first = true;
        loop {
            let mut token = self.peek()?;
            if !first && !matches!(token.kind, TokenType::FlowSequenceEnd) {
                if !matches!(token.kind, TokenType::FlowEntry) {
                    return Err(Fault::new(token.start, "a ',' or ']' is missing here"));
                }
                self.tokens.skip();
                token = self.peek()?;
            }
            first = false;
            let at = token.start;
            match token.kind {
                TokenType::FlowSequenceEnd => {
                    items.end = token.end;
                    break;
                }
                TokenType::Key => {
                    let item = self.flow_pair(at)?;
                    items.push(item);
                }
                _ => {
                    let item = self.node(false, false)?;
                    items.push(item);
                }
            }
        }
        let comments = self.take_comments();
        self.tokens.skip();
        let mut parsed = items.finish(true);
        parsed.comments = Comments { head: Lines::new(), ..comments };
        Ok(parsed)
    }

    /// The one pair of a mapping without braces in a flow sequence.
    fn flow_pair(&mut self, start: usize) -> Result<Box<Parsed>, Fault> {
        let mut entries = Entries::new(self.text, start);
        let token = self.peek()?;
        let mut at = token.start;
        let key = if matches!(token.kind, TokenType::Key) {
            self.tokens.skip();
            let token = self.peek()?;
            at = token.start;
            match token.kind {
                TokenType::Value | TokenType::FlowEntry | TokenType::FlowSequenceEnd => Parsed::nothing(at),
                _ => self.node(false, false)?,
            }
        } else {
            Parsed::nothing(at)
        };
        let value = self.flow_value(key.end)?;
        self.entry(&mut entries, key, value, false)?;
        let token = self.peek()?;
        if matches!(token.kind, TokenType::FlowMappingEnd) && token.end == token.start {
            self.tokens.skip();
        }
        entries.finish(true)
    }

    /// The value of a pair in flow style.
    fn flow_value(&mut self, after: usize) -> Result<Box<Parsed>, Fault> {
        let token = self.peek()?;
        if !matches!(token.kind, TokenType::Value) {
            return Ok(Parsed::nothing(after));
        }
        let end = token.end;
        self.tokens.skip();
        match self.peek()?.kind {
            TokenType::FlowEntry | TokenType::FlowMappingEnd | TokenType::FlowSequenceEnd => Ok(Parsed::nothing(end)),
            _ => self.node(false, false),
        }
    }

    fn flow_mapping(&mut self, start: usize) -> Result<Box<Parsed>, Fault> {
        let mut entries = Entries::new(self.text, start);
        let mut first = true;
        loop {
            let mut token = self.peek()?;
            if !first && !matches!(token.kind, TokenType::FlowMappingEnd) {
                if !matches!(token.kind, TokenType::FlowEntry) {
                    return Err(Fault::new(token.start, "a ',' or '}' is missing here"));
                }
                self.tokens.skip();
                token = self.peek()?;
            }
            first = false;
            match token.kind {
                TokenType::FlowMappingEnd => {
                    entries.end = token.end;
                    break;
                }
                TokenType::Key => {
                    let end = token.end;
                    self.tokens.skip();
                    let key = match self.peek()?.kind {
                        TokenType::Value | TokenType::FlowEntry | TokenType::FlowMappingEnd => Parsed::nothing(end),
                        _ => self.node(false, false)?,
                    };
                    let value = self.flow_value(key.end)?;
                    self.entry(&mut entries, key, value, false)?;
                }
                _ => {
                    let key = self.node(false, false)?;
                    let value = Parsed::nothing(key.end);
                    self.entry(&mut entries, key, value, false)?;
                }
            }
        }
        let comments = self.take_comments();
        self.tokens.skip();
        let mut parsed = entries.finish(true)?;
        parsed.comments = Comments { head: Lines::new(), ..comments };
        Ok(parsed)
    }

    fn mapping(&mut self, start: usize) -> Result<Box<Parsed>, Fault> {
        let mut entries = Entries::new(self.text, start);
        loop {
            let token = self.peek()?;
            let (at, end) = (token.start, token.end);
            match token.kind {
                TokenType::Key => {}
                TokenType::BlockEnd => break,
                _ => return Err(Fault::new(at, "a key is missing here")),
            }
            self.tokens.skip();
            let key = match self.peek()?.kind {
                TokenType::Key | TokenType::Value | TokenType::BlockEnd => Parsed::nothing(end),
                _ => self.node(true, true)?,
            };
            let mut after = key.end;
            let token = self.peek()?;
            let value = if matches!(token.kind, TokenType::Value) {
                after = token.end;
                self.tokens.skip();
                match self.peek()?.kind {
                    TokenType::Key | TokenType::Value | TokenType::BlockEnd => Parsed::nothing(after),
                    _ => self.node(true, true)?,
                }
            } else {
                Parsed::nothing(after)
            };
            self.entry(&mut entries, key, value, true)?;
        }
        let mut comments = self.take_comments();
        self.tokens.skip();
        if !comments.foot.is_empty() && entries.has_entry {
            entries.foot = std::mem::take(&mut comments.foot);
        }
        let mut parsed = entries.finish(false)?;
        parsed.comments = Comments { head: Lines::new(), ..comments };
        Ok(parsed)
    }
}

fn resolved(text: Cow<'_, str>, plain: bool, properties: &Properties, end: usize) -> Result<Box<Parsed>, Fault> {
    let scalar = resolve::resolve(text, plain, properties.tag.unwrap_or(Tag::None))
        .map_err(|what| Fault::new(properties.start, what))?;
    Ok(Parsed::scalar(scalar, properties.start, end))
}
