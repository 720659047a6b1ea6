//! The tokens of a YAML text with its comments, as go-yaml pairs them.
//!
//! The tokens themselves come from granit's scanner. What it does not know is how go-yaml sees
//! comments: each run of comment lines becomes the head of what follows, the foot of what precedes,
//! or the line comment of a token, by its column, the blank lines around it and the block that is
//! open. Those rules live here, over the text between two tokens; they decide where SOPS keeps a
//! comment, and with that under which path it is encrypted.

mod comments;

use std::borrow::Cow;
use std::collections::VecDeque;

use granit_parser::{Options, ScalarStyle, Scanner, StrInput, TokenType};

use super::fault::{self, Fault};
use super::wide;

/// How many collections may be nested. SOPS reads ten thousand; nobody writes more than thirty, and
/// every walk over a tree may recurse.
pub(super) const MAX_DEPTH: usize = 200;

/// Lines of a comment; `None` is a blank line between two of them.
pub(super) type Lines = Vec<Option<(usize, usize)>>;

/// A token and the bytes that it covers.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: TokenType<'a>,
}

/// What kind of token came last; all that the rules ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    BlockSequence,
    BlockEntry,
    FlowEntry,
    Value,
    Other,
}

/// A place in the text: byte, line from 0, column in characters from 0.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    at: usize,
    line: usize,
    column: usize,
}

/// A run of comment lines that waits for its token.
#[derive(Debug, Default)]
struct Pending {
    /// Where the search that found it began.
    scan: usize,
    /// The token that it belongs to begins here, or at the first token behind it.
    token: usize,
    start: Mark,
    end: usize,
    head: Lines,
    line: Lines,
    foot: Lines,
}

impl Pending {
    /// The `lines` so far, which are taken, as the foot of the token at `token`.
    fn foot(scan: usize, token: usize, start: Mark, end: usize, lines: &mut Lines) -> Self {
        Self { scan, token, start, end, foot: std::mem::take(lines), ..Self::default() }
    }
}

/// The comments of a node.
#[derive(Clone, Debug, Default)]
pub(super) struct Comments {
    /// Before it.
    pub(super) head: Lines,
    /// On its line.
    pub(super) line: Lines,
    /// Behind it.
    pub(super) foot: Lines,
}

/// A stream of tokens with one token of free lookahead and the comments up to it.
pub(super) struct Tokens<'a> {
    text: &'a str,
    scanner: Scanner<'a, StrInput<'a>>,
    queue: VecDeque<Token<'a>>,
    pending: VecDeque<Pending>,
    /// Comments of the tokens seen so far that no node has taken.
    pub(super) waiting: Comments,
    mark: Mark,
    /// Line breaks since the last character that is no blank.
    newlines: usize,
    /// Columns of the open block collections.
    indents: Vec<usize>,
    flow: usize,
    last: (Last, usize),
    before_last: (Last, usize),
    /// Where the last plain scalar ends.
    plain_end: usize,
    /// Where block ends of the current token were put: by dedent, and by the end of a document.
    dedent: Option<(usize, usize)>,
    ended: bool,
    /// Whether there are line breaks that only YAML 1.1 knows.
    wide: bool,
}

impl<'a> Tokens<'a> {
    /// The tokens of `text`, which holds no control characters.
    pub(super) fn new(text: &'a str) -> Self {
        let mut options = Options::default();
        options.flow_nesting_limit = MAX_DEPTH;
        options.block_nesting_limit = MAX_DEPTH;
        Self {
            text,
            scanner: Scanner::with_options(StrInput::new(text), options),
            queue: VecDeque::with_capacity(8),
            pending: VecDeque::new(),
            waiting: Comments::default(),
            mark: Mark::default(),
            newlines: 0,
            indents: Vec::new(),
            flow: 0,
            last: (Last::Other, 0),
            before_last: (Last::Other, 0),
            plain_end: usize::MAX,
            dedent: None,
            ended: false,
            wide: wide::is_in(text),
        }
    }

