//! What people read on GitHub.

pub mod checks;
pub mod feedstock;
pub mod markdown;
pub mod production;
pub mod report;
pub mod run;
