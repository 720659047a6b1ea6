//! What the tests share: databases, the command line in a hermetic environment, a whole world.

pub mod env;
pub mod pg;
pub mod sops;
pub mod world;
