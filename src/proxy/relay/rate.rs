//! How fast a channel may be posted to.

use std::time::{Duration, Instant};

/// So many posts a second, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Posts a second, in the long run.
    pub per_second: f64,
    /// Posts at once.
    pub burst: f64,
}

/// What is left of a [`Rate`].
#[derive(Debug)]
pub struct Bucket {
    rate: Rate,
    left: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub fn full(rate: Rate, now: Instant) -> Self {
        Self { rate, left: rate.burst, at: now }
    }

    /// Takes one.
    ///
    /// # Errors
    /// When there is none: the time until there is.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * self.rate.per_second).min(self.rate.burst);
        self.at = now;
        if self.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.left) / self.rate.per_second.max(0.001)));
        }
        self.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Duration, Instant, Rate};

    #[test]
    fn a_burst_then_the_rate() {
        let begin = Instant::now();
        let mut bucket = Bucket::full(Rate { per_second: 2.0, burst: 3.0 }, begin);
        for _ in 0..3 {
            assert_eq!(bucket.take(begin), Ok(()));
        }
        assert_eq!(bucket.take(begin), Err(Duration::from_millis(500)));
        assert_eq!(bucket.take(begin + Duration::from_millis(500)), Ok(()));
        assert!(bucket.take(begin + Duration::from_millis(600)).is_err());
        let later = begin + Duration::from_secs(60);
        assert_eq!((0..9).filter(|_| bucket.take(later).is_ok()).count(), 3);
    }
}
