//! Which token a run of comment lines belongs to, by go-yaml's rules.

use super::{Last, Lines, Mark, Pending, Tokens};

/// How many characters go-yaml looks ahead for a comment.
const LOOKAHEAD: usize = 512;

impl Tokens<'_> {
    /// Closes the innermost block and says where: before the comments that stand at its column.
    pub(super) fn close_block(&mut self) -> usize {
        let indent = self.indents.pop().unwrap_or(0);
        let (dedent, document) = self.dedent.unwrap_or_default();
        let by_column = indent > self.mark.column;
        let mut block = if by_column { dedent } else { document };
        let mut stop = block;
        for comment in self.pending.iter().rev() {
            if !comment.line.is_empty() || comment.end < stop {
                break;
            }
            if comment.start.column == indent + 1 {
                block = comment.start.at;
            }
            stop = comment.scan;
        }
        if by_column {
            self.dedent = Some((block, document));
        } else {
            self.dedent = Some((dedent, block));
        }
        block
    }

    /// Walks over what stands before the next token.
    pub(super) fn gap(&mut self) {
        let scan = self.mark;
        loop {
            if self.mark.column == 0 && self.text[self.mark.at..].starts_with('\u{feff}') {
                self.mark.at += '\u{feff}'.len_utf8();
            }
            self.skip_spaces();
            let next = self.byte(0);
            if self.last.0 == Last::BlockEntry
                && self.before_last.0 == Last::BlockSequence
                && !matches!(next, Some(b'\n' | b'\r'))
                && let Some(comment) = self.pending.back_mut()
                && !comment.line.is_empty()
            {
                comment.head = std::mem::take(&mut comment.line);
                if comment.start.line + 1 == self.mark.line {
                    comment.token = self.mark.at;
                }
            }
            if next == Some(b'#') {
                self.comments(scan);
            }
            if matches!(self.byte(0), Some(b'\n' | b'\r')) {
                self.skip_break();
            } else {
                break;
            }
        }
    }

    /// Takes the comment that stands on the line of the token before the mark.
    pub(super) fn line_comment(&mut self, owner: usize) {
        if self.newlines > 0 {
            return;
        }
        let mut ahead = 0;
        while ahead < LOOKAHEAD && matches!(self.byte(ahead), Some(b' ' | b'\t')) {
            ahead += 1;
        }
        if ahead == LOOKAHEAD || self.byte(ahead) != Some(b'#') {
            return;
        }
        let start = Mark { at: self.mark.at + ahead, line: self.mark.line, column: self.mark.column + ahead };
        let end = self.line_end(start.at);
        self.mark = Mark { at: end, line: start.line, column: start.column + self.text[start.at..end].chars().count() };
        self.pending.push_back(Pending {
            token: owner,
            start,
            line: vec![Some((start.at, end))],
            ..Pending::default()
        });
    }

    /// Sorts the comments from the mark, which is at a `#`, up to the next thing into heads and feet.
    fn comments(&mut self, scan: Mark) {
        let (last, last_start) = if self.last.0 == Last::FlowEntry { self.before_last } else { self.last };
        let indent = self.indents.last().copied().unwrap_or(0);
        let mut scan_at = scan.at;
        let mut owner = last_start;
        let mut start = Mark::default();
        let mut lines: Lines = Vec::new();
        let (mut after_blank, mut before_blank) = (false, self.newlines <= 1);
        let (mut line, mut column) = (self.mark.line, self.mark.column);
        // A comment that begins here directly follows what precedes it.
        let mut foot_line = None;
        if scan.line > 0 {
            let below = self.mark.line + 1 - self.newlines.min(self.mark.line + 1);
            foot_line = Some(if self.newlines == 0 && self.mark.column > 1 { below + 1 } else { below });
        }
        let mut ahead = 0;
        while ahead < LOOKAHEAD {
            column += 1;
            let byte = self.byte(ahead);
            if matches!(byte, Some(b' ' | b'\t')) {
                ahead += 1;
                continue;
            }
            let closes = self.flow > 0 && matches!(byte, Some(b']' | b'}'));
            let line_break = matches!(byte, Some(b'\n' | b'\r'));
            let here = self.mark.at + ahead;
            if closes || line_break || byte.is_none() {
                if closes || !after_blank {
                    let dedented = start.column < indent + 1;
                    let follows = Some(start.line) == foot_line && last != Last::Value;
                    if closes || before_blank && (follows || dedented) {
                        if !lines.is_empty() {
                            if dedented {
                                owner = start.at;
                            }
                            self.pending.push_back(Pending::foot(scan_at, owner, start, here, &mut lines));
                            scan_at = here;
                            owner = here;
                        }
                    } else if !lines.is_empty() && byte.is_some() {
                        lines.push(None);
                    }
                }
                if !line_break {
                    break;
                }
                before_blank = false;
                after_blank = true;
                column = 0;
                line += 1;
                ahead += 1;
                continue;
            }
            if !lines.is_empty() && column < indent + 1 && column != start.column {
                self.pending.push_back(Pending::foot(scan_at, owner, start, here, &mut lines));
                scan_at = here;
                owner = here;
            }
            if byte != Some(b'#') {
                break;
            }
            if lines.is_empty() {
                start = Mark { at: here, line, column };
            }
            after_blank = false;
            while self.mark.at < here {
                self.step();
            }
            let end = self.line_end(here);
            lines.push(Some((here, end)));
            self.mark.column += self.text[here..end].chars().count();
            self.mark.at = end;
            self.newlines = 0;
            // The break that ends the line is no blank line.
            ahead = 1;
            column = 0;
            line = self.mark.line;
        }
        if !lines.is_empty() {
            self.pending.push_back(Pending {
                scan: scan_at,
                token: start.at,
                start,
                end: (self.mark.at + ahead).saturating_sub(1),
                head: lines,
                ..Pending::default()
            });
        }
    }
}
