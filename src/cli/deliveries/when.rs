//! A point in time on the command line: `2h` ago, or a date and time.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::cli::duration;

/// A point in time, as given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So long ago.
    Ago(Duration),
    /// Then.
    At(DateTime<Utc>),
}

impl When {
    /// As a time.
    pub fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Ago(ago) => TimeDelta::from_std(ago)
                .ok()
                .and_then(|ago| now.checked_sub_signed(ago))
                .unwrap_or(DateTime::UNIX_EPOCH),
            Self::At(at) => at,
        }
    }
}

/// Reads one, for clap.
///
/// # Errors
/// When it is none.
pub fn argument(text: &str) -> Result<When, String> {
    let days = |text: &str| text.strip_suffix('d')?.parse::<u64>().ok()?.checked_mul(86_400).map(Duration::from_secs);
    if let Some(ago) = duration::parse(text).or_else(|| days(text)) {
        return Ok(When::Ago(ago));
    }
    let midnight = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    let at = DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
    let at = at.or_else(|| midnight(text).map(|at| at.and_utc()));
    at.map(When::At).ok_or_else(|| "not a time such as 30m, 2h, 3d, 2026-11-21 or 2026-11-21T09:30:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{DateTime, Duration, When, argument};

    #[test]
    fn times_are_ago_or_then() {
        let now = DateTime::parse_from_rfc3339("2026-11-21T12:00:00Z").expect("a time").to_utc();
        for (text, expected) in [
            ("30m", "2026-11-21T11:30:00Z"),
            ("2h", "2026-11-21T10:00:00Z"),
            ("3d", "2026-11-18T12:00:00Z"),
            ("90", "2026-11-21T11:58:30Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20T10:00:00+02:00", "2026-11-20T08:00:00Z"),
            ("99999999999999h", "1970-01-01T00:00:00Z"),
        ] {
            let at = argument(text).unwrap_or_else(|why| panic!("{text}: {why}")).at(now);
            assert_eq!(at, DateTime::parse_from_rfc3339(expected).expect("a time"), "{text}");
        }
        assert_eq!(argument("1s"), Ok(When::Ago(Duration::from_secs(1))));
        for text in ["", "yesterday", "2h ago", "2026-13-01", "-1h", "d", "1.5h"] {
            assert!(argument(text).is_err(), "{text}");
        }
    }
}
