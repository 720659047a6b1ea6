//! A proxy session: deliveries come to a local server for as long as it lasts, and the App's
//! webhook URL is ours meanwhile.
//!
//! [`run`] does not own the process: it ends when its token is cancelled, puts everything back,
//! and says what came of it. `proxy start` and `dev` are built on it.

mod channel;
mod ndjson;
mod plan;
mod register;
mod run;
pub mod told;
mod transport;
mod view;

pub use channel::create;
pub use ndjson::Ndjson;
pub use plan::{HOOK_PATH, Plan, Register, Via, trust_of};
pub use run::run;
pub use told::Sink;
pub use view::View;
