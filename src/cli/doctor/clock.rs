//! How far GitHub's clock is from ours, finer than the seconds of its `Date` header.
//!
//! A header that says 12:00:00 was written between 12:00:00.000 and 12:00:00.999 by GitHub's clock,
//! and between the request and its answer by ours. Several of them leave a small common range.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::github::{Auth, Call, Client, Error};
use crate::util::Clock;

/// Requests; each cuts the range by about half.
const SAMPLES: u32 = 4;

/// How far GitHub's clock is ahead of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// The middle of the range, in milliseconds.
    pub ms: i64,
    /// Half of its width, in milliseconds.
    pub uncertainty_ms: i64,
}

/// One header: when the request began and its answer was there, and what it said.
#[derive(Clone, Copy, Debug)]
struct Sample {
    begun: DateTime<Utc>,
    ended: DateTime<Utc>,
    said: DateTime<Utc>,
}

/// Measures it by a few requests that GitHub does not count.
///
/// # Errors
/// When GitHub cannot be reached.
pub async fn measure(client: &Client, clock: &Clock) -> Result<Option<Skew>, Error> {
    let call = Call::get("/rate_limit", Auth::Anonymous);
    let mut samples = Vec::new();
    for number in 0..SAMPLES {
        if number > 0 {
            // Spread over one second, so that they see different parts of GitHub's.
            tokio::time::sleep(Duration::from_secs(1) / SAMPLES).await;
        }
        let begun = clock.now();
        let answer = client.send(&call).await?;
        let ended = clock.now();
        samples.extend(answer.date().map(|said| Sample { begun, ended, said }));
    }
    Ok(common(&samples))
}

/// The range that all samples agree on.
fn common(samples: &[Sample]) -> Option<Skew> {
    let low = samples.iter().map(|sample| (sample.said - sample.ended).num_milliseconds()).max()?;
    let high =
        samples.iter().map(|sample| (sample.said + TimeDelta::seconds(1) - sample.begun).num_milliseconds()).min()?;
    // A clock that was set meanwhile leaves nothing in common; then the last one is as good as any.
    let (low, high) = if low <= high { (low, high) } else { (high, low) };
    Some(Skew { ms: low.midpoint(high), uncertainty_ms: (high - low) / 2 })
}

#[cfg(test)]
mod tests {
    use super::{DateTime, Sample, TimeDelta, Utc, common};

    /// Samples of a GitHub that is `skew_ms` ahead, at these times of ours; each takes 20 ms.
    fn samples(skew_ms: i64, at_ms: &[i64]) -> Vec<Sample> {
        let time = |ms: i64| DateTime::<Utc>::from_timestamp_millis(1_700_000_000_000 + ms).expect("a time");
        let sample = |&ms: &i64| {
            let theirs = time(ms + 10 + skew_ms);
            let said = theirs - TimeDelta::milliseconds(theirs.timestamp_millis() % 1000);
            Sample { begun: time(ms), ended: time(ms + 20), said }
        };
        at_ms.iter().map(sample).collect()
    }

    #[test]
    fn the_range_holds_the_truth_and_narrows() {
        for skew in [-3_600_000, -1500, -20, 0, 1, 999, 4321, 3_600_000] {
            let one = common(&samples(skew, &[0])).expect("a range");
            let four = common(&samples(skew, &[0, 270, 540, 810])).expect("a range");
            for found in [one, four] {
                assert!((found.ms - skew).abs() <= found.uncertainty_ms + 1, "{skew}: {found:?}");
            }
            assert!(one.uncertainty_ms >= 500 && four.uncertainty_ms <= 160, "{skew}: {one:?} {four:?}");
        }
        assert_eq!(common(&[]), None);
    }
}
