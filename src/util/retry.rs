//! Retry arithmetic. Pure: the caller brings the randomness and does the waiting.

use std::time::Duration;

/// An exponential schedule with a ceiling and jitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// Wait before the second attempt.
    pub base: Duration,
    /// What each further wait is multiplied by.
    pub factor: u32,
    /// No computed wait is longer than this.
    pub cap: Duration,
    /// Share of the wait that is random, 0.0 to 1.0: 0.2 spreads a wait over ±20 %.
    pub jitter: f64,
}

impl Backoff {
    /// How long to wait after failed attempt number `attempt` (1 = the first).
    ///
    /// `asked` is what the other side asked for (`Retry-After`): never wait less than that.
    /// `random` is a number in 0.0..1.0.
    pub fn delay(&self, attempt: u32, asked: Option<Duration>, random: f64) -> Duration {
        let exponent = attempt.saturating_sub(1).min(30);
        let wait = self.base.saturating_mul(self.factor.saturating_pow(exponent)).min(self.cap);
        let spread = 1.0 + self.jitter.clamp(0.0, 1.0) * (2.0 * random.clamp(0.0, 1.0) - 1.0);
        wait.mul_f64(spread).max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Backoff =
        Backoff { base: Duration::from_secs(1), factor: 2, cap: Duration::from_secs(60), jitter: 0.0 };

    #[test]
    fn doubles_up_to_the_cap() {
        for (attempt, seconds) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (u32::MAX, 60)] {
            assert_eq!(PLAIN.delay(attempt, None, 0.5), Duration::from_secs(seconds), "attempt {attempt}");
        }
    }

    #[test]
    fn jitter_spreads_around_the_wait() {
        let jittered = Backoff { jitter: 0.2, ..PLAIN };
        assert_eq!(jittered.delay(1, None, 0.0), Duration::from_millis(800));
        assert_eq!(jittered.delay(1, None, 0.5), Duration::from_secs(1));
        assert_eq!(jittered.delay(1, None, 1.0), Duration::from_millis(1200));
    }

    #[test]
    fn what_was_asked_for_is_the_least() {
        assert_eq!(PLAIN.delay(1, Some(Duration::from_secs(90)), 0.5), Duration::from_secs(90));
        assert_eq!(PLAIN.delay(3, Some(Duration::from_secs(1)), 0.5), Duration::from_secs(4));
    }
}
