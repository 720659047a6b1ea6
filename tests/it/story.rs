//! Two hundred pull requests, a server that is killed again and again, and a GitHub that fails: in
//! the end all is as if nothing had happened.
//!
//! The same story is played twice, once undisturbed. What everybody does is drawn from a seed; each
//! pull request's people wait for what their next step depends on, so that the end is the same
//! whatever comes in between. `PFORGE_STORY_SEED`, `PFORGE_STORY_PRS` and `PFORGE_STORY_KILLS`
//! repeat a story and scale it.

mod end;
mod plot;
mod stage;

use std::time::Instant;

use self::end::End;
use self::plot::Plot;
use self::stage::Stage;

/// Pull requests of the story when nobody says how many; the whole one has 200, and 50 kills.
const PULLS: usize = 24;
/// Kills when nobody says how many.
const KILLS: usize = 8;

fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => default,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_and_failures_leave_no_trace() {
    let seed = number("PFORGE_STORY_SEED", fastrand::u64(..1_000_000));
    let (pulls, kills) = (number("PFORGE_STORY_PRS", PULLS), number("PFORGE_STORY_KILLS", KILLS));
    eprintln!("to repeat it: PFORGE_STORY_SEED={seed} PFORGE_STORY_PRS={pulls} PFORGE_STORY_KILLS={kills}");
    let calm = told(Plot::draw(seed, pulls), seed, None).await;
    let wild = told(Plot::draw(seed, pulls), seed, Some(kills)).await;
    let differences = calm.differences(&wild);
    assert!(differences.is_empty(), "with seed {seed}:\n{}", differences.join("\n"));
}

/// Plays `plot`, disturbed by this many kills and by failures of GitHub when they are given.
async fn told(plot: Plot, seed: u64, kills: Option<usize>) -> End {
    let begun = Instant::now();
    let stage = Stage::start(&plot).await;
    let summary = stage.play(&plot, seed, kills).await;
    let end = End::look(&stage, &plot).await;
    eprintln!(
        "{} in {:?}: {summary}, {end}",
        if kills.is_some() { "disturbed" } else { "undisturbed" },
        begun.elapsed()
    );
    end.is_sound();
    end
}
