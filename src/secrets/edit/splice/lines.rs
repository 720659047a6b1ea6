//! Collections whose items stand on lines of their own: block YAML, dotenv.

use std::ops::Range;

use super::pairing::Fate;
use super::patch::{Coarser, Patch, is_blank, line_end, line_start, trimmed};

/// Where an item of the old collection stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// From its key, dash or `#` to its last visible byte.
    pub(super) range: Range<usize>,
    /// Whether it is a comment at the end of a line that holds something else.
    pub(super) beside: bool,
}

/// The lines of a collection, to take items out and put items in.
pub(super) struct Lines<'a> {
    /// The old text.
    pub(super) text: &'a [u8],
    /// Where its items stand.
    pub(super) places: &'a [Place],
    /// How far they are indented, in bytes.
    pub(super) column: usize,
    /// Whether lines end with CR LF.
    pub(super) crlf: bool,
}

impl Lines<'_> {
    /// Takes out the lines of what is removed and puts in those of what is added. `render` gives
    /// the lines of an item of the new collection, indented.
    pub(super) fn edit(
        &self,
        fates: &[Fate],
        patch: &mut Patch,
        render: impl Fn(usize) -> Result<Vec<u8>, Coarser>,
    ) -> Result<(), Coarser> {
        let lead =
            self.places.iter().filter(|place| !place.beside).map(|place| place.range.start).min().ok_or(Coarser)?;
        // The first item may stand behind the dash of the list item that it is in.
        let behind_dash = !is_blank(&self.text[line_start(self.text, lead)..lead]);
        let first_kept = if behind_dash { self.first_kept(fates)? } else { lead };
        let kept_beside: Vec<&Range<usize>> =
            self.kept(fates).filter(|place| place.beside).map(|place| &place.range).collect();
        let stays_in = |lines: &Range<usize>| {
            kept_beside.iter().copied().filter(|range| lines.contains(&range.start)).collect::<Vec<_>>()
        };
        if first_kept > lead {
            if !stays_in(&(lead..first_kept)).is_empty() {
                return Err(Coarser);
            }
            patch.replace(lead..first_kept, "");
        }

        let mut removed: Vec<Range<usize>> = Vec::new();
        for place in self.removed(fates).filter(|place| !place.beside && place.range.start >= first_kept) {
            let lines = line_start(self.text, place.range.start)..line_end(self.text, place.range.end);
            let mut stays = Vec::new();
            for comment in stays_in(&lines) {
                stays.resize(stays.len() + self.column, b' ');
                stays.extend_from_slice(&self.text[comment.clone()]);
                stays.extend_from_slice(if self.crlf { b"\r\n" } else { b"\n" });
            }
            patch.replace(lines.clone(), stays);
            removed.push(lines);
        }
        removed.sort_by_key(|lines| lines.start);
        for place in self.removed(fates).filter(|place| place.beside) {
            let start = place.range.start;
            let before = removed.partition_point(|lines| lines.start <= start).checked_sub(1);
            let is_gone = start < first_kept || before.is_some_and(|at| removed[at].contains(&start));
            if !is_gone {
                let line = line_start(self.text, start)..start;
                patch.replace(trimmed(self.text, line).end..place.range.end, "");
            }
        }

        let mut at = None;
        for fate in fates {
            match *fate {
                Fate::Kept(was, _) if !self.places[was].beside => {
                    at = Some(line_end(self.text, self.places[was].range.end))
                }
                Fate::Removed(was) if !self.places[was].beside && self.places[was].range.start >= first_kept => {
                    at = Some(line_start(self.text, self.places[was].range.start));
                }
                Fate::Kept(..) | Fate::Removed(_) => {}
                Fate::Added(is) => self.insert(at, first_kept, behind_dash, render(is)?, patch)?,
            }
        }
        Ok(())
    }

    fn insert(
        &self,
        at: Option<usize>,
        first: usize,
        behind_dash: bool,
        lines: Vec<u8>,
        patch: &mut Patch,
    ) -> Result<(), Coarser> {
        let mut lines = if self.crlf { with_crlf(&lines) } else { lines };
        match at {
            None if behind_dash => {
                let mut text = lines.get(self.column..).ok_or(Coarser)?.to_vec();
                text.resize(text.len() + self.column, b' ');
                patch.replace(first..first, text);
            }
            None => {
                let at = line_start(self.text, first);
                patch.replace(at..at, lines);
            }
            Some(at) => {
                // The last line may have no line break; then the one that comes after has none.
                if at > 0 && self.text[at - 1] != b'\n' {
                    let end = trimmed(&lines, 0..lines.len()).end;
                    let line_break = lines.split_off(end);
                    lines.splice(0..0, line_break);
                }
                patch.replace(at..at, lines);
            }
        }
        Ok(())
    }

    /// Where the first item begins that stays.
    fn first_kept(&self, fates: &[Fate]) -> Result<usize, Coarser> {
        self.kept(fates).filter(|place| !place.beside).map(|place| place.range.start).min().ok_or(Coarser)
    }

    fn kept(&self, fates: &[Fate]) -> impl Iterator<Item = &Place> {
        fates.iter().filter_map(|fate| match fate {
            Fate::Kept(was, _) => Some(&self.places[*was]),
            _ => None,
        })
    }

    fn removed(&self, fates: &[Fate]) -> impl Iterator<Item = &Place> {
        fates.iter().filter_map(|fate| match fate {
            Fate::Removed(was) => Some(&self.places[*was]),
            _ => None,
        })
    }
}

fn with_crlf(lines: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(lines.len() + 16);
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) if !line.ends_with(b"\r") => {
                out.extend_from_slice(line);
                out.extend_from_slice(b"\r\n");
            }
            _ => out.extend_from_slice(line),
        }
    }
    out
}
