//! The text of a tree, byte for byte as go-yaml's emitter prints what SOPS hands it.
//!
//! SOPS hands comments over as the head of what follows them or, at the end of a collection, as the
//! foot of its last value; the emitter keeps one head and one foot that wait to be printed. That is
//! why a foot behind a nested collection appears further down, and why it is followed here with the
//! emitter's own few variables rather than as a layout.

use super::scalar::{self, Quoting, Site, Spelling};
use crate::secrets::tree::{Comment, Entry, Item, Map, Node, Scalar, Seq, Tree, Value};

/// The spaces per level, as SOPS takes them: 4 when unset or 0, 2 when it cannot be.
pub(super) fn step(indent: Option<usize>) -> usize {
    match indent {
        None | Some(0) => 4,
        Some(step @ 2..=9) => step,
        Some(_) => 2,
    }
}

/// For whom a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// As `sops -d` prints it.
    Plain,
    /// For SOPS to open. What it writes itself but cannot read again as it was is spelled so that it
    /// can.
    Sealed,
    /// As sealed, to be put into a text that is there: comments stay inside of their list items.
    Exact,
}

/// The whole text.
pub(super) fn tree(tree: &Tree, step: usize, purpose: Purpose) -> Vec<u8> {
    let mut emitter = Emitter::new(step, purpose);
    for (at, document) in tree.documents.iter().enumerate() {
        emitter.document(document, at == 0);
    }
    emitter.out
}

/// One value on its own.
pub(super) fn value(node: &Node, step: usize) -> Vec<u8> {
    let mut emitter = Emitter::new(step, Purpose::Plain);
    match &node.value {
        Value::Map(map) => emitter.document(map, true),
        Value::Seq(seq) => emitter.sequence(seq),
        Value::Scalar(_) => {
            emitter.value(node, false, &[]);
            emitter.indent();
        }
    }
    emitter.out
}

fn begins_with_comment(value: &Node) -> bool {
    // Without a value behind them it is written in brackets, on the line of the colon.
    fn then_values<T>(items: &[Item<T>]) -> bool {
        matches!(items.first(), Some(Item::Comment(_))) && !leading(items).1.is_empty()
    }
    match &value.value {
        Value::Map(map) => then_values(&map.items),
        Value::Seq(seq) => then_values(&seq.items),
        Value::Scalar(_) => false,
    }
}

/// Whether `value` is what a merge key takes: mappings.
fn is_merge(value: &Node) -> bool {
    match &value.value {
        Value::Map(_) => true,
        Value::Seq(seq) => seq.items.iter().all(|item| matches!(item, Item::Value(Node { value: Value::Map(_), .. }))),
        Value::Scalar(_) => false,
    }
}

/// Whether go-yaml writes a key without `?`.
fn is_simple(spelling: &Spelling<'_>) -> bool {
    !spelling.multiline && spelling.text.len() + spelling.tag.map_or(0, str::len) <= 128
}

struct Emitter<'t> {
    out: Vec<u8>,
    purpose: Purpose,
    step: usize,
    /// The column of the open collection; `None` before the first.
    level: Option<usize>,
    column: usize,
    /// Whether what was written last separates.
    whitespace: bool,
    /// Whether there are only indicators on the line so far.
    indention: bool,
    /// The column at which the next line is set off from a foot comment.
    foot_level: Option<usize>,
    head: Vec<&'t Comment>,
    foot: Vec<&'t Comment>,
}

impl<'t> Emitter<'t> {
    fn new(step: usize, purpose: Purpose) -> Self {
        Self {
            out: Vec::new(),
            purpose,
            step,
            level: None,
            column: 0,
            whitespace: true,
            indention: true,
            foot_level: None,
            head: Vec::new(),
            foot: Vec::new(),
        }
    }

    fn document(&mut self, map: &'t Map, first: bool) {
        if !first {
            self.indent();
            self.indicator("---", true, false, false);
            self.indent();
        }
        let (head, rest) = leading(&map.items);
        self.set_head(head);
        self.head_comment();
        self.foot_comment();
        self.level = None;
        if rest.is_empty() {
            self.empty("{", "}", false, &[]);
        } else {
            self.level = Some(0);
            self.entries(rest, &[]);
            self.level = None;
        }
        self.foot_level = Some(0);
        self.foot_comment();
        self.foot_level = None;
        self.indent();
    }

