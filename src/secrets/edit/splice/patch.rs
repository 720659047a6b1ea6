//! Changes to a text, collected in any order and made at once.

use std::ops::Range;

/// That a part cannot be changed in place: the next larger part is to be written anew.
#[derive(Debug)]
pub(super) struct Coarser;

/// Changes to a text.
#[derive(Debug, Default)]
pub(super) struct Patch {
    changes: Vec<(Range<usize>, Vec<u8>)>,
}

impl Patch {
    /// Puts `text` in place of `range`.
    pub(super) fn replace(&mut self, range: Range<usize>, text: impl Into<Vec<u8>>) {
        self.changes.push((range, text.into()));
    }

    /// How many changes there are, to go back to.
    pub(super) fn mark(&self) -> usize {
        self.changes.len()
    }

    /// Forgets the changes made since `mark`.
    pub(super) fn rewind(&mut self, mark: usize) {
        self.changes.truncate(mark);
    }

    /// The changed text. Of changes at the same place an insertion comes first, and insertions
    /// keep their order. A removal may lie inside of another one; other changes must not overlap.
    pub(super) fn apply(mut self, text: &[u8]) -> Result<Vec<u8>, Coarser> {
        self.changes.sort_by_key(|(range, _)| (range.start, !range.is_empty()));
        let mut out = Vec::with_capacity(text.len() + self.changes.iter().map(|(_, new)| new.len()).sum::<usize>());
        let mut at = 0;
        for (range, new) in self.changes {
            if range.start >= at {
                out.extend_from_slice(text.get(at..range.start).ok_or(Coarser)?);
                at = range.end;
            } else if range.end > at || !new.is_empty() {
                return Err(Coarser);
            }
            out.extend(new);
        }
        out.extend_from_slice(text.get(at..).ok_or(Coarser)?);
        Ok(out)
    }
}

/// Where the line of `at` begins, after a byte order mark.
pub(super) fn line_start(text: &[u8], at: usize) -> usize {
    match text[..at].iter().rposition(|&byte| byte == b'\n') {
        Some(newline) => newline + 1,
        None if text.starts_with(b"\xEF\xBB\xBF") => 3.min(at),
        None => 0,
    }
}

/// Where the line of `at` ends, after its line break.
pub(super) fn line_end(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |newline| at + newline + 1)
}

/// `range` without the white space at its end.
pub(super) fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let end = text[range.clone()].iter().rposition(|byte| !byte.is_ascii_whitespace());
    range.start..end.map_or(range.start, |last| range.start + last + 1)
}

/// Whether there is nothing but spaces and tabs.
pub(super) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' ' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_made_in_order_of_place() {
        let mut patch = Patch::default();
        patch.replace(4..6, "four");
        patch.replace(0..1, "zero");
        patch.replace(4..4, "<");
        patch.replace(4..4, "<<");
        patch.replace(8..8, "!");
        assert_eq!(patch.apply(b"01234567").unwrap(), b"zero123<<<four67!");
    }

    #[test]
    fn overlapping_changes_are_not_made() {
        for (second, fits) in [(2..3, true), (2..6, false), (4..5, true)] {
            let mut patch = Patch::default();
            patch.replace(1..4, "");
            patch.replace(second.clone(), "");
            assert_eq!(patch.apply(b"01234567").is_ok(), fits, "{second:?}");
        }
        let mut patch = Patch::default();
        patch.replace(1..4, "");
        patch.replace(2..3, "x");
        assert!(patch.apply(b"01234567").is_err());
    }
}
