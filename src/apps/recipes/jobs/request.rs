//! Asking for an attempt at a run: whoever asks, it is the same two steps.

use super::{Bake, Cx};
use crate::apps::recipes::rows::attempts::{self, NewAttempt, Requested};
use crate::jobs::{Failure, Job};
use crate::store::jobs::enqueue;

/// The key of all work on a run, which lets one bake of it happen at a time.
pub fn run_key(run: i64) -> String {
    format!("recipe-run/{run}")
}

/// Asks for an attempt at `run` and queues its bake. Asking again with the same token is asking
/// once, also after a crash between the two steps.
pub(super) async fn request(cx: &Cx, run: i64, new: &NewAttempt) -> Result<Requested, Failure> {
    let now = cx.clock.now();
    let requested = attempts::request(&cx.db, run, new, now).await?;
    if let Requested::New(attempt) | Requested::Same(attempt) = requested {
        let bake = Bake { recipe_run_id: run, attempt };
        let token = format!("{}/attempt/{attempt}", run_key(run));
        let job = bake.queued(Some(run_key(run)), token).map_err(|error| Failure::permanent(error.to_string()))?;
        enqueue(&cx.db, &[job], now).await?;
    }
    Ok(requested)
}