    /// The next token. Its comments, and those before it, are then in [`Tokens::waiting`].
    pub(super) fn peek(&mut self) -> Result<&Token<'a>, Fault> {
        // Two more are needed: the comments behind a token may belong to it.
        while self.queue.len() < 3 && !self.ended {
            self.fetch()?;
            // The blocks that end before a token end at once, by the comments that are there.
            while self.queue.back().is_some_and(|token| matches!(token.kind, TokenType::BlockEnd)) && !self.ended {
                self.fetch()?;
            }
        }
        if let Some(token) = self.queue.front()
            && !self.pending.is_empty()
        {
            let (start, block_end) = (token.start, matches!(token.kind, TokenType::BlockEnd));
            self.unfold(start, block_end);
        }
        self.queue.front().ok_or_else(|| Fault::new(self.text.len(), "it ends too early"))
    }

    /// Takes the token that [`Tokens::peek`] showed.
    pub(super) fn skip(&mut self) -> Option<Token<'a>> {
        self.queue.pop_front()
    }

    /// Moves the comments of the tokens up to `start` to those that wait for an event.
    fn unfold(&mut self, start: usize, block_end: bool) {
        while let Some(comment) = self.pending.front_mut() {
            // The end of a block has no head: that stays for what follows.
            if start < comment.token || (block_end && !comment.head.is_empty()) {
                break;
            }
            self.waiting.head.append(&mut comment.head);
            self.waiting.foot.append(&mut comment.foot);
            self.waiting.line.append(&mut comment.line);
            self.pending.pop_front();
        }
    }

    /// Appends the next token of the scanner.
    fn fetch(&mut self) -> Result<(), Fault> {
        let token = match self.scanner.next() {
            Some(Ok(token)) => token,
            Some(Err(error)) => return Err(fault::from_scanner(self.text, &error)),
            None => {
                self.ended = true;
                return Ok(());
            }
        };
        let (span, mut kind) = token.into_parts();
        if matches!(kind, TokenType::StreamStart) {
            return Ok(());
        }
        let offset = |mark: &granit_parser::Marker| mark.byte_offset().unwrap_or(0);
        let (mut start, mut end) = (offset(&span.start), offset(&span.end));
        let block_scalar = matches!(kind, TokenType::Scalar(ScalarStyle::Literal | ScalarStyle::Folded, _));
        // The scanner says where the content begins, behind the header or the dash.
        let content_only = block_scalar || matches!(kind, TokenType::BlockEntry);
        if self.dedent.is_none() || (!content_only && start > self.mark.at) {
            let scan = self.mark;
            self.gap();
            if !content_only && self.mark.at != start {
                self.mark = Mark { at: start, line: span.start.line() - 1, column: span.start.col() };
            }
            self.dedent = Some((scan.at.saturating_sub(1), self.mark.at.saturating_sub(1)));
        }
        if content_only {
            start = self.mark.at;
        }
        match kind {
            TokenType::StreamEnd => self.ended = true,
            TokenType::BlockSequenceStart | TokenType::BlockMappingStart => self.indents.push(span.start.col()),
            TokenType::BlockEnd => {
                start = self.close_block();
                end = start;
            }
            TokenType::FlowSequenceStart | TokenType::FlowMappingStart if end > start => self.flow += 1,
            TokenType::FlowSequenceEnd | TokenType::FlowMappingEnd if end > start => {
                self.flow = self.flow.saturating_sub(1);
            }
            TokenType::BlockEntry | TokenType::Value => end = start + 1,
            _ => {}
        }
        let last = match kind {
            TokenType::BlockSequenceStart => Last::BlockSequence,
            TokenType::BlockEntry => Last::BlockEntry,
            TokenType::FlowEntry => Last::FlowEntry,
            TokenType::Value => Last::Value,
            _ => Last::Other,
        };
        if matches!(kind, TokenType::Value)
            && self.flow > 0
            && self.plain_end == start
            && matches!(self.text.as_bytes().get(start + 1), Some(b',' | b'[' | b']' | b'{' | b'}'))
        {
            // To go-yaml the colon is a part of the text.
            return Err(Fault::new(start, "a space is missing behind the ':'"));
        }
        if matches!(kind, TokenType::Scalar(ScalarStyle::Plain, _)) {
            self.plain_end = end;
        }
        let previous = self.last;
        // go-yaml has no tokens for the mapping that a pair in brackets is.
        if end > start || !matches!(kind, TokenType::FlowMappingStart | TokenType::FlowMappingEnd) {
            self.before_last = std::mem::replace(&mut self.last, (last, start));
        }
        if end > start {
            self.leave(&kind, &span, start, end, previous.1);
        }
        if self.wide {
            self.by_older_rules(&mut kind, start, end, span.start.col())?;
        }
        if let TokenType::Scalar(style @ (ScalarStyle::Literal | ScalarStyle::Folded), value) = &mut kind {
            self.as_it_ends(*style, value, start);
            end = self.trimmed(value.is_empty(), start, end);
        }
        self.queue.push_back(Token { start, end, kind });
        Ok(())
    }

    /// Puts the mark behind a token, where go-yaml's stands then, and takes its line comment.
    fn leave(&mut self, kind: &TokenType<'a>, span: &granit_parser::Span, start: usize, end: usize, previous: usize) {
        self.dedent = None;
        self.newlines = 0;
        if matches!(kind, TokenType::BlockEntry) {
            self.mark = Mark { at: end, line: self.mark.line, column: self.mark.column + 1 };
            return;
        }
        self.mark = Mark { at: end, line: span.end.line() - 1, column: span.end.col() };
        let owner = match kind {
            TokenType::DocumentStart
            | TokenType::DocumentEnd
            | TokenType::VersionDirective(..)
            | TokenType::TagDirective(..)
            | TokenType::ReservedDirective(..) => return,
            TokenType::Value => {
                self.mark.column += 1;
                if self.flow == 0 { previous } else { start }
            }
            TokenType::FlowEntry => previous,
            TokenType::Scalar(ScalarStyle::Literal | ScalarStyle::Folded, _) => {
                self.leave_block_scalar(start, end);
                return;
            }
            TokenType::Scalar(ScalarStyle::Plain, _) => {
                // It has looked for its continuation up to the next thing.
                self.skip_blanks();
                start
            }
            _ => start,
        };
        self.line_comment(owner);
    }

    fn leave_block_scalar(&mut self, start: usize, end: usize) {
        let bytes = self.text.as_bytes();
        // The header may have a comment.
        let mut at = start;
        while at < bytes.len() && !matches!(bytes[at], b'\n' | b'\r' | b'#') {
            at += 1;
        }
        if bytes.get(at) == Some(&b'#') {
            let line = self.line_end(at);
            self.pending.push_back(Pending {
                token: start,
                start: Mark { at, ..Mark::default() },
                line: vec![Some((at, line))],
                ..Pending::default()
            });
            at = line;
        }
        // The mark is before the next thing, and the breaks count from the last of the content.
        let content = self.text.get(at..end).unwrap_or_default();
        let kept = content.trim_end_matches([' ', '\n', '\r', '\t']).len();
        let tail = &content[kept..];
        self.newlines = breaks(tail);
        let line_start = content.rfind(['\n', '\r']).map_or(at, |found| at + found + 1);
        self.mark.column = self.text[line_start..end].chars().count();
        self.skip_blanks();
    }

    /// Gives a scalar with line breaks of YAML 1.1 the text that it has there.
    fn by_older_rules(&self, kind: &mut TokenType<'a>, start: usize, end: usize, column: usize) -> Result<(), Fault> {
        match kind {
            TokenType::Scalar(ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, value) => {
                let raw = &self.text[start..end];
                if wide::is_in(raw) {
                    let text = wide::quoted(raw);
                    *value = text.ok_or_else(|| Fault::new(start, "a '\\' escape is not one of YAML"))?.into();
                }
            }
            TokenType::Scalar(ScalarStyle::Literal, value) if wide::is_in(value) => {
                *value = wide::literal(value, column).into();
            }
            _ => {}
        }
        Ok(())
    }

    /// A block scalar ends without a line break where the text does.
    fn as_it_ends(&self, style: ScalarStyle, value: &mut Cow<'a, str>, start: usize) {
        if self.mark.at < self.text.len() || self.text.ends_with(['\n', '\r']) || !value.ends_with('\n') {
            return;
        }
        let added = match style {
            // One more than there are, the one behind the header aside.
            ScalarStyle::Literal => breaks(value) >= breaks(&self.text[start..]),
            _ => {
                let last = self.text.rfind(['\n', '\r']).map_or(self.text, |at| &self.text[at + 1..]);
                !last.trim_matches(' ').is_empty()
            }
        };
        if added {
            value.to_mut().pop();
        }
    }

    /// The end of a block scalar: of its last line with content, or its last line if it keeps them.
    fn trimmed(&self, empty: bool, start: usize, end: usize) -> usize {
        let text = &self.text[start..end.max(start)];
        let header = text.find(['\n', '\r']).map_or(text.len(), |at| at);
        let keeps = text[..header].split('#').next().is_some_and(|header| header.contains('+'));
        if empty {
            return start + text[..header].split(" #").next().map_or(header, |header| header.trim_end().len());
        }
        if keeps {
            let cut = text.trim_end_matches([' ', '\t']);
            let cut = cut.strip_suffix("\r\n").or_else(|| cut.strip_suffix(['\n', '\r'])).unwrap_or(cut);
            return start + cut.len().max(header);
        }
        start + text.trim_end_matches(['\n', '\r', ' ', '\t']).len().max(header)
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.mark.at + ahead).copied()
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..].find(['\n', '\r']).map_or(self.text.len(), |at| from + at)
    }

    fn skip_spaces(&mut self) {
        while matches!(self.byte(0), Some(b' ' | b'\t')) {
            self.mark.at += 1;
            self.mark.column += 1;
        }
    }

    fn skip_blanks(&mut self) {
        loop {
            self.skip_spaces();
            if matches!(self.byte(0), Some(b'\n' | b'\r')) {
                self.skip_break();
            } else {
                return;
            }
        }
    }

    fn skip_break(&mut self) {
        self.mark.at += if self.byte(0) == Some(b'\r') && self.byte(1) == Some(b'\n') { 2 } else { 1 };
        self.mark.line += 1;
        self.mark.column = 0;
        self.newlines += 1;
    }

    /// One blank or line break.
    fn step(&mut self) {
        if matches!(self.byte(0), Some(b'\n' | b'\r')) {
            self.skip_break();
        } else {
            self.mark.at += 1;
            self.mark.column += 1;
        }
    }
}

fn breaks(text: &str) -> usize {
    let mut count = 0;
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if_eq(&b'\n');
                count += 1;
            }
            b'\n' => count += 1,
            _ => {}
        }
    }
    count
}
