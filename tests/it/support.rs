//! What the tests share: databases, the command line in a hermetic environment, a whole world.

pub mod browser;
pub mod env;
pub mod page;
pub mod pg;
pub mod sops;
pub mod stage;
pub mod world;
