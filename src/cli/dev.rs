//! From nothing to an App that receives: what `pforge dev` does.
//!
//! [`steps`] does what is missing, each step by the command line that it tells; [`session`] is the
//! proxy and the server in one terminal, told by [`view`]; [`watch`] notices when the config changes.

pub mod session;
pub mod steps;
pub mod view;
pub mod watch;
