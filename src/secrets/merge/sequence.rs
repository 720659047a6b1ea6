//! Sequences: the runs that both sides left alone hold the rest in place.

use std::ops::Range;

use super::{Merger, Sides};
use crate::secrets::edit::{matching, same};
use crate::secrets::select::Step;
use crate::secrets::tree::{Item, Node, Seq, Value};

/// The same part of the three versions, as ranges of items.
struct Chunk {
    base: Range<usize>,
    ours: Range<usize>,
    theirs: Range<usize>,
}

impl Merger {
    /// The merged sequence; `None` when both sides changed the same part differently.
    pub(super) fn seq(&mut self, base: &Seq, ours: &Seq, theirs: &Seq) -> Option<Seq> {
        let before = self.conflicts.len();
        let mut items = Vec::new();
        for chunk in chunks(base, ours, theirs) {
            let (was, our, their) =
                (&base.items[chunk.base.clone()], &ours.items[chunk.ours.clone()], &theirs.items[chunk.theirs.clone()]);
            if are_same(our, their) || are_same(was, their) {
                items.extend_from_slice(our);
            } else if are_same(was, our) {
                items.extend_from_slice(their);
            } else if let Some(merged) = self.item_by_item(was, our, their, values_before(ours, chunk.ours.start)) {
                items.extend(merged);
            } else {
                // One conflict stands for the whole sequence.
                self.conflicts.truncate(before);
                return None;
            }
        }
        Some(Seq { items, flow: ours.flow })
    }

    /// Merges runs of the same length as versions of the same values. `index` is that of the
    /// first value in ours. `None` when they are not.
    fn item_by_item(
        &mut self,
        base: &[Item<Node>],
        ours: &[Item<Node>],
        theirs: &[Item<Node>],
        mut index: usize,
    ) -> Option<Vec<Item<Node>>> {
        if base.len() != ours.len() || base.len() != theirs.len() {
            return None;
        }
        let mut merged = Vec::new();
        for ((was, our), their) in base.iter().zip(ours).zip(theirs) {
            if same::seq_items(our, their) || same::seq_items(was, their) {
                merged.push(our.clone());
            } else if same::seq_items(was, our) {
                merged.push(their.clone());
            } else {
                let (Item::Value(was), Item::Value(our), Item::Value(their)) = (was, our, their) else { return None };
                if !(is_collection(was) && is_collection(our) && is_collection(their)) {
                    return None;
                }
                let sides = Sides { base: Some(was), ours: Some(our), theirs: Some(their) };
                merged.extend(self.step(Step::Index(index), |merger| merger.node(sides)).map(Item::Value));
            }
            index += usize::from(matches!(our, Item::Value(_)));
        }
        Some(merged)
    }
}

/// The values before `at`.
fn values_before(seq: &Seq, at: usize) -> usize {
    seq.items[..at].iter().filter(|item| matches!(item, Item::Value(_))).count()
}

fn is_collection(node: &Node) -> bool {
    !matches!(node.value, Value::Scalar(_))
}

fn are_same(a: &[Item<Node>], b: &[Item<Node>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same::seq_items(a, b))
}

/// Cuts the three versions at the items that all of them have.
fn chunks(base: &Seq, ours: &Seq, theirs: &Seq) -> Vec<Chunk> {
    let tokens = |seq: &Seq| -> Vec<u64> { seq.items.iter().map(same::token).collect() };
    let (was, our, their) = (tokens(base), tokens(ours), tokens(theirs));
    let in_ours = inverted(&matching::in_order(&was, &our), was.len());
    let in_theirs = inverted(&matching::in_order(&was, &their), was.len());

    let mut chunks = Vec::new();
    let (mut b, mut o, mut t) = (0, 0, 0);
    for at in 0..=was.len() {
        let (next_o, next_t) = match (in_ours.get(at), in_theirs.get(at)) {
            (Some(Some(o)), Some(Some(t))) => (*o, *t),
            (None, None) => (our.len(), their.len()),
            _ => continue,
        };
        if (b, o, t) != (at, next_o, next_t) {
            chunks.push(Chunk { base: b..at, ours: o..next_o, theirs: t..next_t });
        }
        if at < was.len() {
            chunks.push(Chunk { base: at..at + 1, ours: next_o..next_o + 1, theirs: next_t..next_t + 1 });
        }
        (b, o, t) = (at + 1, next_o + 1, next_t + 1);
    }
    chunks
}

/// From "where in old, for each of new" to "where in new, for each of old".
fn inverted(counterparts: &[Option<usize>], len: usize) -> Vec<Option<usize>> {
    let mut inverted = vec![None; len];
    for (new, old) in counterparts.iter().enumerate() {
        if let Some(old) = old {
            inverted[*old] = Some(new);
        }
    }
    inverted
}
