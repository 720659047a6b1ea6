//! Small text helpers for people's eyes.

use std::time::Duration;

/// `1 job`, `2 jobs`.
pub fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A duration as a person says it: `41 ms`, `2.4 s`, `3 min`, `5 h`, `2 d`.
pub fn duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    let s = duration.as_secs();
    match s {
        0 => format!("{ms} ms"),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} min", s / 60),
        3600..172_800 => format!("{} h", s / 3600),
        _ => format!("{} d", s / 86_400),
    }
}

/// The first `max` characters of `text`, with `…` for what was cut.
pub fn truncate(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(max.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (ms, expected) in
            [(0, "0 ms"), (41, "41 ms"), (2400, "2.4 s"), (185_000, "3 min"), (7_200_000, "2 h"), (260_000_000, "3 d")]
        {
            assert_eq!(duration(Duration::from_millis(ms)), expected);
        }
    }

    #[test]
    fn truncation_counts_characters() {
        assert_eq!(truncate("héllo", 5), "héllo");
        assert_eq!(truncate("héllo!", 5), "héll…");
        assert_eq!(plural(1, "job") + " " + &plural(0, "job"), "1 job 0 jobs");
    }
}
