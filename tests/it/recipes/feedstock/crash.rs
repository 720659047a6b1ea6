//! The job is cut off at any of its calls and taken up again: what is made in the end is the same,
//! and nothing of it is there twice.

use futures_util::{StreamExt, stream};
use pforge::store::jobs::JobState;
use serde_json::Value;

use super::bench::Bench;
use crate::support::pg::{TestDb, on_both};

on_both!(killed_again_and_again_it_finishes);

/// The calls of the job, and what is there after them, when nothing disturbs it.
async fn undisturbed() -> (Vec<String>, Value) {
    let bench = Bench::start(TestDb::sqlite().await).await;
    let job = bench.run().await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{job:?}");
    (bench.gate.calls(), bench.state().await)
}

fn is_write(call: &str) -> bool {
    !call.starts_with("GET ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_or_after_any_call_it_finishes_without_duplicates() {
    let (calls, expected) = undisturbed().await;
    let writes = calls.iter().filter(|call| is_write(call)).count();
    assert!(writes >= 20, "{calls:#?}");
    let numbered = calls.iter().enumerate();
    // A call that only looks is the same when it was made and not heard.
    let kills = numbered.flat_map(|(number, call)| [(number, call, false), (number, call, true)]);
    let kills = kills.filter(|(_, call, after)| !after || is_write(call));
    let each = kills.map(|(number, call, after)| {
        let expected = &expected;
        async move {
            let bench = Bench::start(TestDb::sqlite().await).await;
            bench.gate.hold_number(number, after);
            let workers = bench.workers();
            bench.gate.held(call).await;
            bench.kill(workers).await;
            let job = bench.run().await;
            let place = format!("killed {} call {number}: {call}", if after { "after" } else { "before" });
            assert_eq!((job.state, job.attempts), (JobState::Done, 2), "{place}: {job:?}");
            assert_eq!(&bench.state().await, expected, "{place}");
        }
    });
    stream::iter(each).buffer_unordered(3).collect::<()>().await;
}

async fn killed_again_and_again_it_finishes(database: TestDb) {
    let (calls, expected) = undisturbed().await;
    let bench = Bench::start(database).await;
    // One life after another, each of which ends when GitHub has done the next thing but one.
    let mut writes: Vec<&String> = calls.iter().filter(|call| is_write(call) && !call.contains("/issues/")).collect();
    writes.dedup();
    let writes: Vec<&String> = writes.into_iter().step_by(2).collect();
    for call in &writes {
        bench.gate.hold(call, true);
        let workers = bench.workers();
        bench.gate.held(call).await;
        bench.kill(workers).await;
    }
    let job = bench.run().await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    assert_eq!(usize::try_from(job.attempts).unwrap(), writes.len() + 1);
    assert_eq!(bench.state().await, expected);
}