    /// A sequence that is not part of a document.
    fn sequence(&mut self, seq: &'t Seq) {
        let (head, rest) = leading(&seq.items);
        self.set_head(head);
        self.head_comment();
        if rest.is_empty() {
            self.empty("[", "]", false, &[]);
        } else {
            self.level = Some(0);
            self.items(rest, &[]);
            self.level = None;
        }
        self.foot_level = Some(0);
        self.foot_comment();
        self.foot_level = None;
        self.indent();
    }

    /// The entries of a mapping at the current level, and then its own foot.
    fn entries(&mut self, items: &'t [Item<Entry>], foot: &[&'t Comment]) {
        let mut rest = items;
        while let Some(Next { comments, value: entry, rest: after }) = next(rest) {
            self.set_head(comments);
            self.entry(entry);
            rest = after;
        }
        self.set_foot(foot);
        let (trailing, _) = leading(rest);
        if !trailing.is_empty() {
            self.indent();
            self.comment(&trailing);
            self.foot_level = self.level;
        }
        self.head_comment();
    }

    fn entry(&mut self, entry: &'t Entry) {
        self.head_comment();
        self.indent();
        let simple = self.spell_key(entry);
        if is_simple(&simple) {
            self.scalar(&simple, false);
            self.indicator(":", false, false, false);
        } else {
            self.indicator("?", true, false, true);
            self.scalar(&scalar::spell_text(&entry.key, Site::Block), false);
            self.indent();
            self.indicator(":", true, false, true);
            // On the line of the colon, a comment would be read as the key's.
            if self.purpose != Purpose::Plain && begins_with_comment(&entry.value) {
                self.line_break();
            }
        }
        self.value(&entry.value, false, &[]);
    }

    fn spell_key(&self, entry: &'t Entry) -> Spelling<'t> {
        let mut spelling = scalar::spell_text(&entry.key, Site::Key);
        // Tagged, it would be a merge of what is no mapping.
        if self.purpose != Purpose::Plain && spelling.tag.is_some() && !is_merge(&entry.value) {
            spelling.tag = None;
            spelling.quoting = Quoting::Double;
        }
        spelling
    }

    /// A value behind what announces it. Its head comments wait already, except those of a collection.
    fn value(&mut self, node: &'t Node, in_list: bool, foot: &[&'t Comment]) {
        match &node.value {
            Value::Scalar(scalar) => {
                self.set_foot(foot);
                let mut spelling = scalar::spell(scalar);
                if self.purpose != Purpose::Plain && spelling.text == "-0" && matches!(scalar, Scalar::Float(_)) {
                    // Else it would be the integer 0, and the MAC another one.
                    spelling.text = "-0.0".into();
                }
                self.scalar(&spelling, in_list);
                self.foot_comment();
            }
            Value::Map(Map { items, .. }) => {
                let (head, rest) = leading(items);
                if !in_list {
                    self.set_head(head);
                }
                if rest.is_empty() {
                    self.empty("{", "}", in_list, foot);
                } else {
                    self.foot_comment();
                    let level = self.level.replace(self.deeper(in_list));
                    self.entries(rest, foot);
                    self.level = level;
                }
            }
            Value::Seq(Seq { items, .. }) => {
                let (head, rest) = leading(items);
                if !in_list {
                    self.set_head(head);
                }
                if rest.is_empty() {
                    self.empty("[", "]", in_list, foot);
                } else {
                    self.foot_comment();
                    let level = self.level.replace(self.deeper(in_list));
                    self.items(rest, foot);
                    self.level = level;
                }
            }
        }
    }

    fn items(&mut self, items: &'t [Item<Node>], foot: &[&'t Comment]) {
        let mut rest = items;
        while let Some(Next { comments, value: item, rest: after }) = next(rest) {
            let trailing = trailing(after);
            self.item(item, &comments, &trailing);
            rest = after;
        }
        self.set_foot(foot);
    }

    fn item(&mut self, item: &'t Node, comments: &[&'t Comment], foot: &[&'t Comment]) {
        let (own, is_empty) = match &item.value {
            Value::Map(map) => first_comments(&map.items),
            Value::Seq(seq) => first_comments(&seq.items),
            Value::Scalar(_) => (Vec::new(), false),
        };
        // The head of a collection is printed before its dash, and is then no longer its own.
        let stays = self.purpose == Purpose::Exact && !own.is_empty() && !is_empty && self.foot.is_empty();
        let (before, behind) = if stays { (Vec::new(), own) } else { (own, Vec::new()) };
        self.set_head([comments, &before].concat());
        self.head_comment();
        self.indent();
        self.indicator("-", true, false, true);
        if !behind.is_empty() {
            let level = self.level.replace(self.deeper(true));
            self.separate();
            self.comment(&behind);
            self.level = level;
        }
        self.value(item, true, foot);
    }

    /// A collection without values. A foot that waits is printed behind it: go-yaml prints it before,
    /// and then the brackets in the first column, where nobody can read them.
    fn empty(&mut self, open: &str, close: &str, in_list: bool, foot: &[&'t Comment]) {
        self.indicator(open, true, true, false);
        self.foot.extend_from_slice(foot);
        if self.purpose != Purpose::Plain && open == "{" {
            // SOPS writes a comment here where it does not read it again; others could not read it at all.
            self.head.clear();
        } else if open == "{" {
            let level = self.level.replace(self.deeper(in_list));
            self.head_comment();
            self.level = level;
        }
        self.indicator(close, false, false, false);
        self.foot_comment();
    }

    /// The column of what is nested in the current level.
    fn deeper(&self, in_list: bool) -> usize {
        match self.level {
            None => self.step,
            // It only skips the dash.
            Some(level) if in_list => level + 2,
            Some(level) => self.step * ((level + self.step) / self.step),
        }
    }

    fn scalar(&mut self, spelling: &Spelling<'_>, in_list: bool) {
        if let Some(tag) = spelling.tag {
            self.separate();
            self.write(tag);
            (self.whitespace, self.indention) = (false, false);
        }
        let text = spelling.text.as_ref();
        match spelling.quoting {
            Quoting::Plain => {
                if !text.is_empty() {
                    self.separate();
                    self.write(text);
                    self.whitespace = false;
                }
                self.indention = false;
            }
            Quoting::Single => {
                self.indicator("'", true, false, false);
                self.write(&text.replace('\'', "''"));
                self.indicator("'", false, false, false);
                self.indention = false;
            }
            Quoting::Double => {
                self.indicator("\"", true, false, false);
                let before = self.out.len();
                scalar::escape(&mut self.out, text);
                self.column += self.out.len() - before;
                self.indicator("\"", false, false, false);
                self.indention = false;
            }
            Quoting::Literal => self.literal(text, in_list),
        }
    }

    fn literal(&mut self, text: &str, in_list: bool) {
        let outer = self.level;
        let level = self.deeper(in_list);
        self.indicator("|", true, false, false);
        if text.starts_with([' ', '\n']) {
            // go-yaml always says its step here, which is wrong where the text is less indented.
            let digit = (level - outer.unwrap_or(0)).to_string();
            self.indicator(&digit, false, false, false);
        }
        if !text.ends_with('\n') {
            self.indicator("-", false, false, false);
        } else if text == "\n" || text.ends_with("\n\n") {
            self.indicator("+", false, false, false);
        }
        self.line_break();
        self.whitespace = true;
        self.level = Some(level);
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            if !line.is_empty() {
                self.indent();
                self.write(line);
                self.indention = false;
            }
            if lines.peek().is_some() {
                self.line_break();
            }
        }
        self.level = outer;
    }

    /// Has a head wait. There is room for one: SOPS loses what waits already.
    fn set_head(&mut self, mut comments: Vec<&'t Comment>) {
        if self.purpose != Purpose::Plain {
            self.head.append(&mut comments);
        } else if !comments.is_empty() {
            self.head = comments;
        }
    }

    /// As [`Emitter::set_head`], for a foot.
    fn set_foot(&mut self, comments: &[&'t Comment]) {
        if self.purpose != Purpose::Plain {
            self.foot.extend_from_slice(comments);
        } else if !comments.is_empty() {
            self.foot = comments.to_vec();
        }
    }

    fn head_comment(&mut self) {
        if !self.head.is_empty() {
            let lines = std::mem::take(&mut self.head);
            self.indent();
            self.comment(&lines);
        }
    }

    fn foot_comment(&mut self) {
        if !self.foot.is_empty() {
            let lines = std::mem::take(&mut self.foot);
            self.indent();
            self.comment(&lines);
            self.foot_level = Some(self.level.unwrap_or(0));
        }
    }

    fn comment(&mut self, lines: &[&Comment]) {
        for (at, comment) in lines.iter().enumerate() {
            if at > 0 {
                self.indent();
            }
            self.write("#");
            self.indention = false;
            // A comment is what a reader found on one line, so it has no break but the wide ones.
            let text = String::from_utf8_lossy(comment.text.expose());
            let mut rest = text.as_ref();
            while let Some(found) = rest.find(['\u{85}', '\u{2028}', '\u{2029}', '\n', '\r']) {
                let after = found + rest[found..].chars().next().map_or(1, char::len_utf8);
                self.write(&rest[..found]);
                if rest[found..].starts_with('\n') {
                    self.line_break();
                } else {
                    self.write(&rest[found..after]);
                    (self.column, self.indention) = (0, true);
                }
                rest = &rest[after..];
                if !rest.is_empty() {
                    self.indent();
                    if !rest.starts_with('#') {
                        self.write("# ");
                    }
                    self.indention = false;
                }
            }
            self.write(rest);
            self.line_break();
        }
        self.whitespace = true;
    }

    fn indent(&mut self) {
        let level = self.level.unwrap_or(0);
        if !self.indention || self.column > level || (self.column == level && !self.whitespace) {
            self.line_break();
        }
        if self.foot_level == Some(level) {
            self.line_break();
        }
        if self.column < level {
            self.out.resize(self.out.len() + level - self.column, b' ');
            self.column = level;
        }
        self.whitespace = true;
        self.foot_level = None;
    }

    fn indicator(&mut self, indicator: &str, separate: bool, whitespace: bool, indention: bool) {
        if separate {
            self.separate();
        }
        self.write(indicator);
        self.whitespace = whitespace;
        self.indention &= indention;
    }

    fn separate(&mut self) {
        if !self.whitespace {
            self.write(" ");
        }
    }

    fn write(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.column += text.len();
    }

    fn line_break(&mut self) {
        self.out.push(b'\n');
        self.column = 0;
        self.indention = true;
    }
}

