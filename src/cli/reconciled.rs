//! What the server fetched because GitHub could not deliver it, as a person and a program read it.

use std::time::Duration;

use serde_json::{Value, json};

use super::cx::Cx;
use super::error::Result;
use crate::server::Reconciled;
use crate::util::text;

/// Tells a report.
///
/// # Errors
/// When nobody reads the output any more.
pub fn tell(cx: &Cx, report: &Reconciled) -> Result {
    if cx.ui.json() {
        let mut event = json!({ "type": "reconciled" });
        if let (Some(event), Ok(Value::Object(report))) = (event.as_object_mut(), serde_json::to_value(report)) {
            event.extend(report);
        }
        return cx.ui.event(&event);
    }
    cx.ui.status(reconciled(report));
    Ok(())
}

fn reconciled(report: &Reconciled) -> String {
    let mut told = match report.asleep_s {
        Some(seconds) => format!("Asleep for {}: ", text::duration(Duration::from_secs(seconds))),
        None => String::new(),
    };
    told += &match report.missed {
        0 => "GitHub could deliver everything.".to_owned(),
        1 => "1 delivery that GitHub could not deliver was fetched; ".to_owned(),
        many => format!("{many} deliveries that GitHub could not deliver were fetched; "),
    };
    if report.missed == 0 {
        return told;
    }
    told += &format!("{} processed", report.processed);
    for (count, what) in
        [(report.refused, "refused"), (report.gone, "no longer shown by GitHub"), (report.left, "still to come")]
    {
        if count > 0 {
            told += &format!(", {count} {what}");
        }
    }
    told + "."
}

#[cfg(test)]
mod tests {
    use super::{Reconciled, reconciled};

    #[test]
    fn what_was_fetched_is_told_in_one_line() {
        let report = |missed, processed, refused, gone, left, asleep_s| {
            reconciled(&Reconciled { missed, processed, refused, gone, left, asleep_s, ..Reconciled::default() })
        };
        let table = [
            (report(7, 7, 0, 0, 0, None), "7 deliveries that GitHub could not deliver were fetched; 7 processed."),
            (
                report(1, 0, 1, 0, 0, None),
                "1 delivery that GitHub could not deliver was fetched; 0 processed, 1 refused.",
            ),
            (
                report(9, 5, 0, 1, 3, Some(2520)),
                "Asleep for 42 min: 9 deliveries that GitHub could not deliver were fetched; 5 processed, \
                 1 no longer shown by GitHub, 3 still to come.",
            ),
            (report(0, 0, 0, 0, 0, Some(90)), "Asleep for 1 min: GitHub could deliver everything."),
        ];
        for (told, expected) in table {
            assert_eq!(told, expected);
        }
    }
}
