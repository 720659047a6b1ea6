//! Which items of a collection are still there in another version of it.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::same;
use crate::secrets::tree::{Entry, Item};

/// For each of `new` the index of its counterpart in `old`, in increasing order: a common
/// subsequence, the longest or nearly so (on long and very different inputs the search is cut
/// short, so the work stays far from quadratic).
pub(in crate::secrets) fn in_order<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<Option<usize>> {
    let mut counterparts = vec![None; new.len()];
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            for at in 0..len {
                counterparts[new_index + at] = Some(old_index + at);
            }
        }
    }
    counterparts
}

/// Finds for those of `new` that have no counterpart one that has moved.
pub(in crate::secrets) fn add_moved<T: Eq + Hash>(old: &[T], new: &[T], counterparts: &mut [Option<usize>]) {
    if counterparts.iter().all(Option::is_some) {
        return;
    }
    let mut taken = vec![false; old.len()];
    for at in counterparts.iter().flatten() {
        taken[*at] = true;
    }
    let mut free: HashMap<&T, VecDeque<usize>> = HashMap::new();
    for (at, token) in old.iter().enumerate().filter(|(at, _)| !taken[*at]) {
        free.entry(token).or_default().push_back(at);
    }
    for (token, counterpart) in new.iter().zip(counterparts).filter(|(_, counterpart)| counterpart.is_none()) {
        *counterpart = free.get_mut(token).and_then(VecDeque::pop_front);
    }
}

/// The comments of two versions of a mapping that are the same, as pairs of indices into `old`
/// and `new`. Of equal comments those before the same key belong together.
pub(in crate::secrets) fn comments(old: &[Item<Entry>], new: &[Item<Entry>]) -> Vec<(usize, usize)> {
    let (old_at, old_anchored) = anchored(old);
    let (new_at, new_anchored) = anchored(new);
    let mut counterparts = in_order(&old_anchored, &new_anchored);
    add_moved(&texts(old), &texts(new), &mut counterparts);
    let pairs = counterparts.iter().zip(new_at);
    pairs.filter_map(|(old, new)| Some((old_at[(*old)?], new))).collect()
}

fn texts(items: &[Item<Entry>]) -> Vec<&[u8]> {
    let comments = items.iter().filter_map(|item| match item {
        Item::Comment(comment) => Some(comment.text.expose()),
        Item::Value(_) => None,
    });
    comments.collect()
}

/// Where the comments stand, and a token of each with the key that it stands before.
fn anchored(items: &[Item<Entry>]) -> (Vec<usize>, Vec<u64>) {
    let mut next = None;
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate().rev() {
        match item {
            Item::Value(entry) => next = Some(entry.key.as_str()),
            Item::Comment(comment) => found.push((at, same::comment_token(comment, next))),
        }
    }
    found.into_iter().rev().unzip()
}