/// The comments at the front of a collection, and the rest of it.
fn leading<T>(items: &[Item<T>]) -> (Vec<&Comment>, &[Item<T>]) {
    let count = items.iter().take_while(|item| matches!(item, Item::Comment(_))).count();
    let (front, rest) = items.split_at(count);
    (front.iter().filter_map(comment).collect(), rest)
}

/// The comments at the front of a collection, and whether nothing follows them.
fn first_comments<T>(items: &[Item<T>]) -> (Vec<&Comment>, bool) {
    let (comments, rest) = leading(items);
    (comments, rest.is_empty())
}

/// The next value of a collection.
struct Next<'t, T> {
    /// What stands before it.
    comments: Vec<&'t Comment>,
    value: &'t T,
    /// What follows it.
    rest: &'t [Item<T>],
}

fn next<T>(items: &[Item<T>]) -> Option<Next<'_, T>> {
    let (comments, rest) = leading(items);
    match rest.split_first() {
        Some((Item::Value(value), rest)) => Some(Next { comments, value, rest }),
        _ => None,
    }
}

/// The comments of a collection behind its last value, when there is no other value in `items`.
fn trailing<T>(items: &[Item<T>]) -> Vec<&Comment> {
    let (comments, rest) = leading(items);
    if rest.is_empty() { comments } else { Vec::new() }
}

fn comment<T>(item: &Item<T>) -> Option<&Comment> {
    match item {
        Item::Comment(comment) => Some(comment),
        Item::Value(_) => None,
    }
}
