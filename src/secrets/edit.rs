//! Edits that leave the rest alone.

mod align;
pub(super) mod matching;
mod revise;
pub(super) mod same;
mod splice;

pub use align::align;
pub use revise::revise;
pub(super) use splice::splice;
