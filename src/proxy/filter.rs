//! Which events are forwarded: `pull_request`, `issue_comment.created`.

use std::str::FromStr;

/// A list of events, with or without an action. An empty one lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    event: String,
    action: Option<String>,
}

/// It is no list of events.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an event such as push, or an event and its action such as pull_request.opened")]
pub struct NoEvent(String);

impl Filter {
    /// Whether `event` with `action` is let through.
    pub fn takes(&self, event: &str, action: Option<&str>) -> bool {
        let fits = |pattern: &Pattern| {
            pattern.event == event && pattern.action.as_deref().is_none_or(|wanted| action == Some(wanted))
        };
        self.0.is_empty() || self.0.iter().any(fits)
    }
}

impl FromStr for Filter {
    type Err = NoEvent;

    fn from_str(text: &str) -> Result<Self, NoEvent> {
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let pattern = |text: &str| {
            let (event, action) = match text.split_once('.') {
                // `*` says what leaving the action out says.
                Some((event, "*")) => (event, None),
                Some((event, action)) => (event, Some(action)),
                None => (text, None),
            };
            let fits = word(event) && action.is_none_or(word);
            let pattern = Pattern { event: event.to_owned(), action: action.map(str::to_owned) };
            fits.then_some(pattern).ok_or_else(|| NoEvent(text.to_owned()))
        };
        text.split(',').map(|part| pattern(part.trim())).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn events_with_and_without_action() {
        let filter: Filter = "push, pull_request.opened,check_run.*".parse().expect("a filter");
        for (event, action, taken) in [
            ("push", None, true),
            ("pull_request", Some("opened"), true),
            ("pull_request", Some("closed"), false),
            ("pull_request", None, false),
            ("check_run", Some("created"), true),
            ("issues", Some("opened"), false),
        ] {
            assert_eq!(filter.takes(event, action), taken, "{event} {action:?}");
        }
        assert!(Filter::default().takes("anything", None));
        for wrong in ["", "push,", "Push", "push.", ".opened", "a.b.c", "pull request"] {
            assert!(wrong.parse::<Filter>().is_err(), "{wrong:?}");
        }
    }
}
